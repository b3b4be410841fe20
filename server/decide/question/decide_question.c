/* decide_question.c - one open question for an environment and commit: shared, confirmed, asked anew.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_question.h"

#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "decide/who/decide_allowed.h"
#include "decide/question/decide_question_same.h"
#include "decide/question/decide_standing.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/queue/decide_binding.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_pipeline.h"
#include "decide/work/decide_promotion.h"
#include "decide/git/decide_git.h"
#include "decide/factor/decide_lacks.h"
#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_shown.h"
#include "decide/tell/decide_tell.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_message.h"

/* --- shared --- */

/* In the place of what it was skipped for: one message, with a way to where it is approved. */
static void
lead_to_approval(struct tx *tx, const struct deployment *request, const struct deployment *question)
{
	CLEANUP(message_done) struct message message = { 0 };
	char link[DECIDE_STANDING_LINK];

	if (request->message == 0)
		return;
	message.head = chat_deployment_awaits(
	    question, decide_standing_link(tx, question, &request->address, link));
	row_message_change(tx, request->message, &message);
}

/* Who joins it reads what is; whoever was asked before reads that, too, and presses below it. */
static void
bring_up_to_date(struct tx *tx, struct deployment *question, const struct git_answer *answer)
{
	char changed[LIMIT_LINE];

	if (question->confirmed_by != 0)
		return; /* git is asked once more for it */
	if (answer != NULL)
		decide_note_blocks(tx, question, answer);
	decide_compare(tx, question, answer, changed);
	if (changed[0] == '\0')
		return;
	if (answer != NULL)
		decide_contained(tx, question, answer);
	decide_ask_anew(tx, question, changed, answer);
}

bool
decide_share_question(struct tx *tx, struct deployment *request, const struct git_answer *answer)
{
	struct deployment question;
	bool is_confirmed;

	if (deployment_is_emergency(request) ||
	    decide_question_same(tx, request, &question)->id == 0)
		return false; /* nobody's yes is waited for */
	is_confirmed = question.state == DEPLOY_AWAITING_APPROVAL;
	text_setf(request->detail, "%s already, as #%" PRId64,
	    is_confirmed ? "awaits approval" : "asked about", question.id);
	request->why = DEPLOY_WHY_ELSEWHERE;
	(void)decide_step(tx, request, DEPLOY_ON_SUPERSEDE, NULL);
	/* Who asks for what others approve is none of those who asked: they may approve it. */
	if (is_confirmed) {
		lead_to_approval(tx, request, &question);
		return true;
	}
	if (decide_tell_batch_has(tx, &question)) /* it is theirs to answer, by itself */
		decide_question_chosen(tx, &question, answer);
	else
		bring_up_to_date(tx, &question, answer);
	decide_tell_shared(tx, &question, request, answer);
	return true;
}

bool
decide_share_with_push(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	struct deployment question;

	decide_question_same_push(tx, environment, answer->commit, &question);
	if (question.id == 0 || question.state == DEPLOY_AWAITING_APPROVAL)
		return question.id != 0;
	bring_up_to_date(tx, &question, answer);
	if (deployment_is_by_request(
		&question)) /* also of one that is looked up, to be asked anew */
		row_button_add_requester(tx, question.id, 0, 0);
	if (deployment_is_by_request(&question) && question.confirmed_by == 0) {
		row_effect_withdraw(tx, row_effect_timer_of(tx, TIMER_QUESTION, question.id));
		(void)row_effect_timer(
		    tx, TIMER_QUESTION, "", question.id, tx->at + DECIDE_PUSH_QUESTION_MS);
		decide_tell_team(tx, &question, answer);
		decide_tell(tx, &question, answer);
		row_deployment_save(tx, &question);
	}
	return true;
}

