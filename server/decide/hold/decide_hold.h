/* decide_hold.h - locks and freezes: which there are now, and who is denied.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What begins and ends them stands in decide_hold_change.h.  What a person types is denied at once;
 * what has a place in the queue keeps it, and is asked about at its turn; a push makes no work, and
 * its environment's row notes it (decide_hold_work.h).
 */
#pragma once

#include "policy/hold.h"
#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* Those of the environment at this moment, a window of its settings too.  The lock of whoever may
 * lock it no more is none. */
void decide_holds(struct tx *tx, const char *environment, struct holds *ret);

/* Of that environment: who does not see the target of one, as who acts on a client there, reads by
 * whom and until when, and no more: not why, nor what names it. */
void decide_hide_holds(
    struct tx *tx, int64_t person, const char *environment, struct holds *holds);

/* Its lock that binds; id 0: none. */
struct hold decide_lock(struct tx *tx, const char *environment);

/* May whoever sent the update deploy there now?  False: they were told by what not and until when,
 * and shown what they can do.  has_exception: from freezes, with a reason that they gave. */
bool decide_may_now(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, bool has_exception);

/* May they lock it?  False: somebody else has, and they were told so in the same manner. */
bool decide_may_lock(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment);
