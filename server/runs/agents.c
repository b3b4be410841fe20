/* agents.c - the agents and remote runners that deploybot-link has connected.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agents.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/host_lines.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "runs/link_client.h"

#define SILENT_MS 30000

struct agents {
	struct agent_link_world world;
	struct bucket renewals;
	struct loop_timer looks;	/* at clocks, and whether certificates are to be renewed */
	void *all;			/* tsearch(3), by their identities */
	int64_t began_at, link_gone_at; /* wall ms; 0: deploybot-link is connected */
	struct agents_seen *seen;	/* as it was at seen_ms; NULL: nobody asked yet */
	int64_t seen_ms;
	bool is_stale; /* it may be another one by now */
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
on_here(void *ctx, const char *identity, int64_t clock_s, const char *version)
{
	struct agents *agents = ctx;
	struct agent_seen host = { .gone_at = 0 };

	if (!text_starts(identity, PEER_AGENT) && !text_starts(identity, PEER_RUNNER))
		return;
	agents->is_stale = true;
	agent_seen_clock(&host, clock_s);
	(void)snprintf(host.version, sizeof(host.version), "%s", version); /* cut is fine */
	agent_link_set(find_or_make(agents, identity), &host);
}

static void
set_gone(const void *node, VISIT which, UNUSED void *closure)
{
	if (which == postorder || which == leaf)
		agent_link_set(*(struct agent_link *const *)node, NULL);
}

static void
on_gone(void *ctx, const char *identity)
{
	struct agents *agents = ctx;
	struct agent_link *agent = identity == NULL ? NULL : find(agents, identity);

	agents->is_stale = true;
	if (identity == NULL)
		agents->link_gone_at = clock_wall_ms();
	if (identity == NULL)
		twalk_r(agents->all, set_gone, NULL);
	else if (agent != NULL)
		agent_link_set(agent, NULL);
}

static void
on_packet(void *ctx, const char *identity, uint32_t channel, const char *packet, size_t size)
{
	struct agents *agents = ctx;
	struct agent_link *agent = find(agents, identity);

	agents->is_stale = true;
	if (agent != NULL)
		agent_link_take(agent, channel, packet, size);
}

/* --- certificates that renew --- */

#define LOOK_EACH_MS 1000

static void
look_at(const void *node, VISIT which, UNUSED void *closure)
{
	if (which == postorder || which == leaf)
		agent_link_look(*(struct agent_link *const *)node);
}

static void
on_look(UNUSED struct loop_timer *timer, void *ctx)
{
	twalk_r(((const struct agents *)ctx)->all, look_at, NULL);
}

/* --- who is connected --- */

#define SEEN_EACH 10 /* so many are looked at in a millisecond, at most */

static void
note_seen(const void *node, VISIT which, void *closure)
{
	const struct agent_link *agent = *(struct agent_link *const *)node;
	struct agents_seen *seen = closure;
	size_t i;

	if (which != postorder && which != leaf)
		return;
	i = known_peers_find(seen->known, agent_link_identity(agent));
	if (i < known_peers_count(seen->known))
		seen->at[i] = agent_link_seen(agent);
}

struct agents_seen *
agents_seen(struct agents *agents)
{
	struct known_peers *known = link_client_peers(agents->world.link);
	bool is_linked = link_client_is_connected(agents->world.link);
	int64_t now = loop_now_ms();

	if (agents->seen != NULL && agents->seen->known == known &&
	    (agents->seen->link_gone_at == 0) == is_linked &&
	    (!agents->is_stale ||
		now - agents->seen_ms < (int64_t)known_peers_count(known) / SEEN_EACH))
		return agents->seen;
	agents_seen_unref(agents->seen);
	agents->seen = NULL;
	if (known == NULL)
		return NULL;
	agents->seen = agents_seen_new(known_peers_ref(known));
	agents->seen->began_at = agents->began_at;
	agents->seen->link_gone_at = is_linked ? 0 : agents->link_gone_at;
	twalk_r(agents->all, note_seen, agents->seen);
	agents->seen_ms = now;
	agents->is_stale = false;
	return agents->seen;
}

