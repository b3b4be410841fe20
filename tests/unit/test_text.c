/* Goal: text is measured, cut and converted as its RFCs say.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/text.h"

#include "lib/err.h"
#include "lib/clean.h"
#include "unit.h"

TEST(only_strict_utf8_is_utf8)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool good;
	} cases[] = {
		{ "", 0, true },
		{ "caf\xC3\xA9", 5, true },
		{ "\xF0\x9F\x9A\x80", 4, true },
		{ "\xC0\x80", 2, false },	  /* overlong */
		{ "\xE0\x80\x80", 3, false },	  /* overlong */
		{ "\xF0\x80\x80\x80", 4, false }, /* overlong */
		{ "\xED\xA0\x80", 3, false },	  /* surrogate */
		{ "\xF4\x90\x80\x80", 4, false }, /* above U+10FFFF */
		{ "\xE2\x82", 2, false },	  /* cut */
		{ "\x80", 1, false },
		{ "\xFF", 1, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(clean_is_utf8(cases[i].bytes, cases[i].size), cases[i].good);
}

TEST(every_code_point_survives_encode_and_decode)
{
	uint32_t back;
	char out[4];

	for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x900 ? 1 : 251) {
		size_t size = text_encode(code, out);
		bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;

		assert_int_equal(text_decode(out, size, &back), size);
		assert_int_equal(back, is_surrogate ? 0xFFFD : code);
	}
}

TEST(a_cut_at_utf16_units_never_breaks_a_character)
{
	const char *text = "a\xC3\xA9\xF0\x9F\x9A\x80z"; /* 1 + 1 + 2 + 1 units */

	assert_int_equal(text_utf16_length(text, strlen(text)), 5);
	assert_int_equal(text_utf16_cut(text, strlen(text), 3), 3);
	assert_int_equal(text_utf16_cut(text, strlen(text), 4), 7);
	assert_int_equal(text_utf16_cut(text, strlen(text), 99), 8);
	assert_int_equal(text_utf16_length("\xFF\xFE", 2), 2);
	assert_int_equal(text_cut(text, strlen(text), 2), 1);
	assert_int_equal(text_cut(text, strlen(text), 3), 3);
	assert_int_equal(text_cut(text, strlen(text), 6), 3);
	assert_int_equal(text_cut(text, strlen(text), 8), 8);
}

TEST(a_copy_that_does_not_fit_says_so)
{
	char out[4];

	assert_true(text_copy(out, sizeof(out), "abc"));
	assert_false(text_copy(out, sizeof(out), "ab\xC3\xA9"));
	assert_string_equal(out, "ab");
}

TEST(hex_goes_both_ways_and_nothing_else_is_hex)
{
	unsigned char bytes[3] = { 0x00, 0xAB, 0xFF }, back[3];
	char hex[7];

	text_hex(hex, bytes, 3);
	assert_string_equal(hex, "00abff");
	assert_true(text_unhex(back, 3, "00ABff", 6));
	assert_memory_equal(back, bytes, 3);
	assert_false(text_unhex(back, 3, "00abf", 5));
	assert_false(text_unhex(back, 3, "00abfg", 6));
	assert_true(text_is_hex("deadbeef", 7, 64));
	assert_false(text_is_hex("dead", 7, 64));
	assert_false(text_is_hex("deadbeeg", 7, 64));
}

TEST(numbers_are_strict_and_bounded)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "01", "-0", "1x", "0x1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999" };
	struct err err;
	int64_t value = 7;

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_to_i64(bad[i], INT64_MIN, INT64_MAX, &value, &err));
	assert_int_equal(value, 7);
	assert_true(text_to_i64("9223372036854775807", INT64_MIN, INT64_MAX, &value, &err));
	assert_true(value == INT64_MAX);
	assert_true(text_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value, &err));
	assert_true(value == INT64_MIN);
	assert_false(text_to_i64("11", 1, 10, &value, &err));
	assert_string_equal(err.text, "11 is not between 1 and 10");
	assert_true(text_to_size("2G", INT64_MAX, &value, &err));
	assert_true(value == INT64_C(2147483648));
	assert_true(text_to_size("10 ", 1, &value, NULL) == false);
	assert_false(text_to_size("9999999999G", INT64_MAX, &value, &err));
	assert_true(text_to_size("64KiB", INT64_MAX, &value, &err));
	assert_int_equal(value, 65536);
}

TEST(times_are_written_as_rfc_3339_says)
{
	char out[TEXT_TIME_SIZE];

	assert_string_equal(text_time(out, 1795158648123), "2026-11-20T07:10:48Z");
	assert_string_equal(text_time_ms(out, 1795158648123), "2026-11-20T07:10:48.123Z");
	assert_string_equal(text_time_ms(out, -1), "1969-12-31T23:59:59.999Z");
	assert_string_equal(text_time(out, INT64_MAX), "9999-12-31T23:59:59Z");
	assert_string_equal(text_time(out, 1709164800000), "2024-02-29T00:00:00Z");
}

TEST(durations_read_as_people_say_them)
{
	static const struct {
		int64_t ms;
		const char *duration, *age;
	} cases[] = {
		{ -5, "0.0 s", "0 s" },
		{ 412, "0.4 s", "0 s" },
		{ 9999, "9 s", "9 s" },
		{ 80000, "1 min 20 s", "1 min" },
		{ 3600000, "1 h", "1 h" },
		{ 3 * 3600000 + 5 * 60000, "3 h 5 min", "3 h" },
		{ 52 * 3600000, "2 d 4 h", "2 d" },
	};
	char out[TEXT_DURATION_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(text_duration(out, cases[i].ms), cases[i].duration);
		assert_string_equal(text_age(out, cases[i].ms), cases[i].age);
	}
	assert_string_equal(text_bytes(out, 812), "812 B");
	assert_string_equal(text_bytes(out, 1449000), "1.4 MB");
	assert_string_equal(text_bytes(out, UINT64_MAX), "18.4 EB");
}

TEST(the_nearest_name_is_found_and_a_far_one_is_not)
{
	static const char *const names[] = { "staging", "production", "LOG_LEVEL" };

	assert_int_equal(text_distance("abcd", "acbd"), 1);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_string_equal(text_nearest("stagign", names, 3), "staging");
	assert_string_equal(text_nearest("prodution", names, 3), "production");
	assert_string_equal(text_nearest("log_levle", names, 3), "LOG_LEVEL");
	assert_null(text_nearest("banana", names, 3));
}
