/* decide_question.c - one open question for an environment and commit: shared, confirmed, asked anew.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_question.h"

#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_environment.h"

/* --- asked --- */

static bool
is_blocked_now(struct tx *tx, const struct deployment *deployment)
{
	return row_block_find(tx, deployment->environment, deployment->commit, NULL);
}

void
decide_ask(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	(void)text_copy(deployment->shown_live, LIMIT_COMMIT, environment.current.commit);
	deployment->shown_blocked = is_blocked_now(tx, deployment);
	deployment->is_again = decide_is_live(tx, deployment);
	(void)decide_step(tx, deployment, DEPLOY_ON_ASK, answer);
}

/* --- shared --- */

bool
decide_share_question(struct tx *tx, struct deployment *request, const struct git_answer *answer)
{
	struct deployment question =
	    row_deployment_question_of(tx, request->environment, request->commit);

	if (question.id == 0)
		return false;
	(void)text_copy(request->detail, sizeof(request->detail), "its question is open already");
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
decide_may_answer(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	bool is_shared = row_button_is_shared(tx, deployment->id);
	bool is_push = deployment->trigger != TRIGGER_CHAT;

	if (deployment->requested_by == update->person ||
	    row_button_is_requester(tx, deployment->id, update->person) ||
	    ((is_push || is_shared) && policy_role(tx->settings, update->person) == POLICY_ADMIN))
		return true;
	decide_audit_denied(tx, update, "confirm", deployment->environment,
	    is_push	  ? "the question after a push is an admin's" :
		is_shared ? "the question is an admin's, or of who asked" :
			    "the question is another person's");
	if (is_push || is_shared)
		decide_toastf(tx, update, true, "⛔ Only an admin%s may answer this.",
		    is_shared ? " or who asked" : "");
	else
		decide_toastf(
		    tx, update, true, "⛔ Only %s may answer this.", deployment->requester);
	return false;
}

/* --- what it showed, and what is --- */

struct differences {
	char line[LIMIT_LINE];
	size_t used;
};

static void add_difference(struct differences *d, const char *fmt, ...) PRINTF(2, 3);

static void
add_difference(struct differences *d, const char *fmt, ...)
{
	va_list args;
	int n;

	if (d->used > 0 && d->used + 2 < sizeof(d->line)) {
		memcpy(d->line + d->used, "; ", 3);
		d->used += 2;
	}
	va_start(args, fmt);
	n = vsnprintf(d->line + d->used, sizeof(d->line) - d->used, fmt, args);
	va_end(args);
	d->used += n > 0 ? (size_t)n : 0;
	if (d->used >= sizeof(d->line))
		d->used = sizeof(d->line) - 1; /* cut is fine */
}

static void
compare_releases(struct tx *tx, const struct deployment *deployment,
    const struct environment *environment, struct differences *d)
{
	const char *live = environment->current.commit;
	struct deployment now = *deployment;

	if (strcmp(live, deployment->shown_live) != 0 && deployment->shown_live[0] == '\0')
		add_difference(d, "%s runs %.7s now", deployment->environment, live);
	else if (strcmp(live, deployment->shown_live) != 0)
		add_difference(d, "%s runs %.7s now, not %.7s", deployment->environment, live,
		    deployment->shown_live);
	if (deployment_is_rollback(deployment))
		return;
	decide_set_previous(tx, &now);
	if (strcmp(now.previous, deployment->previous) != 0 && strcmp(now.previous, live) != 0)
		add_difference(d, "the release to roll back to is %s%.7s now",
		    now.previous[0] != '\0' ? "" : "none", now.previous);
	if (is_blocked_now(tx, deployment) && !deployment->shown_blocked)
		add_difference(d, "it was rolled back meanwhile");
}

static void
compare_branch(
    const struct deployment *deployment, const struct git_answer *answer, struct differences *d)
{
	if (answer->branch[0] != '\0' && !answer->in_branch && !deployment->is_off_branch)
		add_difference(d, "%.60s was force-pushed and no longer has it", answer->branch);
}

/* A newer commit is no reason to ask again. */
static void
note_newer(struct deployment *deployment, const struct git_answer *answer)
{
	if (answer->branch_commit[0] != '\0' && strcmp(deployment->ref, answer->branch) == 0 &&
	    strcmp(answer->branch_commit, deployment->commit) != 0)
		(void)snprintf(deployment->note, sizeof(deployment->note),
		    "%.100s has moved on to %.7s", deployment->ref, answer->branch_commit);
}

/* --- confirmed --- */

/* Confirmed while another one is queued.  A newer push takes its place; but what a person wants
 * where nothing else may start goes past it, and it keeps its place. */
static void
start(struct tx *tx, struct deployment *deployment)
{
	struct deployment queued = row_deployment_queued(tx, deployment->environment);
	bool passes = queued.id != 0 && deployment->trigger == TRIGGER_CHAT;

	if (passes)
		row_deployment_set_state(tx, queued.id, DEPLOY_REQUESTED, queued.why);
	else if (queued.id != 0)
		(void)decide_step(tx, &queued, DEPLOY_ON_SUPERSEDE, NULL);
	(void)decide_step(tx, deployment, DEPLOY_ON_CONFIRM, NULL);
	decide_next(tx, deployment->environment);
	if (!passes)
		return;
	row_deployment_set_state(
	    tx, queued.id, DEPLOY_QUEUED, queued.why); /* as everybody saw it */
	decide_next(tx, deployment->environment);
}

static void
ask_anew(struct tx *tx, struct deployment *deployment, const struct differences *d,
    const struct git_answer *answer)
{
	char user[32];

	decide_audit_request(tx, deployment, decide_user(user, deployment->confirmed_by),
	    "deploy_requested", "asked anew", (const char *const[]){ "reason", d->line, NULL });
	(void)text_copy(deployment->changed, sizeof(deployment->changed), d->line);
	deployment->confirmed_by = 0;
	deployment->confirmer[0] = '\0';
	decide_set_previous(tx, deployment);
	if (answer != NULL) {
		deployment->is_force_push = answer->forced;
		deployment->is_off_branch = answer->branch[0] != '\0' && !answer->in_branch;
	}
	decide_ask(tx, deployment, answer);
}

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
	struct differences d = { 0 };

	if (is_rolled_back_already(deployment, &environment)) {
		refuse(tx, deployment, "somebody else was faster");
		return;
	}
	if (settings_environment(tx->settings, deployment->environment) != NULL)
		compare_releases(tx, deployment, &environment, &d);
	if (answer != NULL) {
		decide_contained(tx, deployment, answer);
		compare_branch(deployment, answer, &d);
		note_newer(deployment, answer);
	}
	if (d.used > 0)
		ask_anew(tx, deployment, &d, answer);
	else if (deployment->trigger == TRIGGER_CHAT &&
	    row_deployment_active(tx, deployment->environment).id != 0)
		refuse(tx, deployment,
		    "another deployment is in progress: try again when it has ended");
	else
		start(tx, deployment);
}

static void
query(
    struct tx *tx, const struct deployment *deployment, const struct environment_settings *settings)
{
	struct environment environment = row_environment_get(tx, deployment->environment);
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS };

	(void)text_copy(query.environment, sizeof(query.environment), deployment->environment);
	(void)text_copy(query.ref, sizeof(query.ref), deployment->commit);
	(void)text_copy(query.base, sizeof(query.base), environment.current.commit);
	if (settings->branch != NULL)
		(void)text_copy(query.branch, sizeof(query.branch), settings->branch);
	(void)text_copy(query.requested_by, sizeof(query.requested_by), deployment->confirmer);
	decide_git_query(tx, &query, deployment->id);
}

bool
decide_confirm(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);

	deployment->confirmed_by = update->person;
	(void)text_copy(deployment->confirmer, sizeof(deployment->confirmer), update->name);
	if (settings == NULL || deployment_is_rollback(deployment)) {
		proceed_confirmed(tx, deployment, NULL);
		return true;
	}
	row_button_close(tx, deployment->id, BUTTON_CONFIRM);
	row_deployment_save(tx, deployment);
	decide_tell(tx, deployment, NULL);
	query(tx, deployment, settings);
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
