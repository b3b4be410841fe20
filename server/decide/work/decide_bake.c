/* decide_bake.c - a release that passed its health gate is watched before it is live.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_bake.h"

#include "decide/tell/decide_nag.h"
#include "lib/text.h"
#include "store/row_bake.h"
#include "store/row_effect.h"
#include "store/row_queue.h"
#include "types/settings.h"

#define MEASURED_MS INT64_C(300000) /* so long it counts as what was before the release */

/* NULL: it does not bake there. */
static const struct environment_settings *
settings_for(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *of = work->program == PROGRAM_DEPLOY ?
	    settings_environment(tx->settings, work->environment) :
	    NULL;

	return of != NULL && of->bake_ms > 0 ? of : NULL;
}

bool
decide_bakes(const struct tx *tx, const struct deployment *work)
{
	return settings_for(tx, work) != NULL;
}

/* What was measured before another release went live is of that one. */
bool
decide_bake_is_measured(struct tx *tx, const struct deployment *work, const struct environment *now)
{
	const struct environment_settings *of = settings_for(tx, work);
	struct bake row;

	if (of == NULL || !bake_asks(of))
		return true;
	row_bake_get(tx, work->id, &row);
	return row.measured_at > now->current.at && tx->at >= row.measured_at &&
	    tx->at - row.measured_at < MEASURED_MS;
}

void
decide_bake_measure(struct tx *tx, const struct deployment *work)
{
	struct effect effect = { .kind = EFFECT_PROM_QUERY, .subject = work->id };

	if (row_effect_find(tx, EFFECT_PROM_QUERY, work->id) != 0)
		return;
	text_set(effect.u.prom_query.environment, work->environment);
	text_set(effect.u.prom_query.release, work->commit);
	(void)row_effect_order(tx, &effect);
}

void
decide_bake_ask(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *of = settings_for(tx, work);
	struct bake row;

	if (of == NULL || !bake_asks(of))
		return;
	row_bake_get(tx, work->id, &row);
	row.work = work->id;
	row.measured_at = 0;
	if (!row.is_to_pause)
		row.why[0] = '\0';
	row_bake_set(tx, &row);
	row_bake_set_list(tx, work->id, NULL, 0);
	decide_bake_measure(tx, work);
}

void
decide_bake_wait(struct tx *tx, const struct deployment *work, int64_t due)
{
	row_effect_withdraw(tx, row_effect_timer_of(tx, TIMER_BAKE, work->id));
	(void)row_effect_timer(tx, TIMER_BAKE, "", work->id, due);
}

void
decide_bake_begin(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *of = settings_for(tx, work);
	struct bake row;

	row_bake_get(tx, work->id, &row);
	if (row.began_at == 0) {
		row_queue_look(tx, work->environment); /* it has a slot no more */
		row.work = work->id;
		row.began_at = tx->at;
		row.length_ms = row.left_ms = of != NULL ? of->bake_ms : 0;
	}
	row.counted_at = tx->at;
	if (!row.is_to_pause)
		row.why[0] = '\0';
	row_bake_set(tx, &row);
	decide_bake_wait(tx, work,
	    row.is_to_pause			  ? tx->at :
		row.left_ms < DECIDE_BAKE_LOOK_MS ? tx->at + row.left_ms :
						    tx->at + DECIDE_BAKE_LOOK_MS);
}

void
decide_bake_go_on(struct tx *tx, const struct deployment *work)
{
	if (work->state == DEPLOY_BAKING && row_effect_timer_of(tx, TIMER_BAKE, work->id) == 0 &&
	    row_effect_find(tx, EFFECT_PROM_QUERY, work->id) == 0)
		decide_bake_wait(tx, work, tx->at);
}

void
decide_bake_anew(struct tx *tx, const struct deployment *work)
{
	struct bake row;

	row_bake_get(tx, work->id, &row);
	if (row.work != 0)
		row_bake_set(tx,
		    &(struct bake){
			.work = row.work, .measured_at = row.measured_at, .is_cut = row.is_cut });
}

void
decide_bake_enter(struct tx *tx, const struct deployment *work, enum deploy_state from)
{
	bool baked = from == DEPLOY_BAKING || from == DEPLOY_PAUSED;

	if (!baked && work->state != DEPLOY_PAUSED && !decide_bakes(tx, work))
		return;
	if (from == DEPLOY_BAKING)
		row_effect_withdraw(tx, row_effect_timer_of(tx, TIMER_BAKE, work->id));
	if (from == DEPLOY_BAKING || deploy_flow_class(from) != DEPLOY_CLASS_ACTIVE)
		row_effect_withdraw(tx, row_effect_find(tx, EFFECT_PROM_QUERY, work->id));
	if (work->state == DEPLOY_PAUSED)
		decide_nag_begin(tx, work);
	else if (from == DEPLOY_PAUSED)
		decide_nag_paused_no_more(tx, work);
	if (deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL)
		row_bake_set_list(tx, work->id, NULL, 0);
}
