/* sim_pipelines.c - runs that we begin at GitHub: begun once, and their end is the work's.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What GitHub has begun, and how each of its attempts stands, is kept here; whether a request came
 * there whose answer is missing only this world knows.
 */
#include "tests/sim/sim_inside.h"

#define FIRST_RUN 3000000
#define HOURS_MS  (3600 * INT64_C(1000))
#define LISTED_MS INT64_C(30000) /* a run is in the list of its workflow by then, at the latest */

static sim_fn run_goes_on, run_says, is_begun, is_looked_at, is_stopped, somebody_cancels,
    failed_jobs_run_again;

static const char *const conclusions[] = { "success", "success", "success", "failure", "timed_out",
	"skipped", "cancelled" };
enum { SUCCESS = 0, CANCELLED = COUNT(conclusions) - 1 };

/* --- what people do --- */

static void
somebody_cancels(struct sim *sim, int64_t person, int64_t environment)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/cancel %s", sim_environments[environment]);
	sim_chat_type(sim, person, text);
}

/* Somebody wants that, and says yes to the question. */
static void
failed_jobs_run_again(struct sim *sim, int64_t is_question, UNUSED int64_t b)
{
	(void)sim_chat_press_anywhere(
	    sim, SIM_ADMIN, is_question ? "🔧 Run" : "Run failed jobs again");
	if (!is_question)
		sim_later(sim, 0, 15000, failed_jobs_run_again, 1, 0);
}

/* Perhaps while another one runs. */
void
sim_pipelines_somebody_runs(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_ADMIN, SIM_ADMIN, SIM_OTHER,
		SIM_STAGING };
	int64_t person = people[sim_draw(sim, COUNT(people))];
	int environment = 2 * sim_application(sim) + (int)sim_draw(sim, 2);
	bool is_request = sim_one_in(sim, 8);
	char text[96];

	(void)snprintf(text, sizeof(text), "/%s run-pipeline %s %s", is_request ? "request" : "do",
	    sim_environments[environment], sim_one_in(sim, 2) ? "nightly" : "release 1.4.2");
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 15000, sim_chat_question_is_answered, person, 0);
	for (int i = 0; i < 3 && is_request; i++)
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
	if (sim_one_in(sim, 3))
		sim_later(
		    sim, 0, sim_delay(sim, 16000, 400000), somebody_cancels, person, environment);
}

/* --- runs, as they are at GitHub --- */

/* Its last attempt. */
static struct pipeline_run
run_of(const struct sim *sim, const struct sim_dispatch *of, int64_t packed)
{
	struct pipeline_run run = { .run = FIRST_RUN + (of - sim->dispatches),
		.number = 1 + (of - sim->dispatches),
		.attempt = packed / 100,
		.rank = (enum pipeline_rank)(packed / 10 % 10),
		.is_own = !sim->at_gitlab, /* there it is the API's, of no push */
		.counts = !sim->at_gitlab };
	int branch = sim_branch(of->environment) | 1;

	sim_forge_repository(sim, branch, run.repository, run.repository_id);
	(void)snprintf(
	    run.file, sizeof(run.file), "%s.yml", of->nonce[0] != '\0' ? "nightly" : "release");
	if (sim->at_gitlab)
		(void)text_copy(run.file, sizeof(run.file), PIPELINE_OF_GITLAB);
	(void)text_copy(run.commit, sizeof(run.commit), sim->commits[sim->head[branch]]);
	(void)text_copy(run.branch, sizeof(run.branch), "main");
	if (run.rank == PIPELINE_IS_OVER)
		(void)text_copy(run.conclusion, sizeof(run.conclusion), conclusions[packed % 10]);
	return run;
}

static int64_t
packed(const struct sim_dispatch *of)
{
	return of->attempt * 100 + of->rank * 10 + of->conclusion;
}

static void
run_says(struct sim *sim, int64_t index, int64_t as)
{
	struct pipeline_run run = run_of(sim, &sim->dispatches[index], as);

	if (sim->store != NULL)
		sim_server_submit(sim, sim_ci_delivery(sim, &run));
}

/* Late, twice or never. */
static void
tell(struct sim *sim, int64_t index)
{
	int64_t as = packed(&sim->dispatches[index]);

	for (int n = (int)sim_draw(sim, 3); n > 0; n--)
		sim_later(sim, 0, sim_delay(sim, 10, 300000), run_says, index, as);
}

