/* decide_git.c - what git is asked for a deployment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_git.h"

#include <stdio.h>

#include "chat/chat_deployment.h"
#include "chat/chat_text.h"
#include "decide/git/decide_ran.h"
#include "decide/queue/decide_previous.h"
#include "lib/condition.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_change.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_question.h"
#include "store/row_past.h"
#include "types/repository.h"

/* Nothing was live when git was asked, or another one is by now: no commit. */
#define COMPARED_WITH_NOTHING "-"

/* What nobody shall ship unawares: blocked commits, then those that were rejected, each once. */
static size_t
list_unwanted(struct tx *tx, const char *environment, struct block ret[LIMIT_BLOCKED])
{
	size_t n = row_block_list(tx, environment, ret, LIMIT_BLOCKED, NULL), k;
	size_t all = n + row_block_list_rejected(tx, environment, ret + n, LIMIT_BLOCKED - n);

	for (size_t i = n; i < all; i++) {
		for (k = 0; k < n && strcmp(ret[k].commit, ret[i].commit) != 0; k++)
			continue;
		if (k == n) {
			ret[n] = ret[i];
			ret[n++].is_rejected = true;
		}
	}
	return n;
}

/* The commits of which git says whether the answer's contains them. */
static void
name_blocked(struct tx *tx, struct effect_git_query *query)
{
	struct block blocks[LIMIT_BLOCKED];
	size_t n = list_unwanted(tx, query->environment, blocks), used = 0;

	for (size_t i = 0; i < n; i++) /* cannot be cut: each has its blank or the NUL */
		if (commit_is_git(blocks[i].source, blocks[i].commit))
			used +=
			    (size_t)snprintf(query->blocked + used, sizeof(query->blocked) - used,
				"%s%s", used > 0 ? " " : "", blocks[i].commit);
	query->block = row_block_newest(tx, query->environment);
}

/* Those that ask for more approvals are answered for each: they stand behind a /. */
static void
name_watched(struct tx *tx, struct effect_git_query *query)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, query->environment);
	const struct conditions *conditions = settings == NULL ? NULL : settings->approvals_if;
	size_t used = strlen(query->paths), n = 0;

	for (size_t i = 0; conditions != NULL && i < conditions->n; i++)
		if (conditions->at[i].kind == CONDITION_PATH &&
		    used + strlen(conditions->at[i].what) + 4 <= sizeof(query->paths))
			used += (size_t)snprintf(query->paths + used, sizeof(query->paths) - used,
			    "%s%s%s", used > 0 ? "," : "", n++ == 0 ? "/," : "",
			    conditions->at[i].what);
}

void
decide_git_query(struct tx *tx, const struct effect_git_query *query, int64_t deployment)
{
	struct effect effect = {
		.kind = EFFECT_GIT_QUERY, .subject = deployment, .u.git_query = *query
	};

	if (query->kind == GIT_QUERY_COMMITS)
		name_blocked(tx, &effect.u.git_query);
	if (query->kind == GIT_QUERY_COMMITS)
		name_watched(tx, &effect.u.git_query);
	(void)row_effect_order(tx, &effect);
}

static void
query_commit(struct tx *tx, const struct deployment *deployment, const char *ref,
    const char *requested_by, bool is_patient)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	struct environment environment;
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS, .is_patient = is_patient };

	assert(deployment->source == SOURCE_GIT); /* whoever asks has looked */
	row_environment_get(tx, deployment->environment, &environment);
	text_set(query.environment, deployment->environment);
	text_set(query.ref, ref);
	(void)decide_git_base(tx, deployment, &environment, query.base);
	if (settings != NULL && settings->branch != NULL)
		text_set(query.branch, settings->branch);
	text_set(query.requested_by, requested_by);
	decide_git_query(tx, &query, deployment->id);
}

void
decide_query_commit(
    struct tx *tx, const struct deployment *deployment, const char *ref, const char *requested_by)
{
	if (row_effect_find(tx, EFFECT_GIT_QUERY, deployment->id) == 0)
		query_commit(tx, deployment, ref, requested_by, false);
}

void
decide_query_again(struct tx *tx, const struct deployment *deployment)
{
	query_commit(tx, deployment, deployment->commit, deployment->requester, true);
}

void
decide_head_is(struct tx *tx, const char *name, const char *branch, const char *commit)
{
	if (strcmp(row_environment_get(tx, name, &(struct environment){ 0 })->head.commit,
		commit) != 0)
		row_approval_set_compared(tx, name, commit, COMPARED_WITH_NOTHING);
	row_environment_set_head(tx, name, branch, commit);
}

