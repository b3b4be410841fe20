/* github_api_answer.c - each answer of GitHub's is one of fourteen, and counts for its hour.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_api_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "lib/clean.h"
#include "lib/json.h"
#include "lib/text.h"

#define SHARE	     5		  /* of a limit one in so many is ours */
#define WAIT_S	     60		  /* where a limit does not say for how long */
#define WAIT_MOST_S  3600	  /* all limits are of an hour at most */
#define FRESH_MS     (50 * 60000) /* of 60 minutes */
#define HOURS_MEET_S 60 /* one hour's end is said a little differently by each of its servers */
#define SAID_MAX     160
#define FACTOR_MAX   60.0

/* --- requests --- */

static bool
is_part(const char *part, size_t size)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return size > 0 && strspn(part, plain) >= size &&
	    !(part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.')));
}

bool
github_api_path(const char *repository, const char *behind, char out[GITHUB_API_PATH])
{
	size_t owner = strcspn(repository, "/");
	const char *name = repository + owner + 1;
	int size;

	if (repository[owner] == '\0' || !is_part(repository, owner) ||
	    !is_part(name, strlen(name)))
		return false;
	size = snprintf(out, GITHUB_API_PATH, "/repos/%s%s", repository, behind);
	return size > 0 && size < GITHUB_API_PATH;
}

const char *
github_api_claims(const char *app_id, int64_t now_s, char out[GITHUB_API_CLAIMS])
{
	(void)snprintf(out, GITHUB_API_CLAIMS,
	    "{\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"iss\":\"%.18s\"}", now_s - 60, now_s + 540,
	    app_id);
	return out;
}

/* --- what an answer says --- */

static int64_t
number_in(const char *header)
{
	int64_t number;

	return header != NULL && text_to_i64(header, 0, INT64_MAX, &number, NULL) ? number : -1;
}

/* GitHub's message, or that there is none, behind its status. */
static void
describe(struct github_api_answer *answer, const struct json *root)
{
	const char *message = json_get_str(root, "message");
	char said[SAID_MAX], line[LIMIT_LINE];

	if (message != NULL)
		(void)clean_line(said, sizeof(said), message, strlen(message));
	(void)snprintf(line, sizeof(line), "HTTP %d%s%s", answer->status,
	    message != NULL ? ": " : "", message != NULL ? said : "");
	(void)text_copy(answer->detail, sizeof(answer->detail), line); /* it fits */
}

static bool
says_limit(const struct json *root)
{
	const char *message = json_get_str(root, "message");

	return message != NULL && strcasestr(message, "rate limit") != NULL;
}

static bool
is_limit(const struct github_api_reply *reply, const struct json *root)
{
	return reply->status == 429 ||
	    (reply->status == 403 &&
		(reply->retry_after != NULL || number_in(reply->remaining) == 0 ||
		    says_limit(root)));
}

/* Retry-After, else when the hour ends, where that is used up. */
static int64_t
wait_of(const struct github_api_reply *reply)
{
	int64_t wait_s = number_in(reply->retry_after), reset_s = number_in(reply->reset);

	if (wait_s < 0 && number_in(reply->remaining) == 0 && reset_s > reply->now_s)
		wait_s = reset_s - reply->now_s;
	if (wait_s < 0)
		wait_s = WAIT_S;
	return wait_s < 1 ? 1 : wait_s < WAIT_MOST_S ? wait_s : WAIT_MOST_S;
}

static enum github_verdict
verdict_of(const struct github_api_reply *reply, const struct json *root)
{
	static const struct {
		int status;
		enum github_verdict verdict;
	} rows[] = { { 304, GITHUB_SAME }, { 401, GITHUB_UNAUTHORIZED }, { 403, GITHUB_FORBIDDEN },
		{ 404, GITHUB_NOT_FOUND }, { 409, GITHUB_CONFLICT }, { 422, GITHUB_UNFIT } };

	if (is_limit(reply, root))
		return GITHUB_LIMITED;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (reply->status == rows[i].status)
			return rows[i].verdict;
	if (reply->status >= 200 && reply->status < 300)
		return root != NULL || reply->body_size == 0 ? GITHUB_DONE : GITHUB_TORN;
	return reply->status >= 300 && reply->status < 400 ? GITHUB_MOVED :
	    reply->status >= 400 && reply->status < 500	   ? GITHUB_REFUSED :
							     GITHUB_FAILED;
}