static void
end_run(struct sim *sim, struct sim_dispatch *of, int conclusion)
{
	if (of->rank == PIPELINE_IS_OVER)
		return;
	of->rank = PIPELINE_IS_OVER;
	of->conclusion = conclusion;
	of->greens |= conclusion <= 2 ? UINT32_C(1) << of->attempt : 0;
	sim_trace(sim, "run %td.%d of GitHub is over: %s", of - sim->dispatches, of->attempt,
	    conclusions[conclusion]);
	tell(sim, of - sim->dispatches);
	if (conclusion > 2 && !sim->is_resting)
		for (int n = 1 + (int)sim_draw(sim, 2); n > 0; n--)
			sim_later(
			    sim, 0, sim_delay(sim, 5000, 300000), failed_jobs_run_again, 0, 0);
	of->is_deleted = !sim->is_resting && sim_one_in(sim, 16);
}

/* Of that attempt; a later one has steps of its own. */
static void
run_goes_on(struct sim *sim, int64_t index, int64_t attempt)
{
	struct sim_dispatch *of = &sim->dispatches[index];

	if (of->rank == PIPELINE_IS_OVER || of->attempt != attempt)
		return;
	if (of->rank == PIPELINE_RUNS) {
		end_run(sim, of, of->is_stopped ? CANCELLED : (int)sim_draw(sim, CANCELLED));
		return;
	}
	of->rank++;
	tell(sim, index);
	sim_later(sim, 0,
	    !sim->is_resting && sim_one_in(sim, 12) ? 7 * HOURS_MS : sim_delay(sim, 5000, 900000),
	    run_goes_on, index, attempt);
}

static void
begin_attempt(struct sim *sim, struct sim_dispatch *of, int64_t work)
{
	if (of->attempt > 0 && sim_one_in(sim, 2)) /* how the last one ended, once more */
		sim_later(
		    sim, 0, sim_delay(sim, 10, 60000), run_says, of - sim->dispatches, packed(of));
	of->attempt++;
	of->rank = PIPELINE_REQUESTED;
	of->conclusion = 0;
	of->is_stopped = false;
	of->at = sim->now;
	of->works[of->attempt] = work;
	if (of->attempt > 1)
		sim_note(sim, SIM_RUN_AGAIN);
	sim_trace(sim, "run %td.%d begins at GitHub for %" PRId64, of - sim->dispatches,
	    of->attempt, work);
	tell(sim, of - sim->dispatches);
	sim_later(
	    sim, 0, sim_delay(sim, 100, 60000), run_goes_on, of - sim->dispatches, of->attempt);
}

/* NULL: there is none. */
static struct sim_dispatch *
find_run(struct sim *sim, int64_t run)
{
	int64_t index = run - FIRST_RUN;

	return index >= 0 && index < (int64_t)sim->n_dispatches ? &sim->dispatches[index] : NULL;
}

/* GitHub does what it is asked.  NULL: it says no: that run is not over, or is no more. */
static struct sim_dispatch *
begin_run(struct sim *sim, const struct effect *effect)
{
	const struct effect_forge *forge = &effect->u.forge;
	struct sim_dispatch *of = find_run(sim, forge->run);

	if (forge->run != 0 &&
	    (of == NULL || of->rank != PIPELINE_IS_OVER || of->is_deleted ||
		of->attempt + 1 == SIM_ATTEMPTS))
		return NULL;
	if (of == NULL) {
		of = &sim->dispatches[sim->n_dispatches++];
		assert(sim->n_dispatches < COUNT(sim->dispatches));
		*of = (struct sim_dispatch){ .environment = sim_environment(forge->environment) };
		if (strcmp(forge->pipeline, "nightly") == 0) /* its title has it */
			(void)text_copy(of->nonce, sizeof(of->nonce), forge->nonce);
	}
	begin_attempt(sim, of, effect->subject);
	sim->may_run[effect->subject] = true;
	return of;
}

/* --- it is asked --- */

static void
report(struct sim *sim, struct sim_open *open, enum forge_verdict verdict, const char *why)
{
	struct forge_said *said = &open->effect->result->u.forge_said;

	said->verdict = verdict;
	said->retry_after_s = 60;
	(void)text_copy(said->why, sizeof(said->why), verdict == FORGE_SAYS_DONE ? "" : why);
	sim_server_report(sim, open);
}

