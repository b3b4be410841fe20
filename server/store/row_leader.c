/* row_leader.c - the leader's row, and who asks for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_leader.h"

#include "lib/text.h"
#include "store/leader.h"
#include "store/row_server.h"
#include "store/store_inside.h"

bool
row_leader_standby(struct db *db, char ret[LIMIT_RUNNER], struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	ret[0] = '\0';
	if (!db_query(&rows, db, err,
		"SELECT substr(application_name, CAST($2 AS INTEGER)) FROM pg_stat_activity"
		" WHERE datname = current_database() AND application_name LIKE $1 || '%'"
		/* or whoever may only read could pose as one */
		" AND has_table_privilege(usename, 'leader', 'UPDATE')"
		" AND state_change > clock_timestamp() - INTERVAL '2 s' ORDER BY 1",
		DB_TEXT(ROW_LEADER_STANDBY), DB_I64(sizeof(ROW_LEADER_STANDBY))))
		return false;
	if (db_next(&rows))
		(void)text_copy(ret, LIMIT_RUNNER, db_col_text(&rows, 0)); /* it was one */
	return db_rows_end(&rows, err);
}

bool
row_leader_replicas(struct db *db, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err,
	    "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')");
}

/* Of those that have written their row, the one that did last. */
static bool
find_other(struct db *db, struct row_leader *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, db, err,
		"SELECT name FROM server WHERE name <> $1 AND seen > " LEADER_NOW_MS
		" - $2 ORDER BY seen DESC LIMIT 1",
		DB_TEXT(ret->name), DB_I64(ROW_SERVER_KNOWN_MS)))
		return false;
	if (db_next(&rows))
		text_set(ret->other, db_col_text(&rows, 0)); /* as that */
	return db_rows_end(&rows, err);
}

bool
row_leader_get(struct tx *tx, struct row_leader *ret)
{
	struct db *db = tx->store->db;
	struct leader leader;

	*ret = (struct row_leader){ 0 };
	if (tx->store->config.fence == NULL || tx->failed)
		return false;
	tx->failed = !leader_read(db, &leader, &tx->err);
	text_set(ret->name, leader.holder); /* of the same size */
	ret->since = leader.since;
	tx->failed = tx->failed || !row_leader_standby(db, ret->standby, &tx->err) ||
	    !find_other(db, ret, &tx->err);
	return !tx->failed;
}
