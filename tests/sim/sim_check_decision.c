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
	bool is_confirming, is_leaving, is_place;
	int environment;
	struct err err;

	if (button.id[0] == '\0')
		return true;
	if (strcmp(button.request.action, "looked") == 0)
		return button.chat != update->address.chat || !button.is_open ||
		    sim_settings_role(settings, update->person,
			sim_environment(button.request.target), tx->at) != SIM_MAY_ALL;
	if (!db_query(&rows, tx->db, &err,
		"SELECT environment, requested_by FROM work WHERE id = $1"
		" OR id = (SELECT deployment FROM run WHERE run.id = $2)",
		DB_I64(work), DB_I64(request_number(&button.request, "run"))) ||
	    !db_next(&rows))
		return true;
	environment = sim_environment(db_col_text(&rows, 0));
	role = sim_settings_role(settings, update->person, environment, tx->at);
	requested_by = db_col_i64(&rows, 1);
	is_confirming = strcmp(button.request.action, "confirm") == 0;
	is_leaving = strcmp(button.request.action, "leave") == 0;
	is_place = is_leaving || strcmp(button.request.action, "give") == 0;
	if (is_place && sim_settings_may_look(settings, update->person, environment, tx->at)) {
		before->place_in = environment + 1;
		before->leaves = is_leaving ? work : 0;
		before->gives = is_leaving ? 0 : work;
		before->to = request_get_number(&button.request, "to");
	}
	return button.chat != update->address.chat || !button.is_open ||
	    (is_place && requested_by != update->person) ||
	    (is_confirming && requested_by != update->person &&
		!row_button_is_requester(tx, work, update->person) && role != SIM_MAY_ALL);
}

static void
list_places(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, place FROM work WHERE state = 'QUEUED' LIMIT $1",
		DB_I64(COUNT(ret->places))),
	    &err);
	while (db_next(&rows))
		ret->places[ret->n_places++] =
		    (struct sim_place){ db_col_i64(&rows, 0), db_col_i64(&rows, 1) };
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

/* A place is its owner's who sees the queue, whatever else they may do by now. */
static bool
is_guarded(const struct tx *tx, const struct sim_before *before, int environment)
{
	return before->place_in != environment + 1 &&
	    sim_settings_role(tx->event->context.settings, tx->event->u.update->person, environment,
		tx->at) == SIM_NOBODY;
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
	if (is_all)
		ret->place_in = 0, ret->leaves = 0, ret->gives = 0;
	ret->why = is_all ? "not their button" : "no role";
	for (int e = 0; e < sim->n_environments; e++) {
		ret->is_guarded[e] = is_all || is_guarded(tx, ret, e);
		ret->is_any_guarded |= ret->is_guarded[e];
	}
	if (ret->is_any_guarded)
		fingerprints(sim, tx, ret->of);
	list_places(sim, tx, ret);
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

/* Whoever said the last word on it may do it now; of a push that nobody was asked about: nobody. */
static void
somebody_may_begin(struct sim *sim, struct tx *tx, const struct db_rows *row)
{
	const struct settings *settings = tx->event->context.settings;
	int64_t requester = db_col_i64(row, 4) != 0 ? db_col_i64(row, 2) : 0;
	int64_t by = db_col_i64(row, 3) != 0 ? db_col_i64(row, 3) : requester;
	int environment = sim_environment(db_col_text(row, 1));
	bool is_rollback = strcmp(db_col_text(row, 5), "rollback") == 0;

	if (by != 0 &&
	    sim_settings_role(settings, by, environment, tx->at) <
		(is_rollback ? SIM_MAY_ALL : SIM_MAY_DEPLOY))
		sim_fail(sim, "nobody_without_a_grant_leads_to_a_run",
		    "deployment %" PRId64 " in %s by %" PRId64, db_col_i64(row, 0),
		    sim_environments[environment], by);
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

/* What begins finds a slot, of all and of its application; a person's rollback needs none. */
static void
it_has_a_slot(struct sim *sim, struct tx *tx, int64_t id)
{
	const struct settings *settings = tx->event->context.settings;
	int64_t all = 0, its = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&all, tx->db, &err,
		"SELECT COUNT(*) FROM work WHERE started_at <> 0 AND ended_at = 0"
		" AND program <> 'rollback'") &&
		db_one_i64(&its, tx->db, &err,
		    "SELECT COUNT(*) FROM work WHERE started_at <> 0 AND ended_at = 0 AND program"
		    " <> 'rollback' AND application = (SELECT application FROM work WHERE id = $1)",
		    DB_I64(id)),
	    &err);
	if (all > settings->runs_max || its > settings->application_runs_max)
		sim_fail(sim, __func__,
		    "deployment %" PRId64 " is one of %" PRId64 ", %" PRId64 " of its application",
		    id, all, its);
	if (all == settings->runs_max)
		sim_note(sim, SIM_NO_SLOT_LEFT);
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
		if (strcmp(db_col_text(&rows, 5), "rollback") != 0)
			it_has_a_slot(sim, tx, id);
		sim_locks_check_begun(sim, tx, id);
	}
}

