/* decide_unsynced.c - places that wait until server and runner have the same settings.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_unsynced.h"

#include "decide/queue/decide_binding.h"
#include "decide/git/decide_git.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_binding.h"
#include "store/row_question.h"
#include "store/row_queue.h"

#define UNREAD_MS 10000 /* a file is read within seconds, or has a mistake */

/* What it would claim, and probe, is read off settings that are not the runner's.  Which of them,
 * by name; false: none. */
static bool
is_unread(struct tx *tx, const struct deployment *deployment, char ret_names[LIMIT_LINE / 2])
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, deployment->environment);
	char list[FINGERPRINT_LIST_MAX];

	if (environment == NULL || environment->fingerprint == NULL ||
	    deployment->binding[0] == '\0' || deployment_is_action(deployment))
		return false;
	(void)row_binding_get(tx, deployment->id, list);
	(void)fingerprint_cut(list);
	(void)fingerprint_differing(list, environment->fingerprint, ret_names, LIMIT_LINE / 2);
	return strcmp(list, environment->fingerprint) != 0;
}

bool
decide_is_unsynced(
    struct tx *tx, const struct deployment *deployment, const struct question *question)
{
	char names[LIMIT_LINE / 2];

	return question->not_before != 0 || is_unread(tx, deployment, names);
}

/* An action's is the server's own (decide_action.h). */
bool
decide_is_unbound(const struct deployment *deployment)
{
	return deployment->binding[0] == '\0' && !deployment_is_action(deployment) &&
	    decide_is_answered_for(deployment);
}

void
decide_unsynced_wait(struct tx *tx, int64_t work, struct question *question)
{
	if (question->not_before != 0)
		return;
	question->not_before = tx->at;
	row_question_set(tx, work, question);
	decide_unsynced_look(tx, work);
}

void
decide_unsynced_look(struct tx *tx, int64_t work)
{
	struct effect_git_query query = { .kind = GIT_QUERY_SETTINGS };
	struct deployment deployment;
	struct question question;

	row_deployment_get(tx, work, &deployment);
	row_question_get(tx, work, &question);
	if (deployment.state != DEPLOY_QUEUED || question.not_before == 0)
		return;
	if (deployment_is_action(&deployment)) { /* the runner says when it is ordered */
		question.not_before = 0;
		row_question_set(tx, work, &question);
		row_queue_look(tx, deployment.environment);
		return;
	}
	text_set(query.environment, deployment.environment);
	text_set(query.requested_by, deployment.requester);
	decide_git_query(tx, &query, work);
}

void
decide_unsynced_look_all(struct tx *tx)
{
	int64_t work = 0;

	while ((work = row_binding_waiting(tx, work)) != 0 && !tx->failed)
		if (row_question_get(tx, work, &(struct question){ 0 })->n_changed <
		    DECIDE_CHANGES_MAX)
			decide_unsynced_look(tx, work);
}

/* The local runner has the server's own files: they are the same in a moment. */
static void
note_unread(struct tx *tx, struct deployment *deployment, const char *names)
{
	const char *runner = settings_runner(tx->settings, deployment->environment);

	if (strcmp(runner, RUNNER_LOCAL) == 0)
		text_setf(deployment->note,
		    "the settings are not read yet (%.100s): it starts when they are, or see the log",
		    names);
	else
		text_setf(deployment->note,
		    "%s has other settings (%.100s): it starts when they are the same", runner,
		    names);
}

void
decide_unsynced_answered(struct tx *tx, struct deployment *deployment, const char *list)
{
	char digest[FINGERPRINT_DIGEST], names[LIMIT_LINE / 2];
	struct question question;

	row_queue_look(tx, deployment->environment); /* it may wait for whatever answer comes */
	if (row_question_get(tx, deployment->id, &question)->not_before == 0)
		return;
	question.not_before = 0;
	if (list != NULL &&
	    strcmp(row_binding_digest(deployment, list, digest), deployment->binding) != 0)
		decide_rebind(tx, deployment, &question, list);
	if (list == NULL) {
		text_set(deployment->note,
		    "the runner does not say what would ship it: it is asked again");
		decide_binding_wait(tx, deployment->id, &question,
		    deployment->binding[0] == '\0' ? UNREAD_MS : DECIDE_TOO_OFTEN_MS);
	} else if (is_unread(tx, deployment, names)) {
		note_unread(tx, deployment, names);
		decide_binding_wait(tx, deployment->id, &question, UNREAD_MS);
	}
	text_set(deployment->waits_for, ROW_QUEUE_LOOK); /* as above */
	row_question_set(tx, deployment->id, &question);
	row_deployment_save(tx, deployment);
}
