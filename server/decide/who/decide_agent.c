/* decide_agent.c - what an agent may be ordered, and why an action cannot go to it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_agent.h"

#include <inttypes.h>
#include <stdio.h>

#include "deployment/deployment.h"
#include "settings/checks/settings_runners.h"
#include "store/row_peer.h"
#include "store/row_queue.h"
#include "store/row_runner.h"
#include "types/peers.h"

#define DIGITS 8 /* of a unit's digest, for people */

void
decide_agent_look(struct tx *tx, const char *name)
{
	const char *agent;

	for (size_t i = 0; i < tx->settings->client_count; i++) {
		agent = peer_of_host(tx->settings->clients[i].host);
		if (agent != NULL && strcmp(agent, name) == 0)
			row_queue_look(tx, tx->settings->clients[i].target);
	}
}

const char *
decide_agent_of(const struct client_settings *client, const struct action *action)
{
	return client == NULL || action == NULL || action->executor != ACTION_BY_HOST ?
	    NULL :
	    peer_of_host(client->host);
}

const char *
decide_agent_runner(const struct tx *tx, const struct deployment *work)
{
	const struct client_settings *client = settings_client(tx->settings, work->client);

	if (work->client[0] == '\0')
		return settings_runner(tx->settings, work->environment);
	return deployment_is_action(work) &&
		decide_agent_of(client, action_row_of(work->action)) != NULL ?
	    client->host :
	    RUNNER_LOCAL;
}

bool
decide_agent_is_away(struct tx *tx, const struct deployment *work)
{
	return work->client[0] == '\0' &&
	    row_runner_named(tx, decide_agent_runner(tx, work)).at != 0;
}

struct runner_gone
decide_agent_gone(struct tx *tx, const char *environment, int64_t run)
{
	return run != 0 ? row_runner_gone(tx, run) :
			  row_runner_named(tx, settings_runner(tx->settings, environment));
}

const char *
decide_agent_list(struct tx *tx, const char *name, char ret[LIMIT_MANIFEST])
{
	char identity[CRYPTO_CA_IDENTITY];

	return row_peer_manifest(tx, peer_identity(name, identity), ret);
}

const char *
decide_agent_refusal(struct tx *tx, const struct client_settings *client,
    const struct action *action, char out[LIMIT_LINE])
{
	const char *name = decide_agent_of(client, action);
	char identity[CRYPTO_CA_IDENTITY], list[LIMIT_MANIFEST];
	struct peer peer;

	if (name == NULL)
		return NULL;
	peer = row_peer_get(tx, peer_identity(name, identity));
	if (peer.identity[0] == '\0')
		(void)snprintf(out, LIMIT_LINE,
		    "%s's agent is not enrolled: an admin does that with deploybot agent enrol %s",
		    name, name);
	else if (peer.revoked_at != 0)
		(void)snprintf(
		    out, LIMIT_LINE, "%s's agent was revoked: nothing is started through it", name);
	else if (peer.manifest[0] == '\0')
		(void)snprintf(out, LIMIT_LINE,
		    "%s's agent has never connected: what it can start is not known", name);
	else if (peer_capability(decide_agent_list(tx, name, list), action->name) == NULL)
		(void)snprintf(out, LIMIT_LINE,
		    "%s has no deploybot-do-%s.service that its agent may start: /usr/lib/deploybot/deploybot-agent check, there, says why",
		    name, action->name);
	else
		return NULL;
	return out;
}

const char *
decide_agent_touches(
    struct tx *tx, const char *name, const struct action *action, char out[LIMIT_LINE])
{
	char list[LIMIT_MANIFEST];
	const char *digest = peer_capability(decide_agent_list(tx, name, list), action->name);

	if (digest == NULL)
		(void)snprintf(out, LIMIT_LINE, "starts deploybot-do-%s.service", action->name);
	else
		(void)snprintf(out, LIMIT_LINE, "starts deploybot-do-%s.service (%.*s…)",
		    action->name, DIGITS, digest);
	return out;
}

const char *
decide_agent_log(struct tx *tx, const struct deployment *work, int64_t run,
    char ret_runner[LIMIT_RUNNER], char out[LIMIT_LINE])
{
	const char *name = peer_of_host(row_runner_of(tx, run, ret_runner));

	if (name == NULL && !settings_is_servers_runner(tx->settings, ret_runner))
		return NULL;
	if (name == NULL) {
		(void)snprintf(out, LIMIT_LINE,
		    "The log is at the server %s: STATE_DIRECTORY/runs/%" PRId64
		    "/log there, or here once that one leads",
		    ret_runner, run);
		return out;
	}
	(void)snprintf(out, LIMIT_LINE,
	    "Its output is in the journal of %s, and not here: journalctl -u deploybot-do-%s.service",
	    name, work->action);
	return out;
}
