/* decide_allowed.c - what the policy says of a person, under any name that they or the target have.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_allowed.h"

#include "decide/hold/decide_refusal.h"
#include "decide/who/decide_principal.h"
#include "store/row_deployment.h"
#include "types/action.h"

/* Work under a former name is also theirs who may do that under the new one. */
struct policy_decision
decide_allowed(struct tx *tx, int64_t person, enum policy_action action, const char *environment)
{
	struct principal who = decide_principal(tx, person);
	struct policy_decision decision =
	    policy_decide(tx->settings, who, action, environment, tx->at);
	const char *name =
	    decision.verdict == POLICY_DENY ? decide_new_name(tx, environment) : NULL;

	return name == NULL ? decision : policy_decide(tx->settings, who, action, name, tx->at);
}

bool
decide_is_allowed_somewhere(struct tx *tx, int64_t person, enum policy_action action)
{
	return policy_decide_somewhere(tx->settings, decide_principal(tx, person), action, tx->at)
		   .verdict == POLICY_ALLOW;
}

bool
decide_is_stranger(struct tx *tx, int64_t person)
{
	return !policy_is_known(tx->settings, decide_principal(tx, person), tx->at);
}

bool
decide_is_allowed(struct tx *tx, int64_t person, enum policy_action action, const char *environment)
{
	return decide_allowed(tx, person, action, environment).verdict == POLICY_ALLOW;
}

struct policy_decision
decide_allowed_do(struct tx *tx, int64_t person, const char *name, const char *target)
{
	const char *now = environment_client(target) != NULL ? NULL : decide_new_name(tx, target);

	return policy_decide_do(
	    tx->settings, decide_principal(tx, person), name, now != NULL ? now : target, tx->at);
}

bool
decide_is_allowed_do(struct tx *tx, int64_t person, const char *name, const char *target)
{
	return decide_allowed_do(tx, person, name, target).verdict == POLICY_ALLOW;
}

struct policy_decision
decide_allowed_work(struct tx *tx, int64_t person, const struct deployment *deployment)
{
	if (deployment_is_upload(deployment)) { /* beside what any deployment needs */
		struct policy_decision sent =
		    decide_allowed(tx, person, POLICY_UPLOAD, deployment->environment);

		if (sent.verdict != POLICY_ALLOW)
			return sent;
	}
	if (deployment_is_loan(deployment))
		return policy_decide_secret(tx->settings, decide_principal(tx, person),
		    deployment->argument, deployment->environment, tx->at);
	return deployment_grant(deployment) == POLICY_DO ?
	    decide_allowed_do(tx, person, deployment->action, deployment_target_here(deployment)) :
	    decide_allowed(tx, person, deployment_grant(deployment), deployment->environment);
}

bool
decide_is_allowed_work(struct tx *tx, int64_t person, const struct deployment *deployment)
{
	return decide_allowed_work(tx, person, deployment).verdict == POLICY_ALLOW;
}
