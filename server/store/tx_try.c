/* tx_try.c - part of a decision is tried: what it would do is known, and undone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/tx_try.h"

#include "lib/mem.h"
#include "store/store_inside.h"

/* What was said before is handed out whatever becomes of this. */
static void
join(struct tx *tx, struct tx *before)
{
	queue_list_append(&before->outcomes, &tx->outcomes);
	queue_list_append(&before->lines, &tx->lines);
	tx->outcomes = before->outcomes;
	tx->lines = before->lines;
}

static void
undo(struct tx *tx, const struct tx *before, struct store_mark mark)
{
	tx->store->mark = mark;
	free(tx->answer.text);
	free(tx->answer.targets);
	outcome_free_all(&tx->outcomes);
	tx_free_lines(&tx->lines);
	*tx = *before;
}

bool
tx_try(struct tx *tx, tx_try_fn *fn, void *arg)
{
	const struct store_mark mark = tx->store->mark;
	CLEANUP(freep) struct tx *before = NULL;
	bool has_done;

	free(TAKE(tx->answer.text)); /* it is said anew */
	free(TAKE(tx->answer.targets));
	before = mem_copy(tx, sizeof(*tx));
	if (tx->failed || !db_savepoint(tx->db, &tx->err)) {
		tx->failed = true;
		return false;
	}
	tx->outcomes = tx->lines = (struct queue_list){ 0 };
	tx->has_done = false;
	fn(tx, arg);
	has_done = tx->has_done;
	tx->has_done = false;
	if (tx->failed) { /* all of the tx goes, and not only this */
		join(tx, before);
		if (db_in_transaction(tx->db))
			(void)!db_rollback_to(tx->db, NULL);
		return false;
	}
	if (has_done)
		undo(tx, before, mark);
	else
		join(tx, before);
	if (!(has_done ? db_rollback_to : db_release)(tx->db, &tx->err))
		tx->failed = true;
	return has_done && !tx->failed;
}
