/* sim_link.c - deploybot-link and the network: packets that are late, lost or repeated.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * In the place of server/runs/link_client.c, and of the connection to the local runner, for
 * whatever calls these (the Makefile's SIM_WRAP).  What was sent in a connection arrives in its
 * order, and where that ends a part of it still does.  Who owns link may hold orders back, and say
 * them again.
 */
#include "runs/agent_channel.h"
#include "runs/link_client.h"
#include "runs/runner_link.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#define PACKETS	     1024
#define SOON_MOST_MS 400
#define HELD_MS	     INT64_C(30000) /* … or longer: as long as a challenge is valid */
#define SILENT_MS    40000	    /* until link knows that a host is silent */

static sim_fn link_is_reached, host_connects, server_hears_gone, host_is_back, packet_arrives;

struct link_client {
	struct link_client_watch watch;
	struct known_peers *peers; /* a reference */
	bool has_peers;
	bool is_connected;
};

static struct sim *playing;
static struct link_client the_client;
static struct link_host {
	bool is_away;
	bool is_here;	 /* as the server was told */
	bool is_leaving; /* ... and will be told otherwise */
	int key;
	int64_t connection; /* what was sent in an earlier one is lost */
	int64_t arrives[2]; /* what was sent last, there and back */
	size_t said_size;   /* of what it has answered last of a run */
	char said[16384];
} hosts[SIM_PEERS];
static int64_t n_packets;
static struct packet {
	char *data; /* NULL: a free place */
	size_t size;
	int agent;
	bool is_to_host;
	bool is_again;
	bool is_held; /* for so long that its challenge is void */
	uint32_t channel;
	int64_t connection;
	int64_t n;
} packets[PACKETS];

void
sim_link_key(int agent, int n, char ret[LIMIT_DIGEST])
{
	(void)snprintf(ret, LIMIT_DIGEST, "%032x%032x", agent + 1, n);
}

bool
sim_link_is_away(int agent)
{
	return !hosts[agent].is_here || hosts[agent].is_leaving;
}

static const char *
identity_of(int agent, char ret[CRYPTO_CA_IDENTITY])
{
	if (agent != SIM_BUILDER)
		return peer_identity(sim_agent_names[agent], ret);
	(void)snprintf(ret, CRYPTO_CA_IDENTITY, PEER_RUNNER "%s", sim_agent_names[agent]);
	return ret;
}

static int
agent_of(const char *identity)
{
	char other[CRYPTO_CA_IDENTITY];
	int agent = 0;

	while (strcmp(identity_of(agent, other), identity) != 0)
		if (++agent == SIM_PEERS)
			abort();
	return agent;
}

/* --- packets on their way --- */

static void
drop(struct packet *packet)
{
	free(packet->data);
	packet->data = NULL;
}

static void deliver(struct sim *sim, struct packet *packet);

bool
sim_link_is_greeted(int agent)
{
	return agent == SIM_BUILDER ? sim_remote_is_greeted() : sim_agent_is_greeted(agent);
}

static struct packet *
first_to(int agent)
{
	struct packet *first = NULL;

	for (size_t i = 0; i < PACKETS; i++)
		if (packets[i].data != NULL && packets[i].is_to_host && packets[i].agent == agent &&
		    packets[i].connection == hosts[agent].connection &&
		    (first == NULL || packets[i].n < first->n))
			first = &packets[i];
	return first;
}

static void
host_is_lost(struct sim *sim, int agent)
{
	struct link_host *host = &hosts[agent];
	struct packet *packet;

	while (host->is_here && sim_one_in(sim, 2) && (packet = first_to(agent)) != NULL)
		deliver(sim, packet);
	if (!host->is_here)
		return; /* what arrived has led to that */
	host->connection++;
	host->is_here = false;
	sim_trace(sim, "%s's host is disconnected", sim_agent_names[agent]);
	if (agent == SIM_BUILDER)
		sim_remote_lost(sim);
	else
		sim_agent_lost(sim, agent);
	if (!the_client.is_connected || sim->store == NULL)
		return;
	host->is_leaving = true;
	sim_later(sim, sim->life,
	    sim_one_in(sim, 4) ? sim_delay(sim, 3000, SILENT_MS) : sim_delay(sim, 1, 3000),
	    server_hears_gone, agent, 0);
}

