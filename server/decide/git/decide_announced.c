/* decide_announced.c - a push that git does not show yet: asked again, and given up in the end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_announced.h"

#include <stdio.h>

#include "decide/git/decide_push.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_dedupe.h"
#include "store/row_effect.h"
#include "store/row_environment.h"

/* A replica lags by seconds; who pushed still looks. */
#define PAUSE_FIRST_S 5

const char *
decide_announced_source(enum delivery_forge forge, const char *hook, char out[DECIDE_SOURCE])
{
	(void)snprintf(out, DECIDE_SOURCE, "%s%s%s", delivery_forge_word(forge),
	    hook[0] != '\0' ? "/" : "", hook);
	return out;
}

/* Bytes of "gitlab:" and a login there: one more than settings have, so none is cut to another. */
#define LOGIN 47

/* "workflow:shop(mona)": she began its run; "workflow:shop" where that is not known.  Of the
 * workflow's name stands as much as fits. */
static void
name_workflow(const struct delivery *delivery, char ret[LIMIT_PERSON])
{
	if (delivery->login[0] == '\0')
		(void)snprintf(ret, LIMIT_PERSON, "workflow:%s", delivery->workflow);
	else
		(void)snprintf(ret, LIMIT_PERSON, "workflow:%.*s(%.*s)",
		    LIMIT_PERSON - (int)sizeof("workflow:()") -
			(int)strnlen(delivery->login, LOGIN),
		    delivery->workflow, LOGIN, delivery->login);
}

void
decide_announced(
    struct tx *tx, const struct environment_settings *settings, const struct delivery *delivery)
{
	struct announced_push push = { .until = tx->at + DECIDE_ANNOUNCED_MS,
		.by_job = delivery->by_job };
	const char *forge = delivery_forge_word(delivery->forge);
	char who[LIMIT_PERSON], former[ENVIRONMENT_ID_MAX];

	if (delivery->workflow[0] != '\0')
		name_workflow(delivery, who);
	else
		text_setf(
		    who, "%s:%.40s(%lld)", forge, delivery->login, (long long)delivery->sender);
	text_set(push.forge, forge);
	text_set(push.after, delivery->after);
	text_set(push.delivery, delivery->id);
	text_set(push.hook, delivery->hook);
	if (push.after[0] != '\0') {
		/* A job's was pushed long before it says so. */
		row_environment_set_announced(tx, decide_row_name(tx, settings->name, former),
		    push.by_job ? "" : push.after, delivery->job_run, delivery->came_at);
		decide_name_pusher(tx, settings->name, push.after, who);
	}
	if (!push.by_job) /* the branch's head has all that was looked for */
		row_effect_withdraw(tx, row_effect_find_named(tx, TIMER_PUSH, settings->name));
	decide_query_head(tx, settings, who, &push);
}

void
decide_announced_later(struct tx *tx, const struct effect_timer *timer, int64_t due)
{
	(void)row_effect_order(
	    tx, &(struct effect){ .kind = EFFECT_TIMER, .due = due, .u.timer = *timer });
}

static void
give_up(struct tx *tx, const struct effect_git_query *query)
{
	const struct settings *settings = settings_of(tx->settings, query->environment);
	enum delivery_forge forge = delivery_forge_of(query->push.forge);
	char source[DECIDE_SOURCE];
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_dedupe_give_up(
	    tx, decide_announced_source(forge, query->push.hook, source), query->push.delivery);
	chat_first(&text, FIRST_PUSH_NOT_FOUND, query->environment);
	chat_text_commit(&text, ": git does not show ", query->push.after);
	chat_text_outside(&text, ", pushed by ", FORGE_PERSON(query->requested_by));
	chat_text_add(&text, ". Asked for two minutes; ");
	if (settings->poll_repository_seconds > 0)
		chat_text_add(&text, "polling goes on, and deploys it when it is there.");
	else
		chat_text_add(&text,
		    "not asked again: Redeliver it at %s or " MARK_CODE "/deploy %s" MARK_CODE ".",
		    delivery_forge_name(forge), query->environment);
	decide_send_team(tx, query->environment, &text);
}

bool
decide_announced_await(struct tx *tx, const struct effect_git_query *query)
{
	struct effect_timer timer = { .kind = TIMER_PUSH, .push = query->push };
	int64_t pause_s = query->push.pause_s == 0 ? PAUSE_FIRST_S : 2 * query->push.pause_s;
	int64_t due = tx->at + pause_s * 1000;

	/* By a clock that was ahead. */
	if (timer.push.until > tx->at + DECIDE_ANNOUNCED_MS)
		timer.push.until = tx->at + DECIDE_ANNOUNCED_MS;
	if (tx->at >= timer.push.until) {
		give_up(tx, query);
		return false;
	}
	/* One that came meanwhile is asked about already, and is newer. */
	if (!query->push.by_job && row_effect_is_querying(tx, query->environment))
		return true;
	timer.push.pause_s = (int)pause_s;
	text_set(timer.environment, query->environment);
	text_set(timer.requested_by, query->requested_by);
	decide_announced_later(tx, &timer, due < timer.push.until ? due : timer.push.until);
	return true;
}

void
decide_announced_again(struct tx *tx)
{
	const struct effect_timer *timer = &tx->effect->u.timer;
	const struct environment_settings *settings =
	    settings_environment(tx->settings, timer->environment);

	if (settings != NULL && settings->push_branch != NULL)
		decide_query_head(tx, settings, timer->requested_by, &timer->push);
}
