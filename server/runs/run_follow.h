/* run_follow.h - one run, from its order to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Knows its supervisor's socket and what the runner says about it.  What is to be said to the
 * runner is not queued: run_follow_say() reads it off the run's state when the runner can take it.
 * What comes next is one table (run_flow.h), whose acts are carried out here; a run that is over is
 * reported and freed at the bottom of the turn.
 */
#pragma once

#include "runs/runner_link.h"
#include "runs/runs.h"

struct agent_link;

struct run_follow;

/* What all runs share; lives longer than each. */
struct run_follow_world {
	struct loop *loop;
	const char *state_directory;
	struct redact *redact;
	unsigned grace_s;
	uint64_t epoch; /* in which we lead; 0: there is one server */
	void (*on_unsent)(void *ctx);	/* there is something to say to the runner */
	void (*on_over)(void *ctx, struct run_follow *run); /* it is about to be freed */
	/* Is that the own runner of another server? */
	bool (*is_others)(void *ctx, const char *runner);
	/* The message that orders it.  False: *err says why nobody can. */
	bool (*make_order)(void *ctx, const struct run_follow *run,
	    struct protocol_message *ret, struct err *err);
	void *ctx;
};

/* Follows it; nothing is reported or ordered yet.  agent: that has it, NULL: the runner.
 * is_resumed: look first, order only where there is nothing. */
struct run_follow *run_follow_new(const struct run_follow_world *world, struct agent_link *agent,
    const struct effect_run *order, const struct runs_watch *watch, bool is_resumed) MUST_USE;

/* Stops following: on_dropped is called, the run goes on. */
void run_follow_drop(struct run_follow *run);

const struct effect_run *run_follow_order(const struct run_follow *run);
const struct agent_link *run_follow_agent(const struct run_follow *run);

/* As run_output_now(). */
const struct run_tail_bytes *run_follow_output(struct run_follow *run);

/* Sends the runner what is to be said to it, or its own agent; false: it can take no more now. */
bool run_follow_say(struct run_follow *run, struct runner_link *runner) MUST_USE;

/* Its runner said started, refused, settled or stuck about it. */
void run_follow_take(struct run_follow *run, const struct protocol_message *message);

/* The runner is gone: what was sent to it and not answered is asked of the next one. */
void run_follow_runner_down(struct run_follow *run);

/* As runs_go() and runs_stop_run(). */
void run_follow_go(struct run_follow *run);
void run_follow_stop(struct run_follow *run, struct runs_stop_request *request);
