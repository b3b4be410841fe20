/* decide_pad_shown.h - how a question stands to which a yes or a code belongs.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_pad.h"
#include "types/api.h"

/* How the question about that work stands: in another message, or about something else, it is
 * another question. */
void decide_pad_shown(struct tx *tx, int64_t id, char ret[PAD_SHOWN]);

/* The same for /v1, in 32 hex digits: a yes or a code that comes with them is for that question.
 * Gives ret; "" where OpenSSL cannot hash it, which is none. */
const char *decide_pad_digest(struct tx *tx, int64_t id, char ret[API_SHOWN]);
