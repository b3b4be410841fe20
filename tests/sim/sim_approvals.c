/* sim_approvals.c - who says yes, no, or takes a yes back; and nothing starts without those it needs.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Who said yes to what is remembered here from what people did, and compared with the rows when
 * something begins: by tables of the simulator's own, not by policy/needs.c.
 */
#include "tests/sim/sim_inside.h"

#include "store/row_button.h"

/* --- what people do --- */

static int64_t
somebody(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_OTHER, SIM_LEAD, SIM_LEAD,
		SIM_SECOND, SIM_SECOND, SIM_STAGING, SIM_STRANGER };

	return people[sim_draw(sim, COUNT(people))];
}

static int64_t
some_work(struct sim *sim)
{
	const char *sql = sim_one_in(sim, 6) ?
	    "SELECT COALESCE(MAX(work), 0) FROM approval_request WHERE $1 <> 0" :
	    "SELECT COALESCE(MIN(id), 0) FROM work WHERE state = 'AWAITING_APPROVAL' AND $1 <> 0";

	return sim_check_number(sim, sim->eyes, sql, 1);
}

/* By the number, or by one of the buttons that are shown. */
static void
says(struct sim *sim, int64_t person, int64_t work)
{
	static const char *const labels[] = { "Approve", "Approve", "Approve", "Approve", "Approve",
		"Approve", "Reject", "Not tonight", "Keep it", "Withdraw", "Withdraw", "Withdraw",
		"Withdraw" };
	static const char *const typed[] = { "/approve %" PRId64, "/approve #%" PRId64,
		"/approve %" PRId64, "/reject %" PRId64 " not today" };
	char text[64];

	if (!sim_one_in(sim, 3) &&
	    sim_chat_press_anywhere(sim, person, labels[sim_draw(sim, COUNT(labels))]))
		return;
	(void)snprintf(text, sizeof(text), typed[sim_draw(sim, COUNT(typed))], work);
	sim_chat_type(sim, person, text);
}

static void
it_is_taken_back(struct sim *sim, int64_t person, UNUSED int64_t b)
{
	(void)sim_chat_press_anywhere(sim, person, "Withdraw");
}

void
sim_approvals_somebody_answers(struct sim *sim)
{
	int64_t work = some_work(sim), person = somebody(sim);

	if (work == 0)
		return;
	says(sim, person, work);
	if (sim_one_in(sim, 4))
		sim_later(sim, 0, sim_delay(sim, 5000, 60000), it_is_taken_back, person, 0);
	if (sim_one_in(sim, 3))
		says(sim, person, work);
	if (sim_one_in(sim, 2))
		says(sim, somebody(sim), work);
}

/* One asks, two others say yes before it expires; between that anything may happen. */
void
sim_approvals_somebody_asks(struct sim *sim)
{
	const char *environment = sim_environments[2 * sim_application(sim) + sim_one_in(sim, 2)];
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "/%s %s", sim_one_in(sim, 4) ? "rollback" : "deploy", environment);
	sim_chat_type(sim, SIM_ADMIN, text);
	sim_later(sim, 0, 20000, sim_chat_question_is_answered, SIM_ADMIN, 0);
	for (int i = 0; i < 4; i++)
		sim_later(sim, 0, 30000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
}

void
sim_approvals_answer_comes(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	sim_approvals_somebody_answers(sim);
}

/* --- what is remembered --- */

bool
sim_approvals_has_asked(const struct sim *sim, int64_t work, int64_t person)
{
	for (size_t i = 0; i < sim->n_asked; i++)
		if (sim->asked[i].work == work && sim->asked[i].person == person)
			return true;
	return false;
}

/* For good; or confirmed it as it is now: what was asked anew was confirmed by nobody. */
static bool
has_asked(const struct sim *sim, const struct sim_yes *of, int64_t person)
{
	return of->confirmed_by == person || sim_approvals_has_asked(sim, of->work, person);
}

static const struct sim_yes *
find_yes(const struct sim *sim, int64_t work, int64_t person)
{
	for (size_t i = sim->n_yes; i > 0; i--)
		if (sim->yes[i - 1].work == work && sim->yes[i - 1].person == person)
			return &sim->yes[i - 1];
	return NULL;
}

