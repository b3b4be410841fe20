/* sim_jobs.c - jobs of a workflow: their gates, pushes and deployments, and their deaths.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * When a job was heard last, and what git said of its commit, is noted here from requests and
 * events, not from the rows of jobs; what its workflow may is a table of sim_settings.c.
 */
#include "tests/sim/sim_inside.h"

#define MINUTE_MS INT64_C(60000)
#define GONE_MS	  (3 * MINUTE_MS)
#define GATE_MS	  (360 * MINUTE_MS)
#define ASKS_MOST 14

static sim_fn job_goes_on;

static int64_t
number(struct sim *sim, struct db *db, const char *sql, struct db_value a, struct db_value b)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, db, &err, sql, a, b), &err);
	return n;
}

/* --- what jobs do --- */

static struct job *
claims_of(const struct sim *sim, const struct sim_job *of)
{
	struct job *job = calloc(1, sizeof(*job));
	const char *mark = job_forges[sim->at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB].mark;

	sim_must(job != NULL, "a job");
	(void)text_copy(job->workflow, sizeof(job->workflow), "ship");
	(void)snprintf(job->token, JOB_ID, "%td.%d", of - sim->jobs, of->n_asked);
	sim_forge_repository(sim, of->branch, job->repository, job->repository_id);
	(void)snprintf(job->ref, LIMIT_REF, "refs/heads/%s", sim_branch_name(of->branch));
	(void)text_copy(job->sha, LIMIT_COMMIT, sim->commits[of->commit]);
	(void)snprintf(job->run, JOB_NUMBER, "%d", of->run);
	(void)snprintf(job->actor, LIMIT_PERSON, "%scat%d", mark, of->run);
	if (of->run % 4 == 0)
		(void)snprintf(job->actor, sizeof(job->actor), "%s%s", mark, SIM_MONA);
	if (of->check_run != 0)
		(void)snprintf(job->check_run, JOB_NUMBER, "%d", of->check_run);
	job->actor_id = 7;
	job->attempt = of->attempt;
	return job;
}

static void
on_answered(void *ctx, const struct answer *answer)
{
	struct sim_job *job = ctx;
	const char *text = answer->text != NULL ? answer->text : "";

	sim_trace(job->sim, "job %d.%d is answered %d", job->run, job->attempt, answer->status);
	if (answer->status == 403 || answer->status == 404)
		sim_note(job->sim, SIM_JOB_DENIED);
	if (job->asks == API_SECRET) {
		sim_loans_answered(job, answer);
		return;
	}
	if (job->asks == API_GATE && answer->status == 202)
		job->work = answer->work;
	job->is_open |= job->asks == API_GATE && strstr(text, "\"state\":\"running\"") != NULL;
	job->is_over |= job->asks == API_GATE ? strstr(text, "\"is_over\":true") != NULL :
						answer->status != 429;
	job->is_accepted |= job->asks == API_PUSH && answer->status == 202;
}

/* The same once more now and then, by the same token. */
void
sim_jobs_ask(struct sim *sim, struct sim_job *job, enum api_operation operation, const char *path,
    const char *body)
{
	struct err err;

	sim_trace(sim, "job %d.%d of %.7s asks %s %s", job->run, job->attempt,
	    sim->commits[job->commit], path, body);
	for (int n = sim_one_in(sim, 10) ? 2 : 1; n > 0; n--) {
		struct event *event = sim_server_event(sim, EVENT_API);

		event->u.api = calloc(1, sizeof(*event->u.api));
		sim_must(event->u.api != NULL, "a request");
		event->u.api->is_network = true;
		event->u.api->from = (struct update){
			.kind = UPDATE_TEXT, .is_private = true, .person = SIM_WORKFLOW
		};
		event->u.api->job = claims_of(sim, job);
		sim_must(api_read(operation, path, body, strlen(body), event->u.api, &err), path);
		event->u.api->is_kept =
		    sim_loans_is_kept(sim, request_number(&event->u.api->request, "work"));
		event->done = on_answered;
		event->done_ctx = job;
		sim_server_submit(sim, event);
	}
}

