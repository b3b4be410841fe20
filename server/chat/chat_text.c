/* chat_text.c - marked text over a bounded buffer.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_text.h"

#include <ctype.h>

#include "lib/clean.h"
#include "lib/text.h"
#include "lib/when.h"

void
chat_text_add(struct chat_text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(&text->buf, fmt, args);
	va_end(args);
}

void
chat_text_outside(struct chat_text *text, const char *before, const char *outside)
{
	char line[512];

	buf_adds(&text->buf, before);
	buf_adds(&text->buf, clean_line(line, sizeof(line), outside, strlen(outside)));
}

void
chat_text_some(struct chat_text *text, const char *before, const char *outside)
{
	if (outside != NULL && outside[0] != '\0')
		chat_text_outside(text, before, outside);
}

void
chat_text_lines(struct chat_text *text, const char *lines)
{
	char line[512];

	chat_text_add(text, "\n" MARK_PRE);
	for (const char *end; *lines != '\0'; lines = end + (*end == '\n' ? 1 : 0)) {
		end = lines + strcspn(lines, "\n");
		buf_adds(&text->buf, clean_line(line, sizeof(line), lines, (size_t)(end - lines)));
		chat_text_add(text, *end == '\n' ? "\n" : "");
	}
	chat_text_add(text, MARK_PRE);
}

/* What stands between our own words, or before a name that Telegram gives to one person, and what
 * reads as one of them; 0: it is none. */
static size_t
sign_of_ours(const char *text, const char **instead)
{
	static const struct {
		const char *sign;
		const char *instead;
	} signs[] = {
		{ "@", "(at)" },
		{ "\xef\xb9\xab", "(at)" }, /* small, full-width */
		{ "\xef\xbc\xa0", "(at)" },
		{ "\xc2\xb7", "-" }, /* the middle dot, and others like it */
		{ "\xce\x87", "-" },
		{ "\xe2\x80\xa2", "-" },
		{ "\xe2\x80\xa7", "-" },
		{ "\xe2\x88\x99", "-" },
		{ "\xe2\x8b\x85", "-" },
		{ "\xe3\x83\xbb", "-" },
		{ "\xef\xbd\xa5", "-" },
	};

	for (size_t i = 0; i < COUNT(signs); i++) {
		size_t size = strlen(signs[i].sign);

		if (strncmp(text, signs[i].sign, size) == 0) {
			*instead = signs[i].instead;
			return size;
		}
	}
	return 0;
}

#define JOINER "\xe2\x81\xa0" /* U+2060: of no width, and nothing is linked across it */

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '_' || (c & 0x80) != 0;
}

static bool
is_letter(char c)
{
	return is_word(c) && c != '_' && !(c >= '0' && c <= '9');
}

/* Would a chat make something to press of what stands around the byte at `at`, which is not the
 * first of the line where `has_before`: a command behind its slash, an address behind its "//", a
 * host in front of the dot of its domain? */
static bool
makes_link(const char *at, bool has_before)
{
	if (*at == '/')
		return has_before && at[-1] == '/' ?
		    at[1] != '\0' && at[1] != ' ' :
		    is_word(at[1]) && !(has_before && is_word(at[-1]));
	return *at == '.' && has_before && is_word(at[-1]) && is_letter(at[1]) && is_letter(at[2]);
}

static void
add_theirs(struct chat_text *text, const char *before, const char *theirs, bool is_code)
{
	char line[512];
	size_t size;

	buf_adds(&text->buf, before);
	(void)clean_line(line, sizeof(line), theirs, strlen(theirs));
	for (const char *at = line, *instead = NULL; *at != '\0'; at += size > 0 ? size : 1) {
		size = sign_of_ours(at, &instead);
		if (size > 0)
			buf_adds(&text->buf, instead);
		else
			buf_addc(&text->buf, *at);
		if (!is_code && size == 0 && makes_link(at, at > line))
			buf_adds(&text->buf, JOINER);
	}
}

void
chat_text_theirs(struct chat_text *text, const char *before, const char *theirs)
{
	add_theirs(text, before, theirs, false);
}

/* Where " +4" begins, the others that a merge brings (commits.sh); its end, where there is none. */
static size_t
others_at(const char *subject, size_t size)
{
	size_t at = size;

	while (at > 0 && size - at < 5 && isdigit((unsigned char)subject[at - 1]))
		at--;
	return at < size && at > 2 && subject[at - 1] == '+' && subject[at - 2] == ' ' ? at - 2 :
											 size;
}

void
chat_text_quoted(struct chat_text *text, const char *before, const char *theirs, size_t letters)
{
	struct chat_text line = CHAT_TEXT_EMPTY;
	const char *words;
	size_t size, others;

	chat_text_theirs(&line, "", theirs);
	words = buf_text(&line.buf);
	size = text_utf16_cut(words, line.buf.size, letters);
	others = others_at(words, line.buf.size);
	if (size < line.buf.size && size > others)
		size = others;
	buf_fail_like(&text->buf, &line.buf);
	if (line.buf.size == 0) {
		chat_text_add(text, "%s(no subject)", before);
		buf_done(&line.buf);
		return;
	}
	chat_text_add(text, "%s\"", before);
	for (size_t i = 0; i < size;) {
		size_t quote = clean_quote(words + i);

		buf_addc(&text->buf, (char)(quote > 0 ? '\'' : words[i]));
		i += quote > 0 ? quote : 1;
	}
	if (size < line.buf.size)
		chat_text_add(text, "…%s", words + others);
	chat_text_add(text, "\"");
	buf_done(&line.buf);
}

