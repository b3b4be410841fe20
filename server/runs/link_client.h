/* link_client.h - the connection to deploybot-link: who may connect there, and their packets.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * One SOCK_SEQPACKET connection, for all agents and remote runners (link/README.md).  It is made
 * anew for ever; while there is none, link lets in whom we have said yes to.
 */
#pragma once

#include "lib/loop.h"
#include "types/known_peers.h"

struct event;
struct link_client;

/* Callbacks come from the loop; identity is "agent/acme". */
struct link_client_watch {
	/* It is connected, by a key that is good; said again of one that is.  clock_s: what its
	 * clock said as it connected; version: of deploybot-link there. */
	void (*on_here)(
	    void *ctx, const char *identity, int64_t clock_s, const char *version);
	/* It is not; identity NULL: nobody is, since deploybot-link is disconnected. */
	void (*on_gone)(void *ctx, const char *identity);
	/* Of one of its channels; of channel 0 a word of link's. */
	void (*on_packet)(
	    void *ctx, const char *identity, uint32_t channel, const char *packet, size_t size);
	void *ctx;
};

/* Copies the path, and what watch has.  Connects with the first peers: nothing waits for it. */
struct link_client *link_client_new(
    struct loop *loop, const char *path, const struct link_client_watch *watch) MUST_USE;

/* A host that has no certificate has sent something: submit() takes the event (EVENT_ENROL), which
 * answers by itself, or returns false. */
void link_client_on_enrol(
    struct link_client *client, bool (*submit)(void *ctx, struct event *event), void *ctx);

/* The answer to that request goes to the host: `text`.  Nothing where link is disconnected. */
void link_client_enrolled(struct link_client *client, int64_t request, const char *text);

/* Takes what is enrolled now: who is connected by another key, or revoked, is cut off. */
void link_client_take_peers(struct link_client *client, struct known_peers *peers);

/* As they were taken; NULL: they were not yet. */
struct known_peers *link_client_peers(const struct link_client *client);

bool link_client_is_connected(const struct link_client *client);

/* A packet of that channel, at once or as soon as link takes it; dropped where link is
 * disconnected, which on_gone() has said or will say. */
void link_client_send(struct link_client *client, const char *identity, uint32_t channel,
    const char *packet, size_t size);

/* Takes NULL; not inside a callback. */
void link_client_free(struct link_client *client);
