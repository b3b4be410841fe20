/* decide_report.c - GitHub or GitLab shows what is deployed among its deployments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_report.h"

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_rate_limit.h"
#include "types/pipeline.h"
#include "types/settings.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* NULL: nothing is reported.  One that went back to the queue may never begin again.  What ran
 * before an end that is no success is what GitHub shows as active, as it was. */
static const char *
state_of(enum deploy_state from, enum deploy_state now)
{
	bool was_active = deploy_flow_class(from) == DEPLOY_CLASS_ACTIVE;

	if (deploy_flow_class(now) == DEPLOY_CLASS_ACTIVE)
		return was_active ? NULL : "in_progress";
	if (!was_active)
		return NULL;
	return now == DEPLOY_LIVE ? "success" :
	    now == DEPLOY_FAILED || now == DEPLOY_ROLLED_BACK || now == DEPLOY_ROLLBACK_FAILED ?
				    "failure" :
				    "inactive";
}

void
decide_report(struct tx *tx, const struct deployment *work, enum deploy_state from)
{
	const struct settings *of = settings_of(tx->settings, work->environment);
	const struct environment_settings *e =
	    settings_environment(tx->settings, work->environment);
	const char *state = state_of(from, work->state);
	struct effect effect = { .kind = EFFECT_FORGE_REPORT, .subject = work->id };
	struct effect_forge_report *report = &effect.u.forge_report;

	if (state == NULL || e == NULL || deployment_is_action(work) || !of->github.reports ||
	    !commit_is_git(work->source, work->commit))
		return;
	report->at_gitlab = of->github_repository == NULL;
	if (!pipeline_repository(
		of, report->at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB, report->repository))
		return;
	text_set(report->environment, work->environment);
	text_set(report->target, e->github_environment);
	text_set(report->commit, work->commit);
	text_set(report->state, state); /* all of them fit */
	report->is_production = environment_is_production(work->environment);
	report->requested_at = work->requested_at;
	(void)row_effect_order(tx, &effect);
}

void
decide_report_said(struct tx *tx, const struct forge_said *said)
{
	const struct effect_forge_report *report = &tx->effect->u.forge_report;

	if (said->verdict != FORGE_SAYS_DONE &&
	    row_rate_limit_take(tx, 1, DAY_MS, "report:%s", report->repository))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "%s: deployments are not shown there (REPORT_DEPLOYMENTS): %s",
		    report->repository, said->why);
}
