/* row_witness.h - how far the audit's witness outside has confirmed its entries.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/witness.h"

/* One for each place (witness_place()) that settings ever named. */
struct witness_row {
	char place[WITNESS_PLACE];   /* "": the settings name none */
	int64_t confirmed;	     /* up to this entry */
	char head[LIMIT_AUDIT_HEAD]; /* of it */
	int64_t confirmed_at;	     /* wall ms */
	int64_t ordered_at;	     /* wall ms of the newest PUT */
	/* Entries behind `confirmed` up to `last` may be there already: the answer is missing.  0:
	 * none. */
	int64_t last;
	char last_head[LIMIT_AUDIT_HEAD]; /* the head of `last` */
	int64_t tries;			  /* that failed since the last that did not */
	int64_t failing_since;		  /* wall ms; 0: the last one was confirmed */
	bool is_late;			  /* it was said that nothing new starts */
	char detail[LIMIT_LINE];	  /* why the last one failed; "": it did not */
	int64_t removed; /* closed files up to this entry may go: an entry of the audit says so */
};

/* That of the settings of now. */
struct witness_row row_witness_get(struct tx *tx);
struct witness_row row_witness_of(struct tx *tx, const char *place);
void row_witness_save(struct tx *tx, const struct witness_row *row);

/* Up to which entry (ret_first: from which on) closed files of the audit log are old enough and
 * confirmed; 0: none.  They go once that is `removed` of the committed row. */
int64_t row_witness_removable(const struct tx *tx, int64_t *ret_first);

/* For how long (ms) the oldest entry waits for its confirmation; 0: none does, or there is no
 * witness.  Is that more than AUDIT_WITNESS_MAX_MINUTES? */
int64_t row_witness_lag(struct tx *tx);
bool row_witness_is_late(struct tx *tx);

/* The last entry of a log on this disk that the start moved away, since the database lacks it;
 * 0: none was. */
int64_t row_witness_log_last(const struct tx *tx);
