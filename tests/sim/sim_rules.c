/* sim_rules.c - GitHub keeps jobs at gates of its own, and goes on as it is answered.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * GitHub takes one answer for all jobs of a run that wait at one of its environments, and says 404
 * or 422 where none does.  What it has taken is kept here, and held against the works that its
 * rules have led to.
 */
#include "lib/mem.h"
#include "tests/sim/sim_inside.h"

#define DAY_MS		INT64_C(86400000)
#define GITHUB_WAITS_MS (30 * DAY_MS)
#define FIRST_RUN	900000 /* no number of sim_jobs.c or sim_ci.c */
#define FIRST_OF_RULES	7000   /* the Deployment of the first */
#define ID_OF_MANY	"g-%d.%d"

static sim_fn rule_comes, job_is_over, run_is_over, run_goes_on, run_is_cancelled, answer_comes;

/* What a delivery is of. */
enum said { OF_RULE, OF_JOB, OF_RUN };

/* How a job or its run is over. */
static const char *const conclusions[] = { "success", "failure", "cancelled" };
enum conclusion { SUCCESS, FAILURE, CANCELLED };

static const char *
name_at_github(int environment)
{
	return environment % 2 == 0 ? "staging" : "production";
}

/* --- what GitHub says --- */

static void
on_answer(void *ctx, const struct answer *answer)
{
	struct sim_rule *rule = ctx;

	sim_trace(rule->sim, "the rule of run %d.%d is answered %d", rule->run, rule->attempt,
	    answer->status);
	rule->is_known |= answer->status == 200;
}

static struct event *
delivery(struct sim *sim, int64_t index, enum said of)
{
	struct sim_rule *rule = &sim->rules[index];
	struct event *event = sim_server_event(sim, EVENT_DELIVERY);
	struct delivery *said = &event->u.delivery;
	struct delivery_job *job = said->job = mem_new(1, sizeof(*job));

	said->by_app = true;
	(void)snprintf(said->id, sizeof(said->id), ID_OF_MANY, (int)index, (int)of);
	memcpy(said->digest, &index, sizeof(index));
	said->digest[sizeof(said->digest) - 1] = (uint8_t)(1 + of);
	sim_forge_repository(sim, rule->branch, said->repository, job->of.repository_id);
	(void)text_copy(job->of.repository, LIMIT_REF, said->repository);
	(void)snprintf(job->of.run, JOB_NUMBER, "%d", rule->run);
	(void)text_copy(job->of.sha, LIMIT_COMMIT, sim->commits[rule->commit]);
	(void)snprintf(job->of.actor, LIMIT_PERSON, "dog%d", rule->run);
	if (rule->run % 4 == 0)
		(void)text_copy(job->of.actor, sizeof(job->of.actor), SIM_MONA);
	(void)text_copy(
	    job->of.event, sizeof(job->of.event), rule->run % 16 == 1 ? "issue_comment" : "push");
	(void)text_copy(job->environment, LIMIT_REF, name_at_github(rule->environment));
	job->of.actor_id = 7;
	job->of.attempt = of == OF_RULE ? 0 : rule->attempt;
	job->deployment = FIRST_OF_RULES + index;
	return event;
}

static void
rule_comes(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	struct event *event;

	if (sim->store == NULL)
		return;
	event = delivery(sim, index, OF_RULE);
	event->u.delivery.kind = DELIVERY_GATE_RULE;
	event->done = on_answer;
	event->done_ctx = &sim->rules[index];
	sim_server_submit(sim, event);
}

static void
on_said(UNUSED void *ctx, UNUSED const struct answer *answer)
{
}

static void
job_is_over(struct sim *sim, int64_t index, int64_t conclusion)
{
	struct event *event;

	if (sim->store == NULL)
		return;
	event = delivery(sim, index, OF_JOB);
	event->u.delivery.kind = DELIVERY_WORKFLOW_JOB;
	event->u.delivery.job->at = sim->rules[index].over_at;
	(void)snprintf(event->u.delivery.job->of.check_run, JOB_NUMBER, "%d", 600000 + (int)index);
	(void)text_copy(event->u.delivery.job->conclusion,
	    sizeof(event->u.delivery.job->conclusion), conclusions[conclusion]);
	event->done = on_said;
	sim_server_submit(sim, event);
}