static void
ask(struct sim *sim, struct sim_job *job, enum api_operation operation, int64_t work)
{
	static const char *const ends[] = { "success", "success", "failure", "cancelled" };
	const char *commit = sim->commits[sim_draw(sim, (uint32_t)sim->n_commits)];
	const char *environment = sim_environments[job->environment];
	const char *word = job->asks == API_COMMAND ? "deploy" : "approve";
	char path[64], body[128] = "{}";

	(void)snprintf(path, sizeof(path), "%s/%" PRId64, api_rows[operation].path, work);
	if (api_rows[operation].behind != API_NUMBER)
		(void)snprintf(path, sizeof(path), "%s%s%s", api_rows[operation].path,
		    operation == API_COMMAND ? "/" : "", operation == API_COMMAND ? word : "");
	if (operation == API_GATE)
		(void)snprintf(body, sizeof(body), "{\"environment\": \"%s\"}", environment);
	else if (operation == API_GATE_END)
		(void)snprintf(body, sizeof(body), "{\"conclusion\": \"%s\"}",
		    ends[sim_draw(sim, COUNT(ends))]);
	else if (operation == API_ANSWER)
		(void)text_copy(body, sizeof(body), "{\"answer\": \"yes\"}");
	else if (job->asks == API_ANSWER)
		(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%" PRId64 "\"]}", work);
	else if (operation == API_COMMAND)
		(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%s\"%s%s%s]}", environment,
		    job->check_run == 0 ? ", \"" : "", job->check_run == 0 ? commit : "",
		    job->check_run == 0 ? "\"" : "");
	sim_jobs_ask(sim, job, operation, path, body);
}

/* A workflow that the settings do not have is not let in. */
static void
job_goes_on(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	static const enum api_operation meddles[] = { API_ANSWER, API_COMMAND, API_GATE_END };
	struct sim_job *job = &sim->jobs[index];
	enum api_operation operation = job->asks;
	int64_t work = job->work;

	if (job->is_over)
		return;
	if (job->n_asked++ > 0 &&
	    (job->n_asked > ASKS_MOST || sim_one_in(sim, job->is_open ? 8 : 24))) {
		sim_note(sim, job->is_open ? SIM_JOB_DIED_OPEN : SIM_JOB_DIED);
		sim_trace(sim, "job %d.%d has gone", job->run, job->attempt);
		return;
	}
	if (operation == API_GATE && work != 0 && !sim_one_in(sim, 8))
		operation = sim_one_in(sim, job->is_open ? 2 : 30) ? API_GATE_END : API_WORK;
	if (operation == API_ANSWER) {
		operation = meddles[sim_draw(sim, COUNT(meddles))];
		work = number(sim, sim->eyes,
		    "SELECT COALESCE(MAX(id), 1) FROM work WHERE ended_at = $1 AND $2 <> 0",
		    DB_I64(0), DB_I64(1));
	}
	if (sim->store != NULL && sim_settings_has_workflow(sim_settings_get(sim->loaded)))
		ask(sim, job, operation, work);
	sim_later(sim, 0, 5000 + sim_draw(sim, 70000), job_goes_on, index, 0);
}

void
sim_jobs_gate_is_confirmed(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	(void)sim_chat_press_anywhere(sim, SIM_ADMIN, "Confirm gate");
}

struct sim_job *
sim_jobs_new(struct sim *sim, enum api_operation asks, int environment)
{
	int n = (int)sim->n_jobs++, branch = sim_branch(environment);

	assert(sim->n_jobs < COUNT(sim->jobs));
	sim->jobs[n] = (struct sim_job){ sim, asks, environment, branch, sim->head[branch],
		1000 + n, 1, .check_run = !sim->at_gitlab && sim_one_in(sim, 2) ? 0 : 5000 + n };
	return &sim->jobs[n];
}

