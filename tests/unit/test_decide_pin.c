/* Goal: a chat that asks for it keeps one pinned message of what runs where, edited in place.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_chat.h"
#include "decide/tell/decide_pin.h"

#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_message.h"
#include "store/row_pin.h"
#include "store/row_retention.h"

#define ON	 "PIN_STATUS=true"
#define NO_RIGHT "Bad Request: not enough rights to manage pinned messages in the chat"
#define DAY_MS	 (24 * 3600 * INT64_C(1000))

/* --- what happens --- */

static size_t
timers(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_PIN;
	return n;
}

static int64_t
next_look(const struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_PIN)
			return w->open[i]->due - w->aid.at;
	return -1;
}

static void
read_pin(struct tx *tx, void *arg)
{
	struct pin *pin = arg;

	*pin = row_pin_get(tx, pin->chat);
}

static struct pin
pin_of(struct world *w, int64_t chat)
{
	struct pin pin = { .chat = chat };

	world_act(w, read_pin, &pin);
	return pin;
}

static struct world_message *
summary(struct world *w, int64_t chat)
{
	int64_t row = pin_of(w, chat).message;

	for (size_t i = w->n_screen; i-- > 0;)
		if (w->screen[i].row == row && row != 0)
			return &w->screen[i];
	fail_msg("chat %lld has none", (long long)chat);
	return NULL;
}

static const char *
says(struct world *w)
{
	return world_plain(summary(w, WORLD_TEAM));
}

static bool
summary_has(struct world *w, const char *part)
{
	return strstr(says(w), part) != NULL;
}

/* Asked of a summary alone: the probe of a release stays open. */
static void
health(struct world *w, const char *failure)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];
		struct probed *probed = &effect->result->u.probed;

		if (effect->kind != EFFECT_PROBE || effect->u.probe.pin == 0)
			continue;
		memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
		probed->n = effect->u.probe.n;
		probed->findings = calloc(probed->n, sizeof(*probed->findings));
		assert_non_null(probed->findings);
		for (size_t k = 0; k < probed->n; k++) {
			probed->findings[k].is_healthy = failure == NULL;
			(void)text_copy(
			    probed->findings[k].detail, LIMIT_LINE, failure == NULL ? "" : failure);
		}
		(void)store_aid_report(&w->aid, effect);
		(void)pin_of(w, WORLD_TEAM);
		return;
	}
	fail_msg("nobody asks for health");
}

/* What Telegram says to the pin that was ordered. */
static struct effect_pin_message
pinned(struct world *w, const char *failure)
{
	struct effect *effect = world_take(w, EFFECT_PIN_MESSAGE);
	struct effect_pin_message pin;

	assert_non_null(effect);
	pin = effect->u.pin_message;
	(void)text_copy(effect->result->u.message_sent.failure, LIMIT_LINE, failure);
	(void)store_aid_report(&w->aid, effect);
	(void)pin_of(w, WORLD_TEAM);
	return pin;
}

static int64_t
remote_of(struct world *w, const struct world_message *message)
{
	return w->screen_remote[message->row % WORLD_SCREEN];
}

static void
looked_at(struct world *w)
{
	world_due(w, TIMER_PIN);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		health(w, NULL);
}

/* A is live in staging, which answers; what was said is pinned. */
static void
open_pinned(struct world *w)
{
	world_open(w, ON, STAGING_URL, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	looked_at(w);
	(void)pinned(w, "");
}

/* --- what it says --- */

WORLD_TEST_OF(where_nobody_asks_for_it_there_is_none, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(timers(w), 0);
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0);
}

