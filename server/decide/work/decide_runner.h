/* decide_runner.h - a runner is disconnected or back, and a run that nobody waits for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/update.h"

/* The messages of all runs that this runner has say that it is disconnected, or no longer. */
void decide_runner_gone(struct tx *tx, const char *name);
/* highest: no run that it has a folder of is above it; those that are ordered from now on are. */
void decide_runner_hello(struct tx *tx, const char *name, int64_t highest);

/* Of a remote runner is not known whether it is connected, until it says hello. */
void decide_runners_started(struct tx *tx);

/* Whoever sent the update does not wait for the run of that work, whose runner is disconnected: the
 * work ends as one of which nobody knows what it did, its environment is unknown, and nothing is
 * begun for it.  A run whose script was not seen at its gate never passes it. */
void decide_abandon(struct tx *tx, struct deployment *deployment, const struct update *update);
