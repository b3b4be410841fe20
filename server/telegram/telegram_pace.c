/* telegram_pace.c - how fast messages may be sent: a chat, a group's minute, all.  Knows no clock.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_pace.h"

/* 5 at once and 25 a second are 30 in any second. */
static const struct bucket_rate all_rate = { .capacity = 5, .token_ms = 40 };
static const struct bucket_rate chat_rate = { .capacity = 4, .token_ms = 1050 };

#define MINUTE_MS     60500 /* their clock is not ours */
#define GROUP_EDIT_MS 3000
#define FULL_EVERY_MS INT64_C(600000)

static bool
is_group(int64_t chat)
{
	return chat < 0;
}

static struct telegram_pace_chat *
find(struct telegram_pace *pace, int64_t id)
{
	struct telegram_pace_chat *oldest = &pace->chat[0];

	for (size_t i = 0; i < TELEGRAM_PACE_CHATS; i++) {
		struct telegram_pace_chat *chat = &pace->chat[i];

		if (chat->id == id)
			return chat;
		if (chat->used_at < oldest->used_at)
			oldest = chat;
	}
	*oldest = (struct telegram_pace_chat){ .id = id };
	return oldest;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When the `nth` newest call goes out of its minute; message: of those for that one, 0: of all. */
static int64_t
over_at(const struct telegram_pace_chat *chat, size_t nth, int64_t message)
{
	for (size_t i = chat->n_sent; i > 0; i--) {
		size_t at = (chat->next + i - 1) % TELEGRAM_PACE_MINUTE;

		if ((message == 0 || chat->of[at] == message) && --nth == 0)
			return chat->sent[at] + MINUTE_MS;
	}
	return INT64_MIN;
}

/* Until fewer than `most` were sent in the minute before, and of that message fewer than `own` (0:
 * any number). */
static int64_t
minute_wait_ms(
    const struct telegram_pace_chat *chat, size_t most, int64_t message, size_t own, int64_t now)
{
	int64_t at = over_at(chat, most, 0);

	if (message != 0 && own != 0)
		at = later(at, over_at(chat, own, message));
	return at > now ? at - now : 0;
}

int64_t
telegram_pace_wait_all_ms(struct telegram_pace *pace, int64_t now)
{
	return bucket_wait_ms(&pace->all, all_rate, now, 1);
}

static const struct {
	int tokens;    /* that must be there: an answer and its edit find theirs */
	size_t minute; /* a group's minute had fewer calls than that */
	size_t own;    /* its own message had fewer calls in that minute; 0: any number */
} needs[] = {
	[TELEGRAM_PACE_ALARM] = { 1, TELEGRAM_PACE_MINUTE, 0 },
	[TELEGRAM_PACE_SEND] = { 1, TELEGRAM_PACE_MINUTE - TELEGRAM_PACE_ALARMS, 0 },
	[TELEGRAM_PACE_EDIT] = { 3, TELEGRAM_PACE_MINUTE - TELEGRAM_PACE_ANSWERS,
	    TELEGRAM_PACE_OWN },
	[TELEGRAM_PACE_DECORATION] = { 3, TELEGRAM_PACE_MINUTE - TELEGRAM_PACE_RESERVE,
	    TELEGRAM_PACE_OWN },
	[TELEGRAM_PACE_QUIET] = { 3, TELEGRAM_PACE_QUIET_MAX, 0 },
};

int64_t
telegram_pace_wait_ms(struct telegram_pace *pace, int64_t id, int64_t message,
    enum telegram_pace_kind kind, int64_t now)
{
	struct telegram_pace_chat *chat = find(pace, id);
	int64_t wait = telegram_pace_wait_all_ms(pace, now);

	chat->used_at = now;
	wait = later(wait, bucket_wait_ms(&chat->bucket, chat_rate, now, needs[kind].tokens));
	if (kind > TELEGRAM_PACE_SEND)
		wait = later(wait, chat->edit_at - now);
	if (is_group(id))
		wait = later(
		    wait, minute_wait_ms(chat, needs[kind].minute, message, needs[kind].own, now));
	return wait;
}

int64_t
telegram_pace_minute_ms(struct telegram_pace *pace, int64_t id, int64_t now)
{
	return is_group(id) ?
	    minute_wait_ms(find(pace, id), needs[TELEGRAM_PACE_SEND].minute, 0, 0, now) :
	    0;
}

bool
telegram_pace_is_news(struct telegram_pace *pace, int64_t id, int64_t now)
{
	struct telegram_pace_chat *chat = find(pace, id);

	if (chat->full_at != 0 && now - chat->full_at < FULL_EVERY_MS)
		return false;
	chat->full_at = now;
	return true;
}

/* What went without asking first empties it. */
static void
take(struct bucket *bucket, struct bucket_rate rate, int64_t now)
{
	if (!bucket_take(bucket, rate, now, 1))
		bucket->full_at = now + rate.capacity * rate.token_ms;
}

void
telegram_pace_sent_all(struct telegram_pace *pace, int64_t now)
{
	take(&pace->all, all_rate, now);
}

void
telegram_pace_sent(struct telegram_pace *pace, int64_t id, int64_t message,
    enum telegram_pace_kind kind, int64_t now)
{
	struct telegram_pace_chat *chat = find(pace, id);
	size_t at = (chat->next + chat->n_sent) % TELEGRAM_PACE_MINUTE;

	telegram_pace_sent_all(pace, now);
	take(&chat->bucket, chat_rate, now);
	chat->used_at = now;
	if (!is_group(id))
		return;
	if (kind > TELEGRAM_PACE_SEND)
		chat->edit_at = now + GROUP_EDIT_MS;
	chat->sent[at] = now;
	chat->of[at] = message;
	if (chat->n_sent < TELEGRAM_PACE_MINUTE)
		chat->n_sent++;
	else
		chat->next = (chat->next + 1) % TELEGRAM_PACE_MINUTE;
}

void
telegram_pace_block(struct telegram_pace *pace, int64_t id, int64_t now, int64_t ms)
{
	struct telegram_pace_chat *chat = find(pace, id);

	chat->used_at = now;
	bucket_block(&chat->bucket, now, ms);
}
