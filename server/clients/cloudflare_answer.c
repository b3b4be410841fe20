/* cloudflare_answer.c - an answer counts only where it says all of it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/cloudflare_answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/json.h"
#include "lib/text.h"

#define BUSY_S	    300 /* a token over its limit is blocked for five minutes */
#define BUSY_MOST_S 3600
#define SAID_MAX    120

const char *
cloudflare_path(const char *zone, char out[CLOUDFLARE_PATH_MAX])
{
	(void)snprintf(out, CLOUDFLARE_PATH_MAX, "/zones/%s/settings/security_level", zone);
	return out;
}

const char *
cloudflare_body(const char *level, char out[CLOUDFLARE_BODY_MAX])
{
	(void)snprintf(out, CLOUDFLARE_BODY_MAX, "{\"value\":\"%s\"}", level);
	return out;
}

static struct cloudflare_answer
answer_in(enum cloudflare_verdict verdict, const char *detail, size_t size)
{
	struct cloudflare_answer answer = { .verdict = verdict };

	(void)clean_line(answer.detail, sizeof(answer.detail), detail, size);
	return answer;
}

static struct cloudflare_answer
answer_of(enum cloudflare_verdict verdict, const char *detail)
{
	return answer_in(verdict, detail, strlen(detail));
}

/* "HTTP 403: 10000 Authentication error": the first of its errors, or the status alone. */
static struct cloudflare_answer
refusal_of(enum cloudflare_verdict verdict, int status, const struct json *root)
{
	const struct json *error = json_at(json_get(root, "errors"), 0);
	const char *message = json_get_str(error, "message");
	char said[SAID_MAX], line[LIMIT_LINE];
	int64_t code = json_get_i64_or(error, "code", 0);

	if (message == NULL) {
		text_setf(line, "HTTP %d", status);
		return answer_of(verdict, line);
	}
	(void)clean_line(said, sizeof(said), message, strlen(message));
	text_setf(line, "HTTP %d: %" PRId64 " %s", status, code, said);
	return answer_of(verdict, line);
}

static int64_t
seconds_in(const char *retry_after)
{
	int64_t seconds;

	if (retry_after == NULL || !text_to_i64(retry_after, 1, INT64_MAX, &seconds, NULL))
		return BUSY_S;
	return seconds < BUSY_MOST_S ? seconds : BUSY_MOST_S;
}

/* Of a 200. */
static struct cloudflare_answer
read_level(int status, const struct json *root, const char *wanted)
{
	const struct json *result = json_get(root, "result");
	const char *value = json_text(result, "value");
	struct cloudflare_answer answer = { .verdict = CLOUDFLARE_DONE };

	if (!json_get_bool(root, "success", true))
		return refusal_of(CLOUDFLARE_REFUSED, status, root);
	if (!json_get_bool(root, "success", false) || !json_has(result, "id", "security_level") ||
	    cloudflare_level_text(value) == NULL)
		return answer_of(CLOUDFLARE_UNKNOWN, "HTTP 200 without a security level");
	if (wanted != NULL && strcmp(value, wanted) != 0)
		return answer_of(CLOUDFLARE_UNKNOWN, "it answers with another level");
	text_set(answer.value, value);
	return answer;
}

struct cloudflare_answer
cloudflare_judge(
    int status, const char *body, size_t size, const char *retry_after, const char *wanted)
{
	CLEANUP(json_freep) struct json *root = NULL;
	struct cloudflare_answer answer;

	if (status == 0)
		return answer_in(CLOUDFLARE_UNKNOWN, body, size);
	root = json_decode(body, size, NULL);
	if (status == 429) {
		answer = refusal_of(CLOUDFLARE_BUSY, status, root);
		answer.retry_after_s = seconds_in(retry_after);
		return answer;
	}
	if (status == 200)
		return read_level(status, root, wanted);
	if (status >= 400 && status < 500 && status != 408)
		return refusal_of(CLOUDFLARE_REFUSED, status, root);
	return refusal_of(CLOUDFLARE_UNKNOWN, status, root);
}
