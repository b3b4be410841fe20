/* decide_who.h - who somebody is to the policy: with what a token has, or a login lends them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/principal.h"

/* Who that is, with the role that a token has, or a login lends them, at this moment. */
struct principal decide_who(struct tx *tx, int64_t person);

/* Has this person a role of their own in force?  What a login lends is none. */
bool decide_has_own_role(const struct tx *tx, int64_t person);
