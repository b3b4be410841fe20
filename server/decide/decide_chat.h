/* decide_chat.h - which chats are ours: where is reported, which is left, which has moved; deletions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

/* The chat in which deployments of an environment are reported, by its id of today:
 * TELEGRAM_CHAT_ID, or else the first admin's. */
int64_t decide_chat_of(struct tx *tx, const char *environment);

/* The same where TELEGRAM_CHAT_ID is set.  0: it is not, and each who could act there is notified
 * in private (decide_whom.h). */
int64_t decide_team_of(struct tx *tx, const char *environment);

/* Is this from a group that ALLOWED_CHATS does not know?  Then nothing of it is looked at, and the
 * bot leaves, without a word there. */
bool decide_chat_is_foreign(struct tx *tx, const struct update *update);

/* What somebody wrote, which nobody else is to read, is deleted from its chat, as far as Telegram
 * lets that be done (decide_login_deleted()). */
void decide_chat_unwrite(struct tx *tx, const struct update *update);

/* The time to leave has come, unless the settings know the group by now, or know it by the id that
 * it had. */
void decide_chat_leave(struct tx *tx, int64_t chat);

/* A group became a supergroup: messages and settings that name it mean the new one.  False: neither
 * is of ours, and nothing has changed. */
bool decide_chat_move(struct tx *tx, int64_t old_chat, int64_t new_chat);

/* Logs which setting still names a group by the id that it had. */
void decide_chat_log_moved(struct tx *tx);
