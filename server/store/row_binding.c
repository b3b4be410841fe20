/* row_binding.c - the list of what may ship a piece of work, as the runner made it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_binding.h"

#include "store/row_queue.h"
#include "store/store_inside.h"

void
row_binding_set(struct tx *tx, int64_t work, const char *list)
{
	(void)tx_run(tx, "UPDATE work SET binding_list = $2 WHERE id = $1", DB_I64(work),
	    DB_TEXT(list)); /* sticky */
}

const char *
row_binding_get(struct tx *tx, int64_t work, char ret[FINGERPRINT_LIST_MAX])
{
	return tx_first_text(tx, ret, FINGERPRINT_LIST_MAX,
	    "SELECT binding_list FROM work WHERE id = $1", DB_I64(work));
}

int64_t
row_binding_waiting(struct tx *tx, int64_t after)
{
	return tx_number(tx,
	    "SELECT MIN(id) FROM work INDEXED BY work_waits WHERE state = 'QUEUED'"
	    " AND waits_for <> '' AND waits_for = '" ROW_QUEUE_SETTINGS "' AND id > $1",
	    DB_I64(after));
}

const char *
row_binding_digest(const struct deployment *deployment, const char *list, char out[LIMIT_DIGEST])
{
	bool is_deploy = deployment->program == PROGRAM_DEPLOY;

	return fingerprint_of_order(list,
	    deployment_is_action(deployment) ? SOURCE_GIT : deployment->source,
	    is_deploy ? deployment->tree : "", out);
}
