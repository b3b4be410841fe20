/* runner_child.h - the runner as a child of ours, and a socket to it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"

struct runner_child;
struct runner_link_config;

/* Its process has ended: exited with a status, or was killed by a signal. */
typedef void runner_child_end_fn(void *ctx, bool has_exited, int status);

/* Copies what of the config is a child's; nothing is started.  NULL and *err: our own executable
 * cannot be found. */
struct runner_child *runner_child_new(struct loop *loop, const struct runner_link_config *config,
    runner_child_end_fn *on_end, void *ctx, struct err *err) MUST_USE;

/* Starts it; *ret_fd is the socket to it, the caller's.  Not while one is there. */
bool runner_child_start(struct runner_child *child, int *ret_fd, struct err *err) MUST_USE;

/* It was started and has not ended. */
bool runner_child_is_there(const struct runner_child *child);

/* SIGKILL; on_end comes. */
void runner_child_kill(struct runner_child *child);

const char *runner_child_path(const struct runner_child *child);

/* NULL is fine.  The process is left to end by itself, when its socket is closed. */
void runner_child_free(struct runner_child *child);