void
decide_question_chosen(struct tx *tx, struct deployment *question, const struct git_answer *answer)
{
	if (!decide_tell_batch_has(tx, question))
		return; /* somebody was faster */
	if (answer != NULL)
		bring_up_to_date(tx, question, answer);
	if (!decide_tell_batch_has(tx, question))
		return; /* it is asked anew, in a message of its own */
	decide_tell_batch_choose(tx, question);
	decide_tell_chosen(tx, question, answer);
	row_deployment_save(tx, question);
}

/* What else its kind needs, as an archive the grant `upload`, is looked at when its turn comes. */
static bool
has_its_grant(struct tx *tx, int64_t person, const struct deployment *work)
{
	return deployment_grant(work) == POLICY_DO ?
	    decide_is_allowed_do(tx, person, work->action, deployment_target_here(work)) :
	    decide_is_allowed(tx, person, deployment_grant(work), work->environment);
}

bool
decide_may_answer(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	const char *where = deployment_target_here(deployment);
	bool is_push = !deployment_is_by_request(deployment);
	const char *who = row_button_is_shared(tx, deployment->id) ? "who asked" :
	    is_push						   ? "" :
								     deployment->requester;

	if (deployment->requested_by == update->person ||
	    row_button_is_requester(tx, deployment->id, update->person))
		return decide_may_work(tx, update, deployment);
	if (decide_is_allowed(tx, update->person, POLICY_CONFIRM, where))
		return decide_may(tx, update, POLICY_CONFIRM, where) &&
		    !decide_lacks_factor_of_work(tx, update, deployment);
	if (!has_its_grant(tx, update->person, deployment))
		return decide_may_work(tx, update, deployment); /* says no */
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED, "confirm", where,
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
	text_set(deployment->detail, reason);
	(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, NULL);
}

/* answer: NULL where git was not asked, or could not be. */
static void
proceed_confirmed(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment;
	char changed[LIMIT_LINE];
	const char *refusal = decide_promotion_refusal(tx, deployment, changed);

	if (refusal != NULL) {
		refuse(tx, deployment, refusal);
		return;
	}
	if (decide_pipeline_since(tx, deployment->id, changed)[0] != '\0') {
		refuse(tx, deployment, changed);
		return;
	}
	row_environment_get(tx, deployment->environment, &environment);
	if (decide_is_overtaken(tx, deployment, &environment)) {
		refuse(tx, deployment, "somebody else was faster");
		return;
	}
	if (answer != NULL)
		decide_note_blocks(tx, deployment, answer);
	decide_compare(tx, deployment, answer, changed);
	if (answer != NULL) {
		decide_contained(tx, deployment, answer);
		decide_note_newer(deployment, answer);
		decide_bind_image(tx, deployment, answer);
	}
	if (changed[0] != '\0') {
		decide_ask_anew(tx, deployment, changed, answer);
		return;
	}
	deployment->changed[0] = '\0'; /* the question said so */
	decide_enqueue(tx, deployment, DEPLOY_ON_CONFIRM, answer);
}

bool
decide_confirm(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	decide_confirmed(tx, deployment, update);
	deployment->answered_at = tx->at;
	if (settings_environment(tx->settings, deployment->environment) == NULL ||
	    !deployment_asks_git(deployment)) {
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
	bool is_active = deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE;

	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		decide_expired(tx, update);
	else if (deployment_is_gate(deployment) && deployment->state == DEPLOY_STOPPING)
		decide_toastf(tx, update, true,
		    "It is being stopped already: /cancel asks whether its end is waited for.");
	else if (decide_cancel(tx, deployment, update))
		decide_toastf(tx, update, false, "%s",
		    deployment->state == DEPLOY_ROLLING_BACK ? "Rolling back…" :
			is_active			     ? "Stopping…" :
							       "Cancelled.");
	else
		decide_toastf(tx, update, true, "It is %s: that cannot be cancelled.",
		    deployment_is_rollback(deployment) ? "rolling back" :
							 deploy_flow_word(deployment->state));
}
