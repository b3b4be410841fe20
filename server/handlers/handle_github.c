/* handle_github.c - a forge's API has answered, or has not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_redelivery.h"
#include "decide/git/decide_watch.h"
#include "decide/queue/decide_ci_news.h"
#include "decide/work/decide_forge_answer.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_pipeline.h"
#include "decide/work/decide_report.h"
#include "handlers/handlers.h"

void
handle_github_runs_read(struct tx *tx, const struct event *event)
{
	decide_ci_read(tx, tx->effect->subject, &event->u.github_runs_read);
}

void
handle_github_failure_read(struct tx *tx, const struct event *event)
{
	const struct github_failure_read *read = &event->u.github_failure_read;

	if (tx->effect->subject < 0)
		decide_pipeline_failed(tx, -tx->effect->subject, read->details);
	else
		decide_watch_read(tx, tx->effect->subject, read);
}

void
handle_forge_said(struct tx *tx, const struct event *event)
{
	if (tx->effect->kind == EFFECT_FORGE_REPORT)
		decide_report_said(tx, &event->u.forge_said);
	else if (tx->effect->kind == EFFECT_FORGE_ANSWER)
		decide_forge_answered(tx, &event->u.forge_said);
	else if (tx->effect->u.forge.is_gates)
		decide_gate_stopped(tx, &event->u.forge_said);
	else
		decide_pipeline_said(tx, &event->u.forge_said);
}

void
handle_github_deliveries_read(struct tx *tx, const struct event *event)
{
	decide_redelivery_read(tx, &event->u.github_deliveries_read);
}
