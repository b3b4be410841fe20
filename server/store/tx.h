/* tx.h - one decision: rows read and written in one savepoint.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A tx is sticky: the first statement that fails is remembered, every later call does nothing
 * and returns an empty row, and store_batch() rolls the savepoint back.  So handlers read
 * straight down and never check; what they decided on empty rows is never kept.
 *
 * Row functions live in row_<table>.h.  They never decide; they are the only SQL there is.
 */
#pragma once

#include "lib/err.h"
#include "types/crossing.h"
#include "types/principal.h"
#include "types/settings.h"

struct buf;
struct db;
struct store;
struct tx_factor;

struct tx {
	struct store *store;
	struct db *db;
	const struct event *event;
	const struct settings *settings; /* the event's */
	int64_t at;			 /* the event's wall ms */
	const struct effect *effect; /* a result's (and a fault's): the effect that it closed, as
					 * it was ordered; NULL for every other event */
	int64_t audit_from;	     /* the newest entry that a handler before it has seen */
	uint64_t draws;		     /* random bytes drawn so far */
	struct principal who;	     /* who was looked at last (decide_principal()); id 0: nobody */
	bool costs_nothing;	     /* denied, or answered with "which one?" */
	bool is_toasted;	     /* a press of it has its answer, or gets none: a flood */
	int64_t unshown; /* the work that gets no message of its own by it; 0: each gets one */
	bool has_looks;		     /* queues are marked, to be looked at (row_queue.h) */
	bool failed;
	struct err err;		       /* the first failure */
	const struct job *job; /* of a workflow, which asks for it; NULL: somebody else */
	const struct request *request; /* what is being decided, typed or pressed; NULL: neither */
	int64_t factor_of;	  /* whose second factor was given, as rows say; 0: nobody's */
	struct tx_factor *factor; /* what else a code is about (decide_factor_state.h); or NULL */
	bool has_done;		  /* it has written more than tx_say() writes */
	struct answer answer;	  /* what done() gets; 200 unless a handler says else */
	struct queue_list outcomes; /* effects, withdrawals, increments: out after the commit */
	struct queue_list lines;    /* tx_log's */
};

/* Remember a failure that is not SQL's (a row that must be there). */
void tx_fail(struct tx *tx, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* Remember a failure that may be SQL's, of tx->db: *err says whether it is. */
void tx_fail_with(struct tx *tx, const struct err *err);

/* What the buffer could not take is the tx's failure. */
void tx_check(struct tx *tx, const struct buf *buf);

/* How many rows the last statement changed; 0 once the tx has failed. */
int64_t tx_changed(struct tx *tx);

/* So many random bytes, others at each call; at most 32. */
void tx_draw(struct tx *tx, void *ret, size_t size);

/* An opaque id: 32 hex digits from the event's random bytes, another at each call. */
void tx_draw_id(struct tx *tx, char ret_id[LIMIT_BUTTON_ID]);

void tx_count_metric(struct tx *tx, enum metric_increment_kind kind, const char *label_1,
    const char *label_2, const char *label_3, double value);

/* Something of that environment (or client/acme; "": of several) or work has changed. */
void tx_news(struct tx *tx, const char *environment, int64_t work);

/* A line for the log about this decision: written after the commit, and only then. */
void tx_log(struct tx *tx, enum log_level level, const char *fmt, ...) PRINTF(3, 4);