/* --- for its owner, and for runs --- */

struct agents *
agents_new(const struct agents_config *config, struct err *err)
{
	CLEANUP(freep) struct agents *agents = mem_new(1, sizeof(*agents));
	const struct link_client_watch watch = { on_here, on_gone, on_packet, agents };

	if (config->path != NULL &&
	    !crypto_ca_order_seed(config->order_key, agents->world.seed, err))
		return NULL;
	agents->began_at = agents->link_gone_at = clock_wall_ms();
	agents->world.loop = config->loop;
	agents->world.epoch = config->epoch;
	loop_timer_init(&agents->looks, on_look, agents);
	agents->world.renewals = &agents->renewals;
	agents->world.on_said = config->on_said;
	agents->world.on_runner = config->on_runner;
	agents->world.ctx = config->ctx;
	agents->world.silent_ms = config->silent_ms > 0 ? config->silent_ms : SILENT_MS;
	agents->world.link = link_client_new(config->loop, config->path, &watch);
	agents->world.states = agent_states_new();
	return TAKE(agents);
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
	if (!loop_timer_is_started(&agents->looks))
		loop_timer_start(agents->world.loop, &agents->looks, LOOK_EACH_MS, LOOK_EACH_MS);
}

void
agents_take_state(struct agents *agents, struct state_file *state)
{
	agent_states_take(agents->world.states, state);
}

struct agent_link *
agents_find(struct agents *agents, const char *runner)
{
	const char *name = peer_of_host(runner);
	char identity[CRYPTO_CA_IDENTITY];

	if (name != NULL)
		return find_or_make(agents, peer_identity(name, identity));
	if (strcmp(runner, RUNNER_LOCAL) == 0 || !peer_is_name(runner))
		return NULL;
	(void)snprintf(identity, sizeof(identity), PEER_RUNNER "%s", runner);
	return find_or_make(agents, identity);
}

/* Where it is one that is meant, and may be ordered something. */
static void
add_agent(struct buf *list, const struct known_peers *known, size_t at, const char *pattern)
{
	struct peer peer;

	if (at < known_peers_count(known) && !peer_is_runner(known_peers_get(known, at, &peer)) &&
	    peer.manifest[0] != '\0' && peer.revoked_at == 0 &&
	    host_matches(pattern, peer_name(&peer)))
		buf_addf(list, "%s=%s,", peer_name(&peer), peer.manifest);
}

bool
agents_ticket(const struct agents *agents, struct release_ticket *ticket, const char *names,
    char ret[RELEASE_TICKET_MAX], struct err *err)
{
	const struct known_peers *known = link_client_peers(agents->world.link);
	CLEANUP(buf_done) struct buf list = buf_make(sizeof(ticket->agents) - 1);
	char name[CRYPTO_CA_IDENTITY], identity[CRYPTO_CA_IDENTITY];
	char key[RELEASE_KEY], seed[RELEASE_KEY];

	ticket->epoch = agents->world.epoch;
	if (!release_key_make(key, seed, err))
		return false;
	while (setting_next(&names, name, sizeof(name)))
		if (!host_is_pattern(name))
			add_agent(&list, known,
			    known_peers_find(known, peer_identity(name, identity)), name);
		else
			for (size_t i = 0; i < known_peers_count(known); i++)
				add_agent(&list, known, i, name);
	buf_addf(&list, "=%s", key);
	(void)text_copy(ticket->agents, sizeof(ticket->agents), buf_text(&list));
	if (!buf_check(&list, err) || !release_ticket_make(ticket, agents->world.seed, ret, err))
		return false;
	(void)snprintf(ret + strlen(ret), RELEASE_TICKET_MAX - strlen(ret), " %s", seed); /* fits */
	return true;
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
	loop_timer_stop(&agents->looks);
	link_client_free(agents->world.link);
	tdestroy(agents->all, free_one);
	agent_states_free(agents->world.states);
	agents_seen_unref(agents->seen);
	crypto_wipe(agents, sizeof(*agents));
	free(agents);
}
