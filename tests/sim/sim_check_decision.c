/* sim_check_decision.c - what holds around each decision, seen in its transaction.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/list.h"
#include "store/row_button.h"
#include "tests/sim/sim_inside.h"

/* Everything that the deployments of each environment are, as a number. */
static void
fingerprints(struct sim *sim, struct tx *tx, uint64_t ret[SIM_ENVIRONMENTS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	for (int e = 0; e < SIM_ENVIRONMENTS; e++)
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
	int64_t work = request_number(&button.request, "work"), requested_by = 0;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	enum sim_role role;
	bool is_confirming, is_leaving, is_place;
	struct err err;
	int environment;

	if (button.id[0] == '\0')
		return true;
	if (strcmp(button.request.action, "do") == 0 ||
	    strcmp(button.request.action, "abandon") == 0)
		return button.person != update->person;
	if (strcmp(button.request.action, "unlock") == 0) /* its owner's too, who was asked */
		return button.chat != update->address.chat || !button.is_open ||
		    (button.person != update->person &&
			sim_settings_role(settings, update->person,
			    sim_environment(button.request.target), tx->at) != SIM_MAY_ALL);
	if (button.is_once && work == 0) /* of several names, or what was meant */
		return button.chat != update->address.chat || !button.is_open ||
		    button.person != update->person;
	if (list_has("looked,rollback,pause,resume", button.request.action))
		return button.chat != update->address.chat || !button.is_open ||
		    sim_settings_role(settings, update->person,
			sim_environment(button.request.target), tx->at) != SIM_MAY_ALL;
	if (strcmp(button.request.action, "deploy") == 0) /* what failed, once more */
		return button.chat != update->address.chat || !button.is_open ||
		    sim_settings_role(settings, update->person,
			sim_environment(button.request.target), tx->at) < SIM_MAY_DEPLOY;
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
list_confirmed(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, confirmed_by FROM work WHERE ended_at = 0 AND confirmed_by <> 0 LIMIT $1",
		DB_I64(COUNT(ret->confirmed))),
	    &err);
	while (db_next(&rows))
		ret->confirmed[ret->n_confirmed++] =
		    (struct sim_asked){ db_col_i64(&rows, 0), db_col_i64(&rows, 1) };
}

int64_t
sim_before_confirmer(const struct sim_before *before, int64_t work)
{
	for (size_t i = 0; i < before->n_confirmed; i++)
		if (before->confirmed[i].work == work)
			return before->confirmed[i].person;
	return 0;
}

static void
find_active(struct sim *sim, struct tx *tx, int64_t ret[SIM_DEPLOYMENTS])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, started_at FROM work WHERE started_at <> 0 AND ended_at = 0"),
	    &err);
	while (db_next(&rows))
		ret[db_col_i64(&rows, 0)] = db_col_i64(&rows, 1);
}

/* It was decided on, with the settings of then, and came once more. */
static bool
is_known(struct sim *sim, struct tx *tx, const struct update *update)
{
	struct err err;
	char id[24];
	int64_t n;

	(void)snprintf(id, sizeof(id), "%" PRId64, update->id);
	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM inbox WHERE source = 'telegram' AND id = $1", DB_TEXT(id)),
	    &err);
	return n > 0;
}

/* A place is its owner's who sees the queue, whatever else they may do by now. */
static bool
is_guarded(struct sim *sim, struct tx *tx, const struct sim_before *before, int environment)
{
	if ((before->is_by_recovery && before->has_code) || /* their approvals are withdrawn */
	    sim_jobs_may(sim, tx->event, environment))
		return false;
	if (before->says != SIM_SAYS_NOTHING)
		return before->says_of.environment != environment ||
		    !sim_approvals_may(sim, tx, before);
	if (sim_loans_may_end(sim, tx, before->said, environment))
		return false;
	return before->place_in != environment + 1 &&
	    sim_settings_role(tx->event->context.settings, before->said->person, environment,
		tx->at) == SIM_NOBODY;
}

/* More presses than ROLE_RATE_LIMIT lets pass: a clock that was set back empties the bucket. */
static bool
has_no_press_left(struct sim *sim, struct tx *tx, int64_t person)
{
	int64_t a_minute = tx->event->context.settings->role_rate_limit, burst = 20, full_at;
	int64_t every_ms = 60 * 1000 / (a_minute == 0 ? 1 : a_minute);
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&full_at, tx->db, &err,
		"SELECT coalesce(max(full_at), 0) FROM bucket WHERE who = 'presses:' || $1",
		DB_I64(person)),
	    &err);
	return a_minute != 0 && full_at + every_ms > tx->at + burst * every_ms;
}

