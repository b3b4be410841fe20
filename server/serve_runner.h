/* serve_runner.h - the runner and the agents, as parts of the server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct serve;

/* The runner of this machine, before any thread; agents connect with the first peers, where there
 * is a LINK_ADDRESS.  False and *err: it cannot be started. */
bool serve_runner_start(struct serve *serve, struct err *err) MUST_USE;
/* ctx: the server.  The metrics of agents. */
void serve_runner_count(void *ctx);
void serve_runner_stop(struct serve *serve);
