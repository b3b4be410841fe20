/* asking.h - questions to git, one at a time, for whichever server asks.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef ASKING_H
#define ASKING_H

#include "runner/peers.h"
#include "runner/program.h"

struct asking_one {
	uint64_t peer; /* who asks */
	struct protocol_message *ask;
};

struct asking {
	struct asking_one waiting[PROTOCOL_ASKS_MAX]; /* oldest first */
	size_t count;
	uint64_t peer; /* who asked the one that is being asked */
	uint64_t id;   /* its number there; 0: none is being asked */
	pid_t pid;     /* 0: reaped already */
	int fd;	       /* where its answer comes from; -1: none */
};

/* It waits for its turn, or there are too many and that is its answer. */
void asking_add(struct asking *asking, struct peers *peers, uint64_t peer,
    const struct protocol_message *ask);

/* None is being asked, and one waits; then the next may begin. */
bool asking_has_next(const struct asking *asking);
void asking_next(
    struct asking *asking, struct peers *peers, const struct program_place *place);

/* When asking->fd can be read: hands the answer to who asked, if he is still there. */
void asking_hear(struct asking *asking, struct peers *peers);

/* Nobody waits for what this one asked: the one that is being asked ends, and with it all that it
 * has started. */
void asking_forget(struct asking *asking, uint64_t peer);

/* This child was waited for by somebody else. */
void asking_reaped(struct asking *asking, pid_t pid);

/* Answers a question that was not asked: status, and a sentence. */
void asking_refuse(
    struct peers *peers, uint64_t peer, uint64_t id, int status, const char *text);

#endif
