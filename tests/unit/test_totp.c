/* Goal: codes are those of RFC 6238, each of one step, and a recovery code is read as it is typed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/totp.h"

#include "unit.h"

#include <inttypes.h>

static const uint8_t secret[TOTP_SECRET + 1] = "12345678901234567890";

/* Appendix B, of whose eight digits these are the last six. */
static const struct {
	int64_t at;
	const char *code;
} vectors[] = {
	{ 59, "287082" },
	{ 1111111109, "081804" },
	{ 1111111111, "050471" },
	{ 1234567890, "005924" },
	{ 2000000000, "279037" },
	{ INT64_C(20000000000), "353130" },
};

TEST(codes_are_those_of_the_rfc)
{
	for (size_t i = 0; i < COUNT(vectors); i++)
		assert_int_equal(
		    totp_match(secret, vectors[i].at, vectors[i].code), vectors[i].at / 30);
}

TEST(a_code_is_of_its_step_wherever_in_the_three_it_stands)
{
	const int64_t step = 1234567890 / 30;

	assert_int_equal(totp_match(secret, (step - 1) * 30, "005924"), step);
	assert_int_equal(totp_match(secret, step * 30, "005924"), step);
	assert_int_equal(totp_match(secret, (step + 1) * 30 + 29, "005924"), step);
	assert_int_equal(totp_match(secret, (step + 2) * 30, "005924"), -1);
	assert_int_equal(totp_match(secret, (step - 2) * 30 + 29, "005924"), -1);
}

TEST(what_is_not_six_digits_is_no_code)
{
	static const char *const wrong[] = { "", "00592", "0059240", "89005924", "00592a",
		" 005924", "005924 ",
		("\xef\xbc\x90"
		 "05924"),
		"-05924" };

	assert_true(totp_is_code("005924"));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_false(totp_is_code(wrong[i]));
		assert_int_equal(totp_match(secret, 1234567890, wrong[i]), -1);
	}
	assert_int_equal(totp_match(secret, 1234567890, "005925"), -1);
	assert_int_equal(totp_match(secret, 0, "755224"), -1);
	assert_int_equal(totp_match(secret, INT64_MIN, "755224"), -1);
}

TEST(the_address_names_who_and_where)
{
	char uri[TOTP_URI];

	totp_uri(secret, "deploybot (shop)", "@ada", uri);
	assert_string_equal(uri,
	    "otpauth://totp/deploybot%20%28shop%29:%40ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=deploybot%20%28shop%29");
	totp_uri(secret,
	    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
	    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
	    "&?#:/%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%", uri);
	assert_true(strlen(uri) < TOTP_URI - 64);
	assert_null(strstr(uri, "&?"));
}

TEST(a_recovery_code_is_read_as_it_is_typed)
{
	static const uint8_t code[TOTP_RECOVERY] = { 0, 1, 2, 3, 250, 251, 252, 253, 254, 255 };
	static const char *const good[] = { "AAAQEA727P6P37X7", "aaaqea727p6p37x7",
		"AAAQ EA72 7P6P 37X7",
		"aaaq\xe2\x80\x93"
		"ea72\xe2\x80\x94"
		"7p6p\xc2\xa0"
		"37x7",
		" AAAQ-EA72-7P6P-37X7 " };
	static const char *const wrong[] = { "", "AAAQ-EA72-5P6P-37P", "AAAQ-EA72-5P6P-37P77",
		"0AAQ-EA72-5P6P-37P7", "AAAQ-EA72-5P6P-37P=", "AAAQ_EA72_5P6P_37P7", "\xff",
		("\xce\x91"
		 "AAQ-EA72-5P6P-37P7") };
	char text[TOTP_RECOVERY_TEXT];
	uint8_t out[TOTP_RECOVERY];

	totp_recovery_text(code, text);
	assert_string_equal(text, "AAAQ-EA72-7P6P-37X7");
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(totp_recovery_parse(good[i], out));
		assert_memory_equal(out, code, sizeof(out));
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(totp_recovery_parse(wrong[i], out));
}
