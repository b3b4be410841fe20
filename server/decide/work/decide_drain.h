/* decide_drain.h - the tail of a deployment: what it replaced ends when its connections have.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A drain is a run of work that has ended.  It is no work of its own: it takes no slot and no
 * claim, its environment is free, and nothing waits for it.  The lock on the host keeps it apart
 * from what comes next, which ends it where it needs its port.
 */
#pragma once

#include "store/row_deployment.h"

/* Orders it, where a script of that deployment has said that something is to be drained, or, of one
 * that is live, removed (`==> clean-later`); an earlier one of the environment ends.  One that only
 * cleans up is shown nowhere, and when it fails the next one goes on with it. */
void decide_drain(struct tx *tx, struct deployment *deployment);

/* Its exit record: ordered again where it did not run, or was lost.  Else one that has failed is a
 * warning, and no failure. */
void
decide_drain_ended(struct tx *tx, struct deployment *deployment, const struct run_ended *ended);

/* Its record could not be handled: the same, and the row is closed. */
void decide_drain_give_up(
    struct tx *tx, struct deployment *deployment, int64_t run, const char *reason);
