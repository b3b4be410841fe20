/* hold.h - what locks and freezes keep from starting: facts in, verdict out.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A hold is a lock of one environment, a freeze that somebody began, a window of the settings, or
 * that entries of the audit wait for their witness for too long (AUDIT_WITNESS_MAX_MINUTES).
 * It keeps back what would put something new there: deployments and actions, of people and of
 * pushes.  Never a rollback, a cancel, /status, or what ends it.
 */
#pragma once

#include "policy/policy.h"
#include "types/message.h"

/* K(name, word on disk and in /v1, what it is then, why nothing starts).  The last two have no
 * row. */
#define HOLD_KINDS(K) \
	K(LOCK, "lock", "locked", "it is locked") \
	K(FREEZE, "freeze", "frozen", "it is frozen") \
	K(WINDOW, "window", "frozen", "it is frozen") \
	K(WITNESS, "witness", "the audit log's copy is late", \
	    "the audit log's copy is late")

enum hold_kind {
#define K(name, ...) HOLD_##name,
	HOLD_KINDS(K)
#undef K
	    HOLD_KIND_COUNT
};

#define HOLD_ALL    "*/*"
#define HOLD_REASON 200 /* bytes with the NUL */

struct hold {
	int64_t id; /* 0: a window */
	enum hold_kind kind;
	char target[LIMIT_ENVIRONMENT]; /* "shop/staging"; a freeze's also that of
					   hold_targets() */
	int64_t person;
	char by[LIMIT_PERSON]; /* "@ada"; a window: the name of its setting */
	char reason[HOLD_REASON];
	int64_t at;		     /* wall ms; 0: not known */
	int64_t until;		     /* wall ms; 0: until somebody ends it */
	struct chat_address address; /* where it was begun, by the message `request` there */
	int64_t request;
	int64_t asked_at; /* its owner was asked to end it, by somebody there */
	struct chat_address asked;
};

struct windows;
struct zone;

/* Those of one environment at one moment: its lock first, then freezes, the latest end first. */
#define HOLDS_MAX 16
struct holds {
	size_t n;
	struct hold at[HOLDS_MAX];
	const struct zone *zone; /* TIMEZONE, in which their ends are said */
	const char *zone_name;
	const struct windows *windows; /* the environment's; NULL: none */
};

/* What wants to start there. */
struct hold_work {
	enum policy_action action;
	int64_t requester;   /* a person; 0: a push */
	int64_t confirmer;   /* 0: nobody */
	bool restores;	     /* it is an action that only undoes another one (types/action.h) */
	bool has_exception;  /* from freezes that were there when it was given */
	int64_t excepted_at; /* wall ms of that: what has no row began until then */
	int64_t excepted_hold; /* the newest row of then: a clock may be set back */
};

/*
 * The first that keeps this work from starting: NOT_NOW, with why, until when (0: not known) and
 * *ret_hold, which points into holds (may be NULL; untouched with ALLOW).  Only deployments and
 * actions are kept: by a lock, unless its owner requested or confirmed the work; by a freeze or a
 * window, unless the work has an exception that is not older than it; by a missing witness, unless
 * the work restores, whoever asks and whatever exception it has.
 */
struct policy_decision
hold_decide(const struct holds *holds, const struct hold_work *work, const struct hold **ret_hold);

/* Is there one of that kind?  A freeze that somebody began, or a window: HOLD_FREEZE. */
bool hold_has(const struct holds *holds, enum hold_kind kind);

/* Those that cover an environment, from the narrowest on. */
#define HOLD_TARGETS 3
void hold_targets(const char *environment, char ret[HOLD_TARGETS][LIMIT_ENVIRONMENT]);

struct hold_kind_row {
	const char *word, *is, *why;
};
extern const struct hold_kind_row hold_kinds[HOLD_KIND_COUNT];
