/* handle_git_answered.c - git answered, or could not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_announced.h"
#include "decide/approval/decide_approval.h"
#include "decide/queue/decide_binding.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_gate.h"
#include "decide/factor/decide_lacks.h"
#include "decide/git/decide_git.h"
#include "decide/git/decide_poll.h"
#include "decide/queue/decide_previous.h"
#include "decide/git/decide_push.h"
#include "decide/queue/decide_queue.h"
#include "decide/question/decide_question.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_shown.h"
#include "decide/queue/decide_unsynced.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_upload.h"
#include "decide/work/decide_zone.h"
#include "deployment/turn.h"
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_bake.h"
#include "store/row_block.h"
#include "store/row_environment.h"
#include "store/row_question.h"

static void
refuse(struct tx *tx, struct deployment *deployment, const char *reason,
    const struct git_answer *answer)
{
	deployment->why = DEPLOY_WHY_REFUSED;
	text_set(deployment->detail, reason);
	if (deployment_is_gate(deployment))
		decide_gate_refused(tx, deployment);
	(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, answer);
}

/* A token, hook or workflow, with what its branch came to after what is blocked by then: as a push
 * of it.  Else 0: nobody was shown anything. */
static int64_t
came_block(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer)
{
	bool is_like_a_push = principal_token(deployment->requested_by) != 0 ||
	    principal_is_program(deployment->requested_by);

	return is_like_a_push ? decide_came_block(tx, deployment->environment, answer) : 0;
}

/* Why it cannot be, now that git has said what it is; NULL: it can. */
static const char *
find_refusal(struct tx *tx, const struct deployment *deployment, char out[LIMIT_LINE])
{
	const char *refusal = decide_promotion_refusal(tx, deployment, out);
	struct deployment active;
	struct bake bake;
	bool goes_back;

	if (settings_environment(tx->settings, deployment->environment) == NULL)
		return "this environment is no longer in the settings";
	if (decide_refusal(tx, deployment->environment) != NULL)
		return decide_refusal(tx, deployment->environment);
	if (refusal != NULL)
		return refusal;
	row_deployment_active(tx, deployment->environment, &active);
	if (deployment_is_gate(deployment) || active.id == 0 || deployment_is_rollback(&active) ||
	    deployment_is_gate(&active) || strcmp(active.commit, deployment->commit) != 0)
		return NULL;
	if (active.state != DEPLOY_PAUSED)
		return "it is being deployed already";
	goes_back = deployment_can_roll_back(&active);
	(void)snprintf(out, LIMIT_LINE,
	    "it is paused there (%.90s): /resume %.40s goes on, /%s %.40s %s",
	    row_bake_get(tx, active.id, &bake)->why, active.environment,
	    goes_back ? "rollback" : "cancel", active.environment,
	    goes_back ? "rolls it back" : "gives it up");
	return out;
}

/* What an upload is was said by who sent it. */
static void
take_answer(struct deployment *deployment, const struct git_answer *answer)
{
	text_set(deployment->missing, answer->missing);
	if (!commit_is_git(deployment->source, answer->commit))
		return;
	text_set(deployment->commit, answer->commit);
	text_set(deployment->ref, answer->ref);
	text_set(deployment->subject, answer->subject);
	text_set(deployment->author, answer->author);
	deployment->committed_at = answer->at;
	deployment->is_force_push = answer->forced;
	deployment->is_off_branch = answer->branch[0] != '\0' && !answer->in_branch;
}

/* Whoever wants their archive live, and types the command once more, gets git's head instead. */
static bool
replaces_upload(const struct deployment *deployment, const struct environment *environment)
{
	return deployment->source == SOURCE_GIT && !deployment_is_gate(deployment) &&
	    environment->current.source == SOURCE_UPLOAD;
}

/* A person asked for it: shows what would change and asks, or goes. */
static void
proceed_request(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	struct environment environment;
	char warning[LIMIT_LINE], line[LIMIT_LINE];
	const char *refusal;
	struct block block;

	row_environment_get(tx, deployment->environment, &environment);
	take_answer(deployment, answer);
	if (!deployment_is_gate(deployment))
		decide_set_previous(tx, deployment);
	if (answer->tree[0] != '\0') /* what is bound, of an upload */
		(void)text_copy(deployment->tree, LIMIT_COMMIT, answer->tree);
	decide_bind_found(tx, deployment, came_block(tx, deployment, answer), answer);
	decide_contained(tx, deployment, answer);
	row_deployment_save(tx, deployment);
	if ((refusal = find_refusal(tx, deployment, line)) != NULL) {
		refuse(tx, deployment, refusal, NULL);
		return;
	}
	if (!deployment_is_gate(deployment) && decide_share_question(tx, deployment, answer))
		return;
	if (settings->confirm || deployment->is_to_be_asked || environment.unknown_since != 0 ||
	    replaces_upload(deployment, &environment) ||
	    row_block_find_unshown(tx, deployment, &block) || decide_is_live(tx, deployment) ||
	    answer->n_past > 0 || decide_zone_attacks(tx, deployment->environment, warning)) {
		decide_ask(tx, deployment, answer);
		return;
	}
	/* Nobody was shown it: its approvers are, or its turn asks. */
	deployment->wait.is_behind = deployment_is_gate(deployment) && turn_is_behind(answer);
	decide_enqueue(tx, deployment, DEPLOY_ON_CLEAR, answer);
}

