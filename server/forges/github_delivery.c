/* github_delivery.c - payload to delivery: what is asked of each kind.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_delivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "forges/forge_delivery.h"
#include "forges/github_payload.h"
#include "types/forge.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_take.h"
#include "lib/mem.h"
#include "lib/text.h"

#define LOOK_MAX (64 * 1024) /* the loop's to look through: some 50 µs */

static const char heads[] = "refs/heads/";

typedef void decode_fn(struct json_take *take, const struct json *said, struct delivery *delivery);

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
	    (body->size > 0 &&
		memmem(body->data, body->size, of_a_push, strlen(of_a_push)) != NULL);
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

static bool
take_push(const struct github_payload *p, struct delivery *delivery, struct err *err)
{
	char ref[LIMIT_REF + sizeof(heads)], after[LIMIT_COMMIT];
	bool is_branch =
	    github_payload_text(&p->field[GITHUB_REF], ref, sizeof(ref)) && text_starts(ref, heads);

	if (p->field[GITHUB_REF].type != GITHUB_STRING ||
	    (is_branch && !forge_take_branch(ref + strlen(heads), delivery)))
		return err_set(err, ERR_INVALID, "a push without a ref that can be one");
	if (!github_payload_text(&p->field[GITHUB_AFTER], after, sizeof(after)) ||
	    !forge_take_commit(after, delivery))
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
	char login[LIMIT_PERSON];
	int64_t sender, id;

	if (!github_payload_text(&p->field[GITHUB_REPOSITORY_NAME], delivery->repository,
		sizeof(delivery->repository)) ||
	    !text_is_plain(delivery->repository))
		delivery->repository[0] = '\0';
	if (github_payload_text(&p->field[GITHUB_SENDER_LOGIN], login, sizeof(login)))
		forge_take_login(login, delivery->login);
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

/* A number above 0, as a text. */
static int64_t
take_number(struct json_take *take, const struct json *said, const char *key, char ret[JOB_NUMBER])
{
	int64_t number;

	json_take_number(take, said, key, &number);
	(void)snprintf(ret, JOB_NUMBER, "%" PRId64, number);
	return number;
}

static void
decode_run(struct json_take *take, const struct json *said, struct delivery *delivery)
{
	struct pipeline_run *run = delivery->run = mem_new(1, sizeof(*run));
	struct delivery_job *all = delivery->job;

	if (take->failed || !pipeline_run_read(json_get(said, "workflow_run"), run, take->err)) {
		take->failed = true;
		return;
	}
	if (!run->is_own)
		delivery->kind = DELIVERY_OTHER;
	(void)snprintf(all->of.run, JOB_NUMBER, "%" PRId64, run->run);
	all->of.attempt = run->attempt;
	text_set(all->conclusion, run->conclusion);
	(void)forge_time_read(json_get_str(json_get(said, "workflow_run"), "updated_at"), &all->at);
	if (strcmp(run->repository_id, all->of.repository_id) != 0 ||
	    !text_same_ci(run->repository, all->of.repository))
		(void)json_take_none(take, "repository");
}

/* One that goes on says nothing. */
static void
decode_job(struct json_take *take, const struct json *said, struct delivery *delivery)
{
	const struct json *its = json_get(said, "workflow_job"), *to = json_get(said, "deployment");
	const char *environment = json_text(to, "environment"); /* "": it is of none */
	struct delivery_job *job = delivery->job;

	if (!json_has(said, "action", "completed"))
		delivery->kind = DELIVERY_OTHER;
	job->deployment = json_get_i64_or(to, "id", 0);
	if (text_is_plain(environment))
		text_set(job->environment, environment);
	(void)take_number(take, its, "id", job->of.check_run);
	(void)take_number(take, its, "run_id", job->of.run);
	json_take_number(take, its, "run_attempt", &job->of.attempt);
	if (delivery->kind != DELIVERY_OTHER)
		json_take_plain(take, its, "conclusion", job->conclusion, sizeof(job->conclusion));
}

/* The run that stands in the path where its answer is awaited, below its own repository.  Nothing
 * else of that URL is used: whoever could choose it must not choose whom we call. */
static void
take_run(struct json_take *take, const struct json *said, struct job *of)
{
	const char *at;
	char before[LIMIT_REF + 40];

	text_setf(before, "/repos/%s/actions/runs/", of->repository);
	at = strstr(json_text(said, "deployment_callback_url"), before);
	if (at != NULL) {
		at += strlen(before);
		(void)snprintf(of->run, JOB_NUMBER, "%.*s", (int)strspn(at, "0123456789"), at);
	}
	if (at == NULL || of->run[0] <= '0' ||
	    strcmp(at + strlen(of->run), "/deployment_protection_rule") != 0)
		(void)json_take_none(take, "deployment_callback_url");
}

/* Who has asked is its sender, as a push's; what is no question decides nothing. */
static void
take_question(const struct json *said, struct delivery *delivery)
{
	const struct json *by = json_get(said, "sender");
	struct job *of = &delivery->job->of;

	if (!json_has(said, "action", "requested"))
		delivery->kind = DELIVERY_OTHER;
	forge_take_login(json_text(by, "login"), of->actor);
	of->actor_id = json_get_i64_or(by, "id", 0);
}

/* It only says whose message is sent when, so what cannot be one is none. */
static void
take_branch(const struct json *said, const char *key, char ret[LIMIT_REF])
{
	if (!text_is_plain(json_text(said, key)) ||
	    !text_copy(ret, LIMIT_REF, json_text(said, key)))
		ret[0] = '\0';
}

static void
decode_rule(struct json_take *take, const struct json *said, struct delivery *delivery)
{
	const struct json *to = json_get(said, "deployment");
	struct delivery_job *job = delivery->job;

	take_question(said, delivery);
	take_run(take, said, &job->of);
	json_take_number(take, to, "id", &job->deployment);
	json_take_commit(take, to, "sha", job->of.sha, 40);
	take_branch(to, "ref", job->branch);
	json_take_plain(take, said, "environment", job->environment, LIMIT_REF);
	json_take_plain(take, said, "event", job->of.event, JOB_EVENT);
}

/* What those are asked who review an environment: it has the run itself, and no Deployment. */
static void
decode_review(struct json_take *take, const struct json *said, struct delivery *delivery)
{
	const struct json *run = json_get(said, "workflow_run");
	struct delivery_job *job = delivery->job;

	take_question(said, delivery);
	if (delivery->kind == DELIVERY_OTHER)
		return;
	(void)take_number(take, run, "id", job->of.run);
	json_take_number(take, run, "run_attempt", &job->of.attempt);
	json_take_commit(take, run, "head_sha", job->of.sha, 40);
	take_branch(run, "head_branch", job->branch);
	json_take_plain(take, said, "environment", job->environment, LIMIT_REF);
	json_take_plain(take, run, "event", job->of.event, JOB_EVENT);
}

/* Its event's name is not signed: it has what makes its kind, and nothing that makes another, but
 * for the run that is in a review. */
static bool
decode_json(const struct bytes *body, struct delivery *delivery, struct err *err)
{
	CLEANUP(json_freep) struct json *said = json_decode(body->data, body->size, err);
	const struct json *repository = json_get(said, "repository");
	struct json_take take = { .whose = "its", .code = ERR_INVALID, .err = err };
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
	if (json_get_str(said, "action") == NULL)
		(void)json_take_none(&take, "action");
	json_take_plain(&take, repository, "full_name", of->repository, LIMIT_REF);
	(void)text_copy(delivery->repository, LIMIT_REF, of->repository);
	delivery->repository_id = take_number(&take, repository, "id", of->repository_id);
	kinds[delivery->kind].decode(&take, said, delivery);
	return !take.failed;
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
