/* row_hold_repeat.h - what one person repeats of locks and freezes: counted for a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/hold.h"
#include "store/tx.h"
#include "types/principal.h"

#define ROW_HOLD_REPEAT_MS (60 * INT64_C(1000))

/* One kind of it: entries of the audit (chat 0) of one action and target, or copies to one chat. */
struct hold_repeat {
	int64_t person;
	char principal[PRINCIPAL_TEXT]; /* by which way; "": of a chat, or of before version 16 */
	int64_t chat;
	char action[24];  /* "lock_begun"; "": of a chat */
	struct hold hold; /* target, by, reason and until of the last; target "" of a chat */
	int64_t n;	  /* since the last entry or message */
	int64_t first_at; /* of those n, wall ms; of before version 16: its minute */
	int64_t last_at;
	int64_t due; /* wall ms: then that becomes one */
};

/* Counts one more of its kind, whose person, principal, chat, action and hold are given, and false:
 * it is the first for a minute, and not counted.  A chat's first is counted, too. */
bool row_hold_repeat_count(struct tx *tx, const struct hold_repeat *repeat);

/* The next whose minute is over (or begins after `at`: the clock was set back), which is then
 * removed; false: there is none. */
bool row_hold_repeat_take(struct tx *tx, struct hold_repeat *ret) MUST_USE;

/* When the next is due; 0: there is none. */
int64_t row_hold_repeat_due(struct tx *tx);
