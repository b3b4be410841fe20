/* decide_ci.c - what CI says of a deployment's commit, where its environment asks that.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_ci.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/setting.h"
#include "lib/text.h"
#include "store/row_ci.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_queue.h"
#include "types/repository.h"
#include "types/settings.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define ASK_MS	  (MINUTE_MS / 2)

/* NULL: nothing is asked of it. */
static const struct environment_settings *
asks(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);

	return environment == NULL || environment->require_ci == NULL ||
		work->program != PROGRAM_DEPLOY || work->commit[0] == '\0' ||
		deployment_is_emergency(work) ?
	    NULL :
	    environment;
}

/* Its page, where people see why: at github.com, or on the Enterprise Server that has /api/v3. */
static void
add_failure(const struct settings *of, const struct pipeline_run *run, char ret[LIMIT_LINE])
{
	static const char public[] = "https://api.github.com", own[] = "/api/v3";
	const char *url = of->github.url;
	size_t size = strlen(url), used = strlen(ret);

	if (strcmp(url, public) == 0)
		size = strlen(url = "https://github.com");
	else if (size > strlen(own) && strcmp(url + size - strlen(own), own) == 0)
		size -= strlen(own);
	(void)snprintf(ret + used, LIMIT_LINE - used,
	    "%s%s: %s, %.*s/%.110s/actions/runs/%" PRId64, /* cut is fine */
	    used > 0 ? "; " : "", run->file, run->conclusion, (int)size, url, run->repository,
	    run->run);
}

static void
add_state(const struct pipeline_run *run, const char *file, char ret[LIMIT_LINE])
{
	size_t used = strlen(ret);

	(void)snprintf(ret + used, LIMIT_LINE - used, "%s%s %s", used > 0 ? ", " : "", file,
	    run->run == 0		      ? "has not begun" :
		run->rank == PIPELINE_IS_OVER ? "✓" :
		run->rank == PIPELINE_RUNS    ? "running" :
						"queued");
}

enum decide_ci
decide_ci(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	const struct environment_settings *environment = asks(tx, work);
	const char *list = environment == NULL ? "" : environment->require_ci;
	char file[PIPELINE_FILE], failures[LIMIT_LINE] = "";
	size_t failed = 0, cancelled = 0, pending = 0;
	struct pipeline_run run;

	ret[0] = '\0';
	while (setting_next(&list, file, sizeof(file))) {
		row_ci_get(tx, environment->of->application, file, work->commit, &run);
		(void)text_copy(run.file, sizeof(run.file), file);
		if (run.rank != PIPELINE_IS_OVER || strcmp(run.conclusion, "success") == 0) {
			pending += run.run == 0 || run.rank != PIPELINE_IS_OVER;
			add_state(&run, file, ret);
			continue;
		}
		failed++;
		cancelled += strcmp(run.conclusion, "cancelled") == 0;
		add_failure(environment->of, &run, failures);
	}
	if (failed > 0)
		(void)text_copy(ret, LIMIT_LINE, failures);
	return failed > 0 && failed == cancelled ? DECIDE_CI_CANCELLED :
	    failed > 0				 ? DECIDE_CI_FAILED :
	    pending > 0				 ? DECIDE_CI_PENDING :
						   DECIDE_CI_GREEN;
}

const char *
decide_ci_line(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE])
{
	enum deploy_class class = deploy_flow_class(work->state);

	ret[0] = '\0';
	if (class != DEPLOY_CLASS_ACTIVE && class != DEPLOY_CLASS_FINAL)
		(void)decide_ci(tx, work, ret);
	return ret;
}

bool
decide_ci_is_late(struct tx *tx, const struct deployment *work)
{
	return work->wait.ci_since != 0 &&
	    tx->at - work->wait.ci_since >= tx->settings->github.ci_wait_minutes * MINUTE_MS;
}

bool
decide_ci_keeps(struct tx *tx, const struct deployment *push)
{
	const struct environment_settings *environment = asks(tx, push);
	const char *list = environment == NULL ? "" : environment->require_ci;
	bool has_begun = false;
	char file[PIPELINE_FILE];
	struct pipeline_run run;

	while (setting_next(&list, file, sizeof(file)))
		has_begun |=
		    row_ci_get(tx, environment->of->application, file, push->commit, &run)->run !=
		    0;
	return has_begun && strcmp(push->waits_for, ROW_QUEUE_CI) == 0;
}

/* --- GitHub is asked --- */

static void
ask(struct tx *tx, const struct deployment *work, int64_t at)
{
	struct effect effect = { .kind = EFFECT_GITHUB_RUNS, .subject = work->id };

	effect.u.github_runs.not_before = at;
	(void)text_copy(effect.u.github_runs.environment, LIMIT_ENVIRONMENT, work->environment);
	(void)text_copy(effect.u.github_runs.commit, LIMIT_COMMIT, work->commit);
	(void)row_effect_order(tx, &effect);
}

void
decide_ci_wait(struct tx *tx, struct deployment *work)
{
	if (work->wait.ci_since == 0)
		work->wait.ci_since = tx->at;
	row_deployment_save(tx, work);
	if (row_effect_find(tx, EFFECT_GITHUB_RUNS, work->id) == 0)
		ask(tx, work, tx->at);
}

void
decide_ci_read(struct tx *tx, int64_t work, const struct github_runs_read *read)
{
	int64_t pause_ms = read->retry_after_s > 0 ? read->retry_after_s * 1000 : ASK_MS;
	const struct environment_settings *environment;
	struct deployment of;

	row_deployment_get(tx, work, &of);
	environment = asks(tx, &of);
	for (size_t i = 0; environment != NULL && i < read->n; i++)
		row_ci_note(tx, environment->of->application, &read->runs[i]);
	if (of.state != DEPLOY_QUEUED || strcmp(of.waits_for, ROW_QUEUE_CI) != 0)
		return;
	(void)snprintf(of.note, sizeof(of.note), "%s%.200s", read->why[0] != '\0' ? "GitHub: " : "",
	    read->why);
	row_deployment_save(tx, &of);
	ask(tx, &of, tx->at + pause_ms);
	row_queue_look(tx, of.environment);
}

/* --- a webhook says it --- */

static bool requires(const struct environment_settings *environment, const char *file)
{
	const char *list = environment->require_ci == NULL ? "" : environment->require_ci;
	char name[PIPELINE_FILE];

	while (setting_next(&list, name, sizeof(name)))
		if (strcmp(name, file) == 0)
			return true;
	return false;
}

static void
note(struct tx *tx, const struct settings *of, const struct delivery *delivery)
{
	if (!repository_is_announced(
		tx->settings, of, delivery->forge, delivery->hook, delivery->repository))
		return;
	for (size_t i = 0; i < settings_own_count(of); i++) {
		if (!requires(&of->environments[i], delivery->run->file))
			continue;
		row_ci_note(tx, of->application, delivery->run);
		row_queue_look(tx, of->environments[i].name);
	}
}

void
decide_ci_note(struct tx *tx, const struct delivery *delivery)
{
	note(tx, tx->settings, delivery);
	for (size_t i = 0; i < tx->settings->application_count; i++)
		note(tx, tx->settings->applications[i], delivery);
}
