/* decide_asked.h - somebody asks for what a question is open about: where that question stands.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/message.h"

struct deployment;

/* The message about that work in that chat, one in which it is to be answered before all others;
 * 0: there is none. */
int64_t
decide_asked_in(struct tx *tx, const struct deployment *work, const struct chat_address *address);

#define DECIDE_ASKED_LINK 64

/* A link to it, in that chat before all others: of a supergroup alone, where it can be opened by
 * who is in there; "": none. */
const char *decide_asked_link(struct tx *tx, const struct deployment *work,
    const struct chat_address *address, char ret[DECIDE_ASKED_LINK]);

/* To who asked for the same: a reply to where it is asked about in that chat, or a message where
 * there is none.  what: that it is asked about; it is taken, free(). */
void decide_asked_reply(
    struct tx *tx, const struct deployment *work, const struct deployment *request, char *what);
