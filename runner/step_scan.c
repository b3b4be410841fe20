/* step_scan.c - finds `==> name` lines in output that comes in pieces.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/step_scan.h"

#include "lib/text.h"

#define MARK	  "==> "
#define MARK_LEN  (sizeof(MARK) - 1)
#define IMAGE	  "image "
#define IMAGE_LEN (sizeof(IMAGE) - 1)
#define QUOTE	  "quote "
#define UNQUOTE	  "unquote "

/* Nothing but the exact form: a digest that was read wrong would be what is rolled back to. */
static bool
is_image(const char *line, size_t len, char digest[PROTOCOL_IMAGE + 1])
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len != MARK_LEN + IMAGE_LEN + PROTOCOL_IMAGE ||
	    memcmp(line + MARK_LEN, IMAGE, IMAGE_LEN) != 0)
		return false;
	memcpy(digest, line + MARK_LEN + IMAGE_LEN, PROTOCOL_IMAGE);
	digest[PROTOCOL_IMAGE] = '\0';
	return protocol_is_image(digest);
}

/* The word behind `==> VERB `; false when the line is not exactly that. */
static bool
is_quote(const char *line, size_t len, const char *verb, char word[STEP_SCAN_QUOTE + 1])
{
	size_t from = MARK_LEN + strlen(verb);

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len <= from || len - from > STEP_SCAN_QUOTE ||
	    memcmp(line + MARK_LEN, verb, from - MARK_LEN) != 0)
		return false;
	for (size_t i = from; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	memcpy(word, line + from, len - from);
	word[len - from] = '\0';
	return true;
}

/* Is the line the beginning of a quotation, a part of it, or its end? */
static bool
is_quoted(struct step_scan *scan)
{
	char word[STEP_SCAN_QUOTE + 1];

	if (scan->quote[0] == '\0')
		return is_quote(scan->line, scan->len, QUOTE, scan->quote);
	if (is_quote(scan->line, scan->len, UNQUOTE, word) && strcmp(word, scan->quote) == 0)
		scan->quote[0] = '\0';
	return true;
}

/* The line in scan->line is whole. */
static void
line_ended(struct step_scan *scan, step_scan_found *found, void *ctx)
{
	char name[PROTOCOL_STEP_NAME + 1], digest[PROTOCOL_IMAGE + 1];
	size_t len = scan->len, out = 0, from = MARK_LEN;

	if (len <= MARK_LEN || memcmp(scan->line, MARK, MARK_LEN) != 0 || is_quoted(scan))
		return;
	if (is_image(scan->line, len, digest)) {
		found(ctx, STEP_SCAN_IMAGE, digest);
		return;
	}
	while (from < len && scan->line[from] == ' ')
		from++;
	len = from + text_cut(scan->line + from, len - from, PROTOCOL_STEP_NAME);
	for (size_t i = from; i < len; i++) {
		unsigned char c = (unsigned char)scan->line[i];

		/* A blank may begin the name once the controls before it are gone. */
		if (c >= 0x20 && c != 0x7f && (c != ' ' || out > 0))
			name[out++] = (char)c;
	}
	while (out > 0 && name[out - 1] == ' ')
		out--;
	name[out] = '\0';
	if (out > 0)
		found(ctx, STEP_SCAN_STEP, name);
}

/* Adds to a line that may still be a step's.  What the name has no room for is dropped. */
static void
line_add(struct step_scan *scan, const char *data, size_t len)
{
	size_t room = sizeof(scan->line) - scan->len;
	size_t check;

	if (len > room)
		len = room;
	memcpy(scan->line + scan->len, data, len);
	scan->len += len;
	check = scan->len < MARK_LEN ? scan->len : MARK_LEN;
	scan->mid_line = memcmp(scan->line, MARK, check) != 0;
}

/* The fast path, which gigabytes take: from within a line to the next one that begins like a
 * step's, or to the end.  It looks for '=' and not for line ends, of which there are many more; two
 * searches a line at most.  Sets mid_line for where it stops. */
static const char *
skip_lines(struct step_scan *scan, const char *data, const char *end)
{
	const char *from = data;

	scan->mid_line = false;
	while (from < end) {
		const char *hit = memchr(from, '=', (size_t)(end - from));

		if (hit == NULL)
			break;
		if (hit > data && hit[-1] == '\n')
			return hit;
		from = memchr(hit, '\n', (size_t)(end - hit));
		if (from == NULL)
			break;
		from++;
	}
	scan->mid_line = end[-1] != '\n';
	return end;
}

void
step_scan_feed(
    struct step_scan *scan, const char *data, size_t len, step_scan_found *found, void *ctx)
{
	const char *end = data + len;

	while (data < end) {
		const char *stop;

		if (scan->mid_line || (scan->len == 0 && *data != '=')) {
			scan->len = 0;
			data = skip_lines(scan, data, end);
			continue;
		}
		stop = memchr(data, '\n', (size_t)(end - data));
		line_add(scan, data, (size_t)((stop == NULL ? end : stop) - data));
		if (stop == NULL)
			return;
		if (!scan->mid_line)
			line_ended(scan, found, ctx);
		scan->mid_line = false;
		scan->len = 0;
		data = stop + 1;
	}
}
