/* link_socket.h - one socket of this machine that keeps the bounds of packets.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "link/link_packets.h"
#include "link/link_poll.h"
#include "runner/protocol.h"

#define LINK_SOCKET_MAX (PROTOCOL_PACKET_MAX + 256) /* with a name and a channel before it */

struct link_socket;
struct link_socket_events {
	void (*on_packet)(struct link_socket *local, const char *packet, size_t size);
	/* A packet of so many bytes is with the other side; token as it was sent with, or NULL. */
	void (*on_sent)(struct link_socket *local, void *token, size_t size);
	/* Once; not behind link_socket_end().  NULL: nobody asks. */
	void (*on_lost)(struct link_socket *local, const char *why);
};

struct link_socket {
	struct link_watch watch;
	const struct link_socket_events *on;
	bool is_held;	/* nothing is read for now */
	size_t *count;	/* of those that are open, this among them; NULL: nobody counts it */
	struct link_packets out;
};

/* Takes fd. */
struct link_socket *link_socket_new(struct link_poll *poll, int fd,
    const struct link_socket_events *on, void *ctx);
/* Connected to that path, or bound to it.  -1: *err says why. */
int link_socket_open(const char *path, bool binds, struct err *err) MUST_USE;
/* A socket that the group may connect to; one that nobody listens on any more is replaced. */
int link_socket_listen(const char *path, struct err *err) MUST_USE;

/* on_sent gets token and size. */
void link_socket_send(struct link_socket *local, const char *head, const char *packet, size_t size,
    void *token);
/* A text of at most 511 bytes; the rest is cut off.  To NULL nothing is said. */
void link_socket_say(struct link_socket *local, const char *head, const char *fmt, ...)
    PRINTF(3, 4);
void link_socket_hold(struct link_socket *local, bool is_held);
/* It frees itself at the bottom of the turn.  NULL is fine. */
void link_socket_end(struct link_socket *local);
