/* run_log.h - a run's log made into a document: cleaned, redacted, packed.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * In constant memory and in small steps, so that the loop is never held for more than a few
 * milliseconds:
 *
 *	job = run_log_start(state_directory, log, head, redact, &err);
 *	each turn (loop_defer): switch (run_log_step(job, &err))
 *		RUN_LOG_MORE: again        RUN_LOG_FAILED: run_log_free(job)
 *		RUN_LOG_DONE: fd = run_log_fd(job), size = run_log_size(job); read it with pread();
 *			      run_log_free(job) closes and thereby removes it
 *
 * Up to 1 MB it is plain text, above that gzip; above 45 MB the first and the last part with a line
 * between them that says how much is left out.  What is read is the log as it was at the start.
 */
#pragma once

#include "lib/base.h"

struct redact;
struct run_log_job;

#define RUN_LOG_PLAIN_MAX	(INT64_C(1) << 20)
#define RUN_LOG_WHOLE_MAX	(INT64_C(45) << 20)	/* Telegram takes 50 MB */

enum run_log_state { RUN_LOG_MORE, RUN_LOG_DONE, RUN_LOG_FAILED };

/* Takes log, a regular file, also where it fails.  head: lines before it, "": none; not where the
 * log is empty.  NULL and *err: disk, zlib. */
struct run_log_job *run_log_start(const char *state_directory, int log, const char *head,
    struct redact *redact, struct err *err) MUST_USE;

/* Of a log of that size it reads [0, head) and [tail, size). */
void run_log_parts(int64_t size, int64_t *ret_head, int64_t *ret_tail);

/* A file there that has no name.  -1 and *err; the caller closes it. */
int run_log_nameless(const char *state_directory, struct err *err) MUST_USE;

/* Works for a few milliseconds.  Not after DONE or FAILED. */
enum run_log_state run_log_step(struct run_log_job *job, struct err *err) MUST_USE;

/* After RUN_LOG_DONE.  The descriptor is the job's: it has no name in any folder. */
int run_log_fd(const struct run_log_job *job);
int64_t run_log_size(const struct run_log_job *job);
bool run_log_is_gzip(const struct run_log_job *job);

void run_log_free(struct run_log_job *job); /* takes NULL; at any moment */
DEFINE_FREEP(struct run_log_job, run_log_free)
