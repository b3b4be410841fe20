/* step_scan.c - finds `==> name` lines in output that comes in pieces.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/step_scan.h"

#include "lib/column.h"
#include "lib/text.h"

#define MARK	    "==> "
#define MARK_LEN    (sizeof(MARK) - 1)
#define IMAGE	    "image "
#define IMAGE_LEN   (sizeof(IMAGE) - 1)
#define WARNING	    "warning "
#define WARNING_LEN (sizeof(WARNING) - 1)
#define HOST	    "host "
#define HOST_LEN    (sizeof(HOST) - 1)
#define QUOTE	    "quote "
#define UNQUOTE	    "unquote "
#define BEL	    0x07
#define ESC	    0x1b

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

void
step_scan_init(struct step_scan *scan, struct redact *secrets)
{
	*scan = (struct step_scan){ .secrets = secrets };
	buf_init(&scan->safe, 2 * STEP_SCAN_LINE);
	buf_reserve(&scan->safe);
}

bool
step_scan_is_quote(const char *line, size_t len)
{
	char word[STEP_SCAN_QUOTE + 1];

	return len > MARK_LEN && memcmp(line, MARK, MARK_LEN) == 0 &&
	    (is_quote(line, len, QUOTE, word) || is_quote(line, len, UNQUOTE, word));
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

/* The bytes of an escape sequence that begins at text[0], as a terminal would swallow it: ESC and a
 * letter, CSI to its final byte, a string (OSC, DCS, …) to BEL or ST, or to the line's end. */
static size_t
escape_size(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] >= 0x20 && text[i] <= 0x2f)
		i++;
	if (i == len)
		return len;
	if (i > 1 || strchr("[]PX^_", text[i]) == NULL || text[i] == '\0')
		return text[i] >= 0x30 && text[i] <= 0x7e ? i + 1 : i;
	if (text[i++] == '[') {
		while (i < len && text[i] >= 0x20 && text[i] <= 0x3f)
			i++;
		return i < len && text[i] >= 0x40 && text[i] <= 0x7e ? i + 1 : i;
	}
	while (i < len && text[i] != BEL && text[i] != ESC)
		i++;
	if (i < len && text[i] == ESC)
		return i + 1 < len && text[i + 1] == '\\' ? i + 2 : i;
	return i < len ? i + 1 : len;
}

/* Escape sequences go whole: what is left of one in a secret would hide it from redaction. */
static size_t
drop_controls(char *text, size_t len)
{
	size_t out = 0, size;

	for (size_t i = 0; i < len; i += size) {
		unsigned char c = (unsigned char)text[i];

		size = c == ESC ? escape_size(text + i, len - i) : 1;
		if (c >= 0x20 && c != 0x7f)
			text[out++] = (char)c;
	}
	return out;
}

/* Without the blanks at its ends. */
static const char *
trim(const char *text, size_t *len)
{
	for (; *len > 0 && text[0] == ' '; text++)
		(*len)--;
	while (*len > 0 && text[*len - 1] == ' ')
		(*len)--;
	return text;
}

static bool
is_word(const char *name, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(name, word, size) != 0)
		return false;
	return word[size - 1] == ':' ?
	    name[size] != '\0' :
	    name[size] == '\0' || (name[size] == ' ' && strcmp(word, "migrate-failed") == 0);
}

size_t
step_scan_decides(const char *name)
{
	static const char *const words[] = { STEP_SCAN_DECISIVE(COLUMN_FIRST) };

	_Static_assert(
	    COUNT(words) == PROTOCOL_STEPS_ROOM - PROTOCOL_STEPS_MAX, "each that decides has room");
	for (size_t i = 0; i < COUNT(words); i++)
		if (is_word(name, words[i]))
			return i + 1;
	return 0;
}

/* What is longer than a step's name is no word of ours. */
static bool
is_ours(const char *line, size_t len)
{
	char name[PROTOCOL_STEP_NAME + 1];
	const char *from = trim(line, &len);

	if (len >= sizeof(name))
		return false;
	memcpy(name, from, len);
	name[len] = '\0';
	return step_scan_decides(name) != 0;
}

/* Before it is cut: the half of a secret would be none.  What may be the beginning of one where a
 * line was too long is left out. */
