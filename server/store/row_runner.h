/* row_runner.h - runners that are disconnected, and the runs that each of them has.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/peers.h"

/* That runner is disconnected; since when stands there already where it was before. */
void row_runner_set_gone(struct tx *tx, const char *name);
/* It is connected.  False: it was never said to be disconnected. */
bool row_runner_set_connected(struct tx *tx, const char *name);

/* That runner, if it is disconnected; all zero: it is connected, or is "local", whom all wait for
 * elsewhere. */
struct runner_gone row_runner_named(struct tx *tx, const char *name);

/* The lowest open run behind `after` (0: the first) that this runner has; 0: there is none. */
int64_t row_runner_next_run(struct tx *tx, const char *name, int64_t after);

/* The runner of that run, if it is disconnected; all zero: it is connected, or the run is not
 * open. */
struct runner_gone row_runner_gone(struct tx *tx, int64_t run);

/* Who has that run: "local", "agent:acme"; "": there is none.  Returns ret. */
const char *row_runner_of(struct tx *tx, int64_t run, char ret[LIMIT_RUNNER]);

/* As row_run_skip(); false: it is so far above the runs of here that it is none of them, and
 * nothing has changed. */
bool row_runner_skip_to(struct tx *tx, int64_t highest) MUST_USE;

/* The database is one of before, as whoever started it has said: numbers of runs go on far behind
 * those that there are, at the clock's seconds or above, since agents and hosts know those of
 * since; and store_move_spent(). */
void row_runner_outrun(struct tx *tx);

/* A person no longer waits for that run: what its runner says of it later changes nothing. */
void row_runner_abandon(struct tx *tx, int64_t run);
bool row_runner_has_abandoned(struct tx *tx, int64_t run);
