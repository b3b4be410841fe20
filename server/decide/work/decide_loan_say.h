/* decide_loan_say.h - what people read of a loan: it waits, is open, is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

struct chat_text;
struct deployment;
struct loan_row;
struct vault_said;

/* Its messages say from now on why Vault has not made it yet, or not revoked it; why "": they do no
 * longer.  That Vault says so again with another reason is no news. */
void decide_loan_say_waits(struct tx *tx, struct deployment *work, const char *why);

/* Behind what was said of its end before: "used 14:02; its job is over"; how "": its first line
 * says it.  Its row is saved, and its messages say it. */
void decide_loan_say_over(struct tx *tx, struct deployment *work, const char *how);
void decide_loan_say_used(struct tx *tx, struct deployment *work);

/* Rings with the person who asked in a chat: what they were sent was not used, and is revoked. */
void decide_loan_say_unused(struct tx *tx, const struct deployment *work);

/* What somebody wanted revoked, or ends early for another work->why (fetched twice, not used, a
 * grant withdrawn, not wrapped as it was to be): at that answer of Vault's admins, and they, are
 * rung, once while it is alive there, and once when it is no longer. */
void decide_loan_say_alive(struct tx *tx, const struct deployment *work,
    const struct loan_row *row, const struct vault_said *said, bool is_alive);

/* Its time is over, and Vault has not said that it has revoked it: what ends it then. */
const char *decide_loan_ends_itself(struct tx *tx, const struct deployment *work);

/* Whoever wants it revoked reads how that stands. */
void decide_loan_answer(
    struct tx *tx, const struct update *update, const struct deployment *work, const char *how);

/* Why it cannot be revoked; NULL: it can. */
const char *decide_loan_not_revoked(const struct loan_row *row);
