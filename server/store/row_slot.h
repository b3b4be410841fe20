/* row_slot.h - how much runs at once, of all and of each application, and who is next.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What is in progress has a slot, from its start to its end, its automatic rollback too; what a
 * person asked to roll back has none, and needs none.  Nobody counts them beside the rows.
 */
#pragma once

#include "store/tx.h"

/* How much of that is in progress, and of this environment's application. */
int64_t row_slot_count(struct tx *tx);
int64_t row_slot_count_of(struct tx *tx, const char *environment);

/* RUNS_MAX and APPLICATION_RUNS_MAX of the event's settings, and is there room below both? */
bool row_slot_is_free(struct tx *tx, const char *environment);

/* The same for the next wave of what bakes there: others that wait have what is free behind it. */
bool row_slot_is_free_for_wave(struct tx *tx, const char *environment);

/* Does a queue of another environment wait for a slot, or for a look that may show that it does? */
bool row_slot_is_contended(struct tx *tx, const char *environment);

/* Whose turn a free slot is: of those that wait for one in an application that may have one more,
 * whose application has the fewest, then who took its place first.  Nothing there waits for one any
 * more.  False: nobody's, or none is free. */
bool row_slot_next(struct tx *tx, char ret_environment[LIMIT_ENVIRONMENT]) MUST_USE;
