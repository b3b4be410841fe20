/* sim_loans.c - jobs that are lent secrets, Vault that makes tokens of them, and how those end.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Which tokens Vault has made, and which the loop keeps until they are fetched, is known here and
 * not read from rows: an answer of Vault's may be lost, and what is kept dies with the server.
 */
#include "lib/mem.h"
#include "tests/sim/sim_inside.h"

#define KEPT_MS	    INT64_C(120000) /* by the loop, and wrapped by Vault */
#define ACCESSOR    "accessor-%d"
#define ASKS_MOST   30
#define REST_HOW    9 /* of twelve: it is made, and that is said */
#define ID_OF_LOANS "l-%d"

static sim_fn job_goes_on, job_is_over, vault_lends, vault_revokes, vault_looks, chat_lends;

/* --- what jobs and their forge do --- */

static void
on_delivered(UNUSED void *ctx, UNUSED const struct answer *answer)
{
}

/* Of a job that its token names the job is said to be over, of another one the run. */
static void
job_is_over(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	const struct sim_job *of = &sim->jobs[index];
	struct delivery *said;
	struct event *event;

	if (sim->store == NULL)
		return;
	event = sim_server_event(sim, EVENT_DELIVERY);
	said = &event->u.delivery;
	said->kind = of->check_run != 0 ? DELIVERY_WORKFLOW_JOB : DELIVERY_WORKFLOW_RUN;
	said->forge = sim->at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB;
	said->by_app = !sim->at_gitlab;
	(void)snprintf(said->id, sizeof(said->id), ID_OF_LOANS, (int)index);
	memcpy(said->digest, &index, sizeof(index));
	said->digest[sizeof(said->digest) - 1] = 9;
	said->job = mem_new(1, sizeof(*said->job));
	sim_forge_repository(sim, of->branch, said->repository, said->job->of.repository_id);
	(void)text_copy(said->job->of.repository, LIMIT_REF, said->repository);
	(void)snprintf(said->job->of.run, JOB_NUMBER, "%d", of->run);
	(void)text_copy(said->job->of.sha, LIMIT_COMMIT, sim->commits[of->commit]);
	said->job->of.attempt = of->attempt;
	said->job->at = of->over_at;
	(void)text_copy(said->job->conclusion, sizeof(said->job->conclusion), "failure");
	if (of->check_run != 0) {
		(void)snprintf(said->job->of.check_run, JOB_NUMBER, "%d", of->check_run);
	} else {
		said->run = mem_new(1, sizeof(*said->run));
		*said->run = (struct pipeline_run){ .file = "ship.yml",
			.run = of->run,
			.number = index + 1,
			.attempt = of->attempt,
			.rank = PIPELINE_IS_OVER,
			.is_own = true };
		(void)text_copy(said->run->repository, LIMIT_REF, said->repository);
		(void)text_copy(said->run->repository_id, sizeof(said->run->repository_id),
		    said->job->of.repository_id);
		(void)text_copy(said->run->commit, LIMIT_COMMIT, said->job->of.sha);
		(void)text_copy(said->run->branch, LIMIT_REF, sim_branch_name(of->branch));
		(void)text_copy(said->run->conclusion, sizeof(said->run->conclusion), "failure");
	}
	event->done = on_delivered;
	sim_server_submit(sim, event);
}

/* Its forge says so late, twice or never. */
static void
end_job(struct sim *sim, struct sim_job *job)
{
	job->is_over = true;
	job->over_at = sim->now;
	sim_trace(sim, "job %d.%d is over", job->run, job->attempt);
	for (int n = (int)sim_draw(sim, 3); n > 0; n--)
		sim_later(sim, 0, sim_delay(sim, 10, 300000), job_is_over, job - sim->jobs, 0);
}

static void
ask(struct sim *sim, struct sim_job *job, enum api_operation operation, int64_t work)
{
	char path[64];

	if (operation == API_SECRET)
		(void)snprintf(path, sizeof(path), "%s/%s", api_rows[operation].path,
		    sim_secrets[job->environment % 2]);
	else
		(void)snprintf(path, sizeof(path), "%s/%" PRId64, api_rows[operation].path, work);
	sim_jobs_ask(sim, job, operation, path, "{}");
}

