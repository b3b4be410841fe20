/* decide_cloudflare.c - what follows from each answer of Cloudflare, by the phase of the zone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_cloudflare.h"

#include "decide/work/decide_cloudflare_inside.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_executor.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "lib/when.h"
#include "store/row_button.h"
#include "store/row_effect.h"

#define SECOND_MS   INT64_C(1000)
#define HOUR_MS	    (3600 * SECOND_MS)
#define DAY_MS	    (24 * HOUR_MS)
#define CHECK_TRIES 6		     /* 2, 4, … 64 s apart: then it is said that nobody knows */
#define LATE_MS	    (20 * SECOND_MS) /* as long as a call may take */
#define RETRY_MS    (30 * SECOND_MS)
#define RETRY_MOST  5 /* doubled so often: 16 minutes */

/* --- what is begun --- */

static void
call(struct tx *tx, struct cloudflare_row *row, enum effect_kind kind, const char *level)
{
	struct effect effect = { .kind = kind, .subject = row->work };

	(void)text_copy(effect.u.cloudflare.zone, CLOUDFLARE_ZONE, row->zone);
	(void)text_copy(effect.u.cloudflare.level, CLOUDFLARE_LEVEL, level);
	row->effect = row_effect_order(tx, &effect);
}

/* The one timer of this zone. */
static void
wait_until(struct tx *tx, struct cloudflare_row *row, int64_t at)
{
	row_effect_withdraw(tx, row->timer);
	row->timer = row_effect_timer(tx, TIMER_CLOUDFLARE, row->zone, 0, at);
}

/* The row says so from now on. */
static void
enter(struct tx *tx, struct cloudflare_row *row, enum cloudflare_phase phase)
{
	tx_log(tx, LOG_LEVEL_INFO, "cloudflare %s: phase %d -> %d", row->target, row->phase, phase);
	row->phase = phase;
	row_cloudflare_save(tx, row);
}

static void
forget(struct tx *tx, struct cloudflare_row *row)
{
	row_effect_withdraw(tx, row->timer);
	row_cloudflare_remove(tx, row->zone);
}

static void
audit(struct tx *tx, const struct cloudflare_row *row, enum audit_code code, const char *outcome)
{
	const char *const meta[] = { "target", row->target, "level", row->old, "reason",
		row->detail, NULL };

	row_audit_add(tx,
	    &(struct audit_entry){ .code = code,
		.user = "system",
		.environment = row->target,
		.outcome = outcome,
		.at_least = strcmp(outcome, "success") == 0 ? AUDIT_INFO : AUDIT_MEDIUM,
		.deployment = row->work },
	    meta);
}

/* --- the work that waits --- */

/* Is its end still to come?  Of what a database had that was restored it is not. */
static bool
is_open(const struct deployment *work)
{
	return work->state == DEPLOY_RUNNING || work->state == DEPLOY_STOPPING;
}

static void
finish(struct tx *tx, struct cloudflare_row *row, enum deploy_event event, const char *detail)
{
	struct deployment work;

	row_deployment_get(tx, row->work, &work);
	row->work = 0;
	if (work.id == 0 || !is_open(&work))
		return;
	if (event == DEPLOY_ON_SCRIPT_FAILED)
		work.why = DEPLOY_WHY_INTERRUPTED; /* shown as not known */
	work.target_changed = event == DEPLOY_ON_SCRIPT_FAILED;
	text_set(work.detail, detail);
	(void)decide_step(tx, &work, event, NULL);
}

static void
finish_set(struct tx *tx, struct cloudflare_row *row, const char *how)
{
	char line[LIMIT_LINE], date[WHEN_TEXT];

	text_setf(line, "%s until %s, then %s again", how,
	    when_text(tx->settings->zone, row->until, date), cloudflare_level_text(row->old));
	finish(tx, row, DEPLOY_ON_SCRIPT_OK, line);
}

/* --- under attack --- */

