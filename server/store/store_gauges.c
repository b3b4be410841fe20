/* store_gauges.c - what is the case now, asked of the rows only after they changed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_console.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_left_host.h"
#include "store/row_peer.h"
#include "store/row_redelivery.h"
#include "store/row_token.h"
#include "store/store_inside.h"
#include "types/repository.h"
#include "types/settings.h"
#include "types/waves.h"

static void
read_environment(struct tx *tx, const char *name, struct environment_gauge *ret)
{
	struct left_host left[LEFT_HOSTS_SHOWN];
	struct environment environment;
	struct deployment active;
	bool is_busy;
	const struct deployment_last last = row_deployment_last(tx, name);
	const struct environment_settings *settings =
	    settings_environment(tx->store->settings, name);
	bool is_polled;

	row_environment_get(tx, name, &environment);
	row_deployment_active(tx, name, &active);
	/* Actions have deadlines of their own: an alert that knows that of deployments is none for
	 * them. */
	is_busy = active.id != 0 && !deployment_is_action(&active);
	/* What failed before nobody asks for any more. */
	is_polled = repository_is_polled(settings, environment.unknown_since);
	*ret = (struct environment_gauge){
		.has_worked = last.trigger != TRIGGER_COUNT,
		.trigger = last.trigger,
		.is_busy = is_busy,
		.is_unacknowledged = environment.is_unacknowledged,
		.is_down = environment.is_down,
		.poll_failing_since = is_polled ? environment.poll_failing_since : 0,
		.has_failed = last.end == DEPLOY_FAILED || last.end == DEPLOY_ROLLBACK_FAILED,
		.is_locked = (environment.held & ENVIRONMENT_IS_LOCKED) != 0,
		.is_frozen = (environment.held & ENVIRONMENT_IS_FROZEN) != 0,
		.busy_since = is_busy ? active.started_at : 0,
		.released_at = environment.current.at,
		.left_hosts = (int)row_left_host_list(tx, name, left),
	};
	ret->has_hosts = settings != NULL && settings->in_waves.is_set;
	if (ret->has_hosts)
		ret->hosts_behind =
		    row_host_states(tx, name, environment.current.commit, ret->hosts);
	(void)text_copy(ret->name, sizeof(ret->name), name);
	(void)text_copy(ret->commit, sizeof(ret->commit),
	    environment.current.source == SOURCE_GIT ?
		environment.current.commit :
		commit_name_here(COMMIT_OF(&environment.current)));
	(void)snprintf(ret->subject, sizeof(ret->subject), "%.*s",
	    (int)text_cut(environment.current.subject, strlen(environment.current.subject),
		sizeof(ret->subject) - 1),
	    environment.current.subject);
	(void)text_copy(ret->by, sizeof(ret->by), environment.current.by);
}

/* Its name, i-th of those that are to be looked at; NULL: the settings have it no more. */
static const char *
name_at(const struct store *store, size_t i)
{
	const char *name;

	if (store->changed.is_all)
		return store->settings->environments[i].name;
	name = store->changed.names[i];
	/* Nothing is ever live at a client: it has no series of an environment. */
	return environment_client(name) != NULL ||
		settings_environment(store->settings, name) == NULL ?
	    NULL :
	    name;
}

static bool
read_environments(struct store *store, struct gauges *gauges, struct err *err)
{
	size_t n = store->settings == NULL ? 0 :
	    store->changed.is_all	   ? store->settings->environment_count :
					     store->changed.n;
	struct event nothing = { 0 };
	struct tx tx;

	gauges->is_all = store->changed.is_all;
	gauges->environment = mem_new(n + 1, sizeof(*gauges->environment));
	tx_begin(&tx, store, &nothing);
	for (size_t i = 0; i < n; i++)
		if (name_at(store, i) != NULL)
			read_environment(
			    &tx, name_at(store, i), &gauges->environment[gauges->n_environments++]);
	if (tx.failed)
		*err = tx.err;
	return !tx.failed;
}

/* By the newest settings: who has a role, and under which secret tokens stand, is theirs. */
static bool
add_tokens(struct store *store, struct queue_list *out, struct err *err)
{
	struct event now = { .context = { .settings = store->settings, .at = store->at } };
	struct outcome *outcome;
	struct tx tx;

	if (!store->are_tokens_stale || store->settings == NULL)
		return true;
	outcome = outcome_new(OUTCOME_TOKENS);
	outcome->tokens = mem_new(1, sizeof(*outcome->tokens));
	tx_begin(&tx, store, &now);
	if (!row_token_known(&tx, outcome->tokens) || !row_console_known(&tx, outcome->tokens)) {
		*err = tx.err;
		outcome_free(outcome);
		return false;
	}
	queue_list_add(out, &outcome->link);
	return true;
}

/* Nobody reads them where there is no deploybot-link. */
static bool
add_peers(struct store *store, struct queue_list *out, struct err *err)
{
	struct event nothing = { 0 };
	struct outcome *outcome;
	struct tx tx;

	if (!store->are_peers_stale || store->settings == NULL ||
	    store->settings->link.address == NULL)
		return true;
	outcome = outcome_new(OUTCOME_PEERS);
	tx_begin(&tx, store, &nothing);
	outcome->peers = row_peer_known(&tx);
	if (outcome->peers == NULL) {
		*err = tx.err;
		outcome_free(outcome);
		return false;
	}
	known_peers_set_renewed(outcome->peers, store->settings->link.ca_key != NULL);
	queue_list_add(out, &outcome->link);
	return true;
}

bool
store_gauges_add(struct store *store, struct queue_list *out, struct err *err)
{
	struct event nothing = { 0 };
	struct gauges *gauges;
	struct outcome *outcome;
	struct tx tx;

	if (!add_tokens(store, out, err) || !add_peers(store, out, err))
		return false;
	if (!store_names_are_any(&store->changed) &&
	    store->mark.n_outbox == store->gauges.outbox_pending &&
	    store->mark.audit.seq == store->gauges.audit_entries && !store->is_outside_changed)
		return true;
	outcome = outcome_new(OUTCOME_GAUGES);
	outcome->gauges = gauges = mem_new(1, sizeof(*gauges));
	gauges->outbox_pending = store->mark.n_outbox;
	gauges->audit_entries = store->mark.audit.seq;
	gauges->missing_since = store->gauges.missing_since;
	tx_begin(&tx, store, &nothing);
	if (store->is_outside_changed)
		gauges->missing_since = row_redelivery_missing(&tx).since;
	if (tx.failed)
		*err = tx.err;
	if (tx.failed || !store_witness_waiting(store, gauges, err) ||
	    (store_names_are_any(&store->changed) && !read_environments(store, gauges, err))) {
		outcome_free(outcome);
		return false;
	}
	queue_list_add(out, &outcome->link);
	return true;
}