/* It asks, polls, fetches and gives back; now and then once more, or for another job's. */
static void
job_goes_on(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	struct sim_job *job = &sim->jobs[index];
	enum api_operation operation =
	    job->work == 0 || sim_one_in(sim, 12) ? API_SECRET : API_LOAN;
	int64_t work = job->work;

	if (job->is_over)
		return;
	if (job->n_asked++ > 0 &&
	    (job->n_asked > ASKS_MOST || sim_one_in(sim, job->is_open ? 3 : 24))) {
		end_job(sim, job);
		return;
	}
	if (job->work != 0 && sim_one_in(sim, job->is_open ? 2 : 30))
		operation = sim_one_in(sim, 4) ? API_LOAN_FAILED : API_LOAN_END;
	if (operation != API_SECRET && sim_one_in(sim, 16))
		work = sim_check_number(
		    sim, sim->eyes, "SELECT COALESCE(MAX(work), 1) FROM loan WHERE $1 <> 0", 1);
	if (sim->store != NULL && sim_settings_has_workflow(sim_settings_get(sim->loaded)))
		ask(sim, job, operation, work);
	sim_later(sim, 0, 2000 + sim_draw(sim, sim_one_in(sim, 12) ? 200000 : 20000), job_goes_on,
	    index, 0);
}

/* Of a run of its own, or of one of before. */
void
sim_loans_somebody_begins(struct sim *sim)
{
	const struct settings *settings = sim_settings_get(sim->loaded);
	int to = sim_settings_lent_to(sim->is_many, (int)sim_draw(sim, SIM_SECRETS));
	const struct sim_job *old =
	    sim->n_jobs == 0 ? NULL : &sim->jobs[sim_draw(sim, (uint32_t)sim->n_jobs)];
	struct sim_job *job;

	if (!sim_settings_has_workflow(settings) ||
	    (!sim_settings_may_lend(settings, to) && !sim_one_in(sim, 4)))
		return;
	job = sim_jobs_new(sim, API_SECRET, to);
	if (old != NULL && old->asks == API_SECRET && old->branch == job->branch &&
	    sim_one_in(sim, 2)) {
		job->run = old->run;
		job->attempt = old->attempt + (!sim->at_gitlab && old->is_over ? 1 : 0);
		job->commit = old->commit;
	}
	job_goes_on(sim, job - sim->jobs, 0);
	for (int i = 0; i < 4; i++)
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
}

void
sim_loans_somebody_revokes(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_LEAD,
		SIM_STRANGER };
	static const char *const sql[] = {
		"SELECT COALESCE(MAX(work), 0) FROM loan WHERE phase <> 'over' AND $1 <> 0",
		"SELECT COALESCE(MAX(id), 0) FROM work WHERE action = 'lend-secret' AND $1 <> 0"
	};
	int64_t person = people[sim_draw(sim, COUNT(people))];
	int64_t work = sim_check_number(sim, sim->eyes, sql[sim_draw(sim, COUNT(sql))], 1);
	char text[64];

	if (work == 0 || (sim_one_in(sim, 2) && sim_chat_press_anywhere(sim, person, "✋ Revoke")))
		return;
	(void)snprintf(text, sizeof(text), "/revoke %" PRId64, work);
	sim_chat_type(sim, person, text);
}

/* In private, which now and then comes too late, or from who may not. */
void
sim_loans_somebody_asks(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_LEAD,
		SIM_STRANGER };
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "/get_secret %s", sim_secrets[sim_draw(sim, SIM_SECRETS)]);
	sim_chat_type(sim, people[sim_draw(sim, COUNT(people))], text);
	for (int i = 0; i < 3; i++)
		sim_later(sim, 0, 5000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
}