static void
remember_asked(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT deployment, person FROM question_requester UNION"
		" SELECT id, requested_by FROM work WHERE ended_at = 0 AND requested_by > 0"
		/* Whoever pushed it, or began its run. */
		" UNION SELECT id, $1 FROM work WHERE requester LIKE 'git___:mona(%'"
		" UNION SELECT work, $1 FROM work_job WHERE actor = 'mona'",
		DB_I64(SIM_OTHER)),
	    &err);
	while (db_next(&rows)) {
		struct sim_asked asked = { db_col_i64(&rows, 0), db_col_i64(&rows, 1) };

		if (sim_approvals_has_asked(sim, asked.work, asked.person))
			continue;
		assert(sim->n_asked < COUNT(sim->asked));
		sim->asked[sim->n_asked++] = asked;
	}
}

/* A deployment or a rollback, or a gate. */
static bool
ships(const struct sim_yes *of)
{
	return of->action[0] == '\0' || strstr(of->action, "open-gate") != NULL;
}

static void
look_at(struct sim *sim, struct tx *tx, int64_t work, struct sim_yes *ret)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	ret->work = work;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		/* Of a gate the last one that ended well, if nothing was released since. */
		"SELECT w.commit_id, w.environment, w.program, CASE WHEN g.ended_at > COALESCE(r.at, 0) THEN g.commit_id ELSE COALESCE(r.commit_id, '') END,"
		" COALESCE(q.shown_live, ''), w.state, w.binding, w.client, COALESCE(x.is_requested, 0), w.confirmed_by, CASE w.action"
		" WHEN '' THEN '' ELSE x.executor || ' ' || w.action || ' ' || w.client || ' '"
		" || w.argument END FROM work w"
		" LEFT JOIN question q ON q.work = w.id LEFT JOIN work_action x ON x.work = w.id LEFT JOIN environment e ON e.name = w.environment"
		" LEFT JOIN release r ON r.id = e.current_release LEFT JOIN work g ON w.action = 'open-gate'"
		" AND g.id = (SELECT MAX(id) FROM work WHERE action = w.action AND state = 'DONE' AND environment = w.environment) WHERE w.id = $1",
		DB_I64(work)),
	    &err);
	if (!db_next(&rows))
		return;
	(void)text_copy(ret->commit, sizeof(ret->commit), db_col_text(&rows, 0));
	ret->environment = sim_environment(db_col_text(&rows, 1));
	(void)text_copy(ret->program, sizeof(ret->program), db_col_text(&rows, 2));
	(void)text_copy(ret->live, sizeof(ret->live), db_col_text(&rows, 3));
	(void)text_copy(ret->shown, sizeof(ret->shown), db_col_text(&rows, 4));
	(void)text_copy(ret->list, sizeof(ret->list), db_col_text(&rows, 6));
	(void)text_copy(ret->client, sizeof(ret->client), db_col_text(&rows, 7));
	ret->is_requested = db_col_i64(&rows, 8) != 0;
	(void)text_copy(ret->action, sizeof(ret->action), db_col_text(&rows, 10));
	ret->confirmed_by = db_col_i64(&rows, 9);
	ret->is_awaiting = strcmp(db_col_text(&rows, 5), "AWAITING_APPROVAL") == 0;
}

/* --- around a decision --- */

/* The number behind "/approve " or "#". */
static int64_t
typed_number(const char *text)
{
	text += strcspn(text, " ");
	text += strspn(text, " #");
	return strtoll(text, NULL, 10);
}

/* That somebody requested; 0: it is no line of a request. */
static int64_t
work_of_line(struct sim *sim, struct tx *tx, const char *text)
{
	const char *at = strstr(text, "nonce=");
	char nonce[24];
	int64_t work = 0;
	struct err err;

	(void)snprintf(nonce, sizeof(nonce), "%.16s", at == NULL ? "" : at + strlen("nonce="));
	sim_check_must(sim,
	    db_one_i64(&work, tx->db, &err,
		"SELECT COALESCE(MAX(work), 0) FROM request_nonce WHERE nonce = $1",
		DB_TEXT(nonce)),
	    &err);
	return work;
}

