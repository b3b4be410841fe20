/* hold.c - what locks and freezes keep from starting: facts in, verdict out.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/hold.h"

#include <stdio.h>

#include "lib/environment_id.h"
#include "lib/text.h"

const struct hold_kind_row hold_kinds[] = {
#define K(name, word_, is_, why_) [HOLD_##name] = { .word = (word_), .is = (is_), .why = (why_) },
	HOLD_KINDS(K)
#undef K
};

/* What puts something new on a target. */
#define HELD_ACTIONS \
	(POLICY_ACTION_BIT(POLICY_DEPLOY) | POLICY_ACTION_BIT(POLICY_DO) | \
	    POLICY_ACTION_BIT(POLICY_GATE))

static bool
binds(const struct hold *hold, const struct hold_work *work)
{
	if ((HELD_ACTIONS & POLICY_ACTION_BIT(work->action)) == 0)
		return false;
	if (hold->kind == HOLD_WITNESS)
		return !work->restores;
	if (hold->kind != HOLD_LOCK)
		return !work->has_exception ||
		    (hold->id != 0 ? hold->id > work->excepted_hold : hold->at > work->excepted_at);
	return work->requester != hold->person && work->confirmer != hold->person;
}

struct policy_decision
hold_decide(const struct holds *holds, const struct hold_work *work, const struct hold **ret_hold)
{
	for (size_t i = 0; i < holds->n; i++) {
		const struct hold *hold = &holds->at[i];

		if (!binds(hold, work))
			continue;
		if (ret_hold != NULL)
			*ret_hold = hold;
		return (struct policy_decision){
			.verdict = POLICY_NOT_NOW,
			.reason = hold_kinds[hold->kind].why,
			.until = hold->until,
		};
	}
	return (struct policy_decision){ .verdict = POLICY_ALLOW, .reason = "" };
}

bool
hold_has(const struct holds *holds, enum hold_kind kind)
{
	for (size_t i = 0; i < holds->n; i++)
		if (holds->at[i].kind == kind ||
		    (kind == HOLD_FREEZE && holds->at[i].kind == HOLD_WINDOW))
			return true;
	return false;
}

void
hold_targets(const char *environment, char ret[HOLD_TARGETS][LIMIT_ENVIRONMENT])
{
	struct environment_id id;

	(void)text_copy(ret[0], LIMIT_ENVIRONMENT, environment);
	(void)text_copy(ret[1], LIMIT_ENVIRONMENT, environment); /* of no application: itself */
	(void)text_copy(ret[2], LIMIT_ENVIRONMENT, HOLD_ALL);
	if (environment_id_parse(environment, &id) && id.application[0] != '\0')
		(void)snprintf(ret[1], LIMIT_ENVIRONMENT, "%s/*", id.application);
}
