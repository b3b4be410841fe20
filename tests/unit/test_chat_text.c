/* Goal: a terminal shows marked text without its marks, and commands as they are typed there.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "types/message.h"

static void
a_command_in_code_marks_is_what_a_shell_takes(void **state)
{
	static const struct {
		const char *marked;
		const char *shown;
	} rows[] = {
		{ MARK_CODE "/unlock staging" MARK_CODE " ends it",
		    "deploybot unlock staging ends it" },
		{ MARK_CODE "/queue" MARK_CODE, "deploybot queue" },
		{ MARK_BOLD "staging" MARK_BOLD " " MARK_CODE "3f2a9c1" MARK_CODE,
		    "staging 3f2a9c1" },
		{ MARK_CODE "/srv/app" MARK_CODE, "/srv/app" },
		{ MARK_CODE "/" MARK_CODE, "/" },
		{ MARK_CODE "a" MARK_CODE "/b " MARK_CODE "c", "a/b c" },
		{ "a /deploy that somebody wrote", "a /deploy that somebody wrote" },
		{ MARK_PRE "/deploy in a log" MARK_PRE, "/deploy in a log" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 256);
		chat_text_plain(rows[i].marked, &out);
		assert_string_equal(buf_text(&out), rows[i].shown);
		buf_done(&out);
	}
}

/* A subject ended early, and what it said behind that read as ours. */
static void
nothing_in_a_subject_reads_as_its_end(void **state)
{
	static const char *const quotes[] = { "\"", "“", "”", "„", "‟", "″", "ʺ", "＂", "❝", "❞",
		"«", "»", "‶", "〝", "〞", "〟" };

	(void)state;
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;
		char subject[64];

		(void)snprintf(subject, sizeof(subject), "é%s 1a2b3c4 by @ada", quotes[i]);
		chat_text_subject(&text, ": ", subject);
		assert_string_equal(buf_text(&text.buf), ": \"é' 1a2b3c4 by (at)ada\"");
		buf_done(&text.buf);
		/* Its last letter, where it is cut. */
		chat_text_quoted(&text, "", subject, 2);
		assert_string_equal(buf_text(&text.buf), "\"é'…\"");
		buf_done(&text.buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_in_code_marks_is_what_a_shell_takes),
		cmocka_unit_test(nothing_in_a_subject_reads_as_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