/* No call is in progress that its answer would contradict. */
static bool
is_set(const struct cloudflare_row *row)
{
	return row->phase == CLOUDFLARE_IS_SET || row->phase == CLOUDFLARE_IS_STUCK ||
	    (row->phase == CLOUDFLARE_IS_RESTORING && row->effect == 0);
}

/* Its end is moved. */
static void
prolong(struct tx *tx, struct cloudflare_row *row, int64_t until)
{
	row->until = until;
	row->tries = row->failed_at = row->notified_at = 0;
	wait_until(tx, row, until);
	finish_set(tx, row, "under attack already;");
	enter(tx, row, CLOUDFLARE_IS_SET);
}

static void
attack(struct tx *tx, const struct deployment *work, const char *zone)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);
	int64_t minutes, until;

	if (!text_to_i64(work->argument, ACTION_MINUTES_LEAST, ACTION_MINUTES_MOST, &minutes, NULL))
		minutes = ACTION_MINUTES_LEAST; /* it was checked when it was asked for */
	until = tx->at + minutes * 60 * SECOND_MS;
	if (row.zone[0] != '\0') {
		struct cloudflare_row waiting = row;

		waiting.work = work->id;
		if (is_set(&row))
			prolong(tx, &waiting, until);
		else
			finish(tx, &waiting, DEPLOY_ON_FAILED_BEFORE_RELEASE,
			    "its level is being changed: ask again in a minute");
		return;
	}
	row = (struct cloudflare_row){
		.at = tx->at, .until = until, .work = work->id, .address = work->address
	};
	text_set(row.zone, zone);
	(void)deployment_target(work, row.target);
	text_set(row.set, CLOUDFLARE_ATTACK);
	text_set(row.by, work->requester);
	call(tx, &row, EFFECT_CLOUDFLARE_GET, "");
	enter(tx, &row, CLOUDFLARE_IS_ASKING);
}

/* --- as it was --- */

static void
begin_restoring(struct tx *tx, struct cloudflare_row *row)
{
	row_effect_withdraw(tx, row->timer);
	row->timer = 0;
	call(tx, row, EFFECT_CLOUDFLARE_GET, "");
	enter(tx, row, CLOUDFLARE_IS_RESTORING);
}

/* Without a row: a level that a person names, and nothing is to be restored. */
static void
set_level(struct tx *tx, const struct deployment *work, const char *zone, const char *level)
{
	struct effect effect = { .kind = EFFECT_CLOUDFLARE_SET, .subject = work->id };

	(void)text_copy(effect.u.cloudflare.zone, CLOUDFLARE_ZONE, zone);
	(void)text_copy(effect.u.cloudflare.level, CLOUDFLARE_LEVEL, level);
	(void)row_effect_order(tx, &effect);
}

static void
restore(struct tx *tx, const struct deployment *work, const char *zone)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);
	const char *level = work->argument;
	bool is_there = row.zone[0] != '\0';

	if (!is_there && level[0] != '\0') {
		set_level(tx, work, zone, level);
		return;
	}
	if (!is_there || !is_set(&row)) {
		row.work = work->id;
		finish(tx, &row, DEPLOY_ON_FAILED_BEFORE_RELEASE,
		    is_there ?
			"its level is being changed: ask again in a minute" :
			"deploybot has not set it, and does not know what is normal: name a level");
		return;
	}
	row.work = work->id;
	row.tries = 0;
	row.until = row.until < tx->at ? row.until : tx->at;
	if (level[0] != '\0')
		text_set(row.old, level);
	begin_restoring(tx, &row);
}

/* Of each of its actions. */
static void (*const begins[ACTION_COUNT])(
    struct tx *tx, const struct deployment *work, const char *zone) = {
	[ACTION_CF_UNDER_ATTACK] = attack,
	[ACTION_CF_NORMAL] = restore,
};

