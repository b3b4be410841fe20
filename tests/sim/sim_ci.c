/* sim_ci.c - workflows run on what is pushed, and GitHub says how they stand, late, twice or never.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What the server may believe of a commit is between what it has acknowledged and what is so: a
 * deployment that its environment requires CI of begins where a success lies in between.
 */
#include "lib/array.h"
#include "lib/mem.h"
#include "tests/sim/sim_inside.h"

#define FIRST_RUN 500000 /* no number of sim_jobs.c, sim_rules.c or sim_pipelines.c */
#define FILE_NAME "ci.yml"

static sim_fn run_goes_on, run_begins_again, says_so, answers;

/* --- runs --- */

static const char *const conclusions[] = { "success", "success", "success", "success", "failure",
	"failure", "cancelled", "skipped" };

static void
tell(struct sim *sim, int64_t run)
{
	const struct sim_ci *of = &sim->ci[run];
	int64_t packed = of->attempt * 100 + of->rank * 10 + of->conclusion;

	if (sim_one_in(sim, 4)) /* this repository's webhook may not send them at all */
		return;
	sim_later(sim, 0, sim_delay(sim, 10, 60000), says_so, run, packed);
	if (sim_one_in(sim, 6))
		sim_later(sim, 0, sim_delay(sim, 1000, 300000), says_so, run, packed);
}

void
sim_ci_pushed(struct sim *sim, int branch)
{
	struct sim_ci *run = &sim->ci[sim->n_ci];

	if (sim->is_many || sim->n_ci == COUNT(sim->ci) || sim_one_in(sim, 12))
		return;
	*run = (struct sim_ci){ .branch = branch, .commit = sim->head[branch], .attempt = 1 };
	tell(sim, sim->n_ci);
	sim_later(sim, 0, sim_delay(sim, 100, 60000), run_goes_on, sim->n_ci++, 0);
}

static void
run_goes_on(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	struct sim_ci *run = &sim->ci[index];

	run->rank++;
	run->conclusion =
	    run->rank == PIPELINE_IS_OVER ? (int)sim_draw(sim, COUNT(conclusions)) : 0;
	if (run->rank == PIPELINE_IS_OVER && strcmp(conclusions[run->conclusion], "success") == 0)
		run->greens |= UINT32_C(1) << run->attempt;
	sim_trace(sim, "CI of %.7s on %s: run %" PRId64 ".%d is %d %s", sim->commits[run->commit],
	    sim_branch_name(run->branch), index, run->attempt, run->rank,
	    run->rank == PIPELINE_IS_OVER ? conclusions[run->conclusion] : "");
	tell(sim, index);
	if (run->rank < PIPELINE_IS_OVER)
		sim_later(sim, 0, sim_delay(sim, 5000, 400000), run_goes_on, index, 0);
	else if (!sim->is_resting && run->attempt < 6 && sim_one_in(sim, 3))
		sim_later(sim, 0, sim_delay(sim, 10000, 600000), run_begins_again, index, 0);
}

static void
run_begins_again(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	struct sim_ci *run = &sim->ci[index];

	run->attempt++;
	run->rank = PIPELINE_REQUESTED;
	run->conclusion = 0;
	tell(sim, index);
	sim_later(sim, 0, sim_delay(sim, 100, 60000), run_goes_on, index, 0);
}

/* --- what GitHub says of one --- */

static struct pipeline_run
run_of(const struct sim *sim, int64_t index, int64_t packed)
{
	const struct sim_ci *of = &sim->ci[index];
	struct pipeline_run run = { .file = FILE_NAME,
		.run = FIRST_RUN + index,
		.number = 1 + index,
		.attempt = packed / 100,
		.rank = (enum pipeline_rank)(packed / 10 % 10),
		.is_own = true,
		.counts = true };

	sim_forge_repository(sim, of->branch, run.repository, run.repository_id);
	if (sim->at_gitlab)
		(void)text_copy(run.file, sizeof(run.file), PIPELINE_OF_GITLAB);
	(void)text_copy(run.commit, sizeof(run.commit), sim->commits[of->commit]);
	(void)text_copy(run.branch, sizeof(run.branch), sim_branch_name(of->branch));
	if (run.rank == PIPELINE_IS_OVER)
		(void)text_copy(run.conclusion, sizeof(run.conclusion), conclusions[packed % 10]);
	return run;
}

