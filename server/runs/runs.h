/* runs.h - runs and git queries: ordered, followed to their end.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Starts one thing, the runner; starts it again when it dies (a run does not notice: its supervisor
 * is its parent).  Each open run is followed over its supervisor's socket; when that closes without
 * an exit record the runner is asked what became of it.  All of it is the loop's; callbacks come
 * from the loop and never inside a call of this module.
 */
#pragma once

#include "runs/run_tail.h"
#include "types/effect.h"

struct agents;
struct loop;
struct redact;
struct runner_child;
struct runs;

struct runs_config {
	/* settings->runner_socket says whether the runner is a service: then nothing is started. */
	struct runner_child *child;	/* borrowed; NULL: it makes one of what follows */
	const char *runner;		/* path of deploybot-runner; NULL: beside our program */
	const char *env_file;		/* handed to it; NULL: none */
	/* state_directory, and which variables are the runner's */
	struct settings *settings;
	struct redact *redact;		/* borrowed; NULL: known shapes only */
	unsigned grace_s;		/* between TERM and KILL; 0: 10 */
	uint64_t epoch;		/* in which we lead; 0: there is one server */
	const char *installation; /* said with each order; borrowed, NULL: none is */
	unsigned answer_s;	/* a runner silent for so long is given up; 0: 60 */
	bool is_quiet;		/* callbacks alone say what is wrong with the runner */
	struct agents *agents;	/* that have runs too; borrowed, NULL: there are none */
	/* Who is asked about that environment, as runs have it.  NULL: about all the local one. */
	const char *(*runner_of)(void *ctx, const char *environment);
	/* Is that the own runner of another server?  NULL: there is none. */
	bool (*is_others)(void *ctx, const char *runner);
	/* Agents by which that environment is released ("acme,beta"), and by how many seconds a run
	 * of it may outlive its deadline.  NULL: by none.  May be NULL. */
	const char *(*agents_of)(void *ctx, const char *environment, int64_t *ret_more_s);
	/* The runner said hello: orders go out from now on.  At each start of it; may be NULL. */
	void (*on_ready)(void *ctx);
	/* There is none, since now or still: at every try in vain.  May be NULL. */
	void (*on_away)(void *ctx, const char *why);
	/* It will never work: another version, settings it refuses, or its starter is gone.  Said
	 * once; stop the program with the status of that error. */
	void (*on_fatal)(void *ctx, const struct err *why);
	void *ctx;
};

/* Starts the runner: before any thread and any socket of ours.  NULL and *err when it cannot be
 * started.  The config is copied, what it points at is not (settings: one reference is taken). */
struct runs *runs_start(struct loop *loop, const struct runs_config *config, struct err *err)
    MUST_USE;

/* Closes every socket (the runner ends by itself, runs go on) and frees all.  Whoever follows a run
 * or requests its end is called back by on_dropped, whoever waits for an answer not at all.  Takes
 * NULL. */
void runs_free(struct runs *runs);

/* Runs that are followed and have not ended, without drains and what agents have: nobody waits for
 * one of these. */
size_t runs_open(const struct runs *runs);
struct redact *runs_redact(const struct runs *runs);

/* What run_tail_read() shows of that run; of one elsewhere as of the last time, and while it goes
 * on. */
bool runs_tail(struct runs *runs, int64_t run, const struct run_tail_shape *shape, struct buf *out,
    struct err *err);

/* --- runs --------------------------------------------------------------------------------- */

/* How whoever ordered a run learns of it: hello at most once, steps, incompatible at most once,
 * lost, then ended (or refused) or put off, exactly once (the watch is dead then). */
