/* Goal: hashes and MACs are those of the RFCs, and no secret is compared by hand.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto.h"

#include "fail_nth.h"
#include "hmac_of.h"
#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

TEST(sha256_is_that_of_the_standard)
{
	uint8_t out[CRYPTO_SHA256_SIZE], again[CRYPTO_SHA256_SIZE];
	char hex[CRYPTO_SHA256_HEX];
	struct crypto_sha256 *hash;

	assert_true(crypto_sha256("abc", 3, out, NULL));
	text_hex(hex, out, sizeof(out));
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash = crypto_sha256_new(NULL);
	assert_non_null(hash);
	assert_true(crypto_sha256_add(hash, "a", 1, NULL));
	assert_true(crypto_sha256_add(hash, "", 0, NULL));
	assert_true(crypto_sha256_add(hash, "bc", 2, NULL));
	assert_true(crypto_sha256_finish(hash, again, NULL));
	assert_memory_equal(out, again, sizeof(out));
	crypto_sha256_free(hash);
	crypto_sha256_free(NULL);
}

TEST(hmac_is_that_of_rfc_4231_however_it_is_fed)
{
	struct crypto_hmac_key *key = crypto_hmac_key_new("Jefe", 4, NULL);
	uint8_t out[CRYPTO_SHA256_SIZE];
	char hex[CRYPTO_SHA256_HEX];
	struct crypto_hmac *one, *two;

	assert_non_null(key);
	one = crypto_hmac_begin(key, NULL);
	two = crypto_hmac_begin(key, NULL);
	assert_non_null(one);
	assert_non_null(two);
	assert_true(crypto_hmac_add(two, "another", 7, NULL));
	assert_true(crypto_hmac_add(one, "what do ya want ", 16, NULL));
	assert_true(crypto_hmac_add(one, "for nothing?", 12, NULL));
	assert_true(crypto_hmac_finish(one, out, NULL));
	text_hex(hex, out, sizeof(out));
	assert_string_equal(
	    hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	crypto_hmac_drop(one);
	crypto_hmac_drop(two);
	assert_true(hmac_of(key, "what do ya want for nothing?", 28, out, NULL));
	text_hex(hex, out, sizeof(out));
	assert_string_equal(
	    hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	crypto_hmac_key_free(key);
}

TEST(an_empty_key_is_refused)
{
	struct err err;

	assert_null(crypto_hmac_key_new("", 0, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

TEST(comparing_takes_nothing_for_the_secret)
{
	assert_true(crypto_same_text("s3cret", "s3cret"));
	assert_false(crypto_same_text("s3creT", "s3cret"));
	assert_false(crypto_same_text("s3cre", "s3cret"));
	assert_false(crypto_same_text("", ""));
	assert_false(crypto_same_text(NULL, "x"));
	assert_false(crypto_same_text("x", NULL));
	assert_true(crypto_same("ab", "ab", 2));
	assert_false(crypto_same("ab", "ac", 2));
}

TEST(what_cannot_be_hashed_is_said)
{
	CLEANUP(crypto_hmac_key_freep)
	struct crypto_hmac_key *key = crypto_hmac_key_new("s3cret", 6, NULL);
	uint8_t out[CRYPTO_SHA256_SIZE];
	bool is_met = true;
	struct err err;

	fail_nth(FAIL_CRYPTO, 1); /* texts are compared without a hash */
	assert_true(crypto_same_text("s3cret", "s3cret"));
	assert_false(fail_nth_met());
	fail_nth(FAIL_CRYPTO, 1);
	assert_false(crypto_sha256("x", 1, out, &err));
	assert_true(fail_nth_met());
	for (unsigned n = 1; is_met; n++) {
		bool ok;

		fail_nth(FAIL_CRYPTO, n);
		ok = hmac_of(key, "body", 4, out, &err);
		is_met = fail_nth_met();
		assert_int_equal(ok, !is_met);
		if (is_met)
			assert_int_not_equal(err.code, ERR_NONE);
	}
}

TEST(random_bytes_differ_and_wiped_ones_are_gone)
{
	static const uint8_t zero[32];
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	assert_true(crypto_random(a, sizeof(a), NULL));
	assert_true(crypto_random(b, sizeof(b), NULL));
	assert_memory_not_equal(a, b, sizeof(a));
	crypto_wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
	crypto_wipe(NULL, 0);
}

int
main(void)
{
	return crypto_start(NULL) ? unit_run(NULL) : 1;
}
