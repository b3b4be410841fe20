/* decide_picture.h - a second factor is made in the chat: a picture, a code, and somebody else's yes.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * /2fa makes a secret and orders its picture (the effect names the person; the loop decrypts, draws
 * and forgets); /2fa confirm CODE proves that it was scanned, then another person with the grant
 * `2fa` says whose it is, with a code of their own, or root does on the server.  The picture is
 * deleted after two minutes, or when a code was given; of one that could not be sent or deleted the
 * secret counts no more.
 */
#pragma once

#include "store/tx.h"
#include "types/update.h"

void decide_picture_begin(struct tx *tx, const struct update *update);
void decide_picture_prove(struct tx *tx, const struct update *update, const char *code);

/* [Confirm], under what that person has made at that moment. */
void decide_picture_confirm(
    struct tx *tx, const struct update *update, int64_t person, int64_t made_at);

/* Results of both effects; failure: "" none. */
void decide_picture_sent(struct tx *tx, const struct effect_picture *picture, int64_t remote_id,
    const char *failure);
void decide_picture_deleted(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure);

/* That picture of that person's is deleted, where it still is there. */
void decide_picture_drop(struct tx *tx, int64_t person, int64_t remote_id);
