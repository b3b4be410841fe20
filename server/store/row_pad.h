/* row_pad.h - the pad that somebody types a code on, and what they did before it was asked for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

#define PAD_DIGITS 7 /* and the NUL */
#define PAD_SHOWN  800

struct pad {
	int64_t message;	 /* its row; 0: there is none, or it has expired */
	char digits[PAD_DIGITS]; /* so far */
	char wants[LIMIT_LINE];	 /* "deploy shop/production" */
	int64_t expires_at;
	int64_t work;		 /* which it is about; 0: none */
	char shown[PAD_SHOWN];	 /* how that work was shown when the pad was opened */
	struct update update; /* what is done again, without what names its moment (id, callback) */
};

/* The open one of that person; one that has expired, and is still there.  Digits that cannot be
 * read (another key) are none. */
void row_pad_get(struct tx *tx, int64_t person, struct pad *ret);
void row_pad_get_expired(struct tx *tx, int64_t person, struct pad *ret);

/* Puts it in the place of the one before; update.person has it. */
void row_pad_put(struct tx *tx, const struct pad *pad);

void row_pad_set_digits(struct tx *tx, int64_t person, int64_t message, const char *digits);
void row_pad_drop(struct tx *tx, int64_t person);

/* The next person behind `after` (0 at first) who has one about that work; 0: there is no more. */
int64_t row_pad_next(struct tx *tx, int64_t work, int64_t after);