/* --- what it does to places --- */

static int64_t
number(struct sim *sim, struct tx *tx, const char *sql, int64_t id, struct db_value other)
{
	int64_t n;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, tx->db, &err, sql, DB_I64(id), other), &err);
	return n;
}

/* 0: it stood in no queue. */
static int64_t
place_before(const struct sim_before *before, int64_t work)
{
	for (size_t i = 0; i < before->n_places; i++)
		if (before->places[i].work == work)
			return before->places[i].place;
	return 0;
}

/* Q5: whoever leaves is gone from the queue, and that is said. */
static void
whoever_leaves_is_gone_and_told(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (place_before(before, before->leaves) == 0)
		return;
	if (number(sim, tx, "SELECT COUNT(*) FROM work WHERE id = $1 AND state = $2",
		before->leaves, DB_TEXT("CANCELLED")) != 1)
		sim_fail(sim, __func__, "deployment %" PRId64 " is not gone", before->leaves);
	if (number(sim, tx,
		"SELECT COUNT(*) FROM effect WHERE kind = 'toast' AND instr(body, $2)"
		" AND instr(body, 'You left the queue: #' || $1)",
		before->leaves, DB_TEXT(tx->event->u.update->callback)) != 1)
		sim_fail(sim, __func__, "nobody says so of deployment %" PRId64, before->leaves);
	sim_note(sim, SIM_PLACE_LEFT);
}

/* Each is told of the other. */
static void
both_are_told(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	static const char sql[] = "SELECT COUNT(*) FROM message WHERE instr(head, $2)"
				  " AND instr(head, (SELECT requester FROM work WHERE id = $1))";

	if (number(sim, tx, sql, before->to, DB_TEXT("your place went to")) == 0 ||
	    number(sim, tx, sql, before->gives, DB_TEXT("you have the place of")) == 0)
		sim_fail(sim, "who_changed_places_is_told", "deployments %" PRId64 " and %" PRId64,
		    before->gives, before->to);
}

/* Of a request of the same kind behind it, and of another person. */
static bool
may_be_given(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	int64_t mine = place_before(before, before->gives);

	return mine != 0 && mine < place_before(before, before->to) &&
	    number(sim, tx,
		"SELECT COUNT(*) FROM work a JOIN work b ON b.environment = a.environment"
		" AND b.program = a.program AND b.requested_by <> a.requested_by"
		" WHERE a.id = $1 AND b.id = $2 AND a.cause = 'chat' AND b.cause = 'chat'",
		before->gives, DB_I64(before->to)) == 1;
}

/* Q6: places are exchanged by who gives theirs away, and by nothing else. */
static void
a_hand_over_exchanges_two_places(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	bool is_given = may_be_given(sim, tx, before);

	for (size_t i = 0; i < before->n_places; i++) {
		int64_t work = before->places[i].work, want = before->places[i].place;

		if (is_given && (work == before->gives || work == before->to))
			want = place_before(
			    before, work == before->gives ? before->to : before->gives);
		if (number(sim, tx, "SELECT COUNT(*) FROM work WHERE id = $1 AND place = $2", work,
			DB_I64(want)) != 1)
			sim_fail(
			    sim, __func__, "deployment %" PRId64 " is not at %" PRId64, work, want);
	}
	if (!is_given)
		return;
	both_are_told(sim, tx, before);
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
	whoever_leaves_is_gone_and_told(sim, tx, before);
	a_hand_over_exchanges_two_places(sim, tx, before);
	if (before->is_any_guarded)
		fingerprints(sim, tx, now);
	for (int e = 0; e < sim->n_environments; e++)
		if (before->is_guarded[e] && now[e] != before->of[e])
			sim_fail(sim, "nobody_acts_without_a_role",
			    "update %" PRId64 " of %" PRId64 " changed %s (%s)",
			    tx->event->u.update->id, tx->event->u.update->person,
			    sim_environments[e], before->why);
}
