/* decide_push.c - latest wins: seen, blocked, superseded, queued.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_push.h"

#include <stdio.h>

#include "chat/chat_status.h"
#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_effect.h"
#include "store/row_environment.h"

/* The commits of which git says whether the answer's contains them. */
static void
name_blocked(struct tx *tx, struct effect_git_query *query)
{
	struct block blocks[LIMIT_BLOCKED];
	size_t n = row_block_list(tx, query->environment, blocks, LIMIT_BLOCKED, NULL), used = 0;

	for (size_t i = 0; i < n; i++) /* cannot be cut: each has its blank or the NUL */
		used += (size_t)snprintf(query->blocked + used, sizeof(query->blocked) - used,
		    "%s%s", i > 0 ? " " : "", blocks[i].commit);
}

void
decide_git_query(struct tx *tx, const struct effect_git_query *query, int64_t deployment)
{
	struct effect *effect = effect_new(EFFECT_GIT_QUERY);

	if (effect == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a git query");
		return;
	}
	effect->subject = deployment;
	effect->u.git_query = *query;
	if (query->kind == GIT_QUERY_COMMITS)
		name_blocked(tx, &effect->u.git_query);
	(void)row_effect_add(tx, effect);
}

void
decide_query_head(
    struct tx *tx, const struct environment_settings *settings, const char *requested_by)
{
	struct environment environment = row_environment_get(tx, settings->name);
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS, .is_patient = true };

	(void)text_copy(query.environment, sizeof(query.environment), settings->name);
	(void)text_copy(query.ref, sizeof(query.ref), settings->branch);
	(void)text_copy(query.branch, sizeof(query.branch), settings->branch);
	(void)text_copy(query.base, sizeof(query.base), environment.current.commit);
	(void)text_copy(query.requested_by, sizeof(query.requested_by), requested_by);
	decide_git_query(tx, &query, 0);
}

void
decide_contained(
    struct tx *tx, const struct deployment *deployment, const struct git_answer *answer)
{
	for (size_t i = 0; !deployment->is_off_branch && i < answer->n_contained; i++)
		row_block_contain(tx, deployment->id, answer->contained[i]);
}

bool
decide_is_polled(struct tx *tx, const struct environment_settings *settings)
{
	return settings->branch != NULL &&
	    row_environment_get(tx, settings->name).unknown_since == 0;
}

void
decide_query_heads(struct tx *tx)
{
	struct effect_git_query query = { .kind = GIT_QUERY_HEADS };

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *settings = &tx->settings->environments[i];

		if (decide_is_polled(tx, settings))
			(void)text_copy(
			    query.branches[query.n_branches++], LIMIT_REF, settings->branch);
	}
	if (query.n_branches > 0)
		decide_git_query(tx, &query, 0);
	else
		decide_poll_later(tx);
}

void
decide_poll_later(struct tx *tx)
{
	int seconds = tx->settings->poll_repository_seconds;

	if (seconds == 0 || tx->settings->repository_url == NULL ||
	    row_effect_count_timers(tx, TIMER_POLL) > 0)
		return;
	(void)row_effect_timer(tx, TIMER_POLL, "", 0, tx->at + seconds * INT64_C(1000));
}

/* A new deployment of that head, its message in the team's chat. */
static struct deployment
add_deployment(struct tx *tx, const char *environment, const struct git_answer *answer,
    const char *requested_by)
{
	struct deployment deployment = {
		.program = PROGRAM_DEPLOY,
		.trigger = strcmp(requested_by, DECIDE_POLL) == 0 ? TRIGGER_POLL : TRIGGER_PUSH,
		.state = DEPLOY_REQUESTED,
		.address = { .chat = tx->settings->telegram_chat_id },
		.requested_at = tx->at,
		.is_force_push = answer->forced,
	};

	(void)text_copy(deployment.environment, sizeof(deployment.environment), environment);
	(void)text_copy(deployment.commit, sizeof(deployment.commit), answer->commit);
	(void)text_copy(deployment.ref, sizeof(deployment.ref), answer->ref);
	(void)text_copy(deployment.subject, sizeof(deployment.subject), answer->subject);
	(void)text_copy(deployment.missing, sizeof(deployment.missing), answer->missing);
	(void)text_copy(deployment.author, sizeof(deployment.author), answer->author);
	(void)text_copy(deployment.requester, sizeof(deployment.requester), requested_by);
	decide_set_previous(tx, &deployment);
	deployment.message =
	    decide_sendf(tx, &deployment.address, "🔎 " MARK_BOLD "%s" MARK_BOLD, environment);
	row_deployment_add(tx, &deployment);
	decide_contained(tx, &deployment, answer);
	decide_audit_request(tx, &deployment, requested_by, "deploy_requested", "requested",
	    (const char *const[]){
		"trigger", trigger_word(deployment.trigger), "ref", deployment.ref, NULL });
	return deployment;
}

static void
supersede(struct tx *tx, struct deployment older, const struct git_answer *answer)
{
	if (older.id == 0)
		return;
	(void)snprintf(older.detail, sizeof(older.detail), "by %.7s", answer->commit);
	(void)decide_step(tx, &older, DEPLOY_ON_SUPERSEDE, answer);
}

static void
notify_blocked(struct tx *tx, const char *environment, const struct block *block)
{
	struct chat_address address = { .chat = tx->settings->telegram_chat_id };
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "✋ " MARK_BOLD "%s" MARK_BOLD ": push blocked: ", environment);
	chat_text_commit(&text, "", block->commit);
	chat_text_add(&text, " was ");
	chat_block(&text, block, tx->at);
	chat_text_add(&text, ". " MARK_CODE "/deploy %s" MARK_CODE " asks first.", environment);
	(void)decide_send(tx, &address, &text);
}

/* What came last there was this commit, and left everything as it was: CI says a push again when
 * its image is there, for which the first attempt may have waited in vain.  What somebody cancelled
 * is not begun again by itself. */
static bool
came_to_nothing(struct tx *tx, const char *environment, const char *commit)
{
	struct deployment last;

	return row_deployment_list(tx, environment, &last, 1) == 1 &&
	    last.program == PROGRAM_DEPLOY && last.state == DEPLOY_FAILED && !last.target_changed &&
	    last.why != DEPLOY_WHY_CANCELLED && strcmp(last.commit, commit) == 0;
}

void
decide_head(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const char *requested_by)
{
	struct environment environment = row_environment_get(tx, settings->name);
	bool is_poll = strcmp(requested_by, DECIDE_POLL) == 0;
	struct deployment deployment;
	struct block block;

	if (strcmp(environment.seen_commit, answer->commit) == 0 &&
	    (is_poll || !came_to_nothing(tx, settings->name, answer->commit)))
		return;
	row_environment_set_seen(tx, settings->name, answer->commit);
	if (row_block_find(tx, settings->name, answer->commit, &block)) {
		notify_blocked(tx, settings->name, &block);
		return;
	}
	supersede(tx, row_deployment_push_question(tx, settings->name), answer);
	deployment = add_deployment(tx, settings->name, answer, requested_by);
	if (settings->confirm && settings_refusal(tx->settings, settings->name) == NULL) {
		(void)decide_step(tx, &deployment, DEPLOY_ON_ASK, answer);
		return;
	}
	supersede(tx, row_deployment_queued(tx, settings->name), answer);
	(void)decide_step(tx, &deployment, DEPLOY_ON_CLEAR, NULL);
	decide_next(tx, settings->name);
}
