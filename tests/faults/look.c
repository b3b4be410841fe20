/* look.c - reads what is committed, through a connection that changes nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/faults/look.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/text.h"

/* Room for one more, zeroed. */
static void *
grow(void *items, size_t *room, size_t n, size_t size)
{
	if (n < *room)
		return items;
	*room = *room == 0 ? 64 : *room * 2;
	items = reallocarray(items, *room, size);
	assert(items != NULL); /* an oracle without memory is none */
	return items;
}

static void
copy_text(const struct db_rows *rows, int column, char *out, size_t room)
{
	const char *text = db_col_text(rows, column);

	(void)text_copy(out, room, text != NULL ? text : "");
}

static void
take_deployment(const struct db_rows *rows, struct look_deployment *d)
{
	*d = (struct look_deployment){
		.id = db_col_i64(rows, 0),
		.state = deploy_flow_parse(db_col_text(rows, 2)),
		.run = db_col_i64(rows, 3),
		.message = db_col_i64(rows, 4),
		.also_message = db_col_i64(rows, 5),
		.target_changed = db_col_i64(rows, 6) != 0,
		.has_urls = db_col_i64(rows, 7) != 0,
		.is_rollback = db_col_i64(rows, 8) != 0,
		.is_action = db_col_i64(rows, 17) != 0,
		.started_at = db_col_i64(rows, 9),
		.ended_at = db_col_i64(rows, 10),
		.is_push = db_col_i64(rows, 13) != 0,
		.is_again = db_col_i64(rows, 14) != 0,
		.shown_blocked = db_col_i64(rows, 15) != 0,
		.is_asked_anew = db_col_i64(rows, 16) != 0,
		.has_migrated = db_col_i64(rows, 18) != 0,
		.is_beside = db_col_i64(rows, 19) != 0,
		.previous_source = commit_source_of(db_col_text(rows, 20)),
	};
	copy_text(rows, 1, d->environment, sizeof(d->environment));
	copy_text(rows, 11, d->commit, sizeof(d->commit));
	copy_text(rows, 12, d->previous, sizeof(d->previous));
	d->class = deploy_flow_class(d->state);
}

static bool
look_at_deployments(struct look *look, struct db *db, int64_t from, struct err *err)
{
	struct db_rows rows = { 0 };

	if (!db_query(&rows, db, err,
		"SELECT id, environment, state, run, message, also_message, is_touched, urls <> '',"
		" program = 'rollback', started_at, ended_at, commit_id, previous,"
		" cause IN ('push', 'poll', 'job'), is_again, (SELECT shown_blocked FROM question q WHERE q.work = work.id), is_asked_anew, program = 'action',"
		" migration <> '', action IN ('run-pipeline', 'lend-secret'), previous_source FROM work"
		" WHERE id >= $1 ORDER BY id",
		DB_I64(from)))
		return false;
	for (look->n = 0; db_next(&rows); look->n++) {
		look->deployments =
		    grow(look->deployments, &look->room, look->n, sizeof(*look->deployments));
		take_deployment(&rows, &look->deployments[look->n]);
	}
	return db_rows_end(&rows, err);
}

static enum effect_kind
kind_of(const char *name)
{
	int kind = 0;

	while (strcmp(effect_name((enum effect_kind)kind), name) != 0)
		kind++;
	return (enum effect_kind)kind;
}

static bool
look_at_effects(struct look *look, struct db *db, struct err *err)
{
	struct db_rows rows = { 0 };

	/* An edit that says how hosts are is waited for by nobody. */
	if (!db_query(&rows, db, err,
		"SELECT id, kind, subject FROM effect"
		" WHERE kind <> 'wait' OR body ->> 'wait' <> 'waves'"))
		return false;
	for (look->n_effects = 0; db_next(&rows); look->n_effects++) {
		look->effects = grow(
		    look->effects, &look->effects_room, look->n_effects, sizeof(*look->effects));
		look->effects[look->n_effects] = (struct look_effect){ db_col_i64(&rows, 0),
			kind_of(db_col_text(&rows, 1)), db_col_i64(&rows, 2) };
	}
	return db_rows_end(&rows, err);
}

static bool
look_at_environments(struct look *look, struct db *db, struct err *err)
{
	struct db_rows rows = { 0 };

	if (!db_query(&rows, db, err,
		"SELECT e.name, e.current_release, r.deployment, r.commit_id, e.is_down,"
		" e.seen_commit, d.urls <> '', e.unknown_since <> 0, r.number, e.polled_commit"
		" FROM environment e"
		" LEFT JOIN release r ON r.id = e.current_release"
		" LEFT JOIN work d ON d.id = r.deployment ORDER BY e.name"))
		return false;
	for (look->n_environments = 0; db_next(&rows);) {
		struct look_environment *e = &look->environments[look->n_environments++];

		assert(look->n_environments <= LOOK_ENVIRONMENTS);
		copy_text(&rows, 0, e->name, sizeof(e->name));
		e->release = db_col_i64(&rows, 1);
		e->deployment = db_col_i64(&rows, 2);
		copy_text(&rows, 3, e->commit, sizeof(e->commit));
		e->is_down = db_col_i64(&rows, 4) != 0;
		copy_text(&rows, 5, e->seen, sizeof(e->seen));
		e->has_urls = db_col_i64(&rows, 6) != 0;
		e->is_unknown = db_col_i64(&rows, 7) != 0;
		e->number = db_col_i64(&rows, 8);
		copy_text(&rows, 9, e->polled, sizeof(e->polled));
	}
	return db_rows_end(&rows, err);
}

bool
look_at(struct look *look, struct db *db, int64_t from, struct err *err)
{
	return look_at_deployments(look, db, from, err) && look_at_effects(look, db, err) &&
	    look_at_environments(look, db, err);
}

void
look_done(struct look *look)
{
	free(look->deployments);
	free(look->effects);
	*look = (struct look){ 0 };
}

const struct look_environment *
look_environment(const struct look *look, const char *name)
{
	static const struct look_environment none;
	const struct look_environment *found = look->environments;
	size_t n = look->n_environments;

	while (n > 0) { /* they stand in the order of their names */
		int order = strcmp(name, found[n / 2].name);

		if (order == 0)
			return &found[n / 2];
		found += order > 0 ? n / 2 + 1 : 0;
		n = order > 0 ? n - n / 2 - 1 : n / 2;
	}
	return &none;
}

const struct look_deployment *
look_active(const struct look *look, const char *environment)
{
	for (size_t i = 0; i < look->n; i++)
		if (look->deployments[i].class == DEPLOY_CLASS_ACTIVE &&
		    !look->deployments[i].is_beside &&
		    strcmp(look->deployments[i].environment, environment) == 0)
			return &look->deployments[i];
	return NULL;
}

int64_t
look_effects(const struct look *look, enum effect_kind kind, int64_t subject)
{
	int64_t n = 0;

	for (size_t i = 0; i < look->n_effects; i++)
		n += look->effects[i].kind == kind && look->effects[i].subject == subject;
	return n;
}
