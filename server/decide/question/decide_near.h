/* decide_near.h - a name that does not exist: the nearest that its sender may see, each a button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"

/* What it was named for: where they may do that comes first, and where one environment is to be
 * chosen those are offered, not the application or the name that several have. */
struct decide_near {
	enum policy_action action;
	bool is_one;
};

/* The request names nothing that is there for them, of all environments that are: says so, with
 * those that begin so or are nearest as buttons for the same, else with the names.  What they may
 * not see is near to nothing. */
void decide_near_say(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all, const struct decide_near *for_what);
