/* telegram_html.c - a message's marked text as Telegram's HTML, within its limits.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_html.h"

#include "lib/buf.h"
#include "lib/text.h"

#define ELLIPSIS    "\xe2\x80\xa6" /* one UTF-16 unit */
#define MARK_COUNT  6		   /* the marks are the characters 1 to 5; 0: none */
#define REPLACEMENT 0xFFFDu

/* In the order of the marks' characters, MARK_BOLD to MARK_QUOTE. */
static const struct {
	const char *open, *close;
} tags[MARK_COUNT] = {
	{ "", "" },
	{ "<b>", "</b>" },
	{ "<code>", "</code>" },
	{ "<pre>", "</pre>" },
	{ "<i>", "</i>" },
	{ "<blockquote expandable>", "</blockquote>" },
};

/* What stands at a place of marked text: a mark, a character to show, or nothing of both. */
struct glyph {
	size_t size;   /* bytes of the source */
	unsigned mark; /* 1 to 5; 0: no mark */
	uint32_t code; /* 0: nothing to show */
	size_t units;  /* UTF-16 units it shows */
};

struct writer {
	struct buf *out;
	bool is_html;
	unsigned wanted; /* the mark that is switched on in the text */
	unsigned open;	 /* the tag that is open in out; the next character opens it */
};

static struct glyph
glyph_at(const char *text, size_t size)
{
	struct glyph glyph = { .size = 1, .code = REPLACEMENT, .units = 1 };
	size_t bytes = text_decode(text, size, &glyph.code);

	if (bytes == 0) {
		glyph.code = REPLACEMENT;
		return glyph;
	}
	glyph.size = bytes;
	if (glyph.code < MARK_COUNT)
		glyph.mark = glyph.code;
	if ((glyph.code < 0x20 && glyph.code != '\n') || glyph.code == 0x7f)
		glyph.code = glyph.code == '\t' ? ' ' : 0;
	glyph.units = glyph.code == 0 ? 0 : glyph.code > 0xFFFF ? 2 : 1;
	return glyph;
}

static size_t
units_of(const char *text, size_t size)
{
	size_t units = 0;

	for (size_t at = 0; at < size;) {
		struct glyph glyph = glyph_at(text + at, size - at);

		units += glyph.units;
		at += glyph.size;
	}
	return units;
}

/* --- writing --- */

static void
close_tag(struct writer *w)
{
	buf_adds(w->out, tags[w->open].close);
	w->open = 0;
}

static void
set_tag(struct writer *w)
{
	if (!w->is_html || w->open == w->wanted)
		return;
	close_tag(w);
	buf_adds(w->out, tags[w->wanted].open);
	w->open = w->wanted;
}

static void
write_code(struct writer *w, uint32_t code)
{
	char bytes[4];

	set_tag(w);
	if (w->is_html && code == '&')
		buf_adds(w->out, "&amp;");
	else if (w->is_html && code == '<')
		buf_adds(w->out, "&lt;");
	else if (w->is_html && code == '>')
		buf_adds(w->out, "&gt;");
	else if (w->is_html && code == '"')
		buf_adds(w->out, "&quot;");
	else
		buf_add(w->out, bytes, text_encode(code, bytes));
}

static void
write_glyph(struct writer *w, const struct glyph *glyph)
{
	if (glyph->mark != 0)
		w->wanted = w->wanted == glyph->mark ? 0 : glyph->mark;
	else if (glyph->code != 0)
		write_code(w, glyph->code);
}

/* All from there on, where that mark is switched on, or what fits into `most` units (1 or more)
 * with an ellipsis at its end. */
static void
write_part(struct writer *w, const char *text, unsigned mark, size_t most)
{
	size_t size = strlen(text);
	bool is_cut = units_of(text, size) > most;
	size_t left = is_cut ? most - 1 : most;

	w->wanted = mark;
	for (size_t at = 0; at < size;) {
		struct glyph glyph = glyph_at(text + at, size - at);

		if (glyph.units > left)
			break;
		left -= glyph.units;
		write_glyph(w, &glyph);
		at += glyph.size;
	}
	if (is_cut)
		buf_adds(w->out, ELLIPSIS);
	close_tag(w); /* marks do not reach from one part into the next */
}

/* Where to begin so that at most `most` units are left, at the start of a line; *ret_mark is what
 * is switched on there. */
static size_t
skip_lines(const char *text, size_t size, size_t most, unsigned *ret_mark)
{
	size_t left = units_of(text, size);
	unsigned mark = 0;
	size_t at = 0;
	bool at_line = true;

	while (at < size && (left > most || !at_line)) {
		struct glyph glyph = glyph_at(text + at, size - at);

		if (glyph.mark != 0)
			mark = mark == glyph.mark ? 0 : glyph.mark;
		at_line = glyph.code == '\n';
		left -= glyph.units;
		at += glyph.size;
	}
	*ret_mark = mark;
	return at;
}

/* --- fitting --- */

static bool
is_blank(const char *text)
{
	for (size_t at = 0, size = strlen(text); at < size;) {
		struct glyph glyph = glyph_at(text + at, size - at);

		if (glyph.code != 0 && glyph.code != ' ' && glyph.code != '\n')
			return false;
		at += glyph.size;
	}
	return true;
}

/* A part that shows nothing is none. */
static const char *
text_of(const char *part)
{
	return part == NULL || is_blank(part) ? "" : part;
}

static void
write_parts(struct writer *w, const struct telegram_html_parts *parts, size_t units)
{
	const char *head = text_of(parts->head);
	const char *live = text_of(parts->live);
	size_t head_units = units_of(head, strlen(head));
	size_t used = head_units == 0 ? 0 : head_units + 1; /* with the newline behind it */
	unsigned mark = 0;
	size_t live_from = skip_lines(live, strlen(live), used < units ? units - used : 0, &mark);
	bool has_live = !is_blank(live + live_from);

	if (head_units == 0 && !has_live)
		buf_adds(w->out, ELLIPSIS);
	if (head_units > 0)
		write_part(w, head, 0, units);
	if (head_units > 0 && has_live)
		buf_addc(w->out, '\n');
	if (has_live)
		write_part(w, live + live_from, mark, SIZE_MAX);
}

void
telegram_html_render(const struct telegram_html_parts *parts, size_t units, struct buf *out)
{
	struct writer w = { .out = out, .is_html = true };

	write_parts(&w, parts, units);
}

void
telegram_html_plain(const struct telegram_html_parts *parts, size_t units, struct buf *out)
{
	struct writer w = { .out = out, .is_html = false };

	write_parts(&w, parts, units);
}
