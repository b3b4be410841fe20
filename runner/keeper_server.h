/* keeper_server.h - a keeper's connection to its server, and what is told over it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SERVER_H
#define KEEPER_SERVER_H

#include "runner/process.h"
#include "runner/protocol.h"

struct keeper_server {
	int fd;		/* -1: nobody */
	bool blocked;	/* wait until it can be written to */
	bool said_hello;
	bool said_exit;
	size_t steps_told;
};

/* What there is to tell. */
struct keeper_news {
	uint64_t id;
	const struct protocol_message *out;	/* the record so far, kind EXIT, and steps */
	const struct process_leader *identity;
	bool is_over;				/* the record is written: told as it is */
	pid_t *stuck;				/* 0: none; set to 0 when it was told */
};

/* Nobody is connected, any more. */
void keeper_server_close(struct keeper_server *server);

/* Tells all that is due, in order; what does not fit now is told when there is room.  False: the
 * server is lost, and the connection closed. */
bool keeper_server_tell(struct keeper_server *server, const struct keeper_news *news) MUST_USE;

#endif
