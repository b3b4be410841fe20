/* run_tail.h - the last lines of a run's log, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef RUN_TAIL_H
#define RUN_TAIL_H

#include <stdint.h>

#include "lib/base.h"

struct buf;
struct err;
struct redact;

#define RUN_TAIL_READ	16384	/* bytes of the log's end that are read */
#define RUN_TAIL_LINE	200	/* bytes of a line; longer is cut, with "…" */

/* Appends the last lines that are not empty (at most max_lines, at most max_bytes in all, one '\n'
 * between two, none at the end), cleaned and redacted, without `==> step` lines when
 * without_steps.  A log that is empty or not there yet: nothing, true. */
bool run_tail_read(const char *state_directory, int64_t run, struct redact *redact,
    unsigned max_lines, size_t max_bytes, bool without_steps, struct buf *out, struct err *err)
    MUST_USE;

/* The same of bytes at hand; `is_cut`: they are the end of something longer. */
void run_tail_of(const char *data, size_t size, bool is_cut, struct redact *redact,
    unsigned max_lines, size_t max_bytes, bool without_steps, struct buf *out);

/* The last line, or "" (also when it cannot be read). */
void run_tail_last(const char *state_directory, int64_t run, struct redact *redact, char *out,
    size_t room);

#endif
