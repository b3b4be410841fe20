/* store.h - the database as a synchronous object: a batch of events in, their outcomes out.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * store_thread.h puts a thread around it; tests and the simulator use it without.
 */
#pragma once

#include "store/tx.h"

struct leader_fence;

/* Decides one event; see tx.h. */
typedef void store_handler(struct tx *tx, const struct event *event);

/*
 * Turns event->raw into decided-upon events, appended to *ret_events (each with at, random,
 * settings and done left empty: the store fills them).  false: not readable; *ret_status is what
 * whoever waits is answered, and *ret_events may hold one event that says so to the audit.
 * Pure; called before BEGIN.  *ret_offset: see struct answer.
 */
typedef bool store_decode(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);

#define POISON_FILE "under-way"

struct store_config {
	const char *path;		/* the database file */
	const char *audit_path;		/* AUDIT_LOG_PATH; NULL: no file (tests) */
	int64_t audit_size;		/* its file is closed then; 0: LIMIT_AUDIT_FILE */
	const char *environments_path;	/* folder of the state files; NULL: none */
	store_handler *const *handlers;	/* by enum event_kind */
	store_decode *const *decoders;	/* by enum event_source; NULL where nothing is decoded */
	/* The last place of the key in progress, in a mapped page (poison below); NULL: none. */
	const char *poison_path;
	/* LIMIT_INSTALLATION bytes of the caller's, which store_open() fills; NULL: none. */
	char *installation;
	int64_t *last_run;		/* the number last given, as it opens; NULL: nobody asks */
	bool no_copy;			/* migrate without a copy of the database beside it */
	bool is_restored;		/* a copy: what was open in it may have been done since */
	bool is_moved_back;		/* also one that was moved to another (store_move.h) */
	struct leader_fence *fence;	/* borrowed; NULL: no other server can have the database */
};

/* Opens, checks (only after an unclean end, and of a large file only a part), copies where it has
 * to be migrated, migrates.  NULL: *err says what to do. */
struct store *store_open(const struct store_config *config, struct err *err) MUST_USE;

/* The effects that were open, marked is_recovered, into *ret_outcomes, but for what is too old at
 * `at` (wall ms); once, before the first batch. */
bool store_recover(struct store *store, struct settings *settings, int64_t at,
    struct queue_list *ret_outcomes, struct err *err) MUST_USE;

/*
 * Decides the events in one transaction, each in a savepoint of its own, and appends what came of
 * it to *ret_outcomes: an answer for each event that has done, effects, withdrawals, increments,
 * gauges when they changed.  Takes all events, but when the commit failed: then those from outside
 * are answered 503 and freed, and our own stay in *events to be given again.  Returns false in
 * that case; *err says why.  A failed flush appends OUTCOME_FATAL.  ERR_CHANGED: another server
 * leads, nothing is answered or given back, and the program ends at once.
 */
bool store_batch(struct store *store, struct queue_list *events, struct queue_list *ret_outcomes,
    struct err *err) MUST_USE;

/* While a commit is put off: answers what came from outside 503 and frees it; our own stays in
 * *events, in its order. */
void store_refuse(struct queue_list *events, struct queue_list *ret_outcomes);

/* Has a release changed whose state file is not written yet?  Project before what reports it is
 * handed over: whoever reads of a release in the chat finds it in the file. */
bool store_is_release_unreported(const struct store *store);

/* Writes the projections that the last batches left behind: state files, audit file.  Else call it
 * after the outcomes were handed over, so that no answer waits for it; cheap when nothing is
 * behind.  True: one could not be written, call again soon. */
bool store_project(struct store *store, struct queue_list *ret_outcomes);

/* The log is checkpointed where it holds so many pages: the first commit after that begins it anew
 * and flushes once more, so not after each decision; and a long one is slow to open and to copy. */
#define STORE_LOG_IDLE	256
#define STORE_LOG_BUSY	2048
void store_checkpoint(struct store *store, int pages);

/* At idle: store_project() and store_checkpoint().  True as there. */
bool store_idle(struct store *store, struct queue_list *ret_outcomes);

/*
 * Once, before store_close(): the program ends in order, and of what was handed out for a chat only
 * these messages may stand there without our knowing.  Where that is not said, as after a crash,
 * it may be so of each.  False: it is not said.
 */
bool store_end(struct store *store, const int64_t *unanswered, size_t n, struct err *err) MUST_USE;

/* Checkpoints and closes; accepts NULL. */
void store_close(struct store *store);
