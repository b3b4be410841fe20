/* sim_look.c - reads what is committed, through a connection of its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_look.h"

void
sim_look_must(struct sim *sim, bool ok, const struct err *err)
{
	if (!ok)
		sim_fail(sim, "the_oracle_can_look", "%s", err->text);
}

void
sim_look_text(const struct db_rows *rows, int column, char *out, size_t room)
{
	const char *text = db_col_text(rows, column);

	(void)text_copy(out, room, text != NULL ? text : "");
}

static void
look_at_deployment(const struct db_rows *rows, struct sim_seen_deployment *d)
{
	*d = (struct sim_seen_deployment){
		.id = db_col_i64(rows, 0),
		.environment = sim_environment(db_col_text(rows, 1)),
		.state = deploy_flow_parse(db_col_text(rows, 2)),
		.run = db_col_i64(rows, 3),
		.message = db_col_i64(rows, 4),
		.also_message = db_col_i64(rows, 5),
		.is_touched = db_col_i64(rows, 6) != 0,
		.has_urls = db_col_i64(rows, 7) != 0,
		.is_rollback = db_col_i64(rows, 8) != 0,
		.started_at = db_col_i64(rows, 9),
		.ended_at = db_col_i64(rows, 10),
	};
	sim_look_text(rows, 11, d->commit, sizeof(d->commit));
	sim_look_text(rows, 12, d->previous, sizeof(d->previous));
	d->class = deploy_flow_class(d->state);
}

static void
look_at_deployments(struct sim *sim, int64_t from, struct sim_seen *seen)
{
	struct db_rows rows = { 0 };
	struct err err;

	sim_look_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT id, environment, state, run, message, also_message, is_touched, urls <> '',"
		" program = 'rollback', started_at, ended_at, commit_id, previous FROM deployment"
		" WHERE id >= $1 ORDER BY id",
		DB_I64(from)),
	    &err);
	for (seen->n = 0; db_next(&rows);) {
		assert(seen->n < SIM_ROWS);
		look_at_deployment(&rows, &seen->deployments[seen->n++]);
	}
	sim_look_must(sim, db_rows_end(&rows, &err), &err);
}

static enum effect_kind
kind_of(const char *name)
{
	int kind = 0;

	while (strcmp(effect_name((enum effect_kind)kind), name) != 0)
		kind++;
	return (enum effect_kind)kind;
}

static void
look_at_effects(struct sim *sim, struct sim_seen *seen)
{
	struct db_rows rows = { 0 };
	struct err err;

	sim_look_must(
	    sim, db_query(&rows, sim->eyes, &err, "SELECT id, kind, subject FROM effect"), &err);
	for (seen->n_effects = 0; db_next(&rows); seen->n_effects++) {
		assert(seen->n_effects < SIM_ROWS);
		seen->effects[seen->n_effects] = (struct sim_seen_effect){ db_col_i64(&rows, 0),
			kind_of(db_col_text(&rows, 1)), db_col_i64(&rows, 2) };
	}
	sim_look_must(sim, db_rows_end(&rows, &err), &err);
}

static void
look_at_environments(struct sim *sim, struct sim_seen *seen)
{
	struct db_rows rows = { 0 };
	struct err err;

	memset(seen->environments, 0, sizeof(seen->environments));
	sim_look_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT e.name, e.current_release, r.deployment, r.commit_id, e.is_down,"
		" e.seen_commit, d.urls <> '' FROM environment e"
		" LEFT JOIN release r ON r.id = e.current_release"
		" LEFT JOIN deployment d ON d.id = r.deployment"),
	    &err);
	while (db_next(&rows)) {
		struct sim_seen_environment *e =
		    &seen->environments[sim_environment(db_col_text(&rows, 0))];

		e->release = db_col_i64(&rows, 1);
		e->deployment = db_col_i64(&rows, 2);
		sim_look_text(&rows, 3, e->commit, sizeof(e->commit));
		e->has_urls = db_col_i64(&rows, 6) != 0;
		e->is_down = db_col_i64(&rows, 4) != 0;
		sim_look_text(&rows, 5, e->seen, sizeof(e->seen));
	}
	sim_look_must(sim, db_rows_end(&rows, &err), &err);
}

void
sim_look(struct sim *sim, int64_t from, struct sim_seen *seen)
{
	look_at_deployments(sim, from, seen);
	look_at_effects(sim, seen);
	look_at_environments(sim, seen);
}

int64_t
sim_look_number_values(
    struct sim *sim, const char *sql, const struct db_value values[], size_t count)
{
	struct err err;
	int64_t n;

	sim_look_must(sim, db_one_i64_values(&n, sim->eyes, &err, sql, values, count), &err);
	return n;
}
