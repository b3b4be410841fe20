/* decide_nag.c - reminders that an environment was rolled back, is down or paused, until that is seen.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_nag.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "chat/chat_first.h"
#include "chat/chat_hosts.h"
#include "chat/chat_text.h"
#include "decide/who/decide_allowed.h"
#include "decide/queue/decide_previous.h"
#include "decide/work/decide_probe.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/tell/decide_trouble.h"
#include "decide/tell/decide_whom.h"
#include "deployment/promotion.h"
#include "lib/text.h"
#include "store/row_bake.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_host_list.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_shown.h"

#define MINUTE_MS  (60 * INT64_C(1000))
#define DAY_MS	   (24 * 60 * MINUTE_MS) /* that no timer is longer than */
#define OTHERS_MAX 8

static int64_t
interval_ms(const struct tx *tx, const char *environment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);

	return settings == NULL ? 0 : settings->rollback_nag_minutes * MINUTE_MS;
}

/* How it bakes, which is paused; of what has ended all zero. */
static struct bake
paused(struct tx *tx, const struct deployment *work)
{
	struct bake bake = { .work = 0 };

	if (work->state == DEPLOY_PAUSED)
		(void)row_bake_get(tx, work->id, &bake);
	return bake;
}

static int64_t
since_of(struct tx *tx, const struct deployment *work)
{
	return work->state == DEPLOY_PAUSED ? paused(tx, work).counted_at : work->ended_at;
}

/* Counted from its end, or pause: at once, twice, four times … the interval. */
static int64_t
due_at(int64_t since, int64_t interval, int n)
{
	return since + (interval << n);
}

/* Those that were due while no program ran are passed by. */
static void
wait_for_next(struct tx *tx, const struct deployment *work, int n)
{
	int64_t interval = interval_ms(tx, work->environment), since = since_of(tx, work), due;
	char name[24];

	while (n < DECIDE_NAGS_MAX && due_at(since, interval, n) <= tx->at)
		n++;
	row_environment_set_unseen(tx, work->environment, work->id, n);
	if (n == DECIDE_NAGS_MAX)
		return;
	due = due_at(since, interval, n);
	text_setf(name, "%" PRId64, work->id);
	/* Of hosts that lag behind there was one before another end. */
	row_effect_withdraw(tx, row_effect_find_named(tx, TIMER_NAG, name));
	(void)row_effect_timer(
	    tx, TIMER_NAG, name, 0, due < tx->at + DAY_MS ? due : tx->at + DAY_MS);
}

/* Its button stands there: it says later who has seen it. */
static void
note_shown(struct tx *tx, int64_t work, int64_t message, const char *why)
{
	if (message != 0)
		row_shown_add(tx, work, message, why);
}

bool
decide_nag_is_open(struct tx *tx, const struct deployment *work)
{
	return work->id != 0 && work->state != DEPLOY_LIVE &&
	    row_environment_get(tx, work->environment, &(struct environment){ 0 })->unseen_work ==
	    work->id;
}

/* Of one that is live: on which of its hosts it is not.  Returns how many of them *ret names. */
static size_t
find_lagging(struct tx *tx, const struct deployment *work, struct chat_waves *ret)
{
	*ret = (struct chat_waves){ .n_bad = 0 };
	if (work->state == DEPLOY_LIVE && work->waves > 0)
		ret->n_bad = row_host_list_lagging(tx, work, ret->bad, &ret->hosts.failed);
	return ret->n_bad;
}

enum how_ended {
	ENDED, /* by another one, or nobody wants it any more */
	ENDED_SEEN,
	ENDED_LIVE, /* its orders are not to be followed any more */
	ENDED_BACK, /* nor are those: a later one was rolled back */
	ENDED_PAUSE /* nor are those; its own messages say how it goes on */
};

/* In front of when that was. */
static const char *const over[] = {
	[ENDED_LIVE] = "a release is live since ",
	[ENDED_BACK] = "rolled back at ",
};

/* It need not be so on all of its hosts. */
static void
add_over(struct tx *tx, struct chat_text *text, enum how_ended how, const char *environment)
{
	const struct chat_clock clock = decide_clock(tx, environment);
	struct host_mix hosts;

	chat_text_since(text, over[how], &clock, tx->at, tx->at);
	row_host_mix(tx, environment, &hosts);
	chat_host_mix(text, "\nhosts: ", &hosts);
}