/* Who looks changes nothing, and a question is answered by who asked, or by an admin. */
static const char *
why_nothing_of_it(struct tx *tx, const struct api_request *api)
{
	int64_t work = request_number(&api->request, "work");
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	if (!api_is_post(api->operation))
		return "a view";
	if (api->operation != API_ANSWER)
		return NULL;
	if (!db_query(&rows, tx->db, &err,
		"SELECT environment, requested_by FROM work WHERE id = $1", DB_I64(work)) ||
	    !db_next(&rows))
		return "no such work";
	return db_col_i64(&rows, 1) == api->from.person ||
		row_button_is_requester(tx, work, api->from.person) ||
		sim_settings_role(tx->event->context.settings, api->from.person,
		    sim_environment(db_col_text(&rows, 0)), tx->at) == SIM_MAY_ALL ?
	    NULL :
	    "not their question";
}

void
sim_check_remember(struct sim *sim)
{
	struct sim_memory *memory = &sim->committed;
	int64_t last;
	struct err err;

	sim_check_must(
	    sim, db_one_i64(&last, sim->eyes, &err, "SELECT COALESCE(MAX(id), 0) FROM work"), &err);
	sim_blocks_remember(sim);
	memory->n_asked = sim->n_asked;
	memory->n_yes = sim->n_yes;
	memory->n_spent = sim->n_spent;
	memory->n_told = sim->n_told;
	memory->n_told_checks = sim->n_told_checks;
	memory->n_works = (size_t)last + 1;
	memcpy(memory->works, sim->works, memory->n_works * sizeof(sim->works[0]));
}

void
sim_check_forget(struct sim *sim)
{
	const struct sim_memory *memory = &sim->committed;

	sim_blocks_forget(sim);
	sim->n_asked = memory->n_asked;
	sim->n_yes = memory->n_yes;
	sim->n_spent = memory->n_spent;
	sim->n_told = memory->n_told;
	sim->n_told_checks = memory->n_told_checks;
	memset(sim->works, 0, sizeof(sim->works));
	memcpy(sim->works, memory->works, memory->n_works * sizeof(sim->works[0]));
}

void
sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	const struct api_request *api = tx->event->kind == EVENT_API ? tx->event->u.api : NULL;
	const struct update *update = tx->event->kind == EVENT_UPDATE ? tx->event->u.update : NULL;
	const char *why = NULL;
	bool is_all;

	*ret = (struct sim_before){ .why = "", .said = api != NULL ? &api->from : update };
	sim_factor_before(sim, tx, ret);
	find_active(sim, tx, ret->started_at);
	sim_limits_before(sim, tx, ret);
	sim_approvals_before(sim, tx, ret);
	sim_blocks_before(sim, tx, ret);
	sim_actions_before(sim, tx, ret);
	sim_emergency_before(tx, ret);
	sim_witness_before(sim, tx, ret);
	sim_loans_before(sim, tx, ret);
	if (ret->said == NULL)
		return;
	if (api != NULL && api->job != NULL && sim_jobs_changes(api))
		why = sim_jobs_why_nothing(sim, tx->event);
	else if (api != NULL)
		why = why_nothing_of_it(tx, api);
	else if (ret->said->kind == UPDATE_PRESS && is_not_theirs(tx, ret->said, ret))
		why = "not their button";
	/* A recovery takes back what its sender has approved, whatever the pad was for. */
	is_all = why != NULL && !ret->is_by_recovery;
	if (is_all || (update != NULL && is_known(sim, tx, update)))
		ret->place_in = 0, ret->leaves = 0, ret->gives = 0;
	if (has_no_press_left(sim, tx, ret->said->person))
		ret->leaves = 0, ret->gives = 0;
	ret->why = is_all ? why : "no role";
	for (int e = 0; e < sim->n_environments; e++) {
		ret->is_guarded[e] = is_all || is_guarded(sim, tx, ret, e);
		ret->is_any_guarded |= ret->is_guarded[e];
	}
	if (ret->is_any_guarded)
		fingerprints(sim, tx, ret->of);
	list_places(sim, tx, ret);
	list_confirmed(sim, tx, ret);
}

/* --- what it asks about --- */