/* That the loop keeps for this work; NULL: none, or not any more. */
static struct sim_token *
find_kept(struct sim *sim, int64_t work)
{
	for (size_t i = 0; i < sim->n_tokens; i++)
		if (sim->tokens[i].work == work && sim->tokens[i].kept_until > sim->now)
			return &sim->tokens[i];
	return NULL;
}

static bool
is_to_be_given(struct sim *sim, int64_t work)
{
	const struct sim_token *token = find_kept(sim, work);

	return token != NULL && !token->is_given;
}

/* As answer_loan() of route_api_answer.c. */
static void
fetch(struct sim *sim, struct sim_job *job, int64_t work)
{
	struct sim_token *token = find_kept(sim, work);

	if (token == NULL) {
		sim_trace(sim, "job %d.%d came too late", job->run, job->attempt);
		job->work = 0;
		return;
	}
	if (token->is_given)
		sim_fail(sim, "a_token_is_given_once", "of work %" PRId64, work);
	token->is_given = true;
	token->is_used = !sim_one_in(sim, 4);
	job->is_open = true;
	sim_note(sim, SIM_LOAN_GIVEN);
}

void
sim_loans_answered(struct sim_job *job, const struct answer *answer)
{
	if (answer->is_lent && answer->status == 200)
		fetch(job->sim, job, answer->work);
	else if (answer->status == 202 && job->work == 0)
		job->work = answer->work;
	else if (answer->status == 410 && !job->is_open)
		job->work = 0; /* it asks again */
	else if (answer->status == 403 && sim_one_in(job->sim, 2))
		job->is_over = true;
}

/* --- Vault --- */

static struct sim_token *
make(struct sim *sim, const struct effect *effect)
{
	struct sim_token *token = &sim->tokens[sim->n_tokens++];

	assert(sim->n_tokens < COUNT(sim->tokens));
	*token = (struct sim_token){ .work = effect->subject,
		.until = sim->now + 1000 * effect->u.vault.ttl_s };
	sim_trace(sim, "Vault makes token %td for %" PRId64, token - sim->tokens, effect->subject);
	return token;
}

static void
vault_lends(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	int how = sim->is_resting ? REST_HOW : (int)sim_draw(sim, 12);
	struct sim_token *token = NULL;
	struct vault_said *said;

	if (open == NULL)
		return;
	said = &open->effect->result->u.vault_said;
	if (how == 3 || how >= 5)
		token = make(sim, open->effect);
	if (open->effect->u.vault.value[0] != '\0' && token != NULL)
		sim_note(sim, SIM_VALUE_READ);
	if (how >= 6 && token != NULL)
		token->kept_until = sim->now + KEPT_MS;
	said->is_done = how >= 6;
	said->is_unsure = how == 2 || how == 3;
	said->retry_after_s = how == 1 || how == 4 ? 5 + sim_draw(sim, 60) : 0;
	if (how >= 5)
		(void)snprintf(
		    said->accessor, sizeof(said->accessor), ACCESSOR, (int)(token - sim->tokens));
	if (how <= 5) {
		(void)text_copy(said->why, sizeof(said->why), "planned");
		sim_note(sim,
		    how == 0		? SIM_VAULT_REFUSED :
			how == 5	? SIM_VAULT_UNFIT :
			said->is_unsure ? SIM_VAULT_UNSURE :
					  SIM_VAULT_PUT_OFF);
	}
	sim_server_report(sim, open);
}

