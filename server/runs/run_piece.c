/* run_piece.c - a run's log from some place on, a piece at a time, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_piece.h"

#include <errno.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"

/* What was read: what stands before the piece, and the piece. */
struct piece {
	char data[REDACT_VALUE_MAX + RUN_PIECE];
	size_t before; /* bytes of data that stand before it */
	size_t size;   /* of data; first all that was read, then up to the end of its last line */
	bool is_cut;   /* its last line is longer than a piece */
};

static bool
read_piece(int log, int64_t offset, struct piece *ret, struct err *err)
{
	ssize_t got;

	ret->before = offset < REDACT_VALUE_MAX ? (size_t)offset : REDACT_VALUE_MAX;
	got = pread(log, ret->data, ret->before + RUN_PIECE, offset - (off_t)ret->before);
	if (got < 0)
		return err_errno(err, ERR_IO, errno, "reading a run's log");
	ret->size = (size_t)got < ret->before ? ret->before : (size_t)got;
	return true;
}

static void
end_at_line(struct piece *piece, bool is_ended)
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
first_line(const struct piece *piece)
{
	const char *line = piece->data + piece->before;

	if (piece->before == 0 || line[-1] == '\n')
		return piece->before;
	line = memchr(line, '\n', piece->size - piece->before);
	return line == NULL ? piece->size : (size_t)(line - piece->data) + 1;
}

/* A private key has begun before start, and its end has not been printed yet. */
static bool
is_in_key(const struct piece *piece, size_t start)
{
	static const char begin[] = "-----BEGIN ", finish[] = "-----END ";
	const char *at = piece->data, *end = piece->data + start, *key = NULL;

	while ((at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL)
		key = at++;
	return key != NULL &&
	    memmem(key, (size_t)(piece->data + piece->size - key), finish, strlen(finish)) == NULL;
}

static void
show(const struct piece *piece, struct redact *redact, struct buf *out)
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

bool
run_piece_read(const struct run_tail_log *of, int64_t offset, bool is_ended, struct buf *out,
    int64_t *ret_next, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct piece piece = { .is_cut = false };
	uint64_t size = 0;
	int log = run_files_open_log(of->state_directory, of->run, &size, &why);
	bool is_read;

	*ret_next = offset;
	if (log < 0)
		return why.code == ERR_MISSING || err_set(err, why.code, "%s", why.text);
	is_read = read_piece(log, offset, &piece, err);
	(void)close(log); /* only read from */
	if (!is_read || piece.size == piece.before)
		return is_read;
	end_at_line(&piece, is_ended && (uint64_t)offset + piece.size - piece.before >= size);
	*ret_next = offset + (int64_t)(piece.size - piece.before);
	show(&piece, of->redact, out);
	return true;
}
