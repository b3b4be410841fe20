/* Goal: a hook's line stands for one request, whose one word is a string of the body or its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/hook.h"

#include "lib/err.h"
#include "unit.h"

TEST(a_line_is_a_grant_and_a_word)
{
	static const struct {
		const char *text, *application, *grant, *target, *action, *key, *value;
	} rows[] = {
		{ "deploy:shop/staging ref=$.ref", "", "deploy:shop/staging", "shop/staging", "",
		    "ref", "$.ref" },
		{ "deploy:staging", "", "deploy:staging", "staging", "", "", "" },
		{ "deploy:staging   ref=main", "shop", "deploy:staging", "shop/staging", "", "ref",
		    "main" },
		{ "do.run-job:shop/staging argument=$.a.b-c", "", "do.run-job:shop/staging",
		    "shop/staging", "run-job", "argument", "$.a.b-c" },
		{ "do.restart-web:client/acme", "", "do.restart-web:client/acme", "client/acme",
		    "restart-web", "", "" },
	};
	struct hook_line line;

	for (size_t i = 0; i < COUNT(rows); i++) {
		hook_line_read(rows[i].text, rows[i].application, &line);
		assert_string_equal(line.grant, rows[i].grant);
		assert_string_equal(line.target, rows[i].target);
		assert_string_equal(line.action, rows[i].action);
		assert_string_equal(line.key, rows[i].key);
		assert_string_equal(line.value, rows[i].value);
	}
}

static bool
request_of_line(const char *text, const char *body, struct request *ret, struct err *err)
{
	struct hook_line line;

	hook_line_read(text, "", &line);
	return hook_line_request(&line, body, body == NULL ? 0 : strlen(body), ret, err);
}

TEST(a_request_is_what_the_line_and_the_body_say)
{
	char value[LIMIT_REF];
	struct request request;
	struct err err;

	assert_true(request_of_line("deploy:shop/staging ref=$.a.b",
	    "{\"a\":{\"b\":\"v1.2\"},\"b\":\"x\"}", &request, &err));
	assert_string_equal(request.action, "deploy");
	assert_string_equal(request.target, "shop/staging");
	assert_string_equal(request_get(&request, "ref", value), "v1.2");
	assert_true(request_of_line("deploy:staging", NULL, &request, &err));
	assert_string_equal(request_get(&request, "ref", value), "");
	assert_true(request_of_line("deploy:staging ref=main", "no JSON", &request, &err));
	assert_string_equal(request_get(&request, "ref", value), "main");
	assert_true(request_of_line(
	    "do.run-job:shop/staging argument=$.j", "{\"j\":\"migrate\"}", &request, &err));
	assert_string_equal(request.action, "do");
	assert_string_equal(
	    request_get(&request, REQUEST_TEXT, value), "run-job shop/staging migrate");
	assert_true(request_of_line("do.run-pipeline:shop/staging argument=release,$.v,x",
	    "{\"v\":\"1.4.2\"}", &request, &err));
	assert_string_equal(request_get(&request, REQUEST_TEXT, value),
	    "run-pipeline shop/staging release 1.4.2 x");
	assert_true(request_of_line("do.restart-web:client/acme", NULL, &request, &err));
	assert_string_equal(request_get(&request, REQUEST_TEXT, value), "restart-web client/acme");
}

TEST(a_word_that_is_none_is_refused_with_its_path)
{
	static const char *const bodies[] = { NULL, "", "[]", "\"x\"", "{}", "{\"a\":\"x\"}",
		"{\"a\":{\"b\":7}}", "{\"a\":{\"b\":true}}", "{\"a\":{\"b\":null}}",
		"{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":[\"x\"]}}", "{\"a\":[\"b\"]}",
		"{\"a\":{\"b\":\"\"}}", "{\"a\":{\"b\":\"x y\"}}", "{\"a\":{\"b\":\"x\\ny=z\"}}",
		"{\"a\":{\"b\":\"\\u202ex\"}}", "{\"a\":{\"b\":\"\\u200bx\"}}", "{\"a.b\":\"x\"}",
		"{\"A\":{\"B\":\"x\"}}", "{\"a\":{\"b\":\"x\"},\"a\":{\"b\":\"y\"}}",
		"{\"a\":{\"b\":\"x\\u0000\"}}", "{\"a\":{\"b\":\"x\\ud800\"}}",
		"{\"a\":{\"b\":\"x\xff\"}}", "{\"a\":{\"b\":\"x\xc0\xaf\"}}",
		"{\"a\":{\"b\":\"x\xed\xa0\x80\"}}" };
	struct request request;
	struct err err;

	for (size_t i = 0; i < COUNT(bodies); i++) {
		if (request_of_line("deploy:staging ref=$.a.b", bodies[i], &request, &err))
			fail_msg("%s has a word", bodies[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
	assert_non_null(strstr(err.text, "JSON"));
	assert_false(request_of_line("deploy:staging ref=$.a.b", "{}", &request, &err));
	assert_non_null(strstr(err.text, "$.a.b"));
}

TEST(a_word_has_200_bytes_at_most)
{
	char word[HOOK_VALUE_MAX + 2], body[HOOK_VALUE_MAX + 32], value[LIMIT_REF];
	struct request request;
	struct err err;

	for (size_t n = HOOK_VALUE_MAX; n <= HOOK_VALUE_MAX + 1; n++) {
		memset(word, 'x', n);
		word[n] = '\0';
		(void)snprintf(body, sizeof(body), "{\"r\":\"%s\"}", word);
		assert_int_equal(request_of_line("deploy:staging ref=$.r", body, &request, &err),
		    n == HOOK_VALUE_MAX);
	}
	word[HOOK_VALUE_MAX] = '\0';
	assert_string_equal(request_get(&request, "ref", value), word);
	/* An action's words have less room: refused, not cut. */
	(void)snprintf(body, sizeof(body), "{\"r\":\"%s\"}", word);
	assert_true(request_of_line("do.run-job:shop/staging argument=$.r", body, &request, &err));
	assert_int_equal(strlen(request_get(&request, REQUEST_TEXT, value)), 21 + HOOK_VALUE_MAX);
	assert_false(request_of_line(
	    "do.application-long-name:applicationapplicat/environmentenvironme argument=$.r", body,
	    &request, &err));
}
