/* decide_standing.h - somebody asks for what a question is open about: where that question stands.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_shown.h"
#include "store/tx.h"
#include "types/message.h"

struct deployment;

#define DECIDE_STANDING_OTHERS 8
#define DECIDE_STANDING_ROWS   (ROW_SHOWN_MAX + DECIDE_STANDING_OTHERS + 2)

/* All messages about that work, where it is to be answered first; 0 among them is none.  Returns
 * how many. */
size_t decide_standing_list(
    struct tx *tx, const struct deployment *work, int64_t ret[DECIDE_STANDING_ROWS]);

/* The message about that work in that chat, one in which it is to be answered before all others;
 * 0: there is none. */
int64_t decide_standing_in(
    struct tx *tx, const struct deployment *work, const struct chat_address *address);

#define DECIDE_STANDING_LINK 64

/* A link to it, in that chat before all others: of a supergroup alone, where it can be opened by
 * who is in there; "": none. */
const char *decide_standing_link(struct tx *tx, const struct deployment *work,
    const struct chat_address *address, char ret[DECIDE_STANDING_LINK]);
