/* health_look.h - looks once at health URLs, for somebody who waits.  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/probe.h"

struct health_looks;
struct http_client;
struct loop;

/* Of all looks together, in progress, and of one user's; of what comes then it is not known how it
 * is.  One URL that hangs takes a place for PROBE_LOOK_TIMEOUT_S each time somebody looks. */
#define HEALTH_LOOK_PROBES	   (4 * PROBE_LOOK_TARGETS)
#define HEALTH_LOOK_PROBES_OF_USER PROBE_LOOK_TARGETS

/* findings: borrowed, as many as the targets and in their order.  From the loop, never inside
 * health_look_start(). */
typedef void health_look_fn(void *ctx, const struct probe_finding *findings);

struct health_looks *health_looks_new(struct loop *loop, struct http_client *client) MUST_USE;

/* What is in progress is told so far.  Takes NULL. */
void health_looks_free(struct health_looks *looks);

/* Asks each of n targets, which are borrowed for this call.  user: any number of whoever waits.
 * on_done is called exactly once. */
void health_look_start(struct health_looks *looks, uint64_t user,
    const struct probe_target *targets, size_t n, health_look_fn *on_done, void *ctx);
