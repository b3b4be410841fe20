/* Goal: a code's letters are no look-alikes; its id and its MACs say nothing of each other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/enrol_code.h"

#include "unit.h"

TEST(a_code_has_four_groups_of_letters_that_cannot_be_mixed_up)
{
	uint8_t drawn[ENROL_CODE_DRAWN];
	char text[ENROL_CODE];

	for (size_t i = 0; i < sizeof(drawn); i++)
		drawn[i] = (uint8_t)i;
	enrol_code_text(drawn, text);
	assert_string_equal(text, "01234-56789-abcde-fghjk");
	for (size_t i = 0; i < sizeof(drawn); i++)
		drawn[i] = (uint8_t)(236 + i); /* 12 … 31 of 32 */
	enrol_code_text(drawn, text);
	assert_string_equal(text, "cdefg-hjkmn-pqrst-vwxyz");
}

/* As `printf 'id\\0' | openssl dgst -sha256 -hmac CODE` has it. */
TEST(the_id_and_each_side_are_apart)
{
	static const char code[] = "01234-56789-abcde-fghjk";
	struct enrol_proof proof;
	char ask[CRYPTO_SHA256_HEX], yes[CRYPTO_SHA256_HEX];

	assert_true(enrol_code_proof(code, &proof, NULL));
	assert_string_equal(proof.id,
	    "d23afd544e182a61c6e15978e42ab931"
	    "eff266629e51dd6b50931aad80147689");
	assert_string_equal(proof.secret,
	    "f018de98d0f2d128d4c1f9077ae053a4"
	    "3e59b36c31f119b83126ef372a39d84d");
	assert_true(enrol_code_mac(proof.secret, "ask", "text", ask, NULL));
	assert_true(enrol_code_mac(proof.secret, "yes", "text", yes, NULL));
	assert_string_equal(ask,
	    "b1339cba4b41ba26e77ddcbeea80658d"
	    "99319ae90c90515edcc0a5dde229e9c2");
	assert_string_not_equal(ask, yes);
	assert_false(enrol_code_proof("", &proof, NULL));
}
