/* decide_pad_close.h - a pad of buttons goes, and its message says why.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_first.h"
#include "store/row_pad.h"

/* The pad, which has a message, and its buttons go; the message begins so, with the target that it
 * is about, and says the rest behind that, which may hold a name from outside. */
void decide_pad_close(
    struct tx *tx, const struct pad *pad, enum chat_first first, const char *rest);

/* Nothing is left to do for that work: each pad that asks for a code for it is closed, and says
 * why. */
void decide_pad_over(struct tx *tx, int64_t work, const char *why);
