/* row_leader.h - which of several servers leads, for whoever is told.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct row_leader {
	char name[LIMIT_RUNNER];
	int64_t since;		    /* wall ms by the database's clock */
	char standby[LIMIT_RUNNER]; /* could take over now; "": none could */
	char other[LIMIT_RUNNER];   /* that was there within a week; "": there is no second one */
};

/* What a standby that could lead calls its session, before its name: for whoever lists them. */
#define ROW_LEADER_STANDBY "deploybot standby "

/* Which one could lead now; "": none has asked for 2 s. */
bool row_leader_standby(struct db *db, char ret[LIMIT_RUNNER], struct err *err) MUST_USE;

/* Of PostgreSQL's own, how many a commit waits for, or for some of them.  *ret 0 too where our role
 * may not see that (database_prepare.sql lets it). */
bool row_leader_replicas(struct db *db, int64_t *ret, struct err *err) MUST_USE;

/* False: there is one server, with SQLite. */
bool row_leader_get(struct tx *tx, struct row_leader *ret);
