/* decide_loan_end.h - a job is over, or a grant: what was lent by it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/delivery.h"

/* A forge says that a job is over, or a run: what it was lent ends, whatever repository it is of.
 * Whoever has signed that speaks for the application to whose target it was lent, and for that of
 * the job's workflow, and of the job's repository alone. */
void decide_loan_over(struct tx *tx, const struct delivery *delivery);

/* There are other settings: who may no longer have what they were lent, or wait for, has it no
 * more. */
void decide_loans_look(struct tx *tx);