void
chat_text_subject(struct chat_text *text, const char *before, const char *subject)
{
	if (subject[0] != '\0')
		chat_text_quoted(text, before, subject, SIZE_MAX);
}

/* A sign, as those that lead our own texts: no name has one.  Dashes and quotes are none. */
static bool
is_sign(uint32_t code)
{
	return code == ':' || (code >= 0x2020 && code < 0x2c00) ||
	    (code >= 0xfe00 && code < 0xfe10) || (code >= 0x1f000 && code < 0x1fb00);
}

static bool
reads_as_ours(const char *author)
{
	char line[512];
	const char *at = clean_line(line, sizeof(line), author, strlen(author)), *instead;
	uint32_t code;

	if (strcasestr(at, " by ") != NULL || strcasestr(at, "by ") == at)
		return true;
	for (; *at != '\0'; at += text_decode(at, strlen(at), &code))
		if (sign_of_ours(at, &instead) > 0 ||
		    (text_decode(at, strlen(at), &code) > 0 && is_sign(code)))
			return true;
	return false;
}

void
chat_text_author(struct chat_text *text, const char *before, const char *author)
{
	if (reads_as_ours(author))
		chat_text_quoted(text, before, author, SIZE_MAX);
	else
		chat_text_theirs(text, before, author);
}

void
chat_text_ref(struct chat_text *text, const char *before, const char *ref)
{
	buf_adds(&text->buf, before);
	add_theirs(text, MARK_CODE, ref, true);
	buf_adds(&text->buf, MARK_CODE);
}

void
chat_text_commit(struct chat_text *text, const char *before, const char *commit)
{
	chat_text_add(text, "%s" MARK_CODE "%.7s" MARK_CODE, before, commit);
}

void
chat_text_named(
    struct chat_text *text, const char *before, enum commit_source source, const char *commit)
{
	if (source == SOURCE_UPLOAD)
		chat_text_add(text, "%supload " MARK_CODE "%.12s" MARK_CODE, before, commit);
	else
		chat_text_commit(text, before, commit);
}

void
chat_text_again(
    struct chat_text *text, const char *environment, enum commit_source source, const char *commit)
{
	if (source == SOURCE_UPLOAD)
		chat_text_add(text, "sending the archive again");
	else
		chat_text_add(text, MARK_CODE "/deploy %s %.7s" MARK_CODE, environment, commit);
}

void
chat_text_image(struct chat_text *text, const char *before, const char *image)
{
	const char *digest = strchr(image, ':');

	chat_text_add(
	    text, "%simage " MARK_CODE "%.7s…" MARK_CODE, before, digest == NULL ? "" : digest + 1);
}

void
chat_text_code(struct chat_text *text, const char *before, const char *outside)
{
	buf_adds(&text->buf, before);
	chat_text_outside(text, MARK_CODE, outside);
	buf_adds(&text->buf, MARK_CODE);
}

void
chat_text_ago(struct chat_text *text, const char *before, int64_t at, int64_t now)
{
	char age[TEXT_DURATION_SIZE];

	if (now - at < 1000)
		chat_text_add(text, "%sjust now", before);
	else
		chat_text_add(text, "%s%s ago", before, text_age(age, now - at));
}

void
chat_text_since(struct chat_text *text, const char *before, const struct chat_clock *clock,
    int64_t at, int64_t now)
{
	struct zone_time then = zone_local(clock->zone, at), today = zone_local(clock->zone, now);
	char date[WHEN_TEXT], name[ZONE_NAME];

	if (then.day == today.day && then.month == today.month && then.year == today.year)
		chat_text_add(text, "%s%02d:%02d", before, then.hour, then.minute);
	else
		chat_text_add(text, "%s%s", before, when_text(clock->zone, at, date));
	if (clock->is_named)
		chat_text_add(text, " %s", zone_name(clock->zone, at, name));
}

void
chat_text_duration(struct chat_text *text, const char *before, int64_t ms)
{
	char duration[TEXT_DURATION_SIZE];

	chat_text_add(text, "%s%s", before, text_duration(duration, ms));
}

char *
chat_text_take(struct chat_text *text)
{
	return buf_take(&text->buf);
}

/* "/unlock staging", and no path. */
static bool
is_command(const char *text)
{
	size_t size = text[0] == '/' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;

	return size > 0 && (text[1 + size] == ' ' || text[1 + size] == MARK_CODE[0]);
}

void
chat_text_plain(const char *marked, struct buf *out)
{
	bool is_code = false;

	for (; *marked != '\0'; marked++) {
		if (text_starts(marked, JOINER)) {
			marked += strlen(JOINER) - 1;
		} else if (strchr(MARK_BOLD MARK_CODE MARK_PRE MARK_ITALIC MARK_QUOTE, *marked) ==
		    NULL) {
			buf_addc(out, *marked);
		} else if (*marked == MARK_CODE[0]) {
			is_code = !is_code;
			if (is_code && is_command(marked + 1)) {
				buf_addf(out, "deploybot ");
				marked++;
			}
		}
	}
}
