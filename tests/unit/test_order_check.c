/* Goal: an order is taken once, in time, from who may order, for us and what it says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_check.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/text.h"
#include "runner/protocol.h"
#include "unit.h"

#define MANIFEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const uint8_t seeds[3][CRYPTO_ED25519_KEY] = { { 1 }, { 2 }, { 3 } };
static struct order_keys settings;
static struct order_challenge challenge;
static struct err err;

static const struct order_bytes expected = {
	.capability = "disk-free", .run = 12, .epoch = 2, .manifest = MANIFEST
};

/* Signed by that key for a new challenge, of this kind; `change` is what is signed. */
static struct protocol_message
sign(size_t key, enum protocol_kind kind, const struct order_bytes *change)
{
	struct protocol_message order = { .kind = kind };
	struct order_bytes fields = *change;
	uint8_t bytes[ORDER_BYTES_MAX], signature[CRYPTO_ED25519_SIGNATURE];
	size_t size;

	assert_true(order_challenge_draw(&challenge, NULL));
	if (fields.kind == NULL)
		fields.kind = protocol_kind_name(kind);
	if (fields.agent == NULL)
		fields.agent = "acme";
	if (fields.challenge == NULL)
		fields.challenge = challenge.hex;
	size = order_bytes_write(&fields, bytes);
	assert_true(crypto_ed25519_sign(seeds[key], bytes, size, signature, NULL));
	memcpy(order.proof.challenge, challenge.hex, sizeof(challenge.hex));
	text_hex(order.proof.signature, signature, sizeof(signature));
	order.proof.epoch = fields.epoch;
	return order;
}

static bool
is_taken(const struct protocol_message *order)
{
	struct order_shown shown = {
		.bytes = expected, .signature = order->proof.signature, .lowest = expected.epoch
	};
	bool taken;

	shown.bytes.kind = protocol_kind_name(order->kind);
	shown.bytes.epoch = order->proof.epoch;
	shown.bytes.challenge = order->proof.challenge;
	taken = order_check(&challenge, &shown, &settings, &err);

	assert_string_equal(challenge.hex, ""); /* used, whatever the answer */
	return taken;
}

static int
set_up(UNUSED void **state)
{
	settings = (struct order_keys){ .name = "acme", .count = 2 };
	for (size_t i = 0; i < settings.count; i++)
		assert_true(crypto_ed25519_public(seeds[i], settings.all[i], NULL));
	return 0;
}

TEST_WITH(an_order_of_either_key_is_taken_once, set_up, NULL)
{
	for (size_t key = 0; key < 2; key++) {
		struct protocol_message order = sign(key, PROTOCOL_RUN, &expected);

		assert_true(is_taken(&order));
		assert_false(is_taken(&order));
		order = sign(key, PROTOCOL_GO, &expected);
		assert_true(is_taken(&order));
	}
}

TEST_WITH(an_order_of_a_key_that_is_not_known_is_refused, set_up, NULL)
{
	struct protocol_message order = sign(2, PROTOCOL_RUN, &expected);

	assert_false(is_taken(&order));
	settings.count = 1;
	order = sign(1, PROTOCOL_RUN, &expected);
	assert_false(is_taken(&order));
}

TEST_WITH(an_order_that_is_held_back_is_refused, set_up, NULL)
{
	struct protocol_message order = sign(0, PROTOCOL_RUN, &expected);
	int64_t left = challenge.due - clock_monotonic_ms();

	assert_true(left > 0 && left <= ORDER_WAIT_MS);
	challenge.due = clock_monotonic_ms();
	assert_false(is_taken(&order));
	assert_non_null(strstr(err.text, "30 s"));
}

TEST_WITH(an_order_answers_the_newest_challenge_alone, set_up, NULL)
{
	struct protocol_message order = sign(0, PROTOCOL_RUN, &expected);
	struct order_challenge older = challenge;

	assert_true(order_challenge_draw(&challenge, NULL));
	assert_string_not_equal(older.hex, challenge.hex);
	assert_false(is_taken(&order));
	assert_non_null(strstr(err.text, "no challenge that is valid"));
	order.proof.challenge[0] = '\0';
	assert_false(is_taken(&order)); /* "" is no challenge that is valid */
}

TEST_WITH(an_order_of_a_lower_epoch_is_refused, set_up, NULL)
{
	struct order_bytes fields = expected;
	struct protocol_message order;

	fields.epoch = 1;
	order = sign(0, PROTOCOL_RUN, &fields);
	assert_false(is_taken(&order));
	fields.epoch = 3;
	order = sign(0, PROTOCOL_RUN, &fields);
	assert_true(is_taken(&order));
}

TEST_WITH(an_order_of_which_anything_else_was_signed_is_refused, set_up, NULL)
{
	struct order_bytes others[] = { expected, expected, expected, expected, expected,
		expected };
	struct protocol_message order;

	others[0].agent = "acme2";
	others[1].capability = "restart-web";
	others[2].run = 13;
	others[3].manifest = "0" MANIFEST;
	others[4].challenge = "0123456789abcdef0123456789abcdef";
	others[5].kind = "go";
	for (size_t i = 0; i < COUNT(others); i++) {
		order = sign(0, PROTOCOL_RUN, &others[i]);
		assert_false(is_taken(&order));
	}
	order = sign(0, PROTOCOL_RUN, &expected);
	order.proof.epoch = 3; /* not signed so */
	assert_false(is_taken(&order));
	order = sign(0, PROTOCOL_RUN, &expected);
	order.proof.signature[0] = '\0';
	assert_false(is_taken(&order));
	order = sign(0, PROTOCOL_RUN, &expected);
	order.kind = PROTOCOL_GO;
	assert_false(is_taken(&order));
}
