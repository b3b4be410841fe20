/* Goal: nothing from outside can change how the text around it is read.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/clean.h"

#include "lib/text.h"
#include "unit.h"

static const struct {
	const char *text;
	const char *line;
	const char *lines; /* NULL: the same */
} cases[] = {
	{ "plain", "plain", NULL }, { "", "", NULL }, { "a\tb  c", "a b c", NULL },
	{ "  both ends \n", "both ends", NULL },
	{ "one\ntwo\n\nthree\n", "one two three", "one\ntwo\n\nthree" },
	{ "one  \n  two", "one two", "one\ntwo" }, { "cr\r\nlf", "cr lf", "cr\nlf" },
	{ "bold\x01 code\x02 pre\x03 italic\x04 quote\x05", "bold code pre italic quote", NULL },
	{ "\x1b[31mred\x1b[0m", "[31mred[0m", NULL },
	{ "bell\a del\x7f c1\xc2\x9b", "bell del c1", NULL },
	{ "abc\xe2\x80\xae"
	  "def",
	    "abcdef", NULL }, /* right-to-left override */
	{ "a\xe2\x81\xa6"
	  "b\xe2\x81\xa9",
	    "ab", NULL }, /* isolates */
	{ "a\xe2\x80\x8b"
	  "b\xef\xbb\xbf"
	  "c",
	    "abc", NULL }, /* zero width */
	{ "a\xf3\xa0\x81\x81"
	  "b",
	    "ab", NULL }, /* a tag */
	{ "a\xef\xbf\xb8"
	  "\xef\xbf\xb9\xef\xbf\xbb\xef\xbf\xbc",
	    "a\xef\xbf\xb8\xef\xbf\xbc", NULL }, /* annotations, and what stands beside them */
	{ "a\xe2\x80\xa8"
	  "b",
	    "a b", NULL }, /* line separator */
	{ "nbsp\xc2\xa0"
	  "here",
	    "nbsp here", NULL },
	{ "Ada\xe3\x85\xa4\xef\xbe\xa0", "Ada", NULL },			  /* Hangul fillers */
	{ "\xe2\xa0\x80\xe3\x80\x80\xe1\x85\x9f\xe1\x85\xa0", "", NULL }, /* nothing to be seen */
	{ "a\xe2\x80\x89"
	  "b\xe2\x80\xaf"
	  "c",
	    "a b c", NULL }, /* thin spaces */
	{ "a\xd8\x9c\xe1\x9e\xb4\xe1\x9e\xb5\xe1\xa0\x8e"
	  "b",
	    "ab", NULL }, /* a mark of Arabic, vowels of Khmer, a separator of Mongolian */
	{ "A\xc2\xad"
	  "d\xcd\x8f"
	  "a",
	    "Ada", NULL }, /* soft hyphen, grapheme joiner */
	{ "bad \xff\xfe utf \xc3", "bad utf", NULL },
	{ "over\xc0\xaf"
	  "long \xed\xa0\x80surrogate",
	    "overlong surrogate", NULL },
	{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80", NULL },
	{ "<b>&amp;</b>", "<b>&amp;</b>", NULL }, /* who speaks HTML escapes it */
};

TEST(what_is_harmful_is_left_out_and_the_rest_stays)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text = cases[i].text;
		char out[128];

		assert_string_equal(
		    clean_line(out, sizeof(out), text, strlen(text)), cases[i].line);
		assert_string_equal(clean_text(out, sizeof(out), text, strlen(text)),
		    cases[i].lines != NULL ? cases[i].lines : cases[i].line);
	}
}

TEST(a_nul_byte_is_left_out_like_any_control)
{
	char out[32];

	assert_string_equal(clean_line(out, sizeof(out), "a\0b", 3), "ab");
}

TEST(what_does_not_fit_is_cut_between_characters)
{
	char out[9];

	assert_string_equal(clean_line(out, sizeof(out), "12345678", 8), "12345678");
	assert_string_equal(clean_line(out, sizeof(out), "123456789", 9), "12345\xe2\x80\xa6");
	/* 3 bytes each: two of them and an ellipsis would need 10 with the NUL */
	assert_string_equal(clean_line(out, sizeof(out), "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 9),
	    "\xe2\x82\xac\xe2\x80\xa6");
}

/* Whatever bytes come: valid UTF-8 that nothing harmful is in, one line, within its room. */
TEST(of_any_bytes_a_safe_line_is_made)
{
	const char *given = getenv("SEED");
	unsigned x = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;

	print_message("SEED=%u\n", x);
	for (int round = 0; round < 20000; round++) {
		char bytes[48], out[24];
		size_t size, at = 0;

		for (size = 0; size < sizeof(bytes); size++) {
			x = x * 1103515245u + 12345u;
			bytes[size] = (char)(x >> 24 & 1 ? x >> 16 : 0xe2 - (x >> 16 & 0x63));
		}
		(void)clean_line(out, sizeof(out), bytes, size - (x >> 8) % size);
		assert_true(strlen(out) < sizeof(out));
		while (out[at] != '\0') {
			uint32_t code;
			size_t n = text_decode(out + at, strlen(out + at), &code);

			assert_int_not_equal(n, 0);
			assert_false(clean_is_harmful(code));
			at += n;
		}
	}
}