static void
run_is_over(struct sim *sim, int64_t index, int64_t conclusion)
{
	struct event *event;
	struct delivery *said;
	struct pipeline_run *run;

	if (sim->store == NULL)
		return;
	event = delivery(sim, index, OF_RUN);
	said = &event->u.delivery;
	said->kind = DELIVERY_WORKFLOW_RUN;
	said->job->at = sim->rules[index].over_at;
	said->job->deployment = 0;
	said->job->environment[0] = '\0';
	run = said->run = mem_new(1, sizeof(*run));
	*run = (struct pipeline_run){ .file = "ship.yml",
		.run = sim->rules[index].run,
		.number = index + 1,
		.attempt = sim->rules[index].attempt,
		.rank = PIPELINE_IS_OVER,
		.is_own = true };
	(void)text_copy(run->repository, sizeof(run->repository), said->repository);
	(void)text_copy(
	    run->repository_id, sizeof(run->repository_id), said->job->of.repository_id);
	(void)text_copy(run->commit, sizeof(run->commit), said->job->of.sha);
	(void)text_copy(
	    run->branch, sizeof(run->branch), sim_branch_name(sim->rules[index].branch));
	(void)text_copy(run->conclusion, sizeof(run->conclusion), conclusions[conclusion]);
	(void)text_copy(
	    said->job->conclusion, sizeof(said->job->conclusion), conclusions[conclusion]);
	event->done = on_said;
	sim_server_submit(sim, event);
}

/* --- runs, as they are at GitHub --- */

static bool
is_same_run(const struct sim_rule *a, const struct sim_rule *b)
{
	return a->run == b->run && a->attempt == b->attempt;
}

/* It is said of its jobs, late, twice or never, and of itself. */
static void
end_run(struct sim *sim, const struct sim_rule *of, enum conclusion conclusion)
{
	int64_t last = of - sim->rules;

	if (of->over_at != 0)
		return;
	sim_trace(sim, "run %d.%d is over: %s", of->run, of->attempt, conclusions[conclusion]);
	for (size_t i = 0; i < sim->n_rules; i++) {
		struct sim_rule *rule = &sim->rules[i];

		if (!is_same_run(rule, of))
			continue;
		rule->over_at = sim->now;
		if (rule->is == SIM_RULE_WAITS)
			rule->is = SIM_RULE_CLOSED;
		for (int n = (int)sim_draw(sim, 3); n > 0; n--)
			sim_later(
			    sim, 0, sim_delay(sim, 10, 60000), job_is_over, (int64_t)i, conclusion);
	}
	for (int n = (int)sim_draw(sim, 4); n > 0; n--)
		sim_later(sim, 0, sim_delay(sim, 10, 300000), run_is_over, last, conclusion);
}

/* Somebody does that at GitHub. */
static void
run_is_cancelled(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	end_run(sim, &sim->rules[index], CANCELLED);
}

bool
sim_rules_stop(struct sim *sim, int64_t run)
{
	for (size_t i = 0; i < sim->n_rules; i++)
		if (sim->rules[i].run == run && sim->rules[i].over_at == 0) {
			if (!sim_one_in(sim, 6)) /* else it goes on all the same */
				sim_later(sim, 0, sim_delay(sim, 100, 300000), run_is_cancelled,
				    (int64_t)i, 0);
			return true;
		}
	for (size_t i = 0; i < sim->n_jobs; i++)
		if (sim->jobs[i].run == run && sim_one_in(sim, 2))
			return true; /* it says itself that it ends, or goes on */
	return false;
}

/* Its jobs have gone on. */
static void
run_goes_on(struct sim *sim, int64_t index, int64_t conclusion)
{
	for (size_t i = 0; i < sim->n_rules; i++)
		if (is_same_run(&sim->rules[i], &sim->rules[index]) &&
		    sim->rules[i].is == SIM_RULE_WAITS)
			return; /* another one of its jobs waits elsewhere */
	end_run(sim, &sim->rules[index], (enum conclusion)conclusion);
}

/* A run has several jobs there; or it is over, and was begun again. */
static void
make_anew(struct sim *sim, struct sim_rule *rule, const struct sim_rule *old)
{
	*rule = (struct sim_rule){ sim, old->environment, old->branch, old->commit, old->run,
		old->attempt, .at = sim->now };
	for (size_t i = 0; i < sim->n_rules; i++)
		if (sim->rules[i].run == rule->run && sim->rules[i].attempt >= rule->attempt)
			rule->attempt =
			    sim->rules[i].attempt + (sim->rules[i].over_at != 0 ? 1 : 0);
	sim_note(sim, SIM_RULE_ANEW);
}