static void
deliver(struct sim *sim, struct packet *packet)
{
	const struct link_host *host = &hosts[packet->agent];
	struct packet taken = *packet;
	char identity[CRYPTO_CA_IDENTITY];

	packet->data = NULL;
	if (taken.connection != host->connection || !host->is_here) {
		drop(&taken);
		return;
	}
	if (taken.is_again || taken.is_held)
		sim_note(sim, taken.is_held ? SIM_ORDER_HELD_BACK : SIM_ORDER_REPLAYED);
	if (!taken.is_to_host && sim->store != NULL)
		the_client.watch.on_packet(the_client.watch.ctx, identity_of(taken.agent, identity),
		    taken.channel, taken.data, taken.size);
	else if (taken.is_to_host && taken.channel == 0 &&
	    text_starts(taken.data, "close\nchannel 0\n"))
		host_is_lost(sim, taken.agent);
	else if (taken.is_to_host && taken.agent == SIM_BUILDER)
		sim_remote_take(sim, taken.channel, taken.data, taken.size);
	else if (taken.is_to_host)
		sim_agent_take(sim, taken.agent, taken.channel, taken.data, taken.size);
	drop(&taken);
}

static void
packet_arrives(struct sim *sim, int64_t i, int64_t n)
{
	if (packets[i].data != NULL && packets[i].n == n)
		deliver(sim, &packets[i]);
}

static int64_t
delay(struct sim *sim, uint32_t held)
{
	if (!sim->is_resting && sim->day != SIM_DAY_CALM && sim_one_in(sim, held))
		return sim_delay(sim, HELD_MS, 2 * HELD_MS);
	return sim_delay(sim, 1, SOON_MOST_MS);
}

/* Behind what was sent before it. */
static void
put(struct sim *sim, struct packet packet, const char *data, int64_t delay_ms)
{
	struct link_host *host = &hosts[packet.agent];
	int64_t at = sim_loop_now() + delay_ms;
	size_t i = 0;

	while (i < PACKETS && packets[i].data != NULL)
		i++;
	assert(i < PACKETS);
	packets[i] = packet;
	packets[i].connection = host->connection;
	packets[i].n = ++n_packets;
	packets[i].data = malloc(packet.size + 1);
	sim_must(packets[i].data != NULL, "a packet");
	memcpy(packets[i].data, data, packet.size);
	packets[i].data[packet.size] = '\0';
	if (at < host->arrives[packet.is_to_host])
		at = host->arrives[packet.is_to_host];
	host->arrives[packet.is_to_host] = at;
	sim_later(sim, 0, at - sim_loop_now(), packet_arrives, (int64_t)i, packets[i].n);
}

void
sim_link_say(struct sim *sim, int agent, uint32_t channel, const char *packet, size_t size)
{
	struct link_host *host = &hosts[agent];

	if (host->is_here)
		put(sim, (struct packet){ .size = size, .agent = agent, .channel = channel },
		    packet, delay(sim, 80));
	if (channel != AGENT_CHANNEL_RUNNER || size > sizeof(host->said) ||
	    text_starts(packet, "hello\n") || text_starts(packet, "challenge\n") ||
	    text_starts(packet, "state\n"))
		return;
	memcpy(host->said, packet, size);
	host->said_size = size;
}

void
sim_link_say_message(
    struct sim *sim, int agent, uint32_t channel, const struct protocol_message *message)
{
	char packet[PROTOCOL_PACKET_MAX];
	size_t size = 0;
	struct err err;

	sim_must(protocol_encode(message, packet, sizeof(packet), &size, &err), err.text);
	sim_trace(sim, "%s says %s of %" PRIu64, sim_agent_names[agent],
	    protocol_kind_name(message->kind), message->id);
	sim_link_say(sim, agent, channel, packet, size);
}

