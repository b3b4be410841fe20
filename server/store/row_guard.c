/* row_guard.c - dedupe, buckets, retention.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_guard.h"

#include "store/store_inside.h"

#define DAY_MS	     INT64_C(86400000)
#define INBOX_DAYS   90 /* GitHub redelivers for 3, Telegram keeps updates for 1 */
#define MESSAGE_DAYS 30
#define DIGEST	     32

bool
row_inbox_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest)
{
	return tx_run(tx,
		   "INSERT INTO inbox (source, id, digest, at) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING",
		   DB_TEXT(source), DB_TEXT(key),
		   digest == NULL ? DB_NULL : DB_BLOB(digest, DIGEST), DB_I64(tx->at)) &&
	    db_changes(tx->db) == 1;
}

static bool
set_full_at(struct tx *tx, const char *who, int64_t full_at)
{
	return tx_run(tx,
	    "INSERT INTO bucket (who, full_at) VALUES ($1, $2)"
	    " ON CONFLICT (who) DO UPDATE SET full_at = $2",
	    DB_TEXT(who), DB_I64(full_at));
}

/* full_at says when all tokens are back: one number is the whole bucket. */
bool
row_bucket_take(struct tx *tx, const char *who, int burst, int64_t every_ms)
{
	const int64_t empty = tx->at + burst * every_ms;
	int64_t full_at = tx_number(tx, "SELECT full_at FROM bucket WHERE who = $1", DB_TEXT(who));

	if (full_at > empty) { /* the clock was set back: that costs one emptied bucket */
		(void)set_full_at(tx, who, empty); /* sticky */
		return false;
	}
	if (full_at < tx->at)
		full_at = tx->at;
	return full_at + every_ms <= empty && set_full_at(tx, who, full_at + every_ms);
}

/* True: as many as may go at once went. */
static bool
clear(struct tx *tx, const char *sql, int64_t before)
{
	return tx_run(tx, sql, DB_I64(before), DB_I64(ROW_RETAIN_MAX)) &&
	    db_changes(tx->db) == ROW_RETAIN_MAX;
}

/* Nobody refers to it any more, or only a deployment that ended long ago. */
static bool
clear_messages(struct tx *tx)
{
	return tx_run(tx,
		   "DELETE FROM message WHERE id IN (SELECT m.id FROM message m WHERE m.at < $1"
		   " AND NOT EXISTS (SELECT 1 FROM deployment d WHERE d.message = m.id"
		   "  AND (d.ended_at = 0 OR d.ended_at > $2))"
		   " AND NOT EXISTS (SELECT 1 FROM deployment d WHERE d.also_message = m.id"
		   "  AND (d.ended_at = 0 OR d.ended_at > $2))"
		   " AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.kind = 'say' AND e.subject = "
		   "m.id)"
		   " LIMIT $3)",
		   DB_I64(tx->at - DAY_MS), DB_I64(tx->at - MESSAGE_DAYS * DAY_MS),
		   DB_I64(ROW_RETAIN_MAX)) &&
	    db_changes(tx->db) == ROW_RETAIN_MAX;
}

bool
row_retain(struct tx *tx)
{
	bool more;

	/* Rows stand in the order they came: the oldest are looked at, not the table. */
	more = clear(tx,
	    "DELETE FROM inbox WHERE seq IN (SELECT seq FROM"
	    " (SELECT seq, at FROM inbox ORDER BY seq LIMIT $2) WHERE at < $1)",
	    tx->at - INBOX_DAYS * DAY_MS);
	more |= clear(tx,
	    "DELETE FROM question WHERE id IN (SELECT id FROM question"
	    " WHERE closed_at <> 0 AND closed_at < $1 LIMIT $2)",
	    tx->at - DAY_MS);
	more |= clear(tx,
	    "DELETE FROM bucket WHERE who IN"
	    " (SELECT who FROM bucket WHERE full_at <= $1 LIMIT $2)",
	    tx->at);
	more |= clear_messages(tx);
	return more && !tx->failed;
}

/* A Log button lives as long as its log. */
static void
purge_run(struct tx *tx, int64_t run)
{
	(void)tx_run(tx, "UPDATE run SET is_purged = 1 WHERE id = $1", DB_I64(run));
	(void)tx_run(tx, "DELETE FROM run_step WHERE run = $1", DB_I64(run));
	(void)tx_run(tx, "DELETE FROM question WHERE run = $1 AND run <> 0 AND verb = 'LOG'",
	    DB_I64(run)); /* all sticky */
}

size_t
row_run_purge(struct tx *tx, int keep, int64_t *ret, size_t max)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query(&rows, tx,
		"SELECT id FROM (SELECT r.id AS id, r.ended_at AS ended_at,"
		" ROW_NUMBER() OVER (PARTITION BY d.environment ORDER BY r.id DESC) AS place"
		" FROM run r JOIN deployment d ON d.id = r.deployment WHERE r.is_purged = 0)"
		" WHERE place > $1 AND ended_at <> 0 ORDER BY id LIMIT $2",
		DB_I64(keep), DB_I64(max)))
		return 0;
	while (n < max && db_next(&rows))
		ret[n++] = db_col_i64(&rows, 0);
	if (!tx_end(tx, &rows))
		return 0;
	for (size_t i = 0; i < n; i++)
		purge_run(tx, ret[i]);
	return tx->failed ? 0 : n;
}
