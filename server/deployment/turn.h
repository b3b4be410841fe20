/* turn.h - what becomes of a place in the queue when it is looked at: one table.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "types/git_answer.h"

/* F(name): what is true of it at this moment. */
#define TURN_FACTS(F) \
	F(GONE)		/* its environment is no longer in the settings */ \
	F(UNFIT)	/* the settings let nothing be deployed there */ \
	F(CI_FAILED)	/* what its environment requires of CI was not done in time, or failed */ \
	F(CI_CANCELLED)	/* a run of that was cancelled, as for a newer push */ \
	F(DENIED)	/* whoever asked or answered may not any more */ \
	F(NOT_NOW)	/* a lock or freeze holds it */ \
	F(PERSON)	/* a person asked for it; else a push or a poll did */ \
	F(LIVE)		/* its commit is what runs there, and nobody asked for it again */ \
	F(ROLLBACK)	/* a person's rollback */ \
	F(BARRED)	/* a rollback past a release that nobody rolls back past */ \
	F(BLOCKED)	/* its commit was blocked, and no question said so */ \
	F(UNKNOWN)	/* what runs there is not known */ \
	F(UNSYNCED)	/* what would ship it is changing, or is not what the server has read */ \
	F(UNBOUND)	/* it was answered for, and what would ship it was not known */ \
	F(ASKED)	/* it was asked anew, and nobody has answered yet */ \
	F(NO_RUNNER)	/* the runner of its environment is disconnected */ \
	F(CLAIMED)	/* other work holds what it would touch, or waits for it longer */ \
	F(NO_SLOT)	/* as much is in progress as may be at once, or others are first */ \
	F(UNCOMPARED)	/* what is live, or blocked, has changed since git compared its commit */ \
	F(BEHIND)	/* its commit is an ancestor of what is live */ \
	F(UNAPPROVED)	/* approvals that it needs are missing, or no longer count */ \
	F(FORBIDDEN)	/* OPA says no, to this as it is now */ \
	F(UNJUDGED)	/* OPA has not said yes to it as it is now, and it needs that */ \
	F(DIFFERS)	/* what its question showed is not what is */ \
	F(STALE)	/* the answer is more than an hour old */ \
	F(CI_PENDING)	/* what it requires of CI is not done yet */ \
	F(UNMEASURED)	/* what Prometheus says before its release is not known yet */

/* What to do with it: V(name). */
#define TURNS(V) \
	V(REFUSE)	/* for good */ \
	V(SUPERSEDE)	/* a push that nobody needs any more */ \
	V(HOLD)		/* a push: it ends; its branch's head is deployed when nothing holds */ \
	V(WAIT_HOLD)	/* it keeps its place until nothing holds it */ \
	V(PASS)		/* it keeps its place, and who is behind it may go */ \
	V(WAIT_SETTINGS) /* the same, until they are as the runner has read them */ \
	V(WAIT_RUNNER)	/* the same, until that is connected */ \
	V(WAIT_CLAIM)	/* the same, until that resource is given back */ \
	V(WAIT_SLOT)	/* the same, until a run ends */ \
	V(WAIT_CI)	/* the same, until CI is done */ \
	V(ASK_GIT)	/* the same, until git has compared its commit with the live one */ \
	V(ASK_APPROVAL)	/* it leaves the queue until it has them */ \
	V(ASK_OPA)	/* it keeps its place until OPA has answered */ \
	V(MEASURE)	/* the same, until Prometheus has answered, or could not */ \
	V(ASK_ANEW)	/* the same, until a person has answered */ \
	V(START)

enum turn_fact {
#define F(name) TURN_IS_##name,
	TURN_FACTS(F)
#undef F
	TURN_FACT_COUNT
};
#define TURN(name) (1u << TURN_IS_##name)

enum turn {
#define V(name) TURN_TO_##name,
	TURNS(V)
#undef V
};

/* The first rule that fits decides: all of `with`, none of `without`. */
struct turn_rule {
	unsigned with;
	unsigned without;
	enum turn to;
	/* For people; "": none, or the settings' own; of CI_FAILED CI's, of FORBIDDEN OPA's. */
	const char *reason;
};
extern const struct turn_rule turn_rules[];
extern const size_t turn_rule_count;

/* facts: TURN(…) of each that is true. */
const struct turn_rule *turn_decide(unsigned facts);

/* Is the answer's commit an ancestor of its base, the live one, and another? */
bool turn_is_behind(const struct git_answer *answer);

/* So long an answer counts.  Is that work's older? */
#define TURN_STALE_MS (3600 * INT64_C(1000))
bool turn_is_stale(const struct deployment *work, int64_t at);
