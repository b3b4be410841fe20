/* deployment.c - what a deployment says of itself.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deployment.h"

#include <ctype.h>

#include "lib/text.h"

const char *
trigger_word(enum trigger trigger)
{
	static const char *const words[] = {
#define T(name, word) word,
		TRIGGERS(T)
#undef T
	};

	assert((size_t)trigger < COUNT(words));
	return words[trigger];
}

bool
deployment_is_rollback(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ROLLBACK;
}

const char *
deployment_confirmer(const struct deployment *deployment)
{
	return deployment->confirmed_by != deployment->requested_by ? deployment->confirmer : "";
}

const char *
deployment_starter(const struct deployment *deployment)
{
	return deployment->confirmed_by != 0 ? deployment->confirmer : deployment->requester;
}

bool
deployment_can_roll_back(const struct deployment *deployment)
{
	return !deployment_is_rollback(deployment) && deployment->previous[0] != '\0' &&
	    !deployment->cannot_roll_back;
}

void
deployment_outcome_label(enum deploy_state state, char ret[LIMIT_ENVIRONMENT])
{
	(void)text_copy(ret, LIMIT_ENVIRONMENT, deploy_flow_name(state));
	for (char *c = ret; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

void
deployment_take_image(struct deployment *deployment, const char *image)
{
	bool is_decided = deployment_is_rollback(deployment) && deployment->image[0] != '\0';

	if (image[0] != '\0' && deployment->state != DEPLOY_ROLLING_BACK && !is_decided)
		(void)text_copy(deployment->image, sizeof(deployment->image), image); /* fits */
}

bool
deployment_may_be_cancelled(const struct deployment *deployment)
{
	if (deployment->state == DEPLOY_QUEUED)
		return true;
	return !deployment_is_rollback(deployment) &&
	    (deployment->state == DEPLOY_RUNNING || deployment->state == DEPLOY_VERIFYING);
}
