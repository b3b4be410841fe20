/* agents_seen.c - which agents are connected, as a decision reads it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/agents_seen.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/environment_id.h"
#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "types/settings.h"

#define AGENT_MS    (600 * INT64_C(1000))
#define RUNNER_MS   (60 * INT64_C(1000)) /* its environments cannot be rolled back meanwhile */
#define STEADY_MS   (60 * INT64_C(1000))
#define EXPIRING_MS (10 * 24 * 3600 * INT64_C(1000)) /* a certificate renews with 15 days left */

void
agent_seen_clock(struct agent_seen *seen, int64_t clock_s)
{
	int64_t ahead_s = (clock_s < 0 ? 0 : clock_s) - clock_wall_ms() / 1000;

	seen->clock_ahead_s = ahead_s > INT32_MAX ? INT32_MAX : (int32_t)ahead_s;
}

struct agents_seen *
agents_seen_new(struct known_peers *known)
{
	struct agents_seen *seen;

	seen = mem_new(1, sizeof(*seen) + known_peers_count(known) * sizeof(seen->at[0]));
	seen->count = 1;
	seen->known = known;
	return seen;
}

struct agents_seen *
agents_seen_ref(struct agents_seen *seen)
{
	if (seen != NULL)
		atomic_fetch_add_explicit(&seen->count, 1, memory_order_relaxed);
	return seen;
}

void
agents_seen_unref(struct agents_seen *seen)
{
	if (seen == NULL || atomic_fetch_sub_explicit(&seen->count, 1, memory_order_acq_rel) > 1)
		return;
	known_peers_unref(seen->known);
	free(seen);
}

struct agent_seen
agents_seen_of(const struct agents_seen *seen, const char *identity)
{
	size_t i = seen == NULL ? 0 : known_peers_find(seen->known, identity);

	return seen == NULL || i == known_peers_count(seen->known) ? (struct agent_seen){ 0 } :
								     seen->at[i];
}

/* A shorter one is a restart that did not last, and says nothing of who comes and goes. */
void
agent_seen_end(struct agent_seen *seen, int64_t at)
{
	if (seen->gone_at == 0 || (seen->here_at != 0 && at - seen->here_at >= STEADY_MS))
		seen->gone_at = at;
	seen->here_at = 0;
}

bool
agent_seen_is_unsteady(const struct agent_seen *seen, int64_t at)
{
	return seen->state == AGENT_CONNECTED && seen->gone_at != 0 &&
	    at - seen->here_at < STEADY_MS && seen->here_at - seen->gone_at >= STEADY_MS;
}

static bool
is_gone(const struct agents_seen *seen, const char *role, const char *name, int64_t at)
{
	int64_t since = at - (strcmp(role, PEER_RUNNER) == 0 ? RUNNER_MS : AGENT_MS);
	char identity[CRYPTO_CA_IDENTITY];
	struct peer peer;
	size_t i;

	text_setf(identity, "%s%.*s", role, CRYPTO_CA_NAME_MAX, name);
	i = known_peers_find(seen->known, identity);
	return i < known_peers_count(seen->known) &&
	    known_peers_get(seen->known, i, &peer)->revoked_at == 0 &&
	    (seen->at[i].state != AGENT_CONNECTED || agent_seen_is_unsteady(&seen->at[i], at)) &&
	    (seen->at[i].gone_at != 0 ? seen->at[i].gone_at : seen->began_at) <= since;
}

/* The agents that one of <ENV>_HOST stands for. */
static size_t
count_gone(const struct agents_seen *seen, const char *name, int64_t at)
{
	size_t n = 0;
	struct peer peer;

	if (!host_is_pattern(name))
		return is_gone(seen, PEER_AGENT, name, at);
	for (size_t i = 0; i < known_peers_count(seen->known); i++)
		if (!peer_is_runner(known_peers_get(seen->known, i, &peer)) &&
		    host_matches(name, peer_name(&peer)))
			n += is_gone(seen, PEER_AGENT, peer_name(&peer), at);
	return n;
}

struct agents_count
agents_seen_count(const struct agents_seen *seen, const struct settings *settings, int64_t at)
{
	struct agents_count ret = { .connected = 0 };
	struct peer peer;

	for (size_t i = 0; i < known_peers_count(seen->known); i++) {
		if (known_peers_get(seen->known, i, &peer)->revoked_at != 0)
			continue;
		if (seen->at[i].state == AGENT_CONNECTED)
			ret.connected++;
		else
			ret.disconnected++;
		ret.expiring += peer.ends_at != 0 && peer.ends_at - at < EXPIRING_MS;
	}
	for (size_t i = 0; i < settings->client_count; i++) {
		const char *name = peer_of_host(settings->clients[i].host);

		ret.gone += name != NULL && is_gone(seen, PEER_AGENT, name, at);
	}
	for (size_t i = 0; i < settings->environment_count; i++) {
		const struct environment_settings *e = &settings->environments[i];
		const char *names = e->agents == NULL ? "" : e->agents;
		char name[SETTING_PART_MAX + 1];
		size_t gone = is_gone(seen, PEER_RUNNER, e->runner, at);

		while (setting_next(&names, name, sizeof(name)))
			gone += count_gone(seen, name, at);
		ret.gone += gone;
		if (e->confirm || environment_is_production(e->name))
			ret.gone_production += gone;
	}
	return ret;
}
