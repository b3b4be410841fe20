/* row_opa.c - what OPA was asked of some work last, and what it said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_opa.h"

#include "store/store_inside.h"

#define COLUMNS "work, at, digest, verdict, reason, decision, tries, since, is_to_ask, is_noted"

TX_READER(read_opa, struct opa_row, TX_I64(work), TX_I64(at), TX_TEXT(digest), TX_INT(verdict),
    TX_TEXT(reason), TX_TEXT(decision), TX_INT(tries), TX_I64(since), TX_FLAG(is_to_ask),
    TX_FLAG(is_noted))

struct opa_row *
row_opa_get(struct tx *tx, int64_t work, struct opa_row *ret)
{
	*ret = tx_first(tx, struct opa_row, read_opa, "SELECT " COLUMNS " FROM opa WHERE work = $1",
	    DB_I64(work));
	return ret;
}

void
row_opa_set(struct tx *tx, const struct opa_row *row)
{
	(void)tx_run(tx,
	    "INSERT INTO opa (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	    " ON CONFLICT (work) DO UPDATE SET at = $2, digest = $3, verdict = $4, reason = $5,"
	    " decision = $6, tries = $7, since = $8, is_to_ask = $9, is_noted = $10, git = ''",
	    DB_I64(row->work), DB_I64(row->at), DB_TEXT(row->digest), DB_I64(row->verdict),
	    DB_TEXT(row->reason), DB_TEXT(row->decision), DB_I64(row->tries), DB_I64(row->since),
	    DB_I64(row->is_to_ask), DB_I64(row->is_noted)); /* sticky */
}

void
row_opa_drop(struct tx *tx, int64_t work)
{
	(void)tx_run(tx, "DELETE FROM opa WHERE work = $1", DB_I64(work)); /* sticky */
}

void
row_opa_set_git(struct tx *tx, int64_t work, const char *text)
{
	(void)tx_run(tx, "UPDATE opa SET git = $2 WHERE work = $1", DB_I64(work),
	    DB_TEXT(text)); /* sticky */
}

const char *
row_opa_git(struct tx *tx, int64_t work, char *ret, size_t room)
{
	return tx_first_text(tx, ret, room, "SELECT git FROM opa WHERE work = $1", DB_I64(work));
}

int64_t
row_opa_push(struct tx *tx, const char *environment)
{
	return tx_number(tx,
	    "SELECT d.id FROM work d INDEXED BY work_open WHERE d.environment = $1"
	    " AND " STORE_IS_OPEN " AND d.state = 'REQUESTED' AND " STORE_IS_PUSH
	    " AND EXISTS (SELECT 1 FROM effect e WHERE e.subject = d.id AND e.kind = 'opa')"
	    " UNION ALL SELECT 0 LIMIT 1",
	    DB_TEXT(environment));
}