void
sim_link_close(struct sim *sim, int agent, uint32_t channel)
{
	char word[64];
	int size = snprintf(
	    word, sizeof(word), "close\nchannel %" PRIu32 "\ntext it is not there\n", channel);

	if (channel != 0)
		sim_link_say(sim, agent, 0, word, (size_t)size);
}

void
sim_link_repeats(struct sim *sim, int agent)
{
	const struct link_host *host = &hosts[agent];

	if (!host->is_here || host->said_size == 0 || !sim_link_is_greeted(agent))
		return;
	sim_note(sim, agent == SIM_BUILDER ? SIM_REMOTE_REPEATED : SIM_AGENT_REPEATED);
	put(sim,
	    (struct packet){
		.size = host->said_size, .agent = agent, .channel = AGENT_CHANNEL_RUNNER },
	    host->said, delay(sim, 80));
}

/* --- who is connected --- */

static void
host_connects(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	struct link_host *host = &hosts[agent];
	char identity[CRYPTO_CA_IDENTITY], key[LIMIT_DIGEST];

	if (!the_client.is_connected || host->is_away || host->is_here || host->is_leaving)
		return;
	sim_link_key((int)agent, host->key, key);
	if (known_peers_fault(the_client.peers, identity_of((int)agent, identity), key) != NULL)
		return; /* it tries again, which counts when there are other peers */
	host->connection++;
	host->is_here = true;
	memset(host->arrives, 0, sizeof(host->arrives));
	sim_trace(sim, "%s's host is connected", sim_agent_names[agent]);
	the_client.watch.on_here(the_client.watch.ctx, identity, 0, "");
}

static void
connect_soon(struct sim *sim, int agent)
{
	if (sim->store != NULL)
		sim_later(sim, sim->life, sim_delay(sim, 50, 5000), host_connects, agent, 0);
}

static void
server_hears_gone(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	char identity[CRYPTO_CA_IDENTITY];

	if (!hosts[agent].is_leaving)
		return;
	hosts[agent].is_leaving = false;
	the_client.watch.on_gone(the_client.watch.ctx, identity_of((int)agent, identity));
	connect_soon(sim, (int)agent);
}

static void
host_is_back(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	hosts[agent].is_away = false;
	connect_soon(sim, (int)agent);
}

void
sim_link_loses_host(struct sim *sim, int agent, int64_t for_ms)
{
	if (!hosts[agent].is_here || hosts[agent].is_away)
		return;
	sim_note(sim, agent == SIM_BUILDER ? SIM_REMOTE_AWAY : SIM_AGENT_AWAY);
	hosts[agent].is_away = true;
	host_is_lost(sim, agent);
	sim_later(sim, 0, for_ms, host_is_back, agent, 0);
}

void
sim_link_changes_key(struct sim *sim, int agent)
{
	hosts[agent].key++;
	connect_soon(sim, agent);
}

/* --- link itself --- */

static void
link_is_reached(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	the_client.is_connected = true;
	for (int i = 0; i < SIM_PEERS; i++)
		connect_soon(sim, i);
}

void
sim_link_cut(struct sim *sim)
{
	the_client.is_connected = false;
	for (int i = 0; i < SIM_PEERS; i++) {
		host_is_lost(sim, i);
		hosts[i].is_leaving = false;
	}
}

void
sim_link_restarts(struct sim *sim)
{
	if (!the_client.is_connected)
		return;
	sim_note(sim, SIM_LINK_LOST);
	sim_trace(sim, "deploybot-link is started anew");
	sim_link_cut(sim);
	the_client.watch.on_gone(the_client.watch.ctx, NULL);
	sim_later(sim, sim->life, sim_delay(sim, 200, 8000), link_is_reached, 0, 0);
}

void
sim_link_rests(struct sim *sim)
{
	for (int i = 0; i < SIM_PEERS; i++)
		host_is_back(sim, i, 0);
}

void
sim_link_begin(struct sim *sim)
{
	playing = sim;
	for (size_t i = 0; i < PACKETS; i++)
		drop(&packets[i]);
	for (int i = 0; i < SIM_PEERS; i++)
		hosts[i] = (struct link_host){ .key = 1 };
}

/* --- the server's end: the linker leads the calls here --- */

