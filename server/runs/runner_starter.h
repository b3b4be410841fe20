/* runner_starter.h - a process that starts the runner, for a server that can start nothing itself.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/err.h"

struct runner_link_config;

/* A packet to it is one of these bytes, START with a descriptor: the runner's socket. */
enum runner_starter_word { RUNNER_STARTER_START = 'S', RUNNER_STARTER_KILL = 'K' };

enum runner_starter_what {
	RUNNER_STARTER_STARTED, /* the answer to START, at once, or FAILED with an errno */
	RUNNER_STARTER_FAILED,
	RUNNER_STARTER_EXITED, /* the runner has, with a status */
	RUNNER_STARTER_KILLED, /* the runner was, by a signal */
	RUNNER_STARTER_GONE,   /* never said: the starter is, and nothing is started any more */
};

/* A packet from it. */
struct runner_starter_said {
	enum runner_starter_what what;
	int value; /* an errno, a status or a signal */
};

/*
 * Forks it, before the sandbox and before the first thread.  It knows the config's path, arguments
 * and environment of now, and starts nothing else, whatever it is told.  What a server knows
 * besides, it forgets: `wipe` (may be NULL) is called there, and its variables are overwritten.  It
 * ends with the server, and when its socket, *ret_fd, is closed.  -1 and *err: the kernel has no
 * place.
 */
pid_t runner_starter_fork(const struct runner_link_config *config, void (*wipe)(void *ctx),
    void *ctx, int *ret_fd, struct err *err) MUST_USE;
