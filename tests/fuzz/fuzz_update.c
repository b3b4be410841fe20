/* fuzz_update.c - Telegram's updates: a webhook's body, and the answer of getUpdates.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "telegram/telegram_update.h"
#include "tests/fuzz/fuzz.h"

static struct event *
raw_of(
    enum event_source source, const char *head, const uint8_t *data, size_t size, const char *tail)
{
	size_t before = strlen(head), behind = strlen(tail);
	char *bytes = malloc(before + size + behind + 1);
	struct event *raw;

	assert(bytes != NULL);
	memcpy(bytes, head, before);
	memcpy(bytes + before, data, size);
	memcpy(bytes + before + size, tail, behind);
	bytes = realloc(bytes, before + size + behind > 0 ? before + size + behind : 1);
	raw = telegram_update_raw(source, bytes, before + size + behind, "our_bot");
	assert(raw != NULL);
	return raw;
}

static void
check_command(const char *text)
{
	size_t word = strcspn(text, " \n");

	assert(text[0] != '/' || memchr(text, '@', word) == NULL);
}

static void
check_update(const struct event *event)
{
	const struct update *u = event->u.update;

	assert(event->kind == EVENT_UPDATE && u != NULL);
	assert(u->kind <= UPDATE_MIGRATED && u->refusal < UPDATE_REFUSAL_COUNT);
	assert(fuzz_is_clean(u->name, false) && fuzz_is_clean(u->text, true));
	assert(strspn(u->button, "0123456789abcdefghijklmnopqrstuvwxyz") == strlen(u->button));
	assert(strlen(u->callback) < sizeof(u->callback));
	assert(u->kind == UPDATE_TEXT || u->text[0] == '\0');
	if (u->kind == UPDATE_TEXT)
		check_command(u->text);
	assert((u->kind == UPDATE_PRESS) == (u->callback[0] != '\0'));
	if (u->refusal == UPDATE_REFUSED_UNREADABLE) /* a press is answered, whoever it is of */
		assert(strspn(u->callback, "0123456789") == strlen(u->callback) && u->person == 0);
	else if (u->kind == UPDATE_PRESS)
		assert(u->person != 0);
	if (u->kind == UPDATE_TEXT)
		assert(u->address.chat != 0);
}

static struct event *
take(struct queue_list *events)
{
	struct queue_link *link = queue_list_take(events);

	assert(link != NULL);
	return QUEUE_ITEM(link, struct event, link);
}

/* The update as a webhook brings it; *ret_read: it could be read. */
static struct event *
by_webhook(const uint8_t *data, size_t size, bool *ret_read)
{
	struct event *raw = raw_of(SOURCE_TELEGRAM_WEBHOOK, "", data, size, "");
	struct queue_list events = { 0 };
	int status = -1;
	int64_t offset = -1;
	struct event *event;

	*ret_read = telegram_update_decode_webhook(raw, &events, &status, &offset);
	assert(status == 200 && offset == 0 && events.length == 1);
	event = take(&events);
	check_update(event);
	assert(*ret_read == (event->u.update->refusal != UPDATE_REFUSED_UNREADABLE));
	event_free(raw);
	return event;
}

/* Any bytes as the answer of getUpdates. */
static void
by_poll(const uint8_t *data, size_t size)
{
	struct event *raw = raw_of(SOURCE_TELEGRAM_POLL, "", data, size, "");
	struct queue_list events = { 0 };
	int status = -1;
	int64_t offset = 0;
	bool is_good = telegram_update_decode_poll(raw, &events, &status, &offset);

	assert(is_good ? status == 200 : status == 502 && events.length == 0);
	assert(events.length <= LIMIT_UPDATES && offset >= 0);
	while (events.length > 0) {
		struct event *event = take(&events);

		check_update(event);
		assert(event->u.update->id < offset || event->u.update->id <= 0 ||
		    event->u.update->id == INT64_MAX);
		event_free(event);
	}
	event_free(raw);
}

/* What a webhook can read, a poll reads as the same, and what stands behind it too. */
static void
within_a_poll(const uint8_t *data, size_t size, const struct event *expected)
{
	struct event *raw = raw_of(
	    SOURCE_TELEGRAM_POLL, "{\"ok\":true,\"result\":[", data, size, ",{\"update_id\":7}]}");
	struct queue_list events = { 0 };
	int status = -1;
	int64_t offset = -1;
	struct event *event;

	assert(telegram_update_decode_poll(raw, &events, &status, &offset));
	assert(events.length == 2);
	event = take(&events);
	assert(memcmp(event->u.update, expected->u.update, sizeof(*event->u.update)) == 0);
	event_free(event);
	event = take(&events);
	assert(event->u.update->id == 7 && offset >= 8);
	event_free(event);
	event_free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_read;
	struct event *event = by_webhook(data, size, &is_read);

	by_poll(data, size);
	if (is_read)
		within_a_poll(data, size, event);
	event_free(event);
	return 0;
}