static enum sim_says
said_with(struct sim *sim, struct tx *tx, const struct update *said, int64_t *ret_work)
{
	struct button_row button;

	*ret_work = typed_number(said->text);
	if (said->kind == UPDATE_PRESS) {
		button = row_button_get(tx, said->button);
		*ret_work = request_number(&button.request, "work");
		return strcmp(button.request.action, "approve") == 0 ? SIM_SAYS_YES :
		    strcmp(button.request.action, "reject") == 0     ? SIM_SAYS_NO :
		    strcmp(button.request.action, "unapprove") == 0  ? SIM_SAYS_BACK :
								       SIM_SAYS_NOTHING;
	}
	if (text_starts(said->text, "APPROVE: ")) {
		*ret_work = work_of_line(sim, tx, said->text);
		return *ret_work != 0 ? SIM_SAYS_YES : SIM_SAYS_NOTHING;
	}
	return text_starts(said->text, "/approve ") ? SIM_SAYS_YES :
	    text_starts(said->text, "/reject ")	    ? SIM_SAYS_NO :
						      SIM_SAYS_NOTHING;
}

static int64_t
yes_of(struct sim *sim, struct tx *tx, const struct sim_yes *of)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM approval WHERE work = $1 AND person = $2 AND voided_at = 0",
		DB_I64(of->work), DB_I64(of->person)),
	    &err);
	return n;
}

void
sim_approvals_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	if (ret->said == NULL)
		return;
	ret->says = said_with(sim, tx, ret->said, &ret->says_of.work);
	if (ret->says == SIM_SAYS_NOTHING)
		return;
	look_at(sim, tx, ret->says_of.work, &ret->says_of);
	ret->says_of.person = ret->said->person;
	ret->had_said_yes = yes_of(sim, tx, &ret->says_of) != 0;
}

/* May what they say change that work?  Who takes theirs back need not be one who may. */
bool
sim_approvals_may(const struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct sim_yes *of = &before->says_of;

	if (before->says == SIM_SAYS_BACK)
		return find_yes(sim, of->work, of->person) != NULL;
	return of->is_awaiting && !has_asked(sim, of, of->person) &&
	    sim_settings_may_approve(
		tx->event->context.settings, of->person, of->environment, tx->at);
}

static int64_t
toasts_with(struct sim *sim, struct tx *tx, const struct sim_before *before, const char *words)
{
	int64_t n = 0;
	struct err err;

	assert(before->said != NULL);
	if (before->said->kind != UPDATE_PRESS)
		return 0;
	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM effect WHERE kind = 'toast' AND instr(body, $1) > 0"
		" AND instr(body, $2) > 0",
		DB_TEXT(before->said->callback), DB_TEXT(words)),
	    &err);
	return n;
}

static void
remember_yes(struct sim *sim, const struct sim_before *before)
{
	assert(sim->n_yes < COUNT(sim->yes));
	sim->yes[sim->n_yes++] = before->says_of;
	sim_note(sim, SIM_APPROVED);
}

/* Everything else that is approved is so by nobody. */
static void
nobody_else_approves(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT work, person FROM approval WHERE voided_at = 0 AND at = $1",
		DB_I64(tx->at)),
	    &err);
	while (db_next(&rows))
		if (find_yes(sim, db_col_i64(&rows, 0), db_col_i64(&rows, 1)) == NULL)
			sim_fail(sim, __func__, "%" PRId64 " of %" PRId64, db_col_i64(&rows, 1),
			    db_col_i64(&rows, 0));
}

void
sim_approvals_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct sim_yes *of = &before->says_of;

	if (before->said != NULL || sim->n_jobs + sim->n_rules > 0)
		remember_asked(sim, tx);
	if (tx->failed || before->says == SIM_SAYS_NOTHING)
		return;
	if (before->says == SIM_SAYS_YES && yes_of(sim, tx, of) != 0 && of->is_awaiting) {
		if (!sim_approvals_may(sim, tx, before))
			sim_fail(sim, "who_approves_may_and_has_not_asked",
			    "%" PRId64 " of deployment %" PRId64, of->person, of->work);
		if (!before->had_said_yes && !before->has_code && of->client[0] == '\0' &&
		    sim_settings_needs_code(
			tx->event->context.settings, "approve", "", of->environment))
			sim_fail(sim, "no_approval_that_needs_a_code_goes_without_one",
			    "%" PRId64 " of deployment %" PRId64, of->person, of->work);
		if (ships(of) && find_yes(sim, of->work, of->person) == NULL &&
		    strcmp(of->shown, of->live) != 0)
			sim_fail(sim, "what_is_approved_is_what_was_shown",
			    "deployment %" PRId64 ": live was %.7s and is %.7s", of->work,
			    of->shown, of->live);
		remember_yes(sim, before);
	}
	nobody_else_approves(sim, tx);
	if (before->says == SIM_SAYS_BACK && !tx->answer.is_duplicate &&
	    toasts_with(sim, tx, before, "Withdrawn") > 0) {
		sim_note(sim, SIM_TAKEN_BACK);
		if (yes_of(sim, tx, of) != 0)
			sim_fail(sim, "what_is_taken_back_does_not_count",
			    "%" PRId64 " of deployment %" PRId64, of->person, of->work);
	}
	if (before->says == SIM_SAYS_NO && of->is_awaiting &&
	    sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM work WHERE id = $1 AND state = 'REFUSED'", of->work) > 0)
		sim_note(sim, SIM_REJECTED);
}

