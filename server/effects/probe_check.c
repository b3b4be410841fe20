/* probe_check.c - one look at a health URL, and what it says.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/probe_check.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/json.h"
#include "lib/text.h"

#define SHOWN_DIGITS 7

struct http_client_call *
probe_check_start(struct http_client *client, const char *url, int timeout_s,
    void (*on_done)(void *ctx, const struct http_client_result *result), void *ctx, struct err *err)
{
	static const char *const headers[] = { "Accept: application/json, */*;q=0.1",
		"Cache-Control: no-cache", NULL };
	const struct http_client_request request = {
		.label = "probe",
		.url = url,
		.headers = headers,
		.timeout_ms = (int64_t)timeout_s * 1000,
		.connect_timeout_ms = (int64_t)timeout_s * 1000,
		.answer_max = PROBE_CHECK_BODY_MAX,
		.on_done = on_done,
		.ctx = ctx,
	};

	return http_client_start(client, &request, err);
}

/* --- which commit answers ----------------------------------------------------------------- */

static bool
take_commit(char commit[LIMIT_COMMIT], const char *text)
{
	if (text == NULL || !text_is_hex(text, 7, LIMIT_COMMIT - 1))
		return false;
	for (size_t i = 0; i <= strlen(text); i++)
		commit[i] =
		    (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 'a' - 'A' : text[i]);
	return true;
}

/*
 * JSON on the loop, against the rule: at most 64 KB of it, once in HEALTH_CHECK_INTERVAL for each
 * URL, is below a millisecond, and a second reader of JSON would be one more thing to get wrong.
 */
static bool
commit_of_body(char commit[LIMIT_COMMIT], const char *body, size_t size)
{
	CLEANUP(json_freep) struct json *json = NULL;

	if (memchr(body, '{', size) == NULL)
		return false;
	json = json_decode(body, size, NULL);
	return take_commit(commit, json_get_str(json, "commit"));
}

/* --- what people are told ----------------------------------------------------------------- */

static void
say_no_answer(const struct http_client_result *result, int timeout_s, char detail[LIMIT_LINE])
{
	if (result->code == ERR_TIMEOUT)
		(void)snprintf(detail, LIMIT_LINE, "timed out after %d s", timeout_s);
	else if (result->is_refused)
		(void)snprintf(detail, LIMIT_LINE, "connection refused");
	else
		(void)clean_line(detail, LIMIT_LINE, result->why, strlen(result->why));
}

static void
say_status(int status, char detail[LIMIT_LINE])
{
	(void)snprintf(detail, LIMIT_LINE, "HTTP %d%s", status,
	    status >= 300 && status < 400 ? " (redirects are not followed)" : "");
}

/* Of an answer that is no pass. */
static void
take_first_line(const struct http_client_result *result, char answer[LIMIT_LINE])
{
	const char *body = result->body, *end = body + result->body_size;

	while (body < end && answer[0] == '\0') {
		const char *newline = memchr(body, '\n', (size_t)(end - body));
		const char *stop = newline == NULL ? end : newline;

		(void)clean_line(answer, LIMIT_LINE, body, (size_t)(stop - body));
		body = newline == NULL ? end : newline + 1;
	}
}

bool
probe_check_judge(const struct http_client_result *result, const char *expected, int timeout_s,
    struct probe_finding *finding)
{
	finding->http_status = result->status;
	finding->latency_ms = (int)(result->total_ms < INT32_MAX ? result->total_ms : INT32_MAX);
	finding->commit[0] = '\0';
	finding->detail[0] = '\0';
	finding->answer[0] = '\0';
	if (result->code != ERR_NONE) {
		say_no_answer(result, timeout_s, finding->detail);
		return false;
	}
	if (!commit_of_body(finding->commit, result->body, result->body_size))
		(void)take_commit(finding->commit, http_client_header(result, "X-Commit"));
	if (result->status < 200 || result->status > 299) {
		say_status(result->status, finding->detail);
		take_first_line(result, finding->answer);
		return false;
	}
	if (!probe_is_other_commit(finding->commit, expected))
		return true;
	text_setf(finding->detail, "answers commit %.*s, expected %.*s", SHOWN_DIGITS,
	    finding->commit, SHOWN_DIGITS, expected);
	take_first_line(result, finding->answer);
	return false;
}
