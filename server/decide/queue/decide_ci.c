/* decide_ci.c - what CI says of a deployment's commit, where its environment asks that.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_ci.h"

#include <stdio.h>

#include "lib/setting.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_pipeline.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_queue.h"
#include "types/settings.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define FRESH_MS  (10 * MINUTE_MS)

/* NULL: nothing is asked of it. */
static const struct environment_settings *
asks(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);

	return environment == NULL || environment->require_ci == NULL ||
		work->program != PROGRAM_DEPLOY || !commit_is_git(work->source, work->commit) ||
		deployment_is_emergency(work) ?
	    NULL :
	    environment;
}

/* With its page, where people see why. */
static void
add_failure(const struct settings *of, const struct pipeline_run *run, char ret[LIMIT_LINE])
{
	size_t used = strlen(ret);
	char url[PIPELINE_URL];

	(void)snprintf(ret + used, LIMIT_LINE - used, /* cut is fine */
	    strcmp(run->conclusion, "cancelled") == 0 ? "%s%s was %s; a new run of it counts: %s" :
							"%s%s: %s, %s",
	    used > 0 ? "; " : "", run->file, run->conclusion, pipeline_run_page(of, run, url));
}

static void
add_state(const struct pipeline_run *run, char ret[LIMIT_LINE])
{
	size_t used = strlen(ret);

	(void)snprintf(ret + used, LIMIT_LINE - used, "%s%s %s", used > 0 ? ", " : "", run->file,
	    run->run == 0		      ? "not seen yet" :
		run->rank == PIPELINE_IS_OVER ? "✓" :
						pipeline_run_word(run));
}

static int64_t
wait_end(const struct tx *tx, const struct deployment *work)
{
	return work->wait.ci_since + tx->settings->github.ci_wait_minutes * MINUTE_MS;
}

/* When nothing else is before it. */
static bool
is_late(const struct tx *tx, const struct deployment *work)
{
	return work->state == DEPLOY_QUEUED && work->wait.ci_since != 0 &&
	    tx->at >= wait_end(tx, work);
}

/* What was green before it came may have been begun again since: its forge is asked once more. */
static bool
is_fresh(const struct deployment *work, int64_t seen_at)
{
	return seen_at >= work->requested_at - FRESH_MS;
}

/* Of which branch the runs are that count: the environment's, or the one that somebody has asked
 * for by its name.  "": of any. */
static const char *
branch_of(const struct environment_settings *environment, const struct deployment *work)
{
	bool is_named = work->ref[0] != '\0' && !text_is_hex(work->ref, 1, 64);

	return is_named && deployment_is_by_request(work) ? work->ref :
	    environment->branch != NULL			  ? environment->branch :
							    "";
}

static enum decide_ci
look(struct tx *tx, const struct environment_settings *environment, const struct deployment *work,
    char ret[LIMIT_LINE], size_t *ret_unseen)
{
	const char *list = environment->require_ci;
	size_t failed = 0, cancelled = 0, pending = 0;
	char failures[LIMIT_LINE] = "";
	struct pipeline_run run = { .run = 0 };

	*ret_unseen = 0;
	text_set(run.commit, work->commit);
	text_set(run.branch, branch_of(environment, work));
	while (setting_next(&list, run.file, sizeof(run.file))) {
		int64_t seen_at = row_pipeline_newest(tx, environment->of->application, &run);

		if (run.rank == PIPELINE_IS_OVER && strcmp(run.conclusion, "success") != 0) {
			failed++;
			cancelled += strcmp(run.conclusion, "cancelled") == 0;
			add_failure(environment->of, &run, failures);
			continue;
		}
		pending += run.rank != PIPELINE_IS_OVER || !is_fresh(work, seen_at);
		*ret_unseen += run.run == 0;
		add_state(&run, ret);
	}
	if (failed == 0)
		return pending > 0 ? DECIDE_CI_PENDING : DECIDE_CI_GREEN;
	(void)text_copy(ret, LIMIT_LINE, failures);
	return failed == cancelled ? DECIDE_CI_CANCELLED : DECIDE_CI_FAILED;
}

/* A run that was cancelled may be begun again, where no newer push has cancelled it. */
static bool
is_left(struct tx *tx, const struct deployment *work)
{
	struct environment now;

	row_environment_get(tx, work->environment, &now);
	return now.waiting_push[0] != '\0' ||
	    (now.head.commit[0] != '\0' && strcmp(now.head.commit, work->commit) != 0);
}