static void
on_nothing(UNUSED void *ctx, UNUSED const struct answer *answer)
{
}

static void
on_answer(void *ctx, const struct answer *answer)
{
	const struct sim_ci_said *said = ctx;
	struct sim_ci *run = &said->sim->ci[said->run];

	if (answer->status == 200 &&
	    (said->attempt > run->known_attempt ||
		(said->attempt == run->known_attempt && said->rank > run->known_rank))) {
		run->known_attempt = said->attempt;
		run->known_rank = said->rank;
	}
}

struct event *
sim_ci_delivery(struct sim *sim, const struct pipeline_run *run)
{
	struct event *event = sim_server_event(sim, EVENT_DELIVERY);
	struct delivery *said = &event->u.delivery;

	said->kind = DELIVERY_WORKFLOW_RUN;
	said->forge = job_forge_of(run->repository_id);
	said->run = mem_copy(run, sizeof(*run));
	said->job = mem_new(1, sizeof(*said->job));
	(void)text_copy(said->repository, sizeof(said->repository), run->repository);
	event->done = on_nothing;
	return event;
}

static void
says_so(struct sim *sim, int64_t index, int64_t packed)
{
	struct pipeline_run run = run_of(sim, index, packed);
	struct event *event;
	struct sim_ci_said *said = &sim->ci_said[sim->n_ci_said];

	if (sim->store == NULL)
		return;
	event = sim_ci_delivery(sim, &run);
	assert(sim->n_ci_said + 1 < COUNT(sim->ci_said));
	sim->n_ci_said++;
	*said = (struct sim_ci_said){ sim, index, (int)run.attempt, (int)run.rank };
	event->done = on_answer;
	event->done_ctx = said;
	sim_server_submit(sim, event);
}

/* --- it is asked --- */

static void
answers(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	const struct effect_github_runs *ask;
	struct github_runs_read *read;

	if (open == NULL)
		return;
	ask = &open->effect->u.github_runs;
	read = &open->effect->result->u.github_runs_read;
	if (!sim->is_resting && sim_one_in(sim, 8)) {
		sim_note(sim, SIM_CI_AWAY);
		(void)text_copy(read->why, sizeof(read->why), "HTTP 502");
		read->retry_after_s = sim_draw(sim, 120);
	}
	for (int64_t i = 0; i < sim->n_ci && read->why[0] == '\0'; i++) {
		const struct sim_ci *of = &sim->ci[i];
		struct pipeline_run run =
		    run_of(sim, i, of->attempt * 100 + of->rank * 10 + of->conclusion);

		if (strcmp(run.commit, ask->commit) != 0 ||
		    (ask->branch[0] != '\0' && strcmp(run.branch, ask->branch) != 0))
			continue;
		*(struct pipeline_run *)array_add(&read->runs, &read->n, sizeof(run)) = run;
	}
	sim_server_report(sim, open);
}

void
sim_ci_ask(struct sim *sim, struct sim_open *open)
{
	int64_t wait_ms = open->effect->u.github_runs.not_before - sim->now;

	sim_later(sim, sim->life, (wait_ms > 0 ? wait_ms : 0) + sim_delay(sim, 20, 10000), answers,
	    open->effect->id, 0);
}

/* --- it is told --- */

/* Else its environment, or its credential, is gone. */
static bool
can_report(const struct settings *s, const char *environment)
{
	const struct settings *of = settings_of(s, environment);

	return settings_environment(s, environment) != NULL &&
	    ((of->github_repository != NULL &&
		 (of->github.token != NULL || of->github.app_id != NULL)) ||
		(of->github_repository == NULL && of->github.gitlab_token != NULL));
}

