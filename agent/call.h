/* call.h - acts of releases here, as a script calls them through deploybot-link.  Side: agent. */
/* SPDX-License-Identifier: ISC */
/*
 * Whoever connects to runs/0/socket makes one call.  It is sent "n" and a challenge, and sends a
 * packet of five lines, SECONDS, ACT, TICKET, NAME=VALUE words and what proves the call
 * (lib/release_ticket.h), then packets of stdin, each behind a "0"; a "0" alone is its end.
 * Nothing is begun for who has hung up by then, or 30 s behind the challenge.
 * Answers: "1" and bytes of stdout, "2" and bytes of stderr, at last "x", the exit status in
 * decimal and, of a call that was refused, a blank and why.  Who takes none of it for 30 s, sends
 * more than CALL_STDIN, or stays for 30 s behind the end is hung up on.
 *
 * A call is the unit deploybot-do-release@RUN-N.service, whose stdin, stdout and stderr are pipes
 * in the agent's run folder: RUN-N, RUN-N.out and RUN-N.err, 0640, which are gone when it has
 * ended.  The first line of its stdin has act and words.  Its stdin ends with that of the caller,
 * with the caller and with the agent, in whatever way: at that it puts itself in order and ends.
 * Behind SECONDS it is stopped, and the status is 124.
 */
#pragma once

#include <poll.h>

#include "agent/run.h"
#include "lib/order_check.h"

#define CALLS_MAX  8 /* at once; one more waits */
#define CALL_PIECE 16384
#define CALL_STDIN 262144 /* bytes, with the first line */
#define CALLS_FDS  (1 + 4 * CALLS_MAX)

enum call_state { CALL_NEW, CALL_GOING, CALL_OVER };

struct call {
	enum call_state state;
	uint64_t run;
	char name[48];		 /* RUN-N */
	char unit[MANIFEST_UNIT];
	struct systemd *systemd; /* its own connection, as each has one start */
	int peer;		 /* -1: nobody listens any more */
	int in, out, err;	 /* pipes; in -1: it has ended */
	bool ends;		 /* in is to: not before its unit has opened it */
	int given;		 /* bytes, to in; at most CALL_STDIN */
	int64_t due;		 /* monotonic ms: nothing was said, or its time is over */
	int64_t taken;		 /* monotonic ms: the caller had all that there was for it */
	bool is_late;
	struct order_challenge challenge;
	size_t size; /* of piece, which the caller has not taken; 0: nothing */
	char piece[1 + CALL_PIECE];
};

struct calls {
	const struct run_world *world;
	int folder; /* of the pipes */
	int listener;
	unsigned number; /* of the last */
	struct call *all[CALLS_MAX];
};

/* run: path of the folder of pipes. */
bool calls_open(struct calls *calls, const struct run_world *world, const char *run,
    struct err *err) MUST_USE;
/* Each unit notices that, and ends. */
void calls_close(struct calls *calls);

/* What is waited for; *wait_ms, of what others wait for (-1: nothing), becomes less where something
 * is due sooner here. */
void calls_watch(const struct calls *calls, struct pollfd fds[CALLS_FDS], int *wait_ms);
/* Does whatever has come of it. */
void calls_advance(struct calls *calls);
/* No more come. */
void calls_leave(struct calls *calls);
bool calls_are_open(const struct calls *calls);
