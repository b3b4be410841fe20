/* row_grant_use.h - when each person last did what; written once a day at most.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/grant_use.h"

/* From now on uses are counted, unless they are already. */
void row_grant_use_begin(struct tx *tx);

/* The person has just done that (the word of a grant). */
void row_grant_use_note(struct tx *tx, int64_t person, const char *action);

/* All of them, to be freed by the caller; NULL with tx failed. */
MUST_USE struct grant_use *row_grant_use_list(struct tx *tx, size_t *ret_count);

/* The same of a database that a server may be using. */
MUST_USE struct grant_use *row_grant_use_read(
    const char *database, size_t *ret_count, struct err *err);
