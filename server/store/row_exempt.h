/* row_exempt.h - what only an emergency has, or who may start in a freeze: what it goes past.  Side: store. */
/* SPDX-License-Identifier: ISC */
/* That it is one, and why, stands in the row of work; so does who has reviewed it, and when. */
#pragma once

#include "store/tx.h"

struct exempt {
	int64_t hold; /* The newest when an exception was given: it is from none that is newer. */
	int n_reminders; /* That nobody has reviewed an emergency. */
};

/* All zero: there is no such row. */
struct exempt row_exempt_get(struct tx *tx, int64_t work);
void row_exempt_set(struct tx *tx, int64_t work, const struct exempt *exempt);

/* What an emergency goes past, in the words that all read (marked text); "": it is none, or of
 * before this was kept. */
void row_exempt_set_passed(struct tx *tx, int64_t work, const char *lines);
const char *row_exempt_passed(struct tx *tx, int64_t work, char ret[LIMIT_PASSED]);
