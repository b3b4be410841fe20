/* decide_page.h - keyboards of choices and of pages.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* Which of n things that are shown `each` at a time the request's page begins with: *ret_page is
 * from 1 to *ret_pages. */
size_t decide_page(
    const struct request *request, size_t n, size_t each, int64_t *ret_page, int64_t *ret_pages);

/* Adds the buttons that lead to the pages beside this one; only who asked may press them, for what
 * they show is what that person may see. */
void decide_page_buttons(struct tx *tx, const struct update *update, const struct request *request,
    int64_t page, int64_t pages, struct buttons *keyboard);

/* Sends the text with the keyboard of as->buttons; of `as` also reply_to is read.  It goes one of
 * three ways: as text alone to a caller who is answered at once (decide_is_answered()); in place
 * of the message whose button was pressed (request->message), with a toast that names the page;
 * as a new message else, and with request NULL.  In each case the text is taken, and `as` is the
 * caller's with nothing left in it to free.  Returns the message's row; 0: it has none. */
int64_t decide_send_keyboard(struct tx *tx, const struct update *update,
    const struct request *request, struct message *as, struct chat_text *text);

/* Adds a button of theirs alone, for so long. */
void decide_own_button(struct tx *tx, const struct update *update, const struct request *request,
    int64_t lasts_ms, const char *label, struct buttons *keyboard);

/* As decide_own_button(), but where an open one stands below that message (0: none does) it is that
 * one: a press on it still counts. */
void decide_kept_button(struct tx *tx, const struct update *update, const struct request *request,
    int64_t lasts_ms, int64_t message, const char *label, struct buttons *keyboard);

/* As decide_own_button(), for ten minutes and one press, which uses up the keyboard. */
void decide_once_button(struct tx *tx, const struct update *update, const struct request *request,
    const char *label, struct buttons *keyboard);

/* Adds a button that makes the request with that target. */
void decide_choice(struct tx *tx, const struct update *update, const struct request *request,
    const char *target, struct buttons *keyboard);
