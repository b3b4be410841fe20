/* forge_api_answer.c - each answer of a forge's API is one of thirteen, and counts for its hour.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/forge_api_answer.h"

#include <stdio.h>
#include <strings.h>

#include "lib/clean.h"
#include "lib/json_mend.h"
#include "lib/text.h"

#define WAIT_S	     60	  /* where a limit does not say for how long */
#define WAIT_MOST_S  3600 /* all limits are of an hour at most */
#define HOURS_MEET_S 60	  /* one hour's end is said a little differently by each of its servers */
#define FACTOR_MAX   60.0

static bool
is_part(const char *part, size_t size)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return size > 0 && strspn(part, plain) >= size &&
	    !(part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.')));
}

bool
forge_api_path(const char *repository, const char *behind, char out[FORGE_API_PATH])
{
	size_t owner = strcspn(repository, "/");
	const char *name = repository + owner + (repository[owner] == '/' ? 1 : 0);

	return is_part(repository, owner) && is_part(name, strlen(name)) &&
	    snprintf(out, FORGE_API_PATH, "/repos/%s%s", repository, behind) < FORGE_API_PATH;
}

bool
forge_api_project_path(const char *project, const char *behind, char out[FORGE_API_PATH])
{
	size_t used = (size_t)snprintf(out, FORGE_API_PATH, "/projects/");
	size_t parts = 0, size;

	while (is_part(project, size = strcspn(project, "/")) && used < FORGE_API_PATH) {
		used += (size_t)snprintf(out + used, FORGE_API_PATH - used, "%s%.*s",
		    parts++ > 0 ? "%2F" : "", (int)size, project);
		project += size + 1;
		if (project[-1] == '\0')
			return parts > 1 && used < FORGE_API_PATH &&
			    (size_t)snprintf(out + used, FORGE_API_PATH - used, "%s", behind) <
			    FORGE_API_PATH - used;
	}
	return false;
}

/* --- what an answer says --- */

static int64_t
number_in(const char *header)
{
	int64_t number;

	return header != NULL && text_to_i64(header, 0, INT64_MAX, &number, NULL) ? number : -1;
}

/* Does its message say so? */
static bool
says(const struct json *root, const char *words)
{
	return strcasestr(json_text(root, "message"), words) != NULL;
}

static bool
is_limit(const struct forge_api_reply *reply, const struct json *root)
{
	return reply->status == 429 ||
	    (reply->status == 403 &&
		(reply->retry_after != NULL || number_in(reply->remaining) == 0 ||
		    says(root, "rate limit")));
}

/* Retry-After, else when the hour ends, where that is used up. */
static int64_t
wait_of(const struct forge_api_reply *reply)
{
	int64_t wait_s = number_in(reply->retry_after), reset_s = number_in(reply->reset);

	if (wait_s < 0 && number_in(reply->remaining) == 0 && reset_s > reply->now_s)
		wait_s = reset_s - reply->now_s;
	wait_s = wait_s < 0 ? WAIT_S : wait_s < 1 ? 1 : wait_s;
	return wait_s < WAIT_MOST_S ? wait_s : WAIT_MOST_S;
}

/* <https://…?per_page=100&cursor=v1_123>; rel="next", of which the address is never followed. */
static void
take_next(const char *link, char out[LIMIT_CURSOR])
{
	static const char key[] = "cursor=",
			  plain[] =
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=%-";
	const char *end = link == NULL ? NULL : strstr(link, ">; rel=\"next\""), *at = link;
	size_t size;

	out[0] = '\0';
	while (end != NULL && (at = strstr(at, key)) != NULL && at < end) {
		at += strlen(key);
		size = strspn(at, plain);
		(void)snprintf(out, LIMIT_CURSOR, "%.*s", size < LIMIT_CURSOR ? (int)size : 0, at);
	}
}

static enum forge_api_verdict
verdict_of(const struct forge_api_reply *reply, const struct json *root)
{
	static const struct {
		int least, most;
		enum forge_api_verdict verdict;
	} rows[] = { { 401, 401, FORGE_API_UNAUTHORIZED }, { 403, 403, FORGE_API_FORBIDDEN },
		{ 404, 404, FORGE_API_NOT_FOUND }, { 409, 409, FORGE_API_CONFLICT },
		{ 422, 422, FORGE_API_UNFIT }, { 200, 299, FORGE_API_DONE },
		{ 300, 399, FORGE_API_MOVED }, { 400, 499, FORGE_API_REFUSED } };

	/* Nothing came of what was sent, or not all of it: only the deadline tells these apart. */
	if (reply->code != ERR_NONE)
		return reply->code == ERR_LIMIT			  ? FORGE_API_TOO_LARGE :
		    reply->was_sent && reply->code != ERR_TIMEOUT ? FORGE_API_TORN :
								    FORGE_API_AWAY;
	if (is_limit(reply, root))
		return FORGE_API_LIMITED;
	if (reply->status / 100 == 2 && root == NULL && reply->body_size > 0)
		return FORGE_API_TORN;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (reply->status >= rows[i].least && reply->status <= rows[i].most)
			return rows[i].verdict;
	return FORGE_API_FAILED;
}

