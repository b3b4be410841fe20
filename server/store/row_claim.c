/* row_claim.c - what work in progress occupies: a resource is held by one, or by none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_claim.h"

#include "store/row_queue.h"
#include "store/store_inside.h"

int64_t
row_claim_holder(struct tx *tx, const char *resource)
{
	return tx_number(tx,
	    "SELECT work FROM claim WHERE resource = $1 UNION ALL SELECT 0 LIMIT 1",
	    DB_TEXT(resource));
}

int64_t
row_claim_before(struct tx *tx, const char *waits_for, int64_t place)
{
	int64_t holder;

	if (strchr(waits_for, ':') == NULL) /* each resource has its kind in front */
		return 0;
	holder = row_claim_holder(tx, waits_for);
	return holder != 0 ? holder : row_queue_waits_longer(tx, waits_for, place);
}

void
row_claim_take(struct tx *tx, int64_t work, const struct settings_claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		(void)tx_run(tx, "INSERT INTO claim (resource, work) VALUES ($1, $2)",
		    DB_TEXT(claims->at[i]), DB_I64(work)); /* sticky */
}

bool
row_claim_take_one(struct tx *tx, int64_t work, const char *resource)
{
	return tx_changes(tx,
		   "INSERT INTO claim (resource, work) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		   DB_TEXT(resource), DB_I64(work)) == 1;
}

void
row_claim_give_back(struct tx *tx, int64_t work)
{
	row_queue_freed(tx, work);
	(void)tx_run(tx, "DELETE FROM claim WHERE work = $1", DB_I64(work)); /* sticky */
}

int64_t
row_claim_count(struct tx *tx, int64_t work)
{
	return tx_number(tx, "SELECT COUNT(*) FROM claim WHERE work = $1", DB_I64(work));
}

int64_t
row_claim_clear(struct tx *tx)
{
	return tx_changes(tx,
	    "DELETE FROM claim WHERE work NOT IN (SELECT id FROM work WHERE " STORE_IS_ACTIVE
	    " UNION ALL SELECT id FROM work WHERE " STORE_IS_PIPELINE ")");
}
