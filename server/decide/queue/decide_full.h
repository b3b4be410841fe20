/* decide_full.h - is there a place in a queue?  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

/* Why there is no place in the queue for this person's work; "": there is one.  Rollbacks and
 * emergencies (is_first) have places of their own; whom no lock or freeze holds is not refused for
 * those whom one does. */
void decide_full_why(struct tx *tx, const char *environment, int64_t person, bool is_first,
    bool is_held, char ret[LIMIT_LINE]);

/* True: there is none for that of whoever sent the update, whom no lock or freeze holds there, and
 * that was said of the target: the environment, or a client there.
 * is_first: of a rollback or an emergency. */
bool decide_is_full(struct tx *tx, const struct update *update, const char *environment,
    const char *target, bool is_first);
