/* sim_locks.c - locks and freezes: who begins them, what may begin in them, and that they end.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What holds an environment is asked of the rows, and compared with what a decision has begun by a
 * table of this file's own, not by the policy.
 */
#include "tests/sim/sim_inside.h"

#include "types/settings.h"

static void
must(bool ok, const struct err *err)
{
	sim_must(ok, err->text);
}

/* Of `sim->eyes`, which sees what is committed. */
static int64_t
number(struct sim *sim, const char *sql)
{
	int64_t n = 0;
	struct err err = { 0 };

	must(db_one_i64(&n, sim->eyes, &err, sql), &err);
	return n;
}

void
sim_locks_somebody_locks(struct sim *sim)
{
	static const char *const typed[] = { "/lock %s 1h drill", "/lock %s", "/unlock %s",
		"/unlock %s", "/freeze %s until 01:00", "/unfreeze %s", "/unfreeze %s" };
	int environment = 2 * sim_application(sim) + sim_one_in(sim, 3);
	char text[64];

	(void)snprintf(
	    text, sizeof(text), typed[sim_draw(sim, COUNT(typed))], sim_environments[environment]);
	sim_chat_type(sim, sim_one_in(sim, 4) ? SIM_OTHER : SIM_ADMIN, text);
}

/* Whoever is denied in a freeze says why it is needed all the same, whether they may or not. */
static void
somebody_replies(struct sim *sim, int64_t person, UNUSED int64_t b)
{
	(void)sim_chat_reply(sim, person, "🔒 Not deployed: ", "the shop is down");
}

void
sim_locks_somebody_excepts(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING };
	const char *environment = sim_environments[2 * sim_application(sim)];
	int64_t person = people[sim_draw(sim, COUNT(people))];
	char text[64];

	(void)snprintf(text, sizeof(text), "/freeze %s until 02:00 sale", environment);
	if (sim_one_in(sim, 2))
		sim_chat_type(sim, SIM_ADMIN, text);
	(void)snprintf(text, sizeof(text), "/deploy %s %s", environment,
	    sim->commits[sim_draw(sim, (uint32_t)sim->n_commits)]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 20000 + sim_draw(sim, 40000), somebody_replies, person, 0);
	(void)snprintf(text, sizeof(text), "/unfreeze %s", environment);
	if (sim_one_in(sim, 3))
		sim_chat_type(sim, SIM_ADMIN, text);
}

/* --- what a decision begins --- */

static bool
may_all(struct tx *tx, int64_t person, int environment)
{
	return sim_settings_role(tx->event->context.settings, person, environment, tx->at) ==
	    SIM_MAY_ALL;
}

/* A lock of who may lock nothing there any more is none; an exception holds as long as its right,
 * and from freezes that were there when it was made. */
static bool
binds(struct tx *tx, const struct db_rows *row, int environment)
{
	if (db_col_i64(row, 0) != 0)
		return may_all(tx, db_col_i64(row, 1), environment);
	return db_col_i64(row, 3) == 0 || !may_all(tx, db_col_i64(row, 4), environment);
}

static void
nothing_begins_in_a_window(struct sim *sim, struct tx *tx, int64_t work)
{
	const struct settings *settings = tx->event->context.settings;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err = { 0 };
	int64_t until;
	int environment;

	must(db_query(&rows, tx->db, &err,
		 "SELECT environment, requested_by, requested_at, exception <> '' FROM work"
		 " WHERE id = $1 AND (program = 'deploy' OR action = 'open-gate')",
		 DB_I64(work)),
	    &err);
	if (!db_next(&rows))
		return;
	environment = sim_environment(db_col_text(&rows, 0));
	until = sim_settings_frozen_until(settings, environment, tx->at);
	if (until != 0 &&
	    (db_col_i64(&rows, 3) == 0 || !may_all(tx, db_col_i64(&rows, 1), environment) ||
		until != sim_settings_frozen_until(settings, environment, db_col_i64(&rows, 2))))
		sim_fail(sim, __func__, "deployment %" PRId64 " in %s", work,
		    sim_environments[environment]);
}

