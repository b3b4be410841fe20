/* decide_waves.c - a deployment goes on from wave to wave, or is paused between or in one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_waves.h"

#include <inttypes.h>
#include <stdio.h>

#include "chat/chat_hosts.h"
#include "decide/approval/decide_needs.h"
#include "decide/audit/decide_record.h"
#include "decide/queue/decide_barrier.h"
#include "decide/queue/decide_binding.h"
#include "decide/queue/decide_opa.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_left.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_wave_plan.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "store/row_bake.h"
#include "store/row_effect.h"
#include "store/row_host.h"
#include "store/row_host_leave.h"
#include "store/row_host_list.h"
#include "store/row_question.h"
#include "store/row_queue.h"
#include "store/row_slot.h"
#include "types/settings.h"

#define SAY_MS 5000 /* between two edits of its message */
#define NAMED  3

bool
decide_waves_are_left(const struct deployment *work)
{
	return work->wave < work->waves;
}

/* --- a wave's run is over --- */

/* The first of those that keep it from going on, and why, as long as there is room. */
static void
name_bad(struct tx *tx, const struct deployment *work, char detail[LIMIT_LINE])
{
	struct host bad[HOSTS_BAD_SHOWN];
	size_t n = row_host_list_bad(tx, work, bad);
	char line[2 * LIMIT_LINE], name[LIMIT_HOST];

	for (size_t i = 0; i < n && i < NAMED; i++) {
		text_setf(line, "%s%s %s%s%.80s", detail, i == 0 ? ":" : ";",
		    chat_host_name(&bad[i], name), bad[i].detail[0] != '\0' ? ": " : "",
		    bad[i].detail);
		line[text_cut(line, strlen(line), LIMIT_LINE - 1)] = '\0';
		(void)text_copy(detail, LIMIT_LINE, line); /* fits */
	}
}

void
decide_waves_judge(struct tx *tx, struct deployment *work, struct run_ended *ended)
{
	struct host_counts counts;
	int most = decide_wave_failures(tx, work);
	bool is_success = run_verdict_is_success(ended);
	int64_t n_bad;

	if (work->waves == 0 || work->state == DEPLOY_ROLLING_BACK)
		return;
	if (is_success) /* of a host that it said nothing of nothing is known */
		row_host_gone(tx, work, work->run);
	counts = row_host_count(tx, work);
	work->target_changed = ended->released = counts.touched > 0;
	if (counts.current > 0) /* its script speaks of the hosts of its own wave */
		ended->undone = false;
	n_bad = counts.failed + counts.unknown;
	if (n_bad <= most && (!is_success || counts.current_of_wave > 0))
		return;
	if (!is_success && (ended->lost || ended->exit_status == 0))
		return;
	if (n_bad > most)
		text_setf(ended->detail, "%" PRId64 " host%s %s; FAILURES_MAX allows %d", n_bad,
		    n_bad == 1 ? "" : "s", counts.unknown == 0 ? "failed" : "failed or unknown",
		    most);
	else if (work->waves > 1)
		text_setf(ended->detail, "no host of wave %d has its release", work->wave);
	else
		text_set(ended->detail, "no host has its release");
	name_bad(tx, work, ended->detail);
	if (is_success)
		ended->exit_status = 1;
}

/* Why stands beside its bake; what led to it is no end of the work.  said: why, for the audit. */
static void
pause(struct tx *tx, struct deployment *work, const char *why, const char *said)
{
	struct bake row;

	decide_record_pause(tx, work, said);
	row_bake_get(tx, work->id, &row);
	row.work = work->id;
	row.counted_at = tx->at;
	row.is_to_pause = false;
	(void)text_copy(row.why, sizeof(row.why), why);
	row_bake_set(tx, &row);
	work->why = DEPLOY_WHY_NONE;
	work->detail[0] = '\0';
	work->cancelled_by = 0;
	(void)decide_step(tx, work, DEPLOY_ON_PAUSE, NULL);
}

bool
decide_waves_gone(struct tx *tx, struct deployment *work)
{
	char why[LIMIT_LINE];

	if (work->waves == 0)
		return false;
	row_host_gone(tx, work, work->run);
	if (work->state != DEPLOY_RUNNING && work->state != DEPLOY_STOPPING)
		return false;
	work->target_changed = true; /* nobody knows */
	if (work->waves == 1)	     /* its environment is not known, as without waves */
		return false;
	text_setf(why,
	    "lost in wave %d of %d: what it did there is not known, nor whether it still does it: look before it goes on",
	    work->wave, work->waves);
	pause(tx, work, why, why);
	return true;
}

/* list: of now; NULL: the runner did not say. */
static void
say_changed(
    struct tx *tx, const struct deployment *work, const char *list, char ret[2 * LIMIT_LINE])
{
	char names[LIMIT_LINE / 2];
	struct question shown;