void
decide_note_head(struct tx *tx, const char *name, const struct git_answer *answer)
{
	const struct environment_settings *settings = settings_environment(tx->settings, name);
	const char *head = answer->branch_commit;

	if (settings == NULL || settings->branch == NULL || head[0] == '\0' ||
	    strcmp(settings->branch, answer->branch) != 0)
		return;
	/* One that is blocked later elsewhere was pushed there before the block, too. */
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (e == settings ||
		    (e->branch != NULL && strcmp(e->branch, answer->branch) == 0 &&
			repository_is_shared(e->of, settings->of)))
			decide_head_is(tx, e->name, answer->branch, head);
	}
	if (answer->has_base && !answer->forced && strcmp(answer->commit, head) == 0)
		row_environment_count_head(tx, name, answer->base, answer->count);
}

/* Git no longer knows the commit: each that it was asked about may be in its history. */
static void
contain_unsure(struct tx *tx, const struct deployment *deployment, const char *blocked)
{
	char commit[LIMIT_COMMIT];

	while (*blocked != '\0') {
		size_t size = strcspn(blocked, " ");

		text_setf(commit, "%.*s", (int)size, blocked);
		row_block_contain(tx, deployment->id, commit, true);
		blocked += size;
		blocked += strspn(blocked, " ");
	}
}

void
decide_note_blocks(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	for (size_t i = 0; i < answer->n_contained; i++)
		row_block_contain(tx, deployment->id, answer->contained[i], false);
	if (answer->error[0] != '\0')
		contain_unsure(tx, deployment, answer->blocked);
	if (answer->blocked != NULL)
		row_block_contain_others(tx, deployment, answer->block, answer->blocked);
	row_question_compare(tx, deployment->id, answer->block);
}

bool
decide_is_uncompared(struct tx *tx, const struct deployment *work)
{
	return deployment_asks_git(work) && row_question_is_uncompared(tx, work);
}

void
decide_query_blocked(struct tx *tx, const struct deployment *work)
{
	if (decide_is_uncompared(tx, work) && row_effect_find(tx, EFFECT_GIT_QUERY, work->id) == 0)
		decide_query_again(tx, work);
}

void
decide_contained(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment;
	char base[LIMIT_COMMIT];

	row_environment_get(tx, deployment->environment, &environment);
	decide_note_blocks(tx, deployment, answer);
	if (answer->tree[0] != '\0')
		(void)text_copy(deployment->tree, LIMIT_COMMIT, answer->tree);
	if (answer->error[0] == '\0')
		text_set(deployment->barrier, answer->barrier);
	if (answer->error[0] == '\0' && row_past_set(tx, deployment->id, answer))
		deployment->is_past_barrier = false; /* no question has said so */
	/* Over another one that is live by then, git is asked again at its turn; also where that
	 * one is live again, which is a decision of meanwhile. */
	if (answer->has_base)
		(void)text_copy(deployment->wait.compared_live, LIMIT_COMMIT,
		    strcmp(answer->base, decide_git_base(tx, deployment, &environment, base)) == 0 ?
			answer->base :
			COMPARED_WITH_NOTHING);
	else if (answer->error[0] == '\0' &&
	    decide_git_base(tx, deployment, &environment, base)[0] != '\0')
		(void)text_copy(
		    deployment->wait.compared_live, LIMIT_COMMIT, COMPARED_WITH_NOTHING);
	if (answer->error[0] == '\0')
		row_change_set(tx, deployment->id, answer);
}

size_t
decide_list_contained(
    struct tx *tx, const struct deployment *deployment, struct block ret[LIMIT_BLOCKED])
{
	struct block unwanted[LIMIT_BLOCKED];
	size_t all = list_unwanted(tx, deployment->environment, unwanted);
	size_t n = row_block_list_contained(tx, deployment, ret, LIMIT_BLOCKED);

	for (size_t i = 0; i < all && n < LIMIT_BLOCKED; i++)
		if (unwanted[i].is_rejected &&
		    row_block_is_contained(tx, deployment->id, &unwanted[i]))
			ret[n++] = unwanted[i];
	return n;
}

void
decide_git_changes(
    struct tx *tx, const char *environment, const struct git_answer *answer, char *out, size_t room)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	CLEANUP(freep) char *changes = NULL;

	chat_deployment_no_history(&text, answer,
	    &row_environment_get(tx, environment, &(struct environment){ 0 })->current);
	chat_deployment_changes(&text, answer, decide_ran_failed(tx, environment, answer));
	changes = chat_text_take(&text);
	(void)text_copy(out, room, changes != NULL ? changes : "");
}
