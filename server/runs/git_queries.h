/* git_queries.h - git queries on their way to the runner and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runs/agent_link.h"
#include "runs/runner_link.h"
#include "runs/runs.h"

/* All zero: none. */
struct git_queries {
	struct runs_git_query *first;	/* oldest first */
	size_t n;
	uint64_t last;			/* number given */
};

/* As runs_git_query_start(), of that remote runner, or (NULL) of the local one; nothing is said
 * yet. */
struct runs_git_query *
git_queries_add(struct git_queries *queries, const struct runs_git_query_config *config,
    struct agent_link *agent, struct err *err) MUST_USE;
void git_queries_cancel(struct git_queries *queries, struct runs_git_query *query);

/* Sends the runner, or each of the remote ones, as many as it takes. */
void git_queries_say(struct git_queries *queries, struct runner_link *runner, bool of_remote);

/* That runner (NULL: the local one) said answer, or how far it is. */
void git_queries_take(struct git_queries *queries, const struct agent_link *agent,
    const struct protocol_message *message);
void git_queries_progress(struct git_queries *queries, const struct agent_link *agent,
    const struct protocol_message *message);

/* It is gone: each is answered `unreachable`. */
void git_queries_runner_down(struct git_queries *queries, const struct agent_link *agent);

/* Frees all; nobody is called back. */
void git_queries_done(struct git_queries *queries);
