/* row_dedupe.h - what came from outside is noted once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Notes (source, key); digest may be NULL.  False: key or digest of that source were there. */
bool row_dedupe_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest);

/* Nothing came of it, and that was said: it is noted on, for whoever was answered that it is, and
 * when it comes again, by its key or its digest, it is new. */
void row_dedupe_give_up(struct tx *tx, const char *source, const char *key);
