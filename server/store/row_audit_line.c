/* row_audit_line.c - one row a day, kept for ever: what is compared with the chain later.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_audit_line.h"

#include "store/store_inside.h"

int64_t
row_audit_line_newest(struct tx *tx)
{
	return tx_number(tx,
	    "SELECT l.seq FROM audit_line l JOIN audit a ON a.seq = l.seq AND a.at = l.at"
	    " ORDER BY l.seq DESC LIMIT 1");
}

void
row_audit_line_add(struct tx *tx, const struct audit_line_row *line)
{
	(void)tx_run(tx,
	    "INSERT INTO audit_line (seq, head, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
	    DB_I64(line->seq), DB_TEXT(line->head), DB_I64(line->at)); /* sticky */
}