WORLD_TEST_OF(one_silent_message_says_what_runs_and_is_pinned, ON, STAGING_URL)
{
	struct effect_pin_message pin;
	struct world_message *said;

	world_deploy_goes_live(w, COMMIT_A);
	world_due(w, TIMER_PIN);
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0); /* with what its URL says */
	health(w, NULL);
	said = summary(w, WORLD_TEAM);
	assert_true(said->is_silent);
	assert_int_equal(said->chat, WORLD_TEAM);
	assert_true(text_starts(world_plain(said),
	    "🟢 staging runs aaaaaaa, healthy\n\"Make it blue\", live since "));
	assert_true(summary_has(w, "\n⚪ production has no release yet\n\nLast change: "));
	pin = pinned(w, "");
	assert_true(pin.chat == WORLD_TEAM && !pin.is_off);
	assert_int_equal(pin.remote_id, remote_of(w, said));
	assert_int_equal(pin_of(w, WORLD_TEAM).pinned, pin.remote_id);
	assert_int_equal(timers(w), 1);
}

/* Telegram refuses an edit that changes nothing; and each edit is one of twenty a minute. */
WORLD_TEST_BARE(what_says_the_same_is_not_edited)
{
	int64_t sends;

	open_pinned(w);
	sends = summary(w, WORLD_TEAM)->sends;
	for (int i = 0; i < 300; i++) /* a day: nothing in it grows old by itself */
		looked_at(w);
	assert_int_equal(summary(w, WORLD_TEAM)->sends, sends);
	assert_int_equal(timers(w), 1);
	assert_int_equal(world_count(w, EFFECT_PIN_MESSAGE), 0);
}

WORLD_TEST_BARE(it_follows_what_is_in_progress_held_and_down)
{
	open_pinned(w);
	w->aid.at += 60000;
	world_deploy_starts(w, COMMIT_B);
	looked_at(w);
	assert_true(summary_has(w, "🟢 staging runs aaaaaaa, healthy"));
	assert_true(summary_has(w, "\n⏳ in progress bbbbbbb, requested by @ada"));
	(void)world_text(w, WORLD_ADMIN, "/lock production 2h sale");
	looked_at(w);
	assert_true(summary_has(w, "⚪ production has no release yet\n🔒 locked by @ada, until "));
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	looked_at(w);
	assert_true(text_starts(says(w), "🔥 staging may be DOWN; last live: aaaaaaa"));
	assert_true(summary_has(w, "\nthe last change failed half-way: look at /logs staging"));
	assert_true(summary_has(w, "\n⛔ blocked: bbbbbbb"));
	assert_int_equal(summary(w, WORLD_TEAM)->row, pin_of(w, WORLD_TEAM).message);
}

/* Trouble is what the pinned bar shows, a line of which fits a phone. */
WORLD_TEST_BARE(what_is_down_stands_first)
{
	open_pinned(w);
	world_due(w, TIMER_PIN);
	health(w, "HTTP 500");
	assert_true(text_starts(says(w), "🔴 staging: unhealthy; last live: aaaaaaa\n"));
	world_due(w, TIMER_PIN);
	health(w, NULL);
	assert_true(text_starts(says(w), "🟢 staging runs aaaaaaa, healthy\n"));
	world_due(w, TIMER_PIN);
	world_probed_as(w, COMMIT_B);
	world_due(w, TIMER_PIN);
	assert_true(
	    text_starts(says(w), "⚠️ staging: another commit answers; last live: aaaaaaa\n"));
}

/* What answered before a release says nothing of it. */
WORLD_TEST_BARE(health_of_another_release_is_not_its_own)
{
	open_pinned(w);
	w->aid.at += 60000;
	world_deploy_starts(w, COMMIT_B);
	world_run_is_probed(w, NULL);
	world_due(w, TIMER_PIN);
	assert_true(text_starts(says(w), "🩺 staging runs bbbbbbb, health not known yet\n"));
	health(w, NULL);
	assert_true(text_starts(says(w), "🟢 staging runs bbbbbbb, healthy\n"));
}

WORLD_TEST_OF(a_rollback_that_nobody_has_seen_stands_in_it, ON, "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	looked_at(w);
	assert_true(summary_has(w, "\n👀 nobody has seen yet that it was rolled back from "));
	world_due(w, TIMER_NAG);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, world_button(world_last(w), "Seen"));
	looked_at(w);
	assert_false(summary_has(w, "👀"));
}

/* --- bounded --- */

