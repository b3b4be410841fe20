/* telegram_update.c - reads Telegram's updates: bytes in, what somebody did out.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_update.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/json_mend.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram_split.h"

#define FILE_ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* message_thread_id of the General topic, which is none: sending there with it fails. */
#define GENERAL_TOPIC 1
#define OWN_NAME      (LIMIT_PERSON - 32) /* quotes and a number of 20 digits stand around it */

static bool read_update(const struct json *root, struct update *update);
static bool read_membership(const struct json *change, struct update *update);
static bool read_message(const struct json *message, struct update *update);
static bool read_press(const struct json *query, struct update *update);
static bool read_address(const struct json *message, struct update *update);
static enum update_refusal refusal_of(const struct json *message);
static bool read_document(const struct json *message, struct update *update);
static bool drop_our_name(char *text, const char *own_name);

static bool
is_there(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);

	return value != NULL && !json_holds_null(value);
}

struct event *
telegram_update_raw(enum event_source source, char *bytes, size_t size, const char *own_name)
{
	struct event *raw = event_new(EVENT_UPDATE);

	raw->source = source;
	raw->raw.data = bytes;
	raw->raw.size = size;
	text_set(raw->context.own_name, own_name);
	return raw;
}

/* Whoever pressed sees their client wait for an answer, whatever else the update holds. */
static void
find_callback(struct telegram_span query, struct update *update)
{
	struct telegram_span id = { 0 };

	if (query.at != NULL)
		id = telegram_split_member(query, "id");
	if (id.at == NULL || id.size < 3 || id.size - 2 >= LIMIT_CALLBACK || *id.at != '"' ||
	    strspn(id.at + 1, "0123456789") != id.size - 2)
		return;
	memcpy(update->callback, id.at + 1, id.size - 2);
	update->kind = UPDATE_PRESS;
}

/* The event of one update, readable or not. */
static struct event *
decode_one(const struct event *raw, struct telegram_span text)
{
	struct event *event = event_new(EVENT_UPDATE);
	struct update *update = event->u.update = mem_new(1, sizeof(*update));
	CLEANUP(json_freep)
	struct json *root =
	    text.size <= TELEGRAM_UPDATE_MAX ? json_decode_mended(text.at, text.size, NULL) : NULL;

	if (root == NULL || !read_update(root, update)) {
		*update = (struct update){ .refusal = UPDATE_REFUSED_UNREADABLE };
		(void)telegram_split_number(telegram_split_member(text, "update_id"), &update->id);
		find_callback(telegram_split_member(text, "callback_query"), update);
	}
	if (update->kind == UPDATE_TEXT)
		update_take_token(update);
	if (update->kind == UPDATE_TEXT && !drop_our_name(update->text, raw->context.own_name)) {
		update->kind = UPDATE_OTHER;
		update->text[0] = '\0';
	}
	return event;
}

bool
telegram_update_decode_webhook(
    struct event *raw, struct queue_list *ret_events, int *ret_status, int64_t *ret_offset)
{
	struct event *event =
	    decode_one(raw, (struct telegram_span){ raw->raw.data, raw->raw.size });

	*ret_offset = 0;
	*ret_status = 200;
	queue_list_add(ret_events, &event->link);
	return event->u.update->refusal != UPDATE_REFUSED_UNREADABLE;
}

bool
telegram_update_decode_poll(
    struct event *raw, struct queue_list *ret_events, int *ret_status, int64_t *ret_offset)
{
	struct telegram_span whole = { raw->raw.data, raw->raw.size };
	struct telegram_span rest = telegram_split_member(whole, "result");
	struct queue_list events = { 0 };
	int64_t offset = 0;
	bool broken = rest.at == NULL || *rest.at != '[';

	/* More was not asked for: what is behind it is not acknowledged and comes again. */
	while (!broken && events.length < LIMIT_UPDATES) {
		struct telegram_span text = telegram_split_next(&rest, &broken);
		struct event *event;

		if (text.at == NULL)
			break;
		event = decode_one(raw, text);
		if (event->u.update->id >= offset && event->u.update->id < INT64_MAX)
			offset = event->u.update->id + 1;
		queue_list_add(&events, &event->link);
	}
	if (broken) {
		event_free_all(&events);
		*ret_status = 502;
		return false;
	}
	queue_list_append(ret_events, &events);
	*ret_status = 200;
	*ret_offset = offset > 1 ? offset : 0;
	return true;
}

static bool
read_update(const struct json *root, struct update *update)
{
	if (!json_holds_object(root) || !json_get_i64(root, "update_id", &update->id))
		return false;
	if (is_there(root, "message"))
		return read_message(json_get(root, "message"), update);
	if (is_there(root, "callback_query"))
		return read_press(json_get(root, "callback_query"), update);

	if (is_there(root, "my_chat_member"))
		return read_membership(json_get(root, "my_chat_member"), update);

	static const struct {
		const char *key;
		enum update_refusal refusal;
	} refused[] = {
		{ "edited_message", UPDATE_REFUSED_EDITED },
		{ "channel_post", UPDATE_REFUSED_CHANNEL },
		{ "edited_channel_post", UPDATE_REFUSED_CHANNEL },
	};
	for (size_t i = 0; i < COUNT(refused); i++) {
		if (!is_there(root, refused[i].key))
			continue;
		if (!read_message(json_get(root, refused[i].key), update))
			return false;
		update->refusal = refused[i].refusal;
		return true;
	}
	update->kind = UPDATE_OTHER;
	return true;
}

