/* store_gauges.c - what is the case now, asked of the rows only after they changed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/store_inside.h"

static void
read_environment(struct tx *tx, const char *name, struct environment_gauge *ret)
{
	struct environment environment = row_environment_get(tx, name);
	struct deployment active = row_deployment_active(tx, name);
	enum deploy_state end = row_deployment_last_end(tx, name);

	*ret = (struct environment_gauge){
		.is_busy = active.id != 0,
		.is_unacknowledged = environment.is_unacknowledged,
		.has_failed = end == DEPLOY_FAILED || end == DEPLOY_ROLLBACK_FAILED,
		.busy_since = active.started_at,
		.released_at = environment.current.at,
	};
	(void)text_copy(ret->name, sizeof(ret->name), name);
	(void)text_copy(ret->commit, sizeof(ret->commit), environment.current.commit);
}

static bool
read_environments(struct store *store, struct gauges *gauges, struct err *err)
{
	struct event nothing = { 0 };
	struct tx tx;

	tx_begin(&tx, store, &nothing);
	gauges->n_environments = 0;
	for (size_t i = 0; store->settings != NULL && i < store->settings->environment_count &&
	     i < LIMIT_ENVIRONMENTS;
	     i++)
		read_environment(&tx, store->settings->environments[i].name,
		    &gauges->environment[gauges->n_environments++]);
	if (tx.failed)
		*err = tx.err;
	return !tx.failed;
}

bool
store_gauges_add(struct store *store, struct queue_list *out, struct err *err)
{
	struct gauges gauges = store->gauges;
	struct outcome *outcome;

	gauges.outbox_pending = store->mark.n_outbox;
	gauges.audit_entries = store->mark.audit.seq;
	if (store->environments_changed && !read_environments(store, &gauges, err))
		return false;
	if (!store->environments_changed && gauges.outbox_pending == store->gauges.outbox_pending &&
	    gauges.audit_entries == store->gauges.audit_entries)
		return true;
	outcome = outcome_new(OUTCOME_GAUGES);
	if (outcome != NULL)
		outcome->gauges = malloc(sizeof(*outcome->gauges));
	if (outcome == NULL || outcome->gauges == NULL) {
		outcome_free(outcome);
		return err_set(err, ERR_NOMEM, "no memory for gauges");
	}
	*outcome->gauges = gauges;
	queue_list_add(out, &outcome->link);
	return true;
}
