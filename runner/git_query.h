/* git_query.h - asks git: a child with a deadline whose output is the answer.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/program.h"
#include "runner/protocol.h"

#define GIT_QUERY_DEADLINE_S	  30
#define GIT_QUERY_FETCH_DEADLINE_S 90	/* since the script last said `==> git fetch …` */
#define GIT_QUERY_MAINTAIN_DEADLINE_S 600
#define GIT_QUERY_UNPACK_DEADLINE_S 60

/*
 * Forks the process that asks.  Returns a socket that gives encoded packets: PROGRESS where that
 * was asked for, then one ANSWER, and closes; one that closes without an ANSWER was killed.  -1: it
 * could not be forked.  *ret_pid is to be waited for.  Closing the socket early ends the git query
 * and everything it started.
 */
int git_query_start(const struct protocol_message *order, const struct program_dirs *dirs,
    pid_t *ret_pid, struct err *err);
