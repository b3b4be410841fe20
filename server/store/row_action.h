/* row_action.h - what only work that is an action has: by whom, asked of whom, as it was shown.  Side: store. */
/* SPDX-License-Identifier: ISC */
/* Its name, its argument and its client stand in the row of work: they are what it is called by. */
#pragma once

#include "store/tx.h"
#include "types/action.h"

struct action_row {
	/* Who carries it out: "local", "ssh", "agent", "run", "cloudflare", "forge", "github",
	 * "gitlab". */
	char executor[ACTION_NAME];
	bool is_requested;	    /* Somebody else has to approve it, whatever its action says. */
	char shown_settings[LIMIT_BINDING]; /* Those that it was shown with, as a digest. */
	char shown_touches[LIMIT_LINE];	    /* What it does to what, as it was shown; cut. */
};

/* All zero: there is no such action. */
struct action_row row_action_get(struct tx *tx, int64_t work);
void row_action_set(struct tx *tx, int64_t work, const struct action_row *action);
