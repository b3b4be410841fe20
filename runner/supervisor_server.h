/* supervisor_server.h - a supervisor's connection to its server, and what is sent over it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/process.h"
#include "runner/runner_order.h"

struct supervisor_server {
	int fd;		/* -1: nobody */
	bool blocked;	/* wait until it can be written to */
	bool said_hello;
	bool said_exit;
	bool grew;	/* its results, which it is to be sent */
	size_t steps_sent;
	struct order_challenge challenge; /* of a remote server, for `go` */
	uint64_t epoch; /* that it has said: 0: none, or nobody is connected */
	/* These outlive a connection. */
	uint64_t last;	  /* epoch of the one before */
	uint64_t highest; /* of the order and of all that have connected; 0: none is ever said */
	int guest;	  /* the newest connection, until it says a hello that counts; -1: none */
};

/* What there is to send. */
struct supervisor_news {
	uint64_t id;
	struct protocol_message *out; /* the record so far, kind EXIT, and steps */
	const struct process_main *identity;
	bool is_over;				/* the record is written: sent as it is */
	pid_t *stuck;				/* 0: none; set to 0 when it was sent */
};

/* A new connection, whose descriptor it takes.  True: it is the server, in the place of the one
 * before.  Else one that has said an epoch keeps its place until another says one. */
bool supervisor_server_accept(struct supervisor_server *server, int fd);

/* What the guest has said: true, it is the server now; else it is sent away, or was silent. */
bool supervisor_server_hear_guest(struct supervisor_server *server, int folder) MUST_USE;

/* Does that count, which the server has said: is it of no lower epoch than this run and, above its
 * folder, its runner know of?  Takes the epoch of a hello. */
bool supervisor_server_counts(struct supervisor_server *server,
    const struct protocol_message *message, int folder) MUST_USE;
/* The same of the end of the connection that was closed last. */
bool supervisor_server_end_counts(const struct supervisor_server *server, int folder) MUST_USE;

/* Draws a challenge and sends it; or the server is lost. */
void supervisor_server_challenge(
    struct supervisor_server *server, const struct order_gate *gate);

/* Is that `go` of that run proven?  Of whoever connects, where no keys are known (gate NULL). */
bool supervisor_server_proves(struct supervisor_server *server, const struct order_gate *gate,
    const struct protocol_message *run, const struct protocol_message *go) MUST_USE;

/* Nobody is connected, any more. */
void supervisor_server_close(struct supervisor_server *server);

/* Sends all that is due, in order; what does not fit now is sent when there is room.  False: the
 * server is lost, and the connection closed. */
bool supervisor_server_tell(
    struct supervisor_server *server, const struct supervisor_news *news) MUST_USE;