/* "/rollback" without a number asks about an earlier release that was not left, and no other. */
static void
a_rollback_goes_back(struct sim *sim, struct tx *tx, const struct update *said, int e)
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
		DB_TEXT(sim_environments[e]), DB_TEXT(said->name), DB_I64(sim->walked[e])),
	    &err);
	if (!db_next(&rows) || sim->is_astray[e] || tx->answer.is_duplicate)
		return; /* what came twice was asked about over what was live then */
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
	bool is_deploy = strcmp(db_col_text(row, 5), "deploy") == 0;
	bool is_gate = strcmp(db_col_text(row, 5), "open-gate") == 0;

	if (strcmp(db_col_text(row, 5), "lend-secret") == 0) {
		sim_loans_check_begun(sim, tx, db_col_i64(row, 0), requester, environment);
		return;
	}
	if (is_gate && by == SIM_WORKFLOW && sim_settings_may_gate(settings, environment))
		return;
	if (by != 0 &&
	    sim_settings_role(settings, by, environment, tx->at) <
		(is_deploy ? SIM_MAY_DEPLOY : SIM_MAY_ALL))
		sim_fail(sim, "nobody_without_a_grant_leads_to_a_run",
		    "deployment %" PRId64 " in %s by %" PRId64, db_col_i64(row, 0),
		    sim_environments[environment], by);
}

/* Q2: two that are released to one folder, whatever the settings say by now. */
static void
nobody_else_holds(struct sim *sim, int64_t id, const int64_t started_at[SIM_DEPLOYMENTS])
{
	for (int64_t other = 0; other < SIM_DEPLOYMENTS && sim->works[id].holds != NULL; other++)
		if (other != id && started_at[other] != 0 && sim->works[other].holds != NULL)
			sim_fail(sim, "no_two_release_to_one_folder",
			    "deployments %" PRId64 " and %" PRId64 " to %s", other, id,
			    sim->works[id].holds);
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
		" AND program <> 'rollback' AND is_read = 0 AND state NOT IN ('BAKING', 'PAUSED')"
		" AND action NOT IN ('open-gate', 'run-pipeline')") &&
		db_one_i64(&its, tx->db, &err,
		    "SELECT COUNT(*) FROM work WHERE started_at <> 0 AND ended_at = 0 AND program"
		    " <> 'rollback' AND is_read = 0 AND action NOT IN ('open-gate', 'run-pipeline')"
		    " AND state NOT IN ('BAKING', 'PAUSED')"
		    " AND application = (SELECT application FROM work WHERE id = $1)",
		    DB_I64(id)),
	    &err);
	if (all > settings->runs_max || its > settings->application_runs_max)
		sim_fail(sim, __func__, "deployment %" PRId64 " is one of %" PRId64 ", %" PRId64,
		    id, all, its);
	if (all == settings->runs_max)
		sim_note(sim, SIM_NO_SLOT_LEFT);
}

/* What is new, and what has come to its end. */
static void
check_asked(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id FROM work WHERE id > $1 AND cause NOT IN ('push', 'poll', 'job') AND program = 'deploy'",
		DB_I64(before->last_work)),
	    &err);
	while (db_next(&rows)) {
		sim_limits_check_asked(sim, tx, db_col_i64(&rows, 0));
		sim_locks_check_asked(sim, tx, db_col_i64(&rows, 0));
	}
}

static void
check_beginnings(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t started_at[SIM_DEPLOYMENTS] = { 0 };
	bool is_beside;
	struct err err;

	find_active(sim, tx, started_at);
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, requested_by, confirmed_by, cause NOT IN ('push', 'poll', 'job'),"
		" CASE WHEN emergency <> '' THEN 'emergency' WHEN action IN ('open-gate', 'run-pipeline', 'lend-secret') THEN action ELSE program END,"
		" action IN ('run-pipeline', 'lend-secret') FROM work WHERE started_at <> 0 AND ended_at = 0"),
	    &err);
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (before->started_at[id] == started_at[id])
			continue; /* else it began, or once more: by another list */
		is_beside = db_col_i64(&rows, 6) != 0;
		if (!is_beside) /* whose gates wait for what it would hold */
			sim->works[id].holds = sim_settings_folder(
			    tx->event->context.settings, sim_environment(db_col_text(&rows, 1)));
		somebody_may_begin(sim, tx, &rows);
		if (!is_beside && strcmp(db_col_text(&rows, 5), "rollback") != 0 &&
		    strcmp(db_col_text(&rows, 5), "open-gate") != 0)
			it_has_a_slot(sim, tx, id);
		sim_locks_check_begun(sim, tx, id);
		sim_approvals_check_begun(sim, tx, id);
		sim_factor_check_begun(sim, tx, id);
		sim_emergency_check_begun(sim, tx, id);
		sim_barrier_check_begun(sim, tx, id);
		sim_witness_check_begun(sim, tx, id);
		sim_blocks_check_begun(sim, tx, id);
		sim_jobs_check_begun(sim, tx, id);
		sim_rules_check_begun(sim, tx, id);
		sim_ci_check_begun(sim, tx, id);
	}
	for (int64_t id = 0; id < SIM_DEPLOYMENTS; id++)
		if (before->started_at[id] != 0 && started_at[id] == 0) {
			sim->works[id].holds = NULL; /* it may begin once more, elsewhere */
			sim_limits_note_ended(sim, tx, id);
		}
	/* When each that has begun in this decision is where it is now. */
	for (int64_t id = 0; id < SIM_DEPLOYMENTS; id++)
		if (started_at[id] != 0)
			nobody_else_holds(sim, id, started_at);
}

