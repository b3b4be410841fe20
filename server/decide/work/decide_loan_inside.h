/* decide_loan_inside.h - what ends a loan, and what Vault is asked for it, for decide_loan*.c.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/row_loan.h"
#include "store/tx.h"
#include "types/loan.h"

/* Ends it, for what detail says: what Vault has made for it is revoked, and nothing more is. */
void decide_loan_drop(struct tx *tx, int64_t number, const char *detail);

/* The same where whoever asked may not have it any more, by the settings of now. */
void decide_loan_check(struct tx *tx, int64_t number);

/* The value itself is for jobs: a person reads at Vault. */
bool decide_loan_is_by_value(
    struct tx *tx, const struct deployment *work, const struct loan *loan);

/* Vault makes it, or reads the value. */
void decide_loan_order_lend(
    struct tx *tx, const struct deployment *work, const struct loan *loan);

/* It ends at Vault, at the given try, in so many ms. */
void decide_loan_order_revoke(
    struct tx *tx, const struct loan_row *row, int tries, int64_t in_ms);

/* Vault is asked whether it was used, at the next of its times from that one on, 0 at first. */
#define DECIDE_LOAN_LOOKS 3 /* the last one */
void decide_loan_order_look(struct tx *tx, const struct deployment *work,
    const struct loan_row *row, int tries);
