/* agents.h - the agents and remote runners that deploybot-link has connected.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/release_ticket.h"
#include "runs/agent_link.h"
#include "types/agents_seen.h"

struct agents;

struct agents_config {
	struct loop *loop;
	const char *path;      /* LINK_SOCKET; NULL: nobody ever connects */
	const char *order_key; /* LINK_ORDER_KEY, in PEM; NULL without a path */
	/* As struct agent_link_world has them. */
	void (*on_said)(
	    void *ctx, enum event_kind kind, const char *identity, const char *text);
	void (*on_runner)(
	    void *ctx, const char *runner, bool is_connected, uint64_t highest);
	void *ctx;
	int64_t silent_ms; /* as there; 0: 30 s */
	uint64_t epoch;	   /* in which we lead; 0: there is one server */
};

/* Copies the texts.  Opens nothing before agents_take_peers().  NULL and *err: the key is none. */
struct agents *agents_new(const struct agents_config *config, struct err *err) MUST_USE;

/* Whoever follows runs of agents; once, before the first peers. */
void agents_join(struct agents *agents, const struct agent_link_runs *runs);

/* What is enrolled now; takes the reference. */
void agents_take_peers(struct agents *agents, struct known_peers *peers);

/* What remote runners are to see of an environment now; takes it. */
void agents_take_state(struct agents *agents, struct state_file *state);

/* Who is connected, as of now or, of thousands, of a moment ago; borrowed until the next call.
 * NULL: who is enrolled is not known yet. */
struct agents_seen *agents_seen(struct agents *agents);

/* By the name that a run's row has of it, "agent:acme" or that of a remote runner, connected or
 * not; lives as long as all.  NULL: it is neither. */
struct agent_link *agents_find(struct agents *agents, const char *runner);

/* Signs it, all of whose fields but the agents are filled, for these (names, a comma between); who
 * never said what it may be ordered is left out.  False: *err says why. */
bool agents_ticket(const struct agents *agents, struct release_ticket *ticket, const char *names,
    char ret[RELEASE_TICKET_MAX], struct err *err) MUST_USE;

/* To which enrolments are answered. */
struct link_client *agents_link(const struct agents *agents);

/* Takes NULL; whoever follows runs has ended before. */
void agents_free(struct agents *agents);
