/* row_chat.h - groups that became supergroups: the id that each has now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* The group has another id from now on; whatever names the old one means it. */
void row_chat_move(struct tx *tx, int64_t old_chat, int64_t new_chat);

/* Its id today: the same, unless it has moved. */
int64_t row_chat_now(struct tx *tx, int64_t chat);

/* The id that it had; 0: it had no other. */
int64_t row_chat_before(struct tx *tx, int64_t chat);

/* row_chat_now() for who is no decision; 0: it has not moved, or that cannot be read (NULL). */
int64_t row_chat_moved(struct db *db, int64_t chat);

/* This person has written to the bot in private: it may write to them.  True: Telegram had refused
 * that until now. */
bool row_chat_note_private(struct tx *tx, int64_t person);
bool row_chat_has_private(struct tx *tx, int64_t person);

/* Telegram sends them nothing of ours, and will not until they write: they never did, or have
 * blocked the bot.  False: they have written since that message was ordered, and may be sent it. */
bool row_chat_note_refused(struct tx *tx, int64_t person, int64_t ordered_at) MUST_USE;
bool row_chat_is_refused(struct tx *tx, int64_t chat); /* false of a group */

/* Have they, and does Telegram not refuse it?  For who is no decision; true where it cannot be
 * read (NULL). */
bool row_chat_can_write(struct db *db, int64_t person);
