/* Goal: RS256 proves what its key signed, and keys that prove little are refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_rsa.h"

#include <string.h>

#include "jwt_aid.h"
#include "lib/err.h"
#include "unit.h"

TEST(what_was_signed_is_proven_and_nothing_near_it)
{
	struct crypto_rsa *pair = crypto_rsa_new_private(jwt_aid_key, strlen(jwt_aid_key), NULL);
	struct crypto_rsa *key = jwt_aid_public();
	uint8_t signature[CRYPTO_RSA_BYTES];
	size_t size;

	size = crypto_rsa_sign(pair, "so", 2, signature, NULL);
	assert_int_equal(size, 256);
	assert_int_equal(crypto_rsa_verify(key, "so", 2, signature, size), CRYPTO_PROVEN);
	assert_int_equal(crypto_rsa_verify(pair, "so", 2, signature, size), CRYPTO_PROVEN);
	assert_int_equal(crypto_rsa_verify(key, "So", 2, signature, size), CRYPTO_REFUSED);
	assert_int_equal(crypto_rsa_verify(key, "so", 1, signature, size), CRYPTO_REFUSED);
	assert_int_equal(crypto_rsa_verify(key, "so", 2, signature, size - 1), CRYPTO_REFUSED);
	assert_int_equal(crypto_rsa_verify(key, "so", 2, signature, size + 1), CRYPTO_REFUSED);
	assert_int_equal(crypto_rsa_verify(key, "so", 2, signature, 0), CRYPTO_REFUSED);
	signature[255] ^= 1;
	assert_int_equal(crypto_rsa_verify(key, "so", 2, signature, size), CRYPTO_REFUSED);
	crypto_rsa_free(pair);
	crypto_rsa_free(key);
}

/* A modulus of so many bytes whose first and last are these. */
static bool
is_taken(size_t size, uint8_t first, uint8_t last, const char *exponent, size_t exponent_size)
{
	uint8_t modulus[CRYPTO_RSA_BYTES + 1];
	struct crypto_rsa *key;
	struct err err = { 0 };

	memset(modulus, 0x5a, sizeof(modulus));
	modulus[0] = first;
	modulus[size == 0 ? 0 : size - 1] = last;
	key = crypto_rsa_new_public(modulus, size, exponent, exponent_size, &err);
	assert_true(key != NULL || err.code == ERR_INVALID);
	crypto_rsa_free(key);
	return key != NULL;
}

TEST(a_key_that_proves_little_is_refused)
{
	assert_true(is_taken(256, 0x80, 1, "\1\0\1", 3));
	assert_true(is_taken(256, 0x80, 1, "\3", 1));
	assert_true(is_taken(256, 0x80, 1, "\xff\xff\xff\xff", 4));
	assert_true(is_taken(1024, 0xff, 0xff, "\1\0\1", 3));
	assert_false(is_taken(256, 0x7f, 1, "\1\0\1", 3)); /* 2047 bits */
	assert_false(is_taken(255, 0xff, 1, "\1\0\1", 3));
	assert_false(is_taken(1025, 1, 1, "\1\0\1", 3));
	assert_false(is_taken(0, 0xff, 1, "\1\0\1", 3));
	assert_false(is_taken(257, 0, 1, "\1\0\1", 3));
	assert_false(is_taken(256, 0x80, 2, "\1\0\1", 3));
	assert_false(is_taken(256, 0x80, 1, "\1", 1));
	assert_false(is_taken(256, 0x80, 1, "\2", 1));
	assert_false(is_taken(256, 0x80, 1, "\1\0\2", 3));
	assert_false(is_taken(256, 0x80, 1, "\0\1\0\1", 4));
	assert_false(is_taken(256, 0x80, 1, "\1\0\0\0\1", 5));
	assert_false(is_taken(256, 0x80, 1, "", 0));
}

TEST(a_private_key_is_one_in_pem_without_a_passphrase)
{
	static const char *const texts[] = { "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n",
		/* A key of an elliptic curve, P-256. */
		"-----BEGIN PRIVATE KEY-----\n"
		"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbsKpYebyiEUBcuPO\n"
		"xRAQ22s8Um8zXxTzTm4Yg+oRFU2hRANCAASQV8fX3O8top4t+l5D8LuYMaiAs7s2\n"
		"IlcrTQXt/dCpLDL86lQkJzGgE+6d2vUKefRDEl96Qb9T38EdNNiV2x7E\n"
		"-----END PRIVATE KEY-----\n" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct err err;

		assert_null(crypto_rsa_new_private(texts[i], strlen(texts[i]), &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	/* A public half signs nothing. */
	{
		struct crypto_rsa *key = jwt_aid_public();
		uint8_t out[CRYPTO_RSA_BYTES];

		assert_int_equal(crypto_rsa_sign(key, "so", 2, out, NULL), 0);
		crypto_rsa_free(key);
	}
}
