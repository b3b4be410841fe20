/* row_queue.c - places in the queues of the environments: who stands where, and what each waits for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_queue.h"

#include "store/store_inside.h"

#define WAITS "state = 'QUEUED' AND waits_for <> ''" /* of the index work_waits */

int64_t
row_queue_draw(struct tx *tx)
{
	return tx_next_id(tx, STORE_ID_PLACE);
}

size_t
row_queue_list(struct tx *tx, const char *environment, int64_t ret[ROW_QUEUE_LIST])
{
	return tx_read(tx, tx_read_number, ret, ROW_QUEUE_LIST,
	    "SELECT id FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' ORDER BY " STORE_STANDS_BEHIND ", place, id LIMIT $2",
	    DB_TEXT(environment), DB_I64(ROW_QUEUE_LIST));
}

int64_t
row_queue_count(struct tx *tx, const char *environment, int64_t person, bool is_first)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' AND NOT " STORE_IS_PUSH " AND ($2 = 0 OR requested_by = $2)"
	    " AND CASE WHEN " STORE_STANDS_BEHIND " THEN 1 ELSE 0 END <> $3",
	    DB_TEXT(environment), DB_I64(person), DB_I64(is_first));
}

int64_t
row_queue_push(struct tx *tx, const char *environment)
{
	return tx_number(tx,
	    "SELECT id FROM work INDEXED BY work_waiting_push WHERE environment = $1"
	    " AND state = 'QUEUED' AND " STORE_IS_PUSH " UNION ALL SELECT 0 LIMIT 1",
	    DB_TEXT(environment));
}

void
row_queue_wait(struct tx *tx, int64_t deployment, const char *waits_for)
{
	(void)tx_run(tx, "UPDATE work SET waits_for = $2 WHERE id = $1 AND waits_for <> $2",
	    DB_I64(deployment), DB_TEXT(waits_for)); /* sticky */
}

int64_t
row_queue_waits_longer(struct tx *tx, const char *resource, int64_t place)
{
	return tx_number(tx,
	    "SELECT id FROM (SELECT id FROM work INDEXED BY work_waits WHERE " WAITS
	    " AND waits_for = $1 AND place < $2 ORDER BY place LIMIT 1)"
	    " AS first UNION ALL SELECT 0 LIMIT 1",
	    DB_TEXT(resource), DB_I64(place));
}

void
row_queue_look(struct tx *tx, const char *environment)
{
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_queued SET waits_for = $2"
	    " WHERE environment = $1 AND state = 'QUEUED'",
	    DB_TEXT(environment), DB_TEXT(ROW_QUEUE_LOOK)); /* sticky */
	tx->has_looks = true;
}

void
row_queue_freed(struct tx *tx, int64_t work)
{
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_waits SET waits_for = $2 WHERE " WAITS
	    " AND waits_for IN (SELECT resource FROM claim WHERE work = $1)",
	    DB_I64(work), DB_TEXT(ROW_QUEUE_LOOK)); /* sticky */
	tx->has_looks = true;
}

void
row_queue_look_held(struct tx *tx)
{
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_waits SET waits_for = $1 WHERE " WAITS
	    " AND waits_for = '" ROW_QUEUE_HOLD "'",
	    DB_TEXT(ROW_QUEUE_LOOK)); /* sticky */
	tx->has_looks = true;
}

bool
row_queue_next(struct tx *tx, char ret_environment[LIMIT_ENVIRONMENT])
{
	tx->has_looks = tx->has_looks &&
	    tx_read_sql(tx, tx_read_environment, ret_environment, LIMIT_ENVIRONMENT, 1,
		DB_SQL("SELECT environment FROM work INDEXED BY work_waits WHERE " WAITS
		       " AND waits_for = '" ROW_QUEUE_LOOK "' ORDER BY place LIMIT 1")) > 0;
	if (!tx->has_looks)
		return false;
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_queued SET waits_for = '' WHERE environment = $1"
	    " AND state = 'QUEUED' AND waits_for = '" ROW_QUEUE_LOOK "'",
	    DB_TEXT(ret_environment)); /* sticky */
	return true;
}
