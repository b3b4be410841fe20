/* decide_ahead.h - what was in progress has ended: who was told to wait for it reads that.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* Questions of its environment that name it say how it ended; nobody is rung, and what it changed
 * is compared when one is answered.  Where something was blocked by it, git is asked at once about
 * what awaits approvals: one that was given need not count any more. */
void decide_ahead_ended(struct tx *tx, const struct deployment *ended);
