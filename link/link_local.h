/* link_local.h - one socket of this machine that keeps the bounds of packets.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_packets.h"
#include "link/link_poll.h"
#include "runner/protocol.h"

#define LINK_LOCAL_MAX (PROTOCOL_PACKET_MAX + 256) /* with a peer's name and its channel before it */

struct link_local;
struct link_local_events {
	void (*on_packet)(struct link_local *local, const char *packet, size_t size);
	/* Its packets, or so many bytes of them, are with the other side; token as in the packet. */
	void (*on_sent)(struct link_local *local, void *token, size_t size);
	/* Once; not behind link_local_end(). */
	void (*on_lost)(struct link_local *local, const char *why);
};

struct link_local {
	struct link_watch watch;
	const struct link_local_events *on;
	void *ctx;
	bool is_held;	/* nothing is read for now */
	struct link_packets out;
};

/* Takes fd. */
struct link_local *link_local_new(struct link_poll *poll, int fd,
    const struct link_local_events *on, void *ctx);
/* -1: *err says why. */
int link_local_connect(const char *path, struct err *err) MUST_USE;
/* A socket that the group may connect to; one that nobody listens on any more is replaced. */
int link_local_listen(const char *path, struct err *err) MUST_USE;

/* on_sent gets token and size. */
void link_local_send(struct link_local *local, const char *head, const char *packet, size_t size,
    void *token);
void link_local_hold(struct link_local *local, bool is_held);
/* It frees itself at the bottom of the turn.  NULL is fine. */
void link_local_end(struct link_local *local);
