/* deploy_flow.h - what happens to one piece of work, and nothing about how.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * No descriptor, no clock, no database: deploy_flow_step() takes one event of a life and names
 * the acts that somebody else must carry out; their outcome comes back as the next event.
 */
#pragma once

#include "types/effect.h"

/* In the order of a life.  S(name, in rows, for people, class): OPEN, QUEUED, ACTIVE or FINAL. */
#define DEPLOY_STATES(S) \
	S(REQUESTED,             "REQUESTED",             "requested",             OPEN) \
	S(AWAITING_CONFIRMATION, "AWAITING_CONFIRMATION", "awaiting confirmation", OPEN) \
	S(AWAITING_APPROVAL,     "AWAITING_APPROVAL",     "awaiting approval",     OPEN) \
	S(QUEUED,                "QUEUED",                "queued",                QUEUED) \
	S(RUNNING,               "RUNNING",               "in progress",           ACTIVE) \
	S(STOPPING,              "STOPPING",              "stopping",              ACTIVE) \
	S(VERIFYING,             "VERIFYING",             "verifying",             ACTIVE) \
	S(BAKING,                "BAKING",                "baking",                ACTIVE) \
	S(PAUSED,                "PAUSED",                "paused",                ACTIVE) \
	S(ROLLING_BACK,          "ROLLING_BACK",          "rolling back",          ACTIVE) \
	S(VERIFYING_ROLLBACK,    "VERIFYING_ROLLBACK",    "verifying rollback",    ACTIVE) \
	S(LIVE,                  "LIVE",                  "live",                  FINAL) \
	S(FAILED,                "FAILED",                "failed",                FINAL) \
	S(ROLLED_BACK,           "ROLLED_BACK",           "rolled back",           FINAL) \
	S(ROLLBACK_FAILED,       "ROLLBACK_FAILED",       "rollback failed",       FINAL) \
	S(DONE,                  "DONE",                  "done",                  FINAL) \
	S(REFUSED,               "REFUSED",               "refused",               FINAL) \
	S(CANCELLED,             "CANCELLED",             "cancelled",             FINAL) \
	S(EXPIRED,               "EXPIRED",               "expired",               FINAL) \
	S(SUPERSEDED,            "SUPERSEDED",            "superseded",            FINAL)

/*
 * SCRIPT_*, FAILED_BEFORE_RELEASE and AGAIN come from the exit record, which is written when
 * nothing that the script started is alive: whatever starts a second program waits for one of
 * them.  *_NO_ROLLBACK: the same, but there is no release to roll back to.
 */
#define DEPLOY_EVENTS(V) \
	V(ASK)			/* somebody must confirm, or once more: in the queue, too */ \
	V(CLEAR)		/* git answered; nobody need be asked */ \
	V(REFUSE)		/* busy, unknown ref, no answer of git, blocked meanwhile */ \
	V(ASK_APPROVAL)		/* others must approve it, or once more: in the queue, too */ \
	V(APPROVE)		/* one of them did, or withdrew that */ \
	V(CHANGED)		/* what was shown is not what is: nothing has begun */ \
	V(REJECT)		/* one of them said no */ \
	V(CONFIRM)		/* whoever may said yes */ \
	V(EXPIRE)		/* nobody said anything in time */ \
	V(SUPERSEDE)		/* replaced by a newer commit, or its commit started or is live */ \
	V(FREE)			/* its environment is free */ \
	V(SCRIPT_OK)		/* exit 0; there is a health URL */ \
	V(SCRIPT_OK_UNPROBED)	/* exit 0, and no health check is configured */ \
	V(SCRIPT_FAILED)	/* failed, too late or lost, having begun to change the target */ \
	V(SCRIPT_FAILED_NO_ROLLBACK) \
	V(FAILED_BEFORE_RELEASE)		/* failed before it changed the target */ \
	V(MIGRATION_FAILED)	/* the same, but behind the begin of its migration */ \
	V(AGAIN)		/* its gate never opened, or a rollback was lost: another run */ \
	V(LOST)			/* its supervisor is gone; what it started is being ended */ \
	V(FOLDER_GONE)		/* it was started and has no folder: alive elsewhere? */ \
	V(HEALTHY) \
	V(UNHEALTHY) \
	V(UNHEALTHY_NO_ROLLBACK) \
	V(BAKE)			/* as HEALTHY or SCRIPT_OK_UNPROBED, and it bakes */ \
	V(BAKED)		/* watched to its end, or somebody has seen enough */ \
	V(WAVE_DONE)		/* the same of a wave, and hosts are left */ \
	V(REGRESSED)		/* what Prometheus said of it was wrong, twice in a row */ \
	V(REGRESSED_NO_ROLLBACK) \
	V(PAUSE)		/* somebody wants that, or how it is cannot be known */ \
	V(RESUME)		/* what is left of its bake goes on */ \
	V(NEXT_WAVE)		/* the next wave, or this one's hosts that it has not reached */ \
	V(LEAVE)		/* it stays as it is, and is not live */ \
	V(CANCEL)		/* somebody wants it ended */ \
	V(CANCEL_NO_ROLLBACK)	/* the same, with no release to roll back to */ \
	V(CANCEL_ROLLBACK)	/* the same, but it is a rollback that a person asked for */ \
	V(CANCEL_UNSTOPPABLE)	/* the same, but it is an action that cannot be stopped */