/* Vault may have done so, and that may be lost. */
static void
vault_revokes(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	int how = sim->is_resting ? 0 : (int)sim_draw(sim, 8), index;

	if (open == NULL)
		return;
	if (open->effect->u.vault.tries > 0)
		sim_note(sim, SIM_REVOKE_AGAIN);
	if (open->effect->u.vault.accessor[0] == '\0') { /* it is wiped, and Vault not asked */
		open->effect->result->u.vault_said.is_done = true;
		sim_server_report(sim, open);
		return;
	}
	/* NOLINTNEXTLINE(cert-err34-c): of our own writing, and compared with what was made */
	if (sscanf(open->effect->u.vault.accessor, ACCESSOR, &index) != 1 || index < 0 ||
	    (size_t)index >= sim->n_tokens || sim->tokens[index].work != open->effect->subject)
		sim_fail(sim, "each_revokes_its_own_token", "work %" PRId64 ": %s",
		    open->effect->subject, open->effect->u.vault.accessor);
	sim->tokens[index].is_revoked |= how <= 5;
	open->effect->result->u.vault_said.is_done = how <= 4;
	if (how == 7)
		open->effect->result->u.vault_said.retry_after_s = 10;
	sim_server_report(sim, open);
}

/* Of one that is not kept any more nothing is known. */
static void
vault_looks(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	const struct sim_token *token;
	struct vault_said *said;

	if (open == NULL)
		return;
	token = find_kept(sim, open->effect->subject);
	said = &open->effect->result->u.vault_said;
	if (token != NULL && !sim_one_in(sim, 6)) {
		said->is_used = token->is_used || token->is_revoked;
		said->is_done = !said->is_used;
	}
	sim_server_report(sim, open);
}

/* It is sent, or not, or it was and that is not known. */
static void
chat_lends(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	struct sim_token *token;
	struct vault_said *said;

	if (open == NULL)
		return;
	said = &open->effect->result->u.vault_said;
	token = find_kept(sim, open->effect->subject);
	if (token != NULL && token->is_given)
		sim_fail(sim, "a_token_is_given_once", "of work %" PRId64, token->work);
	if (token != NULL) {
		token->is_given = true;
		token->is_used = !sim_one_in(sim, 3);
		said->is_done = sim->is_resting || !sim_one_in(sim, 6);
	}
	if (said->is_done) {
		said->message = 1000000 + open->effect->subject;
		sim_note(sim, SIM_LOAN_SENT);
	} else {
		(void)text_copy(said->why, sizeof(said->why), "planned");
	}
	sim_server_report(sim, open);
}

/* What was being made when the server ended is made for nobody: nothing is made twice. */
void
sim_loans_call(struct sim *sim, struct sim_open *open)
{
	const struct effect *effect = open->effect;
	int64_t left =
	    effect->u.vault.not_before > sim->now ? effect->u.vault.not_before - sim->now : 0;

	if (effect->kind == EFFECT_VAULT_LOOK) {
		sim_later(
		    sim, sim->life, left + sim_delay(sim, 10, 500), vault_looks, effect->id, 0);
		return;
	}
	if (effect->kind == EFFECT_LEND_MESSAGE && !effect->is_recovered) {
		sim_later(sim, sim->life, sim_delay(sim, 10, 20000), chat_lends, effect->id, 0);
		return;
	}
	if (effect->kind == EFFECT_VAULT_REVOKE) {
		sim_later(
		    sim, sim->life, left + sim_delay(sim, 10, 20000), vault_revokes, effect->id, 0);
		return;
	}
	if (!effect->is_recovered) {
		sim_later(sim, sim->life, sim_delay(sim, 10, 20000), vault_lends, effect->id, 0);
		return;
	}
	open->effect->result->u.vault_said.is_unsure = true;
	sim_server_report_soon(sim, effect);
}

void
sim_loans_cut(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_tokens; i++)
		sim->tokens[i].kept_until = 0;
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *effect = sim->open[i].effect;

		if (effect != NULL && effect->kind == EFFECT_VAULT_LEND && !effect->is_recovered &&
		    sim_one_in(sim, 2))
			(void)make(sim, effect);
	}
}

/* Vault's clock and the loop's are others. */
void
sim_loans_clock_back(struct sim *sim, int64_t back_ms)
{
	for (size_t i = 0; i < sim->n_tokens; i++) {
		sim->tokens[i].until -= back_ms;
		sim->tokens[i].kept_until -= sim->tokens[i].kept_until != 0 ? back_ms : 0;
	}
}

/* --- around a decision --- */

