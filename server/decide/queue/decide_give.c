/* decide_give.c - two people's work in one queue exchange their places.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_give.h"

#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "store/row_queue.h"

static bool
may_give(const struct deployment *mine, const struct deployment *other)
{
	return mine->state == DEPLOY_QUEUED && other->state == DEPLOY_QUEUED &&
	    strcmp(mine->environment, other->environment) == 0 && deployment_is_by_request(mine) &&
	    deployment_is_by_request(other) && mine->program == other->program &&
	    deployment_is_emergency(mine) == deployment_is_emergency(other) &&
	    mine->requested_by != other->requested_by && mine->place < other->place;
}

bool
decide_give(struct tx *tx, struct deployment *mine, struct deployment *other)
{
	char to[PRINCIPAL_TEXT];
	int64_t place = mine->place;

	if (!may_give(mine, other))
		return false;
	mine->place = other->place;
	other->place = place;
	other->wait.is_next_notified = mine->wait.is_next_notified; /* by what is said now */
	mine->wait.is_next_notified = false;
	row_deployment_save(tx, mine);
	row_deployment_save(tx, other);
	decide_audit_request(tx, mine, mine->requested_by, AUDIT_CODE_PLACE_GIVEN, "given",
	    (const char *const[]){ "to", decide_user(tx, other->requested_by, to), NULL });
	decide_tell_given(tx, mine, other);
	row_queue_look(tx, mine->environment);
	return true;
}
