/* Goal: SHA-256 is that of the standard, whatever the length.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/sha256.h"

#include "lib/crypto.h"
#include "lib/text.h"
#include "unit.h"

TEST(the_standards_examples_have_their_digests)
{
	static const char *const examples[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		sha256(examples[i][0], strlen(examples[i][0]), digest);
		text_hex(hex, digest, sizeof(digest));
		assert_string_equal(hex, examples[i][1]);
	}
}

/* Where a block ends, and where the length no longer fits behind the last bytes. */
TEST(each_length_has_the_digest_that_openssl_makes)
{
	uint8_t ours[SHA256_SIZE], theirs[CRYPTO_SHA256_SIZE];
	char text[300];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 37);
	for (size_t size = 0; size <= sizeof(text); size++) {
		sha256(text, size, ours);
		assert_true(crypto_sha256(text, size, theirs, NULL));
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

TEST(pieces_have_the_digest_of_the_whole)
{
	uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];
	struct sha256 sum;
	char text[300];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 37);
	sha256(text, sizeof(text), whole);
	for (size_t size = 1; size <= sizeof(text); size++) {
		sha256_init(&sum);
		for (size_t at = 0; at < sizeof(text); at += size)
			sha256_add(
			    &sum, text + at, at + size <= sizeof(text) ? size : sizeof(text) - at);
		sha256_end(&sum, pieces);
		assert_memory_equal(pieces, whole, sizeof(whole));
	}
}
