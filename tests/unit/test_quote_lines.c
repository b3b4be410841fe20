/* Goal: the word that ends a quotation stands in no log, however the output is cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/quote_lines.h"

#include "unit.h"

#define WORD "12345678901234567890123456789012" /* as long as one may be */

struct kept {
	char text[512];
	size_t size;
};

static void
on_kept(void *ctx, const char *data, size_t len)
{
	struct kept *kept = ctx;

	assert_true(kept->size + len < sizeof(kept->text));
	memcpy(kept->text + kept->size, data, len);
	kept->size += len;
}

TEST(lines_of_quotes_are_left_out_and_nothing_else)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {
		{ "", "" },
		{ "a\n==> build\nb", "a\n==> build\nb" },
		{ "==> quote a1\nx\n\n==> unquote a1\n==> push\n", "x\n\n==> push\n" },
		{ "==> quote a1\r\n==> quote " WORD "\r\nx", "x" },
		{ "==> unquote " WORD "\r\n==> unquote " WORD, "" },
		{ "x\n==> quote", "x\n==> quote" },
		{ "==> quote 1", "" },
		{ "==> quote " WORD "3\ny", "==> quote " WORD "3\ny" },
		{ "==> unquote " WORD "\r\r\ny", "==> unquote " WORD "\r\r\ny" },
		{ "==> quote a b\n==> quote \n==> quoted 1\n=\n==\n==>\n\n=x",
		    "==> quote a b\n==> quote \n==> quoted 1\n=\n==\n==>\n\n=x" },
		{ " ==> quote 1\nx==> quote 1\na=b\n==> quote 1\n=",
		    " ==> quote 1\nx==> quote 1\na=b\n=" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].text);

		for (size_t piece = 1; piece <= len; piece++) {
			struct quote_lines lines = { 0 };
			struct kept kept = { 0 };

			for (size_t at = 0; at < len; at += piece)
				quote_lines_feed(&lines, cases[i].text + at,
				    at + piece > len ? len - at : piece, on_kept, &kept);
			quote_lines_end(&lines, on_kept, &kept);
			assert_string_equal(kept.text, cases[i].kept);
		}
	}
}