/* As perform_github.c has it: what failed behind its first byte may have been done. */
static void
is_begun(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	uint32_t how = sim->is_resting ? 12 : sim_draw(sim, 13);
	struct sim_dispatch *of;

	if (open == NULL)
		return;
	if (how == 0) {
		report(sim, open, FORGE_SAYS_NO, "HTTP 403");
		return;
	}
	if (how == 1 && !open->effect->u.forge.is_plain) {
		report(sim, open, FORGE_SAYS_UNFIT, "HTTP 422");
		return;
	}
	sim->may_run[open->effect->subject] = true;
	of = how == 2 ? NULL : begin_run(sim, open->effect);
	if (how <= 4)
		sim_note(sim, SIM_DISPATCH_LOST);
	if (of == NULL && how > 4)
		sim->may_run[open->effect->subject] = false;
	if (of != NULL && how > 5 && !open->effect->u.forge.is_plain &&
	    open->effect->u.forge.run == 0)
		open->effect->result->u.forge_said.run.run = FIRST_RUN + (of - sim->dispatches);
	report(sim, open,
	    how <= 4	   ? FORGE_SAYS_NOTHING :
		of == NULL ? FORGE_SAYS_NO :
			     FORGE_SAYS_DONE,
	    how <= 4 ? "timed out" : "HTTP 403");
}

/* A run that is known, or of which its title has the word; NULL: it is not listed. */
static const struct sim_dispatch *
find_shown(struct sim *sim, const struct effect_forge *forge)
{
	for (size_t i = 0; i < sim->n_dispatches && forge->run == 0; i++) {
		const struct sim_dispatch *of = &sim->dispatches[i];

		if (of->nonce[0] != '\0' && strcmp(of->nonce, forge->nonce) == 0 &&
		    sim->now - of->at >= LISTED_MS && !of->is_deleted)
			return of;
	}
	return find_run(sim, forge->run);
}

static void
is_looked_at(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	const struct sim_dispatch *of;

	if (open == NULL)
		return;
	of = find_shown(sim, &open->effect->u.forge);
	if (!sim->is_resting && sim_one_in(sim, 8))
		report(sim, open, FORGE_SAYS_NOTHING, "HTTP 502");
	else if (of == NULL)
		report(sim, open, FORGE_SAYS_GONE, "it lists no such run");
	else if (of->is_deleted)
		report(sim, open, FORGE_SAYS_GONE, "HTTP 404");
	else {
		if (open->effect->u.forge.run == 0)
			sim_note(sim, SIM_DISPATCH_FOUND);
		open->effect->result->u.forge_said.run = run_of(sim, of, packed(of));
		report(sim, open, FORGE_SAYS_DONE, "");
	}
}

/* GitHub takes its time, or is too late. */
static void
is_stopped(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	struct sim_dispatch *of;

	if (open == NULL)
		return;
	of = find_run(sim, open->effect->u.forge.run);
	if (!sim->is_resting && sim_one_in(sim, 8)) {
		report(sim, open, FORGE_SAYS_NOTHING, "HTTP 502");
	} else if (of == NULL && !sim->is_resting && sim_one_in(sim, 6)) {
		report(sim, open, FORGE_SAYS_NO, "HTTP 403");
	} else if (of == NULL && sim_rules_stop(sim, open->effect->u.forge.run)) {
		sim_note(sim, SIM_GATE_STOPPED);
		report(sim, open, FORGE_SAYS_DONE, "");
	} else if (of == NULL || of->is_deleted) {
		report(sim, open, FORGE_SAYS_GONE, "HTTP 404");
	} else if (of->rank == PIPELINE_IS_OVER) {
		report(sim, open, FORGE_SAYS_NO, "HTTP 409");
	} else {
		sim_note(sim, SIM_RUN_STOPPED);
		of->is_stopped = !sim_one_in(sim, 6);
		of->rank = PIPELINE_RUNS;
		sim_later(sim, 0, sim_delay(sim, 100, 60000), run_goes_on, of - sim->dispatches,
		    of->attempt);
		report(sim, open, FORGE_SAYS_DONE, "");
	}
}

