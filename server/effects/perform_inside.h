/* perform_inside.h - what performers share: an effect that waits, its timer and its back-off.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * What waits for an answer, a time or a turn (run, git query, probe, timer, purge, witness,
 * Cloudflare, GitHub, an application's log) embeds a perform_job as the first member of its own
 * storage, which is in perform->jobs until it ends.  The others hold nothing: runs/ and telegram/
 * do, and free it with themselves.
 */
#pragma once

#include "effects/perform.h"

#define PERFORM_JOB_MAGIC 0x4a6f6231u

typedef void perform_due_fn(struct perform_job *job);

/* Lets go what it waits for and frees all of it, its effect too. */
typedef void perform_end_fn(struct perform_job *job);

struct perform_job {
	unsigned magic;
	struct perform_job *next;	/* in perform->jobs: oldest first */
	struct perform *perform;
	struct effect *effect;
	perform_due_fn *due;		/* its time has come; NULL: it waits for none */
	perform_end_fn *end;		/* NULL: another room has it, and frees it */
	struct loop_timer timer;
	int64_t pause_ms;		/* the next one; 0: none yet */
};

/* --- an effect that waits --- */

/* Links a job that has storage already; takes the effect. */
void perform_job_init(struct perform_job *job, struct perform *perform, struct effect *effect,
    perform_due_fn *due, perform_end_fn *end);

/* The same, with `size` bytes from the heap, all else in them zero. */
void *perform_job_new(size_t size, struct perform *perform, struct effect *effect,
    perform_due_fn *due, perform_end_fn *end) MUST_USE;

/* Calls due() in so many milliseconds, never at once.  Not of one without. */
void perform_job_wait(struct perform_job *job, int64_t ms);

/* A pause for the next try: a second, then twice as much each time up to `most_ms`, a quarter more
 * or less by chance, so that what failed together does not come back together. */
int64_t perform_job_pause(struct perform_job *job, int64_t most_ms);

/* Unlinks it and stops its timer; its storage and the effect (returned) are the caller's. */
struct effect *perform_job_end(struct perform_job *job);

/* The same, and frees storage that perform_job_new() gave. */
struct effect *perform_job_free(struct perform_job *job);

/* The `end` of a job from the heap that holds nothing besides its effect. */
perform_end_fn perform_job_drop;

/* The oldest of that kind, `after` that one (NULL: of all); NULL: none. */
struct perform_job *perform_job_find(const struct perform *perform, enum effect_kind kind,
    const struct perform_job *after);

/* --- what is sent to Telegram --- */

/* Ends it; "": it was done; NULL: the program ends, and the row stays to be performed after the
 * start. */
void perform_sent(struct effect *effect, const char *failure);

/* A run whose order was put off is refused instead: its end is requested.  Any other is left
 * alone. */
void perform_run_cancel(struct perform *perform, int64_t run);
