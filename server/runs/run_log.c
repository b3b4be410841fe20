/* run_log.c - a run's log made into a document: cleaned, redacted, packed.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "runs/run_clean.h"
#include "runs/run_tail.h"

#define MAGIC	   0x52754c67u
#define PIECE	   32768	       /* read in one step: 1 to 3 ms of work */
#define LINE_BYTES 4000		       /* longer lines are broken: editors choke on them */
#define PART_BYTES (INT64_C(22) << 20) /* of the head, and of the tail, of one too long */

struct run_log_job {
	unsigned magic;
	int log;
	int out;
	int64_t size;	    /* of the log, as it was at the start */
	int64_t at;	    /* what is read next */
	int64_t head_end;   /* where the head ends */
	int64_t tail_start; /* where the tail begins; at head_end where nothing is left out */
	int64_t written;
	bool is_tail_begin; /* the next piece is the tail's first */
	bool is_gzip;
	bool is_done;
	struct redact *redact;
	struct redact_stream *stream;
	struct run_clean clean;
	struct run_wrap wrap;
	z_stream zip;	  /* when is_gzip */
	struct buf plain; /* one piece on its way */
	struct buf safe;
	struct buf text;
	char piece[PIECE];
};

/* --- out of the job ----------------------------------------------------------------------- */

static bool
write_out(struct run_log_job *job, const void *data, size_t size, struct err *err)
{
	if (!file_write_all(job->out, data, size, err))
		return false;
	job->written += (int64_t)size;
	return true;
}

static bool
deflate_out(struct run_log_job *job, int flush, struct err *err)
{
	unsigned char packed[16384];

	job->zip.next_in = (unsigned char *)job->text.data;
	job->zip.avail_in = (unsigned)job->text.size;
	do {
		int state;

		job->zip.next_out = packed;
		job->zip.avail_out = sizeof(packed);
		state = deflate(&job->zip, flush);
		/* BUF_ERROR: nothing was left to do. */
		if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
			return err_set(err, ERR_IO, "packing a log failed (%d)", state);
		if (!write_out(job, packed, sizeof(packed) - job->zip.avail_out, err))
			return false;
	} while (job->zip.avail_out == 0);
	return true;
}

/* Writes what stands in job->text. */
static bool
text_out(struct run_log_job *job, bool is_last, struct err *err)
{
	bool done = buf_check(&job->text, err);

	if (done && job->is_gzip)
		done = deflate_out(job, is_last ? Z_FINISH : Z_NO_FLUSH, err);
	else if (done)
		done = write_out(job, buf_text(&job->text), job->text.size, err);
	buf_clear(&job->text);
	return done;
}

/* --- through the stages: plain → safe → text ---------------------------------------------- */

/* The stages fail by their buffers; text_out() asks the last of them. */
static void
safe_to_text(struct run_log_job *job)
{
	if (buf_failed(&job->plain) || buf_failed(&job->safe))
		job->text.failed = true;
	run_wrap_add(&job->wrap, buf_text(&job->safe), job->safe.size, &job->text);
	buf_clear(&job->safe);
	buf_clear(&job->plain);
}

static void
add_piece(struct run_log_job *job, const char *data, size_t size)
{
	run_clean_add(&job->clean, data, size, &job->plain);
	redact_stream_add(job->stream, buf_text(&job->plain), job->plain.size, &job->safe);
	safe_to_text(job);
}

/* Of the head, which ends with a line, or of all. */
static void
add_end(struct run_log_job *job)
{
	run_clean_end(&job->clean, &job->plain);
	redact_stream_add(job->stream, buf_text(&job->plain), job->plain.size, &job->safe);
	redact_stream_end(job->stream, &job->safe);
	safe_to_text(job);
}

/* The head is over. */
static void
begin_tail(struct run_log_job *job)
{
	char left_out[TEXT_DURATION_SIZE];

	add_end(job);
	redact_stream_free(job->stream);
	job->stream = redact_stream_new(job->redact, false);
	(void)text_bytes(left_out, (uint64_t)(job->tail_start - job->head_end));
	buf_addf(&job->text, "\n\n... %s of the log are left out here ...\n\n", left_out);
	job->wrap.column = 0;
	job->at = job->tail_start;
	job->is_tail_begin = true;
}

/* --- the steps ---------------------------------------------------------------------------- */

static ssize_t
read_piece(struct run_log_job *job)
{
	int64_t end = job->at < job->head_end ? job->head_end : job->size;
	size_t want = end - job->at < PIECE ? (size_t)(end - job->at) : PIECE;

	return want == 0 ? 0 : pread(job->log, job->piece, want, (off_t)job->at);
}

static void
take_piece(struct run_log_job *job, size_t size)
{
	size_t skip = 0;

	if (job->is_tail_begin)
		skip = run_tail_safe_start(job->piece, size);
	job->is_tail_begin = job->is_tail_begin && skip == size; /* of a line that goes on */
	job->at += (int64_t)size;
	add_piece(job, job->piece + skip, size - skip);
}

