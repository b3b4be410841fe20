/* row_past.c - the barriers that a deployment of an earlier commit goes past, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_past.h"

#include "store/store_inside.h"

bool
row_past_set(struct tx *tx, int64_t deployment, const struct git_answer *answer)
{
	struct barrier before[BARRIERS_SHOWN];
	size_t n = row_past_list(tx, deployment, before), known = 0;

	if (n == 0 && answer->n_past == 0)
		return false;
	(void)tx_run(tx, "DELETE FROM past WHERE deployment = $1", DB_I64(deployment)); /* sticky */
	for (size_t i = 0; i < answer->n_past; i++) {
		const struct git_past *past = &answer->past[i];

		for (size_t k = 0; k < n; k++)
			known += strcmp(before[k].commit, past->commit) == 0;
		(void)tx_run(tx,
		    "INSERT INTO past (id, deployment, commit_id, reason) VALUES ($1, $2, $3, $4)",
		    DB_I64(tx_next_id(tx, STORE_ID_PAST)), DB_I64(deployment),
		    DB_TEXT(past->commit), DB_TEXT(past->reason)); /* sticky */
	}
	return known < answer->n_past;
}

TX_READER(read_past, struct barrier, TX_TEXT(commit), TX_TEXT(reason), TX_SOURCE(source))

size_t
row_past_list(struct tx *tx, int64_t deployment, struct barrier ret[BARRIERS_SHOWN])
{
	return tx_read(tx, read_past, ret, BARRIERS_SHOWN,
	    "SELECT commit_id, reason, source FROM past WHERE deployment = $1 ORDER BY id LIMIT $2",
	    DB_I64(deployment), DB_I64(BARRIERS_SHOWN));
}
