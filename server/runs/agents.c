/* agents.c - the agents that deploybot-link has connected.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agents.h"

#include <search.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "runs/link_client.h"

struct agents {
	struct agent_link_world world;
	struct bucket renewals;
	void *all; /* tsearch(3), by their identities */
};

static int
compare(const void *a, const void *b)
{
	return strcmp(agent_link_identity(a), agent_link_identity(b));
}

static int
compare_text(const void *identity, const void *agent)
{
	return strcmp(identity, agent_link_identity(agent));
}

static struct agent_link *
find(const struct agents *agents, const char *identity)
{
	struct agent_link *const *found = tfind(identity, &agents->all, compare_text);

	return found == NULL ? NULL : *found;
}

static struct agent_link *
find_or_make(struct agents *agents, const char *identity)
{
	struct agent_link *agent = find(agents, identity);

	if (agent != NULL)
		return agent;
	agent = agent_link_new(&agents->world, identity);
	if (tsearch(agent, &agents->all, compare) == NULL)
		abort(); /* as mem_new() */
	return agent;
}

/* --- what deploybot-link says --- */

static void
on_here(void *ctx, const char *identity)
{
	if (text_starts(identity, PEER_AGENT))
		agent_link_set(find_or_make(ctx, identity), true);
}

static void
set_gone(const void *node, VISIT which, UNUSED void *closure)
{
	if (which == postorder || which == leaf)
		agent_link_set(*(struct agent_link *const *)node, false);
}

static void
on_gone(void *ctx, const char *identity)
{
	const struct agents *agents = ctx;
	struct agent_link *agent = identity == NULL ? NULL : find(agents, identity);

	if (identity == NULL)
		twalk_r(agents->all, set_gone, NULL);
	else if (agent != NULL)
		agent_link_set(agent, false);
}

static void
on_packet(void *ctx, const char *identity, uint32_t channel, const char *packet, size_t size)
{
	struct agent_link *agent = find(ctx, identity);

	if (agent != NULL)
		agent_link_take(agent, channel, packet, size);
}

/* --- for its owner, and for runs --- */

struct agents *
agents_new(const struct agents_config *config, struct err *err)
{
	struct agents *agents = mem_new(1, sizeof(*agents));
	const struct link_client_watch watch = { on_here, on_gone, on_packet, agents };

	if (!crypto_ca_order_seed(config->order_key, agents->world.seed, err)) {
		free(agents);
		return NULL;
	}
	agents->world.loop = config->loop;
	agents->world.renewals = &agents->renewals;
	agents->world.on_said = config->on_said;
	agents->world.on_runner = config->on_runner;
	agents->world.ctx = config->ctx;
	agents->world.link = link_client_new(config->loop, config->path, &watch);
	return agents;
}

void
agents_join(struct agents *agents, const struct agent_link_runs *runs)
{
	agents->world.runs = *runs;
}

void
agents_take_peers(struct agents *agents, struct known_peers *peers)
{
	link_client_take_peers(agents->world.link, peers);
}

struct agent_link *
agents_find(struct agents *agents, const char *runner)
{
	const char *name = peer_of_host(runner);
	char identity[CRYPTO_CA_IDENTITY];

	return name == NULL ? NULL : find_or_make(agents, peer_identity(name, identity));
}

struct link_client *
agents_link(const struct agents *agents)
{
	return agents->world.link;
}

static void
free_one(void *agent)
{
	agent_link_free(agent);
}

void
agents_free(struct agents *agents)
{
	if (agents == NULL)
		return;
	link_client_free(agents->world.link);
	tdestroy(agents->all, free_one);
	crypto_wipe(agents, sizeof(*agents));
	free(agents);
}
