/* decide_push.c - latest wins: seen, blocked, superseded, queued.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_push.h"

#include "chat/chat_status.h"
#include "decide/git/decide_announced.h"
#include "decide/approval/decide_approval.h"
#include "decide/queue/decide_binding.h"
#include "decide/queue/decide_ci.h"
#include "decide/work/decide_deployment.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_hold_work.h"
#include "decide/queue/decide_previous.h"
#include "decide/question/decide_question.h"
#include "decide/queue/decide_queue.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_shown.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_whom.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_zone.h"
#include "deployment/turn.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_opa.h"
#include "store/row_question.h"
#include "store/row_queue.h"

#define RENAMED_MS 10000

/* Its rows still have another name: what was made under this one would keep them from it. */
static void
query_later(struct tx *tx, const char *environment, const char *requested_by,
    const struct announced_push *push)
{
	struct effect_timer timer = { .kind = TIMER_PUSH };

	text_set(timer.environment, environment);
	text_set(timer.requested_by, requested_by);
	if (push != NULL)
		timer.push = *push;
	(void)row_effect_order(tx,
	    &(struct effect){ .kind = EFFECT_TIMER, .due = tx->at + RENAMED_MS, .u.timer = timer });
}

void
decide_query_head(struct tx *tx, const struct environment_settings *settings,
    const char *requested_by, const struct announced_push *push)
{
	struct environment environment;
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS, .is_patient = true };
	char former[ENVIRONMENT_ID_MAX];

	row_environment_get(tx, settings->name, &environment);
	if (decide_is_to_be_renamed(tx, settings->name, former)) {
		query_later(tx, settings->name, requested_by, push);
		return;
	}
	text_set(query.environment, settings->name);
	text_set(query.ref, push != NULL && push->by_job ? push->after : settings->branch);
	text_set(query.branch, settings->branch);
	if (commit_is_git(environment.current.source, environment.current.commit))
		text_set(query.base, environment.current.commit);
	text_set(query.requested_by, requested_by);
	if (settings->of->paths != NULL)
		text_set(query.paths, settings->of->paths);
	if (push != NULL)
		query.push = *push;
	decide_git_query(tx, &query, 0);
}

/* The first poll of an environment only remembers: whether anybody wanted what lies before it is
 * not known.  What is asked about already is left to that, so that a push in hand is acted on. */
void
decide_polled(struct tx *tx, const struct environment_settings *settings, const char *commit)
{
	struct environment environment;
	bool is_first;

	row_environment_get(tx, settings->name, &environment);
	is_first = environment.polled_commit[0] == '\0';
	if (strcmp(commit, environment.polled_commit) == 0 ||
	    row_effect_is_querying(tx, settings->name) ||
	    row_effect_find_named(tx, TIMER_PUSH, settings->name) != 0)
		return;
	if (is_first || strcmp(commit, environment.seen_commit) == 0)
		row_environment_set_polled(tx, settings->name, commit);
	if (!is_first && strcmp(commit, environment.seen_commit) != 0)
		decide_query_head(tx, settings, DECIDE_POLL, NULL);
	else if (is_first && strcmp(commit, environment.seen_commit) != 0 &&
	    environment.current.id != 0 && strcmp(commit, environment.current.commit) != 0)
		decide_query_head(tx, settings, DECIDE_FIRST_POLL, NULL);
}

int64_t
decide_came_block(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	struct environment of;
	bool is_announced;
	bool is_unseen;
	int64_t block;
	bool is_shown;

	row_environment_get(tx, environment, &of);
	is_announced = strcmp(of.announced.commit, answer->commit) == 0;
	is_unseen = of.announced.commit[0] != '\0' && of.announced.block < answer->block;
	block = is_announced || is_unseen ? of.announced.block : answer->block;
	/* A job's, from below the head: when that was pushed is not known. */
	if (!is_announced && strcmp(answer->commit, answer->branch_commit) != 0)
		return 0;
	is_shown = !is_announced && strcmp(of.head.commit, answer->commit) == 0;
	return is_shown && of.head.block < block ? of.head.block : block;
}

/* A head that is not what was announced is of who pushed it on top, and nobody has said who. */
static const char *
who_pushed(const struct effect_git_query *query, const struct git_answer *answer)
{
	return query->push.after[0] == '\0' || strcmp(query->push.after, answer->commit) == 0 ?
	    query->requested_by :
	    DECIDE_POLL;
}

