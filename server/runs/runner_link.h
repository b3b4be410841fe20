/* runner_link.h - a socket to a healthy runner: connected, used, connected again.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/loop.h"
#include "runner/protocol.h"
#include "runner/packet.h"

struct runner_link;
struct runner_child;
struct settings;

/* The runner is a child of ours, started and started again; or a service with a socket, connected
 * to and connected to again, for ever.  It is asked for a heartbeat all the time.  A child that
 * gives none is killed, the connection to a service is closed: orders, queries and reconciling all
 * wait for a healthy runner, and have no deadlines of their own.  Callbacks come from the
 * loop, none inside runner_link_start(). */
struct runner_link_config {
	const char *socket;		/* of a service; NULL: a child, and what follows is its */
	struct runner_child *child;	/* borrowed; NULL: it makes one of what follows */
	const char *path;		/* NULL: beside our own executable */
	const char *state_directory;
	const char *env_file;		/* NULL: none */
	const struct settings *settings; /* which variables are the runner's; used while starting */
	int64_t answer_ms;		/* how long it may be silent */
	uint64_t epoch;			/* in which we lead; 0: there is one server */
	bool is_quiet;			/* logs nothing: callbacks say what is wrong */
	void (*on_ready)(void *ctx);	/* it said hello: talk to it */
	void (*on_message)(void *ctx, const struct protocol_message *message);
	void (*on_writable)(void *ctx);	/* after PACKET_LATER */
	void (*on_down)(void *ctx);	/* it is gone: nothing that was asked will be answered */
	/* There is none, since now or still: at every try in vain; may be NULL. */
	void (*on_away)(void *ctx, const char *why);
	/* It will never work, and is not started again.  Of a service nobody knows that. */
	void (*on_fatal)(void *ctx, const struct err *why);
	void *ctx;
};

/* Copies the config and its texts.  NULL and *err when a child cannot be started at all. */
struct runner_link *runner_link_start(struct loop *loop, const struct runner_link_config *config,
    struct err *err) MUST_USE;

bool runner_link_is_ready(const struct runner_link *link);

/* PACKET_LATER also while it is not ready. */
enum packet_sent runner_link_send(struct runner_link *link, const struct protocol_message *message,
    struct err *err) MUST_USE;

/* Closes its socket, at which it ends.  Takes NULL; not inside a callback. */
void runner_link_free(struct runner_link *link);
