/* github_delivery.c - payload to delivery: what is asked of each kind.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_delivery.h"

#include "forges/github_payload.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#define LOOK_MAX (64 * 1024) /* the loop's to look through: some 50 µs */

static const char heads[] = "refs/heads/";

/* Those that are read; of `most` bytes, above which nobody waits for it. */
static const struct {
	const char *event;
	enum delivery_kind kind;
	size_t most;
} kinds[] = {
	{ "push", DELIVERY_PUSH, SIZE_MAX }, { "ping", DELIVERY_PING, SIZE_MAX },
	{ "workflow_run", DELIVERY_WORKFLOW_RUN, 1024 * 1024 }, /* GitHub's have 20 to 60 KB */
};

static enum delivery_kind
kind_of(const char *event_name, size_t size)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(event_name, kinds[i].event) == 0 && size <= kinds[i].most)
			return kinds[i].kind;
	return DELIVERY_OTHER;
}

/* Letters are escaped by no form, and GitHub escapes none in JSON; who signs is GitHub. */
bool
github_delivery_is_asked(const char *event, const struct bytes *body, enum delivery_kind *ret_kind)
{
	static const char of_a_push[] = "before"; /* see looks_like_a_push() */

	*ret_kind = kind_of(event, body->size);
	return *ret_kind != DELIVERY_OTHER || body->size > LOOK_MAX ||
	    memmem(body->data, body->size, of_a_push, strlen(of_a_push)) != NULL;
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

/* Its event's name is not signed: it has the object of its kind, and nothing that makes a push. */
static bool
decode_run(const struct bytes *body, struct delivery *delivery, struct err *err)
{
	CLEANUP(json_freep) struct json *said = json_decode(body->data, body->size, err);
	const struct json *run = json_get(said, "workflow_run");

	if (said == NULL)
		return false;
	if (!json_holds_object(run) || json_get_str(said, "action") == NULL ||
	    json_get(said, "ref") != NULL || json_get(said, "after") != NULL)
		return err_set(err, ERR_INVALID, "a workflow_run that is none");
	delivery->run = mem_new(1, sizeof(*delivery->run));
	if (!pipeline_run_read(run, delivery->run, err))
		return false;
	(void)text_copy(
	    delivery->repository, sizeof(delivery->repository), delivery->run->repository);
	if (!delivery->run->is_own)
		delivery->kind = DELIVERY_OTHER;
	return true;
}

bool
github_decode(
    const struct delivery *told, const struct bytes *body, struct queue_list *ret, struct err *err)
{
	struct github_payload payload;
	struct event *event;

	if (told->kind == DELIVERY_WORKFLOW_RUN) {
		event = event_new(EVENT_DELIVERY);
		event->u.delivery = *told;
		queue_list_add(ret, &event->link);
		return decode_run(body, &event->u.delivery, err);
	}
	if (!github_payload_read(body->data, body->size, &payload, err))
		return false;
	event = event_new(EVENT_DELIVERY);
	event->u.delivery = *told;
	queue_list_add(ret, &event->link);
	return take_delivery(&payload, &event->u.delivery, err);
}
