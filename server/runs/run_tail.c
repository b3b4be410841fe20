/* run_tail.c - the last lines of a run's log, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_tail.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "runs/run_clean.h"
#include "runs/run_files.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct line {
	const char *text;
	size_t size;
	bool is_cut;
};

/* --- what may be shown at all ------------------------------------------------------------- */

size_t
run_tail_safe_start(const char *data, size_t size)
{
	static const char begin[] = "-----BEGIN ", finish[] = "PRIVATE KEY-----";
	const char *key = memmem(data, size, finish, strlen(finish));
	const char *line;

	/* The rest of a private key whose first line is not in sight: behind its last one. */
	if (key != NULL) {
		line = memrchr(data, '\n', (size_t)(key - data));
		line = line == NULL ? data : line + 1;
		if (memmem(line, (size_t)(key - line), begin, strlen(begin)) == NULL)
			return (size_t)(key - data) + strlen(finish);
	}
	/* Up to a line's end a secret may stand here without its beginning, in a form that is
	 * longer than what is at hand: nothing of such a line is shown. */
	line = memchr(data, '\n', size);
	return line == NULL ? size : (size_t)(line - data) + 1;
}

/* Of a line that is not whole nothing is shown: where that depended on whether it may begin a
 * secret, whoever prints guesses would read from it what one begins with. */
static size_t
whole_lines(const struct buf *plain)
{
	const char *end = plain->size == 0 ? NULL : memrchr(plain->data, '\n', plain->size);

	return end == NULL ? 0 : (size_t)(end - plain->data) + 1;
}

void
run_tail_plain(const struct run_tail_bytes *bytes, struct redact *redact, struct buf *out)
{
	CLEANUP(buf_done) struct buf plain = buf_make(bytes->size + 1);
	struct run_clean clean;

	run_clean_init(&clean);
	run_clean_add(&clean, bytes->data, bytes->size, &plain);
	run_clean_end(&clean, &plain);
	if (bytes->is_cut)
		buf_drop_front(&plain, run_tail_safe_start(buf_text(&plain), plain.size));
	if (bytes->is_growing)
		buf_cut(&plain, whole_lines(&plain));
	redact_text(redact, buf_text(&plain), plain.size, out);
	buf_fail_like(out, &plain);
}

/* --- lines -------------------------------------------------------------------------------- */

#define ID_LEAST 40 /* digits: a commit, a container, a digest */
#define ID_SHOWN 12

/* Of a line that would be cut: whoever knows an id by its first digits needs no more, and behind it
 * often stand the words that matter. */
static size_t
shorten_ids(char *line, size_t size)
{
	size_t out = 0;

	for (size_t at = 0, digits; at < size; at += digits) {
		size_t shown;

		for (digits = 1; at + digits < size && isxdigit((unsigned char)line[at]) &&
		     isxdigit((unsigned char)line[at + digits]);)
			digits++;
		shown = digits < ID_LEAST ? digits : ID_SHOWN;
		memmove(line + out, line + at, shown);
		out += shown;
		if (shown < digits) {
			memcpy(line + out, ELLIPSIS, sizeof(ELLIPSIS) - 1);
			out += sizeof(ELLIPSIS) - 1;
		}
	}
	return out;
}

/* Each line that is longer than is shown, in the place of what it was. */
static void
shorten_lines(struct buf *text)
{
	size_t out = 0, size;

	for (size_t at = 0; at < text->size; at += size) {
		const char *end = memchr(text->data + at, '\n', text->size - at);
		size_t line = end == NULL ? text->size - at : (size_t)(end - (text->data + at));

		size = line + (end != NULL);
		memmove(text->data + out, text->data + at, size);
		if (line > RUN_TAIL_LINE) {
			size_t left = shorten_ids(text->data + out, line);

			if (end != NULL)
				text->data[out + left] = '\n';
			out += left + (end != NULL);
		} else {
			out += size;
		}
	}
	text->size = out;
}

static bool
is_step(const char *text, size_t size)
{
	return size >= 4 && memcmp(text, "==> ", 4) == 0;
}

static bool
is_application(const char *text, size_t size)
{
	size_t mark = strlen(RUN_TAIL_APPLICATION);

	return size >= mark && memcmp(text, RUN_TAIL_APPLICATION, mark) == 0;
}

