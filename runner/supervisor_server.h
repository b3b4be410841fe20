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
	size_t steps_sent;
	struct order_challenge challenge; /* of a remote server, for `go` */
};

/* What there is to send. */
struct supervisor_news {
	uint64_t id;
	struct protocol_message *out; /* the record so far, kind EXIT, and steps */
	const struct process_main *identity;
	bool is_over;				/* the record is written: sent as it is */
	pid_t *stuck;				/* 0: none; set to 0 when it was sent */
};

/* Draws a challenge and sends it; or the server is lost. */
void supervisor_server_challenge(
    struct supervisor_server *server, const struct order_gate *gate);

/* Nobody is connected, any more. */
void supervisor_server_close(struct supervisor_server *server);

/* Sends all that is due, in order; what does not fit now is sent when there is room.  False: the
 * server is lost, and the connection closed. */
bool supervisor_server_tell(
    struct supervisor_server *server, const struct supervisor_news *news) MUST_USE;
