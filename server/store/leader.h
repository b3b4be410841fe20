/* leader.h - the row that says which server leads, and the fence of each of its transactions.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Several servers may have one database of PostgreSQL, and one of them leads: it alone decides.
 * Who takes over raises the epoch; each transaction begins by raising the batch, and changes no row
 * where the epoch or the batch is another than it left there: then it is deposed, and whatever it
 * holds in memory counts for nothing.  A lease is renewed by each transaction and each second, and
 * the database's clock alone says whether it has ended.  With SQLite there is none of this.
 */
#pragma once

#include "lib/db.h"
#include "types/limits.h"

/* PostgreSQL's clock, and not that of the transaction's beginning. */
#define LEADER_NOW_MS "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

#define LEADER_LEASE_MS 4000 /* not renewed for so long: another may take over */
#define LEADER_RENEW_MS 1000 /* how often it is renewed */
#define LEADER_ACTS_MS	2000 /* the same: nothing with an outside is begun */
#define LEADER_CLOCK_MS 2000 /* who is to lead has a clock that differs by no more */

/* Holds the lease of a database that was copied away: who waits for the row does not. */
#define LEADER_MOVED "(moved)"

#define LEADER_FOLDER 112

struct leader {
	int64_t epoch; /* 0: nobody has ever led */
	int64_t batch; /* transactions of all epochs */
	int64_t at;    /* wall ms of the newest decision */
	int64_t since; /* wall ms by the database's clock: the epoch began */
	int64_t left_ms; /* of its lease; below 0: it has ended */
	int64_t clock_ms; /* the database's clock now, wall ms */
	bool leaves; /* it gives its lease up once what is in progress is done */
	int64_t taken_ms; /* clock_boottime_ms() when it was asked for */
	char holder[LIMIT_RUNNER]; /* "": it was given up */
	char folder[LEADER_FOLDER]; /* of that server: which of two that are called so */
};

/* Makes its table, and row_server.h's, where there is none.  Not inside a transaction. */
bool leader_make(struct db *db, struct err *err) MUST_USE;
bool leader_read(struct db *db, struct leader *ret, struct err *err) MUST_USE;

/* Is it that server, and no other of its name? */
bool leader_is(const struct leader *leader, const struct leader *self);

/* Takes over where the lease was given up, has ended, or is that server's own, of before: a new
 * epoch; is_of_before: the database is, and no epoch since was as high.  *ret names the server when
 * it is called, and is what stands there then; *ret_leads: it is that server's. */
bool leader_take(struct db *db, bool is_of_before, struct leader *ret, bool *ret_leads,
    struct err *err) MUST_USE;

/* leaves: another will lead in a moment.  *ret_leads false: that epoch is over. */
bool leader_renew(struct db *db, int64_t epoch, bool leaves, bool *ret_leads, struct err *err)
    MUST_USE;
/* In the same epoch another need not wait for the lease's end. */
bool leader_give_up(struct db *db, int64_t epoch, struct err *err) MUST_USE;

/* Of a file of SQLite, which is not open yet: the epoch that it was brought from a database of
 * several servers, and stays in, since runners and agents know it.  is_of_before: as above.  0:
 * none. */
int64_t leader_epoch_brought(const char *path, bool is_of_before);