/* Whoever has approved a loan ends it, whatever else they may do there. */
bool
sim_loans_may_end(struct sim *sim, struct tx *tx, const struct update *update, int environment)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool may = false;
	struct err err;

	if (update->kind == UPDATE_TEXT && !text_starts(update->text, "/revoke "))
		return false;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT w.environment FROM loan l JOIN work w ON w.id = l.work"
		" JOIN approval a ON a.work = l.work AND a.voided_at = 0 AND a.person = $1"
		" WHERE $2 = '' OR EXISTS (SELECT 1 FROM button WHERE id = $2 AND action = 'revoke')",
		DB_I64(update->person), DB_TEXT(update->button)),
	    &err);
	while (db_next(&rows))
		may |= sim_environment(db_col_text(&rows, 0)) == environment;
	return may;
}

#define REVOKES "SELECT COUNT(*) FROM effect WHERE kind = 'vault_revoke' AND $1 <> 0"
#define KEPT	"SELECT COUNT(*) FROM loan WHERE phase = 'kept' AND $1 <> 0"

void
sim_loans_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	ret->n_revokes = sim_check_number(sim, tx->db, REVOKES, 1);
	ret->n_kept = tx->event->kind == EVENT_STARTED ? sim_check_number(sim, tx->db, KEPT, 1) : 0;
}

/* What Vault says in this decision that it has made: to be had by its job, or to be revoked. */
static void
note_made(struct sim *sim, const struct tx *tx)
{
	const struct vault_said *said = &tx->event->u.vault_said;
	struct sim_work *work = &sim->works[tx->effect->subject];
	int index;

	/* NOLINTNEXTLINE(cert-err34-c): of our own writing */
	if (tx->effect->kind != EFFECT_VAULT_LEND || sscanf(said->accessor, ACCESSOR, &index) != 1)
		return;
	work->token = index + 1;
	work->is_kept = said->is_done;
}

bool
sim_loans_is_kept(struct sim *sim, int64_t work)
{
	return is_to_be_given(sim, work);
}

void
sim_loans_check_begun(
    struct sim *sim, const struct tx *tx, int64_t work, int64_t by, int environment)
{
	const struct settings *settings = tx->event->context.settings;
	bool is_people = by != SIM_WORKFLOW &&
	    sim_settings_role(settings, by, environment, tx->at) == SIM_MAY_ALL &&
	    sim_settings_lends(settings, environment);

	if (!is_people && (by != SIM_WORKFLOW || !sim_settings_may_lend(settings, environment)))
		sim_fail(sim, "nothing_is_lent_without_a_grant", "work %" PRId64, work);
}

/* By which a job is known: 1 wide, 2 narrow. */
static int
words_of(const struct tx *tx)
{
	int variant = sim_settings_variant(tx->event->context.settings);

	return sim_settings_is_narrow(variant) ? 2 : 1;
}

/* Behind new settings, and a start, nobody has or may fetch what they may not have. */
static void
check_granted(struct sim *sim, struct tx *tx)
{
	struct db_rows rows;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT l.work, w.requested_by, w.environment FROM loan l JOIN work w"
		" ON w.id = l.work WHERE l.phase IN ('kept', 'given') AND $1 <> 0",
		DB_I64(1)),
	    &err);
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0);
		int words = sim->works[work].words;

		sim_loans_check_begun(
		    sim, tx, work, db_col_i64(&rows, 1), sim_environment(db_col_text(&rows, 2)));
		if (words != 0 && words != words_of(tx))
			sim_fail(sim, "nothing_is_lent_by_other_words", "work %" PRId64, work);
	}
}

