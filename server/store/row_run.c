/* row_run.c - runs of deployments and of other work, and their steps.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_run.h"

#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/store_inside.h"

static const char *const programs[] = {
	[PROGRAM_DEPLOY] = "deploy",
	[PROGRAM_ROLLBACK] = "rollback",
	[PROGRAM_ACTION] = "action",
	[PROGRAM_DRAIN] = "drain",
};

const char *
row_run_program_word(enum program program)
{
	return programs[program];
}

enum program
row_run_program(const char *word)
{
	size_t i = text_index(word, programs, COUNT(programs));

	assert(i < COUNT(programs)); /* no other is written */
	return (enum program)i;
}

void
row_run_skip(struct tx *tx, int64_t highest)
{
	int64_t *last = &tx->store->mark.ids.last[STORE_ID_RUN];

	/* A folder's name had made it what leaves no number for the next run. */
	if (*last > ROW_RUN_MOST)
		*last =
		    tx_number(tx, "SELECT MAX(id) FROM run WHERE id <= $1", DB_I64(ROW_RUN_MOST));
	if (*last < highest)
		*last = highest;
}

int64_t
row_run_add(struct tx *tx, int64_t deployment, enum program program, const char *runner)
{
	int64_t id = tx_next_id(tx, STORE_ID_RUN);

	return tx_run(tx,
		   "INSERT INTO run (id, deployment, program, pid, start_time, boot, ordered_at,"
		   " started_at, ended_at, exit_status, signal_number, duration_ms, detail,"
		   " is_purged, runner)"
		   " VALUES ($1, $2, $3, 0, 0, '', $4, 0, 0, 0, 0, 0, '', 0, $5)",
		   DB_I64(id), DB_I64(deployment), DB_TEXT(row_run_program_word(program)),
		   DB_I64(tx->at), DB_TEXT(settings_runner_row(tx->settings, runner))) ?
	    id :
	    0;
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
	    "UPDATE counter SET value = value + COALESCE((SELECT $2 - log_size FROM run"
	    " WHERE id = $1 AND is_purged = 0), 0) WHERE name = 'logs'",
	    DB_I64(ended->run), DB_I64(ended->log_size)); /* sticky */
	(void)tx_run(tx,
	    "UPDATE run SET ended_at = $2, exit_status = $3, signal_number = $4,"
	    " duration_ms = $5, detail = $6, log_size = $7 WHERE id = $1",
	    DB_I64(ended->run), DB_I64(tx->at), DB_I64(ended->exit_status),
	    DB_I64(ended->signal_number), DB_I64(ended->duration_ms), DB_TEXT(ended->detail),
	    DB_I64(ended->log_size)); /* sticky */
}

TX_READER(read_run, struct run_row, TX_I64(id), TX_WORD(program, row_run_program),
    TX_FLAG(is_purged), TX_TEXT(runner))

static size_t
read_runners(struct tx *tx, struct run_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		settings_runner_read(tx->settings, rows[i].runner);
	return n;
}

size_t
row_run_list(struct tx *tx, int64_t deployment, struct run_row *ret, size_t max)
{
	return read_runners(tx, ret,
	    tx_read(tx, read_run, ret, max,
		"SELECT id, program, is_purged, runner FROM run WHERE deployment = $1 AND is_purged = 0"
		" ORDER BY id LIMIT $2",
		DB_I64(deployment), DB_I64(max)));
}

size_t
row_run_list_all(struct tx *tx, int64_t deployment, struct run_row *ret, size_t max)
{
	return read_runners(tx, ret,
	    tx_read(tx, read_run, ret, max,
		"SELECT id, program, is_purged, runner FROM run WHERE deployment = $1"
		" ORDER BY id LIMIT $2",
		DB_I64(deployment), DB_I64(max)));
}

/* Of all programs at once: a message asks for several. */
TX_READER(read_newest, struct run_row, TX_I64(id), TX_WORD(program, row_run_program))

int64_t
row_run_newest(struct tx *tx, int64_t deployment, enum program program)
{
	struct run_row newest[PROGRAM_DRAIN + 1];
	size_t n = tx_read(tx, read_newest, newest, COUNT(newest),
	    "SELECT MAX(id), program FROM run WHERE deployment = $1 AND is_purged = 0"
	    " GROUP BY program",
	    DB_I64(deployment));

	for (size_t i = 0; i < n; i++)
		if (newest[i].program == program)
			return newest[i].id;
	return 0;
}

