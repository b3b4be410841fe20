/* sim_told.c - who may act is asked or told, nobody else, and what is over is pressed nowhere.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Who could act is known here by the simulator's own tables, not by decide/tell/decide_whom.c.
 * Which messages show which work is noted when they appear: rows forget it when the work ends.
 */
#include "tests/sim/sim_inside.h"

#include "types/request.h"

static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_CONTRACTOR, SIM_LEAD,
	SIM_SECOND, SIM_STRANGER, SIM_BEARER };

static int64_t
number(struct sim *sim, struct tx *tx, const char *sql, int64_t a, int64_t b)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, tx->db, &err, sql, DB_I64(a), DB_I64(b)), &err);
	return n;
}

static bool
could_act(struct tx *tx, int64_t person, int environment)
{
	const struct settings *settings = tx->event->context.settings;

	return sim_settings_role(settings, person, environment, tx->at) != SIM_NOBODY ||
	    sim_settings_may_approve(settings, person, environment, tx->at);
}

/* Telegram has said that it sends them nothing. */
static bool
is_refused(struct sim *sim, struct tx *tx, int64_t person)
{
	return number(sim, tx,
		   "SELECT COALESCE(MAX(refused_at), 0) FROM private_chat WHERE person = $1"
		   " AND $2 = 0",
		   person, 0) != 0;
}

/* --- which messages are of which work --- */

static struct sim_told *
find_told(struct sim *sim, int64_t work, int64_t message)
{
	for (size_t i = 0; i < sim->n_told; i++)
		if (sim->told[i].work == work && sim->told[i].message == message)
			return &sim->told[i];
	return NULL;
}

/* Whoever did not ask for it, and is told of it in private, could do something about it. */
static void
note(struct sim *sim, struct tx *tx, const struct sim_told *told)
{
	struct sim_told *before = find_told(sim, told->work, told->message);

	if (before != NULL) {
		before->is_batch |= told->is_batch;
		return;
	}
	assert(sim->n_told < COUNT(sim->told));
	sim->told[sim->n_told++] = *told;
	if (told->chat <= 0)
		return;
	sim_note(sim, SIM_TOLD_PRIVATELY);
	/* Whoever pushed it, or began its run, has asked for it. */
	if (!could_act(tx, told->chat, told->environment) &&
	    !sim_approvals_has_asked(sim, told->work, told->chat))
		sim_fail(sim, "who_could_do_nothing_is_told_nothing",
		    "%" PRId64 " of deployment %" PRId64, told->chat, told->work);
}

static void
note_shown(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT s.work, s.message, m.chat, w.environment, s.why = 'batch' FROM work_shown s"
		" JOIN message m ON m.id = s.message JOIN work w ON w.id = s.work"
		" WHERE s.why IN ('approver', 'team', 'batch') AND w.client = ''"),
	    &err);
	while (db_next(&rows))
		note(sim, tx,
		    &(struct sim_told){ .work = db_col_i64(&rows, 0),
			.message = db_col_i64(&rows, 1),
			.chat = db_col_i64(&rows, 2),
			.environment = sim_environment(db_col_text(&rows, 3)),
			.is_batch = db_col_i64(&rows, 4) != 0 });
}

/* Once for each: what follows in the same moment may be decided with other settings. */
static bool
is_checked(struct sim *sim, int64_t work, int64_t at)
{
	for (size_t i = sim->n_told_checks; i > 0; i--)
		if (sim->told_checks[i - 1].work == work && sim->told_checks[i - 1].at == at)
			return true;
	assert(sim->n_told_checks < COUNT(sim->told_checks));
	sim->told_checks[sim->n_told_checks++] = (struct sim_told_check){ work, at };
	return false;
}

/* --- asked --- */