/* Once, of what Vault has made and the loop keeps, to the job that asked. */
static void
check_given(struct sim *sim, struct tx *tx)
{
	int64_t id = tx->answer.work;
	struct sim_work *work = &sim->works[id];
	const struct sim_job *job = &sim->jobs[strtol(tx->event->u.api->job->token, NULL, 10)];

	if (!sim_jobs_is_own(sim, id, job))
		sim_fail(sim, "a_loan_is_given_to_its_own_job", "%" PRId64, id);
	if (work->is_lent)
		sim_fail(sim, "a_loan_is_given_once", "%" PRId64, id);
	if (!work->is_kept)
		sim_fail(sim, "what_is_given_vault_has_made", "loan %" PRId64, id);
	if (sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM loan l WHERE work = $1"
		" AND phase = 'given' AND NOT EXISTS"
		" (SELECT 1 FROM effect e WHERE e.subject = l.work AND e.kind = 'vault_revoke')",
		id) != 1)
		sim_fail(sim, "what_is_given_is_not_revoked", "loan %" PRId64, id);
	work->is_lent = true;
}

/* What the loop has lost nobody will have. */
static void
check_started(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (before->n_kept > 0)
		sim_note(sim, SIM_LOAN_LOST);
	if (sim_check_number(sim, tx->db, KEPT, 1) != 0 ||
	    sim_check_number(sim, tx->db, REVOKES, 1) < before->n_revokes + before->n_kept)
		sim_fail(sim, "what_is_lost_at_a_start_is_revoked_first_thing", "of %" PRId64,
		    before->n_kept);
	for (int64_t id = 0; id < SIM_DEPLOYMENTS; id++)
		sim->works[id].is_kept = false;
}

/* Nothing is left that the job could have or use. */
static void
check_over(struct sim *sim, struct tx *tx)
{
	const struct delivery *said = &tx->event->u.delivery;
	int64_t check_run = said->job == NULL ? 0 : strtoll(said->job->of.check_run, NULL, 10);

	if (check_run != 0 && !tx->answer.is_duplicate && tx->answer.status == 200 &&
	    sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM loan l JOIN work_job j ON j.work = l.work JOIN work w"
		" ON w.id = l.work WHERE j.check_run = CAST($1 AS TEXT) AND (l.phase IN ('kept', 'given')"
		" OR w.ended_at = 0)",
		check_run) > 0)
		sim_fail(sim, "what_was_lent_ends_with_its_job", "job %" PRId64, check_run);
}

/* The last one that is to be revoked is so by this decision: by whom? */
static void
check_revoked(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct event *event = tx->event;
	int64_t id = sim_check_number(sim, tx->db,
	    "SELECT subject FROM effect WHERE kind = 'vault_revoke' AND $1 <> 0"
	    " ORDER BY id DESC LIMIT 1",
	    1);

	if (event->kind == EVENT_VAULT_SAID && tx->effect != NULL &&
	    tx->effect->kind == EFFECT_VAULT_LOOK) {
		sim_note(sim, SIM_LOAN_UNUSED);
		if (sim->tokens[sim->works[id].token - 1].is_used)
			sim_fail(sim, "what_somebody_uses_is_not_revoked", "loan %" PRId64, id);
	} else if ((event->kind == EVENT_UPDATE ||
		       (event->kind == EVENT_API && event->u.api->job == NULL)) &&
	    sim->works[id].job != 0) {
		sim_note(sim, SIM_LOAN_REVOKED);
		if (sim_settings_role(event->context.settings, before->said->person,
			sim->jobs[sim->works[id].job - 1].environment, tx->at) == SIM_NOBODY &&
		    !sim_loans_may_end(
			sim, tx, before->said, sim->jobs[sim->works[id].job - 1].environment))
			sim_fail(sim, "nobody_revokes_without_a_role", "%" PRId64 " loan %" PRId64,
			    before->said->person, id);
	} else if (event->kind == EVENT_API && event->u.api->job != NULL) {
		sim_note(sim, SIM_LOAN_GIVEN_BACK);
		if (!sim_jobs_is_own(
			sim, id, &sim->jobs[strtol(event->u.api->job->token, NULL, 10)]))
			sim_fail(sim, "a_job_gives_back_its_own", "loan %" PRId64, id);
	} else if (event->kind == EVENT_TIMER_FIRED) {
		sim_note(sim, SIM_LOAN_UNFETCHED);
	} else if (event->kind == EVENT_DELIVERY) {
		sim_note(sim, SIM_LOAN_OVER);
	}
}