/* In a run of its own, or one of before, which may have been begun again. */
void
sim_jobs_somebody_begins(struct sim *sim)
{
	static const enum api_operation asks[] = { API_GATE, API_GATE, API_GATE, API_GATE, API_GATE,
		API_GATE, API_PUSH, API_PUSH, API_PUSH, API_COMMAND, API_ANSWER };
	int n = (int)sim->n_jobs, environment = 2 * sim_application(sim) + (int)sim_draw(sim, 2);
	struct sim_job *job = &sim->jobs[n];
	const struct sim_job *old = n > 0 ? &sim->jobs[sim_draw(sim, (uint32_t)n)] : NULL;
	bool is_old = old != NULL && old->asks != API_SECRET && sim_one_in(sim, 3);

	assert(sim->n_jobs < COUNT(sim->jobs));
	if (!sim_settings_has_workflow(sim_settings_get(sim->loaded)))
		return;
	*job = (struct sim_job){ .environment = environment,
		.branch = sim_branch(environment),
		.commit = sim->head[sim_branch(environment)],
		.run = 1000 + n,
		.attempt = 1 };
	if (sim_one_in(sim, 3))
		job->commit = (int)sim_draw(sim, (uint32_t)sim->n_commits);
	if (is_old)
		*job = *old;
	/* A later attempt may know the number of an earlier one's gate. */
	*job = (struct sim_job){ sim, asks[sim_draw(sim, COUNT(asks))], job->environment,
		job->branch, job->commit, job->run, job->attempt,
		.check_run = !sim->at_gitlab && sim_one_in(sim, 2) ? 0 : 5000 + n,
		.work = sim_one_in(sim, 2) ? job->work : 0, .is_open = job->is_open };
	/* A job that is begun again at GitLab is another one of the same pipeline. */
	job->attempt += !sim->at_gitlab && is_old && (job->work != 0 || sim_one_in(sim, 2)) ? 1 : 0;
	sim->n_jobs++;
	job_goes_on(sim, n, 0);
	for (int i = 0; i < 4 && job->asks == API_GATE; i++) {
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_jobs_gate_is_confirmed, 0, 0);
	}
}

/* --- who asks --- */

static const struct sim_job *
asking(const struct sim *sim, const struct event *event)
{
	bool is_job = event->kind == EVENT_API && event->u.api->job != NULL;

	return is_job ? &sim->jobs[strtol(event->u.api->job->token, NULL, 10)] : NULL;
}

/* A token that does not name its job is its whole run's. */
bool
sim_jobs_is_own(const struct sim *sim, int64_t work, const struct sim_job *job)
{
	bool is_one = work > 0 && work < SIM_DEPLOYMENTS && sim->works[work].job != 0;
	const struct sim_job *of = is_one ? &sim->jobs[sim->works[work].job - 1] : NULL;

	return is_one && job != NULL && of->run == job->run && of->attempt == job->attempt &&
	    (of->check_run == 0 || job->check_run == 0 || of->check_run == job->check_run);
}

const char *
sim_jobs_why_nothing(const struct sim *sim, const struct event *event)
{
	const struct request *request = &event->u.api->request;

	if (event->u.api->operation == API_GATE_END || event->u.api->operation == API_LOAN ||
	    event->u.api->operation == API_LOAN_END || event->u.api->operation == API_LOAN_FAILED)
		return sim_jobs_is_own(sim, request_number(request, "work"), asking(sim, event)) ?
		    NULL :
		    "not its gate or loan";
	return event->u.api->operation == API_ANSWER ||
		(event->u.api->operation == API_COMMAND && strcmp(request->action, "deploy") != 0) ?
	    "a person's" :
	    NULL;
}

bool
sim_jobs_changes(const struct api_request *api)
{
	return api_is_post(api->operation) || api->operation == API_LOAN;
}

bool
sim_jobs_may(const struct sim *sim, const struct event *event, int environment)
{
	const struct sim_job *job = asking(sim, event);

	if (job == NULL)
		return false;
	if (job->asks == API_SECRET)
		return event->u.api->operation != API_SECRET ||
		    sim_settings_may_lend(event->context.settings, environment);
	return event->u.api->operation == API_GATE_END ||
	    sim_settings_may_gate(event->context.settings, environment);
}

/* --- around a decision --- */

/* Is that what the jobs of this branch have pushed?  Then git has answered for them by now. */
static bool
find_pushed(struct sim *sim, int branch, const char *commit)
{
	bool is_pushed = false;

	for (size_t i = 0; i < sim->n_jobs; i++)
		if (sim->jobs[i].may_push && sim->jobs[i].branch == branch &&
		    (commit == NULL || strcmp(sim->commits[sim->jobs[i].commit], commit) == 0))
			is_pushed = sim->jobs[i].is_found = true;
	return is_pushed;
}

/* A push's work is of the commit that the answer is of, and newer than what was live then; its gate
 * or deployment a job has asked for, and its workflow may. */
