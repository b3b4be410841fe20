/* Goal: AES-256-GCM is that of NIST, and what was changed is not opened.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_gcm.h"

#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

#define ZERO_KEY "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY	 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"

/* Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation", which NIST refers to. */
static const struct vector {
	const char *key, *nonce, *with, *plain, *sealed, *tag;
} vectors[] = {
	{ ZERO_KEY, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ ZERO_KEY, "000000000000000000000000", "", "00000000000000000000000000000000",
	    "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
	{ KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

struct read {
	uint8_t key[32], nonce[12], with[64], plain[64], sealed[64], tag[16];
	size_t size;
	struct crypto_gcm gcm;
};

static size_t
bytes(uint8_t *out, const char *hex)
{
	size_t size = strlen(hex) / 2;

	assert_true(text_unhex(out, size, hex, strlen(hex)));
	return size;
}

static void
read_vector(const struct vector *vector, struct read *ret)
{
	(void)bytes(ret->key, vector->key);
	(void)bytes(ret->nonce, vector->nonce);
	(void)bytes(ret->sealed, vector->sealed);
	(void)bytes(ret->tag, vector->tag);
	ret->size = bytes(ret->plain, vector->plain);
	ret->gcm =
	    (struct crypto_gcm){ ret->key, ret->nonce, ret->with, bytes(ret->with, vector->with) };
}

TEST(it_is_that_of_nist)
{
	uint8_t out[64], tag[16];
	struct read v;

	for (size_t i = 0; i < COUNT(vectors); i++) {
		read_vector(&vectors[i], &v);
		assert_true(crypto_gcm_seal(&v.gcm, v.plain, v.size, out, tag, NULL));
		assert_memory_equal(out, v.sealed, v.size);
		assert_memory_equal(tag, v.tag, sizeof(tag));
		assert_true(crypto_gcm_open(&v.gcm, v.sealed, v.size, v.tag, out, NULL));
		assert_memory_equal(out, v.plain, v.size);
	}
}

/* One bit of anything. */
TEST(what_was_changed_is_not_opened_and_nothing_of_it_is_left)
{
	static const uint8_t nothing[64];
	struct read v;

	for (size_t i = 0; i < 5; i++) {
		uint8_t out[64], *of[] = { v.key, v.nonce, v.with, v.sealed, v.tag };
		struct err err;

		read_vector(&vectors[2], &v);
		of[i][3] ^= 0x10;
		assert_false(crypto_gcm_open(&v.gcm, v.sealed, v.size, v.tag, out, &err));
		assert_int_equal(err.code, ERR_DENIED);
		assert_memory_equal(out, nothing, v.size);
	}
	read_vector(&vectors[2], &v);
	v.gcm.with_size = CRYPTO_GCM_MAX + 1;
	assert_false(crypto_gcm_seal(&v.gcm, v.plain, v.size, v.sealed, v.tag, NULL));
}
