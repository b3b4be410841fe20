/* connections.h - the servers that are connected to the runner, and what is still to be sent them.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Nothing here waits: what a server does not take at once is queued for it alone.  As long as
 * something is, no more of its orders are read; one that takes nothing for CONNECTIONS_PATIENCE_MS,
 * or has CONNECTIONS_QUEUE_MAX packets to come, has gone.
 */
#pragma once

#include "lib/order_check.h"
#include "runner/protocol.h"

#define CONNECTIONS_MAX		4	/* a server, its successor, two people's `doctor` */
#define CONNECTIONS_QUEUE_MAX	256	/* packets; four for each run there may be */
#define CONNECTIONS_PATIENCE_MS 10000

struct connection_packet;

/* Of what is live elsewhere, which a remote server says behind its hello. */
enum connection_states {
	CONNECTION_STATES_COMING,
	CONNECTION_STATES_LOST,	 /* one could not be written: none is enough until a new hello */
	CONNECTION_STATES_WHOLE, /* all of them stand on disk */
};

struct connection {
	uint64_t number;	/* never given again; 0: this place is free */
	int fd;
	bool greeted;		/* it said hello, in our version */
	uint64_t epoch;		/* of that hello; 0: it said none */
	struct order_challenge challenge; /* of a remote server */
	enum connection_states states;	  /* the same */
	bool is_lost;		/* to be closed: its socket failed, or its patience is over */
	int lost_errno;		/* why; 0: it closed, or is too slow */
	int64_t due;		/* monotonic ms: then it is given up; 0: nothing waits */
	size_t queued;
	struct connection_packet *first;
};

struct connections {
	struct connection all[CONNECTIONS_MAX];
	uint64_t last; /* number given */
};

/* Takes the socket.  NULL, and it is closed: all places are taken. */
struct connection *connections_add(struct connections *connections, int fd);

/* To one, to nobody where it has gone; or to all that have said hello. */
void
connections_send(struct connections *connections, uint64_t number, const char *packet, size_t len);
void connections_say(
    struct connections *connections, uint64_t number, const struct protocol_message *message);
void connections_say_all(struct connections *connections, const struct protocol_message *message);

/* As the text of a message: cut, and without what it may not have. */
void connections_text(char ret[256], const char *text);

/* What to poll for; and when there is room: sends what waits. */
short connections_events(const struct connection *connection);
void connections_flush(struct connection *connection);

/* Marks those as lost whose time is over; returns ms until the next one's is, or -1. */
int connections_expire(struct connections *connections);

/* Closes it and frees what it was to receive. */
void connections_remove(struct connection *connection);
