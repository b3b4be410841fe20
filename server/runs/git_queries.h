/* git_queries.h - git queries on their way to the runner and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runs/runner_link.h"
#include "runs/runs.h"

/* All zero: none. */
struct git_queries {
	struct runs_git_query *first;	/* oldest first */
	size_t n;
	size_t n_asked;			/* of them at the runner */
	uint64_t last;			/* number given */
};

/* As runs_git_query_start(); nothing is said yet. */
struct runs_git_query *
git_queries_add(struct git_queries *queries, const struct runs_git_query_config *config,
    struct err *err) MUST_USE;
void git_queries_cancel(struct git_queries *queries, struct runs_git_query *query);

/* Sends the runner as many as it takes. */
void git_queries_say(struct git_queries *queries, struct runner_link *runner);

/* The runner said answer. */
void git_queries_take(struct git_queries *queries, const struct protocol_message *message);

void git_queries_progress(struct git_queries *queries, const struct protocol_message *message);

/* The runner is gone: each is answered `unreachable`. */
void git_queries_runner_down(struct git_queries *queries);

/* Frees all; nobody is called back. */
void git_queries_done(struct git_queries *queries);
