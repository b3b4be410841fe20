/* sim_nag.c - whoever was rolled back or paused is reminded until somebody has seen it, not for ever.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

#define NAGS_MAX  8
#define A_TURN_MS 5000 /* what was said waits so long for it at most */

static int64_t
number(struct sim *sim, const char *sql, int64_t work)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, sim->eyes, &err, sql, DB_I64(work)), &err);
	return n;
}

static bool
is_wanted_by(const struct settings *settings, int e)
{
	const struct environment_settings *of = settings_environment(settings, sim_environments[e]);

	return of != NULL && of->rollback_nag_minutes > 0;
}

static bool
is_wanted(struct sim *sim, int e)
{
	return is_wanted_by(sim_settings_get(sim->loaded), e);
}

/* Settings that were not wanted in between may have been those of a decision. */
void
sim_nag_reloaded(struct sim *sim)
{
	for (int e = 0; e < sim->n_environments; e++)
		sim->unseen[e].is_wanted &= is_wanted(sim, e);
}

/* What came before newer settings were read is decided with those of then. */
void
sim_nag_after(struct sim *sim, const struct tx *tx)
{
	for (int e = 0; e < sim->n_environments; e++)
		sim->unseen[e].is_wanted &= is_wanted_by(tx->event->context.settings, e);
}

/* --- what people do --- */

static void
somebody_sees(struct sim *sim, int64_t person, UNUSED int64_t b)
{
	(void)sim_chat_press_anywhere(sim, person, "👀 Seen");
}

/* Mostly before the last reminder. */
static void
plan_a_look(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_STRANGER };

	for (int i = 0; i < 3; i++)
		if (!sim_one_in(sim, 3))
			sim_later(sim, 0, sim_delay(sim, 1000, 4 * 3600000), somebody_sees,
			    people[sim_draw(sim, COUNT(people))], 0);
}

/* --- after every commit --- */

static bool
is_seen(struct sim *sim, int64_t work)
{
	return number(sim,
		   "SELECT COUNT(*) FROM audit WHERE action = 'rollback_seen'"
		   " AND deployment = $1",
		   work) > 0;
}

/* Each host that it failed on runs it since, or has left? */
static bool
is_on_each_host(struct sim *sim, int64_t work)
{
	return number(sim,
		   "SELECT COUNT(*) FROM work w WHERE w.id = $1 AND w.state = 'LIVE'"
		   " AND NOT EXISTS (SELECT 1 FROM host h WHERE h.environment = w.environment"
		   " AND h.left_at = 0 AND (h.state = 'unknown' OR (h.state = 'failed'"
		   " AND (h.release <> w.commit_id OR h.plan = w.id))))",
		   work) > 0;
}

/* In one turn another one was paused, which took its place, and somebody ended that. */
static bool
was_replaced(struct sim *sim, int64_t work)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM work w JOIN work b ON b.environment = w.environment"
		" WHERE b.id = $1 AND w.id > b.id AND w.waves > 0 AND w.started_at <> 0"
		" AND w.why = 'CANCELLED' AND w.ended_at >= $2",
		DB_I64(work), DB_I64(sim->now - A_TURN_MS)),
	    &err);
	return n > 0;
}

/* What was not seen is so no more: somebody pressed, a release is live, it is paused no more, it
 * is on each of its hosts, or nobody wants it. */
static void
it_was_ended(struct sim *sim, int e, const struct sim_unseen *before, const struct sim_unseen *now)
{
	if (is_seen(sim, before->work))
		sim_note(sim, SIM_SEEN);
	else if (before->paused == before->work && now->paused != before->work)
		return;
	else if (before->release == now->release && before->is_wanted && is_wanted(sim, e) &&
	    !is_on_each_host(sim, before->work) && !was_replaced(sim, before->work))
		sim_fail(sim, "whoever_was_rolled_back_is_reminded_until_seen",
		    "deployment %" PRId64 " of %s", before->work, sim_environments[e]);
}

static void
it_goes_on(struct sim *sim, int e, const struct sim_unseen *before, const struct sim_unseen *now)
{
	if (now->n_nags > NAGS_MAX)
		sim_fail(sim, "reminders_end", "deployment %" PRId64, now->work);
	if (now->n_nags < NAGS_MAX &&
	    number(sim,
		"SELECT COUNT(*) FROM effect WHERE kind = 'wait' AND body ->> 'wait' = 'nag'"
		" AND body ->> 'name' = CAST($1 AS TEXT)",
		now->work) == 0)
		sim_fail(sim, "whoever_was_rolled_back_is_reminded_until_seen",
		    "deployment %" PRId64 " waits for no reminder", now->work);
	if (before->work == now->work && before->release != now->release)
		sim_fail(sim, "nobody_is_reminded_after_a_newer_live_release",
		    "deployment %" PRId64 " of %s", now->work, sim_environments[e]);
	/* One that cannot be rolled back is given up as DOWN, of which they are reminded next. */
	if (before->work == now->work && before->paused == now->work && now->paused != now->work &&
	    number(sim, "SELECT COUNT(*) FROM work WHERE id = $1 AND ended_at = 0", now->work) > 0)
		sim_fail(sim, "nobody_is_reminded_of_what_is_paused_no_more",
		    "deployment %" PRId64 " of %s", now->work, sim_environments[e]);
	if (before->work == now->work && now->n_nags > before->n_nags)
		sim_note(sim, now->paused == now->work ? SIM_PAUSE_NAGGED : SIM_NAGGED);
	if (before->work != now->work)
		plan_a_look(sim);
}

static void
take_row(struct sim *sim, const struct db_rows *row)
{
	int e = sim_environment(db_col_text(row, 0));
	const struct sim_unseen before = sim->unseen[e];
	struct sim_unseen now = {
		.work = db_col_i64(row, 1),
		.n_nags = db_col_i64(row, 2),
		.release = db_col_i64(row, 3),
		.is_wanted = is_wanted(sim, e),
		.was_wanted = before.is_wanted,
		.paused = db_col_i64(row, 4),
	};

	if (now.paused != before.paused && now.paused != 0 && now.is_wanted && now.was_wanted &&
	    now.work != now.paused && !is_seen(sim, now.paused))
		sim_fail(sim, "whoever_pauses_is_reminded_until_seen",
		    "deployment %" PRId64 " is paused", now.paused);
	if (now.work != 0)
		it_goes_on(sim, e, &before, &now);
	else if (before.work != 0)
		it_was_ended(sim, e, &before, &now);
	sim->unseen[e] = now;
}

void
sim_nag_check(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT name, unseen_work, n_nags, current_release, (SELECT COALESCE(MAX(w.id), 0)"
		" FROM work w WHERE w.environment = e.name AND w.state = 'PAUSED')"
		" FROM environment e"),
	    &err);
	while (db_next(&rows))
		take_row(sim, &rows);
}

void
sim_nag_check_end(struct sim *sim, int64_t work, enum deploy_state state, const char *environment)
{
	int e = sim_environment(environment);

	if ((state == DEPLOY_ROLLED_BACK || state == DEPLOY_ROLLBACK_FAILED) && is_wanted(sim, e) &&
	    sim->unseen[e].was_wanted && sim->unseen[e].work != work &&
	    number(sim,
		"SELECT why <> 'CANCELLED' OR state <> 'ROLLED_BACK' FROM work WHERE id = $1",
		work) != 0)
		sim_fail(sim, "whoever_was_rolled_back_is_reminded_until_seen",
		    "deployment %" PRId64 " has ended", work);
}
