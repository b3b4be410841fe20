/* Goal: a ticket is taken of who may order, for this host as it is now, until its end, unchanged.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/release_ticket.h"

#include <stdio.h>

#include "lib/err.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "unit.h"

#define MANIFEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER	 "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW	 1767225600

static const uint8_t seeds[3][CRYPTO_ED25519_KEY] = { { 1 }, { 2 }, { 3 } };
static const struct release_ticket expected = { .run = 12,
	.epoch = 2,
	.environment = "shop/staging",
	.program = "rollback",
	.until_s = NOW + 60,
	.agents = "aa=" OTHER ",acme=" MANIFEST };
static struct order_keys keys;
static struct release_ticket_of here;
static const char *manifest; /* of this host */
static struct release_ticket ticket;
static struct err err;

static int
set_up(UNUSED void **state)
{
	keys = (struct order_keys){ .name = "acme", .count = 2 };
	for (size_t i = 0; i < keys.count; i++)
		assert_true(crypto_ed25519_public(seeds[i], keys.all[i], NULL));
	here = (struct release_ticket_of){ .keys = &keys, .lowest = 2, .now_s = NOW };
	manifest = MANIFEST;
	return 0;
}

static const char *
made(size_t key, const struct release_ticket *of)
{
	static char text[RELEASE_TICKET_MAX];

	assert_true(release_ticket_make(of, seeds[key], text, NULL));
	return text;
}

static bool
is_taken(const char *text)
{
	return release_ticket_read(text, &here, &ticket, &err) &&
	    release_ticket_is_for(&ticket, keys.name, manifest, &err);
}

static void
refused(const char *text, const char *words)
{
	assert_false(is_taken(text));
	if (strstr(err.text, words) == NULL)
		fail_msg("%s is not in: %s", words, err.text);
}

TEST_WITH(a_ticket_of_either_key_is_taken_again_and_again, set_up, NULL)
{
	for (size_t i = 0; i < 4; i++) {
		assert_true(is_taken(made(i % 2, &expected)));
		assert_int_equal(ticket.run, 12);
		assert_string_equal(ticket.environment, "shop/staging");
		assert_string_equal(ticket.program, "rollback");
		assert_string_equal(ticket.agents, expected.agents);
	}
}

TEST_WITH(a_ticket_of_another_key_is_refused, set_up, NULL)
{
	refused(made(2, &expected), "no order key");
	keys.count = 1;
	refused(made(1, &expected), "no order key");
}

TEST_WITH(a_ticket_ends, set_up, NULL)
{
	here.now_s = NOW + 59;
	assert_true(is_taken(made(0, &expected)));
	here.now_s = NOW + 60;
	refused(made(0, &expected), "ended 0 s ago");
	here.now_s = NOW + 100;
	refused(made(0, &expected), "ended 40 s ago, by the clock of this host");
}

TEST_WITH(a_ticket_of_a_lower_epoch_is_refused, set_up, NULL)
{
	here.lowest = 3;
	refused(made(0, &expected), "epoch 3 has begun");
}

TEST_WITH(a_ticket_is_for_agents_as_their_units_are, set_up, NULL)
{
	manifest = OTHER;
	refused(made(0, &expected), "not for acme, or the units");
	manifest = MANIFEST;
	(void)text_copy(keys.name, sizeof(keys.name), "me");
	refused(made(0, &expected), "not for me");
	(void)text_copy(keys.name, sizeof(keys.name), "aa");
	refused(made(0, &expected), "not for aa");
	manifest = OTHER;
	assert_true(is_taken(made(0, &expected)));
}

/* What stands in it is what was signed. */
TEST_WITH(a_field_that_was_changed_is_refused, set_up, NULL)
{
	char text[RELEASE_TICKET_MAX], one[RELEASE_TICKET_MAX];
	const char *good = made(0, &expected), *signature = strrchr(good, ' ');
	static const char *const fields[] = { "13 2 shop/staging rollback 1767225660 aa=" OTHER
					      ",acme=" MANIFEST,
		"12 3 shop/staging rollback 1767225660 aa=" OTHER ",acme=" MANIFEST,
		"12 2 shop/staging deploy 1767225660 aa=" OTHER ",acme=" MANIFEST,
		"12 2 shop/live rollback 1767225660 aa=" OTHER ",acme=" MANIFEST,
		"12 2 shop/staging rollback 1767225661 aa=" OTHER ",acme=" MANIFEST,
		("12 2 shop/staging rollback 1767225660 acme=" MANIFEST) };

	(void)snprintf(one, sizeof(one),
	    "12 2 shop/staging rollback 1767225660 aa=" OTHER ",acme=" MANIFEST "%s", signature);
	assert_string_equal(one, good);
	for (size_t i = 0; i < COUNT(fields); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", fields[i], signature);
		refused(text, "no order key");
	}
}

/* An order is none, though the same key has signed it. */
TEST_WITH(an_order_is_no_ticket, set_up, NULL)
{
	char list[FINGERPRINT_DIGEST];
	const struct order_bytes order = { .kind = "run",
		.agent = "shop/staging",
		.capability = "rollback",
		.run = 12,
		.epoch = 2,
		.manifest = fingerprint_digest("acme=" MANIFEST, list),
		.challenge = "1767225660" };
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	char hex[2 * sizeof(signature) + 1], text[RELEASE_TICKET_MAX];
	size_t size = order_bytes_write(&order, bytes);

	assert_true(crypto_ed25519_sign(seeds[0], bytes, size, signature, NULL));
	text_hex(hex, signature, sizeof(signature));
	(void)snprintf(
	    text, sizeof(text), "12 2 shop/staging rollback 1767225660 acme=" MANIFEST " %s", hex);
	refused(text, "no order key");
}

TEST_WITH(what_is_no_ticket_is_refused, set_up, NULL)
{
	char text[RELEASE_TICKET_MAX + 2];
	static const char *const none[] = {
		"", "12", "12 2 staging drain 1767225660 acme=" MANIFEST,
		"0 2 staging drain 1767225660 acme=" MANIFEST " 00",
		"x 2 staging drain 1767225660 a=b 00", "12 -1 staging drain 1767225660 a=b 00",
		"12 2 staging drain soon a=b 00", "12 2 staging a-program 1767225660 a=b 00",
		"12 2 staging drain 1767225660 a=b 00 more",
		"12  2 staging drain 1767225660 a=b 00",
		"12 2 a-name-that-is-longer-than-that-of-any-environment-can-be/x drain 1767225660 a=b 00"
	};

	for (size_t i = 0; i < COUNT(none); i++)
		refused(none[i], "is no ticket");
	refused("12 2 staging drain 1767225660 acme=" MANIFEST " 00", "no order key");
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "is no ticket");
}
