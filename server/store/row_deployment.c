/* row_deployment.c - deployments, their runs and the steps of these.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_deployment.h"

#include <string.h>

#include "store/store_inside.h"

static const char *const programs[] = {
	[PROGRAM_DEPLOY] = "deploy",
	[PROGRAM_ROLLBACK] = "rollback",
};
static const char *const causes[] = {
#define T(name, word) word,
	TRIGGERS(T)
#undef T
};
static const char *const whys[] = {
#define W(name, row, word) row,
	DEPLOY_WHYS(W)
#undef W
};

#define COLUMNS \
	"id, environment, program, cause, state, why, commit_id, ref, subject, author," \
	" is_forced, is_foreign, previous, asked_by, asker, chat, thread, message, also_message," \
	" run, attempts, is_touched, has_no_way_back, urls, detail, requested_at, started_at," \
	" ended_at, note, image, previous_image"

static size_t
index_of(const char *word, const char *const words[], size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(words[i], word) != 0)
		i++;
	assert(i < count); /* the table's CHECK */
	return i;
}

/* --- reading --- */

static void
read_deployment(const struct db_rows *rows, struct deployment *d)
{
	*d = (struct deployment){
		.id = db_col_i64(rows, 0),
		.program = (enum program)index_of(db_col_text(rows, 2), programs, COUNT(programs)),
		.trigger = (enum trigger)index_of(db_col_text(rows, 3), causes, COUNT(causes)),
		.state = deploy_flow_parse(db_col_text(rows, 4)),
		.why = (enum deploy_why)index_of(db_col_text(rows, 5), whys, COUNT(whys)),
		.is_force_push = db_col_i64(rows, 10) != 0,
		.is_off_branch = db_col_i64(rows, 11) != 0,
		.requested_by = db_col_i64(rows, 13),
		.address = { .chat = db_col_i64(rows, 15), .thread = db_col_i64(rows, 16) },
		.message = db_col_i64(rows, 17),
		.also_message = db_col_i64(rows, 18),
		.run = db_col_i64(rows, 19),
		.attempts = (int)db_col_i64(rows, 20),
		.target_changed = db_col_i64(rows, 21) != 0,
		.cannot_roll_back = db_col_i64(rows, 22) != 0,
		.requested_at = db_col_i64(rows, 25),
		.started_at = db_col_i64(rows, 26),
		.ended_at = db_col_i64(rows, 27),
	};
	tx_text(rows, 1, d->environment, sizeof(d->environment));
	tx_text(rows, 6, d->commit, sizeof(d->commit));
	tx_text(rows, 7, d->ref, sizeof(d->ref));
	tx_text(rows, 8, d->subject, sizeof(d->subject));
	tx_text(rows, 9, d->author, sizeof(d->author));
	tx_text(rows, 12, d->previous, sizeof(d->previous));
	tx_text(rows, 14, d->requester, sizeof(d->requester));
	tx_text(rows, 23, d->urls, sizeof(d->urls));
	tx_text(rows, 24, d->detail, sizeof(d->detail));
	tx_text(rows, 28, d->note, sizeof(d->note));
	tx_text(rows, 29, d->image, sizeof(d->image));
	tx_text(rows, 30, d->previous_image, sizeof(d->previous_image));
}

/* The first row of a query that was begun. */
static struct deployment
first_of(struct tx *tx, struct db_rows *rows)
{
	struct deployment deployment = { 0 };

	if (db_next(rows))
		read_deployment(rows, &deployment);
	(void)tx_end(tx, rows); /* sticky */
	return deployment;
}

struct deployment
row_deployment_get(struct tx *tx, int64_t id)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx, "SELECT " COLUMNS " FROM deployment WHERE id = $1", DB_I64(id)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_active(struct tx *tx, const char *environment)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM deployment WHERE environment = $1 AND " STORE_IS_ACTIVE,
		DB_TEXT(environment)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_queued(struct tx *tx, const char *environment)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM deployment WHERE environment = $1 AND state = 'QUEUED'",
		DB_TEXT(environment)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

/* Left to itself SQLite walks through the environment's whole history when nothing is open. */
#define FROM_OPEN " FROM deployment INDEXED BY deployment_open"

struct deployment
row_deployment_push_question(struct tx *tx, const char *environment)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS FROM_OPEN " WHERE environment = $1"
		" AND state = 'AWAITING_CONFIRMATION' AND " STORE_IS_OPEN " AND cause <> 'chat'"
		" ORDER BY id DESC LIMIT 1",
		DB_TEXT(environment)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_chat_question(struct tx *tx, const char *environment)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS FROM_OPEN " WHERE environment = $1"
		" AND state = 'AWAITING_CONFIRMATION' AND " STORE_IS_OPEN " AND cause = 'chat'"
		" ORDER BY id LIMIT 1",
		DB_TEXT(environment)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_asking(struct tx *tx, const char *environment)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS FROM_OPEN " WHERE environment = $1"
		" AND state IN ('REQUESTED', 'AWAITING_CONFIRMATION') AND " STORE_IS_OPEN
		" ORDER BY id DESC LIMIT 1",
		DB_TEXT(environment)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_unattended(struct tx *tx, int64_t after)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM deployment d INDEXED BY deployment_open WHERE id > $1"
		" AND " STORE_IS_OPEN
		" AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.subject = d.id AND e.kind ="
		" CASE d.state WHEN 'REQUESTED' THEN 'ask' ELSE 'wait' END)"
		" AND state IN ('REQUESTED', 'AWAITING_CONFIRMATION') ORDER BY id LIMIT 1",
		DB_I64(after)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