/* A run that it knows is its own; nobody's is stopped but where somebody wants that. */
static void
check_asked(struct sim *sim, const struct effect *effect)
{
	const struct sim_dispatch *of = find_run(sim, effect->u.forge.run);
	bool is_own = of == NULL;

	for (int i = 1; of != NULL && i <= of->attempt; i++)
		is_own |= of->works[i] == effect->subject;
	/* Which runs again, but perhaps has not begun to. */
	if (!is_own &&
	    sim_check_number(sim, sim->eyes, "SELECT again FROM work_pipeline WHERE work = $1",
		effect->subject) != effect->u.forge.run)
		sim_fail(sim, "a_work_follows_its_own_run", "%" PRId64 " and run %" PRId64,
		    effect->subject, effect->u.forge.run);
	if (effect->kind == EFFECT_FORGE_STOP &&
	    sim_check_number(sim, sim->eyes,
		"SELECT COUNT(*) FROM audit WHERE deployment = $1 AND code = 'cancel_requested'",
		effect->subject) == 0)
		sim_fail(sim, "no_run_is_stopped_unasked", "%" PRId64, effect->subject);
}

/* As recover_forge_start() has it. */
static void
begin(struct sim *sim, struct sim_open *open)
{
	if (open->effect->is_recovered) {
		report(sim, open, FORGE_SAYS_NOTHING, "it was restarted");
		return;
	}
	if (sim->may_run[open->effect->subject])
		sim_fail(sim, "no_run_is_begun_twice", "%" PRId64, open->effect->subject);
	sim_note(sim, SIM_DISPATCHED);
	sim_later(sim, sim->life, sim_delay(sim, 20, 10000), is_begun, open->effect->id, 0);
}

void
sim_pipelines_ask(struct sim *sim, struct sim_open *open)
{
	int64_t wait_ms = open->effect->u.forge.not_before - sim->now;

	if (open->effect->kind == EFFECT_FORGE_START) {
		begin(sim, open);
		return;
	}
	check_asked(sim, open->effect);
	sim_later(sim, sim->life, (wait_ms > 0 ? wait_ms : 0) + sim_delay(sim, 20, 10000),
	    open->effect->kind == EFFECT_FORGE_STOP ? is_stopped : is_looked_at, open->effect->id,
	    0);
}

void
sim_pipelines_drop(struct sim *sim, const struct effect *effect)
{
	if (effect->kind == EFFECT_FORGE_START && !effect->is_recovered && sim_one_in(sim, 2) &&
	    begin_run(sim, effect) != NULL)
		sim_note(sim, SIM_DISPATCH_LOST);
}

void
sim_pipelines_clock_back(struct sim *sim, int64_t back_ms)
{
	for (size_t i = 0; i < sim->n_dispatches; i++)
		sim->dispatches[i].at -= back_ms;
}

/* --- at rest --- */

/* How it has ended at GitHub, what it says of that. */
static void
check_end(struct sim *sim, const struct db_rows *row)
{
	int64_t id = db_col_i64(row, 0);
	const struct sim_dispatch *of = find_run(sim, db_col_i64(row, 3));
	uint32_t attempt = (uint32_t)db_col_i64(row, 4);
	bool is_done = strcmp(db_col_text(row, 1), "DONE") == 0;

	if (is_done && (of == NULL || (of->greens >> attempt & 1) == 0 || of->works[attempt] != id))
		sim_fail(sim, "a_work_ends_as_its_run", "%" PRId64 " is done", id);
	if (strcmp(db_col_text(row, 2), "NOT_STARTED") == 0 && sim->may_run[id])
		sim_fail(sim, "what_may_run_is_not_said_not_to", "%" PRId64, id);
	if ((strcmp(db_col_text(row, 2), "SCRIPT") == 0 ||
		strcmp(db_col_text(row, 2), "TIMED_OUT") == 0) &&
	    (of == NULL || (of->greens >> attempt & 1) != 0 || of->works[attempt] != id))
		sim_fail(sim, "a_work_ends_as_its_run", "%" PRId64 " has failed", id);
	if (is_done)
		sim_note(sim, SIM_RUN_DONE);
	if (strcmp(db_col_text(row, 2), "INTERRUPTED") == 0)
		sim_note(sim, SIM_RUN_UNKNOWN);
}

void
sim_pipelines_check_rest(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT w.id, w.state, w.why, p.run, p.attempt FROM work w"
		" JOIN work_pipeline p ON p.work = w.id WHERE w.ended_at <> 0"),
	    &err);
	while (db_next(&rows))
		check_end(sim, &rows);
}