/* A gate, and what a job deploys, is of a commit of its environment's branch, however long it has
 * waited.  NULL: it is. */
static const char *
find_loss(const struct deployment *deployment, bool is_answered, const struct git_answer *answer)
{
	bool is_jobs = deployment_is_gate(deployment) ||
	    (principal_is_program(deployment->requested_by) &&
		!principal_is_hook(deployment->requested_by));

	if (!is_answered || !is_jobs ||
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE ||
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		return NULL;
	if (answer->error[0] != '\0')
		return answer->error;
	return answer->branch[0] != '\0' && !answer->in_branch ?
	    "its commit is not on the branch of this environment" :
	    NULL;
}

/* What is to be asked, or was confirmed, was compared with what is not live any more: its question
 * would list other commits than the release brings. */
static bool
is_overtaken(
    struct tx *tx, const struct deployment *deployment, const struct effect_git_query *query)
{
	struct environment environment;
	char base[LIMIT_COMMIT];

	row_environment_get(tx, deployment->environment, &environment);
	return deployment_asks_git(deployment) &&
	    (deployment->state == DEPLOY_REQUESTED ||
		deployment->state == DEPLOY_AWAITING_CONFIRMATION) &&
	    strcmp(query->base, decide_git_base(tx, deployment, &environment, base)) != 0;
}

static void
answer_deployment(struct tx *tx, const struct effect_git_query *query, bool is_answered,
    const struct git_answer *answer)
{
	struct deployment deployment;

	row_deployment_get(tx, tx->effect->subject, &deployment);
	if (find_loss(&deployment, is_answered, answer) != NULL)
		refuse(tx, &deployment, find_loss(&deployment, is_answered, answer), answer);
	else if (is_overtaken(tx, &deployment, query) && is_answered && answer->error[0] == '\0')
		decide_query_commit(tx, &deployment, query->ref, query->requested_by);
	else if (deployment.state == DEPLOY_AWAITING_CONFIRMATION && deployment.confirmed_by != 0)
		decide_confirm_answered(tx, &deployment, is_answered, answer);
	else if (deployment.state == DEPLOY_AWAITING_CONFIRMATION)
		decide_question_chosen(
		    tx, &deployment, is_answered && answer->error[0] == '\0' ? answer : NULL);
	else if (deployment.state == DEPLOY_QUEUED)
		decide_queue_answered(tx, &deployment, query, answer);
	else if (deployment.state == DEPLOY_AWAITING_APPROVAL && is_answered)
		decide_approval_listed(tx, &deployment, query, answer);
	else if (deployment.state != DEPLOY_REQUESTED)
		return; /* it has ended meanwhile */
	else if (!is_answered || answer->error[0] != '\0')
		refuse(tx, &deployment, answer->error, answer);
	else
		proceed_request(tx, &deployment, answer);
}

/* What is shown of a playbook is known now; or why it cannot begin is. */
static void
proceed_playbook(struct tx *tx, struct deployment *work, const struct git_answered *answered)
{
	struct question question;

	if (answered->binding == NULL) {
		refuse(tx, work,
		    answered->answer != NULL ? answered->answer :
					       "the runner does not say what it would run",
		    NULL);
		return;
	}
	row_question_get(tx, work->id, &question);
	decide_bind(tx, work, &question, answered->binding);
	row_question_set(tx, work->id, &question);
	if (work->confirmed_by == 0 &&
	    decide_asks_before(tx, action_row_of(work->action), work->environment))
		decide_ask(tx, work, NULL);
	else
		decide_enqueue(tx, work, DEPLOY_ON_CLEAR, NULL);
}

/* No git was asked: a rollback can be asked about now, or a place is decided on again. */
static void
answer_settings(struct tx *tx, const struct git_answered *answered)
{
	struct deployment deployment;
	struct question question;

	row_deployment_get(tx, tx->effect->subject, &deployment);
	if (deployment.state == DEPLOY_QUEUED)
		decide_unsynced_answered(tx, &deployment, answered->binding);
	if (deployment.state != DEPLOY_REQUESTED)
		return; /* it has ended meanwhile */
	if (deployment_is_action(&deployment)) {
		proceed_playbook(tx, &deployment, answered);
		return;
	}
	if (answered->binding == NULL)
		text_setf(deployment.note,
		    "its settings could not be looked at (%.150s): you are asked again when they are",
		    answered->answer != NULL ? answered->answer : "");
	row_question_get(tx, deployment.id, &question);
	decide_bind(tx, &deployment, &question, answered->binding);
	row_question_set(tx, deployment.id, &question);
	if (!deployment_is_rollback(&deployment) || !decide_share_question(tx, &deployment, NULL))
		decide_ask(tx, &deployment, NULL);
}

/* What the runner says of an archive. */
static void
answer_upload(struct tx *tx, const struct git_answered *answered, bool is_answered,
    const struct git_answer *answer)
{
	struct deployment work;
	const char *why;

	row_deployment_get(tx, tx->effect->subject, &work);
	if (work.state != DEPLOY_REQUESTED)
		return; /* it has ended meanwhile */
	if (is_answered && answer->error[0] == '\0') {
		why = decide_upload_unpacked(tx, &work, answer);
		if (why == NULL) {
			proceed_request(tx, &work, answer);
			return;
		}
	} else {
		why = decide_upload_not_unpacked(tx, &work, answered, answer);
	}
	if (why == NULL)
		return;
	refuse(tx, &work, why, answer);
	decide_upload_drop(tx, work.commit);
}

/* It is there, or cannot be had. */
void
handle_file_fetched(struct tx *tx, const struct event *event)
{
	const struct file_fetched *fetched = &event->u.file_fetched;
	struct deployment work;
	const char *why = NULL;

	row_deployment_get(tx, tx->effect->subject, &work);
	if (work.state == DEPLOY_REQUESTED)
		why = decide_upload_fetched(tx, &work, fetched);
	if (why != NULL)
		refuse(tx, &work, why, NULL);
	decide_upload_drop(tx, fetched->digest);
}

static void
notify_answered(struct tx *tx, const char *environment)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_GIT_ANSWERS, environment);
	decide_send_team(tx, environment, &text);
}

