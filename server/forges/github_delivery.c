/* github_delivery.c - payload to delivery: what is asked of each kind.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_delivery.h"

#include "forges/github_payload.h"
#include "lib/err.h"
#include "lib/text.h"

#define LOOK_MAX (64 * 1024) /* the loop's to look through: some 50 µs */

static const char heads[] = "refs/heads/";

enum delivery_kind
github_delivery_kind(const char *event_name)
{
	if (event_name == NULL)
		return DELIVERY_OTHER;
	if (strcmp(event_name, "push") == 0)
		return DELIVERY_PUSH;
	if (strcmp(event_name, "ping") == 0)
		return DELIVERY_PING;
	return DELIVERY_OTHER;
}

bool
github_delivery_id_is_good(const char *id)
{
	static const char letters[] =
	    "0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t size = strlen(id);

	return size > 0 && size < LIMIT_DELIVERY && strspn(id, letters) == size;
}

/* Letters are escaped by no form, and GitHub escapes none in JSON; who signs is GitHub. */
bool
github_delivery_is_to_be_read(enum delivery_kind kind, const struct bytes *raw)
{
	static const char of_a_push[] = "before"; /* see looks_like_a_push() */

	return kind != DELIVERY_OTHER || raw->size > LOOK_MAX ||
	    memmem(raw->data, raw->size, of_a_push, strlen(of_a_push)) != NULL;
}

static bool
is_there(const struct github_payload *p, enum github_field field)
{
	return p->field[field].type != GITHUB_ABSENT;
}

static bool
is_true(const struct github_payload *p, enum github_field field)
{
	return p->field[field].type == GITHUB_TRUE;
}

/* Only a push has all of these; cache_sync of GitHub Enterprise Server lacks the commits. */
static bool
looks_like_a_push(const struct github_payload *p)
{
	return is_there(p, GITHUB_REF) && is_there(p, GITHUB_BEFORE) && is_there(p, GITHUB_AFTER) &&
	    is_there(p, GITHUB_COMMITS);
}

/* An id of SHA-1 or SHA-256, in lower case as git writes it. */
static bool
take_commit(const struct github_value *value, char out[LIMIT_COMMIT])
{
	size_t size;

	if (!github_payload_text(value, out, LIMIT_COMMIT))
		return false;
	size = strlen(out);
	return (size == 40 || size == 64) && strspn(out, "0123456789abcdef") == size;
}

/* A branch longer than git can store as a file is none of ours: left "". */
static bool
take_branch(const struct github_value *ref, struct delivery *delivery)
{
	char text[LIMIT_REF + sizeof(heads)];

	if (ref->type != GITHUB_STRING)
		return false;
	if (!github_payload_text(ref, text, sizeof(text)) || !text_starts(text, heads))
		return true;
	if (!text_copy(delivery->branch, sizeof(delivery->branch), text + strlen(heads)))
		delivery->branch[0] = '\0';
	return text_is_plain(delivery->branch);
}

/* Logins are ASCII; what else stands there must not reach a log or a chat. */
static void
take_login(const struct github_value *value, struct delivery *delivery)
{
	if (!github_payload_text(value, delivery->login, sizeof(delivery->login)))
		return;
	for (char *c = delivery->login; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			*c = '?';
}

static bool
take_push(const struct github_payload *p, struct delivery *delivery, struct err *err)
{
	if (!take_branch(&p->field[GITHUB_REF], delivery))
		return err_set(err, ERR_INVALID, "a push without a ref that can be one");
	if (!take_commit(&p->field[GITHUB_AFTER], delivery->after))
		return err_set(err, ERR_INVALID, "a push whose `after` is no commit");
	if (delivery->repository[0] == '\0')
		return err_set(err, ERR_INVALID, "a push without its repository's name");
	delivery->deleted = is_true(p, GITHUB_DELETED);
	delivery->forced = is_true(p, GITHUB_FORCED);
	return true;
}

/* Who and where; neither stands in every kind of event. */
static void
take_common(const struct github_payload *p, struct delivery *delivery)
{
	int64_t sender;

	if (!github_payload_text(&p->field[GITHUB_REPOSITORY_NAME], delivery->repository,
		sizeof(delivery->repository)) ||
	    !text_is_plain(delivery->repository))
		delivery->repository[0] = '\0';
	take_login(&p->field[GITHUB_SENDER_LOGIN], delivery);
	if (github_payload_i64(&p->field[GITHUB_SENDER_ID], &sender))
		delivery->sender = sender;
}

static bool
take_delivery(const struct github_payload *p, struct delivery *delivery, struct err *err)
{
	take_common(p, delivery);
	if (delivery->kind == DELIVERY_PUSH)
		return take_push(p, delivery, err);
	if (looks_like_a_push(p))
		return err_set(err, ERR_INVALID, "a push that calls itself something else");
	if (delivery->kind == DELIVERY_PING && p->field[GITHUB_ZEN].type != GITHUB_STRING)
		return err_set(err, ERR_INVALID, "a ping without zen");
	return true;
}

/* The signature is right, so a person has set something up wrongly: it is audited. */
static bool
refuse(struct queue_list *ret_events, int *ret_status)
{
	struct event *event = event_new(EVENT_REJECTED);

	(void)text_copy(event->u.rejected.source, sizeof(event->u.rejected.source), "github");
	(void)text_copy(event->u.rejected.reason, sizeof(event->u.rejected.reason),
	    "signed, but not what it says it is");
	event->u.rejected.count = 1;
	queue_list_add(ret_events, &event->link);
	*ret_status = 400;
	return false;
}

static bool
decode(const struct delivery *told, const char *text, size_t size, struct queue_list *ret_events,
    int *ret_status)
{
	struct github_payload payload;
	struct event *event;

	if (!github_payload_read(text, size, &payload, NULL))
		return refuse(ret_events, ret_status);
	event = event_new(EVENT_DELIVERY);
	event->u.delivery = *told;
	if (!take_delivery(&payload, &event->u.delivery, NULL)) {
		event_free(event);
		return refuse(ret_events, ret_status);
	}
	queue_list_add(ret_events, &event->link);
	return true;
}

bool
github_decode_json(
    struct event *raw, struct queue_list *ret_events, int *ret_status, UNUSED int64_t *ret_offset)
{
	return decode(&raw->u.delivery, raw->raw.data, raw->raw.size, ret_events, ret_status);
}

/* Undoes the form encoding in place; false for a '%' without two hex digits or a second field. */
static bool
unescape_form(char *text, size_t size, size_t *ret_size)
{
	char *out = text;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '&')
			return false;
		if (c == '+')
			c = ' ';
		if (c == '%') {
			if (size - i < 3 || !text_unhex(&c, 1, text + i + 1, 2))
				return false;
			i += 2;
		}
		*out++ = c;
	}
	*ret_size = (size_t)(out - text);
	return true;
}

bool
github_decode_form(
    struct event *raw, struct queue_list *ret_events, int *ret_status, UNUSED int64_t *ret_offset)
{
	static const char name[] = "payload=";
	size_t name_size = sizeof(name) - 1;
	char *text = raw->raw.data;
	size_t size;

	if (raw->raw.size < name_size || memcmp(text, name, name_size) != 0 ||
	    !unescape_form(text + name_size, raw->raw.size - name_size, &size))
		return refuse(ret_events, ret_status);
	return decode(&raw->u.delivery, text + name_size, size, ret_events, ret_status);
}
