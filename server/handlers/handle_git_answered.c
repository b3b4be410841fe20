/* handle_git_answered.c - git answered, or could not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "decide/decide_deployment.h"
#include "decide/decide_push.h"
#include "decide/decide_tell.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_effect.h"
#include "store/row_environment.h"

static void
refuse(struct tx *tx, struct deployment *deployment, const char *reason,
    const struct git_answer *answer)
{
	deployment->why = DEPLOY_WHY_REFUSED;
	(void)text_copy(deployment->detail, sizeof(deployment->detail), reason);
	(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, answer);
}

/* A person asked for it: shows what would change and asks, or goes. */
static void
proceed_request(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	struct environment environment = row_environment_get(tx, deployment->environment);

	(void)text_copy(deployment->commit, sizeof(deployment->commit), answer->commit);
	(void)text_copy(deployment->ref, sizeof(deployment->ref), answer->ref);
	(void)text_copy(deployment->subject, sizeof(deployment->subject), answer->subject);
	(void)text_copy(deployment->missing, sizeof(deployment->missing), answer->missing);
	(void)text_copy(deployment->author, sizeof(deployment->author), answer->author);
	decide_set_previous(tx, deployment);
	deployment->is_force_push = answer->forced;
	deployment->is_off_branch = answer->branch[0] != '\0' && !answer->in_branch;
	row_deployment_save(tx, deployment);
	decide_contained(tx, deployment, answer);
	if (settings == NULL) {
		refuse(tx, deployment, "this environment is no longer in the settings", NULL);
		return;
	}
	if (settings_refusal(tx->settings, settings->name) != NULL) {
		refuse(tx, deployment, settings_refusal(tx->settings, settings->name), NULL);
		return;
	}
	if (settings->confirm || environment.unknown_since != 0 ||
	    row_block_find(tx, deployment->environment, answer->commit, NULL)) {
		(void)decide_step(tx, deployment, DEPLOY_ON_ASK, answer);
		return;
	}
	if (row_deployment_active(tx, deployment->environment).id != 0) {
		refuse(tx, deployment, "another deployment is in progress", NULL);
		return;
	}
	(void)decide_step(tx, deployment, DEPLOY_ON_CLEAR, NULL);
	decide_next(tx, deployment->environment);
}

/* It runs already: only whether the branch has moved on since is news. */
static void
note_moved_on(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	if (strcmp(answer->commit, deployment->commit) == 0 || answer->commit[0] == '\0')
		return;
	(void)snprintf(deployment->note, sizeof(deployment->note),
	    "%.100s has moved on to %.7s: %.100s", deployment->ref, answer->commit,
	    answer->subject);
	row_deployment_save(tx, deployment);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE)
		decide_tell(tx, deployment, NULL);
}

static void
answer_deployment(struct tx *tx, int64_t id, bool is_answered, const struct git_answer *answer)
{
	struct deployment deployment = row_deployment_get(tx, id);

	if (deployment.state != DEPLOY_REQUESTED) {
		if (is_answered && answer->error[0] == '\0')
			note_moved_on(tx, &deployment, answer);
	} else if (!is_answered || answer->error[0] != '\0') {
		refuse(tx, &deployment, answer->error, answer);
	} else {
		proceed_request(tx, &deployment, answer);
	}
}

/* A poll saw these heads: whoever's has moved is asked about in full.  The first poll of all only
 * remembers: nothing has moved that we could know of. */
static void
answer_heads(struct tx *tx, bool is_answered, const struct git_answer *answer)
{
	for (size_t i = 0; is_answered && i < tx->settings->environment_count; i++) {
		const struct environment_settings *settings = &tx->settings->environments[i];
		struct environment environment = row_environment_get(tx, settings->name);

		for (size_t h = 0; h < answer->n_heads; h++) {
			if (!decide_is_polled(tx, settings) ||
			    strcmp(answer->head[h].branch, settings->branch) != 0 ||
			    strcmp(answer->head[h].commit, environment.seen_commit) == 0)
				continue;
			if (environment.seen_commit[0] == '\0')
				row_environment_set_seen(
				    tx, settings->name, answer->head[h].commit);
			else if (!row_effect_is_querying(tx, settings->name))
				decide_query_head(tx, settings, DECIDE_POLL);
		}
	}
	decide_poll_later(tx);
}

void
handle_git_answered(struct tx *tx, const struct event *event)
{
	const struct effect_git_query *query = &tx->effect->u.git_query;
	const struct git_answered *answered = &event->u.git_answered;
	struct git_answer *answer = calloc(1, sizeof(*answer));
	bool is_answered;

	if (answer == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for git's answer");
		return;
	}
	is_answered = git_answer_decode(answered->answer, answered->exit_status, answer, NULL) &&
	    !answered->unreachable;
	if (query->kind == GIT_QUERY_HEADS) {
		answer_heads(tx, is_answered && answer->error[0] == '\0', answer);
	} else if (tx->effect->subject != 0) {
		answer_deployment(tx, tx->effect->subject, is_answered, answer);
	} else if (!is_answered || answer->error[0] != '\0') {
		tx_log(tx, LOG_LEVEL_WARNING, "%s: git does not know the branch that moved: %s",
		    query->environment, answer->error);
	} else {
		const struct environment_settings *settings =
		    settings_environment(tx->settings, query->environment);

		if (settings != NULL)
			decide_head(tx, settings, answer, query->requested_by);
	}
	free(answer);
}