struct deployment
row_deployment_of_run(struct tx *tx, int64_t run)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM deployment"
		" WHERE id = (SELECT deployment FROM run WHERE run.id = $1)",
		DB_I64(run)))
		return (struct deployment){ 0 };
	return first_of(tx, &rows);
}

enum deploy_state
row_deployment_last_end(struct tx *tx, const char *environment)
{
	enum deploy_state state = DEPLOY_STATE_COUNT;
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT state FROM deployment WHERE environment = $1 AND " STORE_HAS_RUN
		" ORDER BY ended_at DESC, id DESC LIMIT 1",
		DB_TEXT(environment)))
		return state;
	if (db_next(&rows))
		state = deploy_flow_parse(db_col_text(&rows, 0));
	(void)tx_end(tx, &rows); /* sticky */
	return state;
}

size_t
row_deployment_list(struct tx *tx, const char *environment, struct deployment *ret, size_t max)
{
	struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM deployment WHERE environment = $1"
		" AND (started_at <> 0 OR state = 'REFUSED') ORDER BY id DESC LIMIT $2",
		DB_TEXT(environment), DB_I64(max)))
		return 0;
	while (n < max && db_next(&rows))
		read_deployment(&rows, &ret[n++]);
	return tx_end(tx, &rows) ? n : 0;
}

int64_t
row_deployment_count_open(struct tx *tx, int64_t requested_by)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM deployment WHERE asked_by = $1 AND " STORE_IS_OPEN,
	    DB_I64(requested_by));
}

/* --- writing --- */

/* Said when it is asked for, and never after: five of its indexes stand on these. */
#define FIXED	"environment, program, cause, asked_by"
#define N_FIXED 4
#define SAVED \
	"commit_id, ref, subject, author, is_forced, is_foreign, previous, asker, chat, thread," \
	" message, also_message, run, attempts, is_touched, has_no_way_back, urls, detail," \
	" requested_at, started_at, ended_at, note, image, previous_image"
#define N_SAVED 24

static void
bind_saved(const struct deployment *d, struct db_value out[N_SAVED])
{
	const struct db_value values[] = {
		DB_TEXT(d->commit),
		DB_TEXT(d->ref),
		DB_TEXT(d->subject),
		DB_TEXT(d->author),
		DB_I64(d->is_force_push),
		DB_I64(d->is_off_branch),
		DB_TEXT(d->previous),
		DB_TEXT(d->requester),
		DB_I64(d->address.chat),
		DB_I64(d->address.thread),
		DB_I64(d->message),
		DB_I64(d->also_message),
		DB_I64(d->run),
		DB_I64(d->attempts),
		DB_I64(d->target_changed),
		DB_I64(d->cannot_roll_back),
		DB_TEXT(d->urls),
		DB_TEXT(d->detail),
		DB_I64(d->requested_at),
		DB_I64(d->started_at),
		DB_I64(d->ended_at),
		DB_TEXT(d->note),
		DB_TEXT(d->image),
		DB_TEXT(d->previous_image),
	};

	_Static_assert(COUNT(values) == N_SAVED, "one value for each column of SAVED");
	memcpy(out, values, sizeof(values));
}

void
row_deployment_add(struct tx *tx, struct deployment *deployment)
{
	struct db_value values[N_SAVED + N_FIXED + 2] = { 0 };
	struct db_value *more = values + N_SAVED;

	bind_saved(deployment, values);
	*more++ = DB_TEXT(deployment->environment);
	*more++ = DB_TEXT(programs[deployment->program]);
	*more++ = DB_TEXT(causes[deployment->trigger]);
	*more++ = DB_I64(deployment->requested_by);
	*more++ = DB_TEXT(deploy_flow_name(deployment->state));
	*more++ = DB_TEXT(whys[deployment->why]);
	deployment->id = 0;
	if (tx_run_values(tx,
		"INSERT INTO deployment (" SAVED ", " FIXED
		", state, why) VALUES ($1, $2, $3, $4, $5, $6, $7,"
		" $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,"
		" $24, $25, $26, $27, $28, $29, $30)",
		values, COUNT(values)))
		deployment->id = db_last_id(tx->db);
	tx->store->environments_changed = true;
}

