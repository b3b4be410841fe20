/* test_telegram_html.c - what we send is always HTML that Telegram can parse, and says what was meant. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_html.h"

#include <time.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "lib/clean.h"
#include "types/message.h"
#include "unit.h"

#define CAP (1024 * 1024)

static char *
render(const struct telegram_html_parts *parts, size_t units)
{
	struct buf out;
	char *text;

	buf_init(&out, CAP);
	telegram_html_render(parts, units, &out);
	text = buf_take(&out);
	assert_non_null(text);
	return text;
}

static char *
render_plain(const struct telegram_html_parts *parts, size_t units)
{
	struct buf out;
	char *text;

	buf_init(&out, CAP);
	telegram_html_plain(parts, units, &out);
	text = buf_take(&out);
	assert_non_null(text);
	return text;
}

/* Reads HTML as Telegram does: fails on any other tag, on nesting, on an open '&'.  What is shown
 * is written to out. */
static void
parse_strictly(const char *html, char *out)
{
	static const char *const names[] = { "b", "i", "code", "pre" };
	static const char *const entities[] = { "&lt;", "&gt;", "&amp;", "&quot;" };
	static const char shown[] = "<>&\"";
	const char *open = NULL;

	while (*html != '\0') {
		size_t i;

		if (*html == '<' && open != NULL) {
			char tag[16];

			(void)snprintf(tag, sizeof(tag), "</%s>", open);
			assert_memory_equal(html, tag, strlen(tag));
			html += strlen(tag);
			open = NULL;
		} else if (*html == '<') {
			char tag[16] = "";

			for (i = 0; i < COUNT(names); i++) {
				(void)snprintf(tag, sizeof(tag), "<%s>", names[i]);
				if (strncmp(html, tag, strlen(tag)) == 0)
					break;
			}
			assert_true(i < COUNT(names));
			open = names[i];
			html += strlen(tag);
		} else if (*html == '&') {
			for (i = 0; i < COUNT(entities); i++)
				if (strncmp(html, entities[i], strlen(entities[i])) == 0)
					break;
			assert_true(i < COUNT(entities));
			*out++ = shown[i];
			html += strlen(entities[i]);
		} else {
			assert_int_not_equal(*html, '>');
			assert_int_not_equal(*html, '"');
			*out++ = *html++;
		}
	}
	assert_null(open);
	*out = '\0';
}

TEST(marks_become_tags_and_text_stays_text)
{
	/* Goal: the plain case, read by a person. */
	char *html =
	    render(&(struct telegram_html_parts){ .head = MARK_BOLD
		       "a<b" MARK_BOLD " & \"" MARK_CODE "x>y" MARK_CODE,
		       .live = MARK_PRE "one\ntwo" MARK_PRE "\n" MARK_ITALIC "time" MARK_ITALIC },
		4096);

	assert_string_equal(html,
	    "<b>a&lt;b</b> &amp; &quot;<code>x&gt;y</code>\n"
	    "<pre>one\ntwo</pre>\n<i>time</i>");
	free(html);
}

TEST(a_mark_left_open_is_closed_at_the_end_of_its_part)
{
	/* Goal: a mistake in one part never reaches another. */
	char *html = render(&(struct telegram_html_parts){ .head = MARK_BOLD "bold",
				.live = "plain" MARK_CODE "code" MARK_BOLD "both" },
	    4096);

	assert_string_equal(html, "<b>bold</b>\nplain<code>code</code><b>both</b>");
	free(html);
}

TEST(a_single_character_is_a_part_too)
{
	/* Goal: the smallest that is there is shown, and no mark is on where none was set. */
	const struct telegram_html_parts parts = { .head = "a", .live = "b" };
	char *html = render(&parts, 4096);

	assert_string_equal(html, "a\nb");
	free(html);
}

TEST(nothing_visible_is_an_ellipsis)
{
	/* Goal: "message text is empty" never happens. */
	static const char *const empty[] = { "", " \n ", (MARK_BOLD MARK_BOLD), ("\n" MARK_PRE) };

	for (size_t i = 0; i < COUNT(empty); i++) {
		char *html = render(&(struct telegram_html_parts){ .head = empty[i] }, 4096);

		assert_string_equal(html, "\xe2\x80\xa6");
		free(html);
	}
}

TEST(what_shows_nothing_takes_no_room_from_what_does)
{
	/* Goal: nor is "message text is empty" sent where only what fits is blank. */
	char *html = render(&(struct telegram_html_parts){ .live = "a line too long" }, 5);

	assert_string_equal(html, "\xe2\x80\xa6");
	free(html);
	html = render(&(struct telegram_html_parts){ .live = "too long\n " }, 5);
	assert_string_equal(html, "\xe2\x80\xa6");
	free(html);
	html = render(&(struct telegram_html_parts){ .head = "head", .live = "      " }, 5);
	assert_string_equal(html, "head");
	free(html);
}

TEST(live_is_cut_first_and_at_lines_from_its_beginning)
{
	/* Goal: the last lines stay, in their block, and so does head. */
	static const char live[] = MARK_PRE "first line\nsecond line\nthird" MARK_PRE "\n9 s";
	char *html = render(&(struct telegram_html_parts){ .head = "head", .live = live }, 17);

	assert_string_equal(html, "head\n<pre>third</pre>\n9 s");
	free(html);
}