/* News of a branch: git does not show it yet, or its head is acted on. */
static void
answer_push(struct tx *tx, const struct effect_git_query *query, bool is_answered,
    const struct git_answer *answer)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, query->environment);
	bool has_head = is_answered && answer->error[0] == '\0';

	if (query->is_notified)
		notify_answered(tx, query->environment);
	if (query->push.until != 0 && (!has_head || answer->lacks_after) &&
	    decide_announced_await(tx, query))
		return;
	if (!has_head)
		tx_log(tx, LOG_LEVEL_WARNING, "%s: git does not know the branch that moved: %s",
		    query->environment, answer->error);
	else if (settings != NULL)
		decide_head(tx, settings, answer, query);
}

/* What hinders there is not to be looked for here. */
static void
name_runner(struct tx *tx, const struct effect_git_query *query, struct git_answer *answer)
{
	const char *runner = settings_runner(tx->settings, query->environment);
	char error[LIMIT_LINE];

	if (query->kind != GIT_QUERY_COMMITS || strcmp(runner, RUNNER_LOCAL) == 0)
		return;
	memcpy(error, answer->error, sizeof(error));
	text_setf(
	    answer->error, "%s: %.*s", runner, (int)(sizeof(error) - LIMIT_RUNNER - 2), error);
}

void
handle_git_answered(struct tx *tx, const struct event *event)
{
	const struct effect_git_query *query = &tx->effect->u.git_query;
	const struct git_answered *answered = &event->u.git_answered;
	CLEANUP(freep) struct git_answer *answer = mem_new(1, sizeof(*answer));
	bool is_answered;

	is_answered = git_answer_decode(answered->answer, answered->exit_status, answer, NULL) &&
	    !answered->unreachable;
	if (!is_answered && !answered->unreachable)
		name_runner(tx, query, answer);
	answer->binding = answered->binding;
	answer->text = answered->answer;
	answer->blocked = query->blocked;
	answer->block = query->block;
	if (query->kind == GIT_QUERY_COMMITS && is_answered && answer->error[0] == '\0')
		decide_note_head(tx, query->environment, answer);
	if (query->kind == GIT_QUERY_UNPACK)
		answer_upload(tx, answered, is_answered, answer);
	else if (query->kind == GIT_QUERY_SETTINGS)
		answer_settings(tx, answered);
	else if (query->kind == GIT_QUERY_HEADS) {
		if (settings_environment(tx->settings, query->environment) == NULL)
			tx_log(tx, LOG_LEVEL_INFO, "git was polled for what is gone: dropped");
		else if (is_answered && answer->error[0] == '\0')
			decide_poll_answered(tx, answer);
		else
			decide_poll_failed(tx, answer->error);
		decide_poll_later(tx); /* a database of before has no timer meanwhile */
	} else if (tx->effect->subject != 0) {
		answer_deployment(tx, query, is_answered, answer);
	} else {
		answer_push(tx, query, is_answered, answer);
	}
}
