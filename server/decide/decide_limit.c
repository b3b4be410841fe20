/* decide_limit.c - how often somebody may ask, and for how much in a day.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_limit.h"

#include <inttypes.h>

#include "decide/who/decide_allowed.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/decide_reply.h"
#include "deployment/gate.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_cost.h"
#include "store/row_environment.h"
#include "store/row_rate_limit.h"
#include "store/row_token.h"
#include "store/row_upload.h"
#include "types/principal.h"
#include "types/settings.h"

#define ROLE_BURST    20
#define HINT_EVERY_MS (60 * INT64_C(1000))
#define MINUTE_MS     (60 * INT64_C(1000))
#define HOUR_MS	      (60 * MINUTE_MS)
#define UPLOADS	      3 /* an hour */
#define REQUESTS      4 /* at once, then one a minute */

static bool
take(struct tx *tx, const char *of, int64_t id, int burst, int64_t every_ms)
{
	return row_rate_limit_take(tx, burst, every_ms, "%s:%" PRId64, of, id);
}

/* Whose limits they use up.  Who may make tokens would else have as many as tokens: what one asks
 * for counts as its account's, or its maker's.  Root has set the limits. */
static int64_t
counted_as(struct tx *tx, int64_t person)
{
	int64_t id = principal_token(person), of;
	struct token token;

	if (id == 0)
		return person;
	token = row_token_get(tx, id);
	of = token.person != 0 ? token.person : token.made_by;
	return of == 0 || principal_is_root(of) ? person : of;
}

/* Both are asked only while the first has room: who floods does not use up the group's. */
static bool
strangers_may(struct tx *tx, const struct update *update)
{
	const struct settings *s = tx->settings;
	int64_t every_ms;

	if (s->rate_limit_requests == 0)
		return true;
	every_ms = (int64_t)s->rate_limit_window_s * 1000 / s->rate_limit_requests;
	return take(tx, "stranger", update->person, s->rate_limit_burst, every_ms) &&
	    (update->is_private || update->address.chat == 0 ||
		take(tx, "strangers", update->address.chat, s->rate_limit_burst, every_ms));
}

static void
say_when(struct tx *tx, const struct update *update, const char *of, int64_t every_ms)
{
	int64_t seconds = (every_ms + 999) / 1000;

	if (decide_is_answered(update))
		tx->answer.status = 429;
	if (update->kind == UPDATE_PRESS) /* each of them waits for its answer */
		decide_toastf(
		    tx, update, false, "⛔ Too many %s: again in %" PRId64 " s.", of, seconds);
	else if (take(tx, "slower", update->person, 1, HINT_EVERY_MS))
		(void)decide_sendf(
		    tx, &update->address, "⛔ Too many %s: again in %" PRId64 " s.", of, seconds);
}

bool
decide_is_too_fast(struct tx *tx, const struct update *update, const char *what, bool is_always)
{
	const char *of = update->kind == UPDATE_PRESS ? "presses" : "commands";
	int64_t a_minute = tx->settings->role_rate_limit;

	if (decide_factor_is_counted(tx)) /* it was counted when it came */
		return false;
	if (decide_is_stranger(tx, update->person)) {
		if (strangers_may(tx, update))
			return false;
		tx->is_toasted = true; /* no call for each of a flood */
		decide_audit_denied(tx, update, AUDIT_CODE_DENIED, what, "", "too many requests");
		return true;
	}
	if (is_always || a_minute == 0 ||
	    take(tx, of, counted_as(tx, update->person), ROLE_BURST, 60 * 1000 / a_minute))
		return false;
	say_when(tx, update, of, 60 * 1000 / a_minute);
	return true;
}

bool
decide_may_request(struct tx *tx, int64_t person)
{
	return take(tx, "requests", counted_as(tx, person), REQUESTS, MINUTE_MS);
}

int64_t
decide_upload_wait_ms(struct tx *tx, int64_t person)
{
	int64_t at = row_upload_asked_at(tx, person, tx->at - HOUR_MS, UPLOADS);

	return at == 0 ? 0 : at + HOUR_MS - tx->at;
}

/* --- sounds --- */

