/* decide_freeze_target.h - what a freeze is of: an environment, an application, or all.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* As a row has it (policy/hold.h), of what was typed: the sender may freeze all of it.  False: they
 * were sent the reason, or a button for each environment that is meant. */
bool decide_freeze_target(struct tx *tx, const struct update *update, const struct request *request,
    char ret[LIMIT_ENVIRONMENT]);

/* As it is typed: "all" of HOLD_ALL, "shop" of all of that.  Returns out. */
const char *decide_freeze_word(const char *target, char out[LIMIT_ENVIRONMENT]);
