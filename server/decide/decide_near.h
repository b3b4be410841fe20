/* decide_near.h - a name that does not exist: the nearest one that its sender may see, as a button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/decide_where.h"

/* The request names nothing that is there for them, of all environments that are: says so, with
 * the nearest of those as a button for the same, else with the names.  What they may not see is
 * near to nothing. */
void decide_near_say(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all);