#define DEPLOY_ACTS(A) \
	A(ASK_PERSON)		/* the confirmation with its buttons and deadline */ \
	A(ASK_APPROVERS)	/* the same for those who approve */ \
	A(VOID_APPROVALS)	/* those whose grant or object is another by now */ \
	A(CLAIM)		/* what it will touch is its own until it ends */ \
	A(RUN)			/* order its program: deploy.sh, or rollback.sh if asked for */ \
	A(RUN_ROLLBACK)		/* order rollback.sh to the release that was live before */ \
	A(STOP_RUN)		/* ask the run to end */ \
	A(PROBE) \
	A(DROP_PROBE) \
	A(BAKE)			/* watch it for what is left of its bake */ \
	A(RELEASE)		/* it is what runs now */ \
	A(BLOCK)			/* the commit is blocked: no push deploys it again */ \
	A(DRAIN)		/* what it left running ends when its connections have */ \
	A(DOWN)			/* neither release is healthy */ \
	A(LOOK)			/* ask soon whether it answers: no probe has */ \
	A(ANSWER)		/* GitHub waits to know whether a job of its own may go on */ \
	A(TELL)			/* say so, in every message about it */ \
	A(REFUSE_CANCEL)	/* answer that it cannot be ended now */ \
	A(NEXT)			/* who waits there may be able to start now */

/* Why it went so: a column, not a state.  W(name, in rows, for people and the audit). */
#define DEPLOY_WHYS(W) \
	W(NONE,        "NONE",        "") \
	W(CANCELLED,   "CANCELLED",   "cancelled") \
	W(TIMED_OUT,   "TIMED_OUT",   "timed out") \
	W(INTERRUPTED, "INTERRUPTED", "interrupted") \
	W(SCRIPT,      "SCRIPT",      "script failed") \
	W(UNHEALTHY,   "UNHEALTHY",   "unhealthy") \
	W(NOT_STARTED, "NOT_STARTED", "not started") \
	W(REFUSED,     "REFUSED",     "refused") \
	W(REJECTED,    "REJECTED",    "rejected") \
	W(UNAPPROVED,  "UNAPPROVED",  "not approved in time") \
	W(CI,          "CI",          "CI") \
	W(LEFT,        "LEFT",        "left as it is") /* by a person, and what runs is known */ \
	W(ELSEWHERE,   "ELSEWHERE",   "") /* closed here, goes on as detail says */

enum deploy_state {
#define S(name, row, word, class) DEPLOY_##name,
	DEPLOY_STATES(S)
#undef S
	DEPLOY_STATE_COUNT
};
enum deploy_event {
#define V(name) DEPLOY_ON_##name,
	DEPLOY_EVENTS(V)
#undef V
	DEPLOY_EVENT_COUNT
};
enum deploy_act {
#define A(name) DEPLOY_DO_##name,
	DEPLOY_ACTS(A)
#undef A
	DEPLOY_ACT_COUNT
};
enum deploy_why {
#define W(name, row, word) DEPLOY_WHY_##name,
	DEPLOY_WHYS(W)
#undef W
	DEPLOY_WHY_COUNT
};
enum deploy_class {
	DEPLOY_CLASS_OPEN,	/* asked for, nothing begun */
	DEPLOY_CLASS_QUEUED,	/* waits for its environment */
	DEPLOY_CLASS_ACTIVE,	/* keeps its environment busy */
	DEPLOY_CLASS_FINAL,
};

#define DEPLOY_ACTS_MAX 5

struct deploy_acts {
	size_t n;
	enum deploy_act todo[DEPLOY_ACTS_MAX];
};

/* A program as one of a set. */
#define DEPLOY_OF(program) (1u << (unsigned)(program))

struct deploy_rule {
	unsigned programs; /* that it is a rule of */
	enum deploy_state from;
	enum deploy_event on;
	enum deploy_state to;
	struct deploy_acts acts;
};

/* The whole behaviour as data: tests walk it, the picture in docs/ is drawn from it. */
extern const struct deploy_rule deploy_rules[];
extern const size_t deploy_rule_count;

/*
 * Returns the state that follows and fills *ret_acts.  An event without a rule changes nothing
 * and asks for nothing: results that come late are normal, not bugs.
 */
enum deploy_state deploy_flow_step(enum program program, enum deploy_state state,
    enum deploy_event event, struct deploy_acts *ret_acts);

enum deploy_class deploy_flow_class(enum deploy_state state);
const char *deploy_flow_word(enum deploy_state state);		/* for people: "rolling back" */
const char *deploy_flow_name(enum deploy_state state);	/* for rows and traces: "ROLLING_BACK" */
const char *deploy_flow_event_name(enum deploy_event event);
const char *deploy_flow_why_word(enum deploy_why why);

/* The name in a row back to its state; DEPLOY_STATE_COUNT when it is none. */
enum deploy_state deploy_flow_parse(const char *name);
