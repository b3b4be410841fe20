/* decide_pending.c - what awaits approvals or a review: one list for the chat and for /v1.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_pending.h"

#include "decide/approval/decide_needs.h"
#include "store/row_approval.h"

static bool
is_in(const struct decide_scope *scope, const char *environment)
{
	for (size_t i = 0; i < scope->n; i++)
		if (strcmp(scope->at[i]->name, environment) == 0)
			return true;
	return false;
}

size_t
decide_pending_list(
    struct tx *tx, const struct decide_scope *scope, bool is_all, int64_t ret[DECIDE_PENDING_MAX])
{
	int64_t id = 0;
	size_t n = 0;

	while (n < DECIDE_PENDING_MAX && (id = row_approval_next(tx, id)) != 0) {
		struct deployment work;
		const char *of;

		row_deployment_get(tx, id, &work);
		of = deployment_target_here(&work);
		if ((is_in(scope, work.environment) || is_in(scope, of) ||
			(is_all && environment_client(of) != NULL)) &&
		    decide_sees(tx, scope->person, of))
			ret[n++] = id;
	}
	return n;
}

size_t
decide_pending_reviews(
    struct tx *tx, const struct decide_scope *scope, struct deployment *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < scope->n && n < max; i++)
		if (environment_client(scope->at[i]->name) == NULL) /* else nothing is deployed */
			n += row_deployment_list_unreviewed(
			    tx, scope->at[i]->name, ret + n, max - n);
	return n;
}

const char *
decide_pending_why_not(struct tx *tx, const struct deployment *work, int64_t person)
{
	switch (decide_needs_may(tx, work, person, NULL)) {
	case NEEDS_MAY:
		return NULL;
	case NEEDS_ASKED:
		return DECIDE_NEEDS_OWN(work, person);
	case NEEDS_BY_TOKEN:
		return "asked for with a token of yours";
	default:
		return "not for you to approve";
	}
}
