/* decide_pad_astray.h - a code that is typed as a message, which nothing takes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

/* A message that is six digits, or a command that ends in them, of who is asked for a code: it is
 * deleted, and they are sent to where that code is taken.  False: it is none; nothing was done. */
bool decide_pad_astray(struct tx *tx, const struct update *update) MUST_USE;
