/* run_piece.c - a run's log from some place on, a piece at a time, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_piece.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "runs/run_clean.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"

/* Up to the end of its last line; a line that is longer than all that is read is taken as it is. */
static size_t
whole_lines(const char *data, size_t size, bool is_ended)
{
	const char *end = memrchr(data, '\n', size);

	if (is_ended || (end == NULL && size == RUN_PIECE))
		return size;
	return end == NULL ? 0 : (size_t)(end - data) + 1;
}

/* A private key may have begun in the piece before: the newline that every piece begins behind
 * shows run_tail_safe_start() that no line is cut. */
static void
make_safe(const char *data, size_t size, struct redact *redact, struct buf *out)
{
	struct run_clean clean;
	struct buf plain;
	size_t start;

	buf_init(&plain, size + 2);
	run_clean_init(&clean);
	run_clean_add(&clean, "\n", 1, &plain);
	run_clean_add(&clean, data, size, &plain);
	run_clean_end(&clean, &plain);
	start = run_tail_safe_start(buf_text(&plain), plain.size);
	redact_text(redact, buf_text(&plain) + start, plain.size - start, out);
	if (buf_failed(&plain))
		out->failed = true;
	buf_done(&plain);
}

bool
run_piece_read(const char *state_directory, int64_t run, int64_t offset, bool is_ended,
    struct redact *redact, struct buf *out, int64_t *ret_next, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	char data[RUN_PIECE];
	uint64_t size = 0;
	int log = run_files_open_log(state_directory, run, &size, &why);
	ssize_t got;

	*ret_next = offset;
	if (log < 0)
		return why.code == ERR_MISSING || err_set(err, why.code, "%s", why.text);
	got = pread(log, data, sizeof(data), (off_t)offset);
	if (got < 0)
		(void)err_errno(err, ERR_IO, errno, "reading a run's log");
	(void)close(log); /* only read from */
	if (got <= 0)
		return got == 0;
	size = whole_lines(data, (size_t)got, is_ended && (uint64_t)offset + (uint64_t)got >= size);
	*ret_next = offset + (int64_t)size;
	if (size > 0)
		make_safe(data, size, redact, out);
	return true;
}
