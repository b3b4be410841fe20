/* Goal: an Ed25519 signature proves what its key signed, and nothing near it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ed25519.h"

#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

/* RFC 8032, section 7.1: TEST 1 and TEST 3. */
static const struct {
	const char *seed, *key, *message, *signature;
} vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
	    "f9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
	    "4dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

TEST(the_vectors_of_the_rfc_are_signed_and_proven)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		uint8_t seed[32], key[32], message[2], signature[64], made[64];
		size_t size = strlen(vectors[i].message) / 2;

		assert_true(text_unhex(seed, 32, vectors[i].seed, 64));
		assert_true(text_unhex(key, 32, vectors[i].key, 64));
		assert_true(text_unhex(message, size, vectors[i].message, 2 * size));
		assert_true(text_unhex(signature, 64, vectors[i].signature, 128));
		assert_true(crypto_ed25519_public(seed, made, NULL));
		assert_memory_equal(made, key, 32);
		assert_true(crypto_ed25519_sign(seed, message, size, made, NULL));
		assert_memory_equal(made, signature, 64);
		assert_int_equal(
		    crypto_ed25519_verify(key, message, size, signature), CRYPTO_PROVEN);
	}
}

TEST(no_bit_of_key_message_or_signature_may_differ)
{
	uint8_t seed[32] = { 7 }, key[32], signature[64];
	char message[] = "run 12";

	assert_true(crypto_ed25519_public(seed, key, NULL));
	assert_true(crypto_ed25519_sign(seed, message, 6, signature, NULL));
	for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(crypto_ed25519_verify(key, message, 6, signature), CRYPTO_REFUSED);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(crypto_ed25519_verify(key, message, 6, signature), CRYPTO_PROVEN);
	assert_int_equal(crypto_ed25519_verify(key, message, 5, signature), CRYPTO_REFUSED);
	message[5] = '3';
	assert_int_equal(crypto_ed25519_verify(key, message, 6, signature), CRYPTO_REFUSED);
	message[5] = '2';
	key[0] ^= 1;
	assert_int_not_equal(crypto_ed25519_verify(key, message, 6, signature), CRYPTO_PROVEN);
}
