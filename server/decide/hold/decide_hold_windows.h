/* decide_hold_windows.h - freeze windows of the settings: their beginning and end are announced.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Says in each team's chat, in one silent message, which of its environments a window has begun to
 * freeze (begins), or freezes no more, since that was said last: a row remembers, so that a restart
 * says nothing twice and misses nothing.  Ends are said before what waits is looked at. */
void decide_hold_windows(struct tx *tx, bool begins);