static void
check_new(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct effect_git_query *query =
	    tx->event->kind == EVENT_GIT_ANSWERED ? &tx->effect->u.git_query : NULL;
	const struct settings *settings = tx->event->context.settings;
	const struct sim_job *job = asking(sim, tx->event);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, commit_id, cause = 'job', action FROM work"
		" WHERE id > $1 AND (cause = 'job' OR requested_by = $2)",
		DB_I64(before->last_work), DB_I64(SIM_WORKFLOW)),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);
		int e = sim_environment(db_col_text(&rows, 1));
		const char *commit = db_col_text(&rows, 2);
		bool is_gate = strcmp(db_col_text(&rows, 4), "open-gate") == 0;
		bool is_loan = strcmp(db_col_text(&rows, 4), "lend-secret") == 0;

		if (db_col_i64(&rows, 3) != 0) {
			sim_note(sim, SIM_JOB_PUSHED);
			if (query == NULL || strcmp(query->push.after, commit) != 0 ||
			    !find_pushed(sim, sim_branch(e), commit))
				sim_fail(sim, "a_jobs_push_is_of_its_commit", "%" PRId64, id);
			if (sim_forge_index(sim, commit) < sim_forge_index(sim, query->base))
				sim_fail(sim, "no_push_of_a_job_goes_back", "%" PRId64, id);
			continue;
		}
		if (job == NULL ||
		    (is_loan ? !sim_settings_may_lend(settings, e) :
			    is_gate ?
			       !sim_settings_may_gate(settings, e) :
			       sim_settings_role(settings, SIM_WORKFLOW, e, tx->at) == SIM_NOBODY))
			sim_fail(sim, "no_job_begins_what_it_may_not", "work %" PRId64, id);
		sim->works[id].job = (int)(job - sim->jobs) + 1;
	}
}

static void
note_asked(struct sim *sim, struct tx *tx, int64_t index)
{
	const struct api_request *api = tx->event->u.api;
	int64_t gate =
	    api->operation == API_GATE ? tx->answer.work : request_number(&api->request, "work");
	struct sim_job *job = &sim->jobs[index];

	if (tx->answer.is_duplicate || tx->answer.status > 202)
		return;
	if (api->operation == API_PUSH)
		job->may_push |= sim_settings_role(tx->event->context.settings, SIM_WORKFLOW,
				     job->branch, tx->at) != SIM_NOBODY;
	if (sim_jobs_is_own(sim, gate, job)) {
		sim->works[gate].heard_at = tx->at;
		sim->works[gate].is_seen = sim->works[gate].opened_at != 0;
	}
}

/* Nobody could ask while nothing ran. */
static void
note_started(struct sim *sim, const struct tx *tx)
{
	for (int64_t id = 0; id < SIM_DEPLOYMENTS; id++) {
		struct sim_work *of = &sim->works[id];

		of->heard_at = tx->at;
		if (of->opened_at != 0 && !of->is_seen)
			of->opened_at = tx->at;
	}
}

/* Its timer has fired: it has ended if its job has gone, and only then. */
static void
check_due(struct sim *sim, struct tx *tx, int64_t gate)
{
	const struct sim_work *of = &sim->works[gate];
	int64_t from = of->opened_at != 0 ? of->opened_at : of->heard_at;
	int64_t due = from + (of->is_seen ? GATE_MS : GONE_MS);
	int64_t is = number(sim, tx->db,
	    "SELECT CASE WHEN ended_at = 0 THEN 1 WHEN detail LIKE $2 THEN 2 ELSE 0 END FROM work WHERE id = $1",
	    DB_I64(gate), DB_TEXT("its job has %"));

	if (is == 1 && tx->at >= due)
		sim_fail(sim, "a_job_that_has_gone_keeps_nothing", "gate %" PRId64, gate);
	if (is == 2) /* that it asks is written down each minute */
		sim_note(sim, of->is_seen ? SIM_GATE_FORGOTTEN : SIM_GATE_LEFT);
	if (is == 2 && tx->at < due - (of->opened_at == 0 ? MINUTE_MS : 0))
		sim_fail(sim, "a_job_that_asks_keeps_its_gate", "gate %" PRId64, gate);
}