/* Messages in that person's own chat in which they can approve it. */
static int64_t
count_asked(struct sim *sim, struct tx *tx, int64_t work, int64_t person)
{
	return number(sim, tx,
	    "SELECT COUNT(*) FROM message m, work w WHERE w.id = $1 AND m.chat = $2"
	    " AND instr(m.buttons, 'Approve ') > 0 AND (m.id = w.message OR m.id = w.also_message"
	    " OR m.id IN (SELECT message FROM work_shown WHERE work = $1 AND why <> 'line')"
	    /* Which a user of the machine was asked in, who had asked for the same. */
	    " OR m.id IN (SELECT message FROM question_requester WHERE deployment = $1))",
	    work, person);
}

/* Nobody is sent what they cannot answer; what stands in their chat becomes the question. */
static bool
has_code(struct sim *sim, struct tx *tx, int64_t person, int environment)
{
	return !sim_settings_needs_code(tx->event->context.settings, "approve", "", environment) ||
	    number(sim, tx, "SELECT COUNT(*) FROM factor WHERE person = $1 AND enrolled_at <> $2",
		person, 0) > 0;
}

static void
check_asked(struct sim *sim, struct tx *tx, int64_t work, int environment, int64_t confirmed_by)
{
	const struct settings *settings = tx->event->context.settings;

	for (size_t i = 0; i < COUNT(people); i++) {
		bool may = confirmed_by != people[i] &&
		    !sim_approvals_has_asked(sim, work, people[i]) &&
		    number(sim, tx, /* it was asked about already; since a moment ago */
			"SELECT COUNT(*) FROM question_requester WHERE deployment = $1"
			" AND person = $2",
			work, people[i]) == 0 &&
		    number(sim, tx, /* theirs still counts, and others are asked too */
			"SELECT COUNT(*) FROM approval WHERE work = $1 AND person = $2"
			" AND voided_at = 0",
			work, people[i]) == 0 &&
		    sim_settings_may_approve(settings, people[i], environment, tx->at);
		int64_t n = count_asked(sim, tx, work, people[i]);

		if (may && n != 1 && !is_refused(sim, tx, people[i]) &&
		    (n > 0 || has_code(sim, tx, people[i], environment)))
			sim_fail(sim, "each_who_may_approve_is_asked_once",
			    "%" PRId64 " of deployment %" PRId64 ": %" PRId64, people[i], work, n);
		if (!may && n > 0)
			sim_fail(sim, "nobody_else_is_asked", "%" PRId64 " of deployment %" PRId64,
			    people[i], work);
		if (n > 0)
			sim_note(sim, SIM_ASKED_PRIVATELY);
	}
}

static void
check_all_asked(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT w.id, w.environment, w.confirmed_by FROM work w JOIN approval_request r"
		" ON r.work = w.id WHERE w.state = 'AWAITING_APPROVAL' AND r.asked_at = $1"
		" AND r.is_reminded = 0 AND w.client = ''",
		DB_I64(tx->at)),
	    &err);
	while (db_next(&rows))
		if (!is_checked(sim, db_col_i64(&rows, 0), tx->at))
			check_asked(sim, tx, db_col_i64(&rows, 0),
			    sim_environment(db_col_text(&rows, 1)), db_col_i64(&rows, 2));
}

/* --- ended --- */

static void
nothing_of_it_can_be_pressed(struct sim *sim, struct tx *tx, int64_t work)
{
	const struct request about = request_about("", "work", work);
	int64_t n = 0;
	struct err err;

	for (size_t i = 0; i < sim->n_told; i++) {
		if (sim->told[i].work != work)
			continue;
		sim_check_must(sim,
		    db_one_i64(&n, tx->db, &err,
			"SELECT COUNT(*) FROM message m JOIN button b ON b.target = $2"
			" AND instr(m.buttons, b.id) > 0 WHERE m.id = $1 AND b.action IN"
			" ('confirm', 'approve', 'reject', 'unapprove', 'newest', 'cancel')",
			DB_I64(sim->told[i].message), DB_TEXT(about.target)),
		    &err);
		if (n > 0)
			sim_fail(sim, "after_the_end_no_copy_has_an_open_button",
			    "deployment %" PRId64 ", message %" PRId64, work, sim->told[i].message);
	}
}