	row_question_get(tx, work->id, &shown);
	(void)snprintf(ret, 2 * LIMIT_LINE,
	    "changed since it was shown: %s. Wave %d did not begin: set it back, or roll back",
	    decide_binding_differs(tx, work, &shown, list, names) ? names : "what ships it",
	    work->wave);
}

/* Hosts run something else than was released there, so its script has touched none of its wave. */
static bool
pause_for_strays(struct tx *tx, struct deployment *work, const struct run_ended *ended)
{
	int64_t n = row_host_count(tx, work).strays;
	char why[LIMIT_LINE];

	if (work->state != DEPLOY_RUNNING || run_verdict_is_success(ended) || n == 0)
		return false;
	text_setf(why,
	    "hosts differ: %" PRId64
	    " of wave %d of %d %s not run what deploybot released there, so it did not begin: look first",
	    n, work->wave, work->waves, n == 1 ? "does" : "do");
	pause(tx, work, why, why);
	return true;
}

bool
decide_waves_cut(struct tx *tx, struct deployment *work, const struct run_ended *ended,
    const struct run_verdict *verdict)
{
	bool is_changed = verdict->event == DEPLOY_ON_CHANGED && work->target_changed;
	bool is_lost =
	    work->state == DEPLOY_RUNNING && ended->lost && verdict->event != DEPLOY_ON_AGAIN;
	char why[2 * LIMIT_LINE];

	if (work->waves == 0)
		return false;
	row_host_over(tx, work);
	if (run_verdict_is_unknown(ended))
		return decide_waves_gone(tx, work);
	if (pause_for_strays(tx, work, ended))
		return true;
	if (work->waves == 1)
		return false;
	/* What its migration has left is not gone on with: no host has been touched yet. */
	if (verdict->event == DEPLOY_ON_MIGRATION_FAILED ||
	    (work->state != DEPLOY_STOPPING && !is_lost && !is_changed))
		return false;
	if (is_changed)
		say_changed(tx, work, ended->binding, why);
	else
		text_setf(why, "%s in wave %d of %d%s%s",
		    work->why == DEPLOY_WHY_CANCELLED ? "stopped" : "interrupted", work->wave,
		    work->waves, work->detail[0] != '\0' ? ": " : "", work->detail);
	why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
	if (is_lost)
		(void)decide_step(tx, work, DEPLOY_ON_LOST, NULL);
	pause(tx, work, why, why);
	return true;
}

/* --- what follows --- */

/* What it was begun by holds no more: the approvals that it needs, or what its promotion brings. */
static bool
has_lost_its_yes(struct tx *tx, const struct deployment *work, char why[LIMIT_LINE])
{
	struct decide_needs needs;
	const char *unfit = decide_promotion_refusal(tx, work, why);

	if (unfit != NULL && unfit != why)
		(void)text_copy(why, LIMIT_LINE, unfit);
	if (unfit != NULL)
		return true;
	if (decide_needs_look(tx, work, &needs))
		return false;
	(void)snprintf(why, LIMIT_LINE,
	    "it needs %d approval%s, and %zu count now: who gave the others may not any more, or what was approved has changed",
	    needs.needs.approvals, needs.needs.approvals == 1 ? "" : "s", needs.n);
	return true;
}

/* What keeps another wave from beginning; "": OPA is asked, and decide_waves_judged() goes on.
 * is_judged: it has just answered, or could not. */
static bool
is_kept(struct tx *tx, struct deployment *work, bool is_judged, char why[LIMIT_LINE])
{
	struct opa_row opa;
	enum opa_verdict verdict;

	if (decide_queue_keeps(tx, work, why) || has_lost_its_yes(tx, work, why))
		return true;
	if (!work->cannot_roll_back && decide_is_barred(tx, work)) {
		work->cannot_roll_back = true; /* whoever lets it go on has read that */
		(void)text_copy(why, LIMIT_LINE, "a barrier stands in the way of its rollback now");
		return true;
	}
	verdict = decide_opa(tx, work, &opa);
	if (verdict == OPA_YES)
		decide_opa_passed(tx, work, &opa);
	else if (verdict == OPA_NO)
		(void)decide_opa_no(&opa, why);
	else if (is_judged && verdict == OPA_SILENT)
		(void)snprintf(why, LIMIT_LINE, "OPA does not answer: %.200s", opa.reason);
	else
		decide_opa_ask(tx, work);
	return verdict != OPA_YES;
}

/* The next wave is in hand and has not begun: a word of somebody's begins it. */
static void
stop_before_next(struct tx *tx, struct deployment *work, const char *why, const char *said)
{
	work->wave++;
	decide_bake_anew(tx, work);
	pause(tx, work, why, said);
}