/* Has the chat been told so?  Messages are kept for a while: whoever asks later finds none. */
static bool
is_said(struct sim *sim, struct tx *tx, const char *words, const char *commit)
{
	return number(sim, tx->db, "SELECT COUNT(*) FROM message WHERE instr(head, $1 || $2) > 0",
		   DB_TEXT(words), DB_TEXT(commit)) > 0;
}

/* Where nothing polls, which would find the head, what a job has pushed is said to be lost. */
static void
check_fault(struct sim *sim, struct tx *tx)
{
	const struct settings *s = tx->event->context.settings;
	const char *environment = tx->effect->u.git_query.environment;

	if (s->poll_repository_seconds == 0 && settings_environment(s, environment) != NULL &&
	    !is_said(sim, tx, "could not be handled", ""))
		sim_fail(sim, "no_push_of_a_job_is_lost", "in %s by a fault", environment);
	(void)find_pushed(sim, sim_branch(sim_environment(environment)), NULL);
}

/* Of a head that a job has pushed there is work then, or the rows say why not. */
static void
check_found(struct sim *sim, struct tx *tx)
{
	const struct effect_git_query *query = &tx->effect->u.git_query;
	const char *answer = tx->event->u.git_answered.answer, *commit = query->push.after;
	char found[96], head[96], first[16];

	(void)snprintf(found, sizeof(found), "\ncommit %s\n", commit);
	(void)snprintf(head, sizeof(head), "\nbranch_commit %s\n", commit);
	(void)snprintf(first, sizeof(first), "\2%.7s", commit); /* in code marks */
	if (!query->push.by_job || answer == NULL ||
	    (strstr(answer, found) == NULL && !is_said(sim, tx, "git does not show ", first)))
		return;
	(void)find_pushed(sim, sim_branch(sim_environment(query->environment)), commit);
	if (strstr(answer, head) != NULL && strstr(answer, "forced 0\n") != NULL &&
	    number(sim, tx->db,
		"SELECT COUNT(*) FROM environment e WHERE name = $1 AND $2 <> COALESCE((SELECT"
		" w.commit_id FROM work w WHERE w.environment = e.name AND w.action = ''"
		" AND (w.started_at <> 0 OR w.state = 'REFUSED') ORDER BY w.id DESC LIMIT 1), '')"
		" AND NOT (seen_commit = $2"
		" AND (waiting_push <> '' OR EXISTS (SELECT 1 FROM work w WHERE w.environment ="
		" e.name AND w.commit_id = $2) OR EXISTS (SELECT 1 FROM block b"
		" WHERE b.environment = e.name AND b.commit_id = $2)))"
		/* It goes there already, and what somebody has asked for comes behind it. */
		" AND NOT EXISTS (SELECT 1 FROM work w WHERE w.environment = e.name"
		" AND w.commit_id = $2 AND w.action = '' AND w.state IN ('RUNNING', 'VERIFYING'))"
		/* It waited for a lock's end, and somebody has cancelled it. */
		" AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.environment = e.name"
		" AND a.code = 'cancel_requested' AND a.commit_id = $2)",
		DB_TEXT(query->environment), DB_TEXT(commit)) > 0 &&
	    settings_environment(tx->event->context.settings, query->environment) != NULL)
		sim_fail(sim, "no_push_of_a_job_is_lost", "%.7s in %s", commit, query->environment);
}

static void
a_gate_ends_well_by_its_own_job(struct sim *sim, struct tx *tx, const struct sim_job *job)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id FROM work WHERE action = 'open-gate' AND state = 'DONE'"),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (!sim->works[id].is_well && (job == NULL || !sim_jobs_is_own(sim, id, job)) &&
		    !sim_rules_is_over(sim, tx->event, id))
			sim_fail(sim, __func__, "gate %" PRId64, id);
		if (!sim->works[id].is_well)
			sim_note(sim, SIM_GATE_DONE);
		sim->works[id].is_well = true;
	}
}

