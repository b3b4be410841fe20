/* runner.h - takes the server's orders, and watches the keepers.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef RUNNER_H
#define RUNNER_H

#include "runner/program.h"

/*
 * Serves one server at the other end of `server` (AF_UNIX, SOCK_SEQPACKET) until it closes.  Runs
 * stay with their keepers, a question ends.  Returns the exit status: 0, 74 when the socket fails,
 * 78 when the server speaks another version or the state directory cannot be used.
 */
int runner_serve(int server, const struct program_place *place);

#endif
