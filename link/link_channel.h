/* link_channel.h - the channels of one connection, and what may still be sent in each.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Both sides use it.  Whoever reads a channel gives credit back for what was passed on, so that one
 * channel that nobody reads stops itself alone.  A channel is closed by both: who closes it first
 * drops what comes until the other side has answered.  Channel 1 is always there: closed, it begins
 * anew.
 */
#pragma once

#include "link/link_tls.h"

#define LINK_CHANNEL_RUNNER 1
#define LINK_CHANNELS_MAX   (PROTOCOL_RUNS_MAX + 1)
#define LINK_CALLS_FROM	    0x80000000u /* numbers that deploybot-link gives (link_calls.h) */

struct link_channel {
	SLIST_ENTRY(link_channel) next;
	struct link_channels *of;
	uint32_t number;
	bool is_closing;
	int64_t may_send;	/* bytes of packets */
	int64_t may_come;
	int64_t to_give;	/* passed on, and not yet given back */
	struct link_packets waiting; /* for credit */
	void *ctx;		/* the owner's */
};

struct link_channels {
	SLIST_HEAD(link_channel_list, link_channel) all;
	size_t count;
	size_t closing; /* of them: by us, and not by the peer yet */
	int64_t second; /* monotonic: in which channel 1 was closed so often */
	unsigned closes;
	struct link_tls *tls;
	/* What was passed on, and what ctx is, end here: the channel is closed or gone. */
	void (*on_close)(struct link_channel *channel);
	/* There is credit again; NULL: nobody asks. */
	void (*on_credit)(struct link_channel *channel);
};

/* With channel 1. */
void link_channels_init(struct link_channels *channels, struct link_tls *tls);
/* All but calls, which are nobody else's. */
void link_channels_close(struct link_channels *channels, const char *why);
void link_channels_done(struct link_channels *channels);
/* NULL: there is none. */
struct link_channel *link_channels_find(struct link_channels *channels, int64_t number);
/* NULL: it is there already, or there are too many. */
struct link_channel *link_channels_add(struct link_channels *channels, int64_t number);

/* A packet to the peer, at once or when there is credit.  False: too much waits. */
bool link_channel_send(struct link_channel *channel, const char *packet, size_t size) MUST_USE;
/* It was passed on: the peer may send as much again. */
void link_channel_passed(struct link_channel *channel, size_t size);
/* A frame of a channel other than 0: whose it is.  NULL: nobody's any more, or the connection has
 * ended, since the channel is not open or has no credit. */
struct link_channel *link_channels_came(struct link_channels *channels,
    const struct link_frame *frame);
/* Says close, unless that was said. */
void link_channel_close(struct link_channel *channel, const char *why);
/* A word of the peer: hello comes first, and once; ping, credit and close are done here.  True:
 * there is something for the owner to do, which has a close of what it has not closed itself. */
bool link_channels_hear(struct link_channels *channels, const struct link_word *word) MUST_USE;
