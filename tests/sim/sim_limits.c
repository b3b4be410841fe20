/* sim_limits.c - people who ask too often or for too much, and what they are heard for all the same.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What somebody has asked for in a day is counted from the rows of work, not from those of cost.
 */
#include "tests/sim/sim_inside.h"

#include "types/settings.h"

#define FLOOD	  22 /* two more than at once */
#define DAY_MS	  INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

static const char *const ends[] = { "/status", "/cancel", "/rollback", "/lock", "/unlock",
	"/unfreeze", "/abandon" };

void
sim_limits_somebody_floods(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_STRANGER };
	const char *environment = sim_environments[2 * sim_application(sim)];
	int64_t person = people[sim_draw(sim, COUNT(people))];
	char text[64];

	for (int i = 0; i < FLOOD; i++)
		sim_chat_type(sim, person, "/help");
	for (int i = 0; i < 3; i++) {
		(void)snprintf(
		    text, sizeof(text), "%s %s", ends[sim_draw(sim, COUNT(ends))], environment);
		sim_chat_type(sim, person, text);
	}
}

static int64_t
number(struct sim *sim, struct tx *tx, const char *sql, struct db_value a)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, tx->db, &err, sql, a), &err);
	return n;
}

/* Each is counted, those too that a group does not see. */
static int64_t
count_denials(struct sim *sim, struct tx *tx)
{
	return number(
	    sim, tx, "SELECT COALESCE(SUM(n + 1), 0) FROM stranger WHERE $1 <> 0", DB_I64(1));
}

void
sim_limits_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	ret->last_run =
	    sim_check_number(sim, tx->db, "SELECT COALESCE(MAX(id), 0) FROM run WHERE id > $1", 0);
	ret->last_work =
	    number(sim, tx, "SELECT COALESCE(MAX(id), 0) FROM work WHERE $1 <> 0", DB_I64(1));
	ret->last_message =
	    number(sim, tx, "SELECT COALESCE(MAX(id), 0) FROM message WHERE $1 <> 0", DB_I64(1));
	ret->denials = count_denials(sim, tx);
	ret->holds = number(
	    sim, tx, "SELECT COALESCE(SUM(id * 1009 + 1), 0) FROM hold WHERE $1 <> 0", DB_I64(1));
}

/* --- who is heard --- */

static bool
ends_something(const char *text)
{
	for (size_t i = 0; i < COUNT(ends); i++)
		if (text_starts(text, ends[i]))
			return true;
	return false;
}

static bool
has_a_role(struct sim *sim, struct tx *tx, int64_t person)
{
	for (int e = 0; e < sim->n_environments; e++)
		if (sim_settings_may_look(tx->event->context.settings, person, e, tx->at))
			return true;
	return false;
}

/* Of a request on the machine its status says so; what is typed is answered with a message, or a
 * rollback is asked about as soon as the runner has listed what would ship it.  Who may not is
 * answered a few times in a group, and no more. */
static bool
was_heard(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (tx->event->kind == EVENT_API)
		return tx->answer.status != 429;
	return number(sim, tx,
		   "SELECT COUNT(*) FROM message WHERE id > $1 AND instr(head, 'Too many ') = 0"
		   " AND instr(head, 'is used up') = 0",
		   DB_I64(before->last_message)) > 0 ||
	    number(sim, tx,
		"SELECT COUNT(*) FROM work WHERE state = 'REQUESTED' AND program = 'rollback'"
		" AND requested_at = $1",
		DB_I64(tx->at)) > 0 ||
	    count_denials(sim, tx) > before->denials;
}

static void
note_refusals(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	static const char sql[] = "SELECT COUNT(*) FROM message WHERE id > $1"
				  " AND instr(head, 'Too many commands') > 0";
	static const char used_up[] = "SELECT COUNT(*) FROM message WHERE id > $1"
				      " AND instr(head, 'Limit used up: ') > 0";

	if (number(sim, tx, sql, DB_I64(before->last_message)) > 0)
		sim_note(sim, SIM_TOO_FAST);
	if (number(sim, tx, used_up, DB_I64(before->last_message)) > 0)
		sim_note(sim, SIM_USED_UP);
}

void
sim_limits_check_heard(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	const struct update *said = before->said;

	if (said == NULL || tx->failed || tx->answer.is_duplicate)
		return;
	note_refusals(sim, tx, before);
	if (said->kind == UPDATE_TEXT && !before->is_by_pad && ends_something(said->text) &&
	    has_a_role(sim, tx, said->person) && !was_heard(sim, tx, before))
		sim_fail(sim, "what_ends_something_is_heard", "%" PRId64 ": %s", said->person,
		    said->text);
}

/* --- for how much --- */

static int64_t
minutes_of(int64_t started_at, int64_t ended_at)
{
	return ended_at > started_at ? (ended_at - started_at + MINUTE_MS - 1) / MINUTE_MS : 0;
}

/* In tenths, and never more than they have paid: logs and histories are left out. */
static int64_t
spent(struct sim *sim, struct tx *tx, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t sum = 0;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, program = 'deploy' AND requested_at > $2 AND requested_at <= $3,"
		" CASE WHEN ended_at > $2 AND ended_at <= $3 THEN ended_at ELSE 0 END, started_at"
		" FROM work WHERE cause NOT IN ('push', 'poll', 'job') AND id <> $1"
		" AND requested_by = (SELECT requested_by FROM work WHERE id = $1)",
		DB_I64(work), DB_I64(tx->at - DAY_MS), DB_I64(tx->at)),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0), ended_at = db_col_i64(&rows, 2);

		if (sim->works[id].is_paid && db_col_i64(&rows, 1) != 0)
			sum += 10;
		if (sim->works[id].are_minutes_paid && db_col_i64(&rows, 3) != 0)
			sum += minutes_of(db_col_i64(&rows, 3), ended_at);
	}
	return sum;
}

void
sim_limits_check_asked(struct sim *sim, struct tx *tx, int64_t work)
{
	int64_t most = (int64_t)tx->event->context.settings->cost_limit_per_user * 10;

	sim->works[work].is_paid = most != 0;
	if (most != 0 && spent(sim, tx, work) >= most)
		sim_fail(sim, "the_last_request_alone_passes_the_limit",
		    "deployment %" PRId64 ": %" PRId64 " of %" PRId64 " tenths were used up", work,
		    spent(sim, tx, work), most);
}

void
sim_limits_note_ended(struct sim *sim, struct tx *tx, int64_t work)
{
	sim->works[work].are_minutes_paid = tx->event->context.settings->cost_limit_per_user != 0;
}