/* Once more behind a kill, but none before one that it was ordered after. */
void
sim_ci_report(struct sim *sim, struct sim_open *open)
{
	const struct effect *effect = open->effect;
	const struct effect_forge_report *report = &effect->u.forge_report;
	int at = sim_environment(report->environment);

	if (effect->id < sim->reported[at])
		sim_fail(sim, "no_report_overtakes_another", "%s of %" PRId64 " in %s",
		    report->state, effect->subject, report->environment);
	sim->reported[at] = effect->id;
	sim->is_shown[effect->subject] = can_report(effect->settings, report->environment) &&
	    strcmp(report->state, "in_progress") == 0 && !sim->is_untold[effect->subject];
	sim_chat_toast(sim, open);
}

void
sim_ci_check_rest(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(
	    sim, db_query(&rows, sim->eyes, &err, "SELECT id FROM work WHERE ended_at > 0"), &err);
	while (db_next(&rows))
		if (sim->is_shown[db_col_i64(&rows, 0)])
			sim_fail(sim, "github_shows_no_deployment_that_is_over",
			    "%" PRId64 " as in progress", db_col_i64(&rows, 0));
}

/* --- what begins --- */

/* Can the newest run that it may know of there be a success? */
static bool
can_be_green(const struct sim *sim, const char *commit, const char *branch)
{
	const struct sim_ci *newest = NULL;
	bool is_green = false;

	for (int64_t i = 0; i < sim->n_ci; i++) {
		const struct sim_ci *run = &sim->ci[i];

		if (strcmp(sim->commits[run->commit], commit) == 0 && run->known_attempt > 0 &&
		    strcmp(sim_branch_name(run->branch), branch) == 0)
			newest = run;
	}
	for (int64_t i = newest == NULL ? 0 : newest - sim->ci; i < sim->n_ci; i++) {
		const struct sim_ci *run = &sim->ci[i];
		uint32_t later = run == newest ? ~UINT32_C(0) << run->known_attempt : ~UINT32_C(0);

		if (strcmp(sim->commits[run->commit], commit) == 0 &&
		    strcmp(sim_branch_name(run->branch), branch) == 0)
			is_green |= (run->greens & later) != 0;
	}
	return is_green;
}

void
sim_ci_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	const struct settings *settings = tx->event->context.settings;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_opa_check_begun(sim, tx, work);
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT environment, commit_id, CASE WHEN cause IN ('push', 'poll', 'job')"
		" THEN '' ELSE ref END FROM work"
		" WHERE id = $1 AND program = 'deploy' AND emergency = ''",
		DB_I64(work)),
	    &err);
	while (db_next(&rows)) {
		const char *commit = db_col_text(&rows, 1), *ref = db_col_text(&rows, 2);
		const struct environment_settings *environment =
		    settings_environment(settings, db_col_text(&rows, 0));
		bool is_named = ref[0] != '\0' && !text_is_hex(ref, 1, 64);

		if (environment == NULL || environment->require_ci == NULL)
			continue;
		if (sim_uploads_is(sim_forge_index(sim, commit)) && environment->takes_unproven)
			continue;
		sim_note(sim, SIM_CI_PASSED);
		if (!can_be_green(sim, commit, is_named ? ref : environment->branch))
			sim_fail(sim, "nothing_begins_whose_ci_has_not_passed",
			    "%" PRId64 " of %.7s in %s", work, commit, environment->name);
	}
}

/* What has ended, or gone back to its queue, without a report: GitHub shows it as it was. */
static void
forget_shown(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct settings *s = tx->event->context.settings;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, started_at <> 0 AND ended_at = 0 FROM work"),
	    &err);
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0);
		bool is_active = db_col_i64(&rows, 2) != 0;

		if (is_active && before->started_at[work] == 0)
			sim->is_untold[work] = false; /* its beginning is reported */
		else if (!is_active && before->started_at[work] != 0 &&
		    !can_report(s, db_col_text(&rows, 1))) {
			sim->is_shown[work] = false;
			sim->is_untold[work] = true;
		}
	}
}

void
sim_ci_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	int64_t n = 0;
	struct err err;

	sim_bake_check(sim, tx);
	forget_shown(sim, tx, before);
	if (sim->n_ci == 0 || tx->failed)
		return;
	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM work WHERE why = 'CI' AND ended_at = $1", DB_I64(tx->at)),
	    &err);
	if (n > 0)
		sim_note(sim, SIM_CI_REFUSED);
}
