/* sim_emergency.c - emergencies: never beside what runs, and marked until another has looked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

#include "store/row_button.h"

static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_LEAD, SIM_SECOND, SIM_STAGING,
	SIM_CONTRACTOR, SIM_STRANGER };

static int64_t
somebody(struct sim *sim)
{
	return people[sim_draw(sim, COUNT(people))];
}

/* --- what people do --- */

void
sim_emergency_is_looked_at(struct sim *sim, int64_t a, int64_t b)
{
	char text[48];

	(void)a;
	(void)b;
	if (!sim_one_in(sim, 3) && sim_chat_press_anywhere(sim, somebody(sim), "Review done"))
		return;
	(void)snprintf(text, sizeof(text), "/review %" PRId64,
	    sim_check_number(sim, sim->eyes,
		"SELECT COALESCE(MAX(id), 0) FROM work WHERE emergency <> '' AND $1 <> 0", 1));
	sim_chat_type(sim, somebody(sim), text);
}

/* Mostly by who may; the question is answered where there is one. */
void
sim_emergency_somebody_cries(struct sim *sim)
{
	static const char *const words[] = { "emergency", "--emergency", "\u2014Emergency" };
	int64_t person = sim_one_in(sim, 3) ? somebody(sim) : SIM_ADMIN;
	char text[96];

	(void)snprintf(text, sizeof(text), "/deploy %s %s it is down",
	    sim_environments[2 * sim_application(sim) + sim_one_in(sim, 2)],
	    words[sim_draw(sim, COUNT(words))]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 10000, sim_chat_question_is_answered, person, 0);
	for (int i = 0; i < 4; i++)
		sim_later(sim, 0, 10000 + sim_draw(sim, 400000), sim_emergency_is_looked_at, 0, 0);
}

/* --- around a decision --- */

void
sim_emergency_before(struct tx *tx, struct sim_before *ret)
{
	struct button_row button;

	if (ret->said == NULL)
		return;
	if (text_starts(ret->said->text, "/review "))
		ret->reviews = strtoll(ret->said->text + strlen("/review "), NULL, 10);
	if (ret->said->kind != UPDATE_PRESS)
		return;
	button = row_button_get(tx, ret->said->button);
	if (strcmp(button.request.action, "review") == 0)
		ret->reviews = request_number(&button.request, "work");
}

/* Of all people but that one: who confirmed it has asked for it, too. */
static bool
another_may(
    struct sim *sim, struct tx *tx, const struct db_rows *row, int64_t person, int environment)
{
	for (size_t i = 0; i < COUNT(people); i++)
		if (people[i] != person && people[i] != db_col_i64(row, 3) &&
		    !sim_approvals_has_asked(sim, db_col_i64(row, 0), people[i]) &&
		    sim_settings_may_approve(
			tx->event->context.settings, people[i], environment, tx->at))
			return true;
	return false;
}

/* Another who could have approved it; or who asked, where there is none. */
static bool
may_review(struct sim *sim, struct tx *tx, const struct db_rows *row, int64_t person)
{
	const struct settings *settings = tx->event->context.settings;
	int environment = sim_environment(db_col_text(row, 1));

	if (person != db_col_i64(row, 2) && person != db_col_i64(row, 3))
		return sim_settings_may_approve(settings, person, environment, tx->at);
	return sim_settings_role(settings, person, environment, tx->at) == SIM_MAY_ALL &&
	    !another_may(sim, tx, row, person, environment);
}

void
sim_emergency_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	if (tx->failed || before->reviews == 0)
		return;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, requested_by, confirmed_by FROM work"
		" WHERE id = $1 AND emergency <> '' AND reviewed_at <> 0",
		DB_I64(before->reviews)),
	    &err);
	if (!db_next(&rows) || sim->works[before->reviews].is_reviewed)
		return;
	if (!may_review(sim, tx, &rows, before->said->person))
		sim_fail(sim, "an_emergency_is_marked_until_reviewed_by_another",
		    "deployment %" PRId64 " by %" PRId64, before->reviews, before->said->person);
	sim->works[before->reviews].is_reviewed = true;
	sim_note(sim, SIM_REVIEWED);
}

/* --- what a decision begins --- */

bool
sim_emergency_is(struct sim *sim, struct tx *tx, int64_t work)
{
	return sim_check_number(
		   sim, tx->db, "SELECT emergency <> '' FROM work WHERE id = $1", work) != 0;
}

void
sim_emergency_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	if (!sim_emergency_is(sim, tx, work))
		return;
	if (sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM work a JOIN work w ON w.environment = a.environment"
		" WHERE w.id = $1 AND a.id <> w.id AND a.started_at <> 0 AND a.ended_at = 0"
		" AND a.is_read = 0 AND a.action <> 'run-pipeline' AND NOT EXISTS (SELECT 1 FROM work_action x WHERE x.work = a.id AND x.executor = 'cloudflare')",
		work) > 0)
		sim_fail(
		    sim, "an_emergency_never_runs_beside_what_runs", "deployment %" PRId64, work);
	if (sim_check_number(sim, tx->db,
		"SELECT COUNT(*) FROM work_shown WHERE work = $1 AND why = 'review'", work) == 0)
		sim_fail(sim, "an_emergency_rings", "deployment %" PRId64, work);
	sim_note(sim, SIM_EMERGENCY_BEGAN);
}

/* --- after every commit --- */

/* By whom, was seen when it was said; and it stays so. */
void
sim_emergency_check(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT id, reviewed_at, started_at, COALESCE((SELECT n_reminders FROM exempt x WHERE x.work = work.id), 0) FROM work WHERE emergency <> ''"),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (db_col_i64(&rows, 1) != 0 &&
		    (!sim->works[id].is_reviewed || db_col_i64(&rows, 2) == 0))
			sim_fail(sim, "an_emergency_is_marked_until_reviewed_by_another",
			    "deployment %" PRId64 " is reviewed by nobody", id);
		if (db_col_i64(&rows, 3) > 14)
			sim_fail(sim, "reminders_end", "deployment %" PRId64, id);
	}
}

/* --- at rest --- */

/* Messages of the work itself; that the chat shows them is seen elsewhere. */
void
sim_emergency_check_rest(struct sim *sim)
{
	int64_t id = sim_check_number(sim, sim->eyes,
	    "SELECT COALESCE(MAX(w.id), 0) FROM work w JOIN message m ON m.id = w.message"
	    " WHERE w.emergency <> '' AND w.started_at <> 0 AND $1 <> 0"
	    " AND (instr(m.head, 'not reviewed') > 0) <> (w.reviewed_at = 0)",
	    1);

	if (id != 0)
		sim_fail(sim, "an_emergency_is_marked_until_reviewed_by_another",
		    "the message of deployment %" PRId64 " says another thing", id);
}
