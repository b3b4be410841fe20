/* sim_barrier.c - nothing is rolled back past what the repository forbids, but by who asked for that.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

/* Rows of work, what was live before it, its commit: is one of them past a barrier?  0: none is. */
static int64_t
find_barrier(struct sim *sim, struct tx *tx, const char *sql, int64_t work)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t found = 0;
	struct err err;

	sim_check_must(sim, db_query(&rows, tx->db, &err, sql, DB_I64(work)), &err);
	while (db_next(&rows) && found == 0) {
		int64_t id = db_col_i64(&rows, 0);

		/* Of what git did not show nobody knows, who had it begin all the same. */
		if (!sim->works[id].is_lost && !sim->works[id].is_away &&
		    sim_forge_is_barrier(sim, sim_forge_index(sim, db_col_text(&rows, 1)),
			sim_forge_index(sim, db_col_text(&rows, 2))))
			found = id;
	}
	return found;
}

static int64_t
count(struct sim *sim, struct tx *tx, const char *sql, int64_t work)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, tx->db, &err, sql, DB_I64(work)), &err);
	return n;
}

/* A person's, by what went live since the release that it goes to, over what. */
void
sim_barrier_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	int64_t past = find_barrier(sim, tx,
	    "SELECT o.deployment, COALESCE((SELECT p.commit_id FROM release p"
	    "  WHERE p.environment = o.environment AND p.id < o.id ORDER BY p.id DESC LIMIT 1), ''),"
	    " o.commit_id FROM work d JOIN release t ON t.id = d.to_release"
	    " JOIN environment e ON e.name = d.environment"
	    " JOIN release c ON c.id = e.current_release AND c.origin >= t.origin"
	    " JOIN release r ON r.environment = d.environment AND r.id > t.id AND r.id <= c.id"
	    " JOIN release o ON o.id = r.origin WHERE d.id = $1 AND d.program = 'rollback'",
	    work);

	if (past != 0 &&
	    count(sim, tx, "SELECT is_past_barrier FROM work WHERE id = $1", work) == 0)
		sim_fail(sim, "nothing_is_rolled_back_past_a_barrier",
		    "work %" PRId64 " past that of %" PRId64, work, past);
}

/* deploybot's own, after each decision. */
void
sim_barrier_after(struct sim *sim, struct tx *tx)
{
	int64_t past = find_barrier(sim, tx,
	    "SELECT d.id, r.commit_id, d.commit_id FROM work d"
	    " JOIN environment e ON e.name = d.environment JOIN release r ON r.id = e.current_release"
	    " WHERE d.program = 'deploy' AND d.state IN ('ROLLING_BACK', 'VERIFYING_ROLLBACK')"
	    " AND $1 = 0",
	    0);

	if (past != 0)
		sim_fail(sim, "nothing_is_rolled_back_past_a_barrier",
		    "deployment %" PRId64 " by itself", past);
	if (!sim->was_barred &&
	    count(sim, tx,
		"SELECT COUNT(*) FROM work WHERE program = 'deploy' AND state = 'FAILED'"
		" AND barrier <> '' AND is_touched = 1 AND $1 = 0",
		0) > 0) {
		sim->was_barred = true;
		sim_note(sim, SIM_BARRED);
	}
}