/* A new deployment of that head, its message in the team's chat. */
static struct deployment *
add_deployment(struct tx *tx, const char *environment, const struct git_answer *answer,
    const struct effect_git_query *query, struct deployment *ret)
{
	const char *requested_by = who_pushed(query, answer);

	*ret = (struct deployment){
		.program = PROGRAM_DEPLOY,
		.trigger = query->push.by_job			  ? TRIGGER_JOB :
		    strcmp(query->requested_by, DECIDE_POLL) == 0 ? TRIGGER_POLL :
								    TRIGGER_PUSH,
		.state = DEPLOY_REQUESTED,
		.address = { .chat = decide_whom_home(tx, requested_by, environment) },
		.requested_at = tx->at,
		.is_force_push = answer->forced,
	};

	text_set(ret->environment, environment);
	text_set(ret->commit, answer->commit);
	text_set(ret->ref, answer->ref);
	text_set(ret->subject, answer->subject);
	text_set(ret->missing, answer->missing);
	text_set(ret->author, answer->author);
	ret->committed_at = answer->at;
	text_set(ret->requester, requested_by);
	decide_set_previous(tx, ret);
	row_deployment_add(tx, ret);
	decide_bind_found(tx, ret, decide_came_block(tx, environment, answer), answer);
	decide_contained(tx, ret, answer);
	decide_audit_request(tx, ret, 0, AUDIT_CODE_DEPLOY_REQUESTED, "requested",
	    (const char *const[]){ "trigger", trigger_word(ret->trigger), "ref", ret->ref, NULL });
	return ret;
}

static void
supersede(struct tx *tx, struct deployment *older, const struct git_answer *answer)
{
	if (older->id == 0)
		return;
	text_setf(older->detail, "replaced by %.7s", answer->commit);
	(void)decide_step(tx, older, DEPLOY_ON_SUPERSEDE, answer);
}

static void
notify_blocked(
    struct tx *tx, const char *environment, const char *subject, const struct block *block)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_PUSH_BLOCKED, environment);
	chat_first_commit(&text, subject, COMMIT_OF(block));
	chat_text_add(&text, block->by[0] != '\0' ? " was " : ": ");
	chat_block(&text, block, tx->at);
	chat_text_add(&text,
	    ". A newer commit is deployed as ever; " MARK_CODE "/deploy %s %.7s" MARK_CODE
	    " asks first.",
	    environment, block->commit);
	decide_send_team(tx, environment, &text);
}

/* What came last there was this commit, and left everything as it was: CI says a push again when
 * its image is there, for which the first attempt may have waited in vain, and a job when what CI
 * refused has passed.  What somebody cancelled is not begun again by itself, nor for what had come
 * before its end. */
static bool
came_to_nothing(struct tx *tx, const struct effect_git_query *query, const char *commit)
{
	struct deployment last;

	return row_deployment_list(tx, query->environment, &last, 1) == 1 &&
	    last.program == PROGRAM_DEPLOY &&
	    (last.state == DEPLOY_FAILED || (query->push.by_job && last.why == DEPLOY_WHY_CI)) &&
	    !last.target_changed && last.why != DEPLOY_WHY_CANCELLED &&
	    strcmp(last.commit, commit) == 0 &&
	    (query->push.until == 0 || query->push.until - DECIDE_ANNOUNCED_MS >= last.ended_at);
}

/* What was pushed before git was polled stays where it is, and the chat knows of it. */
static void
notify_first_poll(struct tx *tx, const struct environment_settings *settings,
    const struct environment *environment, const struct git_answer *answer)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!answer->has_base || answer->forced || answer->count == 0)
		return;
	chat_first(&text, FIRST_PUSH_BEFORE, settings->name);
	chat_text_outside(&text, "", settings->branch);
	chat_text_add(&text, " is %lld commit%s ahead of what is live", (long long)answer->count,
	    answer->count == 1 ? "" : "s");
	chat_text_commit(&text, " (", environment->current.commit);
	chat_text_add(&text, "). Git is polled from now on; what was pushed before is not ");
	chat_text_add(
	    &text, "deployed by itself: " MARK_CODE "/deploy %s" MARK_CODE ".", settings->name);
	decide_send_team(tx, settings->name, &text);
}

/* Of a job's commit that is not the branch's head nothing is known of that. */
static void
note_seen(
    struct tx *tx, const char *environment, const struct git_answer *answer, const char *announced)
{
	if (strcmp(answer->commit, answer->branch_commit) == 0)
		row_environment_set_seen(tx, environment, answer->commit, announced);
}

/* Where only promotions go nothing follows from a push, and who pushed it reads what to do. */
static bool
waits_for_promotion(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const char *announced)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	char line[LIMIT_LINE];
	const char *alone = decide_promotion_alone(settings, line);

	if (alone == NULL)
		return false;
	note_seen(tx, settings->name, answer, announced);
	chat_first(&text, FIRST_PUSH_NOT_PROMOTED, settings->name);
	chat_first_commit(&text, answer->subject, SOURCE_GIT, answer->commit);
	chat_text_add(&text, " waits to be promoted: %s", alone);
	decide_send_team(tx, settings->name, &text);
	return true;
}