/* While the answer to one of its jobs is on its way. */
static void
another_job_comes(struct sim *sim, int64_t work)
{
	int rule = sim->works[work].rule, n = (int)sim->n_rules;

	if (rule == 0 || n == SIM_RULES)
		return;
	make_anew(sim, &sim->rules[n], &sim->rules[rule - 1]);
	sim->n_rules++;
	sim_trace(sim, "another job of run %d waits", sim->rules[n].run);
	sim_later(sim, 0, sim_delay(sim, 10, 5000), rule_comes, n, 0);
}

/* In a run of its own; or in one that was there before. */
void
sim_rules_somebody_begins(struct sim *sim)
{
	int n = (int)sim->n_rules, environment = 2 * sim_application(sim) + (int)sim_draw(sim, 2);
	struct sim_rule *rule = &sim->rules[n];
	const struct sim_rule *old = &sim->rules[n > 0 ? sim_draw(sim, (uint32_t)n) : 0];

	if (n == SIM_RULES || sim->at_gitlab ||
	    !sim_settings_has_workflow(sim_settings_get(sim->loaded)))
		return;
	*rule = (struct sim_rule){ .sim = sim,
		.environment = environment,
		.branch = sim_branch(environment),
		.commit = sim->head[sim_branch(environment)],
		.run = FIRST_RUN + n,
		.attempt = 1,
		.at = sim->now };
	if (sim_one_in(sim, 4))
		rule->commit = (int)sim_draw(sim, (uint32_t)sim->n_commits);
	if (n > 0 && sim_one_in(sim, 3))
		make_anew(sim, rule, old);
	sim->n_rules++;
	sim_trace(sim, "run %d.%d of %.7s waits for %s at GitHub", rule->run, rule->attempt,
	    sim->commits[rule->commit], sim_environments[rule->environment]);
	for (int i = sim_one_in(sim, 4) ? 2 : !sim_one_in(sim, 10); i > 0; i--)
		sim_later(sim, 0, sim_delay(sim, 10, 60000), rule_comes, n, 0);
	if (sim_one_in(sim, 8))
		sim_later(sim, 0, sim_delay(sim, 1000, 600000), run_is_cancelled, n, 0);
	for (int i = 0; i < 4; i++) {
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_jobs_gate_is_confirmed, 0, 0);
	}
}

void
sim_rules_clock_back(struct sim *sim, int64_t back_ms)
{
	for (size_t i = 0; i < sim->n_rules; i++) {
		sim->rules[i].at -= back_ms;
		sim->rules[i].over_at -= sim->rules[i].over_at != 0 ? back_ms : 0;
	}
}

/* --- it is answered --- */

/* The gate that it has led to; 0: none. */
static int64_t
work_of(const struct sim *sim, const struct sim_rule *rule)
{
	for (int64_t id = SIM_DEPLOYMENTS - 1; id > 0; id--)
		if (sim->works[id].rule == rule - sim->rules + 1)
			return id;
	return 0;
}

/* It waits for as long as GitHub does. */
static bool
waits(struct sim *sim, const struct sim_rule *rule)
{
	if (rule->is == SIM_RULE_WAITS && sim->now - rule->at > GITHUB_WAITS_MS)
		end_run(sim, rule, FAILURE);
	return rule->is == SIM_RULE_WAITS;
}

/* A yes is of a gate that has opened, a no of one that has ended, and not well. */
static void
check_taken(struct sim *sim, const struct effect *effect)
{
	static const char *const so[] = {
		"SELECT COUNT(*) FROM work WHERE id = $1 AND ended_at <> 0 AND state <> 'DONE'",
		"SELECT COUNT(*) FROM work WHERE id = $1 AND started_at <> 0"
	};
	bool is_yes = effect->u.forge_answer.is_approved;

	if (effect->subject == 0 && !is_yes)
		return; /* of many no gate is made */
	if (sim_check_number(sim, sim->eyes, so[is_yes], effect->subject) == 0)
		sim_fail(sim, "github_is_answered_what_was_decided", "%s of gate %" PRId64,
		    effect->u.forge_answer.is_approved ? "a yes" : "a no", effect->subject);
}