struct runs_watch {
	/* The script waits at its gate: record this, then runs_go().  Not when the gate is open. */
	void (*on_hello)(void *ctx, const struct run_started *hello);
	/* Sent in order, from 0; after a restart all of them once more. */
	void (*on_step)(void *ctx, const struct run_step *step);
	/* What it said of its hosts, in order, and all before on_ended; after a restart all of it
	 * once more.  The list is borrowed.  NULL: nobody wants to know. */
	void (*on_hosts)(void *ctx, const struct hosts_said *said);
	/* Its supervisor was killed; what it started is being ended.  Once more when that takes
	 * long:  then `stuck` says what hinders it, as far as it is known; before that it is "". */
	void (*on_lost)(void *ctx, const char *stuck);
	/* Its supervisor is of another release, not understood: no hello, no steps until its end.
	 * */
	void (*on_incompatible)(void *ctx);
	/* From the exit record (or refused: nothing runs, nothing was left, `detail` says why; its
	 * list is borrowed). */
	void (*on_ended)(void *ctx, const struct run_ended *ended);
	/* Instead of on_ended: it was refused for a reason that may pass (fork, disk, memory).
	 * Nothing runs, nothing was left: it may be ordered again.  NULL: on_ended, refused. */
	void (*on_put_off)(void *ctx, const char *why);
	/* runs_free(), instead of on_ended: the run is left running.  May be NULL. */
	void (*on_dropped)(void *ctx);
	void *ctx;
};

/* Orders a run, or follows one that is there already: where runs/<id>/ exists it is adopted, or its
 * record read.  `order` is copied (its message is not looked at).  False and *err: ERR_BUSY, the
 * run is followed already; ERR_LIMIT, 64 are. */
bool runs_order(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err) MUST_USE;

/* The same for a run that was ordered before this program started: looks first, orders only where
 * there is no folder. */
bool runs_resume(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err) MUST_USE;

/* Opens the gate: the hello is on disk.  A run that has ended is fine. */
void runs_go(struct runs *runs, int64_t run);

/* A request that a run end; the caller's memory until on_sent or on_dropped. */
struct runs_stop_request {
	struct runs_stop_request *next;
	int64_t run;
	void (*on_sent)(struct runs_stop_request *request);
	/* runs_free(), instead; may be NULL */
	void (*on_dropped)(struct runs_stop_request *request);
	void *ctx;
};

/* Asks a run to end, now or as soon as its supervisor is reached; on_sent when that was sent, or
 * when the run has ended by then.  One that was not ordered yet is refused in the next turn.
 * False: no such run is open, there is nothing to end. */
bool runs_stop_run(struct runs *runs, struct runs_stop_request *request) MUST_USE;

/* --- folders of old runs ------------------------------------------------------------------ */

/* Has its runner remove runs/<run>/, in pieces: between two of them it may do something else.  One
 * at a time; waits for the local runner where it is disconnected.  `failure`: why something
 * of it stays; NULL: it is gone.  False and *err: a remote runner is disconnected. */
typedef void runs_purged_fn(void *ctx, const char *failure);
bool runs_purge(struct runs *runs, const struct effect_purge_run *order, runs_purged_fn *on_purged,
    void *ctx, struct err *err) MUST_USE;
void runs_purge_cancel(struct runs *runs);

/* --- git queries -------------------------------------------------------------------------- */

struct runs_git_query;			/* one in progress */

/* Its texts are borrowed. */
struct runs_answer {
	int exit_status;		/* as in runner/protocol.h */
	bool unreachable;		/* the runner could not be asked */
	const char *text;		/* the body, or why there is none; NUL-terminated */
	size_t size;			/* of it */
	const char *binding;		/* what would ship its environment; NULL: not known */
};
typedef void runs_answer_fn(void *ctx, const struct runs_answer *answer);

/* git fetches still, and how far it is. */
typedef void runs_progress_fn(void *ctx, const char *text);

struct runs_git_query_config {
	const struct effect_git_query *order;	/* copied */
	runs_answer_fn *on_answer;
	runs_progress_fn *on_progress;		/* NULL: nobody wants to know */
	void *ctx;
};

/* Asks; waits for the runner where it is not ready, and is answered `unreachable` when it dies.
 * NULL and *err when RUNS_GIT_QUERIES_MAX are in progress. */
#define RUNS_GIT_QUERIES_MAX	64
struct runs_git_query *runs_git_query_start(struct runs *runs,
    const struct runs_git_query_config *config, struct err *err) MUST_USE;
void runs_git_query_cancel(struct runs *runs, struct runs_git_query *query); /* takes NULL */