WORLD_TEST_BARE(edits_are_ten_seconds_apart)
{
	open_pinned(w);
	w->aid.at += 60000;
	looked_at(w);
	(void)world_text(w, WORLD_ADMIN, "/lock production 2h sale");
	(void)world_text(w, WORLD_ADMIN, "/unlock production");
	(void)world_text(w, WORLD_ADMIN, "/lock production 2h sale");
	assert_int_equal(timers(w), 1);
	assert_in_range(next_look(w), 5000, 10000);
	world_due(w, TIMER_PIN);
	(void)world_text(w, WORLD_ADMIN, "/unlock production");
	assert_in_range(next_look(w), 5000, 10000);
}

/* --- refused, deleted, moved, given up --- */

static size_t
refusals(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += strstr(w->screen[i].text, "Status not pinned") != NULL;
	return n;
}

WORLD_TEST_OF(that_it_may_not_be_pinned_is_said_once_and_tried_each_hour, ON)
{
	world_due(w, TIMER_PIN);
	(void)pinned(w, NO_RIGHT);
	assert_int_equal(refusals(w), 1);
	assert_non_null(world_says_in(w, WORLD_TEAM, "Status not pinned: " NO_RIGHT));
	assert_non_null(world_says_in(w, WORLD_TEAM, "Give the bot the right to pin messages"));
	world_due(w, TIMER_PIN);
	assert_int_equal(world_count(w, EFFECT_PIN_MESSAGE), 0);
	for (int hour = 0; hour < 3; hour++) {
		w->aid.at += 3600 * 1000;
		world_due(w, TIMER_PIN);
		(void)pinned(w, NO_RIGHT);
	}
	assert_int_equal(refusals(w), 1);
	w->aid.at += 3600 * 1000;
	world_due(w, TIMER_PIN);
	(void)pinned(w, "");
	w->aid.at += 3600 * 1000;
	world_due(w, TIMER_PIN);
	assert_int_equal(world_count(w, EFFECT_PIN_MESSAGE), 0);
}

struct sent {
	int64_t row, chat, remote_id;
};

static void
is_sent(struct tx *tx, void *arg)
{
	const struct sent *sent = arg;

	row_message_sent(tx, sent->row, sent->chat, sent->remote_id);
	decide_pin_sent(tx, sent->row, sent->remote_id);
}

WORLD_TEST_BARE(one_that_was_deleted_is_pinned_again_where_it_stands_now)
{
	struct sent anew;

	open_pinned(w);
	anew = (struct sent){ pin_of(w, WORLD_TEAM).message, WORLD_TEAM, 9001 };
	world_act(w, is_sent, &anew);
	assert_int_equal(pinned(w, "").remote_id, 9001);
	assert_int_equal(pin_of(w, WORLD_TEAM).pinned, 9001);
}

/* The answer to a pin of a message that is gone by now decides nothing. */
WORLD_TEST_OF(a_late_answer_is_of_no_other_message, ON)
{
	struct sent anew;

	world_due(w, TIMER_PIN);
	anew = (struct sent){ pin_of(w, WORLD_TEAM).message, WORLD_TEAM, 9001 };
	world_act(w, is_sent, &anew);
	(void)pinned(w, "Bad Request: message to pin not found");
	assert_int_equal(refusals(w), 0);
	assert_int_equal(pinned(w, "").remote_id, 9001);
}

WORLD_TEST_BARE(switched_off_it_says_so_and_is_unpinned)
{
	struct effect_pin_message pin;
	struct world_message *said;

	open_pinned(w);
	said = summary(w, WORLD_TEAM);
	world_settings(w, STAGING_URL, NULL);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	world_due(w, TIMER_PIN);
	assert_string_equal(world_plain(said),
	    "Status no longer kept up to date here: PIN_STATUS is off. /status shows it.");
	pin = pinned(w, "");
	assert_true(pin.is_off && pin.remote_id == remote_of(w, said));
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0);
	assert_int_equal(timers(w), 0);
}

