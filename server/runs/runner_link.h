/* runner_link.h - the runner as a process: started, talked to, started again.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef RUNNER_LINK_H
#define RUNNER_LINK_H

#include "lib/loop.h"
#include "runner/protocol.h"
#include "runs/packet.h"

struct runner_link;
struct settings;

/* It is asked for a sign of life all the time.  One that gives none is killed and started again:
 * orders, questions and settles all wait for a runner that is well, and have no deadlines of their
 * own.  Callbacks come from the loop, but for none inside runner_link_start(). */
struct runner_link_config {
	const char *path;		/* NULL: beside our own executable */
	const char *state_directory;
	const char *env_file;		/* NULL: none */
	const struct settings *settings; /* which variables are the runner's; used while starting */
	int64_t answer_ms;		/* how long it may be silent */
	void (*on_ready)(void *ctx);	/* it said hello: talk to it */
	void (*on_message)(void *ctx, const struct protocol_message *message);
	void (*on_writable)(void *ctx);	/* after PACKET_LATER */
	void (*on_down)(void *ctx);	/* it is gone: nothing that was asked will be answered */
	void (*on_fatal)(void *ctx, const char *text); /* it will never work; not started again */
	void *ctx;
};

/* Copies the config and its texts.  NULL and *err when it cannot be started at all. */
struct runner_link *runner_link_start(struct loop *loop, const struct runner_link_config *config,
    struct err *err) MUST_USE;

bool runner_link_is_ready(const struct runner_link *link);

/* PACKET_LATER also while it is not ready. */
enum packet_sent runner_link_send(struct runner_link *link, const struct protocol_message *message,
    struct err *err) MUST_USE;

/* Closes its socket, at which it ends.  Takes NULL; not inside a callback. */
void runner_link_free(struct runner_link *link);

#endif
