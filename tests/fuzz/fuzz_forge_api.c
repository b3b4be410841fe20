/* fuzz_forge_api.c - each answer of GitHub's is one verdict, and stays within its bounds.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/forge_api_answer.h"
#include "clients/github_need.h"
#include "lib/json.h"
#include "types/redelivery.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1795700000

/* Seven lines and the rest: the status (0: none came), ETag, Retry-After, the three headers of the
 * limit, a repository, and the body. */
enum { STATUS, LINK, RETRY_AFTER, LIMIT, REMAINING, RESET, REPOSITORY, LINES };

static int
status_of(const char *text)
{
	int status = 0;

	for (size_t i = 0; i < 3 && text[i] >= '0' && text[i] <= '9'; i++)
		status = status * 10 + (text[i] - '0');
	return status;
}

static const char *
header(const char *line)
{
	return line[0] != '\0' ? line : NULL;
}

/* All of it can be sent in a header. */
static bool
is_visible(const char *text)
{
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static void
check(const struct forge_api_reply *reply, const struct forge_api_answer *answer,
    const struct json *body)
{
	bool is_good = answer->verdict == FORGE_API_DONE;
	int status = reply->status;

	assert(fuzz_is_clean(answer->detail, false));
	assert(is_good == (answer->detail[0] == '\0') || reply->code != ERR_NONE);
	assert(body == NULL || answer->verdict == FORGE_API_DONE);
	assert(answer->verdict != FORGE_API_DONE || (status >= 200 && status < 300));
	assert(answer->verdict == FORGE_API_LIMITED ? answer->retry_after_s >= 1 &&
		    answer->retry_after_s <= 3600 && (status == 403 || status == 429) :
						      answer->retry_after_s == 0);
	assert((answer->limit > 0) == (answer->reset_s > 0));
	assert(is_visible(answer->next) && strpbrk(answer->next, "&#?/:<>") == NULL);
	assert(!answer->is_of_access);
}

static void
check_budget(const struct forge_api_answer *answer)
{
	struct forge_api_budget budget = { 0 };
	double factor;

	for (int i = 0; i < 3; i++) {
		budget.used++; /* as whoever sends counts */
		forge_api_budget_note(&budget, answer);
	}
	factor = forge_api_budget_factor(&budget, NOW);
	assert(factor >= 1 && factor <= 60 && budget.used <= 3);
	assert(forge_api_budget_wait_s(&budget, NOW, false) >= 0);
	assert(forge_api_budget_wait_s(&budget, NOW, false) <= 3600);
	assert(forge_api_budget_wait_s(&budget, NOW, false) == 0 || factor > 1);
}

static void
check_body(const struct json *body)
{
	char token[FORGE_API_TOKEN];
	struct redelivery one;

	assert(forge_api_installation(body) >= 0);
	assert(github_needs_granted(body) < 1u << GITHUB_NEEDS);
	for (size_t i = 0; i < json_count(body); i++)
		if (redelivery_read(json_at(body, i), &one) ||
		    redelivery_read_gitlab(json_at(body, i), &one))
			assert(one.id > 0 && one.at > 0 && one.guid[0] != '\0');
	if (forge_api_token(body, token))
		assert(token[0] != '\0' && is_visible(token));
}

static void
check_path(const char *repository)
{
	char path[FORGE_API_PATH];

	if (!forge_api_path(repository, "/hooks", path))
		return;
	assert(is_visible(path) && strstr(path, "/../") == NULL && strstr(path, "/./") == NULL);
	assert(strchr(path, '?') == NULL && strchr(path, '%') == NULL && strchr(path, '#') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line[LINES];
	struct forge_api_reply reply = { .now_s = NOW };
	struct forge_api_answer answer;
	struct json *body;
	size_t at = 0;

	for (size_t i = 0; i < LINES; i++) {
		const uint8_t *end = size == at ? NULL : memchr(data + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - (data + at));

		line[i] = fuzz_string(data + at, length);
		at += length + (end != NULL);
	}
	reply.status = status_of(line[STATUS]);
	reply.code = reply.status == 0 ? ERR_IO : ERR_NONE;
	reply.text = "why";
	reply.body = (const char *)data + at;
	reply.body_size = size - at;
	reply.link = header(line[LINK]);
	reply.retry_after = header(line[RETRY_AFTER]);
	reply.limit = header(line[LIMIT]);
	reply.remaining = header(line[REMAINING]);
	reply.reset = header(line[RESET]);
	answer = forge_api_judge(&reply, &body);
	check(&reply, &answer, body);
	check_budget(&answer);
	check_body(body);
	check_path(line[REPOSITORY]);
	json_free(body);
	for (size_t i = 0; i < LINES; i++)
		free(line[i]);
	return 0;
}