/* At once, and then one each so long: what a hand can do at night by asking and cancelling. */
#define WORK_RINGS	   3
#define WORK_EVERY_MS	   (30 * MINUTE_MS)
#define REQUESTER_RINGS	   4
#define REQUESTER_EVERY_MS (15 * MINUTE_MS)
#define CHAT_RINGS	   12
#define CHAT_EVERY_MS	   (5 * MINUTE_MS)

/* A push's requester has a name and no number; of what git alone showed nobody knows who pushed it,
 * and each environment counts for itself. */
static bool
may_ring_again(struct tx *tx, const struct deployment *work, const char *of)
{
	if (work->requested_by != 0)
		return take(tx, of, counted_as(tx, work->requested_by), REQUESTER_RINGS,
		    REQUESTER_EVERY_MS);
	return row_rate_limit_take(tx, REQUESTER_RINGS, REQUESTER_EVERY_MS, "%s:%s", of,
	    deployment_has_pusher(work) ? work->requester : work->environment);
}

bool
decide_may_ring_approvers(struct tx *tx, const struct deployment *work)
{
	struct environment environment;
	bool repairs;

	row_environment_get(tx, work->environment, &environment);
	/* Whoever repairs what is down has asked often by then; what is lent repairs nothing. */
	repairs = environment_is_in_doubt(&environment) && !deployment_is_loan(work);
	return take(tx, "rings-work", work->id, WORK_RINGS, WORK_EVERY_MS) &&
	    (repairs || may_ring_again(tx, work, "rings"));
}

bool
decide_may_ring_question(struct tx *tx, const struct deployment *work)
{
	return work->state != DEPLOY_AWAITING_CONFIRMATION ||
	    may_ring_again(tx, work, "rings-question");
}

/* Not out of the same: who has rung for approvals still gets an answer. */
bool
decide_may_ring_emergency(struct tx *tx, int64_t person)
{
	return take(
	    tx, "rings-emergency", counted_as(tx, person), REQUESTER_RINGS, REQUESTER_EVERY_MS);
}

bool
decide_may_ring_chat(struct tx *tx, int64_t chat)
{
	return take(tx, "rings-chat", chat, CHAT_RINGS, CHAT_EVERY_MS);
}

/* --- cost --- */

static void
say_used_up(struct tx *tx, const struct update *update, const char *what)
{
	int64_t at = row_cost_below_at(
	    tx, counted_as(tx, update->person), (int64_t)tx->settings->cost_limit_per_user * 10);
	struct zone_time room = zone_local(tx->settings->zone, at);
	const char *zone = settings_text(tx->settings, SETTING_TIMEZONE);
	char text[LIMIT_TOAST];

	text_setf(text, "you may start %d in 24 hours; there is room again at %02d:%02d %s.",
	    tx->settings->cost_limit_per_user, room.hour, room.minute, zone);
	if (update->kind == UPDATE_PRESS)
		decide_toast_firstf(tx, update, true, FIRST_USED_UP, what, "%s", text);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_USED_UP, what, "%s", text);
}

bool
decide_can_pay(struct tx *tx, const struct update *update, const char *what, int tenths)
{
	int64_t most = (int64_t)tx->settings->cost_limit_per_user * 10;

	if (most == 0 || tenths == 0 || row_cost_day(tx, counted_as(tx, update->person)) < most)
		return true;
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED_COST, what, "", "COST_LIMIT_PER_USER");
	if (decide_is_answered(update))
		tx->answer.status = 429;
	say_used_up(tx, update, what);
	return false;
}

void
decide_pay(struct tx *tx, const struct update *update, int tenths)
{
	if (tx->settings->cost_limit_per_user != 0 && tenths != 0 && !tx->costs_nothing &&
	    !decide_factor_is_wanted(tx))
		row_cost_add(tx, counted_as(tx, update->person), tenths);
}

void
decide_charge(struct tx *tx, const struct deployment *work)
{
	int64_t minutes = (work->ended_at - work->started_at + MINUTE_MS - 1) / MINUTE_MS;

	if (tx->settings->cost_limit_per_user != 0 && work->requested_by != 0 &&
	    work->started_at != 0 && minutes > 0)
		row_cost_add(tx, counted_as(tx, work->requested_by), minutes);
}