/* Where we are not any more, there is nothing to leave. */
static bool
read_membership(const struct json *change, struct update *update)
{
	const struct json *we = json_get(change, "new_chat_member");

	update->kind = UPDATE_OTHER;
	if (json_get_str(we, "status") == NULL || json_has(we, "status", "left") ||
	    json_has(we, "status", "kicked"))
		return true;
	return read_address(change, update);
}

static bool
read_message(const struct json *message, struct update *update)
{
	int64_t from;

	if (!read_address(message, update))
		return false;
	update->person = telegram_update_person(json_get(message, "from"), update->name);
	if (json_get_i64(message, "migrate_to_chat_id", &update->new_chat)) {
		update->kind = UPDATE_MIGRATED;
		return true;
	}
	/* The same, said in the new one; which of the two comes first is not known. */
	if (json_get_i64(message, "migrate_from_chat_id", &from)) {
		update->kind = UPDATE_MIGRATED;
		update->new_chat = update->address.chat;
		update->address.chat = from;
		return true;
	}
	bool is_caption = json_str(json_get(message, "text")) == NULL;
	const struct json *text = json_get(message, is_caption ? "caption" : "text");
	const char *said = json_str(text);

	update->has_file = is_caption && update->is_private && is_there(message, "document");
	/* A business connection speaks for somebody else. */
	if ((said == NULL && !update->has_file) || is_there(message, "business_connection_id")) {
		update->kind = UPDATE_OTHER;
		return true;
	}
	update->kind = UPDATE_TEXT;
	update->message = json_get_i64_or(message, "message_id", 0);
	update->reply_to = json_get_i64_or(json_get(message, "reply_to_message"), "message_id", 0);
	update->refusal = refusal_of(message);
	update->raw_size = said == NULL ? 0 : json_str_size(text);
	said = said == NULL ? "" : said;
	(void)clean_text(update->text, sizeof(update->text), said, update->raw_size);
	update->is_caption = is_caption;
	if (is_caption && update->refusal == UPDATE_REFUSED_NONE && !read_document(message, update))
		update->refusal = UPDATE_REFUSED_CAPTION;
	memcpy(update->raw, said,
	    update->raw_size < sizeof(update->raw) ? update->raw_size : sizeof(update->raw));
	return true;
}

/* An archive to be deployed: "/deploy" under one document, in private.  False: it is something
 * else, and its caption is nobody's command. */
static bool
read_document(const struct json *message, struct update *update)
{
	/* Of an animation Telegram has "document" too. */
	static const char *const others[] = { "media_group_id", "animation", "photo", "edit_date" };
	const struct json *document = json_get(message, "document");
	const char *id = json_text(document, "file_id"), *name = json_text(document, "file_name");
	struct update_file file = { .size = json_get_i64_or(document, "file_size", 0) };

	for (size_t i = 0; i < COUNT(others); i++)
		if (is_there(message, others[i]))
			return false;
	if (!update->is_private || !update_is_deploy(update) ||
	    strspn(id, FILE_ID_LETTERS) != strlen(id) || id[0] == '\0' ||
	    !text_copy(file.id, sizeof(file.id), id))
		return false;
	(void)clean_line(file.name, sizeof(file.name), name, strlen(name));
	update->file = file;
	return true;
}

/* Who sent it decides nothing when somebody else wrote it. */
static enum update_refusal
refusal_of(const struct json *message)
{
	static const struct {
		const char *key;
		enum update_refusal refusal;
	} signs[] = {
		{ "sender_chat", UPDATE_REFUSED_SENDER_CHAT },
		{ "forward_origin", UPDATE_REFUSED_FORWARDED },
		{ "forward_date", UPDATE_REFUSED_FORWARDED }, /* before Bot API 7.0 */
		{ "forward_from", UPDATE_REFUSED_FORWARDED },
		{ "forward_from_chat", UPDATE_REFUSED_FORWARDED },
		{ "forward_sender_name", UPDATE_REFUSED_FORWARDED },
		{ "via_bot", UPDATE_REFUSED_VIA_BOT },
		{ "sender_business_bot", UPDATE_REFUSED_BOT },
	};
	const struct json *from = json_get(message, "from");

	for (size_t i = 0; i < COUNT(signs); i++)
		if (is_there(message, signs[i].key))
			return signs[i].refusal;
	if (from == NULL)
		return UPDATE_REFUSED_SENDER_CHAT;
	if (is_there(from, "is_bot") && json_get_bool(from, "is_bot", true))
		return UPDATE_REFUSED_BOT;
	return UPDATE_REFUSED_NONE;
}

