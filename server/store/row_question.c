/* row_question.c - what whoever answers for some work was shown, a row for each work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_question.h"

#include "store/store_inside.h"

TX_READER(read_question, struct question, TX_TEXT(shown_live), TX_I64(shown_at), TX_I64(shown_own),
    TX_I64(shown_block), TX_TEXT(warning), TX_TEXT(shown_image), TX_TEXT(differing),
    TX_INT(n_changed), TX_I64(not_before), TX_FLAG(is_unconfirmed), TX_TEXT(seen_by),
    TX_I64(compared_block))

#define WRITTEN \
	"shown_live, shown_at, shown_blocked, shown_block, warning, shown_image, differing," \
	" n_changed, not_before, is_unconfirmed, seen_by"

struct question *
row_question_get(struct tx *tx, int64_t work, struct question *ret)
{
	return tx_first_to(tx, read_question, ret,
	    "SELECT " WRITTEN ", compared_block FROM question WHERE work = $1", DB_I64(work));
}

void
row_question_set(struct tx *tx, int64_t work, const struct question *question)
{
	(void)tx_run(tx,
	    "INSERT INTO question (work, " WRITTEN
	    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
	    " ON CONFLICT (work) DO UPDATE SET (" WRITTEN
	    ") = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
	    DB_I64(work), DB_TEXT(question->shown_live), DB_I64(question->shown_at),
	    DB_I64(question->shown_own), DB_I64(question->shown_block), DB_TEXT(question->warning),
	    DB_TEXT(question->shown_image), DB_TEXT(question->differing),
	    DB_I64(question->n_changed), DB_I64(question->not_before),
	    DB_I64(question->is_unconfirmed), DB_TEXT(question->seen_by)); /* sticky */
}

void
row_question_compare(struct tx *tx, int64_t work, int64_t block)
{
	if (block > 0)
		(void)tx_run(tx,
		    "INSERT INTO question (work, compared_block) VALUES ($1, $2) ON CONFLICT (work)"
		    " DO UPDATE SET compared_block = $2 WHERE question.compared_block < $2",
		    DB_I64(work), DB_I64(block)); /* sticky */
}

bool
row_question_is_uncompared(struct tx *tx, const struct deployment *work)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM (SELECT 1 FROM block WHERE environment = $1 AND number >"
		   " COALESCE((SELECT compared_block FROM question WHERE work = $2), 0) LIMIT 1)"
		   " AS newer",
		   DB_TEXT(work->environment), DB_I64(work->id)) != 0;
}

void
row_question_hide_blocks(struct tx *tx, int64_t work)
{
	(void)tx_run(tx, "UPDATE question SET shown_blocked = 0, shown_block = 0 WHERE work = $1",
	    DB_I64(work)); /* sticky */
}
