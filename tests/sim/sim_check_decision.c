/* sim_check_decision.c - what holds around each decision, seen in its transaction.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/row_button.h"
#include "tests/sim/sim_inside.h"

/* Everything that the deployments of each environment are, as a number. */
static void
fingerprints(struct sim *sim, struct tx *tx, uint64_t ret[SIM_ENVIRONMENTS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	for (int e = 0; e < sim->n_environments; e++)
		ret[e] = UINT64_C(14695981039346656037); /* FNV-1a */
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id || state || run || ' ' || place, environment FROM work ORDER BY id"),
	    &err);
	while (db_next(&rows)) {
		uint64_t *hash = &ret[sim_environment(db_col_text(&rows, 1))];

		for (const char *c = db_col_text(&rows, 0); *c != '\0'; c++)
			*hash = (*hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	}
}

/* Is the button another person's, or an admin's alone? */
static bool
is_not_theirs(struct tx *tx, const struct update *update, struct sim_before *before)
{
	const struct settings *settings = tx->event->context.settings;
	struct button_row button = row_button_get(tx, update->button);
	int64_t work = request_number(&button.request, "work");
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	enum sim_role role;
	int64_t requested_by = 0;
	bool is_confirming, is_place;
	struct err err;

	if (button.id[0] == '\0')
		return true;
	(void)text_copy(before->pressed, sizeof(before->pressed), button.request.action);
	before->work = work;
	if (strcmp(button.request.action, "looked") == 0)
		return button.chat != update->address.chat || !button.is_open ||
		    sim_settings_role(settings, update->person,
			sim_environment(button.request.target), tx->at) != SIM_MAY_ALL;
	if (!db_query(&rows, tx->db, &err,
		"SELECT environment, requested_by, place FROM work WHERE id = $1"
		" OR id = (SELECT deployment FROM run WHERE run.id = $2)",
		DB_I64(work), DB_I64(request_number(&button.request, "run"))) ||
	    !db_next(&rows))
		return true;
	role = sim_settings_role(
	    settings, update->person, sim_environment(db_col_text(&rows, 0)), tx->at);
	before->place = db_col_i64(&rows, 2);
	requested_by = db_col_i64(&rows, 1);
	is_confirming = strcmp(button.request.action, "confirm") == 0;
	is_place = strcmp(button.request.action, "leave") == 0 ||
	    strcmp(button.request.action, "give") == 0;
	return button.chat != update->address.chat || !button.is_open ||
	    (is_place && requested_by != update->person) ||
	    (is_confirming && requested_by != update->person &&
		!row_button_is_requester(tx, work, update->person) && role != SIM_MAY_ALL);
}

static void
find_active(struct sim *sim, struct tx *tx, bool ret[SIM_DEPLOYMENTS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(
		&rows, tx->db, &err, "SELECT id FROM work WHERE started_at <> 0 AND ended_at = 0"),
	    &err);
	while (db_next(&rows))
		ret[db_col_i64(&rows, 0)] = true;
}

void
sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	const struct update *update = tx->event->kind == EVENT_UPDATE ? tx->event->u.update : NULL;
	bool is_all;

	*ret = (struct sim_before){ .why = "" };
	find_active(sim, tx, ret->is_active);
	if (update == NULL)
		return;
	is_all = update->kind == UPDATE_PRESS && is_not_theirs(tx, update, ret);
	ret->why = is_all ? "not their button" : "no role";
	for (int e = 0; e < sim->n_environments; e++) {
		ret->is_guarded[e] = is_all ||
		    sim_settings_role(tx->event->context.settings, update->person, e, tx->at) ==
			SIM_NOBODY;
		ret->is_any_guarded |= ret->is_guarded[e];
	}
	if (ret->is_any_guarded)
		fingerprints(sim, tx, ret->of);
}

/* --- what it asks about --- */

/* "/rollback" without a number asks about an earlier release that was not left, and no other. */
static void
a_rollback_goes_back(struct sim *sim, struct tx *tx, int e)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = sim->n_way[e];
	int to, now;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT d.commit_id FROM work d JOIN environment e ON e.name = d.environment"
		" WHERE d.environment = $1 AND d.requester = $2 AND d.program = 'rollback'"
		" AND e.current_release = $3 AND e.is_down = 0 AND e.unknown_since = 0",
		DB_TEXT(sim_environments[e]), DB_TEXT(tx->event->u.update->name),
		DB_I64(sim->walked[e])),
	    &err);
	if (!db_next(&rows) || sim->is_astray[e])
		return;
	if (sim->came_back[e])
		sim_note(sim, SIM_ROLLED_BACK_TWICE);
	to = sim_forge_index(sim, db_col_text(&rows, 0));
	now = sim->way[e][n - 1];
	while (n > 0 && sim->way[e][n - 1] != to)
		n--;
	if (n == 0 || to == now || sim->was_fled[e][to])
		sim_fail(sim, __func__, "%s is asked to go from %.7s to %.7s", sim_environments[e],
		    sim->commits[now], db_col_text(&rows, 0));
}