TEST(a_mark_that_ended_in_what_was_cut_off_is_off)
{
	/* Goal: what is left of the output does not take over the block of what is gone. */
	char *html =
	    render(&(struct telegram_html_parts){ .live = MARK_CODE "one" MARK_CODE "\ntwo" }, 3);

	assert_string_equal(html, "two");
	free(html);
}

TEST(head_is_cut_when_live_is_gone)
{
	/* Goal: the order of sacrifice. */
	struct telegram_html_parts parts = { .head = "0123456789", .live = "live" };
	char *html = render(&parts, 10);

	assert_string_equal(html, "0123456789");
	free(html);
	html = render(&(struct telegram_html_parts){ .head = "head", .live = "." }, 10);
	assert_string_equal(html, "head\n.");
	free(html);
	html = render(&parts, 3);
	assert_string_equal(html, "01\xe2\x80\xa6");
	free(html);
}

TEST(a_character_of_two_units_is_never_halved)
{
	/* Goal: the limit counts UTF-16 units, the cut falls between characters. */
	char *html = render(&(struct telegram_html_parts){ .head = "ab\xf0\x9f\x9a\x80"
								   "cd" },
	    4);

	assert_string_equal(html, "ab\xe2\x80\xa6"); /* 3 units: the rocket needs two */
	free(html);
	html = render(&(struct telegram_html_parts){ .head = "ab\xf0\x9f\x9a\x80"
							     "c" },
	    5);
	assert_string_equal(html,
	    "ab\xf0\x9f\x9a\x80"
	    "c");
	free(html);
}

/* Exactly so many units: two of it and a letter are cut one unit below their sum, and not at it. */
static bool
takes(const char *text, size_t units)
{
	char head[64];
	char *whole, *cut;
	bool is_so;

	(void)snprintf(head, sizeof(head), "%s%sx", text, text);
	whole = render(&(struct telegram_html_parts){ .head = head }, 2 * units + 1);
	cut = render(&(struct telegram_html_parts){ .head = head }, 2 * units);
	is_so = strstr(whole, "\xe2\x80\xa6") == NULL && strcmp(whole, cut) != 0;
	free(whole);
	free(cut);
	return is_so;
}

TEST(a_character_counts_as_telegram_counts_it)
{
	/* Goal: two units from U+10000 on, one for a broken byte, none for what is not shown. */
	char *html =
	    render(&(struct telegram_html_parts){ .head = "a\tb\x06\x07\x1f\x7f c\xc2\x80" }, 9);

	assert_string_equal(html, "a b c\xc2\x80");
	free(html);
	assert_true(takes("\xef\xbf\xbf", 1));
	assert_true(takes("\xf0\x90\x80\x80", 2));
	assert_true(takes("\xff", 1));
	assert_true(takes(MARK_BOLD "\x07\x7f" MARK_BOLD, 0));
}

/* Random marked text: marks, markup characters, letters, astral characters, broken bytes. */
static void
make_up(unsigned *seed, char *out, size_t pieces)
{
	static const char *const piece[] = { "a", "<", ">", "&", "\"", "\n", MARK_BOLD, MARK_CODE,
		MARK_PRE, MARK_ITALIC, "\xc3\xa4", "\xf0\x9f\x9a\x80", "\xe2\x82\xac", "\xff",
		"\x07", "&amp;", "</b>", "word", " ", "\t" };

	*out = '\0';
	for (size_t i = 0; i < pieces; i++) {
		const char *p = piece[(unsigned)rand_r(seed) % COUNT(piece)];

		memcpy(out, p, strlen(p) + 1);
		out += strlen(p);
	}
}

TEST(whatever_is_said_parses_fits_and_reads_as_the_plain_form)
{
	/* Goal: unescape(html) is the plain text, tags balance, the limit holds, for any input. */
	unsigned seed = (unsigned)time(NULL);
	static char head[4000], live[4000], read[65536];

	print_message("seed %u\n", seed);
	for (int round = 0; round < 4000; round++) {
		struct telegram_html_parts parts = { head, live };
		size_t units = 1 + (size_t)rand_r(&seed) % 300;

		make_up(&seed, head, (size_t)rand_r(&seed) % 100);
		make_up(&seed, live, (size_t)rand_r(&seed) % 100);
		char *html = render(&parts, units);
		char *plain = render_plain(&parts, units);

		parse_strictly(html, read);
		assert_string_equal(read, plain);
		assert_true(clean_is_utf8(plain, strlen(plain)));
		assert_true(text_utf16_length(plain, strlen(plain)) <= units);
		free(html);
		free(plain);
	}
}

TEST(the_longest_message_uses_all_that_telegram_takes)
{
	/* Goal: nothing is cut that would have fitted. */
	static char text[5000];
	char *html;

	memset(text, 'x', sizeof(text) - 1);
	html = render(&(struct telegram_html_parts){ .head = text }, TELEGRAM_HTML_TEXT_MAX);
	assert_int_equal(text_utf16_length(html, strlen(html)), 4096);
	free(html);
	text[4096] = '\0';
	html = render(&(struct telegram_html_parts){ .head = text }, TELEGRAM_HTML_TEXT_MAX);
	assert_string_equal(html, text);
	free(html);
}
