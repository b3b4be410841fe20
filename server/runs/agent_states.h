/* agent_states.h - what is live in each environment, which remote runners know before any order.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Scripts remove images and commits that no file in environments/ names (runner/state_files.h).
 * Every runner gets those of all environments: what another runner has deployed may stand on this
 * host as well, by a daemon or a mirror that both use.  So one that went elsewhere stays, too.
 * A few are on their way at a time, for link keeps 1 MB of what a host has not taken.
 */
#pragma once

#include "runs/agent_channel.h"
#include "types/state_file.h"

struct agent_states;

struct agent_states *agent_states_new(void) MUST_USE;
void agent_states_free(struct agent_states *states); /* behind each feed */
/* Takes it, as the store has sent it, in the place of the one before; every runner gets it. */
void agent_states_take(struct agent_states *states, struct state_file *state);

/* What of them one runner has. */
struct agent_feed {
	SLIST_ENTRY(agent_feed) more;
	struct agent_states *states;
	const struct agent_channels *channels;
	bool is_begun;	     /* false: a hello of it is to come, and behind that all of them */
	size_t next;	     /* to be sent */
	unsigned unanswered; /* that were sent */
	bool is_listed;	     /* behind all of them their list was sent */
	bool is_over;	     /* and all answered: it may be given orders */
	bool has_failed;     /* one was not taken: it refuses runs until it is greeted again */
};

void agent_feed_join(struct agent_feed *feed, struct agent_states *states,
    const struct agent_channels *channels);
void agent_feed_leave(struct agent_feed *feed);

void agent_feed_begin(struct agent_feed *feed); /* behind each hello */

/* It has changed in that environment (""; in none: there may be more of them), or an order for it
 * follows. */
void agent_feed_send(struct agent_feed *feed, const char *environment);

/* Its answer.  True: it is over by that. */
bool agent_feed_answered(struct agent_feed *feed, const struct protocol_message *answer) MUST_USE;