void
sim_jobs_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct event *event = tx->event;
	const struct sim_job *job = asking(sim, event);

	if (sim->n_jobs + sim->n_rules == 0 || tx->failed)
		return;
	check_new(sim, tx, before);
	if (job != NULL)
		note_asked(sim, tx, job - sim->jobs);
	if (event->kind == EVENT_STARTED)
		note_started(sim, tx);
	if (event->kind == EVENT_TIMER_FIRED && tx->effect->u.timer.kind == TIMER_GATE)
		check_due(sim, tx, strtoll(tx->effect->u.timer.name, NULL, 10));
	if (event->kind == EVENT_GIT_ANSWERED)
		check_found(sim, tx);
	if (event->kind == EVENT_FAULT && tx->effect != NULL &&
	    tx->effect->kind == EFFECT_GIT_QUERY && tx->effect->u.git_query.push.by_job)
		check_fault(sim, tx);
	for (size_t i = 0; event->kind == EVENT_DELIVERY && i < sim->n_deliveries; i++)
		if (strcmp(sim->deliveries[i].id, event->u.delivery.id) == 0)
			(void)find_pushed(sim, sim->deliveries[i].branch, NULL); /* and more */
	a_gate_ends_well_by_its_own_job(sim, tx, job);
}

/* What begins is the job's commit; a gate does in the decision on what git says of it, alone. */
void
sim_jobs_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	const struct event *event = tx->event;
	bool is_answer = event->kind == EVENT_GIT_ANSWERED && tx->effect->subject == work;
	bool is_opa = event->kind == EVENT_OPA_SAID && tx->effect->subject == work;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int commit, job = sim->works[work].job;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT w.commit_id, w.action = 'open-gate', (SELECT COUNT(*) FROM work o"
		" WHERE o.environment = w.environment AND o.started_at <> 0 AND o.ended_at = 0 AND o.action NOT IN ('run-pipeline', 'lend-secret')),"
		" COALESCE((SELECT r.commit_id"
		" FROM environment e JOIN release r ON r.id = e.current_release WHERE e.name ="
		" w.environment AND w.cause = 'job' AND w.confirmed_by = 0 AND w.approvers = ''), ''), w.action = 'lend-secret'"
		" FROM work w WHERE w.id = $1",
		DB_I64(work)),
	    &err);
	if (!db_next(&rows) || db_col_i64(&rows, 4) != 0)
		return;
	commit = sim_forge_index(sim, db_col_text(&rows, 0));
	if (job != 0 && commit != sim->jobs[job - 1].commit)
		sim_fail(sim, "what_a_job_begins_is_of_its_commit", "work %" PRId64, work);
	if (!sim_uploads_is(sim_forge_index(sim, db_col_text(&rows, 3))) &&
	    commit < sim_forge_index(sim, db_col_text(&rows, 3)))
		sim_fail(sim, "no_push_of_a_job_goes_back", "work %" PRId64, work);
	if (db_col_i64(&rows, 1) == 0)
		return;
	/* OPA is asked about what git has just answered: that is kept until it says something. */
	if (is_opa ? sim_check_number(sim, sim->eyes,
			 "SELECT COUNT(*) FROM opa WHERE work = $1 AND git LIKE '%in_branch 1%'",
			 work) == 0 :
		     !is_answer || strstr(event->u.git_answered.answer, "in_branch 1\n") == NULL)
		sim_fail(sim, "a_gate_is_of_its_branch_at_its_turn", "gate %" PRId64, work);
	if (db_col_i64(&rows, 2) != 1)
		sim_fail(sim, "a_gate_opens_alone", "gate %" PRId64, work);
	sim->works[work].opened_at = tx->at;
	sim_note(sim, SIM_GATE_OPENED);
}

/* --- at rest --- */

/* A newer run has reported that branch: what an older one says of it brings nothing. */
static bool
is_overtaken(const struct sim *sim, const struct sim_job *job)
{
	for (size_t i = 0; i < sim->n_jobs; i++)
		if (sim->jobs[i].is_accepted && sim->jobs[i].branch == job->branch &&
		    sim->jobs[i].run > job->run)
			return true;
	return false;
}

/* What was answered 202 was looked for until git knew it, a newer head came, or the chat was told;
 * but what the settings did not have meanwhile. */
void
sim_jobs_check_rest(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_jobs; i++) {
		const struct sim_job *job = &sim->jobs[i];

		if (job->is_accepted && job->may_push && !job->is_found && job->branch != 1 &&
		    !sim_settings_may_lack(job->branch / 2) && !is_overtaken(sim, job))
			sim_fail(sim, "no_push_of_a_job_is_lost", "by job %d.%d", job->run,
			    job->attempt);
	}
}
