/* gate.c - work that lets a job of a pipeline go on to its environment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/gate.h"

#include "deployment/deployment.h"

bool
deployment_is_gate(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ACTION &&
	    strcmp(deployment->action, action_table[ACTION_OPEN_GATE].name) == 0;
}

bool
deployment_is_of_rule(const struct deployment *deployment)
{
	return deployment_is_gate(deployment) && deployment->requested_by == 0;
}

const char *
deployment_action_word(const struct deployment *action)
{
	return deployment_is_gate(action) ? "gate" :
	    deployment_is_loan(action)	  ? "secret" :
					    action->action;
}

bool
deployment_is_pipeline(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ACTION &&
	    strcmp(deployment->action, action_table[ACTION_RUN_PIPELINE].name) == 0;
}

bool
deployment_is_loan(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_ACTION &&
	    action_row_of(deployment->action) == &action_table[ACTION_LEND_SECRET];
}

bool
deployment_is_apart(const struct deployment *deployment)
{
	return deployment_is_pipeline(deployment) || deployment_is_loan(deployment);
}

int64_t
deployment_approval_ms(const struct settings *settings, const struct deployment *deployment)
{
	return deployment_is_loan(deployment) ? settings->vault.wait_ms :
						settings->approval_timeout_ms;
}

const char *
deployment_why_word(const struct deployment *deployment)
{
	bool is_elsewhere = deployment_is_gate(deployment) || deployment_is_apart(deployment);
	bool is_lent = deployment_is_loan(deployment) && deployment->state == DEPLOY_DONE;

	return is_lent || (is_elsewhere && deployment->why == DEPLOY_WHY_SCRIPT) ?
	    "" :
	    deploy_flow_why_word(deployment->why);
}

bool
deployment_brings_commit(const struct deployment *deployment)
{
	return deployment->program == PROGRAM_DEPLOY || deployment_is_gate(deployment);
}

bool
deployment_asks_git(const struct deployment *deployment)
{
	return deployment_brings_commit(deployment) && deployment->source == SOURCE_GIT;
}
