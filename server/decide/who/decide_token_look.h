/* decide_token_look.h - tokens that are over, or will be with who made them: recorded, and said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/*
 * Looks at each token that is not revoked.  Of one of before, the file of its role is found.  What
 * had its end has ended for good, whatever a clock says later.  The admins are sent the names of
 * those that became invalid without their doing, and of those that end within a week with the role,
 * or with who made them, each once.  Returns when the next one ends; INT64_MAX: none does.
 */
int64_t decide_token_look(struct tx *tx);