void
decide_cloudflare_begin(struct tx *tx, int64_t id)
{
	struct deployment work;
	const struct client_settings *client;
	const struct action *action;
	struct cloudflare_row row = { .work = id };

	row_deployment_get(tx, id, &work);
	client = settings_client(tx->settings, work.client);
	action = action_row_of(work.action);
	if (work.state != DEPLOY_RUNNING)
		return; /* given up meanwhile */
	if (client == NULL || client->cloudflare_zone == NULL)
		finish(tx, &row, DEPLOY_ON_FAILED_BEFORE_RELEASE,
		    "its CLIENT_<ID>_CLOUDFLARE_ZONE is not in the settings any more");
	else if (action == NULL || begins[action - action_table] == NULL)
		finish(tx, &row, DEPLOY_ON_FAILED_BEFORE_RELEASE,
		    "this version of deploybot does not have it");
	else
		begins[action - action_table](tx, &work, client->cloudflare_zone);
}

static bool
will_end(struct tx *tx, int64_t work)
{
	return row_cloudflare_is_awaited(tx, work) ||
	    row_effect_timer_of(tx, TIMER_CLOUDFLARE, work) != 0 ||
	    row_effect_find(tx, EFFECT_CLOUDFLARE_SET, work) != 0;
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { .begin = decide_cloudflare_begin,
		.will_end = will_end };

	decide_executor_add(ACTION_BY_CLOUDFLARE, &executor);
}

/* --- answers --- */

static void
become_set(struct tx *tx, struct cloudflare_row *row)
{
	wait_until(tx, row, row->until);
	audit(tx, row, AUDIT_CODE_CLOUDFLARE_SET, "success");
	finish_set(tx, row, "under attack");
	enter(tx, row, CLOUDFLARE_IS_SET);
}

static void
restored(struct tx *tx, struct cloudflare_row *row)
{
	char line[LIMIT_LINE];

	audit(tx, row, AUDIT_CODE_CLOUDFLARE_RESTORED, "success");
	if (row->work == 0)
		decide_cloudflare_tell_restored(tx, row);
	text_setf(line, "%s again", cloudflare_level_text(row->old));
	finish(tx, row, DEPLOY_ON_SCRIPT_OK, line);
	forget(tx, row);
}

/* Somebody else has set another level. */
static void
left(struct tx *tx, struct cloudflare_row *row, const char *level)
{
	char line[LIMIT_LINE];

	audit(tx, row, AUDIT_CODE_CLOUDFLARE_LEFT, "warning");
	text_setf(line, "somebody else has set it to %s: left so", cloudflare_level_text(level));
	if (row->work == 0)
		decide_cloudflare_tell_left(tx, row, level);
	finish(tx, row, DEPLOY_ON_SCRIPT_OK, line);
	forget(tx, row);
}

static int64_t
retry_in_ms(const struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	if (answer->verdict == CLOUDFLARE_REFUSED)
		return HOUR_MS;
	if (answer->verdict == CLOUDFLARE_BUSY)
		return answer->retry_after_s * SECOND_MS;
	return RETRY_MS << (row->tries < RETRY_MOST ? row->tries : RETRY_MOST);
}

static void
not_restored(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	bool is_stuck = answer->verdict == CLOUDFLARE_REFUSED && row->failed_at != 0 &&
	    tx->at - row->failed_at >= DAY_MS;

	text_set(row->detail, answer->detail);
	if (row->failed_at == 0) {
		row->failed_at = tx->at;
		audit(tx, row, AUDIT_CODE_CLOUDFLARE_RESTORED, "failure");
	}
	finish(tx, row, DEPLOY_ON_FAILED_BEFORE_RELEASE, row->detail);
	wait_until(tx, row, tx->at + (is_stuck ? DAY_MS : retry_in_ms(row, answer)));
	row->tries++;
	row->phase = is_stuck ? CLOUDFLARE_IS_STUCK : CLOUDFLARE_IS_RESTORING;
	if (is_stuck)
		row->notified_at = 0;
	decide_cloudflare_tell_failing(tx, row);
	row_cloudflare_save(tx, row);
}