/* One that could not be sent back as a header is none. */
static void
take_etag(struct github_api_answer *answer, const char *etag)
{
	size_t size = etag == NULL ? 0 : strlen(etag);

	for (size_t i = 0; i < size; i++)
		if (etag[i] <= ' ' || etag[i] > '~')
			return;
	if (size > 0 && size < sizeof(answer->etag))
		memcpy(answer->etag, etag, size + 1);
}

static struct github_api_answer
judge_failure(const struct github_api_reply *reply)
{
	struct github_api_answer answer = {
		.verdict = reply->code == ERR_LIMIT ? GITHUB_TOO_LARGE :
		    reply->was_sent		    ? GITHUB_TORN :
						      GITHUB_AWAY,
		.may_be_done = reply->was_sent,
	};

	/* Nothing came of what was sent, or not all of it: only time tells these two apart. */
	if (answer.verdict == GITHUB_TORN && reply->code == ERR_TIMEOUT)
		answer.verdict = GITHUB_AWAY;
	(void)clean_line(answer.detail, sizeof(answer.detail), reply->text, strlen(reply->text));
	return answer;
}

struct github_api_answer
github_api_judge(const struct github_api_reply *reply, struct json **ret_body)
{
	CLEANUP(json_freep) struct json *root = NULL;
	struct github_api_answer answer = { .status = reply->status };

	*ret_body = NULL;
	if (reply->code != ERR_NONE)
		return judge_failure(reply);
	root = json_decode(reply->body, reply->body_size, NULL);
	answer.verdict = verdict_of(reply, root);
	answer.may_be_done = answer.verdict == GITHUB_DONE || answer.verdict == GITHUB_TORN ||
	    answer.verdict == GITHUB_FAILED;
	if (number_in(reply->limit) > 0 && number_in(reply->reset) > 0) {
		answer.limit = number_in(reply->limit);
		answer.reset_s = number_in(reply->reset);
	}
	if (answer.verdict == GITHUB_LIMITED)
		answer.retry_after_s = wait_of(reply);
	if (answer.verdict == GITHUB_DONE || answer.verdict == GITHUB_SAME)
		take_etag(&answer, reply->etag);
	else if (answer.verdict == GITHUB_TORN)
		(void)snprintf(answer.detail, sizeof(answer.detail),
		    "HTTP %d with half a body: it is no JSON", reply->status);
	else
		describe(&answer, root);
	if (answer.verdict == GITHUB_DONE)
		*ret_body = TAKE(root);
	return answer;
}

/* --- installations --- */

int64_t
github_api_installation(const struct json *body)
{
	const struct json *suspended = json_get(body, "suspended_at");
	int64_t id = json_get_i64_or(body, "id", 0);

	return id > 0 && (suspended == NULL || json_holds_null(suspended)) ? id : 0;
}

bool
github_api_token(const struct json *body, char out[GITHUB_API_TOKEN])
{
	const struct json *value = json_get(body, "token");
	const char *token = json_str(value);
	size_t size = token == NULL ? 0 : json_str_size(value);

	if (size == 0 || size >= GITHUB_API_TOKEN)
		return false;
	for (size_t i = 0; i < size; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return false;
	memcpy(out, token, size + 1);
	return true;
}

bool
github_api_is_fresh(int64_t age_ms)
{
	return age_ms >= 0 && age_ms < FRESH_MS;
}

/* --- the hour --- */

void
github_api_budget_note(struct github_api_budget *budget, const struct github_api_answer *answer)
{
	if (answer->limit == 0)
		return;
	if (answer->reset_s > budget->reset_s + HOURS_MEET_S) {
		budget->used = 0;
		budget->reset_s = answer->reset_s;
	}
	budget->limit = answer->limit;
	budget->used += answer->verdict == GITHUB_SAME ? 0 : 1;
}

static bool
is_over(const struct github_api_budget *budget, int64_t now_s)
{
	return budget->limit == 0 || now_s >= budget->reset_s;
}

int64_t
github_api_budget_wait_s(const struct github_api_budget *budget, int64_t now_s)
{
	if (is_over(budget, now_s) || budget->used < budget->limit / SHARE)
		return 0;
	return budget->reset_s - now_s < WAIT_MOST_S ? budget->reset_s - now_s : WAIT_MOST_S;
}

double
github_api_budget_factor(const struct github_api_budget *budget, int64_t now_s)
{
	double ours = (double)budget->limit / SHARE, left = ours - (double)budget->used;

	if (is_over(budget, now_s) || left >= ours / 2)
		return 1;
	return left <= ours / 2 / FACTOR_MAX ? FACTOR_MAX : ours / 2 / left;
}
