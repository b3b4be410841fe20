/* peers.h - the servers that are connected to the runner, and what is still to be sent them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Nothing here waits: what a server does not take at once is queued for it alone.  As long as
 * something is, no more of its orders are read; one that takes nothing for PEERS_PATIENCE_MS, or
 * has PEERS_QUEUE_MAX packets to come, has gone.
 */
#ifndef PEERS_H
#define PEERS_H

#include "runner/protocol.h"

#define PEERS_MAX	  4	/* a server, its successor, and `deploybot doctor` of two people */
#define PEERS_QUEUE_MAX	  256	/* packets; four for each run there may be */
#define PEERS_PATIENCE_MS 10000

struct peer_packet;

struct peer {
	uint64_t number;	/* never given again; 0: this place is free */
	int fd;
	bool greeted;		/* it said hello, in our version */
	bool is_lost;		/* to be closed: its socket failed, or its patience is over */
	int lost_errno;		/* why; 0: it closed, or is too slow */
	int64_t due;		/* monotonic ms: then it is given up; 0: nothing waits */
	size_t queued;
	struct peer_packet *first;
};

struct peers {
	struct peer all[PEERS_MAX];
	uint64_t last; /* number given */
};

/* Takes the socket.  NULL, and it is closed: all places are taken. */
struct peer *peers_add(struct peers *peers, int fd);

/* To one, to nobody where it has gone; or to all that have said hello. */
void peers_send(struct peers *peers, uint64_t number, const char *packet, size_t len);
void peers_say(struct peers *peers, uint64_t number, const struct protocol_message *message);
void peers_say_all(struct peers *peers, const struct protocol_message *message);

/* What to poll for; and when there is room: sends what waits. */
short peers_events(const struct peer *peer);
void peers_flush(struct peer *peer);

/* Marks those as lost whose time is over; returns ms until the next one's is, or -1. */
int peers_expire(struct peers *peers);

/* Closes it and frees what it had to hear. */
void peers_remove(struct peer *peer);

#endif
