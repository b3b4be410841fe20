/* row_left_host.c - hosts that a rollback has left out, until a release reaches them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_left_host.h"

#include <stdio.h>

#include "lib/list.h"
#include "lib/setting.h"
#include "store/store_inside.h"

TX_READER(read_left_host, struct left_host, TX_TEXT(host), TX_TEXT(commit), TX_I64(since),
    TX_SOURCE(source))

size_t
row_left_host_list(struct tx *tx, const char *environment, struct left_host ret[LEFT_HOSTS_SHOWN])
{
	return tx_read(tx, read_left_host, ret, LEFT_HOSTS_SHOWN,
	    "SELECT host, commit_id, since, COALESCE((SELECT MAX(r.source) FROM release r"
	    " WHERE r.environment = left_host.environment AND r.commit_id = left_host.commit_id),"
	    " 'git') FROM left_host WHERE environment = $1 ORDER BY host LIMIT $2",
	    DB_TEXT(environment), DB_I64(LEFT_HOSTS_SHOWN));
}

void
row_left_host_remove(struct tx *tx, const char *environment, const char *host)
{
	(void)tx_run(tx, "DELETE FROM left_host WHERE environment = $1 AND host = $2",
	    DB_TEXT(environment), DB_TEXT(host)); /* sticky */
	store_names_add(&tx->store->changed, environment);
}

void
row_left_host_set(struct tx *tx, const char *environment, const char *hosts, const char *commit)
{
	struct left_host before[LEFT_HOSTS_SHOWN];
	size_t n = row_left_host_list(tx, environment, before);
	char host[LIMIT_WITHOUT];

	for (size_t i = 0; i < n; i++)
		if (!list_has(hosts, before[i].host))
			row_left_host_remove(tx, environment, before[i].host);
	while (setting_next(&hosts, host, sizeof(host))) {
		(void)tx_run(tx,
		    "INSERT INTO left_host (environment, host, commit_id, since)"
		    " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		    DB_TEXT(environment), DB_TEXT(host), DB_TEXT(commit),
		    DB_I64(tx->at)); /* sticky */
		store_names_add(&tx->store->changed, environment);
	}
}

bool
row_left_host_look(struct db *db, char ret[LIMIT_LINE])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t used = 0;

	ret[0] = '\0';
	if (db == NULL ||
	    !db_query(&rows, db, NULL,
		"SELECT environment, host, commit_id FROM left_host ORDER BY environment, host"))
		return false;
	while (used < LIMIT_LINE && db_next(&rows))
		used += (size_t)snprintf(ret + used, LIMIT_LINE - used, "%s%s: %s%s%.7s",
		    used > 0 ? "; " : "", db_col_text(&rows, 0), db_col_text(&rows, 1),
		    db_col_text(&rows, 2)[0] != '\0' ? " still has " : ": what it has is not known",
		    db_col_text(&rows, 2));
	return used > 0;
}
