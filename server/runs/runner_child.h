/* runner_child.h - the runner as a child of ours, and a socket to it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"
#include "runs/runner_starter.h"

struct runner_child;
struct runner_link_config;

/* Its process has ended (EXITED, KILLED); or whoever starts it has, and there is none ever again
 * (GONE). */
typedef void runner_child_end_fn(void *ctx, const struct runner_starter_said *said);

/* Copies what of the config is a child's, and forks its starter, as runner_starter_fork() says;
 * the runner is not started yet.  NULL and *err: our own executable cannot be found, or the kernel
 * has no place. */
struct runner_child *runner_child_new(const struct runner_link_config *config,
    void (*wipe)(void *ctx), void *ctx, struct err *err) MUST_USE;

/* on_end comes from the loop, until runner_child_leave(). */
void runner_child_watch(
    struct runner_child *child, struct loop *loop, runner_child_end_fn *on_end, void *ctx);
void runner_child_leave(struct runner_child *child); /* takes NULL, and one that nobody watches */

/* Starts it; *ret_fd is the socket to it, the caller's.  Not while one is there.  Waits for its
 * starter's answer, which comes at once, for some seconds at most. */
bool runner_child_start(struct runner_child *child, int *ret_fd, struct err *err) MUST_USE;

/* It was started and has not ended. */
bool runner_child_is_there(const struct runner_child *child);

/* SIGKILL; on_end comes. */
void runner_child_kill(struct runner_child *child);

const char *runner_child_path(const struct runner_child *child);

/* Takes NULL.  The process is left to end by itself, when its socket is closed. */
void runner_child_free(struct runner_child *child);