static void
keep_secrets_out(struct step_scan *scan, const char *name, size_t len, struct buf *out)
{
	if (scan->len < sizeof(scan->line))
		redact_text(scan->secrets, name, len, out);
	else
		redact_head(scan->secrets, name, len, out);
	if (buf_failed(out)) {
		buf_clear(out);
		buf_adds(out, REDACT_MARK);
	}
}

/* What of it may be shown, cut to max bytes: those of a step's name, or of a warning.  Returns its
 * length. */
static size_t
make_text(
    struct step_scan *scan, char *line, size_t len, size_t max, char ret[PROTOCOL_WARNING + 1])
{
	struct buf *safe = &scan->safe;
	const char *from;

	len = drop_controls(line, len);
	if (max == PROTOCOL_STEP_NAME && is_ours(line, len))
		buf_add(safe, line, len);
	else
		keep_secrets_out(scan, line, len, safe);
	len = safe->size;
	from = trim(buf_text(safe), &len);
	len = text_cut(from, len, max);
	from = trim(from, &len);
	memcpy(ret, from, len);
	ret[len] = '\0';
	buf_clear(safe);
	return len;
}

static void
text_ended(
    struct step_scan *scan, char *line, size_t len, size_t max, step_scan_found *found, void *ctx)
{
	char text[PROTOCOL_WARNING + 1];

	if (make_text(scan, line, len, max, text) > 0)
		found(ctx, max == PROTOCOL_WARNING ? STEP_SCAN_WARNING : STEP_SCAN_STEP, text);
}

/* The name and the word are exactly what they have to be, whatever a secret may be called. */
static void
host_ended(struct step_scan *scan, char *line, size_t len, step_scan_found *found, void *ctx)
{
	static const char failed[] = " failed";
	char *word = memchr(line, ' ', len);
	char text[STEP_SCAN_HOST_TEXT], why[PROTOCOL_WARNING + 1] = "";
	size_t name = word != NULL ? (size_t)(word - line) : 0, left = len - name;

	if (name == 0 || name >= HOST_TEXT)
		return;
	if (left > 0 && word[left - 1] == '\r')
		left--;
	if (left >= strlen(failed) && memcmp(word, failed, strlen(failed)) == 0 &&
	    (left == strlen(failed) || word[strlen(failed)] == ' ')) {
		(void)make_text(
		    scan, word + strlen(failed), left - strlen(failed), PROTOCOL_WARNING, why);
		left = strlen(failed);
	} else if ((left != strlen(" began") || memcmp(word, " began", left) != 0) &&
	    (left != strlen(" ok") || memcmp(word, " ok", left) != 0)) {
		return;
	}
	text_setf(text, "%.*s%s%s", (int)(name + left), line, why[0] != '\0' ? " " : "", why);
	found(ctx, STEP_SCAN_HOST, text);
}

/* The line in scan->line is whole. */
static void
line_ended(struct step_scan *scan, step_scan_found *found, void *ctx)
{
	char digest[PROTOCOL_IMAGE + 1];

	if (scan->len <= MARK_LEN || memcmp(scan->line, MARK, MARK_LEN) != 0 || is_quoted(scan))
		return;
	if (is_image(scan->line, scan->len, digest))
		found(ctx, STEP_SCAN_IMAGE, digest);
	else if (scan->has_hosts && scan->len > MARK_LEN + HOST_LEN &&
	    memcmp(scan->line + MARK_LEN, HOST, HOST_LEN) == 0)
		host_ended(scan, scan->line + MARK_LEN + HOST_LEN, scan->len - MARK_LEN - HOST_LEN,
		    found, ctx);
	else if (scan->len > MARK_LEN + WARNING_LEN &&
	    memcmp(scan->line + MARK_LEN, WARNING, WARNING_LEN) == 0)
		text_ended(scan, scan->line + MARK_LEN + WARNING_LEN,
		    scan->len - MARK_LEN - WARNING_LEN, PROTOCOL_WARNING, found, ctx);
	else
		text_ended(scan, scan->line + MARK_LEN, scan->len - MARK_LEN, PROTOCOL_STEP_NAME,
		    found, ctx);
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

/* The fast path, which gigabytes take.  It looks for '=' and not for line ends, of which there are
 * many more; two searches a line at most. */
const char *
step_scan_skip(const char *data, const char *end, bool *ret_mid_line)
{
	const char *from = data;

	*ret_mid_line = false;
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
	*ret_mid_line = end[-1] != '\n';
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
			data = step_scan_skip(data, end, &scan->mid_line);
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
