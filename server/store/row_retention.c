/* row_retention.c - what is old and nobody needs goes, a bounded number at a time.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_retention.h"

#include "store/row_hook.h"
#include "store/row_host_leave.h"
#include "store/row_nonce.h"
#include "store/row_redelivery.h"
#include "store/row_secret.h"
#include "store/row_token.h"
#include "store/store_inside.h"

#define DAY_MS	     INT64_C(86400000)
#define INBOX_DAYS   90 /* only who has a secret can fill it; what was signed once stays signed */
#define RUN_DAYS     90
#define UPDATE_DAYS  2 /* anybody can; Telegram keeps updates for one */
#define MESSAGE_DAYS 30
#define HOST_DAYS    90 /* since it left the settings */

/* True: as many as may go at once went. */
static bool
clear(struct tx *tx, const char *sql, int64_t before)
{
	return tx_changes(tx, sql, DB_I64(before), DB_I64(ROW_RETENTION_MAX)) == ROW_RETENTION_MAX;
}

/* Nobody refers to it any more, or only a deployment that ended long ago. */
static bool
clear_messages(struct tx *tx)
{
	return tx_changes(tx,
		   "DELETE FROM message WHERE id IN (SELECT m.id FROM message m WHERE m.at < $1"
		   " AND NOT EXISTS (SELECT 1 FROM work d WHERE d.message = m.id"
		   "  AND (d.ended_at = 0 OR d.ended_at > $2))"
		   " AND NOT EXISTS (SELECT 1 FROM work d WHERE d.also_message = m.id"
		   "  AND (d.ended_at = 0 OR d.ended_at > $2))"
		   " AND NOT EXISTS (SELECT 1 FROM work_shown s JOIN work d ON d.id = s.work"
		   "  WHERE s.message = m.id AND (d.ended_at = 0 OR d.ended_at > $2))"
		   " AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.kind = 'say' AND e.subject = "
		   "m.id)"
		   " AND NOT EXISTS (SELECT 1 FROM pin p WHERE p.message = m.id)"
		   " AND NOT EXISTS (SELECT 1 FROM pipeline_red r WHERE r.message = m.id)"
		   /* A press changes it: whoever is asked may be away for days. */
		   " AND NOT EXISTS (SELECT 1 FROM button b INDEXED BY button_message"
		   "  WHERE b.message = m.id AND b.message <> 0 AND b.closed_at = 0"
		   "  AND b.expires_at = 0)"
		   " LIMIT $3)",
		   DB_I64(tx->at - DAY_MS), DB_I64(tx->at - MESSAGE_DAYS * DAY_MS),
		   DB_I64(ROW_RETENTION_MAX)) == ROW_RETENTION_MAX;
}

bool
row_retention_clear(struct tx *tx)
{
	bool more;

	/* Rows stand in the order they came: the oldest are looked at, not the table; but for
	 * runs of pipelines, which have no number of ours, once a day. */
	more = clear(tx,
	    "DELETE FROM inbox WHERE seq IN (SELECT seq FROM"
	    " (SELECT seq, at FROM inbox ORDER BY seq LIMIT $2) AS oldest WHERE at < $1)",
	    tx->at - INBOX_DAYS * DAY_MS);
	more |= clear(tx,
	    "DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox INDEXED BY inbox_update"
	    " WHERE source = 'telegram' AND at < $1 ORDER BY at LIMIT $2)",
	    tx->at - UPDATE_DAYS * DAY_MS);
	more |= clear(tx,
	    "DELETE FROM button WHERE id IN (SELECT id FROM button"
	    " WHERE closed_at <> 0 AND closed_at < $1 LIMIT $2)",
	    tx->at - DAY_MS);
	more |= clear(tx,
	    "DELETE FROM button WHERE id IN (SELECT id FROM button"
	    " WHERE expires_at <> 0 AND expires_at < $1 LIMIT $2)",
	    tx->at - DAY_MS);
	more |= clear(tx,
	    "DELETE FROM bucket WHERE who IN"
	    " (SELECT who FROM bucket WHERE full_at <= $1 LIMIT $2)",
	    tx->at);
	more |= clear(tx,
	    "DELETE FROM pipeline_run WHERE (application, repository_id, run) IN (SELECT application,"
	    " repository_id, run FROM pipeline_run WHERE at < $1 LIMIT $2)",
	    tx->at - RUN_DAYS * DAY_MS);
	more |= clear(tx,
	    "DELETE FROM pipeline_red WHERE id IN (SELECT id FROM"
	    " (SELECT id, since FROM pipeline_red ORDER BY id LIMIT $2) AS oldest WHERE since < $1)",
	    tx->at - RUN_DAYS * DAY_MS);
	row_redelivery_clear(tx);
	more |= row_hook_clear(tx, ROW_RETENTION_MAX);
	more |= row_host_leave_clear(tx, tx->at - HOST_DAYS * DAY_MS, ROW_RETENTION_MAX);
	more |= row_nonce_clear(tx, ROW_RETENTION_MAX);
	more |= row_token_clear(tx, ROW_RETENTION_MAX);
	more |= row_secret_clear(tx, ROW_RETENTION_MAX);
	more |= clear_messages(tx);
	return more && !tx->failed;
}