/* True: a job was waiting there. */
static bool
take(struct sim *sim, const struct effect *effect, bool is_in_flight)
{
	const struct effect_forge_answer *answer = &effect->u.forge_answer;
	bool is_any = false;

	for (size_t i = 0; i < sim->n_rules; i++) {
		struct sim_rule *rule = &sim->rules[i];
		char run[JOB_NUMBER];

		(void)snprintf(run, sizeof(run), "%d", rule->run);
		if (strcmp(answer->run, run) != 0 || !waits(sim, rule) ||
		    strcmp(answer->target, name_at_github(rule->environment)) != 0)
			continue;
		if (answer->is_report) {
			sim_note(sim, SIM_RULE_REPORTED);
			return true;
		}
		check_taken(sim, effect);
		if (!is_in_flight && answer->is_approved && rule->is_known &&
		    work_of(sim, rule) > effect->subject)
			sim_fail(sim, "no_old_yes_opens_what_asks_anew",
			    "gate %" PRId64 " answers for %" PRId64, effect->subject,
			    work_of(sim, rule));
		rule->is = answer->is_approved ? SIM_RULE_GOES_ON : SIM_RULE_REJECTED;
		sim_note(sim, answer->is_approved ? SIM_RULE_YES : SIM_RULE_NO);
		sim_later(sim, 0, sim_delay(sim, 5000, 1200000), run_goes_on, (int64_t)i,
		    answer->is_approved ? sim_draw(sim, COUNT(conclusions)) : FAILURE);
		is_any = true;
	}
	return is_any;
}

static void
answer_comes(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	bool is_away = !sim->is_resting && sim_one_in(sim, 6), is_taken, is_lost;
	struct forge_said *said;

	if (open == NULL)
		return;
	is_taken = !is_away && take(sim, open->effect, false);
	if (is_away && open->effect->u.forge_answer.is_approved && sim_one_in(sim, 4))
		another_job_comes(sim, open->effect->subject);
	is_lost = is_taken && !sim->is_resting && sim_one_in(sim, 8);
	if (is_away || is_lost || !is_taken)
		sim_note(sim, is_away ? SIM_RULE_AWAY : is_lost ? SIM_RULE_LOST : SIM_RULE_GONE);
	said = &open->effect->result->u.forge_said;
	said->verdict = is_away || is_lost ? FORGE_SAYS_NOTHING :
	    is_taken			   ? FORGE_SAYS_DONE :
					     FORGE_SAYS_GONE;
	said->retry_after_s = is_away ? sim_draw(sim, 120) : 0;
	if (said->verdict != FORGE_SAYS_DONE)
		(void)text_copy(
		    said->why, sizeof(said->why), is_taken || is_away ? "HTTP 502" : "HTTP 422");
	sim_server_report(sim, open);
}

void
sim_rules_answer(struct sim *sim, struct sim_open *open)
{
	int64_t wait_ms = open->effect->u.forge_answer.not_before - sim->now;

	if (open->effect->subject != 0 && sim->works[open->effect->subject].is_answered)
		sim_fail(sim, "what_github_knows_it_is_not_told_again", "gate %" PRId64,
		    open->effect->subject);
	sim_later(sim, sim->life, (wait_ms > 0 ? wait_ms : 0) + sim_delay(sim, 20, 10000),
	    answer_comes, open->effect->id, 0);
}

void
sim_rules_drop(struct sim *sim, const struct effect *effect)
{
	if (effect->kind == EFFECT_FORGE_ANSWER && effect->u.forge_answer.not_before <= sim->now &&
	    sim_one_in(sim, 3) && take(sim, effect, true))
		sim_note(sim, SIM_RULE_LOST);
}

/* --- around a decision --- */

/* Of a delivery of this file; NULL: it is none. */
static const struct sim_rule *
rule_of(const struct sim *sim, const struct event *event, enum said *ret_of)
{
	int index, of;

	if (event->kind != EVENT_DELIVERY ||
	    /* NOLINTNEXTLINE(cert-err34-c): of our own writing */
	    sscanf(event->u.delivery.id, ID_OF_MANY, &index, &of) != 2)
		return NULL;
	*ret_of = (enum said)of;
	return &sim->rules[index];
}

