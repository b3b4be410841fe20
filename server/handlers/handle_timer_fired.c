/* handle_timer_fired.c - a deadline came.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_announced.h"
#include "decide/decide_deployment.h"
#include "decide/decide_push.h"
#include "handlers/handlers.h"
#include "store/row_effect.h"
#include "store/row_retention.h"

#define DAY_MS	  (24 * 3600 * INT64_C(1000))
#define SOON_MS	  (60 * INT64_C(1000))
#define PURGE_MAX 256 /* folders in one round */

static void
expire(struct tx *tx, int64_t id)
{
	struct deployment deployment = row_deployment_get(tx, id);

	if (deployment.state == DEPLOY_AWAITING_CONFIRMATION && deployment.confirmed_by == 0)
		(void)decide_step(tx, &deployment, DEPLOY_ON_EXPIRE, NULL);
}

static void
purge(struct tx *tx, int64_t run)
{
	struct effect *effect = effect_new(EFFECT_PURGE_RUN);

	if (effect == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a clean-up");
		return;
	}
	effect->u.purge_run.run = run;
	(void)row_effect_add(tx, effect);
}

static void
tidy(struct tx *tx)
{
	int64_t runs[PURGE_MAX];
	size_t n = row_retention_purge_runs(tx, tx->settings->run_logs_keep, runs, PURGE_MAX);
	bool more;

	for (size_t i = 0; i < n; i++)
		purge(tx, runs[i]);
	more = row_retention_clear(tx) || n == PURGE_MAX;
	(void)row_effect_timer(tx, TIMER_DAILY, "", 0, tx->at + (more ? SOON_MS : DAY_MS));
}

void
handle_timer_fired(struct tx *tx, UNUSED const struct event *event)
{
	switch (tx->effect->u.timer.kind) {
	case TIMER_QUESTION:
		expire(tx, tx->effect->subject);
		break;
	case TIMER_POLL:
		if (tx->settings->poll_repository_seconds > 0)
			decide_query_heads(tx);
		break;
	case TIMER_DAILY:
		tidy(tx);
		break;
	case TIMER_SEND:
		row_effect_send(tx, tx->effect->subject);
		break;
	case TIMER_PUSH:
		decide_announced_again(tx);
		break;
	case TIMER_KIND_COUNT:
		break;
	}
}
