/* row_runner.c - runners that are disconnected, and the runs that each of them has.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_runner.h"

#include "settings/checks/settings_runners.h"
#include "store/row_run.h"
#include "store/store_inside.h"
#include "store/store_move.h"

void
row_runner_set_gone(struct tx *tx, const char *name)
{
	(void)tx_run(tx,
	    "INSERT INTO runner (name, gone_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
	    DB_TEXT(settings_runner_row(tx->settings, name)), DB_I64(tx->at)); /* sticky */
}

bool
row_runner_set_connected(struct tx *tx, const char *name)
{
	return tx_changes(tx, "DELETE FROM runner WHERE name = $1",
		   DB_TEXT(settings_runner_row(tx->settings, name))) > 0;
}

int64_t
row_runner_next_run(struct tx *tx, const char *name, int64_t after)
{
	return tx_number(tx,
	    "SELECT MIN(id) FROM run WHERE ended_at = 0 AND runner = $1 AND id > $2",
	    DB_TEXT(settings_runner_row(tx->settings, name)), DB_I64(after));
}

TX_READER(read_gone, struct runner_gone, TX_TEXT(name), TX_I64(at))

struct runner_gone
row_runner_gone(struct tx *tx, int64_t run)
{
	struct runner_gone gone;

	if (run == 0)
		return (struct runner_gone){ .at = 0 };
	gone = tx_first(tx, struct runner_gone, read_gone,
	    "SELECT runner.name, runner.gone_at FROM run JOIN runner ON runner.name = run.runner"
	    " WHERE run.id = $1 AND run.ended_at = 0",
	    DB_I64(run));
	settings_runner_read(tx->settings, gone.name);
	gone.is_servers = settings_is_servers_runner(tx->settings, gone.name);
	return gone;
}

struct runner_gone
row_runner_named(struct tx *tx, const char *name)
{
	if (strcmp(name, RUNNER_LOCAL) == 0)
		return (struct runner_gone){ .at = 0 };
	return tx_first(tx, struct runner_gone, read_gone,
	    "SELECT name, gone_at FROM runner WHERE name = $1", DB_TEXT(name));
}

const char *
row_runner_of(struct tx *tx, int64_t run, char ret[LIMIT_RUNNER])
{
	(void)tx_first_text(
	    tx, ret, LIMIT_RUNNER, "SELECT runner FROM run WHERE id = $1", DB_I64(run));
	settings_runner_read(tx->settings, ret);
	return ret;
}

bool
row_runner_skip_to(struct tx *tx, int64_t highest)
{
	int64_t last = tx->store->mark.ids.last[STORE_ID_RUN], now_s = tx->at / 1000;
	int64_t from = last < now_s ? last : now_s;
	int64_t newest = tx_number(tx, "SELECT COALESCE(MAX(id), 0) FROM run");

	/* Numbers without a run count no further than a restore skips: each hello could add. */
	if (from < newest)
		from = newest;
	if (highest > last && highest - ROW_RUN_FAR > from)
		return false;
	row_run_skip(tx, highest);
	return true;
}

void
row_runner_outrun(struct tx *tx)
{
	int64_t *last = &tx->store->mark.ids.last[STORE_ID_RUN], now_s = tx->at / 1000;

	*last = *last + ROW_RUN_FAR > now_s ? *last + ROW_RUN_FAR : now_s;
	tx->failed = tx->failed || !store_move_spent(tx->store->db, now_s, &tx->err);
}

void
row_runner_abandon(struct tx *tx, int64_t run)
{
	(void)tx_run(tx, "UPDATE run SET is_abandoned = 1 WHERE id = $1", DB_I64(run)); /* sticky */
}

bool
row_runner_has_abandoned(struct tx *tx, int64_t run)
{
	return tx_number(tx, "SELECT COUNT(*) FROM run WHERE id = $1 AND is_abandoned = 1",
		   DB_I64(run)) > 0;
}
