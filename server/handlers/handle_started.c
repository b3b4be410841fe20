/* handle_started.c - the program began: timers that must always be open are opened.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/who/decide_access.h"
#include "decide/decide_chat.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_hosts.h"
#include "decide/factor/decide_factor.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_loan_end.h"
#include "decide/work/decide_left.h"
#include "decide/who/decide_lost.h"
#include "decide/work/decide_pipeline.h"
#include "decide/approval/decide_approval.h"
#include "decide/tell/decide_pin.h"
#include "decide/git/decide_poll.h"
#include "decide/queue/decide_queue.h"
#include "decide/git/decide_redelivery.h"
#include "decide/audit/decide_rename.h"
#include "decide/audit/decide_restored.h"
#include "decide/work/decide_runner.h"
#include "decide/who/decide_session.h"
#include "decide/audit/decide_settings.h"
#include "decide/work/decide_unknown.h"
#include "decide/work/decide_upload.h"
#include "decide/audit/decide_witness.h"
#include "handlers/handlers.h"
#include "lib/buf.h"
#include "settings/sources/settings_removed.h"
#include "store/row_claim.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_forward.h"
#include "store/row_grant_use.h"
#include "store/row_job.h"
#include "store/row_queue.h"
#include "store/row_resource.h"
#include "store/row_run.h"
#include "store/row_runner.h"
#include "store/row_setting.h"
#include "store/row_stranger.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* An active deployment has a run or a probe open, or Cloudflare is asked.  One without (a handler
 * failed, rows were fixed by hand) would keep its environment for ever. */
static void
check_environment(struct tx *tx, const char *environment)
{
	struct deployment active;
	const struct decide_executor *executor;

	row_deployment_active(tx, environment, &active);
	executor = decide_executor_of(active.action);
	decide_unknown_again(tx, environment);
	if (active.id == 0) {
		row_queue_look(tx, environment);
		return;
	}
	if (deployment_is_baking(&active)) {
		decide_bake_go_on(tx, &active);
		return;
	}
	if (row_effect_find(tx, EFFECT_RUN, active.id) == 0 &&
	    row_effect_find(tx, EFFECT_PROBE, active.id) == 0 &&
	    (executor == NULL || !executor->will_end(tx, active.id)))
		decide_give_up(tx, &active, "it was not running when deploybot started");
}

/* What is queued where the settings have nothing any more is refused; so are hosts forgotten. */
static void
end_removed(struct tx *tx)
{
	char name[LIMIT_ENVIRONMENT] = "";

	while (row_environment_next(tx, name)) {
		if (settings_environment(tx->settings, name) == NULL)
			decide_queue(tx, name);
		decide_left_look(tx, name);
	}
}

/* Nobody will answer it any more: git was not asked, or its question has no end. */
static void
end_unattended(struct tx *tx)
{
	struct deployment deployment;

	row_deployment_unattended(tx, 0, &deployment);
	while (deployment.id != 0) {
		int64_t after = deployment.id;

		decide_give_up(tx, &deployment, "it was not running when deploybot started");
		row_deployment_unattended(tx, after, &deployment);
	}
}

/* The database may be a copy, or older than what runs: that it says so proves nothing. */
static void
distrust_all(struct tx *tx)
{
	static const char why[] = "this database was restored from a backup";
	char name[LIMIT_ENVIRONMENT] = "";
	struct deployment active;

	row_run_distrust(tx);
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		if (row_environment_get(
			tx, tx->settings->environments[i].name, &(struct environment){ 0 })
			->unknown_since == 0)
			row_environment_set_unknown(tx, tx->settings->environments[i].name, "");
	while (row_environment_next(tx, name)) {
		decide_unknown(tx, name, why);
		row_deployment_active(tx, name, &active);
		/* An open run ends by itself: its performer asks nobody. */
		if (active.id != 0 && row_effect_find(tx, EFFECT_RUN, active.id) == 0)
			decide_folder_gone(tx, &active, why);
	}
}