/* Makes a line of text[0, size); false when it is not to be shown. */
static bool
line_make(struct line *ret, const char *text, size_t size, bool without_steps)
{
	size_t cut;

	while (size > 0 && text[size - 1] == ' ')
		size--;
	if (size == 0 || (without_steps && is_step(text, size)) || is_application(text, size))
		return false;
	cut = text_cut(text, size, RUN_TAIL_LINE);
	ret->text = text;
	ret->is_cut = cut < size;
	ret->size = ret->is_cut ? text_cut(text, size, RUN_TAIL_LINE - strlen(ELLIPSIS)) : size;
	return true;
}

/* The last lines that fit, the last first. */
static size_t
lines_find(
    const struct buf *text, const struct run_tail_shape *shape, struct line lines[RUN_TAIL_LINES])
{
	const char *all = buf_text(text);
	size_t end = text->size, n = 0, used = 0;

	while (end > 0 && n < shape->max_lines && n < RUN_TAIL_LINES) {
		const char *before = memrchr(all, '\n', end);
		size_t start = before == NULL ? 0 : (size_t)(before - all) + 1;

		if (line_make(&lines[n], all + start, end - start, shape->without_steps)) {
			used += (n > 0 ? 1 : 0) + lines[n].size +
			    (lines[n].is_cut ? strlen(ELLIPSIS) : 0);
			if (used > shape->max_bytes)
				break;
			n++;
		}
		if (shape->of_one_step && n > 0 && is_step(all + start, end - start))
			break;
		end = start > 0 ? start - 1 : 0;
	}
	return n;
}

void
run_tail_of(const struct run_tail_bytes *bytes, struct redact *redact,
    const struct run_tail_shape *shape, struct buf *out)
{
	/* A mark is hardly longer than what it stands for: REDACT_VALUE_MIN sees to that. */
	CLEANUP(buf_done) struct buf safe = buf_make(bytes->size + 64);
	struct line lines[RUN_TAIL_LINES];

	run_tail_plain(bytes, redact, &safe);
	shorten_lines(&safe);
	for (size_t i = lines_find(&safe, shape, lines); i > 0; i--) {
		buf_add(out, lines[i - 1].text, lines[i - 1].size);
		if (lines[i - 1].is_cut)
			buf_adds(out, ELLIPSIS);
		if (i > 1)
			buf_addc(out, '\n');
	}
}

static bool
is_end_of_migration(const char *text, size_t size)
{
	static const char ran[] = "==> migrated";

	return size == strlen(ran) && memcmp(text, ran, size) == 0;
}

void
run_tail_application_of(const struct run_tail_bytes *bytes, struct redact *redact,
    const struct run_tail_shape *shape, struct buf *out)
{
	const char *at = bytes->data, *end = bytes->data + bytes->size, *stop;
	CLEANUP(buf_done) struct buf lines = buf_make(bytes->size + 1);
	struct run_tail_bytes found = { 0 };

	for (; at < end && (stop = memchr(at, '\n', (size_t)(end - at))) != NULL; at = stop + 1) {
		if (is_end_of_migration(at, (size_t)(stop - at)))
			buf_clear(&lines); /* it did well: what failed came behind it */
		if (!is_application(at, (size_t)(stop - at)))
			continue;
		at += strlen(RUN_TAIL_APPLICATION);
		at += *at == ' ' ? 1 : 0;
		buf_add(&lines, at, (size_t)(stop - at) + 1);
	}
	found.data = buf_text(&lines);
	found.size = lines.size;
	run_tail_of(&found, redact, shape, out);
	buf_fail_like(out, &lines);
}

/* --- the file ----------------------------------------------------------------------------- */

/* The log's last bytes; false with ERR_MISSING where there is no log. */
static bool
read_file(const struct run_tail_log *of, char data[RUN_TAIL_READ], struct run_tail_bytes *ret,
    struct err *err)
{
	uint64_t size = 0;
	CLEANUP(file_closep)
	int log = run_files_open_log(of->state_directory, of->run, &size, err);
	off_t from = size > RUN_TAIL_READ ? (off_t)(size - RUN_TAIL_READ) : 0;
	ssize_t got;

