/* runner.h - takes the server's orders, and watches the supervisors.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/program.h"

struct order_gate;

/* How servers come: over the socket that one server holds the other end of, or to a listener. */
struct runner_start {
	int server;	    /* its server; -1: it listens */
	const char *listen; /* NULL: it does not */
	bool drains;	    /* at SIGTERM it first waits for its runs */
	const struct program_dirs *dirs;
	const struct order_gate *gate; /* by which orders are proven; NULL: they are not */
};

/*
 * Serves its server (AF_UNIX, SOCK_SEQPACKET) until it closes, or whoever comes until SIGTERM or
 * SIGINT.  Runs stay with their supervisors, a question ends.  Returns the exit status: 0; 74 when
 * a socket or a disk fails; 75 when another runner uses it; 78 when the one server speaks
 * another version or the place is not as it has to be.
 */
int runner_serve(const struct runner_start *start);
