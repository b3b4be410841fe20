/* run_tail.h - the last lines of a run's log, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;
struct redact;

#define RUN_TAIL_READ  16384 /* bytes of the log's end that are read */
#define RUN_TAIL_READ_FIRST 131072 /* of its beginning, or end, for what the application logged */
#define RUN_TAIL_SHOWN_APPLICATION 20 /* the most that FAILURE_LOG_LINES says */
#define RUN_TAIL_LINES 100
#define RUN_TAIL_LINE  200 /* bytes of a line; longer is cut, with "…" */

struct run_tail_shape {
	unsigned max_lines; /* RUN_TAIL_LINES at most */
	size_t max_bytes;   /* of all, with the '\n' between two */
	bool without_steps; /* `==> name` is shown elsewhere */
	bool of_one_step;   /* the last that printed anything */
};

/* Bytes at hand: is_cut, they are the end of something longer; is_growing, more will come, and of
 * the last line, where it is not whole, nothing is shown. */
struct run_tail_bytes {
	const char *data;
	size_t size;
	bool is_cut;
	bool is_growing;
};

/* Whose log, and by whose secrets it is redacted. */
struct run_tail_log {
	const char *state_directory;
	int64_t run;
	struct redact *redact;
	const struct run_tail_bytes *said; /* the end of it, of a run elsewhere; NULL: its file */
};

/* Appends the last lines that are not empty, oldest first, no '\n' at the end, cleaned and
 * redacted.  A log that is empty or not there yet: nothing, true. */
bool run_tail_read(const struct run_tail_log *log, const struct run_tail_shape *shape,
    struct buf *out, struct err *err) MUST_USE;

/* Appends what of them may be shown, cleaned and redacted, all lines of it. */
void run_tail_plain(const struct run_tail_bytes *bytes, struct redact *redact, struct buf *out);

void run_tail_of(const struct run_tail_bytes *bytes, struct redact *redact,
    const struct run_tail_shape *shape, struct buf *out);

/* What stands before a line that the application itself logged (deploy/act.sh): it may be its
 * customers', and is no line of ours.  None of the last lines here is one of these. */
#define RUN_TAIL_APPLICATION "|app|"

/* Appends those lines alone, in the same way and without the mark. */
void run_tail_application_of(const struct run_tail_bytes *bytes, struct redact *redact,
    const struct run_tail_shape *shape, struct buf *out);

/* The last of them in what a run has said first, a rollback, or else in its end, a start that
 * failed behind a long build; of_its_end: there alone, a migration that failed.  What stands before
 * the end of a migration that ran is left out.  "": none, or not to be read. */
void run_tail_application(
    const struct run_tail_log *log, bool of_its_end, char *out, size_t room);

/* Where in the end of something longer what may be shown begins: not in the middle of a line, nor
 * of a private key.  `size`: nowhere, all of it is of one line. */
size_t run_tail_safe_start(const char *data, size_t size);

/* The last lines that are no steps, in the same way; of one step: of the last that has any. */
#define RUN_TAIL_SHOWN 12
void run_tail_end(const struct run_tail_log *log, bool of_one_step, char *out, size_t room);

/* The last line that is no step, or "" (also when it cannot be read). */
void run_tail_last(const struct run_tail_log *log, char *out, size_t room);