struct link_client *
sim_link_client_new(struct loop *loop, const char *path, const struct link_client_watch *watch);
void sim_link_client_take_peers(struct link_client *client, struct known_peers *peers);
bool sim_link_client_is_connected(const struct link_client *client);
struct known_peers *sim_link_client_peers(const struct link_client *client);
void sim_link_client_send(struct link_client *client, const char *identity, uint32_t channel,
    const char *packet, size_t size);
void sim_link_client_free(struct link_client *client);

struct link_client *
sim_link_client_new(
    UNUSED struct loop *loop, UNUSED const char *path, const struct link_client_watch *watch)
{
	the_client = (struct link_client){ .watch = *watch };
	return &the_client;
}

/* Who is revoked, or has another key, is cut off at once. */
static void
cut_others(struct sim *sim, const struct link_client *client)
{
	char identity[CRYPTO_CA_IDENTITY], key[LIMIT_DIGEST];

	for (int i = 0; i < SIM_PEERS; i++) {
		sim_link_key(i, hosts[i].key, key);
		if (hosts[i].is_here &&
		    known_peers_fault(client->peers, identity_of(i, identity), key) != NULL) {
			client->watch.on_gone(client->watch.ctx, identity);
			host_is_lost(sim, i);
		} else {
			connect_soon(sim, i);
		}
	}
}

void
sim_link_client_take_peers(struct link_client *client, struct known_peers *peers)
{
	known_peers_unref(client->peers);
	client->peers = peers;
	if (client->has_peers)
		cut_others(playing, client);
	else
		sim_later(
		    playing, playing->life, sim_delay(playing, 50, 3000), link_is_reached, 0, 0);
	client->has_peers = true;
}

struct known_peers *
sim_link_client_peers(const struct link_client *client)
{
	return client->peers;
}

bool
sim_link_client_is_connected(const struct link_client *client)
{
	return client->is_connected;
}

void
sim_link_client_send(struct link_client *client, const char *identity, uint32_t channel,
    const char *packet, size_t size)
{
	struct packet there = {
		.size = size, .agent = agent_of(identity), .is_to_host = true, .channel = channel
	};
	bool is_order = text_starts(packet, "run\n") || text_starts(packet, "go\n");
	struct protocol_message order;
	int64_t delay_ms;

	if ((is_order || text_starts(packet, "hello\n")) &&
	    protocol_decode(packet, size, &order, NULL)) {
		sim_two_check_epoch(playing, &order);
		if (order.kind == PROTOCOL_RUN)
			sim_agents_check_order(playing, there.agent, &order);
	}
	if (!client->is_connected || !hosts[there.agent].is_here)
		return;
	delay_ms = delay(playing, is_order ? 12 : 80);
	there.is_held = is_order && delay_ms >= HELD_MS;
	put(playing, there, packet, delay_ms);
	there.is_held = false;
	if (!is_order || playing->is_resting || !sim_one_in(playing, 10))
		return;
	there.is_again = true;
	put(playing, there, packet, sim_delay(playing, 1, 20000));
}

void
sim_link_client_free(struct link_client *client)
{
	if (client == NULL)
		return;
	known_peers_unref(client->peers);
	client->peers = NULL;
	*client = (struct link_client){ 0 };
}

/* --- the local runner, which sim_run.c has --- */

struct runner_link *
sim_runner_link_start(struct loop *loop, const struct runner_link_config *config, struct err *err);
bool sim_runner_link_is_ready(const struct runner_link *link);
void sim_runner_link_free(struct runner_link *link);

static struct runner_link_config local;

void
sim_link_local_says(const struct protocol_message *message)
{
	if (local.on_message != NULL)
		local.on_message(local.ctx, message);
}

struct runner_link *
sim_runner_link_start(
    UNUSED struct loop *loop, const struct runner_link_config *config, UNUSED struct err *err)
{
	static char nobody;

	local = *config;
	return (struct runner_link *)&nobody;
}

bool
sim_runner_link_is_ready(UNUSED const struct runner_link *link)
{
	return false;
}

void
sim_runner_link_free(UNUSED struct runner_link *link)
{
	local = (struct runner_link_config){ .socket = NULL };
}
