/* decide_sees.c - what somebody may know of.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_sees.h"

#include "decide/hold/decide_refusal.h"
#include "decide/who/decide_principal.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "settings/checks/settings_overlaps.h"

bool
decide_sees(struct tx *tx, int64_t person, const char *environment)
{
	const char *name = decide_new_name(tx, environment);

	return policy_sees(
	    tx->settings, decide_principal(tx, person), name == NULL ? environment : name, tx->at);
}

const char *
decide_sees_refusal(struct tx *tx, int64_t person, const char *environment)
{
	const char *refusal = decide_refusal_whole(tx, environment), *pair[2];
	const char *brief =
	    refusal != NULL ? settings_refusal_brief(tx->settings, refusal, pair) : NULL;

	return brief == NULL ||
		(decide_sees(tx, person, pair[0]) && decide_sees(tx, person, pair[1])) ?
	    refusal :
	    brief;
}

bool
decide_sees_claims(struct tx *tx, int64_t person, const struct deployment *work)
{
	return work->client[0] == '\0' ||
	    policy_may(
		tx->settings, decide_principal(tx, person), POLICY_ADMIN, POLICY_ALL, tx->at);
}

void
decide_hide(struct tx *tx, int64_t person, struct deployment *work)
{
	char target[LIMIT_ENVIRONMENT];

	if (work->client[0] == '\0')
		return;
	if (strchr(work->waits_for, ':') != NULL && !decide_sees_claims(tx, person, work))
		work->waits_for[0] = '\0';
	(void)deployment_target(work, target);
	if (!decide_sees(tx, person, target))
		work->client[0] = '\0';
	else if (!decide_sees(tx, person, work->environment))
		text_set(work->environment, target); /* fits */
}