/* Locks and freezes are begun and ended by who may. */
static void
nobody_locks_without_a_grant(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	struct sim_before after;

	if (before->said == NULL ||
	    sim_settings_role(tx->event->context.settings, before->said->person, 0, tx->at) ==
		SIM_MAY_ALL)
		return;
	sim_limits_before(sim, tx, &after);
	if (after.holds != before->holds)
		sim_fail(
		    sim, __func__, "%" PRId64 ": %s", before->said->person, before->said->text);
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

/* Some press more than ROLE_RATE_LIMIT has: what is not looked at says nothing but that. */
static bool
is_too_fast(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	return number(sim, tx,
		   "SELECT COUNT(*) FROM effect WHERE kind = 'toast' AND id > $1 AND instr(body, $2) > 0"
		   " AND instr(body, 'Too many ') = 0",
		   0, DB_TEXT(before->said->callback)) == 0;
}

/* Q5: whoever leaves is gone from the queue, and that is said. */
static void
whoever_leaves_is_gone_and_told(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	bool is_gone = number(sim, tx, "SELECT COUNT(*) FROM work WHERE id = $1 AND state = $2",
			   before->leaves, DB_TEXT("CANCELLED")) == 1;

	if (place_before(before, before->leaves) == 0 || (!is_gone && is_too_fast(sim, tx, before)))
		return;
	if (!is_gone)
		sim_fail(sim, __func__, "deployment %" PRId64 " is not gone", before->leaves);
	if (number(sim, tx,
		"SELECT COUNT(*) FROM effect WHERE kind = 'toast' AND instr(body, $2) > 0"
		" AND instr(body, 'You left the queue: #' || $1) > 0",
		before->leaves, DB_TEXT(tx->event->u.update->callback)) != 1)
		sim_fail(sim, __func__, "nobody says so of deployment %" PRId64, before->leaves);
	sim_note(sim, SIM_PLACE_LEFT);
}

/* Each is told of the other. */
static void
both_are_told(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	static const char sql[] =
	    "SELECT COUNT(*) FROM message WHERE instr(head, $2) > 0 AND instr(head, (SELECT requester FROM work WHERE id = $1)) > 0";

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
		" AND b.program = a.program AND (b.emergency = '') = (a.emergency = '')"
		" AND b.requested_by <> a.requested_by"
		" WHERE a.id = $1 AND b.id = $2 AND a.cause NOT IN ('push', 'poll', 'job') AND b.cause NOT IN ('push', 'poll')",
		before->gives, DB_I64(before->to)) == 1;
}

/* Q6: places are exchanged by who gives theirs away, and by nothing else. */
static void
a_hand_over_exchanges_two_places(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	bool is_given = may_be_given(sim, tx, before) && !is_too_fast(sim, tx, before);

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

/* `go` is said to the run that its deployment waits for, to its drain, and to no other. */
static void
check_go(struct sim *sim, struct tx *tx)
{
	int64_t run = tx->event->u.run_started.run, n;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment"
		" WHERE r.id = $1 AND CASE WHEN r.program = 'drain'"
		" THEN d.state IN ('LIVE', 'ROLLED_BACK') AND r.ended_at = 0"
		" ELSE d.run = r.id AND d.state IN ('RUNNING', 'ROLLING_BACK') END",
		DB_I64(run)),
	    &err);
	if (tx->answer.status == 200 && n != 1)
		sim_fail(sim, "a_gate_opens_for_what_is_awaited", "run %" PRId64, run);
}

