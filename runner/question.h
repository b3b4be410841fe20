/* question.h - asks git: a child with a deadline whose output is the answer.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef QUESTION_H
#define QUESTION_H

#include "runner/program.h"
#include "runner/protocol.h"

#define QUESTION_DEADLINE_S	  30
#define QUESTION_CLONE_DEADLINE_S 600	/* once the script has said `==> clone` */

/*
 * Forks the asker.  Returns a socket that gives one packet, the encoded ANSWER, and then closes;
 * one that closes without a packet was killed.  -1: it could not be forked.  *ret_pid is to be
 * waited for.  Closing the socket early ends the question and everything it started.
 */
int question_ask(const struct protocol_message *ask, const struct program_place *place,
    pid_t *ret_pid, struct err *err);

#endif
