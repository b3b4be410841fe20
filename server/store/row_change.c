/* row_change.c - the commits that each deployment brought, as git said, for its rollback.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_change.h"

#include "store/store_inside.h"

void
row_change_forget(struct tx *tx, int64_t deployment)
{
	(void)tx_run(
	    tx, "DELETE FROM change WHERE deployment = $1", DB_I64(deployment)); /* sticky */
}

/* `n` -1: how many there are, of which the newest are named. */
void
row_change_set(struct tx *tx, int64_t deployment, const struct git_answer *answer)
{
	row_change_forget(tx, deployment);
	if (!answer->has_base || answer->forced)
		return;
	(void)tx_run(tx,
	    "INSERT INTO change (deployment, n, of, commit_id, subject) VALUES ($1, -1, $2, '', '')",
	    DB_I64(deployment), DB_I64(answer->count));
	for (size_t i = 0; i < answer->n_changes; i++)
		(void)tx_run(tx,
		    "INSERT INTO change (deployment, n, of, commit_id, subject)"
		    " VALUES ($1, $2, 0, $3, $4)",
		    DB_I64(deployment), DB_I64(i), DB_TEXT(answer->change[i].commit),
		    DB_TEXT(answer->change[i].subject)); /* all sticky */
}

TX_READER(read_change, struct git_change, TX_TEXT(commit), TX_TEXT(subject))

#define GONE \
	" FROM release r LEFT JOIN change c ON c.deployment = r.deployment" \
	" WHERE r.environment = $1 AND r.id > $2 AND r.id <= $3 AND r.left_by = 0"

int64_t
row_change_list_gone(struct tx *tx, const struct release *to, const struct release *live,
    struct git_change *ret, size_t max, size_t *ret_n)
{
	int64_t unknown = tx_number(tx, "SELECT COUNT(*)" GONE " AND c.n IS NULL",
	    DB_TEXT(live->environment), DB_I64(to->id), DB_I64(live->id));

	*ret_n = 0;
	if (unknown > 0 || tx->failed)
		return 0;
	*ret_n = tx_read(tx, read_change, ret, max,
	    "SELECT c.commit_id, c.subject" GONE " AND c.n >= 0 ORDER BY r.id DESC, c.n LIMIT $4",
	    DB_TEXT(live->environment), DB_I64(to->id), DB_I64(live->id), DB_I64(max));
	return tx_number(tx, "SELECT SUM(c.of)" GONE, DB_TEXT(live->environment), DB_I64(to->id),
	    DB_I64(live->id));
}
