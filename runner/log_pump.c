/* log_pump.c - moves a run's output from its pipe into its log, within a limit.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/log_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/mem.h"

#define LOG_MODE	 0640 /* and the umask: see run_folder.c */
#define DISK_CHECK_EVERY (UINT64_C(4) << 20)
#define TEXT_MAX	 (8 << 20) /* a piece, and what was held back before it: lib/redact.c */

bool
log_pump_open(struct log_pump *ret, int folder, uint64_t limit, struct redact *secrets,
    int *ret_output, struct err *err)
{
	int ends[2];

	*ret = (struct log_pump){ .pipe = -1, .log = -1, .limit = limit };
	buf_init(&ret->text, TEXT_MAX);
	buf_reserve(&ret->text);
	ret->piece = mem_alloc(LOG_PUMP_PIECE);
	step_scan_init(&ret->scan, secrets);
	ret->secrets = redact_stream_new(secrets, true);
	ret->log =
	    openat(folder, "log", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (ret->log == -1)
		return err_errno(err, ERR_IO, errno, "creating the log");
	if (pipe2(ends, O_CLOEXEC) == -1)
		return err_errno(err, ERR_IO, errno, "pipe");
	/* A user over pipe-user-pages-soft is refused: then it stays 64 KB, slower and as right. */
	(void)fcntl(ends[0], F_SETPIPE_SZ, LOG_PUMP_PIPE);
	ret->pipe = ends[0];
	*ret_output = ends[1];
	/* The flag belongs to this end only: programs do not expect EAGAIN from their stdout. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		return err_errno(err, ERR_IO, errno, "pipe");
	return true;
}

void
log_pump_stop(struct log_pump *pump)
{
	if (pump->log != -1)
		(void)close(pump->log);
	pump->log = -1;
}

/* Writes at an offset until it is done or refused; returns what was written. */
static size_t
write_at(const struct log_pump *pump, const char *data, size_t len, uint64_t at, int *ret_errno)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(pump->log, data + done, len - done, (off_t)(at + done));

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			*ret_errno = errno;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

/* Says at the log's end why it ends there.  Where there is no room behind it the last bytes give
 * way: their blocks are there. */
static void
end_with_marker(struct log_pump *pump, const char *why)
{
	char marker[200];
	int len = snprintf(marker, sizeof(marker),
	    "\n[deploybot: the log ends here: %s. The run goes on.]\n", why);
	int error = 0;
	size_t n;

	if (len < 0 || (size_t)len >= sizeof(marker))
		len = sizeof(marker) - 1;
	n = write_at(pump, marker, (size_t)len, pump->size, &error);
	if (n == (size_t)len) {
		pump->size += n;
	} else if (pump->size >= (uint64_t)len) {
		pump->size += n;
		(void)write_at(pump, marker, (size_t)len, pump->size - (uint64_t)len, &error);
	}
	log_pump_stop(pump);
}

static bool
disk_is_nearly_full(const struct log_pump *pump)
{
	uint64_t all, left, reserve = LOG_PUMP_RESERVE;
	struct statvfs fs;

	if (fstatvfs(pump->log, &fs) == -1)
		return false;
	all = (uint64_t)fs.f_blocks * fs.f_frsize;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (reserve > all / 20)
		reserve = all / 20;
	return left < reserve;
}

static void
log_piece(struct log_pump *pump, const char *piece, size_t len)
{
	char why[96], text[64];
	size_t room = len, done;
	int error = 0;

	if (len == 0 || pump->log == -1) /* its end may have come in this very piece */
		return;
	if (pump->size >= pump->check_at) {
		pump->check_at = pump->size + DISK_CHECK_EVERY;
		if (disk_is_nearly_full(pump)) {
			end_with_marker(pump, "the disk is nearly full");
			return;
		}
	}
	if (room > pump->limit - pump->size)
		room = (size_t)(pump->limit - pump->size);
	done = write_at(pump, piece, room, pump->size, &error);
	pump->size += done;
	if (done < room) {
		(void)snprintf(why, sizeof(why), "%s", strerror_r(error, text, sizeof(text)));
		end_with_marker(pump, why);
	} else if (done < len) {
		(void)snprintf(why, sizeof(why), "RUN_LOG_LIMIT of %" PRIu64 " bytes", pump->limit);
		end_with_marker(pump, why);
	}
}

static void
log_text(struct log_pump *pump)
{
	if (buf_failed(&pump->text))
		end_with_marker(pump, "too much of it may be a secret");
	else if (pump->text.size > 0)
		log_piece(pump, pump->text.data, pump->text.size);
	buf_clear(&pump->text);
}

static void
on_kept(void *ctx, const char *data, size_t len)
{
	struct log_pump *pump = ctx;
	size_t passed = pump->text.size == 0 && !buf_failed(&pump->text) ?
	    redact_stream_pass(pump->secrets, data, len) :
	    0;

	log_piece(pump, data, passed);
	redact_stream_add(pump->secrets, data + passed, len - passed, &pump->text);
}

static void
log_output(struct log_pump *pump, size_t len)
{
	quote_lines_feed(&pump->quotes, pump->piece, len, on_kept, pump);
	log_text(pump);
}

void
log_pump_flush(struct log_pump *pump)
{
	if (pump->log == -1)
		return;
	quote_lines_end(&pump->quotes, on_kept, pump);
	redact_stream_end(pump->secrets, &pump->text);
	log_text(pump);
}

enum log_pump_state
log_pump_turn(struct log_pump *pump, step_scan_found *found, void *ctx)
{
	ssize_t n;

	if (pump->pipe == -1)
		return LOG_PUMP_END;
	n = read(pump->pipe, pump->piece, LOG_PUMP_PIECE);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return LOG_PUMP_EMPTY;
	if (n <= 0) {
		log_pump_flush(pump);
		(void)close(pump->pipe);
		pump->pipe = -1;
		return LOG_PUMP_END;
	}
	if (pump->log != -1)
		log_output(pump, (size_t)n);
	step_scan_feed(&pump->scan, pump->piece, (size_t)n, found, ctx);
	return LOG_PUMP_MORE;
}
