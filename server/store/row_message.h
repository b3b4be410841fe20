/* row_message.h - what each message should say.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Adds a message and its SEND_MESSAGE.  Text is cut to LIMIT_MESSAGE; returns its row.  head NULL:
 * it was too long, and the tx fails. */
int64_t row_message_add(struct tx *tx, const struct message *message);

/* Changes what it should say, and adds a SEND_MESSAGE where that is news.  address and remote_id
 * are kept; head as above.  One that was held back is not any more, unless it is again.  An edit
 * that takes buttons away, or is_closing, goes before all others. */
void row_message_change(struct tx *tx, int64_t id, const struct message *message);

/* Where it was not sent yet, and is no alarm, it makes no sound when it is: what it asked is
 * answered. */
void row_message_hush(struct tx *tx, int64_t id);

/*
 * The same, as a message of its own below all else of its chat: it may ring (is_silent, rings_for:
 * 0, it does not count; is_alarm), and is a reply (reply_to).  The copy that stands there is
 * deleted when the new one is there, and stays where that is refused.
 */
void row_message_renew(struct tx *tx, int64_t id, const struct message *message);

/* Somebody has pressed a button of it and looks: from now on its edits go as answers do.  For what
 * is hardly edited any more. */
void row_message_is_looked_at(struct tx *tx, int64_t id);

/* The row; head owned by the caller (message_done).  id 0 in it: none. */
struct message *row_message_get(struct tx *tx, int64_t id, struct message *ret);

/* Does it stand in its chat?  Not one that could not be sent, nor one that is not there. */
bool row_message_is_sent(struct tx *tx, int64_t id);

/* How often it has rung in that chat for a deployment. */
int64_t row_message_count_rings(struct tx *tx, int64_t deployment, int64_t chat);

/* The message is of this moment of the audit chain: its row names the newest entry and its head, by
 * which it is seen that the chain was cut behind (audit_heads.h).  Its text need not. */
void row_message_names_head(struct tx *tx, int64_t id);

/* The next chats behind `after` with a message that names an entry behind that one; returns how
 * many. */
#define ROW_MESSAGE_CHATS 64
size_t row_message_named_in(
    struct tx *tx, int64_t behind, int64_t after, int64_t ret[ROW_MESSAGE_CHATS]);

/* What a send came to, the effect of the event that is decided on: where nothing newer waits to be
 * sent, the head that it names is known to have been one.  Of one to a chat that has moved since,
 * the id is nothing. */
void row_message_sent(struct tx *tx, int64_t id, int64_t chat, int64_t remote_id);

/* It cannot be sent.  Where it was to be sent anew, the copy that stands is edited instead. */
void row_message_refused(struct tx *tx, int64_t id);

/* That person can be written to again: their newest messages are brought up to date, which were not
 * edited meanwhile. */
void row_message_catch_up(struct tx *tx, int64_t person);

void row_message_forget_thread(struct tx *tx, int64_t id);

/* A chat has a new id: messages, questions, effects and lanes move with it. */
void row_message_move_chat(struct tx *tx, int64_t old_chat, int64_t new_chat);