	if (log < 0)
		return false;
	got = pread(log, data, RUN_TAIL_READ, from);
	if (got < 0)
		return err_errno(err, ERR_IO, errno, "reading a run's log");
	ret->data = data;
	ret->size = (size_t)got;
	ret->is_cut = from > 0;
	ret->is_growing = true;
	return true;
}

static bool
read_end(const struct run_tail_log *of, char data[RUN_TAIL_READ], struct run_tail_bytes *ret,
    struct err *err)
{
	if (of->said == NULL)
		return read_file(of, data, ret, err);
	*ret = *of->said;
	return true;
}

bool
run_tail_read(const struct run_tail_log *log, const struct run_tail_shape *shape, struct buf *out,
    struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct run_tail_bytes bytes;
	char data[RUN_TAIL_READ];

	if (read_end(log, data, &bytes, &why)) {
		run_tail_of(&bytes, log->redact, shape, out);
		return true;
	}
	return why.code == ERR_MISSING || err_set(err, why.code, "%s", why.text);
}

/* Of a run that prints no more. */
static void
read_all(const struct run_tail_log *log, const struct run_tail_shape *shape, struct buf *out)
{
	struct run_tail_bytes bytes;
	char data[RUN_TAIL_READ];

	if (!read_end(log, data, &bytes, NULL))
		return;
	bytes.is_growing = false;
	run_tail_of(&bytes, log->redact, shape, out);
}

void
run_tail_last(const struct run_tail_log *log, char *out, size_t room)
{
	const struct run_tail_shape shape = { 1, RUN_TAIL_LINE, true, false };
	CLEANUP(buf_done) struct buf line = buf_make(RUN_TAIL_LINE);

	read_all(log, &shape, &line);
	(void)clean_line(out, room, buf_text(&line), line.size);
}

void
run_tail_end(const struct run_tail_log *log, bool of_one_step, char *out, size_t room)
{
	const struct run_tail_shape shape = { RUN_TAIL_SHOWN, room - 1, true, of_one_step };
	CLEANUP(buf_done) struct buf lines = buf_make(room - 1);

	read_all(log, &shape, &lines);
	if (!text_copy(out, room, buf_text(&lines)))
		out[0] = '\0';
}

/* From a line's beginning on: what is cut may be the half of a secret. */
static void
read_application(int log, off_t from, char data[RUN_TAIL_READ_FIRST], struct redact *redact,
    const struct run_tail_shape *shape, struct buf *out)
{
	ssize_t got = pread(log, data, RUN_TAIL_READ_FIRST, from);
	const char *line = got <= 0 || from == 0 ? data : memchr(data, '\n', (size_t)got);
	struct run_tail_bytes bytes = { .data = line };

	if (got <= 0 || line == NULL)
		return;
	bytes.size = (size_t)got - (size_t)(line - data);
	run_tail_application_of(&bytes, redact, shape, out);
}

void
run_tail_application(const struct run_tail_log *log, bool of_its_end, char *out, size_t room)
{
	const struct run_tail_shape shape = { RUN_TAIL_SHOWN_APPLICATION, room - 1, false, false };
	uint64_t size = 0;
	CLEANUP(file_closep)
	int fd = log->said != NULL ?
	    -1 :
	    run_files_open_log(log->state_directory, log->run, &size, NULL);
	CLEANUP(freep) char *data = fd < 0 ? NULL : mem_alloc(RUN_TAIL_READ_FIRST);
	CLEANUP(buf_done) struct buf lines = buf_make(room - 1);

	if (log->said != NULL)
		run_tail_application_of(log->said, log->redact, &shape, &lines);
	if (data != NULL && !(of_its_end && size > RUN_TAIL_READ_FIRST))
		read_application(fd, 0, data, log->redact, &shape, &lines);
	if (data != NULL && lines.size == 0 && size > RUN_TAIL_READ_FIRST)
		read_application(
		    fd, (off_t)(size - RUN_TAIL_READ_FIRST), data, log->redact, &shape, &lines);
	if (buf_failed(&lines) || !text_copy(out, room, buf_text(&lines)))
		out[0] = '\0';
}