/* Nothing that this application is made of differs from what is live: seen, and no more.  What was
 * compared with another release than is live now is not known. */
static bool
is_skipped(struct tx *tx, const struct environment *environment, const struct git_answer *answer,
    const char *announced)
{
	if (answer->touches || environment->current.id == 0 ||
	    strcmp(answer->base, environment->current.commit) != 0)
		return false;
	note_seen(tx, environment->name, answer, announced);
	row_environment_set_skipped(tx, environment->name, answer->count);
	tx_log(tx, LOG_LEVEL_INFO, "%s: %.7s changes nothing in PATHS: not deployed",
	    environment->name, answer->commit);
	return true;
}

/* Nor does one that waits for CI give its place to a newer one whose CI is later still. */
static bool
waits_behind_ci(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const struct effect_git_query *query)
{
	struct deployment work;

	row_deployment_get(tx, row_queue_push(tx, settings->name), &work);
	if (work.id == 0 || strcmp(work.commit, answer->commit) == 0 || !decide_ci_keeps(tx, &work))
		return false;
	row_environment_set_waiting(tx, settings->name, who_pushed(query, answer),
	    query->push.by_job ? answer->commit : "");
	text_setf(work.note, "a newer commit waits: %.7s", answer->commit);
	decide_tell(tx, &work, NULL);
	row_deployment_save(tx, &work);
	row_queue_look(tx, settings->name); /* for its CI may have been cancelled for this one */
	return true;
}

/* What others have begun to approve is not replaced under their hands: the newer head is noted with
 * it, and asked for when it has ended, or at once by the button below it.  Before that it is. */
static bool
waits_behind(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const struct effect_git_query *query)
{
	struct deployment work;
	struct approval_request request;
	struct question shown;
	int64_t newer;

	row_deployment_push_approval(tx, settings->name, &work);
	row_approval_request(tx, work.id, &request);
	newer = answer->count - request.n_changes;
	if (work.id == 0 || strcmp(work.commit, answer->commit) == 0)
		return false;
	if (work.approvers[0] == '\0') {
		supersede(tx, &work, answer);
		return false;
	}
	row_environment_set_waiting(tx, settings->name, who_pushed(query, answer),
	    query->push.by_job ? answer->commit : "");
	row_question_get(tx, work.id, &shown);
	if (strcmp(answer->base, shown.shown_live) == 0 && request.changes[0] != '\0' && newer > 0)
		text_setf(work.note, "%lld newer commit%s, to %.7s", (long long)newer,
		    newer == 1 ? " waits" : "s wait", answer->commit);
	else
		text_setf(work.note, "a newer commit waits: %.7s", answer->commit);
	decide_tell(tx, &work, NULL);
	row_deployment_save(tx, &work);
	return true;
}

/* Its push that is asked about, the one that is to be approved, and the one in its queue. */
#define PUSHES 3

static void
list_pushes(struct tx *tx, const char *environment, struct deployment ret[PUSHES])
{
	row_deployment_push_question(tx, environment, &ret[0]);
	row_deployment_push_approval(tx, environment, &ret[1]);
	row_deployment_get(tx, row_queue_push(tx, environment), &ret[2]);
}

void
decide_name_pusher(
    struct tx *tx, const char *environment, const char *commit, const char *pushed_by)
{
	struct environment now;
	struct deployment found[PUSHES];

	list_pushes(tx, environment, found);
	row_environment_get(tx, environment, &now);
	if (strcmp(now.waiting_push, DECIDE_POLL) == 0 && strcmp(now.seen_commit, commit) == 0)
		row_environment_set_waiting(tx, environment, pushed_by, now.waiting_commit);
	for (size_t i = 0; i < PUSHES; i++) {
		struct deployment *work = &found[i];

		if (strcmp(work->commit, commit) != 0 || deployment_has_pusher(work))
			continue;
		text_set(work->requester, pushed_by);
		row_deployment_save(tx, work);
		decide_tell(tx, work, NULL);
		decide_approval_look(tx, work);
	}
}

/* Somebody was sooner: this commit is deployed there, and its end says how that went. */
static bool
is_under_way(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	struct deployment active;

	row_deployment_active(tx, environment, &active);
	return active.id != 0 && active.program == PROGRAM_DEPLOY &&
	    strcmp(active.commit, answer->commit) == 0 && active.state != DEPLOY_ROLLING_BACK &&
	    active.state != DEPLOY_VERIFYING_ROLLBACK;
}

