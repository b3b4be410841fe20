/* forge_delivery.c - payloads of GitLab, Gitea and Bitbucket to deliveries.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_delivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_take.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/pipeline_run.h"

#define GITLAB_READ ((size_t)1 << 20) /* a push above that is found by polling */

static const char heads[] = "refs/heads/";

bool
forge_delivery_id_is_good(const char *id, size_t most)
{
	static const char letters[] =
	    "0123456789_-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t size = strlen(id);

	return size > 0 && size <= most && strspn(id, letters) == size;
}

/* What one push says, as its body has it; "": it does not. */
struct said {
	const char *ref; /* with refs/heads/, or of Bitbucket a branch's name */
	const char *after, *repository, *login;
	int64_t sender;
	bool is_branch; /* ref is a branch's name */
	bool forced;
};

bool
forge_take_commit(const char *text, struct delivery *delivery)
{
	size_t size = strlen(text);

	if ((size != 40 && size != 64) || strspn(text, "0123456789abcdef") != size)
		return false;
	delivery->deleted = strspn(text, "0") == size;
	return text_copy(delivery->after, sizeof(delivery->after), text);
}

bool
forge_take_branch(const char *name, struct delivery *delivery)
{
	if (!text_copy(delivery->branch, sizeof(delivery->branch), name))
		delivery->branch[0] = '\0';
	return text_is_plain(delivery->branch);
}

