/* row_nonce.c - nonces that were said, and those that may be.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_nonce.h"

#include "store/store_inside.h"

#define DAY_MS INT64_C(86400000)

bool
row_nonce_is_used(struct tx *tx, const char *nonce, int64_t person, bool is_requests)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM nonce WHERE nonce = $1 AND ($3 = 0 OR person = $2)",
		   DB_TEXT(nonce), DB_I64(person), DB_I64(is_requests)) > 0;
}

void
row_nonce_add(struct tx *tx, const struct nonce_use *use)
{
	(void)tx_run(tx,
	    "INSERT INTO nonce (nonce, person, ts, at, work, is_requests)"
	    " VALUES ($1, $2, $3, $4, $5, $6)",
	    DB_TEXT(use->nonce), DB_I64(use->person), DB_I64(use->ts), DB_I64(tx->at),
	    DB_I64(use->work), DB_I64(use->is_requests)); /* sticky */
}

int64_t
row_nonce_purged(struct tx *tx)
{
	return tx_number(tx, "SELECT value FROM counter WHERE name = 'nonce'");
}

/* The two statements see the same rows. */
#define OLD \
	"FROM nonce INDEXED BY nonce_old WHERE MAX(at, ts * 1000) < $1" \
	" ORDER BY MAX(at, ts * 1000), nonce, person LIMIT $2"

bool
row_nonce_clear(struct tx *tx, int64_t max)
{
	(void)tx_run(tx,
	    "UPDATE counter SET value = MAX(value, COALESCE((SELECT MAX(ts) FROM (SELECT ts " OLD
	    ") AS old), 0)) WHERE name = 'nonce'",
	    DB_I64(tx->at - DAY_MS), DB_I64(max));
	return tx_changes(tx,
		   "DELETE FROM nonce WHERE (nonce, person) IN (SELECT nonce, person " OLD ")",
		   DB_I64(tx->at - DAY_MS), DB_I64(max)) == max;
}

void
row_nonce_request(struct tx *tx, const char *nonce, int64_t work)
{
	(void)tx_run(tx, "INSERT INTO request_nonce (nonce, work) VALUES ($1, $2)", DB_TEXT(nonce),
	    DB_I64(work)); /* sticky */
}

int64_t
row_nonce_work(struct tx *tx, const char *nonce)
{
	return tx_number(tx, "SELECT work FROM request_nonce WHERE nonce = $1", DB_TEXT(nonce));
}

void
row_nonce_of(struct tx *tx, int64_t work, char ret[ROW_NONCE_SIZE])
{
	(void)tx_first_text(tx, ret, ROW_NONCE_SIZE,
	    "SELECT nonce FROM request_nonce WHERE work = $1", DB_I64(work));
}
