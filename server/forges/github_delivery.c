/* github_delivery.c - payload to delivery: what is asked of each kind.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_delivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "forges/github_payload.h"
#include "types/forge.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

#define LOOK_MAX (64 * 1024) /* the loop's to look through: some 50 µs */

static const char heads[] = "refs/heads/";

typedef bool decode_fn(const struct json *said, struct delivery *delivery, struct err *err);

static decode_fn decode_run, decode_job, decode_rule, decode_review;

static const struct row {
	const char *event;
	const char *own; /* the member that makes a body its kind's */
	size_t most;
	decode_fn *decode;
} kinds[DELIVERY_KIND_COUNT] = {
#define KIND(name, word, forge, own, most, decode, ...) \
	[DELIVERY_## \
	    name] = { DELIVERY_##forge == DELIVERY_GITHUB ? (word) : "", own, most, decode },
	DELIVERY_KINDS(KIND)
#undef KIND
};

static enum delivery_kind
kind_of(const char *event_name)
{
	for (size_t i = DELIVERY_OTHER + 1; i < COUNT(kinds); i++)
		if (strcmp(event_name, kinds[i].event) == 0)
			return (enum delivery_kind)i;
	return DELIVERY_OTHER;
}

/* Letters are escaped by no form, and GitHub escapes none in JSON; who signs is GitHub. */
bool
github_delivery_is_asked(const char *event, const struct bytes *body, enum delivery_kind *ret_kind)
{
	static const char of_a_push[] = "before"; /* see looks_like_a_push() */

	*ret_kind = kind_of(event);
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
clean_login(char *login)
{
	for (char *c = login; *c != '\0'; c++)
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
	int64_t sender, id;

	if (!github_payload_text(&p->field[GITHUB_REPOSITORY_NAME], delivery->repository,
		sizeof(delivery->repository)) ||
	    !text_is_plain(delivery->repository))
		delivery->repository[0] = '\0';
	if (github_payload_text(
		&p->field[GITHUB_SENDER_LOGIN], delivery->login, sizeof(delivery->login)))
		clean_login(delivery->login);
	if (github_payload_i64(&p->field[GITHUB_SENDER_ID], &sender))
		delivery->sender = sender;
	if (github_payload_i64(&p->field[GITHUB_REPOSITORY_ID], &id))
		delivery->repository_id = id;
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

/* --- what is no push, by lib/json --- */

static bool
missing(const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID, "its %s is missing, or is none", name);
}

/* A number above 0, as a text; ret_number may be NULL. */
static bool
take_number(const struct json *said, const char *name, char ret[JOB_NUMBER], int64_t *ret_number,
    struct err *err)
{
	int64_t number;

	if (!json_get_i64(said, name, &number) || number <= 0)
		return missing(name, err);
	(void)snprintf(ret, JOB_NUMBER, "%" PRId64, number);
	if (ret_number != NULL)
		*ret_number = number;
	return true;
}

static bool
take_plain(const struct json *said, const char *name, char *out, size_t room, struct err *err)
{
	const char *text = json_get_str(said, name);

	return (text != NULL && text[0] != '\0' && text_is_plain(text) &&
		   text_copy(out, room, text)) ||
	    missing(name, err);
}

static bool
decode_run(const struct json *said, struct delivery *delivery, struct err *err)
{
	struct pipeline_run *run = delivery->run = mem_new(1, sizeof(*run));
	struct delivery_job *all = delivery->job;

	if (!pipeline_run_read(json_get(said, "workflow_run"), run, err))
		return false;
	if (!run->is_own)
		delivery->kind = DELIVERY_OTHER;
	(void)snprintf(all->of.run, JOB_NUMBER, "%" PRId64, run->run);
	all->of.attempt = run->attempt;
	(void)text_copy(all->conclusion, sizeof(all->conclusion), run->conclusion);
	(void)forge_time_read(json_get_str(json_get(said, "workflow_run"), "updated_at"), &all->at);
	return (strcmp(run->repository_id, all->of.repository_id) == 0 &&
		   text_same_ci(run->repository, all->of.repository)) ||
	    missing("repository", err);
}

/* One that goes on says nothing. */
static bool
decode_job(const struct json *said, struct delivery *delivery, struct err *err)
{
	const struct json *its = json_get(said, "workflow_job"), *to = json_get(said, "deployment");
	const char *environment = json_get_str(to, "environment"); /* NULL: it is of none */
	struct delivery_job *job = delivery->job;
	char number[JOB_NUMBER];

	if (strcmp(json_get_str(said, "action"), "completed") != 0)
		delivery->kind = DELIVERY_OTHER;
	job->deployment = json_get_i64_or(to, "id", 0);
	if (environment != NULL && text_is_plain(environment))
		(void)text_copy(job->environment, sizeof(job->environment), environment);
	return take_number(its, "id", job->of.check_run, NULL, err) &&
	    take_number(its, "run_id", job->of.run, NULL, err) &&
	    take_number(its, "run_attempt", number, &job->of.attempt, err) &&
	    (delivery->kind == DELIVERY_OTHER ||
		take_plain(its, "conclusion", job->conclusion, sizeof(job->conclusion), err));
}

/* The run that stands in the path where its answer is awaited, below its own repository.  Nothing
 * else of that URL is used: whoever could choose it must not choose whom we call. */
static bool
take_run(const struct json *said, struct job *of, struct err *err)
{
	const char *url = json_get_str(said, "deployment_callback_url"), *at;
	char before[LIMIT_REF + 40];

	(void)snprintf(before, sizeof(before), "/repos/%s/actions/runs/", of->repository);
	at = url == NULL ? NULL : strstr(url, before);
	if (at == NULL)
		return missing("deployment_callback_url", err);
	at += strlen(before);
	(void)snprintf(of->run, JOB_NUMBER, "%.*s", (int)strspn(at, "0123456789"), at);
	return (of->run[0] > '0' &&
		   strcmp(at + strlen(of->run), "/deployment_protection_rule") == 0) ||
	    missing("deployment_callback_url", err);
}

/* Who has asked is its sender, as a push's; what is no question decides nothing. */
static void
take_question(const struct json *said, struct delivery *delivery)
{
	const struct json *by = json_get(said, "sender");
	const char *login = json_get_str(by, "login");
	struct job *of = &delivery->job->of;

	if (strcmp(json_get_str(said, "action"), "requested") != 0)
		delivery->kind = DELIVERY_OTHER;
	(void)text_copy(of->actor, sizeof(of->actor), login == NULL ? "" : login);
	clean_login(of->actor);
	of->actor_id = json_get_i64_or(by, "id", 0);
}

/* The commit stands there as that member. */
static bool
take_commit_of(const struct json *there, const char *member, struct job *of, struct err *err)
{
	return take_plain(there, member, of->sha, sizeof(of->sha), err) &&
	    (text_is_hex(of->sha, 40, 40) || missing(member, err));
}

static bool
take_environment(const struct json *said, struct delivery_job *job, struct err *err)
{
	return take_plain(said, "environment", job->environment, sizeof(job->environment), err);
}

static bool
decode_rule(const struct json *said, struct delivery *delivery, struct err *err)
{
	const struct json *to = json_get(said, "deployment");
	struct delivery_job *job = delivery->job;
	char number[JOB_NUMBER];

	take_question(said, delivery);
	return take_run(said, &job->of, err) &&
	    take_number(to, "id", number, &job->deployment, err) &&
	    take_commit_of(to, "sha", &job->of, err) && take_environment(said, job, err) &&
	    take_plain(said, "event", job->of.event, sizeof(job->of.event), err);
}

/* What those are asked who review an environment: it has the run itself, and no Deployment. */
static bool
decode_review(const struct json *said, struct delivery *delivery, struct err *err)
{
	const struct json *run = json_get(said, "workflow_run");
	struct delivery_job *job = delivery->job;
	char number[JOB_NUMBER];

	take_question(said, delivery);
	return delivery->kind == DELIVERY_OTHER ||
	    (take_number(run, "id", job->of.run, NULL, err) &&
		take_number(run, "run_attempt", number, &job->of.attempt, err) &&
		take_commit_of(run, "head_sha", &job->of, err) &&
		take_environment(said, job, err) &&
		take_plain(run, "event", job->of.event, sizeof(job->of.event), err));
}

/* Its event's name is not signed: it has what makes its kind, and nothing that makes another, but
 * for the run that is in a review. */
static bool
decode_json(const struct bytes *body, struct delivery *delivery, struct err *err)
{
	CLEANUP(json_freep) struct json *said = json_decode(body->data, body->size, err);
	const struct json *repository = json_get(said, "repository");
	struct job *of;

	if (said == NULL)
		return false;
	for (size_t i = DELIVERY_OTHER + 1; i < COUNT(kinds); i++)
		if ((json_get(said, kinds[i].own) != NULL) != (i == delivery->kind) &&
		    (i != DELIVERY_WORKFLOW_RUN || delivery->kind != DELIVERY_GATE_REVIEW))
			return err_set(err, ERR_INVALID, "a %s that is none, or two",
			    kinds[delivery->kind].event);
	delivery->job = mem_new(1, sizeof(*delivery->job));
	of = &delivery->job->of;
	return (json_get_str(said, "action") != NULL || missing("action", err)) &&
	    take_plain(repository, "full_name", of->repository, LIMIT_REF, err) &&
	    text_copy(delivery->repository, LIMIT_REF, of->repository) &&
	    take_number(repository, "id", of->repository_id, &delivery->repository_id, err) &&
	    kinds[delivery->kind].decode(said, delivery, err);
}

bool
github_decode(
    const struct delivery *told, const struct bytes *body, struct queue_list *ret, struct err *err)
{
	struct event *event = event_new(EVENT_DELIVERY);
	struct delivery *delivery = &event->u.delivery;
	struct github_payload payload;

	*delivery = *told;
	queue_list_add(ret, &event->link);
	delivery->is_large = told->kind != DELIVERY_OTHER && body->size > kinds[told->kind].most;
	if (delivery->is_large)
		return true;
	if (kinds[told->kind].decode != NULL)
		return decode_json(body, delivery, err);
	return github_payload_read(body->data, body->size, &payload, err) &&
	    take_delivery(&payload, delivery, err);
}
