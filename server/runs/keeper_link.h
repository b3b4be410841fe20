/* keeper_link.h - the connection to one run's keeper.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_LINK_H
#define KEEPER_LINK_H

#include <stdint.h>

#include "lib/loop.h"
#include "runner/protocol.h"

struct keeper_link;

/* Callbacks come from the loop.  The link may be freed inside each of them. */
struct keeper_link_watch {
	/* hello first; any kind a keeper says. */
	void (*on_message)(void *ctx, const struct protocol_message *message);
	/* It says what cannot be read, being of another release; nothing more is looked at. */
	void (*on_unreadable)(void *ctx, const char *why);
	void (*on_closed)(void *ctx);
	void *ctx;
};

/* Connects to STATE/runs/<run>/socket.  NULL and *err: ERR_BUSY, its backlog is full; ERR_MISSING,
 * nobody listens there (any more); else the system's reason. */
struct keeper_link *keeper_link_open(struct loop *loop, const char *state_directory, int64_t run,
    const struct keeper_link_watch *watch, struct err *err) MUST_USE;

/* Say `go` or `end`: at once, or as soon as the socket takes it. */
void keeper_link_go(struct keeper_link *link);
void keeper_link_end(struct keeper_link *link);

/* From now on only its end is heard (on_closed). */
void keeper_link_ignore(struct keeper_link *link);

void keeper_link_free(struct keeper_link *link); /* takes NULL */

#endif
