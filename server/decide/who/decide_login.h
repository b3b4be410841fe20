/* decide_login.h - /login: a token typed in private, wrong ones, and the message that it stood in.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/effect.h"
#include "types/update.h"

/*
 * Logs in with the token of the update, whose message is deleted.  It belongs to the first account
 * that does so; another's try blocks it.  After five wrong ones in an hour that account's are not
 * looked at, or answered, for a day.
 */
void decide_login(struct tx *tx, const struct update *update);

/* A token that was written in private behind anything else: its message is deleted.  True: that is
 * all there is to decide. */
bool decide_login_astray(struct tx *tx, const struct update *update) MUST_USE;

/* Whether the message was deleted: where it was not, its person is told. */
void decide_login_deleted(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure);
