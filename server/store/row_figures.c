/* row_figures.c - deployments and rollbacks that have ended, for the four figures.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_figures.h"

#include "store/row_run.h"
#include "store/store_inside.h"

static bool
is_rollback(const char *word)
{
	return row_run_program(word) == PROGRAM_ROLLBACK;
}

TX_READER(read_ended, struct ended_work, TX_I64(id), TX_I64(ended_at), TX_I64(committed_at),
    TX_I64(left_at), TX_WORD(state, deploy_flow_parse), TX_WORD(is_rollback, is_rollback))

size_t
row_figures_list(struct tx *tx, const char *environment, struct figure_span span,
    struct ended_work *ret, size_t max)
{
	return tx_read(tx, read_ended, ret, max,
	    "SELECT id, ended_at, committed_at, COALESCE((SELECT b.requested_at FROM release r"
	    " INDEXED BY release_deployment JOIN work b ON b.id = r.left_by"
	    " WHERE r.deployment = work.id), 0), state, program"
	    " FROM work INDEXED BY work_ended WHERE environment = $1 AND ended_at >= $2"
	    " AND ended_at < $3 AND (state <> 'FAILED' OR is_touched = 1) AND " STORE_HAS_RUN
	    " ORDER BY ended_at, id LIMIT $4",
	    DB_TEXT(environment), DB_I64(span.from), DB_I64(span.until), DB_I64(max));
}