/* Of what failed, where there is no group, in their own chat: in the work's own message, in one
 * that rings now, or in one that told them of it before and was not closed for a later one. That it
 * has begun was said to who asked alone. */
static void
all_who_could_act_are_told(struct sim *sim, struct tx *tx, int64_t work, int environment)
{
	for (size_t i = 0; i < COUNT(people); i++) {
		int64_t n = number(sim, tx,
		    "SELECT COUNT(*) FROM message m, work w WHERE w.id = $1 AND m.chat = $2"
		    " AND (m.id = w.message OR (m.rings_for = w.id AND m.at = w.ended_at))",
		    work, people[i]);

		for (size_t k = 0; k < sim->n_told; k++)
			if (sim->told[k].work == work && sim->told[k].chat == people[i] &&
			    !sim->told[k].is_batch)
				n += number(sim, tx,
				    "SELECT COUNT(*) FROM message m, work w WHERE m.id = $1"
				    " AND w.id = $2 AND m.id <> w.message"
				    " AND m.head NOT LIKE '⛔ Closed: %'"
				    " AND NOT (m.rings_for = w.id AND m.at = w.ended_at)",
				    sim->told[k].message, work);
		if (could_act(tx, people[i], environment) && n == 0 &&
		    !is_refused(sim, tx, people[i]))
			sim_fail(sim, "all_who_could_act_are_told_that_it_failed",
			    "%" PRId64 " of deployment %" PRId64, people[i], work);
		if (n > 1)
			sim_fail(sim, "nobody_is_told_twice", "%" PRId64 " of deployment %" PRId64,
			    people[i], work);
	}
}

static void
check_ended(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment, state IN ('FAILED', 'ROLLED_BACK', 'ROLLBACK_FAILED')"
		" AND why <> 'CANCELLED' AND program <> 'action' FROM work"
		" WHERE ended_at = $1 AND ended_at <> 0",
		DB_I64(tx->at)),
	    &err);
	while (db_next(&rows)) {
		if (is_checked(sim, db_col_i64(&rows, 0), 0))
			continue;
		nothing_of_it_can_be_pressed(sim, tx, db_col_i64(&rows, 0));
		if (db_col_i64(&rows, 2) != 0 &&
		    !sim_settings_has_group(tx->event->context.settings) &&
		    settings_environment(tx->event->context.settings, db_col_text(&rows, 1)) !=
			NULL)
			all_who_could_act_are_told(
			    sim, tx, db_col_i64(&rows, 0), sim_environment(db_col_text(&rows, 1)));
	}
}

void
sim_told_after(struct sim *sim, struct tx *tx)
{
	if (tx->failed || tx->event->context.settings == NULL)
		return;
	note_shown(sim, tx);
	check_all_asked(sim, tx);
	check_ended(sim, tx);
	sim_notify_after(sim, tx);
}

/* --- at rest --- */

/* What stands in the chats: of messages that rows know, for one that a kill had sent twice is not
 * kept up to date. */
void
sim_told_check_rest(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_posts; i++) {
		const struct sim_post *post = &sim->posts[i];

		for (size_t b = 0; b < post->buttons.n && !post->is_deleted &&
		     sim_chat_is_reachable(sim, post->chat);
		     b++) {
			int64_t n = 0;
			struct err err;

			sim_check_must(sim,
			    db_one_i64(&n, sim->eyes, &err,
				"SELECT COUNT(*) FROM button b WHERE b.id = $1 AND b.closed_at <> 0"
				" AND b.action IN ('confirm', 'approve', 'reject', 'unapprove',"
				" 'newest', 'cancel') AND EXISTS (SELECT 1 FROM message m, work w"
				" WHERE m.chat = $2 AND m.remote_id = $3 AND (m.id = w.message"
				" OR m.id = w.also_message))",
				DB_TEXT(post->buttons.at[b].id), DB_I64(post->chat),
				DB_I64(post->remote_id)),
			    &err);
			if (n > 0)
				sim_fail(sim, "at_rest_no_question_stands", "%s in %" PRId64,
				    post->buttons.at[b].label, post->chat);
		}
	}
}