/* What the answered question showed; that answer counts until it is asked anew. */
static void
note_confirmed(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, confirmed_by, binding FROM work"
		" WHERE state IN ('AWAITING_CONFIRMATION', 'QUEUED', 'RUNNING')"),
	    &err);
	while (db_next(&rows)) {
		char *list = sim->works[db_col_i64(&rows, 0)].confirmed_list;

		if (db_col_i64(&rows, 1) == 0)
			list[0] = '\0';
		else if (list[0] == '\0')
			(void)text_copy(list, LIMIT_DIGEST, db_col_text(&rows, 2));
	}
}

/* What they ended, where they may, left a slot that work of this environment has begun with. */
static bool
has_begun_with_their_slot(
    struct sim *sim, struct tx *tx, const struct sim_before *before, int environment)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool has_ended = false, has_begun = false;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, started_at, ended_at FROM work WHERE started_at <> 0"),
	    &err);
	while (db_next(&rows)) {
		int of = sim_environment(db_col_text(&rows, 1));
		bool was_active = before->started_at[db_col_i64(&rows, 0)] != 0;
		bool is_active = db_col_i64(&rows, 3) == 0;

		has_ended |= was_active && !is_active && of >= 0 && !before->is_guarded[of];
		has_begun |= !was_active && is_active && of == environment;
	}
	return has_ended && has_begun;
}

/* Its client waits for that.  A flood of strangers gets no answers. */
static void
a_press_is_answered(struct sim *sim, struct tx *tx)
{
	const struct update *said = tx->event->kind == EVENT_UPDATE ? tx->event->u.update : NULL;

	if (said != NULL && said->kind == UPDATE_PRESS && !tx->answer.is_duplicate &&
	    said->refusal == UPDATE_REFUSED_NONE && !tx->is_toasted)
		sim_fail(sim, __func__, "update %" PRId64 " of %" PRId64 " is not", said->id,
		    said->person);
}

void
sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	uint64_t now[SIM_ENVIRONMENTS] = { 0 };

	if (tx->event->kind == EVENT_RUN_STARTED)
		check_go(sim, tx);
	if (!db_in_transaction(tx->db))
		return; /* without memory SQLite undoes the whole batch: it is tried again */
	for (int e = 0; before->said != NULL && e < sim->n_environments; e++) {
		const char *text = before->said->text;
		size_t size = strlen("/rollback ") + strlen(sim_environments[e]);
		char plain[48];

		(void)snprintf(plain, sizeof(plain), "/rollback %s", sim_environments[e]);
		if (strcmp(text, plain) == 0)
			a_rollback_goes_back(sim, tx, before->said, e);
		else if (text_starts(text, plain) && text[size] == ' ')
			sim->is_astray[e] = true; /* by a number, to wherever */
	}
	a_press_is_answered(sim, tx);
	note_confirmed(sim, tx);
	sim_factor_after(sim, tx, before);
	sim_approvals_after(sim, tx, before);
	sim_told_after(sim, tx);
	sim_actions_after(sim, tx, before);
	sim_emergency_after(sim, tx, before);
	sim_barrier_after(sim, tx);
	sim_witness_after(sim, tx, before);
	sim_blocks_after(sim, tx, before);
	sim_nag_after(sim, tx);
	sim_rules_after(sim, tx, before);
	sim_jobs_after(sim, tx, before);
	sim_loans_after(sim, tx, before);
	sim_ci_after(sim, tx, before);
	sim_fleet_after(sim, tx, before);
	check_beginnings(sim, tx, before);
	check_asked(sim, tx, before);
	nobody_locks_without_a_grant(sim, tx, before);
	sim_limits_check_heard(sim, tx, before);
	whoever_leaves_is_gone_and_told(sim, tx, before);
	a_hand_over_exchanges_two_places(sim, tx, before);
	if (before->is_any_guarded)
		fingerprints(sim, tx, now);
	for (int e = 0; before->said != NULL && e < sim->n_environments; e++)
		if (before->is_guarded[e] && now[e] != before->of[e] &&
		    !has_begun_with_their_slot(sim, tx, before, e))
			sim_fail(sim, "nobody_acts_without_a_role",
			    "update %" PRId64 " of %" PRId64 " changed %s (%s)", before->said->id,
			    before->said->person, sim_environments[e], before->why);
}
