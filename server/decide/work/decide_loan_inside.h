/* decide_loan_inside.h - what ends a loan, and what Vault is asked for it, for decide_loan*.c.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_first.h"
#include "deployment/deployment.h"
#include "store/row_loan.h"
#include "store/tx.h"
#include "types/loan.h"

/* How one ends: why its work says it has failed where nothing was given yet, is_early where people
 * have to know of what was given (where Vault is away, they are rung), and what they read. */
/* name, why, is_early, text */
#define LOAN_ENDS(X) \
	X(JOB_OVER, CANCELLED, false, "its job is over") \
	X(NOT_NEEDED, CANCELLED, false, "its job needs it no longer") \
	X(TIME_OVER, TIMED_OUT, false, "its time is over") \
	X(NOT_USED, TIMED_OUT, true, "not used") \
	X(NOT_UNWRAPPED, INTERRUPTED, true, "its job could not unwrap it") \
	X(FETCHED_TWICE, INTERRUPTED, true, "fetched twice") \
	X(NOT_GRANTED, REFUSED, true, "who asked for it may not have it any more") \
	X(CHANGED, INTERRUPTED, false, "its settings changed before it was given: ask again") \
	X(NOT_LENT, REFUSED, false, "the settings lend it no longer") \
	X(NOT_FETCHED, TIMED_OUT, false, "who asked for it did not fetch it within two minutes") \
	X(NOT_SENT, TIMED_OUT, false, "Telegram did not take it within two minutes: ask again") \
	X(RESTARTED, INTERRUPTED, false, "deploybot was restarted before it was given: ask again")

enum loan_end {
#define X(name, why, is_early, text) LOAN_END_##name,
	LOAN_ENDS(X)
#undef X
};

/* It ends so: what Vault has made for it is revoked, once, and its messages say it. */
void decide_loan_drop(struct tx *tx, int64_t number, enum loan_end how);

/* The same where whoever asked may not have it any more, by the settings of now. */
void decide_loan_check(struct tx *tx, int64_t number);

/* True: it may be lent still, as *ret says.  Else it has ended: who asked may not have it any more,
 * or what was made of it is of other settings than those of now. */
bool decide_loan_stands(
    struct tx *tx, struct deployment *work, struct loan_row *row, struct loan *ret);

/* It is given: the loop hands it out. */
void decide_loan_give(struct tx *tx, struct deployment *work, struct loan_row *row, bool is_value);

struct loan_suspicion {
	enum chat_first first;
	const char *outcome; /* in the audit */
	const char *what;
};

/* Somebody else may have what was given: it is revoked, and admins are rung: of each loan once a
 * day, of one that is over until an hour behind its end, and as often as decide_loan_may_alarm()
 * says.  False: nothing was done. */
bool decide_loan_suspect(struct tx *tx, struct deployment *work, struct loan_row *row,
    const struct loan_suspicion *suspicion, enum loan_end how);

/* The value itself is for jobs: a person reads at Vault. */
bool decide_loan_is_by_value(
    struct tx *tx, const struct deployment *work, const struct loan *loan);

/* Vault makes it, and the loop reads the value by it where that is delivered. */
void decide_loan_order_lend(
    struct tx *tx, const struct deployment *work, const struct loan *loan);

/* It ends at Vault, at the given try, in so many ms. */
void decide_loan_order_revoke(
    struct tx *tx, const struct loan_row *row, int tries, int64_t in_ms);

/* Is it so early that what Vault knows no more was used, and has not expired?  Vault may have made
 * it as long before we knew of it as a call takes. */
bool decide_loan_look_is_in_time(struct tx *tx, const struct deployment *work,
    const struct loan_row *row) MUST_USE;

/* Vault is asked whether it was used, at the next of its times from that one on, 0 at first. */
#define DECIDE_LOAN_LOOKS 4 /* the last one */
void decide_loan_order_look(struct tx *tx, const struct deployment *work,
    const struct loan_row *row, int tries);
