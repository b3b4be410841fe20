/* Goal: a next key is asked for by who has the key of before, for that key and name alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_renewal.h"

#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

#define ACME "agent/acme"

struct world {
	struct crypto_ca_pair old, next, other;
	char text[CRYPTO_RENEWAL_TEXT];
	struct crypto_renewal renewal;
};

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	*state = w;
	assert_true(crypto_ca_make_request(&w->old, &err));
	assert_true(crypto_ca_make_request(&w->next, &err));
	assert_true(crypto_ca_make_request(&w->other, &err));
	assert_true(crypto_renewal_make(w->old.key, ACME, w->next.text, w->text, &err));
	return 0;
}

static int
end(void **state)
{
	free(*state);
	return 0;
}

#define RENEWAL_TEST(name) TEST_OF(name, struct world *w, begin, end)

static void
refused(struct world *w, const char *text, const char *identity, const char *why)
{
	struct err err;

	assert_false(crypto_renewal_read(text, identity, &w->renewal, &err));
	if (strstr(err.text, why) == NULL)
		fail_msg("%s", err.text);
}

RENEWAL_TEST(what_is_asked_for_is_read_with_both_keys)
{
	char old[CRYPTO_SHA256_HEX], next[CRYPTO_SHA256_HEX];
	struct err err;

	assert_true(crypto_renewal_read(w->text, ACME, &w->renewal, &err));
	assert_true(crypto_ca_check_request(w->old.text, old, &err));
	assert_true(crypto_ca_check_request(w->next.text, next, &err));
	assert_string_equal(w->renewal.key, old);
	assert_string_equal(w->renewal.next, next);
	assert_string_equal(w->renewal.request, w->next.text);
	assert_true(text_is_plain(w->text));
}

RENEWAL_TEST(another_name_or_next_key_or_key_of_before_is_refused)
{
	char other[CRYPTO_RENEWAL_TEXT], mixed[CRYPTO_RENEWAL_TEXT];
	const char *request = strstr(w->text, "-----BEGIN");
	struct err err;

	refused(w, w->text, "agent/web", "not signed");
	assert_true(crypto_renewal_make(w->other.key, ACME, w->other.text, other, &err));
	(void)snprintf(mixed, sizeof(mixed), "%.*s%s", (int)(request - w->text), w->text,
	    strstr(other, "-----BEGIN"));
	refused(w, mixed, ACME, "not signed");
	(void)snprintf(
	    mixed, sizeof(mixed), "%.*s%s", (int)strcspn(other, " "), other, strchr(w->text, ' '));
	refused(w, mixed, ACME, "not signed");
}

RENEWAL_TEST(what_is_none_is_refused)
{
	static const char *const texts[] = { "", " ", "  ", "a", "YQ== YQ== x", "YQ==", "\n" };
	char text[CRYPTO_RENEWAL_TEXT];
	const char *request = strstr(w->text, "-----BEGIN");

	for (size_t i = 0; i < COUNT(texts); i++)
		refused(w, texts[i], ACME, "no key, signature and request");
	(void)snprintf(text, sizeof(text), "%.*sx", (int)(request - w->text), w->text);
	refused(w, text, ACME, "no request");
	(void)text_copy(text, sizeof(text), w->text);
	text[strlen(text) - 40] ^= 1; /* in the request's own signature */
	refused(w, text, ACME, "");
	(void)text_copy(text, sizeof(text), w->text);
	text[0] ^= 1;
	refused(w, text, ACME, "not signed");
}

RENEWAL_TEST(a_certificate_of_the_longest_name_is_one_line)
{
	struct crypto_ca_pair ca;
	char identity[CRYPTO_CA_IDENTITY] = "agent/", certificate[CRYPTO_CA_PEM],
	     line[CRYPTO_CA_PEM];
	struct crypto_ca_order order = { .identity = identity, .until = 1000 };
	struct err err;

	memset(identity + strlen(identity), 'a', CRYPTO_CA_NAME_MAX);
	assert_true(crypto_ca_make(0, 1000, &ca, &err));
	order.key = ca.key;
	order.certificate = ca.text;
	assert_true(crypto_ca_sign(&order, w->next.text, certificate, &err));
	memcpy(line, certificate, sizeof(line));
	crypto_renewal_fold(line);
	assert_true(text_is_plain(line));
	assert_true(strlen(line) + 1 < CRYPTO_RENEWAL_TEXT);
	crypto_renewal_unfold(line);
	assert_string_equal(line, certificate);
}