/* What was said stays, without the button. */
static void
end_in(struct tx *tx, int64_t row, const struct request *seen, enum how_ended how,
    const char *environment, const char *by)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct buttons buttons = { 0 };
	struct button_row button;
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, row, &message);
	if (message.head == NULL)
		return; /* gone by age */
	button = row_button_find(tx, seen, message.address.chat);
	for (size_t i = 0; i < message.buttons.n; i++)
		if (strcmp(message.buttons.at[i].id, button.id) != 0 || button.id[0] == '\0')
			buttons.at[buttons.n++] = message.buttons.at[i];
	message.buttons = buttons;
	chat_deployment_nag_over(&text, message.head);
	if (how == ENDED_SEEN)
		chat_text_outside(&text, "\n👀 Seen by ", by);
	if (how == ENDED_LIVE || how == ENDED_BACK) {
		chat_text_add(&text, "\n✅ Over: ");
		add_over(tx, &text, how, environment);
	}
	free(message.head);
	message.head = chat_text_take(&text);
	if (how == ENDED_SEEN)
		row_message_is_looked_at(tx, row);
	row_message_change(tx, row, &message);
}

/* A reminder of what is over: nobody is to do any more what it said. */
static void
close_in(struct tx *tx, int64_t row, const char *environment, enum how_ended how)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, row, &message);
	if (message.head == NULL)
		return; /* gone by age */
	message.buttons = (struct buttons){ 0 };
	chat_first(&text, FIRST_OVER, environment);
	if (how == ENDED_PAUSE)
		chat_text_add(&text, "it is paused no more");
	else
		add_over(tx, &text, how, environment);
	free(message.head);
	message.head = chat_text_take(&text);
	row_message_change(tx, row, &message);
}

static void
end(struct tx *tx, const char *environment, int64_t work, enum how_ended how, const char *by)
{
	const struct request seen = request_about("seen", "work", work);
	int64_t rows[3 * ROW_SHOWN_MAX];
	size_t reminders = row_shown_list(tx, work, SHOWN_REMINDER, rows);
	size_t n = reminders + row_shown_list(tx, work, SHOWN_NAG, rows + reminders);

	/* Whoever was notified of it in private reads that, too. */
	n += row_shown_list(tx, work, SHOWN_TEAM, rows + n);
	row_environment_set_unseen(tx, environment, 0, 0);
	for (size_t i = 0; i < n; i++)
		if (how >= ENDED_LIVE && i < reminders)
			close_in(tx, rows[i], environment, how);
		else if (how != ENDED_PAUSE)
			end_in(tx, rows[i], &seen, how, environment, by);
	row_shown_clear(tx, work, SHOWN_NAG);
	row_shown_clear(tx, work, SHOWN_REMINDER);
	row_button_close(tx, seen.action, seen.target);
}

static void
end_open(struct tx *tx, const char *environment, enum how_ended how)
{
	int64_t work =
	    row_environment_get(tx, environment, &(struct environment){ 0 })->unseen_work;

	if (work != 0)
		end(tx, environment, work, how, "");
}

void
decide_nag_begin(struct tx *tx, const struct deployment *work)
{
	int64_t others[OTHERS_MAX];
	size_t n;

	end_open(tx, work->environment, ENDED);
	if (interval_ms(tx, work->environment) == 0)
		return;
	if (work->state == DEPLOY_LIVE) { /* its message stays as it is */
		wait_for_next(tx, work, 0);
		return;
	}
	note_shown(tx, work->id, work->message, SHOWN_NAG);
	note_shown(tx, work->id, work->also_message, SHOWN_NAG);
	n = row_button_list_messages(tx, work->id, others, COUNT(others));
	for (size_t i = 0; i < n; i++)
		note_shown(tx, work->id, others[i], SHOWN_NAG);
	wait_for_next(tx, work, 0);
}

void
decide_nag_hosts(struct tx *tx, const struct deployment *work)
{
	struct chat_waves waves;

	if (find_lagging(tx, work, &waves) > 0)
		decide_nag_begin(tx, work);
}

int64_t
decide_nag_unseen(const struct environment *environment)
{
	return environment->unseen_work == environment->current.deployment ?
	    0 :
	    environment->unseen_work;
}

void
decide_nag_live(struct tx *tx, const struct deployment *work)
{
	end_open(
	    tx, work->environment, work->state == DEPLOY_ROLLED_BACK ? ENDED_BACK : ENDED_LIVE);
}

void
decide_nag_paused_no_more(struct tx *tx, const struct deployment *work)
{
	if (decide_nag_is_open(tx, work))
		end(tx, work->environment, work->id, ENDED_PAUSE, "");
}

