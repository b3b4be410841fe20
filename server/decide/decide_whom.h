/* decide_whom.h - whom somebody can ask for what they may not do themselves, by name.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/row_deployment.h"
#include "store/tx.h"

#define DECIDE_WHOM 3

/* Who may do that there and has a name: who asked for something lately, the latest first, before
 * them *first (whose person may be 0: nobody).  name: of an action, for POLICY_DO; else "".
 * Returns how many.  Its caller has seen that who asks sees the environment. */
size_t decide_whom(struct tx *tx, enum policy_action action, const char *name,
    const char *environment, const struct row_person *first, struct row_person ret[DECIDE_WHOM]);

/* What stands in front of the i-th of n names: "", ", " or `last`, as " and ". */
const char *decide_whom_between(size_t i, size_t n, const char *last);
