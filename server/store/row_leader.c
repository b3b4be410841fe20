/* row_leader.c - the leader's row, and who asks for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_leader.h"

#include "lib/text.h"
#include "store/leader.h"
#include "store/store_inside.h"

bool
row_leader_get(struct tx *tx, struct row_leader *ret)
{
	struct db *db = tx->store->db;
	struct leader leader;

	*ret = (struct row_leader){ 0 };
	if (tx->store->config.fence == NULL || tx->failed)
		return false;
	tx->failed =
	    !leader_read(db, &leader, &tx->err) || !leader_standby(db, ret->standby, &tx->err);
	(void)text_copy(ret->name, sizeof(ret->name), leader.holder); /* of the same size */
	ret->since = leader.since;
	return !tx->failed;
}
