/* row_host.h - what each host of an environment runs that is released to in waves.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A row comes into being with the first deployment in waves that names its host, by its name as in
 * a claim.  It is touched from its line `began` on.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/host.h"

/* Of a host: the work with that number has brought it where it is. */
#define ROW_HOST_DONE "state = 'current' AND work = $2"

/* From now on it is in that wave of the work.  A host without a row has run `before` until now. */
void row_host_plan(struct tx *tx, const struct deployment *work, const char *name, int wave,
    const struct release *before);

/* That run is ordered to the hosts of the work's wave that do not have its release yet (where all
 * do, to all of the wave), and what each should run now is kept with it; or to all that it has
 * touched, and brings each back to what it ran before (of a rollback in no waves: to all that run
 * something); or ends what it has replaced on those that it is done with, of waves before the one
 * in hand or where the work is over, and where no run has ended that since.  Never to a host that
 * has left: of those it has touched nothing is known from now on.  Returns how many. */
int64_t row_host_order(struct tx *tx, const struct deployment *work, int64_t run);
int64_t row_host_order_back(struct tx *tx, const struct deployment *work, int64_t run);
int64_t row_host_order_drain(struct tx *tx, const struct deployment *work, int64_t run);

/* What hosts have said of that run of the work, which may bring them back.  Others are ignored.
 * One statement. */
void row_host_said(struct tx *tx, const struct deployment *work, int64_t run,
    const struct host_result *list, size_t n);

/* What became of that run is not known, nor of its hosts that have not said how it ended there. */
void row_host_gone(struct tx *tx, const struct deployment *work, int64_t run);

/* The work's newest run is over: those that it was to bring back and did not are not known. */
void row_host_over(struct tx *tx, const struct deployment *work);

/* The work is over, so nobody waits for a host that it has touched; is_all: it was in no waves, and
 * all hosts run its release, or may (is_known). */
void row_host_end(struct tx *tx, const struct deployment *work);
void row_host_set_all(struct tx *tx, const struct deployment *work, bool is_known);

/* It is released to in waves no more; where something of it still is, nothing is done. */
void row_host_forget(struct tx *tx, const char *environment);