/* Whoever believes in a setting that has gone learns it once. */
static void
tell_removed(struct tx *tx)
{
	CLEANUP(buf_done) struct buf names = buf_make(LIMIT_LINE);

	for (size_t i = 0; i < SETTINGS_REMOVED_COUNT; i++)
		if (row_setting_removed(
			tx, settings_removed[i].name, (tx->settings->removed >> i & 1) != 0))
			buf_addf(
			    &names, "%s%s", names.size > 0 ? ", " : "", settings_removed[i].name);
	if (names.size > 0)
		decide_factor_tell(tx, 0,
		    "❌ Settings without effect: %s\nOn the server " MARK_CODE
		    "deploybot check-config" MARK_CODE " says what takes their place.",
		    buf_text(&names));
	tx_check(tx, &names);
}

/* What the collector had of deploybot ends there; what sends from now on begins with the first. */
static void
log_collected(struct tx *tx)
{
	struct forward_row collector;

	while (row_forward_take(tx, &collector))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "audit: deploybot sends no more, and up to entry %" PRId64 " all is with %s",
		    collector.sent, collector.place);
}

/* Of an upgrade: what it touches was not written down when it began. */
static void
adopt_claims(struct tx *tx, const struct deployment *active)
{
	CLEANUP(freep) struct settings_claims *claims = decide_claims(tx, active);
	const char *rows = decide_claims_rows(tx, active);
	size_t n = 0;

	for (size_t i = 0; i < claims->n; i++)
		n += row_claim_take_one(tx, active->id, claims->at[i]);
	if (rows != NULL)
		(void)row_resource_take_free(tx, active->id, rows);
	tx_log(tx, LOG_LEVEL_INFO,
	    "deployment %" PRId64 ": had no claims: %zu of %zu taken by the settings of today",
	    active->id, n, claims->n);
}

/* Active work without claims gets those of today's settings; claims of what is not active go. */
static void
look_at_claims(struct tx *tx)
{
	int64_t removed = row_claim_clear(tx);
	char name[LIMIT_ENVIRONMENT] = "";

	if (removed > 0)
		tx_log(tx, LOG_LEVEL_WARNING,
		    "%" PRId64 " claims of work that is not in progress were removed", removed);
	while (row_environment_next(tx, name)) {
		struct deployment active;

		row_deployment_active(tx, name, &active);
		if (active.id != 0 && row_claim_count(tx, active.id) == 0)
			adopt_claims(tx, &active);
	}
}

void
handle_started(struct tx *tx, const struct event *event)
{
	/* A database that was restored, or begun anew, beside the folders of later runs: their
	 * records are not those of runs that are still to come. */
	row_run_skip(tx, event->u.started.highest_run);
	decide_runners_started(tx);
	decide_settings_started(tx, event->u.started.is_restored);
	if (event->u.started.is_restored || event->u.started.is_moved_back)
		row_runner_outrun(tx);
	if (event->u.started.is_restored)
		distrust_all(tx);
	if (!event->u.started.is_restored)
		decide_upload_sweep(tx, event->u.started.uploads, event->u.started.n_uploads);
	decide_rename_all(tx);
	decide_hosts_look(tx);
	look_at_claims(tx);
	decide_holds_look(tx);
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		check_environment(tx, tx->settings->environments[i].name);
	decide_pipelines_look(tx);
	decide_loans_lost(tx);
	decide_loans_look(tx);
	end_removed(tx);
	end_unattended(tx);
	decide_approvals_look(tx);
	row_stranger_wait(tx);
	row_grant_use_begin(tx);
	decide_access(tx);
	decide_lost(tx);
	decide_factor_look(tx);
	tell_removed(tx);
	log_collected(tx);
	decide_sessions_look(tx);
	if (event->u.started.is_restored)
		decide_restored(tx);
	decide_chat_log_moved(tx);
	decide_pins_look(tx);
	decide_witness_begin(tx);
	row_job_set_all_asked(tx, tx->at);
	if (!row_effect_has_timer(tx, TIMER_DAILY))
		(void)row_effect_timer(tx, TIMER_DAILY, "", 0, tx->at + DAY_MS);
	decide_poll_begin(tx);
	decide_redelivery_begin(tx);
}
