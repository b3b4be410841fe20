/* row_forward.h - how far each collector has got the audit's entries.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/forward.h"

/* One for each place (forward_place()) that settings ever named. */
struct forward_row {
	char place[FORWARD_PLACE]; /* "": the settings name none */
	int64_t sent;		   /* up to this entry */
	int64_t tried_at;	   /* wall ms of the newest try */
	bool is_out;		   /* its result is still to come */
	int64_t tries;		   /* that failed since the last that did not */
	char detail[LIMIT_LINE];   /* why the last one failed; "": it did not */
};

/* That of the settings of now. */
struct forward_row row_forward_get(struct tx *tx, enum forward_to to);
struct forward_row row_forward_of(struct tx *tx, const char *place);
void row_forward_save(struct tx *tx, const struct forward_row *row);