/* What is live comes to the hosts that do not run it. */
static void
offer_failed(struct tx *tx, const char *environment, int64_t chat, struct buttons *buttons)
{
	struct request deploy = request_of("deploy", environment);

	request_add(&deploy, "ref", PROMOTION_FAILED);
	if (chat < 0 || decide_is_allowed(tx, chat, POLICY_DEPLOY, environment))
		row_button_show_for(tx, &deploy, chat, 0, "🚀 Deploy to them", buttons);
}

static void
nag_in(struct tx *tx, const struct deployment *work, const struct environment *environment,
    int64_t chat)
{
	struct message as = { .address.chat = chat, .is_alarm = true };
	struct release back = decide_advise_earlier(tx, environment);
	const struct request seen = request_about("seen", "work", work->id);
	struct chat_clock clock = decide_clock(tx, work->environment);
	struct bake bake = paused(tx, work);
	struct chat_waves waves;
	struct chat_text text = CHAT_TEXT_EMPTY;

	(void)find_lagging(tx, work, &waves);
	if (work->state != DEPLOY_LIVE &&
	    (chat < 0 || decide_is_allowed(tx, chat, POLICY_ROLLBACK, work->environment)))
		row_button_show_for(tx, &seen, chat, 0, CHAT_SEEN, &as.buttons);
	if (work->state == DEPLOY_LIVE)
		offer_failed(tx, work->environment, chat, &as.buttons);
	else if (work->state == DEPLOY_PAUSED)
		decide_bake_buttons(tx, work, chat, &as.buttons);
	else if (environment->is_down)
		decide_trouble_buttons(tx, work->environment, chat, true, &as.buttons);
	chat_deployment_nag(&text,
	    &(struct chat_nag){
		.work = work,
		.environment = environment,
		.bake = &bake,
		.waves = &waves,
		.back = &back,
		.runbook = settings_text(
		    settings_of(tx->settings, work->environment), SETTING_RUNBOOK_URL),
		.clock = &clock,
		.at = tx->at,
		.is_last = environment->n_nags == DECIDE_NAGS_MAX,
	    });
	note_shown(tx, work->id, decide_send_as(tx, &as, &text), SHOWN_REMINDER);
}

static void
nag(struct tx *tx, const struct deployment *work)
{
	struct environment environment;
	int64_t chats[DECIDE_WHOM_ALL];
	size_t n;

	row_environment_get(tx, work->environment, &environment);
	n = decide_whom_news(tx, work->environment, chats);
	for (size_t i = 0; i < n; i++)
		nag_in(tx, work, &environment, chats[i]);
}

void
decide_nag_due(struct tx *tx, int64_t id)
{
	struct deployment work;
	struct environment environment;
	struct chat_waves waves;
	int64_t interval;

	row_deployment_get(tx, id, &work);
	row_environment_get(tx, work.environment, &environment);
	interval = interval_ms(tx, work.environment);
	if (id == 0 || environment.unseen_work != id)
		return;
	/* Nobody wants it any more; or each host runs it, or has left. */
	if (interval == 0 || (work.state == DEPLOY_LIVE && find_lagging(tx, &work, &waves) == 0)) {
		end_open(tx, work.environment, ENDED);
		return;
	}
	if (tx->at < due_at(since_of(tx, &work), interval, environment.n_nags)) {
		/* the settings changed */
		wait_for_next(tx, &work, environment.n_nags);
		return;
	}
	wait_for_next(tx, &work, environment.n_nags + 1);
	if (work.state == DEPLOY_PAUSED || !environment.is_down || !decide_probe_look(tx, &work))
		nag(tx, &work);
}

void
decide_nag_looked(struct tx *tx, const struct deployment *work)
{
	/* Before the first is due it was asked with its end. */
	if (decide_nag_is_open(tx, work) &&
	    row_environment_get(tx, work->environment, &(struct environment){ 0 })->n_nags > 0)
		nag(tx, work);
}

bool
decide_nag_seen(struct tx *tx, const struct update *update, const struct deployment *work)
{
	struct deployment live;

	if (!decide_nag_is_open(tx, work))
		return false;
	decide_audit_request(tx, work, update->person, AUDIT_CODE_ROLLBACK_SEEN, "seen",
	    (const char *const[]){ "name", update->name, NULL });
	end(tx, work->environment, work->id, ENDED_SEEN, update->name);
	row_deployment_get(tx,
	    row_environment_get(tx, work->environment, &(struct environment){ 0 })
		->current.deployment,
	    &live);
	decide_nag_hosts(tx, &live); /* this one came before it */
	row_environment_acknowledge(tx, work->environment);
	return true;
}