/* It is paused as before, and says why. */
static void
stay_paused(struct tx *tx, struct deployment *work, const char *why)
{
	struct bake row;

	decide_record_pause(tx, work, why);
	row_bake_get(tx, work->id, &row);
	(void)text_copy(row.why, sizeof(row.why), why);
	row_bake_set(tx, &row);
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

/* What bakes has the next slot that is free: each look asks for it. */
static bool
waits_for_slot(struct tx *tx, struct deployment *work)
{
	bool waits =
	    work->state == DEPLOY_BAKING && !row_slot_is_free_for_wave(tx, work->environment);

	text_set(work->waits_for, waits ? ROW_QUEUE_SLOT : "");
	return waits;
}

/* Has its wave a host that the settings still name, or else one behind it?  Those that have left a
 * file are skipped.  A list in the settings themselves is none of this: the runner compares it. */
static bool
find_wave(struct tx *tx, struct deployment *work)
{
	if (!settings_claims_are_rows(tx->settings, work->environment))
		return true;
	for (; row_host_leave_skip(tx, work) == 0; work->wave++)
		if (work->wave == work->waves)
			return false;
	return true;
}

/* The next wave, or the hosts of this one that are left. */
static void
begin(struct tx *tx, struct deployment *work)
{
	bool is_next = work->state == DEPLOY_BAKING;

	work->wave += is_next ? 1 : 0;
	if (find_wave(tx, work)) {
		decide_bake_anew(tx, work);
		work->attempts = 0;
		(void)decide_step(
		    tx, work, is_next ? DEPLOY_ON_WAVE_DONE : DEPLOY_ON_NEXT_WAVE, NULL);
	} else if (is_next) {
		(void)decide_step(tx, work, DEPLOY_ON_BAKED, NULL);
	} else {
		stay_paused(
		    tx, work, "no host is left that the settings name: roll back, or leave it");
	}
}

/* Behind its bake; or PAUSED, and somebody wants it. */
static void
go_on(struct tx *tx, struct deployment *work, bool is_judged)
{
	bool is_next = work->state == DEPLOY_BAKING;
	char kept[LIMIT_LINE] = "", why[2 * LIMIT_LINE];

	if (waits_for_slot(tx, work)) {
		row_deployment_save(tx, work);
		return;
	}
	if (!is_kept(tx, work, is_judged, kept)) {
		begin(tx, work);
		return;
	}
	text_setf(why, "%s; wave %d of %d does not begin",
	    kept[0] != '\0' ? kept : "OPA is asked about it", work->wave + (is_next ? 1 : 0),
	    work->waves);
	why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
	if (!is_next)
		stay_paused(tx, work, why);
	else if (kept[0] != '\0')
		stop_before_next(tx, work, why, why);
}

void
decide_waves_judged(struct tx *tx, struct deployment *work)
{
	go_on(tx, work, true);
}

static bool
asks_between(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);

	return settings != NULL && settings->in_waves.asks_between;
}

void
decide_waves_baked(struct tx *tx, struct deployment *work)
{
	char why[LIMIT_LINE];
	struct bake row;

	row_bake_get(tx, work->id, &row);
	text_setf(why, "asks for wave %d of %d, which begins when somebody says so", work->wave + 1,
	    work->waves);
	if (!decide_waves_are_left(work))
		(void)decide_step(tx, work, DEPLOY_ON_BAKED, NULL);
	else if (row.is_to_pause)
		stop_before_next(tx, work, row.why, ""); /* bake_answered has who */
	else if (asks_between(tx, work))
		stop_before_next(tx, work, why, why);
	else
		go_on(tx, work, false);
}

void
decide_waves_passed(struct tx *tx, struct deployment *work, enum deploy_event event)
{
	bool is_left = decide_waves_are_left(work), bakes = decide_bakes(tx, work);
	struct bake row;

	/* Somebody wants it paused, and the bake that it was to have has left the settings. */
	if (!bakes && !is_left && row_bake_get(tx, work->id, &row)->is_to_pause)
		bakes = true;
	(void)decide_step(tx, work, bakes || is_left ? DEPLOY_ON_BAKE : event, NULL);
	if (work->state == DEPLOY_BAKING && !bakes)
		decide_waves_baked(tx, work);
}

void
decide_waves_resume(struct tx *tx, struct deployment *work)
{
	struct bake row;

	/* Hosts of the wave in hand are left: its run has not ended well, or not begun. */
	if (work->waves > 0 && row_bake_get(tx, work->id, &row)->began_at == 0)
		go_on(tx, work, false);
	else
		(void)decide_step(tx, work, DEPLOY_ON_RESUME, NULL);
}

/* --- its message --- */

void
decide_waves_said(struct tx *tx, const struct deployment *work)
{
	if (row_effect_timer_of(tx, TIMER_WAVES, work->id) == 0)
		(void)row_effect_timer(tx, TIMER_WAVES, "", work->id, tx->at + SAY_MS);
}

void
decide_waves_due(struct tx *tx, int64_t id)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	if (deploy_flow_class(work.state) != DEPLOY_CLASS_ACTIVE) {
		decide_left_look(tx, work.environment); /* its settings may have none any more */
		return;
	}
	decide_tell(tx, &work, NULL);
	row_deployment_save(tx, &work);
}
