/* decide_factor.h - codes of the second factor: taken once, counted when wrong.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_factor.h"
#include "types/audit_code.h"
#include "types/update.h"

/* May who sent the update make, confirm and reset second factors of others?  By a grant on the
 * whole server: one of an application reaches nobody.  A no is audited and said; what: "2FA reset
 * of 7" */
bool decide_factor_may(struct tx *tx, const struct update *update, const char *what) MUST_USE;

/* Has who sent the update one, so that a code of theirs can be asked for what is done to the factor
 * of that person?  Else a no is audited and says that root does it: an account or a key of theirs
 * is not they. */
bool decide_factor_gives_code(
    struct tx *tx, const struct update *update, int64_t person, const char *what) MUST_USE;

/* Could a code of theirs be taken now?  False: *why says why not, and what to do. */
bool decide_factor_is_ready(struct tx *tx, int64_t person, char why[LIMIT_LINE]) MUST_USE;

/* Theirs, person 0: they have none.  One that was reset ends here, when it is time. */
struct factor decide_factor_of(struct tx *tx, int64_t person);

#define DECIDE_FACTOR_PENDING_MS (10 * 60 * INT64_C(1000))

/* Is it one that may still be confirmed?  Made within ten minutes; one that was made in the chat,
 * and scanned: within a day of that. */
bool decide_factor_is_pending(const struct tx *tx, const struct factor *factor) MUST_USE;

/* An entry of the audit about that person's. */
void decide_factor_audit(
    struct tx *tx, const struct update *update, enum audit_code code, int64_t person);

/* It was reset by who sent the update, and all are notified.  It counts until the first admin who
 * did not do it has been sent that, or ten minutes. */
void decide_factor_reset(struct tx *tx, const struct update *update, int64_t person);

/* A recovery code of that person, as whoever sent the update has typed it: taken once, in the place
 * of a code, and all are notified; a wait ends, a factor that is closed stays so.  False: *why as
 * above. */
bool decide_factor_recover(struct tx *tx, const struct update *update, int64_t person,
    const char *text, char why[LIMIT_LINE]) MUST_USE;

/* At start and after a change of the settings: all are encrypted with the first key, and none is
 * shown in a chat any more. */
void decide_factor_look(struct tx *tx);

/* In private to that person (skipped: 0), and to each admin. */
void decide_factor_tell(struct tx *tx, int64_t person, const char *fmt, ...) PRINTF(3, 4);
