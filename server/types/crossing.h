/* crossing.h - the one place where the two threads meet.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *     loop ── crossing_submit(event) ──▶ store        store ── crossing_put(outcome) ──▶ loop
 *
 * Every struct has one owner and crosses whole.
 */
#pragma once

#include "types/effect.h"
#include "types/host.h"
#include "types/known_peers.h"
#include "types/state_file.h"
#include "types/token.h"

enum outcome_kind {
	OUTCOME_ANSWER,	  /* call done(ctx, &answer) */
	OUTCOME_EFFECT,	  /* perform it */
	OUTCOME_CHANGE,	  /* a SEND_MESSAGE in hand says this now */
	OUTCOME_WITHDRAW, /* forget effect `id`: its row is gone, its result finds nothing */
	OUTCOME_METRIC,	  /* count it in the metrics */
	OUTCOME_GAUGES,	  /* what is the case now */
	OUTCOME_TOKENS,	  /* which tokens there are now */
	OUTCOME_PEERS,	  /* which agents and remote runners are enrolled now */
	OUTCOME_STATE,	  /* what remote runners' scripts are to see of an environment now */
	OUTCOME_NEWS,	  /* something of an environment or work has changed */
	OUTCOME_FATAL,	  /* a flush failed: stop the program, at once */
};

enum metric_increment_kind {
	INCREMENT_DEPLOYMENT, /* label: environment, trigger, outcome; value: seconds */
	INCREMENT_CHANGE,     /* label: environment; live, failed, or rolled_back (of live ones) */
	INCREMENT_ACTION,     /* label: target, action, outcome */
	INCREMENT_COMMAND,    /* label: command, outcome */
	INCREMENT_AUDIT,      /* an entry was written */
	INCREMENT_AUDIT_EXPORT_FAILED,
	INCREMENT_JOB_REFUSED, /* label: why, as route_job.h has it */
	INCREMENT_OPA, /* label: what it answered: yes, no, none */
	INCREMENT_BAKE_UNKNOWN, /* label: environment */
	INCREMENT_NOTIFY, /* label: destination, sent or failed */
	INCREMENT_POLL_ROUND, /* value: seconds between two polls of each repository */
	INCREMENT_COMMIT,     /* value: seconds that a commit took */
	INCREMENT_SECRET_PREVIOUS, /* label: application, secret */
	INCREMENT_SECRET_OLDEST, /* value: since when it is in force, wall seconds; 0: none is */
};

struct metric_increment {
	enum metric_increment_kind kind;
	char label[3][LIMIT_ENVIRONMENT];
	double value;
};

struct environment_gauge {
	char name[LIMIT_ENVIRONMENT];
	bool has_worked;  /* something was asked for there */
	unsigned trigger; /* enum trigger of what was asked for there last */
	bool is_busy;
	bool is_unacknowledged; /* a rollback that nobody has seen, nor answered with a release */
	int left_hosts;		/* that a rollback has left out, and no release reached since */
	bool has_hosts;		/* it is released to in waves: how many are in each state */
	int64_t hosts[HOST_STATE_COUNT];
	int64_t hosts_behind;	/* of those: they do not run what is live, or may not */
	bool is_down;		/* a release failed there, and so did its rollback */
	bool has_failed;	/* of those that ran, the one that ended last failed */
	bool is_locked;
	bool is_frozen;
	int64_t busy_since;	   /* wall ms; 0: it is not busy */
	int64_t released_at;	   /* wall ms; 0: nothing is live */
	int64_t poll_failing_since; /* wall ms; 0: git answers polls of its repository */
	char commit[LIMIT_COMMIT]; /* live; "" none */
	char subject[64];	   /* of it, cut: there may be thousands */
	char by[LIMIT_PERSON];	   /* who released it */
};

struct gauges {
	int64_t outbox_pending;
	int64_t audit_entries;
	int64_t missing_since;		/* wall ms: GitHub could not deliver it; 0: none is */
	bool has_witness;		/* AUDIT_S3_BUCKET is set */
	int64_t unwitnessed;		/* entries that are not confirmed outside */
	int64_t unwitnessed_since;	/* wall ms of the oldest of them; 0: none */
	bool is_all;	       /* all that the settings name, and no others are there any more */
	size_t n_environments; /* else those that changed */
	struct environment_gauge *environment; /* owned */
};

/* That something has changed, never what. */
struct news {
	char environment[LIMIT_ENVIRONMENT]; /* or client/acme; "": of more than one */
	int64_t work;			     /* 0: none */
};

struct outcome {
	struct queue_link link;
	enum outcome_kind kind;
	event_done *done; /* OUTCOME_ANSWER */
	void *done_ctx;
	struct answer answer;
	struct effect *effect; /* OUTCOME_EFFECT, OUTCOME_CHANGE; owned */
	int64_t withdraw;      /* OUTCOME_WITHDRAW */
	struct metric_increment increment;
	struct gauges *gauges; /* owned */
	struct known_tokens *tokens; /* owned */
	struct known_peers *peers;   /* one reference */
	struct state_file *state;    /* owned */
	struct news news;
};

struct outcome *outcome_new(enum outcome_kind kind) MUST_USE;
void outcome_free(struct outcome *outcome);
void outcome_free_all(struct queue_list *outcomes); /* empties the list */

struct crossing;

/* wake_loop is called from the store's thread whenever outcomes came and the loop had none. */
struct crossing *crossing_new(void (*wake_loop)(void *ctx), void *ctx) MUST_USE;
void crossing_free(struct crossing *crossing);

/*
 * Loop → store.  Takes the event.  One from outside is refused when LIMIT_EVENTS wait or the
 * store is closed: false, the event stays the caller's, who answers 503 with Retry-After.
 * One of our own (not event_is_from_outside()) is always taken.
 */
bool crossing_submit(struct crossing *crossing, struct event *event) MUST_USE;

/* Store: waits until events are there and moves at most `max` of them, oldest first, behind what
 * is in *ret_list.  True with nothing added: timeout_ms (< 0: none) went by.  False: the crossing
 * was closed and is empty. */
bool crossing_take_events(
    struct crossing *crossing, struct queue_list *ret_list, size_t max, int timeout_ms);

/* Store → loop.  Takes the outcomes, all at once. */
void crossing_put(struct crossing *crossing, struct queue_list *outcomes);

/* Loop: moves everything that is there into *ret_list; false when there was nothing. */
bool crossing_take_outcomes(struct crossing *crossing, struct queue_list *ret_list);

/* No event is taken any more; the store drains what is there and crossing_take_events ends. */
void crossing_close(struct crossing *crossing);
