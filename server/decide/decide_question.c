/* decide_question.c - one open question for an environment and commit: shared, confirmed, asked anew.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_question.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/decide_deployment.h"
#include "decide/decide_queue.h"
#include "decide/decide_reply.h"
#include "decide/decide_shown.h"
#include "decide/decide_tell.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_environment.h"

/* --- shared --- */

bool
decide_share_question(struct tx *tx, struct deployment *request, const struct git_answer *answer)
{
	struct deployment question =
	    row_deployment_question_of(tx, request->environment, request->commit);

	if (question.id == 0)
		return false;
	(void)snprintf(request->detail, sizeof(request->detail),
	    "its question is open already: #%" PRId64, question.id);
	(void)decide_step(tx, request, DEPLOY_ON_SUPERSEDE, NULL);
	decide_tell_shared(tx, &question, request, answer);
	return true;
}

bool
decide_share_with_push(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	struct deployment question = row_deployment_question_of(tx, environment, answer->commit);

	if (question.id == 0)
		return false;
	if (question.trigger == TRIGGER_CHAT) /* also of one that is looked up, to be asked anew */
		row_button_add_requester(tx, question.id, 0, 0);
	if (question.trigger == TRIGGER_CHAT && question.confirmed_by == 0) {
		decide_tell_team(tx, &question, answer);
		row_button_drop_timer(tx, question.id);
		row_button_set_timer(tx, question.id,
		    row_effect_timer(
			tx, TIMER_QUESTION, "", question.id, tx->at + DECIDE_PUSH_QUESTION_MS));
		row_deployment_save(tx, &question);
	}
	return true;
}

bool
decide_may_answer(struct tx *tx, const struct update *update, const struct deployment *deployment,
    enum policy_action action)
{
	bool is_push = deployment->trigger != TRIGGER_CHAT;
	const char *who = row_button_is_shared(tx, deployment->id) ? "who asked" :
	    is_push						   ? "" :
								     deployment->requester;

	if (deployment->requested_by == update->person ||
	    row_button_is_requester(tx, deployment->id, update->person))
		return decide_may(tx, update, action, deployment->environment);
	if (decide_is_allowed(tx, update->person, POLICY_CONFIRM, deployment->environment))
		return decide_may(tx, update, POLICY_CONFIRM, deployment->environment);
	if (!decide_is_allowed(tx, update->person, action, deployment->environment))
		return decide_may(tx, update, action, deployment->environment); /* says no */
	decide_audit_denied(tx, update, "confirm", deployment->environment,
	    is_push ? "the question after a push needs the grant confirm" :
		      "another person's question needs the grant confirm");
	decide_toastf(tx, update, true, "⛔ Only %s%swho may confirm may answer this.", who,
	    who[0] == '\0' ? "" : " or ");
	return false;
}

/* --- confirmed --- */

static void
refuse(struct tx *tx, struct deployment *deployment, const char *reason)
{
	deployment->why = DEPLOY_WHY_REFUSED;
	(void)text_copy(deployment->detail, sizeof(deployment->detail), reason);
	(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, NULL);
}

/* Two people asked to flee the same release, and one has done it: what the other wanted is true. */
static bool
is_rolled_back_already(const struct deployment *deployment, const struct environment *environment)
{
	return deployment_is_rollback(deployment) &&
	    deployment_runs_already(deployment, environment) &&
	    strcmp(deployment->shown_live, deployment->commit) != 0;
}

/* answer: NULL where git was not asked, or could not be. */
static void
proceed_confirmed(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment = row_environment_get(tx, deployment->environment);
	char changed[LIMIT_LINE];

	if (is_rolled_back_already(deployment, &environment)) {
		refuse(tx, deployment, "somebody else was faster");
		return;
	}
	decide_compare(tx, deployment, answer, changed);
	if (answer != NULL) {
		decide_contained(tx, deployment, answer);
		decide_note_newer(deployment, answer);
	}
	if (changed[0] != '\0')
		decide_ask_anew(tx, deployment, changed, answer);
	else
		decide_enqueue(tx, deployment, DEPLOY_ON_CONFIRM);
}

bool
decide_confirm(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	deployment->confirmed_by = update->person;
	(void)text_copy(deployment->confirmer, sizeof(deployment->confirmer), update->name);
	if (settings_environment(tx->settings, deployment->environment) == NULL ||
	    deployment_is_rollback(deployment)) {
		proceed_confirmed(tx, deployment, NULL);
		return true;
	}
	row_button_close_yes(tx, deployment->id);
	row_deployment_save(tx, deployment);
	decide_tell(tx, deployment, NULL);
	decide_query_commit(tx, deployment, deployment->commit, deployment->confirmer);
	return false;
}

void
decide_confirm_answered(
    struct tx *tx, struct deployment *deployment, bool is_answered, const struct git_answer *answer)
{
	if (is_answered && answer->error[0] != '\0')
		refuse(tx, deployment, answer->error);
	else
		proceed_confirmed(tx, deployment, is_answered ? answer : NULL);
}

void
decide_press_cancel(struct tx *tx, const struct update *update, struct deployment *deployment)
{
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		decide_expired(tx, update);
	else if (decide_cancel(tx, deployment, update))
		decide_toastf(tx, update, false, "Cancelled.");
	else
		decide_toastf(tx, update, true, "It is %s: that cannot be cancelled.",
		    deploy_flow_word(deployment->state));
}