/* --- what a decision begins --- */

/* Whose yes was said to exactly this, holds in this moment, and stands in the rows. */
static bool
counts(struct sim *sim, struct tx *tx, const struct sim_yes *now, int64_t person)
{
	const struct sim_yes *yes = find_yes(sim, now->work, person);

	return yes != NULL && !has_asked(sim, now, person) &&
	    strcmp(yes->commit, now->commit) == 0 && strcmp(yes->program, now->program) == 0 &&
	    strcmp(yes->action, now->action) == 0 &&
	    (!ships(now) || strcmp(yes->live, now->live) == 0) &&
	    strcmp(yes->list, now->list) == 0 && yes->environment == now->environment &&
	    sim_settings_may_approve(tx->event->context.settings, person, now->environment, tx->at);
}

static int
needs_of(const struct settings *settings, const struct sim_yes *work)
{
	int needs;

	if (ships(work))
		return sim_settings_approvals(
		    settings, work->environment, strcmp(work->program, "rollback") == 0);
	if (strstr(work->action, "lend-secret") != NULL)
		return sim_settings_approvals_of_loan(settings, work->environment);
	needs = strcmp(work->client, "solo") == 0 ? sim_settings_approvals_of_solo(settings) : 0;
	return needs == 0 && work->is_requested ? 1 : needs;
}

void
sim_approvals_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct sim_yes now = { 0 };
	size_t n = 0;
	int needs;
	struct err err;

	look_at(sim, tx, work, &now);
	needs = needs_of(tx->event->context.settings, &now);
	if (needs == 0 || sim_emergency_is(sim, tx, work))
		return;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT DISTINCT person FROM approval WHERE work = $1 AND voided_at = 0 LIMIT 32",
		DB_I64(work)),
	    &err);
	while (db_next(&rows))
		if (counts(sim, tx, &now, db_col_i64(&rows, 0)))
			n++;
	if (n < (size_t)needs)
		sim_fail(sim, "nothing_begins_without_its_approvals",
		    "deployment %" PRId64 " has %zu of %d", work, n, needs);
	if (now.is_requested)
		sim_note(sim, SIM_REQUEST_APPROVED);
	if (strstr(now.action, "lend-secret") != NULL)
		sim_note(sim, SIM_LOAN_APPROVED);
	sim_note(sim, needs > 1 ? SIM_APPROVED_BY_TWO : SIM_APPROVED_BY_ONE);
}

/* --- after every commit --- */

void
sim_approvals_check(struct sim *sim)
{
	int64_t id = sim_check_number(sim, sim->eyes,
	    "SELECT COALESCE(MAX(id), 0) FROM work INDEXED BY work_approval"
	    " WHERE state = 'AWAITING_APPROVAL' AND started_at <> $1",
	    0);

	if (id != 0)
		sim_fail(sim, "what_has_begun_awaits_no_approval", "deployment %" PRId64, id);
}

/* --- at rest --- */

void
sim_approvals_check_rest(struct sim *sim)
{
	int64_t id = sim_check_number(sim, sim->eyes,
	    "SELECT COALESCE(MAX(id), 0) FROM work WHERE state = 'AWAITING_APPROVAL' AND $1 <> 0",
	    1);

	if (id != 0)
		sim_fail(sim, "what_awaits_approval_ends", "deployment %" PRId64, id);
}
