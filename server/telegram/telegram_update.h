/* telegram_update.h - reads Telegram's updates: bytes in, what somebody did out.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * Both have the type store_decode of store/store.h and run on the store's side, before BEGIN.
 * The raw event (EVENT_UPDATE) holds the bytes and our own name ("": not known yet).
 *
 * A command with a name ("/deploy@our_bot staging") comes out without it; one for another bot,
 * and any such while our own name is not known, comes out as UPDATE_OTHER.
 */
#pragma once

#include "lib/queue_list.h"
#include "types/event.h"

struct json;

/* What we ask for: what is read here, and what is refused.  Always sent: left out, Telegram keeps
 * what was said before. */
#define TELEGRAM_UPDATE_KINDS \
	"[\"message\",\"edited_message\",\"channel_post\",\"callback_query\",\"my_chat_member\"]"

/* One update; the largest that Telegram makes is a tenth of it.  A larger one is unreadable and is
 * not decoded: a value of two bytes takes a hundred and fifty in memory. */
#define TELEGRAM_UPDATE_MAX ((size_t)256 * 1024)

/* One update, as a webhook brings it.  Unreadable: false, *ret_status 200 (anything else would be
 * sent again for a day and block the chat), and one event with UPDATE_REFUSED_UNREADABLE. */
bool telegram_update_decode_webhook(struct event *raw, struct queue_list *ret_events,
    int *ret_status, int64_t *ret_offset);

/* The answer of getUpdates.  *ret_offset: the last update_id + 1, 0 when there was none.  One bad
 * update becomes an event with UPDATE_REFUSED_UNREADABLE and spoils no other.  An answer that is
 * none: false, 502, no event. */
bool telegram_update_decode_poll(struct event *raw, struct queue_list *ret_events, int *ret_status,
    int64_t *ret_offset);

/* The id of a User, 0: none, and the name that people see: only behind an @ stands what Telegram
 * gives to one person, and nobody is nameless. */
int64_t telegram_update_person(const struct json *user, char ret_name[LIMIT_PERSON]);

/* A raw event as these take it.  Takes bytes, also when it fails . */
struct event *telegram_update_raw(enum event_source source, char *bytes, size_t size,
    const char *own_name) MUST_USE;
