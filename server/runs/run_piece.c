/* run_piece.c - a run's log from some place on, a piece at a time, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_piece.h"

#include <errno.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/redact.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"

/* What is shown of a piece. */
struct shown {
	const char *data;
	size_t before; /* bytes of data that stand before it */
	size_t size;   /* of data; first all that was read, then up to the end of its last line */
	bool is_cut;   /* its last line is longer than a piece */
};

static void
end_at_line(struct shown *piece, bool is_ended)
{
	const char *from = piece->data + piece->before;
	const char *end = memrchr(from, '\n', piece->size - piece->before);

	if (end != NULL && !is_ended)
		piece->size = (size_t)(end - piece->data) + 1;
	else if (end == NULL && !is_ended && piece->size - piece->before == RUN_PIECE)
		piece->is_cut = true;
	else if (!is_ended)
		piece->size = piece->before;
}

/* Who asks says where it begins: the rest of a line may be the rest of a secret. */
static size_t
first_line(const struct shown *piece)
{
	const char *line = piece->data + piece->before;

	if (piece->before == 0 || line[-1] == '\n')
		return piece->before;
	line = memchr(line, '\n', piece->size - piece->before);
	return line == NULL ? piece->size : (size_t)(line - piece->data) + 1;
}

/* A private key has begun before start, and its end has not been printed yet. */
static bool
is_in_key(const struct shown *piece, size_t start)
{
	static const char begin[] = "-----BEGIN ", finish[] = "-----END ";
	const char *at = piece->data, *end = piece->data + start, *key = NULL;

	while ((at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL)
		key = at++;
	return key != NULL &&
	    memmem(key, (size_t)(piece->data + piece->size - key), finish, strlen(finish)) == NULL;
}

static void
show(const struct shown *piece, struct redact *redact, struct buf *out)
{
	size_t start = first_line(piece), newline = start > 0 ? 1 : 0;
	const struct run_tail_bytes bytes = {
		.data = piece->data + start - newline,
		.size = piece->size - start + newline,
		.is_cut = start > 0, /* behind a newline; a private key may have begun before it */
	};

	if (start == piece->size || is_in_key(piece, start))
		return;
	if (piece->is_cut) /* what a secret begins with may stand at its end */
		buf_adds(out, "\xe2\x80\xa6\n");
	else
		run_tail_plain(&bytes, redact, out);
}

size_t
run_piece_before(int64_t offset)
{
	return offset < REDACT_VALUE_MAX ? (size_t)offset : REDACT_VALUE_MAX;
}

int64_t
run_piece_show(
    const struct run_piece *piece, int64_t offset, struct redact *redact, struct buf *out)
{
	size_t before = run_piece_before(offset), most = before + RUN_PIECE;
	struct shown shown = { .data = piece->data,
		.before = before,
		.size = piece->size < most ? piece->size : most };
	int64_t end = offset + (int64_t)shown.size - (int64_t)before;

	if (shown.size <= before)
		return offset;
	end_at_line(&shown, piece->is_ended && end >= piece->log_size);
	show(&shown, redact, out);
	return offset + (int64_t)(shown.size - before);
}

bool
run_piece_read(const struct run_tail_log *of, int64_t offset, bool is_ended, struct buf *out,
    int64_t *ret_next, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	char data[REDACT_VALUE_MAX + RUN_PIECE];
	size_t before = run_piece_before(offset);
	uint64_t size = 0;
	CLEANUP(file_closep)
	int log = run_files_open_log(of->state_directory, of->run, &size, &why);
	ssize_t got;

	*ret_next = offset;
	if (log < 0)
		return why.code == ERR_MISSING || err_set(err, why.code, "%s", why.text);
	got = pread(log, data, before + RUN_PIECE, (off_t)(offset - (int64_t)before));
	if (got < 0)
		return err_errno(err, ERR_IO, errno, "reading a run's log");
	*ret_next =
	    run_piece_show(&(struct run_piece){ data, (size_t)got, (int64_t)size, is_ended },
		offset, of->redact, out);
	return true;
}
