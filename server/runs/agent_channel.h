/* agent_channel.h - the channels of an agent's runs: packets there and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

#include "lib/order_bytes.h"
#include "runner/protocol.h"
#include "runs/agent_reads.h"

struct agent_channel;
struct link_client;

#define AGENT_CHANNEL_RUNNER 1 /* the agent itself; runs' are behind it */

/* Of one connected host.  Begun with its link and its identity, and the lists' INIT(). */
struct agent_channels {
	SLIST_HEAD(agent_channel_list, agent_channel) all;
	uint32_t last; /* number given in this connection */
	struct link_client *link;
	const char *identity;
	const uint8_t *seed; /* orders are signed with it */
	uint64_t epoch; /* in which we lead; 0: there is one server */
	struct agent_reads reads;
};

/* Callbacks come from the loop.  The channel may be freed inside each of them. */
struct agent_channel_watch {
	void (*on_message)(void *ctx, const struct protocol_message *message);
	void (*on_unreadable)(void *ctx, const char *why);
	/* The other end closed it, or the host is disconnected.  Nothing follows. */
	void (*on_closed)(void *ctx);
	void *ctx;
};

/* Has the host connect to the socket of that run.  NULL: it is not connected. */
struct agent_channel *agent_channel_open(struct agent_channels *channels, int64_t run,
    const struct agent_channel_watch *watch) MUST_USE;

/* Closes it, where that was not done; takes NULL. */
void agent_channel_free(struct agent_channel *channel);

/* One of ours that has no text: challenge, go or end; dropped where the channel is closed. */
void agent_channel_send(struct agent_channel *channel, const struct protocol_message *message);

/* What came; a channel that there is none of has been closed a moment ago. */
void agent_channels_take(
    struct agent_channels *channels, uint32_t number, const char *packet, size_t size);
void agent_channels_close(struct agent_channels *channels, uint32_t number);

/* The host is connected from now on, or disconnected: then each is closed. */
void agent_channels_begin(struct agent_channels *channels);
void agent_channels_end(struct agent_channels *channels);

/* A message in a channel, the agent's own too.  False and *err: the protocol cannot say it. */
bool agent_channels_send(const struct agent_channels *channels, uint32_t number,
    const struct protocol_message *message, struct err *err) MUST_USE;

/* Signs an order of kind, capability, run and manifest for this host and the challenge that
 * proof->challenge has: fills in the rest of both. */
bool agent_channels_sign(const struct agent_channels *channels, struct order_bytes *order,
    struct protocol_proof *proof, struct err *err) MUST_USE;

/* The same of all that such a message says to a remote runner: run, state or forget. */
bool agent_channels_prove(const struct agent_channels *channels,
    struct protocol_message *message, struct err *err) MUST_USE;