/* Whether it was set is not known: asked again for two minutes, then said.  Its end comes as if it
 * were, and looks first. */
static void
check_again(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	char line[LIMIT_LINE];

	if (++row->tries < CHECK_TRIES) {
		wait_until(tx, row,
		    tx->at +
			(answer->verdict == CLOUDFLARE_BUSY ? answer->retry_after_s * SECOND_MS :
							      SECOND_MS << row->tries));
		row_cloudflare_save(tx, row);
		return;
	}
	text_setf(line, "unknown whether it was set: %.180s", answer->detail);
	row->tries = row->failed_at = 0;
	wait_until(tx, row, row->until);
	audit(tx, row, AUDIT_CODE_CLOUDFLARE_SET, "unknown");
	finish(tx, row, DEPLOY_ON_SCRIPT_FAILED, line);
	enter(tx, row, CLOUDFLARE_IS_SET);
}

static void
refused(struct tx *tx, struct cloudflare_row *row, const char *detail)
{
	text_set(row->detail, detail);
	audit(tx, row, AUDIT_CODE_CLOUDFLARE_SET, "failure");
	finish(tx, row, DEPLOY_ON_FAILED_BEFORE_RELEASE, detail);
	forget(tx, row);
}

/* What its level was, or why that is not known. */
static void
got_before(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	struct deployment work;

	row_deployment_get(tx, row->work, &work);
	if (!is_open(&work)) {
		forget(tx, row); /* nothing was set for it */
	} else if (answer->verdict != CLOUDFLARE_DONE) {
		refused(tx, row, answer->detail);
	} else if (strcmp(answer->value, row->set) == 0) {
		finish(tx, row, DEPLOY_ON_SCRIPT_OK,
		    "under attack already, not set by us: it stays so");
		forget(tx, row);
	} else {
		text_set(row->old, answer->value);
		call(tx, row, EFFECT_CLOUDFLARE_SET, row->set);
		enter(tx, row, CLOUDFLARE_IS_SETTING);
	}
}

/* What was sent may still arrive: it is looked twice before it is said that it was not set. */
static void
got_checked(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	if (answer->verdict != CLOUDFLARE_DONE) {
		check_again(tx, row, answer);
	} else if (strcmp(answer->value, row->set) == 0) {
		row->tries = row->failed_at = 0;
		become_set(tx, row);
	} else if (row->failed_at != 0) {
		refused(tx, row, row->detail);
	} else {
		row->failed_at = tx->at;
		wait_until(tx, row, tx->at + LATE_MS);
		row_cloudflare_save(tx, row);
	}
}

static void
got_at_its_end(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	if (answer->verdict != CLOUDFLARE_DONE) {
		not_restored(tx, row, answer);
	} else if (strcmp(answer->value, row->old) == 0) {
		restored(tx, row);
	} else if (strcmp(answer->value, row->set) == 0) {
		call(tx, row, EFFECT_CLOUDFLARE_SET, row->old);
		row_cloudflare_save(tx, row);
	} else {
		left(tx, row, answer->value);
	}
}

void
decide_cloudflare_got(
    struct tx *tx, const char *zone, int64_t effect, const struct cloudflare_answer *answer)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);

	if (row.zone[0] == '\0' || row.effect != effect)
		return; /* of what is no more */
	row.effect = 0;
	if (row.phase == CLOUDFLARE_IS_ASKING)
		got_before(tx, &row, answer);
	else if (row.phase == CLOUDFLARE_IS_CHECKING)
		got_checked(tx, &row, answer);
	else
		got_at_its_end(tx, &row, answer);
}

