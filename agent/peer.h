/* peer.h - a socket on which a server is waited for, and the one that is connected.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/order_check.h"
#include "runner/protocol.h"

struct peer {
	int listener; /* -1: nobody is waited for */
	int fd;	      /* -1: nobody is connected */
	int guest;    /* the newest, where who is connected has said an epoch; -1: none */
	bool is_greeted;
	uint64_t epoch; /* that it has said; 0: none, or nobody is connected */
	uint64_t last;	/* of the one before */
	struct order_challenge challenge;
};

#define PEER_NONE (struct peer){ .listener = -1, .fd = -1, .guest = -1 }

/* Listens on folder/name, which is replaced; its group may connect. */
bool peer_listen(struct peer *ret, int folder, const char *name, struct err *err) MUST_USE;

/* Takes whoever comes: a server that was connected is hung up on.  False: it has said an epoch, and
 * keeps its place until the guest says one that is no lower. */
bool peer_accept(struct peer *peer);
void peer_hang_up(struct peer *peer);
void peer_close(struct peer *peer);

/* One that does not take it at once is hung up on.  Returns whether it was sent. */
bool peer_say(struct peer *peer, const struct protocol_message *message);

/* False: nothing came, or it hung up, or is hung up on for what it said (fd is -1 then): also for a
 * hello of a lower epoch than `lowest`. */
bool peer_hear(struct peer *peer, uint64_t lowest, struct protocol_message *ret) MUST_USE;

/* What the guest has said.  True: that is a hello, and it is connected in the place of another. */
bool peer_hear_guest(struct peer *peer, uint64_t lowest, struct protocol_message *ret) MUST_USE;

/* Draws a challenge and says it. */
void peer_challenge(struct peer *peer);