void
sim_locks_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err = { 0 };

	if (sim_emergency_is(sim, tx, work))
		return;
	must(
	    db_query(&rows, tx->db, &err,
		"SELECT h.kind = 'lock', h.person, w.environment,"
		" w.exception <> '' AND h.id <= (SELECT excepted_hold FROM exempt x WHERE x.work = w.id), w.requested_by"
		" FROM hold h JOIN work w"
		" ON h.target IN (w.environment, '*/*', w.application || '/*')"
		" WHERE w.id = $1 AND (w.program = 'deploy' OR w.action = 'open-gate') AND (h.until_at = 0 OR h.until_at > $2)"
		" AND (h.kind <> 'lock' OR (h.person <> w.requested_by"
		" AND h.person <> w.confirmed_by))",
		DB_I64(work), DB_I64(tx->at)),
	    &err);
	while (db_next(&rows))
		if (binds(tx, &rows, sim_environment(db_col_text(&rows, 2))))
			sim_fail(sim, "nothing_begins_in_a_lock_or_freeze",
			    "deployment %" PRId64 " in %s", work, db_col_text(&rows, 2));
	nothing_begins_in_a_window(sim, tx, work);
}

void
sim_locks_check_asked(struct sim *sim, struct tx *tx, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err = { 0 };

	must(db_query(&rows, tx->db, &err,
		 "SELECT environment, requested_by FROM work WHERE id = $1 AND exception <> ''",
		 DB_I64(work)),
	    &err);
	if (!db_next(&rows))
		return;
	sim_note(sim, SIM_EXCEPTED);
	if (!may_all(tx, db_col_i64(&rows, 1), sim_environment(db_col_text(&rows, 0))))
		sim_fail(sim, "who_is_excepted_may_freeze", "deployment %" PRId64 " by %" PRId64,
		    work, db_col_i64(&rows, 1));
}

static bool
is_waiting(struct sim *sim, const char *environment)
{
	int64_t n = 0;
	struct err err = { 0 };

	must(db_one_i64(&n, sim->eyes, &err,
		 "SELECT EXISTS (SELECT 1 FROM environment WHERE name = $1 AND waiting_push <> '')"
		 " OR EXISTS (SELECT 1 FROM work WHERE environment = $1 AND state = 'QUEUED'"
		 " AND waits_for = 'hold')",
		 DB_TEXT(environment)),
	    &err);
	return n != 0;
}

void
sim_locks_note(struct sim *sim)
{
	if (number(sim, "SELECT EXISTS (SELECT 1 FROM environment WHERE waiting_push <> '')") != 0)
		sim_note(sim, SIM_PUSH_HELD);
	if (number(sim,
		"SELECT EXISTS (SELECT 1 FROM work INDEXED BY work_waits WHERE state = 'QUEUED'"
		" AND waits_for <> '' AND waits_for = 'hold')") != 0)
		sim_note(sim, SIM_PLACE_HELD);
	for (int e = 0; e < sim->n_environments; e += 2)
		if (sim_settings_frozen_until(sim_settings_get(sim->loaded), e, sim->now) != 0 &&
		    is_waiting(sim, sim_environments[e]))
			sim_note(sim, SIM_WINDOW_HELD);
}

/* --- at rest --- */

bool
sim_locks_are_ended(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err = { 0 };
	char text[64];

	sim->is_unlocked = true;
	must(db_query(&rows, sim->eyes, &err,
		 "SELECT kind, target FROM hold WHERE until_at = 0 OR until_at > $1"
		 " GROUP BY kind, target ORDER BY 1, 2",
		 DB_I64(sim->now)),
	    &err);
	while (db_next(&rows)) {
		(void)snprintf(
		    text, sizeof(text), "/un%s %s", db_col_text(&rows, 0), db_col_text(&rows, 1));
		sim_chat_type(sim, SIM_ADMIN, text);
		sim->is_unlocked = false;
	}
	return sim->is_unlocked;
}

/* Each of an environment that the settings have: others wait for their file. */
static void
nothing_is_held(struct sim *sim, const char *sql, const char *evidence)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err = { 0 };

	must(db_query(&rows, sim->eyes, &err, sql), &err);
	while (db_next(&rows))
		if (settings_environment(sim_settings_get(sim->loaded), db_col_text(&rows, 0)) !=
		    NULL)
			sim_fail(sim, "what_a_lock_held_goes_on", "%s: %s", db_col_text(&rows, 0),
			    evidence);
}

void
sim_locks_check_rest(struct sim *sim)
{
	if (!sim->is_unlocked || sim_settings_windows_end(sim->now) != sim->now)
		return;
	nothing_is_held(sim, "SELECT target FROM hold", "what is over stays");
	nothing_is_held(sim,
	    "SELECT environment FROM work WHERE state = 'QUEUED' AND waits_for = 'hold'",
	    "a place waits for nothing");
	nothing_is_held(sim, "SELECT name FROM environment WHERE held <> 0", "held by nothing");
	nothing_is_held(sim, "SELECT name FROM environment WHERE waiting_push <> ''",
	    "a push waits for nothing");
}