enum run_log_state
run_log_step(struct run_log_job *job, struct err *err)
{
	ssize_t got;

	OBJ_CHECK(job, MAGIC);
	assert(!job->is_done);
	got = read_piece(job);
	if (got < 0) {
		(void)err_errno(err, ERR_IO, errno, "reading a run's log");
		return RUN_LOG_FAILED;
	}
	if (got > 0)
		take_piece(job, (size_t)got);
	if (got > 0 && job->at == job->head_end && job->head_end < job->tail_start)
		begin_tail(job);
	job->is_done = got == 0 || job->at >= job->size;
	if (job->is_done)
		add_end(job);
	if (!text_out(job, job->is_done, err))
		return RUN_LOG_FAILED;
	return job->is_done ? RUN_LOG_DONE : RUN_LOG_MORE;
}

/* --- beginning and end -------------------------------------------------------------------- */

int
run_log_nameless(const char *state_directory, struct err *err)
{
	char path[4096];
	int fd = open(state_directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* A file system without O_TMPFILE: a name for a moment. */
	if (snprintf(path, sizeof(path), "%s/log-XXXXXX", state_directory) < (int)sizeof(path))
		fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		(void)err_errno(
		    err, ERR_IO, errno, "making a temporary file in %s", state_directory);
	else
		(void)unlink(path); /* it stays as a file nobody reads; nothing depends on it */
	return fd;
}

static bool
open_zip(struct run_log_job *job, struct err *err)
{
	job->is_gzip = job->size > RUN_LOG_PLAIN_MAX;
	/* 16 + 15: gzip's header, the largest window. */
	if (job->is_gzip &&
	    deflateInit2(&job->zip, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		job->is_gzip = false;
		return err_set(err, ERR_BUSY, "zlib cannot pack a log: memory is short");
	}
	return true;
}

/* Where the last line ends that is whole before `end`; what is cut may begin a secret. */
static int64_t
line_end(struct run_log_job *job, int64_t end)
{
	while (end > 0) {
		size_t want = end < PIECE ? (size_t)end : PIECE;
		ssize_t got = pread(job->log, job->piece, want, (off_t)(end - (int64_t)want));
		const char *newline = got <= 0 ? NULL : memrchr(job->piece, '\n', (size_t)got);

		if (newline != NULL)
			return end - (int64_t)want + (newline - job->piece) + 1;
		end -= (int64_t)want;
	}
	return 0;
}

void
run_log_parts(int64_t size, int64_t *ret_head, int64_t *ret_tail)
{
	bool is_whole = size <= RUN_LOG_WHOLE_MAX;

	*ret_head = is_whole ? size : PART_BYTES;
	*ret_tail = is_whole ? size : size - PART_BYTES;
}

static bool
open_all(struct run_log_job *job, const char *state_directory, struct err *err)
{
	job->size = lseek(job->log, 0, SEEK_END);
	if (job->size < 0)
		return err_errno(err, ERR_IO, errno, "reading a run's log");
	run_log_parts(job->size, &job->head_end, &job->tail_start);
	if (job->head_end < job->tail_start)
		job->head_end = line_end(job, job->head_end);
	job->out = run_log_nameless(state_directory, err);
	if (job->out < 0)
		return false;
	job->stream = redact_stream_new(job->redact, false);
	return open_zip(job, err);
}

struct run_log_job *
run_log_start(
    const char *state_directory, int log, const char *head, struct redact *redact, struct err *err)
{
	struct run_log_job *job = mem_new(1, sizeof(*job));

	job->magic = MAGIC;
	job->log = log;
	job->out = -1;
	job->redact = redact;
	job->wrap.max = LINE_BYTES;
	/* A stage may pass on what an earlier piece left in it: a line, what was held back. */
	buf_init(&job->plain, PIECE + RUN_CLEAN_LINE + 64);
	buf_init(&job->safe, 4 * PIECE);
	buf_init(&job->text, 8 * PIECE);
	run_clean_init(&job->clean);
	if (!open_all(job, state_directory, err)) {
		run_log_free(job);
		return NULL;
	}
	if (head[0] != '\0' && job->size > 0) {
		add_piece(job, head, strlen(head));
		add_piece(job, "\n\n", 2);
	}
	return job;
}

int
run_log_fd(const struct run_log_job *job)
{
	OBJ_CHECK(job, MAGIC);
	assert(job->is_done);
	return job->out;
}

int64_t
run_log_size(const struct run_log_job *job)
{
	OBJ_CHECK(job, MAGIC);
	return job->written;
}

bool
run_log_is_gzip(const struct run_log_job *job)
{
	OBJ_CHECK(job, MAGIC);
	return job->is_gzip;
}

void
run_log_free(struct run_log_job *job)
{
	if (job == NULL)
		return;
	OBJ_CHECK(job, MAGIC);
	if (job->is_gzip)
		(void)deflateEnd(&job->zip); /* DATA_ERROR only says that it was not finished */
	redact_stream_free(job->stream);
	buf_done(&job->plain);
	buf_done(&job->safe);
	buf_done(&job->text);
	if (job->out >= 0)
		close(job->out);
	if (job->log >= 0)
		close(job->log);
	job->magic = 0;
	free(job);
}
