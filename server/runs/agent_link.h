/* agent_link.h - one agent or remote runner: greeted, ordered one thing at a time, with proof.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * An order to run is answered by an agent only behind a challenge of its own (runner/protocol.h,
 * "agent"), and a NEVER makes its challenges void.  So one run at a time has its word: from the
 * challenge, or from settle, until it has answered about that run.
 */
#pragma once

#include "lib/bucket.h"
#include "lib/crypto_ed25519.h"
#include "lib/order_bytes.h"
#include "runs/agent_channel.h"
#include "runs/agent_states.h"
#include "runner/packet.h"
#include "types/agents_seen.h"
#include "types/event.h"
#include "types/limits.h"

struct agent_link;
struct loop;

#define AGENT_LINK_GONE_MS 10000 /* shorter is a restart, of which no message says anything */

/* Whoever follows runs of agents. */
struct agent_link_runs {
	/* started, refused or settled; of a remote runner also settled unasked, stuck,
	 * answer, progress and forgotten. */
	void (*on_message)(void *ctx, const struct agent_link *agent,
	    const struct protocol_message *message);
	void (*on_ready)(void *ctx); /* more can be said to it */
	void (*on_down)(void *ctx, const struct agent_link *agent); /* nothing is answered */
	void *ctx;
};

/* What all agents share; lives longer than each. */
struct agent_link_world {
	struct loop *loop;
	struct link_client *link;
	uint8_t seed[CRYPTO_ED25519_KEY]; /* orders are signed with it */
	uint64_t epoch; /* in which we lead; 0: there is one server */
	int64_t silent_ms; /* who is asked and says nothing for so long hangs */
	struct bucket *renewals; /* of all hosts that enrolled in one minute not all renew in one */
	/* PEER_MANIFEST: its list of capabilities is not the one that is known; PEER_RENEWAL. */
	void (*on_said)(
	    void *ctx, enum event_kind kind, const char *identity, const char *text);
	/* Of one that runs are followed of, by its name in rows ("agent:acme", "build-1"); of a
	 * remote runner also at a hello by which no run that it has a folder of is above another
	 * `highest` than before.  0: it has none, or is an agent. */
	void (*on_runner)(
	    void *ctx, const char *runner, bool is_connected, uint64_t highest);
	void *ctx;
	struct agent_states *states; /* for those that are remote runners */
	struct agent_link_runs runs;
};

struct agent_link *agent_link_new(
    const struct agent_link_world *world, const char *identity) MUST_USE;
void agent_link_free(struct agent_link *agent); /* behind each channel of it */

/* "agent/acme", or of a deploybot-runner elsewhere "runner/build-1": owned by the agent. */
const char *agent_link_identity(const struct agent_link *agent);

/* It is connected, with the clock and the version that `host` has, or (NULL) disconnected; it has
 * sent a packet. */
void agent_link_set(struct agent_link *agent, const struct agent_seen *host);
struct agent_seen agent_link_seen(const struct agent_link *agent);
void
agent_link_take(struct agent_link *agent, uint32_t channel, const char *packet, size_t size);

/* Again and again while certificates renew: it is asked to, where it is time. */
void agent_link_look(struct agent_link *agent);

/* That run of it is followed from now on, or no more. */
void agent_link_follow(struct agent_link *agent, int64_t run, bool is_followed);

/* run (its proof is filled in here) or settle; of a remote runner also ask and forget.
 * PACKET_LATER: on_ready() comes; PACKET_REFUSED and *err: it can be signed or said by nobody. */
enum packet_sent agent_link_send(
    struct agent_link *agent, struct protocol_message *message, struct err *err) MUST_USE;

/* Why nothing can be sent to it, as a sentence without its end. */
void agent_link_why(const struct agent_link *agent, char out[LIMIT_LINE]);

/* Signs an order of kind, capability, run and manifest for this agent and the challenge that
 * proof->challenge has: fills in the rest of both. */
bool agent_link_sign(const struct agent_link *agent, struct order_bytes *order,
    struct protocol_proof *proof, struct err *err) MUST_USE;

/* For the runs that it has: borrowed. */
struct agent_channels *agent_link_channels(struct agent_link *agent);
