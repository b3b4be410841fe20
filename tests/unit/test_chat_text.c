/* Goal: a terminal shows marked text without its marks, and commands as they are typed there.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_text.h"

#include "lib/buf.h"
#include "types/message.h"
#include "unit.h"

TEST(a_command_in_code_marks_is_what_a_shell_takes)
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

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 256);
		chat_text_plain(rows[i].marked, &out);
		assert_string_equal(buf_text(&out), rows[i].shown);
		buf_done(&out);
	}
}

/* A subject ended early, and what it said behind that read as ours. */
TEST(nothing_in_a_subject_reads_as_its_end)
{
	static const char *const quotes[] = { "\"", "“", "”", "„", "‟", "″", "ʺ", "＂", "❝", "❞",
		"«", "»", "‶", "〝", "〞", "〟" };

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

/* A merge's subject, where it is cut: how many others it brings is no part of that. */
TEST(how_many_a_merge_brings_stands_behind_the_cut)
{
	static const struct {
		const char *subject, *said;
	} rows[] = {
		{ "Sell apples +2", "\"Sell apples +2\"" },
		{ "Sell apples and pears +12", "\"Sell apples an… +12\"" },
		{ "Sell apples an +12", "\"Sell apples an… +12\"" },
		{ "Sell apples and +111111111", "\"Sell apples an…\"" },
		{ "Sell apples and 12", "\"Sell apples an…\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_quoted(&text, "", rows[i].subject, 14);
		assert_string_equal(buf_text(&text.buf), rows[i].said);
		buf_done(&text.buf);
	}
}

/* In a message of ours nothing that a stranger to it wrote can be pressed. */
TEST(nothing_in_what_others_wrote_can_be_pressed)
{
#define WJ "\u2060"
	static const struct {
		const char *theirs, *shown;
	} rows[] = {
		{ "/rollback now", "/" WJ "rollback now" },
		{ "see (/deploy) and /x", "see (/" WJ "deploy) and /" WJ "x" },
		{ "https://evil.example/login", "https://" WJ "evil." WJ "example/login" },
		{ "tg://resolve ftp:///x", "tg://" WJ "resolve ftp://" WJ "/" WJ "x" },
		{ "t.me/x bit.ly/y a.рф", "t." WJ "me/x bit." WJ "ly/y a." WJ "рф" },
		/* nothing would be linked there */
		{ "and/or 1/2 / // a. b.c 4.17.21 .net v1.x",
		    "and/or 1/2 / // a. b.c 4.17.21 .net v1.x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;
		struct buf plain;

		chat_text_theirs(&text, "", rows[i].theirs);
		assert_string_equal(buf_text(&text.buf), rows[i].shown);
		buf_init(&plain, 256);
		chat_text_plain(buf_text(&text.buf), &plain);
		assert_string_equal(buf_text(&plain), rows[i].theirs);
		buf_done(&plain);
		buf_done(&text.buf);
	}
}

/* A branch is copied out of the chat, and nothing in code marks can be pressed anyway. */
TEST(a_ref_stays_as_it_is)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_ref(&text, "", "fix/shop.example");
	assert_string_equal(buf_text(&text.buf), MARK_CODE "fix/shop.example" MARK_CODE);
	buf_done(&text.buf);
}

TEST(an_author_who_reads_as_ours_stands_in_quotes)
{
	static const struct {
		const char *author, *shown;
	} rows[] = {
		{ "deploybot ✅ Live: production", "\"deploybot ✅ Live: production\"" },
		{ "🔥 DOWN", "\"🔥 DOWN\"" },
		{ "Live: production", "\"Live: production\"" },
		{ "⚠️", "\"⚠️\"" },
		{ "Zoë O’Brien-Müller", "Zoë O’Brien-Müller" },
		{ "Иван 田中 dependabot[bot]", "Иван 田中 dependabot[bot]" },
		{ "confirmed by ada", "\"confirmed by ada\"" },
		{ "a\xff", "a" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_author(&text, "", rows[i].author);
		assert_string_equal(buf_text(&text.buf), rows[i].shown);
		buf_done(&text.buf);
	}
}