/* Why a job's commit is not deployed, for its run may be of long ago: it replaces nothing newer.
 * NULL: it is deployed. */
static const char *
find_stale(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	struct deployment found[PUSHES];

	if (answer->branch[0] != '\0' && !answer->in_branch)
		return "its branch has left it";
	if (turn_is_behind(answer))
		return "it is older than what is live";
	list_pushes(tx, environment, found);
	for (size_t i = 0; i < PUSHES && strcmp(answer->commit, answer->branch_commit) != 0; i++)
		if (found[i].id != 0 && strcmp(found[i].commit, answer->branch_commit) == 0)
			return "its branch's head waits there";
	return NULL;
}

/* What somebody has stopped is not begun again by beginning its job again. */
static bool
was_last(struct tx *tx, const char *environment, const char *commit)
{
	struct deployment last;

	return row_deployment_list(tx, environment, &last, 1) == 1 &&
	    last.program == PROGRAM_DEPLOY && strcmp(last.commit, commit) == 0;
}

/* It was seen before, or is none of those that are deployed by themselves. */
static bool
is_no_news(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const struct effect_git_query *query, const char *announced)
{
	struct environment environment;
	const char *stale;
	bool is_seen;

	row_environment_get(tx, settings->name, &environment);
	stale = query->push.by_job ? find_stale(tx, settings->name, answer) : NULL;
	if (stale != NULL) {
		tx_log(tx, LOG_LEVEL_INFO, "%s: %.7s of a job is not deployed: %s", settings->name,
		    answer->commit, stale);
		return true;
	}
	is_seen = strcmp(environment.seen_commit, answer->commit) == 0 ||
	    (query->push.by_job && was_last(tx, settings->name, answer->commit));
	if (!is_seen && is_skipped(tx, &environment, answer, announced))
		return true;
	if (strcmp(query->requested_by, DECIDE_FIRST_POLL) == 0) {
		notify_first_poll(tx, settings, &environment, answer);
		return true;
	}
	if (!is_seen ||
	    (strcmp(query->requested_by, DECIDE_POLL) != 0 &&
		came_to_nothing(tx, query, answer->commit)))
		return waits_for_promotion(tx, settings, answer, announced);
	decide_name_pusher(tx, settings->name, answer->commit, who_pushed(query, answer));
	return true;
}

void
decide_head(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const struct effect_git_query *query)
{
	const char *requested_by = who_pushed(query, answer);
	const char *announced = query->push.until != 0 ? query->push.after : "";
	struct deployment deployment, question;
	char warning[LIMIT_LINE];
	char former[ENVIRONMENT_ID_MAX];
	struct block block;
	bool asks;

	if (decide_is_to_be_renamed(tx, settings->name, former)) {
		query_later(tx, settings->name, query->requested_by, &query->push);
		return;
	}
	if (is_no_news(tx, settings, answer, query, announced))
		return;
	note_seen(tx, settings->name, answer, announced);
	if (row_block_find(tx, settings->name, answer->commit, &block)) {
		notify_blocked(tx, settings->name, answer->subject, &block);
		return;
	}
	if (decide_hold_push(tx, settings, answer, requested_by, query->push.by_job))
		return;
	row_deployment_push_question(tx, settings->name, &question);
	/* What a person asked for as well stays: pushes must not keep it from being answered. */
	if (strcmp(question.commit, answer->commit) != 0 && question.confirmed_by == 0 &&
	    !row_button_is_shared(tx, question.id))
		supersede(tx, &question, answer);
	if (waits_behind(tx, settings, answer, query) ||
	    waits_behind_ci(tx, settings, answer, query))
		return;
	asks = settings->confirm || answer->n_past > 0 ||
	    decide_zone_attacks(tx, settings->name, warning);
	if ((asks || settings->approvals > 0) && decide_share_with_push(tx, settings->name, answer))
		return;
	if ((asks || settings->approvals > 0) && is_under_way(tx, settings->name, answer))
		return;
	if (tx->settings->opa.url != NULL) {
		row_deployment_get(tx, row_opa_push(tx, settings->name), &question);
		supersede(tx, &question, answer);
	}
	add_deployment(tx, settings->name, answer, query, &deployment);
	if (asks && decide_is_live(tx, &deployment)) {
		text_set(deployment.detail, "already live");
		(void)decide_step(tx, &deployment, DEPLOY_ON_SUPERSEDE, NULL);
		return;
	}
	if (asks && decide_refusal(tx, settings->name) == NULL) {
		decide_ask(tx, &deployment, answer);
		return;
	}
	decide_enqueue(tx, &deployment, DEPLOY_ON_CLEAR, answer);
}
