/* decide_end.h - a deployment ends out of turn: cancelled, given up, its folder gone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* Of what a forge was asked to cancel, and has ended well: who has stopped it, and the forge. */
#define DECIDE_STOPPED_TOO_LATE "in spite of Stop %.120s: %s did not take it in time"

/* Whoever sent the update wants it ended, and that is audited.  False: it cannot be now. */
bool decide_cancel(struct tx *tx, struct deployment *deployment, const struct update *update);

/* What it needs to end was lost (a handler failed, a row is missing): it ends as interrupted. */
void decide_give_up(struct tx *tx, struct deployment *deployment, const char *reason);

/* What it left is not known, and may go on elsewhere: it ends, and nothing is begun for it; of
 * waves the one in hand alone does, and it is paused. */
void decide_folder_gone(struct tx *tx, struct deployment *deployment, const char *reason);

/* The same, whatever it is: a person has given it up, or nothing can be decided about it. */
void decide_ends_unknown(struct tx *tx, struct deployment *deployment, const char *reason);