bool
sim_rules_is_over(const struct sim *sim, const struct event *event, int64_t work)
{
	enum said of;
	const struct sim_rule *rule = rule_of(sim, event, &of);
	int asked = sim->works[work].rule;

	return rule != NULL && of != OF_RULE && asked != 0 &&
	    strcmp(event->u.delivery.job->conclusion, conclusions[SUCCESS]) == 0 &&
	    rule->run == sim->rules[asked - 1].run;
}

/* Whatever comes twice. */
static void
a_rule_makes_one_gate(struct sim *sim, struct tx *tx, const struct sim_rule *rule, int64_t last)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, commit_id, state = 'REFUSED' FROM work"
		" WHERE id > $1 AND action = 'open-gate'",
		DB_I64(last)),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (work_of(sim, rule) != 0 ||
		    sim_environment(db_col_text(&rows, 1)) != rule->environment ||
		    strcmp(db_col_text(&rows, 2), sim->commits[rule->commit]) != 0)
			sim_fail(sim, __func__, "gate %" PRId64 " of run %d", id, rule->run);
		if (db_col_i64(&rows, 3) != 0)
			sim_note(sim, SIM_RULE_STRANGE);
		sim->works[id].rule = (int)(rule - sim->rules) + 1;
	}
}

void
sim_rules_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	enum said of = OF_RUN;
	const struct sim_rule *rule = rule_of(sim, tx->event, &of);

	if (tx->failed)
		return;
	if (rule != NULL && of == OF_RULE)
		a_rule_makes_one_gate(sim, tx, rule, before->last_work);
	if (tx->event->kind == EVENT_FORGE_SAID && tx->effect->kind == EFFECT_FORGE_ANSWER &&
	    !tx->effect->u.forge_answer.is_report &&
	    (tx->event->u.forge_said.verdict == FORGE_SAYS_DONE ||
		tx->event->u.forge_said.verdict == FORGE_SAYS_GONE))
		sim->works[tx->effect->subject].is_answered = true;
}

/* Nobody asks whether it is open: GitHub is told. */
void
sim_rules_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	int rule = sim->works[work].rule;

	if (rule == 0)
		return;
	sim->works[work].is_seen = true;
	if (sim->rules[rule - 1].run % 16 == 1)
		sim_fail(sim, "what_strangers_begin_opens_no_gate", "gate %" PRId64, work);
	if (sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM effect WHERE kind = 'forge_answer' AND subject = $1"
		" AND instr(body, '\"is_approved\":true') > 0", /* no report that it waits */
		work) != 1)
		sim_fail(sim, "a_gate_that_opens_is_answered", "gate %" PRId64, work);
}

/* --- at rest --- */

/* By the yes to another job of its run there, before it was asked for itself: what is said then,
 * also that there are too many, comes too late for it. */
static bool
went_on_with_another(const struct sim *sim, const struct sim_rule *rule)
{
	for (size_t i = 0; i < sim->n_rules; i++) {
		const struct sim_rule *other = &sim->rules[i];

		if (is_same_run(other, rule) && other->environment == rule->environment &&
		    other->is == SIM_RULE_GOES_ON && work_of(sim, other) != 0)
			return true;
	}
	return false;
}

/* All works have ended: what GitHub has asked here, and still keeps, nobody will answer. */
void
sim_rules_check_rest(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_rules; i++) {
		struct sim_rule *rule = &sim->rules[i];
		int64_t work = work_of(sim, rule);

		if (!rule->is_known)
			continue;
		if (work == 0 && rule->is == SIM_RULE_GOES_ON && !went_on_with_another(sim, rule))
			sim_fail(sim, "a_rule_that_goes_on_has_a_gate", "run %d", rule->run);
		if (waits(sim, rule))
			sim_fail(sim, "no_gate_of_github_stays_unanswered",
			    "gate %" PRId64 " of run %d.%d", work, rule->run, rule->attempt);
		if (rule->is == SIM_RULE_REJECTED &&
		    sim_check_number(sim, sim->eyes,
			"SELECT COUNT(*) FROM work WHERE id = $1 AND state = 'DONE'", work) != 0)
			sim_fail(sim, "github_is_answered_what_was_decided",
			    "gate %" PRId64 " ended well, and GitHub let nothing go on", work);
	}
}
