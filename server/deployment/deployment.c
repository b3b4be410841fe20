/* deployment.c - what a deployment says of itself.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/deployment.h"

#include <ctype.h>

#include "lib/text.h"

#define TARGET		   "target:"
#define PREVIOUS	   "previous " TARGET
#define STAYS_OLD	   "stays-old "
#define SERVICE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define WORD_MAX	   30 /* one more fills a step's name: a longer one that was cut? */

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

bool
deployment_is_action(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ACTION;
}

bool
deployment_runs_already(const struct deployment *deployment, const struct environment *environment)
{
	return !environment->is_down && environment->unknown_since == 0 &&
	    deployment->commit[0] != '\0' &&
	    strcmp(environment->current.commit, deployment->commit) == 0;
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
environment_push_waits(const struct environment *environment)
{
	return environment->waiting_push[0] != '\0' &&
	    strcmp(environment->seen_commit, environment->current.commit) != 0;
}

bool
deployment_can_roll_back(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_DEPLOY && deployment->previous[0] != '\0' &&
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

static bool
begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

void
deployment_take_previous(struct deployment *deployment, const char *step)
{
	if (!begins_with(step, PREVIOUS) || deployment_is_rollback(deployment) ||
	    deployment->previous[0] != '\0' || deployment->target_changed)
		return;
	step += strlen(PREVIOUS) - strlen(TARGET);
	if (text_is_word(step + strlen(TARGET), WORD_MAX))
		(void)text_copy(deployment->previous, sizeof(deployment->previous), step);
}

bool
deployment_is_back_to_target(const struct deployment *deployment)
{
	return begins_with(deployment->previous, TARGET);
}

const char *
deployment_stays_old(const char *step)
{
	const char *service = step + strlen(STAYS_OLD);

	if (!begins_with(step, STAYS_OLD) || !isalnum((unsigned char)service[0]) ||
	    service[strspn(service, SERVICE_CHARACTERS)] != '\0')
		return NULL;
	return service;
}

bool
deployment_is_note(const char *step)
{
	return deployment_stays_old(step) != NULL || begins_with(step, PREVIOUS);
}

bool
deployment_is_asked(const struct deployment *deployment)
{
	return (deployment->state == DEPLOY_AWAITING_CONFIRMATION &&
		   deployment->confirmed_by == 0) ||
	    (deployment->state == DEPLOY_QUEUED && deployment->is_asked_anew);
}

bool
deployment_may_be_cancelled(const struct deployment *deployment)
{
	if (deployment->state == DEPLOY_QUEUED)
		return true;
	return !deployment_is_rollback(deployment) &&
	    (deployment->state == DEPLOY_RUNNING || deployment->state == DEPLOY_VERIFYING);
}
