/* decide_loan_yes.h - what a yes for a loan is read by, and what it covers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/work/decide_action.h"
#include "store/tx.h"

struct buf;

/* As decide_executor.h has them. */
bool decide_loan_exists(struct tx *tx, const struct deployment *work);
void decide_loan_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES]);
void decide_loan_bind(struct tx *tx, const struct deployment *work, struct buf *all);

/* Is it another path, time or delivery than what was asked about?  Settings may change while Vault
 * is away. */
bool decide_loan_is_changed(struct tx *tx, const struct deployment *work);