/* A question's id is ours: what is in a button may have been forged by the client. */
static bool
may_be_button(const char *data)
{
	size_t size = strlen(data);

	if (size == 0 || size >= LIMIT_BUTTON_ID)
		return false;
	return strspn(data, "0123456789abcdefghijklmnopqrstuvwxyz") == size;
}

static bool
read_press(const struct json *query, struct update *update)
{
	const struct json *from = json_get(query, "from");
	const struct json *message = json_get(query, "message");
	const char *id = json_text(query, "id"), *data = json_text(query, "data");

	if (id[0] == '\0' || !text_copy(update->callback, LIMIT_CALLBACK, id))
		return false;
	update->kind = UPDATE_PRESS;
	update->person = telegram_update_person(from, update->name);
	if (update->person == 0)
		return false;
	if (is_there(from, "is_bot") && json_get_bool(from, "is_bot", true))
		update->refusal = UPDATE_REFUSED_BOT;
	if (may_be_button(data))
		text_set(update->button, data);
	/* It may be absent, or inaccessible (date 0), which has chat and id all the same. */
	return !json_holds_object(message) || read_address(message, update);
}

static bool
read_address(const struct json *message, struct update *update)
{
	const struct json *chat = json_get(message, "chat");
	const char *type = json_get_str(chat, "type");
	int64_t thread = json_get_i64_or(message, "message_thread_id", 0);

	if (!json_get_i64(chat, "id", &update->address.chat) || update->address.chat == 0)
		return false;
	update->is_private = type == NULL ? update->address.chat > 0 : strcmp(type, "private") == 0;
	/* Replies in the General topic carry a thread id that is no topic. */
	if (json_get_bool(message, "is_topic_message", false) && thread > GENERAL_TOPIC)
		update->address.thread = thread;
	return true;
}

/* '@', and what reads as one: its small and its full-width form; the dot between our own words; the
 * quotes in which the name will stand. */
static void
drop_signs(char *name)
{
	static const char *const signs[] = { "@", "\xef\xb9\xab", "\xef\xbc\xa0", "\xc2\xb7" };

	for (size_t i = 0; i < COUNT(signs); i++)
		for (char *at = name; (at = strstr(at, signs[i])) != NULL;)
			memset(at, ' ', strlen(signs[i]));
	for (char *at = name; *at != '\0'; at++) {
		memset(at, ' ', clean_quote(at));
		/* Nothing of it is a command or an address that a chat would link. */
		if ((*at == '/' && (at == name || strchr(" :", at[-1]) != NULL)) ||
		    (*at == '.' && at[1] != ' ' && at[1] != '\0'))
			*at = ' ';
	}
}

/* A username, or how they call themselves, in quotes and with the number that tells them from
 * others: no name is "deploybot", "✅ Live" or anybody else's.  Cut between characters. */
static void
read_own_name(const struct json *user, int64_t person, char ret[LIMIT_PERSON])
{
	const char *last = json_text(user, "last_name");
	char name[1024], brief[OWN_NAME];

	text_setf(name, "%s%s%s", json_text(user, "first_name"), last[0] == '\0' ? "" : " ",
	    last); /* cut is fine */
	drop_signs(name);
	(void)clean_line(brief, sizeof(brief), name, strlen(name));
	if (brief[0] != '\0')
		(void)snprintf(ret, LIMIT_PERSON, "“%s” (id %" PRId64 ")", brief, person);
}

int64_t
telegram_update_person(const struct json *user, char ret_name[LIMIT_PERSON])
{
	const char *username = json_text(user, "username");
	int64_t person = json_get_i64_or(user, "id", 0);
	char name[LIMIT_PERSON];

	ret_name[0] = '\0';
	if (username[0] != '\0') {
		text_setf(name, "@%s", username); /* cut is fine */
		(void)clean_line(ret_name, LIMIT_PERSON, name, strlen(name));
	} else {
		read_own_name(user, person, ret_name);
	}
	if (ret_name[0] == '\0' && person != 0)
		(void)snprintf(ret_name, LIMIT_PERSON, "id %" PRId64, person);
	return person;
}

/* "/deploy@our_bot staging" → "/deploy staging".  False: it is for another bot, or may be. */
static bool
drop_our_name(char *text, const char *own_name)
{
	if (text[0] != '/')
		return true;
	size_t word = strcspn(text, " \n\t");
	char *at = memchr(text, '@', word);

	if (at == NULL)
		return true;
	size_t size = (size_t)(text + word - at) - 1;
	char name[LIMIT_PERSON];

	if (size == 0 || size >= sizeof(name))
		return false;
	memcpy(name, at + 1, size);
	name[size] = '\0';
	if (own_name[0] == '\0' || !text_same_ci(name, own_name))
		return false;
	memmove(at, text + word, strlen(text + word) + 1);
	return true;
}
