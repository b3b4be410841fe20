/* decide_waves.c - a deployment goes on from wave to wave, or is paused between or in one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_waves.h"

#include <inttypes.h>

#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_left.h"
#include "decide/work/decide_wave_plan.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "store/row_bake.h"
#include "store/row_effect.h"
#include "store/row_host.h"
#include "store/row_host_leave.h"
#include "store/row_host_list.h"

#define SAY_MS 5000 /* between two edits of its message */

bool
decide_waves_are_left(const struct deployment *work)
{
	return work->wave < work->waves;
}

bool
decide_waves_untouched(struct tx *tx, const struct deployment *work)
{
	return work->waves > 0 && row_host_count(tx, work).touched == 0;
}

/* --- a wave's run is over --- */

void
decide_waves_judge(struct tx *tx, struct deployment *work, struct run_ended *ended)
{
	struct host_counts counts;
	int most = decide_wave_failures(tx, work);

	if (work->waves == 0 || work->state == DEPLOY_ROLLING_BACK)
		return;
	if (run_verdict_is_success(ended)) /* of a host that it said nothing of nothing is known */
		row_host_gone(tx, work, work->run);
	counts = row_host_count(tx, work);
	work->target_changed = ended->released = counts.touched > 0;
	if (counts.current > 0) /* its script speaks of the hosts of its own wave */
		ended->undone = false;
	if (!run_verdict_is_success(ended))
		return;
	counts.failed += counts.unknown;
	ended->exit_status = counts.failed > most || counts.current_of_wave == 0 ? 1 : 0;
	if (counts.failed > most)
		text_setf(
		    ended->detail, "%" PRId64 " hosts failed, and %d may", counts.failed, most);
	else if (counts.current_of_wave == 0)
		text_setf(ended->detail, "no host of wave %d has its release", work->wave);
}

/* Why stands beside its bake; what led to it is no end of the work. */
static void
pause(struct tx *tx, struct deployment *work, const char *why)
{
	struct bake row;

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
decide_waves_cut(struct tx *tx, struct deployment *work, const struct run_ended *ended,
    const struct run_verdict *verdict)
{
	bool is_changed = verdict->event == DEPLOY_ON_CHANGED && work->target_changed;
	bool is_lost =
	    work->state == DEPLOY_RUNNING && ended->lost && verdict->event != DEPLOY_ON_AGAIN;
	char why[2 * LIMIT_LINE];

	if (work->waves == 0)
		return false;
	if (run_verdict_is_unknown(ended))
		row_host_gone(tx, work, work->run);
	row_host_over(tx, work);
	/* What its migration has left is not gone on with: no host has been touched yet. */
	if (run_verdict_is_unknown(ended) || verdict->event == DEPLOY_ON_MIGRATION_FAILED ||
	    (work->state != DEPLOY_STOPPING && !is_lost && !is_changed))
		return false;
	if (is_changed)
		text_setf(why,
		    "what ships it is not what was shown any more, so wave %d did not begin: set it back, or roll back",
		    work->wave);
	else
		text_setf(why, "wave %d of %d was %s%s%s", work->wave, work->waves,
		    work->why == DEPLOY_WHY_CANCELLED ? "stopped" : "interrupted",
		    work->detail[0] != '\0' ? ": " : "", work->detail);
	why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
	if (is_lost)
		(void)decide_step(tx, work, DEPLOY_ON_LOST, NULL);
	pause(tx, work, why);
	return true;
}

/* --- what follows --- */

/* It stays PAUSED, and says so. */
static void
stay(struct tx *tx, struct deployment *work, const char *why)
{
	struct bake row;

	row_bake_get(tx, work->id, &row);
	text_set(row.why, why);
	row_bake_set(tx, &row);
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

/* False: something keeps it from going on, and it is paused. */
static bool
may_go_on(struct tx *tx, struct deployment *work)
{
	char kept[LIMIT_LINE], why[2 * LIMIT_LINE];
	struct bake row;

	if (!decide_queue_keeps(tx, work, kept))
		return true;
	row_bake_get(tx, work->id, &row);
	text_setf(why, "wave %d of %d does not begin: %s", work->wave + (row.began_at != 0),
	    work->waves, kept);
	why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
	if (work->state == DEPLOY_BAKING)
		pause(tx, work, why);
	else
		stay(tx, work, why);
	return false;
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

static void
begin(struct tx *tx, struct deployment *work, enum deploy_event event)
{
	decide_bake_anew(tx, work);
	work->attempts = 0;
	(void)decide_step(tx, work, event, NULL);
}

void
decide_waves_baked(struct tx *tx, struct deployment *work)
{
	if (!decide_waves_are_left(work)) {
		(void)decide_step(tx, work, DEPLOY_ON_BAKED, NULL);
		return;
	}
	if (!may_go_on(tx, work))
		return;
	work->wave++;
	if (find_wave(tx, work))
		begin(tx, work, DEPLOY_ON_WAVE_DONE);
	else
		(void)decide_step(tx, work, DEPLOY_ON_BAKED, NULL);
}

void
decide_waves_passed(struct tx *tx, struct deployment *work, enum deploy_event event)
{
	bool is_watched = decide_bakes(tx, work);
	struct bake row;

	(void)decide_step(
	    tx, work, is_watched || decide_waves_are_left(work) ? DEPLOY_ON_BAKE : event, NULL);
	if (work->state == DEPLOY_BAKING && !is_watched &&
	    !row_bake_get(tx, work->id, &row)->is_to_pause)
		decide_waves_baked(tx, work);
}

void
decide_waves_resume(struct tx *tx, struct deployment *work)
{
	struct bake row;
	bool is_over; /* its bake is, so that another wave would begin */

	row_bake_get(tx, work->id, &row);
	is_over = decide_waves_are_left(work) && row.began_at != 0 && row.left_ms == 0;
	if ((is_over || (work->waves > 0 && row.began_at == 0)) && !may_go_on(tx, work))
		return;
	/* The run of its wave has not ended well: the hosts that it has not reached are left. */
	if (work->waves == 0 || row.began_at != 0)
		(void)decide_step(tx, work, DEPLOY_ON_RESUME, NULL);
	else if (find_wave(tx, work))
		begin(tx, work, DEPLOY_ON_NEXT_WAVE);
	else
		stay(tx, work,
		    "the settings name none of the hosts that are left: roll back, or leave it");
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
