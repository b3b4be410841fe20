/* turn.c - what becomes of a place in the queue when it is looked at: one table.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/turn.h"

/*
 * What ends it comes first, then what it waits for, then what must be asked: nobody is asked
 * about what could not start anyway.
 */
const struct turn_rule turn_rules[] = {
	/* with, without, to, reason */
	{ TURN(GONE), 0, TURN_TO_REFUSE, "this environment is no longer in the settings" },
	{ TURN(LIVE) | TURN(ROLLBACK), 0, TURN_TO_REFUSE, "somebody else was faster" },
	{ TURN(BARRED), 0, TURN_TO_REFUSE,
	    "a release is live now that nobody rolls back past: /rollback names it" },
	{ TURN(LIVE) | TURN(PERSON), 0, TURN_TO_REFUSE, "already live" },
	{ TURN(LIVE), 0, TURN_TO_SUPERSEDE, "already live" },
	{ TURN(BLOCKED), TURN(PERSON) | TURN(UNKNOWN), TURN_TO_REFUSE,
	    "it was blocked while this was queued; /deploy asks first" },
	{ TURN(DENIED), 0, TURN_TO_REFUSE,
	    "who asked for it may no longer do this: somebody who may has to ask" },
	{ TURN(UNFIT), 0, TURN_TO_REFUSE, "" },
	{ TURN(CI_CANCELLED), TURN(PERSON), TURN_TO_SUPERSEDE, "its CI was cancelled" },
	{ TURN(CI_FAILED), 0, TURN_TO_REFUSE, "CI" },
	{ TURN(NOT_NOW), TURN(PERSON), TURN_TO_HOLD, "" },
	{ TURN(UNKNOWN), TURN(PERSON), TURN_TO_PASS, "" },
	{ TURN(NOT_NOW), 0, TURN_TO_WAIT_HOLD, "" },
	{ TURN(ASKED), 0, TURN_TO_PASS, "" },
	{ TURN(NO_RUNNER), 0, TURN_TO_WAIT_RUNNER, "" },
	{ TURN(UNBOUND), 0, TURN_TO_WAIT_SETTINGS, "" },
	{ TURN(UNSYNCED), TURN(ROLLBACK), TURN_TO_WAIT_SETTINGS, "" },
	{ TURN(CLAIMED), 0, TURN_TO_WAIT_CLAIM, "" },
	{ TURN(NO_SLOT), 0, TURN_TO_WAIT_SLOT, "" },
	{ TURN(UNCOMPARED), TURN(ROLLBACK), TURN_TO_ASK_GIT, "" },
	{ TURN(BEHIND), TURN(PERSON) | TURN(ROLLBACK), TURN_TO_SUPERSEDE,
	    "older than what is live" },
	{ TURN(UNAPPROVED), 0, TURN_TO_ASK_APPROVAL, "" },
	{ TURN(FORBIDDEN), 0, TURN_TO_REFUSE, "OPA" },
	{ TURN(UNJUDGED), 0, TURN_TO_ASK_OPA, "" },
	{ TURN(DIFFERS), 0, TURN_TO_ASK_ANEW, "" },
	{ TURN(BEHIND), TURN(ROLLBACK), TURN_TO_ASK_ANEW, "" },
	{ TURN(STALE), 0, TURN_TO_ASK_ANEW, "" },
	{ TURN(CI_PENDING), 0, TURN_TO_WAIT_CI, "" },
	{ TURN(UNMEASURED), 0, TURN_TO_MEASURE, "" },
	{ 0, 0, TURN_TO_START, "" },
};
const size_t turn_rule_count = COUNT(turn_rules);

const struct turn_rule *
turn_decide(unsigned facts)
{
	const struct turn_rule *rule = turn_rules;

	while ((facts & rule->with) != rule->with || (facts & rule->without) != 0)
		rule++; /* the last fits always */
	return rule;
}

bool
turn_is_behind(const struct git_answer *answer)
{
	return answer->has_base && answer->forced && answer->count == 0;
}

bool
turn_is_stale(const struct deployment *work, int64_t at)
{
	return work->answered_at != 0 && !deployment_is_read(work) &&
	    (deployment_is_by_request(work) || work->confirmed_by != 0) &&
	    at - work->answered_at > TURN_STALE_MS;
}