/* Why it says no: GitHub by a text; GitLab by one of three names, or by what is wrong with all of
 * it ("base") or with each field, which is shown as it came. */
static const char *
reason_of(const struct forge_api_reply *reply, const struct json *root)
{
	static const char *const names[] = { "message", "error_description", "error" };
	const char *base;

	for (size_t i = 0; i < COUNT(names); i++)
		if (json_get_str(root, names[i]) != NULL)
			return json_get_str(root, names[i]);
	base = json_str(json_at(json_get(json_get(root, "message"), "base"), 0));
	return base != NULL ? base : json_count(json_get(root, "message")) > 0 ? reply->body : NULL;
}

/* That behind the status; or why there is no answer. */
static void
describe(struct forge_api_answer *answer, const struct forge_api_reply *reply, const char *message)
{
	char line[LIMIT_LINE];

	if (reply->code != ERR_NONE)
		text_setf(line, "%s", reply->text); /* cut is fine */
	else if (answer->verdict == FORGE_API_TORN)
		text_setf(line, "HTTP %d with half a body: it is no JSON", reply->status);
	else
		text_setf(line, "HTTP %d%s%.200s", reply->status, message != NULL ? ": " : "",
		    message != NULL ? message : "");
	(void)clean_line(answer->detail, sizeof(answer->detail), line, strlen(line));
}

struct forge_api_answer
forge_api_judge(const struct forge_api_reply *reply, struct json **ret_body)
{
	CLEANUP(json_freep) struct json *root = NULL;
	struct forge_api_answer answer = { .status = reply->status, .was_sent = reply->was_sent };

	*ret_body = NULL;
	root =
	    json_decode_mended(reply->body, reply->code == ERR_NONE ? reply->body_size : 0, NULL);
	answer.verdict = verdict_of(reply, root);
	if (number_in(reply->limit) > 0 && number_in(reply->reset) > 0) {
		answer.limit = number_in(reply->limit);
		answer.reset_s = number_in(reply->reset);
		if (answer.reset_s > reply->now_s + WAIT_MOST_S)
			answer.reset_s = reply->now_s + WAIT_MOST_S; /* as all its limits are */
	}
	answer.is_no_app = answer.verdict == FORGE_API_NOT_FOUND && says(root, "integration not");
	answer.is_of_key = answer.verdict == FORGE_API_UNFIT && says(root, "permitted key");
	if (answer.verdict == FORGE_API_LIMITED)
		answer.retry_after_s = wait_of(reply);
	take_next(reply->link, answer.next);
	if (answer.verdict == FORGE_API_DONE)
		*ret_body = TAKE(root);
	else
		describe(&answer, reply, reason_of(reply, root));
	return answer;
}

int64_t
forge_api_installation(const struct json *body)
{
	const struct json *suspended = json_get(body, "suspended_at");
	int64_t id = json_get_i64_or(body, "id", 0);

	return id > 0 && (suspended == NULL || json_holds_null(suspended)) ? id : 0;
}

bool
forge_api_token(const struct json *body, char out[FORGE_API_TOKEN])
{
	const char *token = json_text(body, "token");

	for (const char *c = token; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return token[0] != '\0' && text_copy(out, FORGE_API_TOKEN, token);
}

/* --- the hour --- */

static const struct {
	int64_t parts, of;
	const char *why;
} shares[] = {
#define S(name, ...) [FORGE_SHARE_##name] = { __VA_ARGS__ },
	FORGE_API_SHARES(S)
#undef S
};

void
forge_api_budget_note(struct forge_api_budget *budget, const struct forge_api_answer *answer)
{
	if (answer->limit == 0)
		return;
	if (answer->reset_s > budget->reset_s + HOURS_MEET_S)
		*budget = (struct forge_api_budget){ .reset_s = answer->reset_s,
			.used = budget->reset_s == 0 ? budget->used : 1,
			.pressed = budget->reset_s == 0 ? budget->pressed : 0 };
	budget->limit = answer->limit;
}

int64_t
forge_api_budget_wait_s(
    const struct forge_api_budget *budget, int64_t now_s, enum forge_api_share share)
{
	int64_t wait_s = budget->reset_s - now_s;
	int64_t used = share == FORGE_SHARE_PRESSED ? budget->pressed : budget->used;

	if (budget->limit == 0 || wait_s <= 0 ||
	    used < budget->limit * shares[share].parts / shares[share].of)
		return 0;
	return wait_s < WAIT_MOST_S ? wait_s : WAIT_MOST_S;
}

const char *
forge_api_budget_why(enum forge_api_share share)
{
	return shares[share].why;
}

double
forge_api_budget_factor(const struct forge_api_budget *budget, int64_t now_s)
{
	double half = (double)budget->limit / (double)shares[FORGE_SHARE_REGULAR].of / 2;
	double left = 2 * half - (double)budget->used;

	if (budget->limit == 0 || now_s >= budget->reset_s || left >= half)
		return 1;
	return left <= half / FACTOR_MAX ? FACTOR_MAX : half / left;
}
