/* telegram_pace.h - how fast messages may be sent: a chat, a group's minute, all.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://core.telegram.org/bots/faq#broadcasting-to-users: about one message a second in a chat,
 * with short bursts, 20 a minute in a group, 30 a second in all.  Edits count too.  None of it is
 * guaranteed: a 429 is obeyed, and only it.  Times are ms of any clock that only goes forward.
 */
#pragma once

#include "lib/bucket.h"

#define TELEGRAM_PACE_CHATS	64	/* the least recently used is forgotten beyond that */
#define TELEGRAM_PACE_MINUTE	20	/* messages in a group */
/* Of these, as many are kept for what matters when something is only decoration. */
#define TELEGRAM_PACE_RESERVE	8
/* Of these, as many are kept from edits: for answers to who waits, and for their edits. */
#define TELEGRAM_PACE_ANSWERS	6
/* Of these, as many are kept for alarms alone: one, and its end. */
#define TELEGRAM_PACE_ALARMS	3
/* An edit that can wait is at most the second call of its message in a group's minute. */
#define TELEGRAM_PACE_OWN	2
/* The edit of a pinned message waits for a minute in which the group had fewer calls. */
#define TELEGRAM_PACE_QUIET_MAX	2

enum telegram_pace_kind {
	TELEGRAM_PACE_ALARM,		/* finds room that others leave */
	TELEGRAM_PACE_SEND,
	TELEGRAM_PACE_EDIT,		/* leaves room for answers; in a group 3 s apart */
	TELEGRAM_PACE_DECORATION,	/* an edit that leaves room for others */
	TELEGRAM_PACE_QUIET,		/* an edit for which a group has to be quiet */
};

struct telegram_pace_chat {
	int64_t id;
	int64_t used_at;
	int64_t edit_at;		/* no edit before that */
	int64_t full_at;		/* it was said that its minute is full; 0: it was not */
	struct bucket bucket;
	size_t n_sent;			/* of `sent` */
	size_t next;			/* the oldest of them, once all are used */
	int64_t sent[TELEGRAM_PACE_MINUTE]; /* groups only */
	int64_t of[TELEGRAM_PACE_MINUTE]; /* message of each; 0: none that is edited */
};

/* All zero: nothing was said yet. */
struct telegram_pace {
	struct bucket all;
	struct telegram_pace_chat chat[TELEGRAM_PACE_CHATS];
};

/* ms until it may go; 0: now.  message: which one it sends or edits, 0: none that is edited. */
int64_t telegram_pace_wait_ms(struct telegram_pace *pace, int64_t chat, int64_t message,
    enum telegram_pace_kind kind, int64_t now);

/* It goes. */
void telegram_pace_sent(struct telegram_pace *pace, int64_t chat, int64_t message,
    enum telegram_pace_kind kind, int64_t now);

/* ms until a group's minute has room for what somebody waits for; 0: it has. */
int64_t telegram_pace_minute_ms(struct telegram_pace *pace, int64_t chat, int64_t now);

/* To be said once, that it has not: is that long ago, or the first time?  Then it is said. */
bool telegram_pace_is_news(struct telegram_pace *pace, int64_t chat, int64_t now);

/* Telegram said 429: nothing to this chat for so long. */
void telegram_pace_block(struct telegram_pace *pace, int64_t chat, int64_t now, int64_t ms);

/* What goes to no chat (answers to presses) counts only there. */
int64_t telegram_pace_wait_all_ms(struct telegram_pace *pace, int64_t now);
void telegram_pace_sent_all(struct telegram_pace *pace, int64_t now);