/* --- what a decision begins --- */

/* Somebody who may: the requester, or who confirmed it. */
static void
somebody_may_begin(struct sim *sim, struct tx *tx, const struct db_rows *row)
{
	const struct settings *settings = tx->event->context.settings;
	int64_t by[2] = { db_col_i64(row, 2), db_col_i64(row, 3) };
	int environment = sim_environment(db_col_text(row, 1));
	bool is_rollback = strcmp(db_col_text(row, 5), "rollback") == 0;
	bool may = db_col_i64(row, 4) == 0 && by[1] == 0; /* a push, and nobody was asked */

	for (int i = 0; i < 2; i++)
		may |= by[i] != 0 &&
		    sim_settings_role(settings, by[i], environment, tx->at) >=
			(is_rollback ? SIM_MAY_ALL : SIM_MAY_DEPLOY);
	if (!may)
		sim_fail(sim, "nobody_without_a_grant_leads_to_a_run",
		    "deployment %" PRId64 " in %s by %" PRId64 " and %" PRId64, db_col_i64(row, 0),
		    sim_environments[environment], by[0], by[1]);
}

/* Q2: two that are released to one folder, whatever the settings say by now. */
static void
nobody_else_holds(struct sim *sim, int64_t id, const bool is_active[SIM_DEPLOYMENTS])
{
	for (int64_t other = 0; other < SIM_DEPLOYMENTS && sim->holds[id] != NULL; other++)
		if (other != id && is_active[other] && sim->holds[other] != NULL)
			sim_fail(sim, "no_two_release_to_one_folder",
			    "deployments %" PRId64 " and %" PRId64 " to %s", other, id,
			    sim->holds[id]);
}

static void
check_beginnings(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool is_active[SIM_DEPLOYMENTS] = { false };
	struct err err;

	find_active(sim, tx, is_active);
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, requested_by, confirmed_by, cause = 'chat', program"
		" FROM work WHERE started_at <> 0 AND ended_at = 0"),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (before->is_active[id])
			continue;
		sim->holds[id] = sim_settings_folder(
		    tx->event->context.settings, sim_environment(db_col_text(&rows, 1)));
		somebody_may_begin(sim, tx, &rows);
		nobody_else_holds(sim, id, is_active);
		sim_locks_check_begun(sim, tx, id);
	}
}

/* Q3: a place that is left or given is its owner's, and who has it then is in the queue. */
static void
note_place(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	int64_t place;
	struct err err;

	if (before->work == 0 || before->place == 0 ||
	    (strcmp(before->pressed, "leave") != 0 && strcmp(before->pressed, "give") != 0))
		return;
	sim_check_must(sim,
	    db_one_i64(&place, tx->db, &err,
		"SELECT CASE WHEN ended_at <> 0 THEN 0 ELSE place END FROM work WHERE id = $1",
		DB_I64(before->work)),
	    &err);
	if (strcmp(before->pressed, "leave") == 0 && place == 0)
		sim_note(sim, SIM_PLACE_LEFT);
	if (strcmp(before->pressed, "give") == 0 && place > before->place)
		sim_note(sim, SIM_PLACE_GIVEN);
}

/* `go` is said to the run that its deployment waits for, and to no other. */
static void
check_go(struct sim *sim, struct tx *tx)
{
	int64_t run = tx->event->u.run_started.run, n;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM work WHERE run = $1 AND state IN"
		" ('RUNNING', 'ROLLING_BACK')",
		DB_I64(run)),
	    &err);
	if (tx->answer.status == 200 && n != 1)
		sim_fail(sim, "a_gate_opens_for_what_is_awaited", "run %" PRId64, run);
}

void
sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	uint64_t now[SIM_ENVIRONMENTS];

	if (tx->event->kind == EVENT_RUN_STARTED)
		check_go(sim, tx);
	if (!db_in_transaction(tx->db))
		return; /* without memory SQLite undoes the whole batch: it is tried again */
	for (int e = 0; tx->event->kind == EVENT_UPDATE && e < sim->n_environments; e++) {
		const char *text = tx->event->u.update->text;
		size_t size = strlen("/rollback ") + strlen(sim_environments[e]);
		char plain[48];

		(void)snprintf(plain, sizeof(plain), "/rollback %s", sim_environments[e]);
		if (strcmp(text, plain) == 0)
			a_rollback_goes_back(sim, tx, e);
		else if (text_starts(text, plain) && text[size] == ' ')
			sim->is_astray[e] = true; /* by a number, to wherever */
	}
	check_beginnings(sim, tx, before);
	note_place(sim, tx, before);
	if (before->is_any_guarded)
		fingerprints(sim, tx, now);
	for (int e = 0; e < sim->n_environments; e++)
		if (before->is_guarded[e] && now[e] != before->of[e])
			sim_fail(sim, "nobody_acts_without_a_role",
			    "update %" PRId64 " of %" PRId64 " changed %s (%s)",
			    tx->event->u.update->id, tx->event->u.update->person,
			    sim_environments[e], before->why);
}
