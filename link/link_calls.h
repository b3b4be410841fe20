/* link_calls.h - scripts of this machine's runner have acts of a release done on hosts.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Whoever may connect to the socket for calls says in its first packet a line with an agent's
 * name; what follows is of agent/call.h, and is passed on each way.  A call is a channel of that
 * host from LINK_CALLS_FROM on, and its end the end of that; that the host is gone, or its agent,
 * is the last packet.  Nothing is decided here: the agent looks at ticket and proof.
 */
#pragma once

#include "link/link_channel.h"
#include "link/link_listen.h"
#include "link/link_socket.h"

/* At once, of whoever they are: four environments of 64 hosts.  Descriptors are the agents'. */
#define LINK_CALLS_MAX	256
#define LINK_CALLS_GONE "g"

/* The channels of who is connected by that name, "agent/acme"; NULL: nobody is. */
typedef struct link_channels *link_calls_find_fn(void *ctx, const char *name);

struct link_calls {
	struct link_listen *listen; /* of who waits for a free descriptor */
	link_calls_find_fn *find;
	void *ctx;
	struct link_watch listener;
	uint32_t last; /* number given */
	size_t open;
	bool is_full; /* the log has it; until half of them have ended */
};

/* Its first is set.  Where nobody can be listened for, the log says so, and there are no calls. */
void link_calls_open(struct link_calls *calls, struct link_poll *poll, const char *path,
    link_calls_find_fn *find, void *ctx);
/* What the host says goes to who has called. */
void link_calls_answer(struct link_channel *channel, const struct link_frame *frame);
/* The channel, whosever it is, ends. */
void link_calls_over(struct link_channel *channel);