bool
row_run_is_open(struct tx *tx, int64_t run)
{
	return tx_number(
		   tx, "SELECT COUNT(*) FROM run WHERE id = $1 AND ended_at = 0", DB_I64(run)) > 0;
}

enum run_end
row_run_end(struct tx *tx, int64_t run)
{
	static const enum run_end ends[] = { RUN_OPEN, RUN_SUCCEEDED, RUN_FAILED };

	if (run == 0)
		return RUN_OPEN;
	return ends[tx_number(tx,
	    "SELECT CASE WHEN ended_at = 0 THEN 0"
	    " WHEN exit_status = 0 AND signal_number = 0 THEN 1 ELSE 2 END"
	    " FROM run WHERE id = $1 UNION ALL SELECT 0 LIMIT 1",
	    DB_I64(run))];
}

void
row_run_set_tail(struct tx *tx, int64_t run, const char *tail)
{
	(void)tx_run(
	    tx, "UPDATE run SET tail = $2 WHERE id = $1", DB_I64(run), DB_TEXT(tail)); /* sticky */
}

const char *
row_run_tail(struct tx *tx, int64_t run, char ret[LIMIT_TAIL])
{
	return tx_first_text(
	    tx, ret, LIMIT_TAIL, "SELECT tail FROM run WHERE id = $1", DB_I64(run));
}

void
row_run_set_application_log(struct tx *tx, int64_t run, const char *lines)
{
	(void)tx_run(tx, "UPDATE run SET application_log = $2 WHERE id = $1", DB_I64(run),
	    DB_TEXT(lines)); /* sticky */
}

void
row_run_set_warnings(struct tx *tx, int64_t run, const struct run_warnings *warnings)
{
	(void)tx_run(tx, "UPDATE run SET warnings = $2, n_warnings = $3 WHERE id = $1", DB_I64(run),
	    DB_TEXT(warnings->lines), DB_I64(warnings->said)); /* sticky */
}

const char *
row_run_application_log(struct tx *tx, int64_t deployment, char ret[LIMIT_APPLICATION_LOG])
{
	return tx_first_text(tx, ret, LIMIT_APPLICATION_LOG,
	    "SELECT application_log FROM run WHERE deployment = $1 AND application_log <> ''"
	    " ORDER BY id LIMIT 1",
	    DB_I64(deployment));
}

bool
row_run_may_have_application_log(struct tx *tx, int64_t run)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM run WHERE id = $1"
		   " AND (program = 'rollback' OR application_log <> ''"
		   " OR EXISTS (SELECT 1 FROM run_step WHERE run = $1 AND name = 'start')"
		   " AND (SELECT state FROM work WHERE id = run.deployment) <> 'LIVE')",
		   DB_I64(run)) > 0;
}

TX_READER(read_times, struct run_times, TX_I64(started_at), TX_I64(ended_at), TX_INT(exit_status),
    TX_INT(signal_number))

struct run_times
row_run_times(struct tx *tx, int64_t run)
{
	if (run == 0)
		return (struct run_times){ 0 };
	return tx_first(tx, struct run_times, read_times,
	    "SELECT started_at, ended_at - " ROW_RUN_LATE
	    ", exit_status, signal_number FROM run r WHERE id = $1",
	    DB_I64(run));
}

bool
row_run_newest_tail(struct tx *tx, int64_t deployment, char ret[LIMIT_TAIL])
{
	int64_t run = tx_number(
	    tx, "SELECT MAX(id) FROM run WHERE deployment = $1 AND tail <> ''", DB_I64(deployment));

	(void)row_run_tail(tx, run, ret);
	return row_run_end(tx, run) == RUN_SUCCEEDED;
}

bool
row_run_changed_nothing(struct tx *tx, int64_t run)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM run WHERE id = $1 AND " STORE_RUN_CHANGED_NOTHING,
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
	return tx_changes(tx,
		   "INSERT INTO run_step (run, n, name, at) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING",
		   DB_I64(step->run), DB_I64(step->n), DB_TEXT(step->name), DB_I64(step->at)) == 1;
}

TX_READER(read_step, struct step, TX_TEXT(name), TX_I64(at))

size_t
row_step_list(struct tx *tx, int64_t run, struct step *ret, size_t max)
{
	return tx_read(tx, read_step, ret, max,
	    "SELECT name, at FROM run_step WHERE run = $1 ORDER BY n LIMIT $2", DB_I64(run),
	    DB_I64(max));
}