void
forge_take_login(const char *login, char out[LIMIT_PERSON])
{
	(void)text_copy(out, LIMIT_PERSON, login);
	for (char *c = out; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			*c = '?';
}

/* An id that is that of several: what it is about belongs to it. */
static bool
take_id(const struct said *said, struct delivery *delivery, struct err *err)
{
	char about[sizeof(heads) + LIMIT_REF + LIMIT_COMMIT], hex[FORGE_DELIVERY_REF];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	size_t size = strlen(delivery->id);
	int n;

	if (!delivery->id_is_shared)
		return true;
	n = snprintf(about, sizeof(about), "%s%.*s\n%s", said->is_branch ? heads : "", LIMIT_REF,
	    said->ref, delivery->after);
	if (!crypto_sha256(about, (size_t)n, hash, err))
		return false;
	text_hex(hex, hash, (FORGE_DELIVERY_REF - 1) / 2);
	(void)snprintf(delivery->id + size, sizeof(delivery->id) - size, ".%s", hex);
	return true;
}

static bool
take_push(const struct said *said, struct delivery *delivery, struct err *err)
{
	size_t before = said->is_branch ? 0 : strlen(heads);

	if (said->ref[0] == '\0' ||
	    (strncmp(said->ref, heads, before) == 0 &&
		!forge_take_branch(said->ref + before, delivery)))
		return err_set(err, ERR_INVALID, "a push without a ref that can be one");
	if (!forge_take_commit(said->after, delivery))
		return err_set(err, ERR_INVALID, "a push to what is no commit");
	if (said->repository[0] == '\0' ||
	    !text_copy(delivery->repository, sizeof(delivery->repository), said->repository) ||
	    !text_is_plain(delivery->repository))
		return err_set(err, ERR_INVALID, "a push without its repository's path");
	forge_take_login(said->login, delivery->login);
	delivery->sender = said->sender;
	delivery->forced = said->forced;
	delivery->kind = DELIVERY_PUSH;
	return take_id(said, delivery, err);
}

/* --- events --- */

struct decoding {
	const struct delivery *told;
	struct queue_list *events;
	struct err *err;
};

static struct delivery *
begin(struct decoding *d)
{
	struct event *event = event_new(EVENT_DELIVERY);

	event->u.delivery = *d->told;
	queue_list_add(d->events, &event->link);
	return &event->u.delivery;
}

static bool
add(struct decoding *d, const struct said *said)
{
	struct delivery *delivery = begin(d);

	return said == NULL || take_push(said, delivery, d->err);
}

typedef bool read_fn(struct decoding *d, const struct json *body);

static bool
decode(struct decoding *d, const struct bytes *body, read_fn *read)
{
	CLEANUP(json_freep) struct json *root = json_decode(body->data, body->size, d->err);

	return root != NULL &&
	    (json_holds_object(root) || err_set(d->err, ERR_INVALID, "not an object")) &&
	    read(d, root);
}

/* --- GitLab: docs.gitlab.com/user/project/integrations/webhook_events --- */

static bool
add_pipeline(struct decoding *d, const struct json *body)
{
	struct delivery *delivery = begin(d);
	struct pipeline_run *run = delivery->run = mem_new(1, sizeof(*run));

	if (!pipeline_run_read_gitlab(body, run, d->err))
		return false;
	text_set(delivery->repository, run->repository);
	delivery->kind = run->run != 0 ? DELIVERY_WORKFLOW_RUN : DELIVERY_OTHER;
	return true;
}

/* A job that is over; one that goes on says nothing. */
static bool
add_build(struct decoding *d, const struct json *body)
{
	static const char *const over[][2] = { { "success", "success" }, { "failed", "failure" },
		{ "canceled", "cancelled" }, { "skipped", "skipped" } };
	const struct json *project = json_get(body, "project");
	struct json_take take = { .whose = "its", .code = ERR_INVALID, .err = d->err };
	struct delivery *delivery = begin(d);
	int64_t repository = 0, run = 0, job = 0;
	struct job *of;

	for (size_t i = 0; i < COUNT(over); i++) {
		if (!json_has(body, "build_status", over[i][0]))
			continue;
		delivery->kind = DELIVERY_WORKFLOW_JOB;
		delivery->job = mem_new(1, sizeof(*delivery->job));
		text_set(delivery->job->conclusion, over[i][1]); /* it fits */
	}
	if (delivery->job == NULL)
		return true;
	of = &delivery->job->of;
	json_take_plain(&take, project, "path_with_namespace", of->repository, LIMIT_REF);
	json_take_number(&take, body, "project_id", &repository);
	json_take_number(&take, body, "pipeline_id", &run);
	json_take_number(&take, body, "build_id", &job);
	text_set(delivery->repository, of->repository);
	text_setf(of->repository_id, "%s%" PRId64, job_forges[DELIVERY_GITLAB].mark, repository);
	text_setf(of->run, "%" PRId64, run);
	text_setf(of->check_run, "%" PRId64, job);
	of->attempt = 1; /* one that is begun again is another job */
	return !take.failed;
}

static bool
read_gitlab(struct decoding *d, const struct json *body)
{
	const struct said said = {
		.ref = json_text(body, "ref"),
		.after = json_text(body, "after"),
		.repository = json_text(json_get(body, "project"), "path_with_namespace"),
		.login = json_text(body, "user_username"),
		.sender = json_get_i64_or(body, "user_id", 0),
	};

	if (json_get_str(body, "object_kind") == NULL)
		return err_set(d->err, ERR_INVALID, "no object_kind");
	if (json_has(body, "object_kind", "pipeline"))
		return add_pipeline(d, body);
	if (json_has(body, "object_kind", "build"))
		return add_build(d, body);
	return add(d, json_has(body, "object_kind", "push") ? &said : NULL);
}

bool
forge_decode_gitlab(
    const struct delivery *told, const struct bytes *body, struct queue_list *ret, struct err *err)
{
	struct decoding d = { told, ret, err };

	if (body->size <= GITLAB_READ)
		return decode(&d, body, read_gitlab);
	begin(&d)->is_large = true;
	return true;
}

/* --- Gitea and Forgejo: docs.gitea.com/usage/webhooks --- */

static bool
read_gitea(struct decoding *d, const struct json *body)
{
	const struct json *sender = json_get(body, "sender");
	const struct said said = {
		.ref = json_text(body, "ref"),
		.after = json_text(body, "after"),
		.repository = json_text(json_get(body, "repository"), "full_name"),
		.login = json_text(sender, "login"),
		.sender = json_get_i64_or(sender, "id", 0),
	};
	/* Only a push has these three beside each other. */
	bool is_push = json_get(body, "ref") != NULL && json_get(body, "before") != NULL &&
	    json_get(body, "after") != NULL;

	return add(d, is_push ? &said : NULL);
}

bool
forge_decode_gitea(
    const struct delivery *told, const struct bytes *body, struct queue_list *ret, struct err *err)
{
	return decode(&(struct decoding){ told, ret, err }, body, read_gitea);
}

/* --- Bitbucket Cloud: support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Push --- */

static const char zeros[] = "0000000000000000000000000000000000000000";

/* One of push.changes: old or new is null where a ref was made or is gone. */
static bool
read_change(struct decoding *d, const struct json *change, struct said *said)
{
	const struct json *new = json_get(change, "new"), *old = json_get(change, "old");
	bool is_gone = json_holds_null(new) && json_holds_object(old);
	const struct json *ref = is_gone ? old : new;

	if (!json_holds_object(ref) || json_get_str(ref, "type") == NULL)
		return err_set(d->err, ERR_INVALID, "a change of nothing");
	said->is_branch = json_has(ref, "type", "branch") || json_has(ref, "type", "named_branch");
	said->ref = json_text(ref, "name");
	said->after = is_gone ? zeros : json_text(json_get(ref, "target"), "hash");
	said->forced = json_get_bool(change, "forced", false);
	return add(d, said);
}

/* Accounts have no number there: the first 52 bits of "{d301aafa-d676-4ee0-…}"; 0: it is none. */
static int64_t
number_of(const char *uuid)
{
	int64_t number = 0;
	int digits = 0;

	for (const char *c = uuid[0] != '{' ? "" : uuid + 1; *c != '\0' && digits < 13; c++) {
		uint8_t byte;
		const char pair[] = { '0', *c };

		if (*c == '-')
			continue;
		if (!text_unhex(&byte, 1, pair, sizeof(pair)))
			return 0;
		number = number * 16 + byte;
		digits++;
	}
	return digits == 13 ? number : 0;
}

static bool
read_bitbucket(struct decoding *d, const struct json *body)
{
	const struct json *actor = json_get(body, "actor");
	const struct json *changes = json_get(json_get(body, "push"), "changes");
	const char *nickname = json_get_str(actor, "nickname");
	struct said said = {
		.repository = json_text(json_get(body, "repository"), "full_name"),
		.login = nickname != NULL ? nickname : json_text(actor, "display_name"),
		.sender = number_of(json_text(actor, "uuid")),
	};

	if (json_get(body, "push") == NULL)
		return add(d, NULL);
	if (!json_holds_array(changes) || json_count(changes) > FORGE_CHANGES_MAX)
		return err_set(d->err, ERR_INVALID, "a push without a list of %d changes at most",
		    FORGE_CHANGES_MAX);
	for (size_t i = 0; i < json_count(changes); i++)
		if (!read_change(d, json_at(changes, i), &said))
			return false;
	return json_count(changes) > 0 || add(d, NULL);
}

bool
forge_decode_bitbucket(
    const struct delivery *told, const struct bytes *body, struct queue_list *ret, struct err *err)
{
	return decode(&(struct decoding){ told, ret, err }, body, read_bitbucket);
}