void
sim_loans_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct event *event = tx->event;

	if (tx->failed)
		return;
	if (event->kind == EVENT_VAULT_SAID && tx->effect != NULL)
		note_made(sim, tx);
	if (event->kind == EVENT_API && event->u.api->operation == API_SECRET &&
	    tx->answer.status == 202 && event->u.api->job != NULL &&
	    sim->works[tx->answer.work].words == 0)
		sim->works[tx->answer.work].words = words_of(tx);
	if (event->kind == EVENT_API && tx->answer.is_lent && tx->answer.status == 200)
		check_given(sim, tx);
	if (event->kind == EVENT_STARTED)
		check_started(sim, tx, before);
	if (event->kind == EVENT_DELIVERY)
		check_over(sim, tx);
	if (event->kind == EVENT_STARTED || event->kind == EVENT_SETTINGS)
		check_granted(sim, tx);
	if (sim_check_number(sim, tx->db, REVOKES, 1) > before->n_revokes)
		check_revoked(sim, tx, before);
}

/* --- after every commit --- */

static void
none(struct sim *sim, const char *invariant, const char *sql)
{
	int64_t id = sim_check_number(sim, sim->eyes, sql, 1);

	if (id != 0)
		sim_fail(sim, invariant, "loan %" PRId64, id);
}

#define HAS_TIMER "EXISTS (SELECT 1 FROM effect e WHERE e.id = l.timer)"
#define N_REVOKES \
	"(SELECT COUNT(*) FROM effect e WHERE e.subject = l.work AND e.kind = 'vault_revoke')"
#define LOANS(who) \
	"SELECT COALESCE(MAX(l.work), 0) FROM loan l JOIN work w ON w.id = l.work WHERE $1 <> 0" \
	" AND " who

/* What Vault has said it made, and what is called over, is over there. */
static void
what_is_over_is_over_at_vault(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_tokens; i++) {
		const struct sim_token *token = &sim->tokens[i];

		if (token->is_revoked || token->until <= sim->now ||
		    sim->works[token->work].token != (int)i + 1)
			continue;
		if (sim_check_number(sim, sim->eyes,
			"SELECT COUNT(*) FROM loan WHERE work = $1 AND phase IN ('asked', 'over')",
			token->work) > 0)
			sim_fail(sim, __func__, "token %zu of loan %" PRId64, i, token->work);
	}
}

void
sim_loans_check(struct sim *sim)
{
	what_is_over_is_over_at_vault(sim);
	none(sim, "what_is_kept_is_waited_for",
	    LOANS("l.phase = 'kept' AND (w.state <> 'RUNNING' OR NOT " HAS_TIMER ")"));
	none(sim, "what_was_sent_is_deleted", LOANS("l.message <> 0 AND l.phase <> 'given'"));
	none(sim, "what_is_given_ends_in_time",
	    LOANS("l.phase = 'given' AND (w.state <> 'DONE' OR NOT " HAS_TIMER ")"));
	none(sim, "what_ends_is_being_revoked",
	    LOANS(N_REVOKES " <> CASE WHEN l.phase = 'ending' THEN 1 ELSE 0 END"));
	if (sim_check_number(sim, sim->eyes,
		"SELECT COUNT(*) FROM work w JOIN work o ON o.environment = w.environment"
		" WHERE w.action = 'lend-secret' AND w.state = 'RUNNING' AND o.action = ''"
		" AND o.started_at <> 0 AND o.ended_at = 0 AND $1 <> 0",
		1) > 0)
		sim_note(sim, SIM_LOAN_BESIDE);
}

/* --- at rest --- */

void
sim_loans_check_rest(struct sim *sim)
{
	none(sim, "each_loan_is_over", LOANS("l.phase NOT IN ('over', 'asked')"));
	none(sim, "each_loan_is_over", LOANS("w.ended_at = 0"));
}
