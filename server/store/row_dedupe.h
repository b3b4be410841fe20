/* row_dedupe.h - what came from outside is noted once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Notes (source, key); digest may be NULL.  False: key or digest of that source were there. */
bool row_dedupe_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest);

/* It may come again: its key and its digest are free. */
void row_dedupe_remove(struct tx *tx, const char *source, const char *key);
