/* chat_deployment_action.c - what an action's message says where a deployment's speaks of a release.  Side: pure. */
/* SPDX-License-Identifier: ISC */

#include "chat/chat_deployment_inside.h"

/* "client/acme restart-web", "shop/production run-job migrate". */
static void
add_what(struct chat_text *text, enum chat_first first, const struct deployment *action)
{
	chat_first(text, first, deployment_target_here(action));
	chat_deployment_what(text, "", action);
}

/* What is done is a run of a forge, which is named. */
static bool
is_elsewhere(const struct deployment *action)
{
	return deployment_is_gate(action) || deployment_is_pipeline(action);
}

/* What it does, in the words of its table. */
static void
add_help(struct chat_text *text, const struct deployment *action)
{
	const struct action *row = action_row_of(action->action);

	if (row == NULL)
		return;
	chat_text_add(text, "\n%s%s", row->help,
	    row->stop == ACTION_STAYS ? "; once started it cannot be stopped" : "");
	if (row == &action_table[ACTION_CF_UNDER_ATTACK])
		chat_text_add(text, "; " MARK_CODE "/do %s %s" MARK_CODE " undoes it",
		    action_table[ACTION_CF_NORMAL].name, action->client);
}

/* Where the target is not what is named: whose work it takes turns with; and what a job runs in. */
static void
add_where(struct chat_text *text, const struct deployment *action)
{
	if (strcmp(deployment_target_here(action), action->environment) != 0)
		chat_text_add(text, "\nenvironment: %s", action->environment);
	if (action->commit[0] != '\0' && !deployment_is_gate(action))
		chat_text_named(text, "\nin the live release ", COMMIT_OF(action));
}

void
chat_action_about(struct chat_text *text, const struct chat_deployment *about)
{
	if (!deployment_is_loan(about->deployment))
		add_help(text, about->deployment);
	chat_text_some(text, "\n", about->touches);
	add_where(text, about->deployment);
}

void
chat_action_asked(struct chat_text *text, const struct deployment *action)
{
	if (action->changed[0] != '\0') {
		add_what(text, FIRST_NOT_DONE_YET, action);
		chat_text_outside(text, "\n", action->changed);
		chat_text_add(text, "\n\n");
	}
	add_what(text, chat_first_of_question(action, false), action);
}

void
chat_action_progress(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *action = about->deployment;

	add_what(text, chat_first_of(about), action);
	if (is_elsewhere(action))
		chat_text_some(text, "\n", about->touches);
	add_where(text, action);
	chat_deployment_requester(text, action);
	chat_deployment_why(text, "\n", action, "", WHY_WHOLE);
	chat_deployment_note(text, action);
	chat_deployment_steps(text, about);
}

static enum chat_loan
loan_of(const struct chat_deployment *about)
{
	return about->since != NULL ? about->since->loan : CHAT_LOAN_NONE;
}

/* Its first line says why, or add_loan() does. */
static bool
says_why_elsewhere(const struct chat_deployment *about)
{
	const struct deployment *action = about->deployment;

	return (action->state == DEPLOY_FAILED &&
		   (action->why == DEPLOY_WHY_CANCELLED || action->why == DEPLOY_WHY_ELSEWHERE)) ||
	    (action->state == DEPLOY_DONE && loan_of(about) == CHAT_LOAN_REVOKING);
}

/* How long what was lent is good, or what Vault has yet to do. */
static void
add_loan(struct chat_text *text, const struct chat_deployment *about)
{
	if (loan_of(about) == CHAT_LOAN_LENT) {
		chat_text_since(text, "\nuntil ", &about->clock, about->since->until, about->at);
		chat_text_add(text, " at the latest");
		if (!about->since->cannot_end)
			chat_text_add(text, "; " MARK_CODE "/revoke %lld" MARK_CODE " ends it now",
			    (long long)about->deployment->id);
	} else if (loan_of(about) == CHAT_LOAN_REVOKING) {
		chat_text_add(text, "\nIt may still be used: Vault has not revoked it yet");
		if (about->deployment->state == DEPLOY_DONE)
			chat_deployment_why(text, ": ", about->deployment, "", WHY_WHOLE);
		chat_text_since(
		    text, "; tried again until ", &about->clock, about->since->until, about->at);
	}
}

/* Nothing of a unit's output is kept here but what the message has. */
static void
add_look_first(struct chat_text *text, const struct chat_deployment *about)
{
	const char *agent = about->newest.agent;

	chat_text_add(text, "\nNobody does it again by itself: see ");
	if (agent == NULL)
		chat_text_add(text, "in 📄 Log");
	else
		chat_text_add(text,
		    "on %s, by " MARK_CODE "journalctl -u deploybot-do-%s.service" MARK_CODE ",",
		    agent, about->deployment->action);
	chat_text_add(text, " what it has done before you do.");
}

void
chat_action_end(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *action = about->deployment;

	chat_deployment_first(text, about);
	if (is_elsewhere(action))
		chat_text_some(text, "\n", about->touches);
	if (!says_why_elsewhere(about))
		chat_deployment_why(text, "\n", action, "", WHY_WHOLE);
	add_loan(text, about);
	chat_deployment_note(text, action);
	chat_deployment_tail(text, about, TAIL_WHOLE);
	if (action->state == DEPLOY_FAILED && deployment_is_gate(action))
		chat_text_add(text, "\nWhat its job has changed is not known here%s: look there.",
		    action->why == DEPLOY_WHY_INTERRUPTED ? ", and it may go on" : "");
	else if (action->state == DEPLOY_FAILED && deployment_is_pipeline(action) &&
	    action->why == DEPLOY_WHY_INTERRUPTED)
		chat_text_add(
		    text, "\nNobody begins it again by itself: look at its forge before you do.");
	else if (action->state == DEPLOY_FAILED && action->why == DEPLOY_WHY_INTERRUPTED &&
	    !deployment_is_loan(action))
		add_look_first(text, about);
	add_where(text, action);
	chat_deployment_requester(text, action);
	chat_deployment_steps(text, about);
	if (!deployment_is_loan(action))
		chat_deployment_took(text, about);
}