/* A Log button lives as long as its log. */
static void
purge_run(struct tx *tx, int64_t run)
{
	(void)tx_run(tx,
	    "UPDATE counter SET value = value - COALESCE((SELECT log_size FROM run"
	    " WHERE id = $1 AND is_purged = 0), 0) WHERE name = 'logs'",
	    DB_I64(run));
	(void)tx_run(tx,
	    "UPDATE run SET is_purged = 1, application_log = '', warnings = '', n_warnings = 0"
	    " WHERE id = $1",
	    DB_I64(run));
	(void)tx_run(tx, "DELETE FROM run_step WHERE run = $1", DB_I64(run));
	(void)tx_run(tx, "DELETE FROM button WHERE target = 'run/' || $1 AND action = 'log'",
	    DB_I64(run)); /* all sticky */
}

static size_t
purge_runs(struct tx *tx, const char *sql, int64_t limit, int64_t *ret, size_t max)
{
	size_t n = tx_read(tx, tx_read_number, ret, max, sql, DB_I64(limit), DB_I64(max));

	for (size_t i = 0; i < n; i++)
		purge_run(tx, ret[i]);
	return tx->failed ? 0 : n;
}

size_t
row_retention_purge_runs(struct tx *tx, int keep, int64_t *ret, size_t max)
{
	return purge_runs(tx,
	    "SELECT id FROM (SELECT r.id AS id, r.ended_at AS ended_at,"
	    " ROW_NUMBER() OVER (PARTITION BY d.environment, d.program, r.program = 'drain'"
	    "  ORDER BY r.id DESC) AS place"
	    " FROM run r JOIN work d ON d.id = r.deployment WHERE r.is_purged = 0)"
	    " AS numbered WHERE place > $1 AND ended_at <> 0 ORDER BY id LIMIT $2",
	    keep, ret, max);
}

/* Those that stay are counted first, then the newest.  An empty one makes no room. */
size_t
row_retention_purge_total(struct tx *tx, int64_t total, int64_t *ret, size_t max)
{
	if (tx_number(tx, "SELECT value FROM counter WHERE name = 'logs'") <= total)
		return 0;
	return purge_runs(tx,
	    "SELECT id FROM (SELECT id, stays, size, SUM(size) OVER (ORDER BY stays DESC, id DESC) AS sum"
	    " FROM (SELECT r.id AS id, r.log_size AS size, CASE WHEN r.ended_at = 0 OR r.id ="
	    "  MAX(r.id) OVER (PARTITION BY d.environment, d.program, r.program = 'drain')"
	    "  THEN 1 ELSE 0 END AS stays"
	    "  FROM run r JOIN work d ON d.id = r.deployment WHERE r.is_purged = 0) AS kept) AS summed"
	    " WHERE stays = 0 AND size > 0 AND sum > $1 ORDER BY id LIMIT $2",
	    total, ret, max);
}
