/* row_press.h - by which token somebody asked for some work, confirmed or reviewed it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A login may be over when somebody approves, and the same token may be somebody else's by then: so
 * its number stays with the work.  Where nobody used a token there is no row.
 */
#pragma once

#include "store/tx.h"
#include "types/token.h"

/* ACT(name, word in rows) */
#define PRESS_ACTS(ACT) \
	ACT(REQUEST, "request") \
	ACT(CONFIRM, "confirm") \
	ACT(REVIEW,  "review")

enum press_act {
#define ACT(name, word) PRESS_##name,
	PRESS_ACTS(ACT)
#undef ACT
};

/* Who asked for it or confirmed it by a token, and whose that is: all three may be one human. */
struct press {
	int64_t person;
	int64_t account; /* that is logged in with it, or was; 0: nobody ever */
	int64_t maker;	 /* 0: its row is gone */
	char name[TOKEN_NAME];
	char by[LIMIT_PERSON]; /* the maker's name */
};

/* That person did it, by the bearer's token or the login of this moment.  Of confirmations the
 * last one counts. */
void row_press_add(struct tx *tx, int64_t work, enum press_act act, int64_t person);

/* Who asked for that work, or confirmed it, has asked for the other. */
void row_press_share(struct tx *tx, int64_t from, int64_t to);

/* Requests and confirmations; returns how many.  Where all the room is taken there may be more. */
#define ROW_PRESSES 64
size_t row_press_list(struct tx *tx, int64_t work, struct press ret[ROW_PRESSES]);