void
row_deployment_save(struct tx *tx, const struct deployment *deployment)
{
	struct db_value values[N_SAVED + 1];

	bind_saved(deployment, values);
	values[N_SAVED] = DB_I64(deployment->id);
	(void)tx_run_values(tx,
	    "UPDATE deployment SET (" SAVED ") = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
	    " $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) WHERE id = $25",
	    values, COUNT(values)); /* sticky */
}

void
row_deployment_set_state(struct tx *tx, int64_t id, enum deploy_state state, enum deploy_why why)
{
	(void)tx_run(tx, "UPDATE deployment SET state = $2, why = $3 WHERE id = $1", DB_I64(id),
	    DB_TEXT(deploy_flow_name(state)), DB_TEXT(whys[why])); /* sticky */
	tx->store->environments_changed = true;
}

/* --- runs --- */

void
row_run_skip(struct tx *tx, int64_t highest)
{
	/* Where SQLite keeps what AUTOINCREMENT gave last: https://www.sqlite.org/autoinc.html */
	(void)tx_run(tx,
	    "INSERT INTO sqlite_sequence (name, seq) SELECT 'run', 0"
	    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'run')");
	(void)tx_run(tx, "UPDATE sqlite_sequence SET seq = $1 WHERE name = 'run' AND seq < $1",
	    DB_I64(highest)); /* both sticky */
}

int64_t
row_run_add(struct tx *tx, int64_t deployment, enum program program)
{
	if (!tx_run(tx,
		"INSERT INTO run (deployment, program, pid, start_time, boot, ordered_at,"
		" started_at, ended_at, exit_status, signal_number, duration_ms, detail, is_purged)"
		" VALUES ($1, $2, 0, 0, '', $3, 0, 0, 0, 0, 0, '', 0)",
		DB_I64(deployment), DB_TEXT(programs[program]), DB_I64(tx->at)))
		return 0;
	return db_last_id(tx->db);
}

void
row_run_started(struct tx *tx, const struct run_started *started)
{
	(void)tx_run(tx,
	    "UPDATE run SET pid = $2, start_time = $3, boot = $4, started_at = $5 WHERE id = $1",
	    DB_I64(started->run), DB_I64(started->pid), DB_I64(started->start_time),
	    DB_TEXT(started->boot), DB_I64(tx->at)); /* sticky */
}

void
row_run_distrust(struct tx *tx)
{
	(void)tx_run(tx, "UPDATE run SET started_at = $1 WHERE started_at = 0 AND ended_at = 0",
	    DB_I64(tx->at)); /* sticky */
}

void
row_run_ended(struct tx *tx, const struct run_ended *ended)
{
	(void)tx_run(tx,
	    "UPDATE run SET ended_at = $2, exit_status = $3, signal_number = $4,"
	    " duration_ms = $5, detail = $6 WHERE id = $1",
	    DB_I64(ended->run), DB_I64(tx->at), DB_I64(ended->exit_status),
	    DB_I64(ended->signal_number), DB_I64(ended->duration_ms),
	    DB_TEXT(ended->detail)); /* sticky */
}

int64_t
row_run_newest(struct tx *tx, int64_t deployment, enum program program)
{
	return tx_number(tx,
	    "SELECT MAX(id) FROM run WHERE deployment = $1 AND program = $2 AND is_purged = 0",
	    DB_I64(deployment), DB_TEXT(programs[program]));
}

bool
row_run_is_open(struct tx *tx, int64_t run)
{
	return tx_number(
		   tx, "SELECT COUNT(*) FROM run WHERE id = $1 AND ended_at = 0", DB_I64(run)) > 0;
}

bool
row_run_never_began(struct tx *tx, int64_t run)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM run WHERE id = $1 AND exit_status = -1"
		   " AND signal_number = 0",
		   DB_I64(run)) > 0;
}

bool
row_run_was_started(struct tx *tx, int64_t run)
{
	return tx_number(tx, "SELECT COUNT(*) FROM run WHERE id = $1 AND started_at <> 0",
		   DB_I64(run)) > 0;
}

/* --- steps --- */

bool
row_step_add(struct tx *tx, const struct run_step *step)
{
	return tx_run(tx,
		   "INSERT INTO run_step (run, n, name, at) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING",
		   DB_I64(step->run), DB_I64(step->n), DB_TEXT(step->name), DB_I64(step->at)) &&
	    db_changes(tx->db) == 1;
}

size_t
row_step_list(struct tx *tx, int64_t run, struct step *ret, size_t max)
{
	struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query(&rows, tx, "SELECT name, at FROM run_step WHERE run = $1 ORDER BY n LIMIT $2",
		DB_I64(run), DB_I64(max)))
		return 0;
	for (; n < max && db_next(&rows); n++) {
		tx_text(&rows, 0, ret[n].name, sizeof(ret[n].name));
		ret[n].at = db_col_i64(&rows, 1);
	}
	return tx_end(tx, &rows) ? n : 0;
}