/* A level that a person has named, where nothing was to be restored. */
static void
was_set_alone(struct tx *tx, const struct cloudflare_answer *answer)
{
	struct cloudflare_row row = { .work = tx->effect->subject };
	char line[LIMIT_LINE];

	if (answer->verdict == CLOUDFLARE_DONE) {
		text_setf(line, "set to %s", cloudflare_level_text(answer->value));
		finish(tx, &row, DEPLOY_ON_SCRIPT_OK, line);
	} else if (answer->verdict == CLOUDFLARE_UNKNOWN) {
		text_setf(line, "unknown whether it was set: %.180s", answer->detail);
		finish(tx, &row, DEPLOY_ON_SCRIPT_FAILED, line);
	} else {
		finish(tx, &row, DEPLOY_ON_FAILED_BEFORE_RELEASE, answer->detail);
	}
}

static void
was_attacked(struct tx *tx, struct cloudflare_row *row, const struct cloudflare_answer *answer)
{
	if (answer->verdict == CLOUDFLARE_DONE) {
		become_set(tx, row);
	} else if (answer->verdict == CLOUDFLARE_UNKNOWN) {
		text_set(row->detail, answer->detail);
		call(tx, row, EFFECT_CLOUDFLARE_GET, "");
		enter(tx, row, CLOUDFLARE_IS_CHECKING);
	} else {
		refused(tx, row, answer->detail);
	}
}

void
decide_cloudflare_was_set(
    struct tx *tx, const char *zone, int64_t effect, const struct cloudflare_answer *answer)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);

	if (row.zone[0] == '\0' || row.effect != effect) {
		was_set_alone(tx, answer);
		return;
	}
	row.effect = 0;
	if (row.phase == CLOUDFLARE_IS_SETTING)
		was_attacked(tx, &row, answer);
	else if (answer->verdict == CLOUDFLARE_DONE)
		restored(tx, &row);
	else
		not_restored(tx, &row, answer); /* looks before it sets it again */
}

/* --- time, and people --- */

void
decide_cloudflare_fault(struct tx *tx, const char *zone, int64_t at)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);

	if (row.zone[0] == '\0')
		return;
	row.effect = row.work = 0;
	if (row.old[0] == '\0') { /* nothing was set */
		forget(tx, &row);
		return;
	}
	wait_until(tx, &row, row.phase == CLOUDFLARE_IS_SET && row.until > at ? row.until : at);
	row_cloudflare_save(tx, &row);
}

void
decide_cloudflare_due(struct tx *tx, const char *zone)
{
	struct cloudflare_row row = row_cloudflare_get(tx, zone);

	if (row.zone[0] == '\0' || row.effect != 0)
		return;
	row.timer = 0;
	if (row.phase == CLOUDFLARE_IS_CHECKING) {
		call(tx, &row, EFFECT_CLOUDFLARE_GET, "");
		row_cloudflare_save(tx, &row);
	} else if (row.phase == CLOUDFLARE_IS_STUCK) {
		row.notified_at = 0;
		wait_until(tx, &row, tx->at + DAY_MS);
		decide_cloudflare_tell_failing(tx, &row);
		row_cloudflare_save(tx, &row);
	} else if (row.until > tx->at && row.failed_at == 0) {
		wait_until(tx, &row, row.until);
		row_cloudflare_save(tx, &row);
	} else {
		begin_restoring(tx, &row);
	}
}

bool
decide_cloudflare_answer(
    struct tx *tx, const struct update *update, const char *target, bool is_again)
{
	struct cloudflare_row row = row_cloudflare_of(tx, target);

	if (row.phase != CLOUDFLARE_IS_STUCK)
		return false;
	row_button_close(tx, "zone", target);
	text_set(row.detail, update->name);
	audit(tx, &row,
	    is_again ? AUDIT_CODE_CLOUDFLARE_TRIED_AGAIN : AUDIT_CODE_CLOUDFLARE_BY_HAND,
	    "success");
	row.tries = row.failed_at = row.notified_at = 0;
	if (is_again)
		begin_restoring(tx, &row);
	else
		forget(tx, &row);
	return true;
}
