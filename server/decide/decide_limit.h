/* decide_limit.h - how often somebody may ask, and for how much in a day.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/update.h"

/*
 * Is it too much?  Then it was dealt with.  Of who has a role as ROLE_RATE_LIMIT says, commands
 * and presses apart, answered with when it goes on (each press, a command once a minute); never
 * where it is_always (stop, status, lock, rollback, the end of a freeze).  Of who has none as
 * RATE_LIMIT_* say, of each person and of each group in which such people write: without an
 * answer, counted in the audit as `what`.
 *
 * What a token asks for counts, here and in what it costs, as the account's that has logged in with
 * it, or its maker's; one that root made counts by itself.
 */
bool decide_is_too_fast(
    struct tx *tx, const struct update *update, const char *what, bool is_always) MUST_USE;

/* May that person ask others by /request once more?  Each writes to all who approve, whatever
 * becomes of it: 4 at once, then one a minute.  It counts as one. */
bool decide_may_request(struct tx *tx, int64_t person) MUST_USE;

/*
 * May they ask for what costs so many tenths?  False: COST_LIMIT_PER_USER is used up, and that was
 * said, with the hour at which there is room again; the last one may have passed it.  What costs
 * nothing is never refused.
 */
bool
decide_can_pay(struct tx *tx, const struct update *update, const char *what, int tenths) MUST_USE;

/* They asked for it: it is noted, unless they were denied meanwhile, or asked which they mean. */
void decide_pay(struct tx *tx, const struct update *update, int tenths);

/* Work that a person asked for has ended: a tenth for each minute that it has begun, whoever
 * confirmed it. */
void decide_charge(struct tx *tx, const struct deployment *work);

/* For how long that person has no other archive deployed: three within an hour.  0: now. */
int64_t decide_upload_wait_ms(struct tx *tx, int64_t person) MUST_USE;

/* May it ring when approvers are asked about that work?  Bounded for each work, for who asked for
 * it, unless it is no loan and its target is down or in doubt, and for each chat: past that they
 * are asked without a sound.  The first is asked once for all chats, the second for each. */
bool decide_may_ring_approvers(struct tx *tx, const struct deployment *work) MUST_USE;
bool decide_may_ring_chat(struct tx *tx, int64_t chat) MUST_USE;

/* May it ring when that work awaits its confirmation?  Bounded for who asked for it, apart from
 * approvals. */
bool decide_may_ring_question(struct tx *tx, const struct deployment *work) MUST_USE;

/* May it ring when that person asks for an emergency? */
bool decide_may_ring_emergency(struct tx *tx, int64_t person) MUST_USE;
