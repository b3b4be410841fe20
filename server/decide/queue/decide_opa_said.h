/* decide_opa_said.h - OPA has answered, or could not: its work goes on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/opa_verdict.h"

/* What was asked about that work: a request goes on to its question or its place, or is refused;
 * its queue is looked at where it has a place. */
void decide_opa_said(struct tx *tx, int64_t work, const struct opa_answer *answer);
