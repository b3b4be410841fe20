/* supervisor_link.h - the connection to one run's supervisor.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/loop.h"
#include "runner/protocol.h"

struct agent_link;
struct effect_run;
struct supervisor_link;

/* Callbacks come from the loop.  The link may be freed inside each of them. */
struct supervisor_link_watch {
	/* hello first; any kind a supervisor says. */
	void (*on_message)(void *ctx, const struct protocol_message *message);
	/* It says what cannot be read, being of another version; at each such message. */
	void (*on_unreadable)(void *ctx, const char *why);
	void (*on_closed)(void *ctx);
	void *ctx;
};

/* Where the supervisor of a run is, which is the run of this machine's runner. */
struct supervisor_link_at {
	const char *state_directory;
	int64_t run;
	uint64_t epoch; /* in which we lead: said first, and with `go`; 0: there is one server */
};

/* Connects to STATE/runs/<run>/socket.  NULL and *err: ERR_BUSY, its backlog is full; ERR_MISSING,
 * no process listens there (any more); else the system's reason. */
struct supervisor_link *supervisor_link_open(struct loop *loop,
    const struct supervisor_link_at *at, const struct supervisor_link_watch *watch,
    struct err *err) MUST_USE;

/* The same of a run that an agent has; the order is borrowed.  NULL and *err: ERR_MISSING, its host
 * is disconnected. */
struct supervisor_link *supervisor_link_open_at(struct agent_link *agent,
    const struct effect_run *order, const struct supervisor_link_watch *watch, struct err *err)
    MUST_USE;

/* Say `go` or `end`: at once, or as soon as the socket takes it. */
void supervisor_link_go(struct supervisor_link *link);
void supervisor_link_end(struct supervisor_link *link);

void supervisor_link_free(struct supervisor_link *link); /* takes NULL */
