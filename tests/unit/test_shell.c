/* Goal: whatever a text has, a shell reads it as that text.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/shell.h"

#include "lib/buf.h"
#include "unit.h"

TEST(a_text_is_one_word_of_a_shell)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "$(a) `b` \"c\" \\ ; !d\n*", "'$(a) `b` \"c\" \\ ; !d\n*'" },
		{ "it's", "'it'\\''s'" },
		{ "''", "''\\'''\\'''" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_done) struct buf out = buf_make(64);

		shell_add_word(&out, rows[i].text);
		assert_string_equal(buf_text(&out), rows[i].want);
	}
}