/* An application's file asks for its own chat, whose summary has nothing of the others. */
WORLD_TEST(each_chat_has_that_of_its_applications)
{
	world_application(w, "shop", "TELEGRAM_CHAT_ID=-1002\nPIN_STATUS=true\n");
	world_application(w, "blog", "ENVIRONMENTS=staging\nSTAGING_BRANCH=main\n");
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(timers(w), 1);
	world_due(w, TIMER_PIN);
	assert_true(text_starts(world_plain(summary(w, WORLD_GROUP)), "⚪ shop/"));
	assert_null(strstr(summary(w, WORLD_GROUP)->text, "blog"));
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0);
}

static void
moves(struct tx *tx, UNUSED void *arg)
{
	row_message_move_chat(tx, WORLD_TEAM, -100777);
	row_chat_move(tx, WORLD_TEAM, -100777);
}

WORLD_TEST_BARE(it_goes_with_its_group_and_is_pinned_there)
{
	int64_t row;

	open_pinned(w);
	row = pin_of(w, WORLD_TEAM).message;
	world_act(w, moves, NULL);
	(void)world_text(w, WORLD_ADMIN, "/lock production 2h sale");
	world_due(w, TIMER_PIN); /* of the chat that was */
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0);
	assert_int_equal(pin_of(w, -100777).message, row);
	assert_true(timers(w) >= 1);
	for (int i = 0; i < 3; i++)
		world_due(w, TIMER_PIN);
	assert_int_equal(summary(w, -100777)->chat, -100777);
	assert_int_equal(timers(w), 1);
	assert_int_equal(pinned(w, "").chat, -100777);
}

static void
has_one_already(struct tx *tx, UNUSED void *arg)
{
	row_pin_put(tx, &(struct pin){ .chat = -100777, .message = 4711, .pinned = 5 });
	moves(tx, NULL);
}

WORLD_TEST_BARE(a_group_that_moves_to_one_with_a_summary_keeps_its_own)
{
	int64_t row;

	open_pinned(w);
	row = pin_of(w, WORLD_TEAM).message;
	world_act(w, has_one_already, NULL);
	assert_int_equal(pin_of(w, WORLD_TEAM).message, 0);
	assert_int_equal(pin_of(w, -100777).message, row);
	assert_int_equal(pin_of(w, -100777).pinned, 0);
	world_act(w, moves, NULL); /* none of the old chat: that of the new one stays */
	assert_int_equal(pin_of(w, -100777).message, row);
}

static void
is_upgraded(struct tx *tx, UNUSED void *arg)
{
	decide_chat_move(tx, WORLD_TEAM, -100777);
}

/* Regression: its timer named the chat that was, and nobody ended what was pinned there. */
WORLD_TEST_BARE(of_a_group_that_is_ours_no_more_and_moves_it_ends)
{
	open_pinned(w);
	world_settings(w, "TELEGRAM_CHAT_ID=", NULL);
	world_act(w, is_upgraded, NULL);
	assert_int_not_equal(pin_of(w, -100777).message, 0);
	world_due(w, TIMER_PIN);
	assert_int_equal(pin_of(w, -100777).message, 0);
	assert_non_null(world_says_in(w, -100777, "Status no longer kept up to date here"));
}

/* --- it lasts --- */

WORLD_TEST_BARE(a_start_looks_at_it_again)
{
	int64_t row;

	open_pinned(w);
	row = pin_of(w, WORLD_TEAM).message;
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(timers(w), 1);
	assert_true(next_look(w) <= 2000);
	looked_at(w);
	assert_int_equal(pin_of(w, WORLD_TEAM).message, row);
}

static void
clears(struct tx *tx, UNUSED void *arg)
{
	(void)row_retention_clear(tx);
}

WORLD_TEST_BARE(its_row_stays_however_old_it_is)
{
	open_pinned(w);
	w->aid.at += 90 * DAY_MS;
	world_act(w, clears, NULL);
	(void)world_text(w, WORLD_ADMIN, "/lock production 2h sale");
	looked_at(w);
	assert_true(summary_has(w, "🔒 locked by @ada"));
	assert_int_equal(world_count(w, EFFECT_PIN_MESSAGE), 0); /* it is the same message */
}