enum decide_ci
decide_ci(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	const struct environment_settings *environment = asks(tx, work);
	enum decide_ci is = DECIDE_CI_GREEN;
	size_t used, unseen = 0;

	ret[0] = '\0';
	if (environment != NULL)
		is = look(tx, environment, work, ret, &unseen);
	if (is == DECIDE_CI_CANCELLED && !is_left(tx, work))
		is = DECIDE_CI_PENDING;
	if (is != DECIDE_CI_PENDING || !is_late(tx, work))
		return is;
	used = strlen(ret);
	(void)snprintf(ret + used, LIMIT_LINE - used,
	    ": not done in %d min; ask again when it is%s",
	    (int)tx->settings->github.ci_wait_minutes,
	    unseen > 0 ? ", and see whether there is such a file" : ""); /* cut is fine */
	return DECIDE_CI_FAILED;
}

/* "; refused at 05:20" where nothing but CI keeps it from beginning. */
static void
add_end(const struct tx *tx, const struct deployment *work, char line[LIMIT_LINE])
{
	size_t used = strlen(line);
	struct zone_time end;

	if (used == 0 || work->state != DEPLOY_QUEUED || work->wait.ci_since == 0)
		return;
	end = zone_local(settings_clock(tx->settings, work->environment)->zone, wait_end(tx, work));
	(void)snprintf(line + used, LIMIT_LINE - used, "; refused at %02d:%02d", end.hour,
	    end.minute); /* cut is fine */
}

const char *
decide_ci_line(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);
	enum deploy_class class = deploy_flow_class(work->state);
	size_t unseen;

	ret[0] = '\0';
	if (class == DEPLOY_CLASS_ACTIVE || class == DEPLOY_CLASS_FINAL)
		return ret;
	if (!deployment_is_emergency(work) || environment == NULL ||
	    environment->require_ci == NULL || !commit_is_git(work->source, work->commit))
		(void)decide_ci(tx, work, ret);
	else if (look(tx, environment, work, ret, &unseen) == DECIDE_CI_GREEN)
		ret[0] = '\0'; /* it goes past nothing */
	add_end(tx, work, ret);
	return ret;
}

bool
decide_ci_keeps(struct tx *tx, const struct deployment *push)
{
	const struct environment_settings *environment = asks(tx, push);
	struct pipeline_run run = { .run = 0 };
	bool has_begun = false;
	const char *list;

	if (environment == NULL)
		return false;
	list = environment->require_ci;
	text_set(run.commit, push->commit);
	while (setting_next(&list, run.file, sizeof(run.file))) {
		text_set(run.branch, branch_of(environment, push));
		(void)row_pipeline_newest(tx, environment->of->application, &run);
		has_begun |= run.run != 0;
	}
	return has_begun && strcmp(push->waits_for, ROW_QUEUE_CI) == 0;
}

/* --- the forge is asked --- */

void
decide_ci_ask(struct tx *tx, const struct deployment *work, int64_t at)
{
	struct effect effect = { .kind = EFFECT_GITHUB_RUNS, .subject = work->id };
	const struct environment_settings *environment = asks(tx, work);

	if (environment == NULL || row_effect_find(tx, EFFECT_GITHUB_RUNS, work->id) != 0)
		return;
	effect.u.github_runs.not_before = at;
	(void)text_copy(effect.u.github_runs.branch, LIMIT_REF, branch_of(environment, work));
	(void)text_copy(effect.u.github_runs.environment, LIMIT_ENVIRONMENT, work->environment);
	(void)text_copy(effect.u.github_runs.commit, LIMIT_COMMIT, work->commit);
	(void)row_effect_order(tx, &effect);
}

void
decide_ci_enter(struct tx *tx, const struct deployment *work)
{
	if (asks(tx, work) == NULL)
		return;
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GITHUB_RUNS, work->id));
	if (work->state == DEPLOY_AWAITING_CONFIRMATION || work->state == DEPLOY_AWAITING_APPROVAL)
		decide_ci_ask(tx, work, tx->at);
}

void
decide_ci_stop(struct tx *tx, struct deployment *work)
{
	if (work->wait.ci_since == 0)
		return;
	work->wait.ci_since = 0;
	row_deployment_save(tx, work);
}

void
decide_ci_wait(struct tx *tx, struct deployment *work)
{
	if (work->wait.ci_since == 0)
		work->wait.ci_since = tx->at;
	row_deployment_save(tx, work);
	decide_ci_ask(tx, work, tx->at);
}
