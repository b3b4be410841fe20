/* Goal: only the exact form of GitHub's signature is read, and only the right one holds.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_signature.h"

#include <stdint.h>
#include <string.h>

#include "fail_nth.h"
#include "lib/text.h"
#include "unit.h"

/* From GitHub's page "Validating webhook deliveries". */
#define SECRET	  "It's a Secret to Everybody"
#define BODY	  "Hello, World!"
#define SIGNATURE "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define ZEROS_63  "000000000000000000000000000000000000000000000000000000000000000"

static struct crypto_hmac *
mac_of(const char *secret, const char *body, size_t piece)
{
	struct crypto_hmac_key *key = crypto_hmac_key_new(secret, strlen(secret), NULL);
	struct crypto_hmac *mac = crypto_hmac_begin(key, NULL);
	size_t size = strlen(body);

	crypto_hmac_key_free(key);
	for (size_t at = 0; at < size; at += piece)
		assert_true(
		    crypto_hmac_add(mac, body + at, size - at < piece ? size - at : piece, NULL));
	return mac;
}

TEST(githubs_own_example_holds_in_pieces_of_any_size)
{
	uint8_t given[GITHUB_SIGNATURE_SIZE], mac[GITHUB_SIGNATURE_SIZE];
	char hex[2 * GITHUB_SIGNATURE_SIZE + 1];

	assert_true(github_signature_parse(SIGNATURE, given));
	for (size_t piece = 1; piece <= strlen(BODY); piece++) {
		memset(mac, 0, sizeof(mac));
		assert_int_equal(
		    github_signature_check(mac_of(SECRET, BODY, piece), given, mac), CRYPTO_PROVEN);
		text_hex(hex, mac, sizeof(mac));
		assert_string_equal(hex, &SIGNATURE[strlen("sha256=")]);
	}
}

TEST(one_other_byte_or_another_secret_does_not_hold)
{
	uint8_t given[GITHUB_SIGNATURE_SIZE], mac[GITHUB_SIGNATURE_SIZE] = { 7 };

	assert_true(github_signature_parse(SIGNATURE, given));
	assert_int_equal(
	    github_signature_check(mac_of(SECRET, "Hello, World?", 5), given, mac), CRYPTO_REFUSED);
	assert_int_equal(github_signature_check(mac_of("another secret here", BODY, 5), given, mac),
	    CRYPTO_REFUSED);
	assert_int_equal(mac[0], 7);
	for (size_t i = 0; i < sizeof(given); i++) {
		given[i] ^= 1;
		assert_int_equal(
		    github_signature_check(mac_of(SECRET, BODY, 5), given, mac), CRYPTO_REFUSED);
		given[i] ^= 1;
	}
}

TEST(any_other_form_of_the_header_is_none)
{
	static const char *const bad[] = {
		NULL,
		"",
		"sha256=",
		"sha256=" ZEROS_63,
		"sha256=" ZEROS_63 "00",
		"sha256=" ZEROS_63 "g",
		"sha256=" ZEROS_63 "A",
		"sha256=" ZEROS_63 " ",
		" sha256=" ZEROS_63 "0",
		"sha256= " ZEROS_63,
		"SHA256=" ZEROS_63 "0",
		"sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
		"sha1=" ZEROS_63 "0",
		ZEROS_63 "0",
		SIGNATURE "," SIGNATURE,
		SIGNATURE "\n",
	};
	uint8_t given[GITHUB_SIGNATURE_SIZE] = { 7 };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(github_signature_parse(bad[i], given));
	assert_int_equal(given[0], 7);
	assert_true(github_signature_parse("sha256=" ZEROS_63 "0", given));
	assert_int_equal(given[0], 0);
}

/* 503, never 401. */
TEST(a_mac_that_cannot_be_worked_out_proves_nothing_and_refuses_nothing)
{
	uint8_t given[GITHUB_SIGNATURE_SIZE] = { 0 }, mac[GITHUB_SIGNATURE_SIZE] = { 7 };
	struct crypto_hmac *body = mac_of(SECRET, BODY, 5);

	assert_true(github_signature_parse(SIGNATURE, given));
	fail_nth(FAIL_CRYPTO, 1);
	assert_int_equal(github_signature_check(body, given, mac), CRYPTO_UNKNOWN);
	assert_true(fail_nth_met());
	assert_int_equal(mac[0], 7);
}
