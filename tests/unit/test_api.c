/* Goal: a request to /v1 is read as what it is, or refused with what is expected.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/api.h"

#include "lib/err.h"
#include "unit.h"

TEST(what_is_right_is_read)
{
	static const struct {
		enum api_operation operation;
		const char *path;
		const char *body;
		const char *target;
		const char *text;
		int64_t offset;
	} cases[] = {
		{ API_STATUS, "/v1/status", NULL, "", "", 0 },
		{ API_STATUS, "/v1/status/", NULL, "", "", 0 },
		{ API_QUEUE, "/v1/queue/shop/staging", NULL, "shop/staging", "", 0 },
		{ API_HOSTS, "/v1/hosts", NULL, "", "", 0 },
		{ API_HOSTS, "/v1/hosts/staging", NULL, "staging", "", 0 },
		{ API_HOSTS, "/v1/hosts/failed/old", NULL, "failed/old", "", 0 },
		{ API_HOSTS, "/v1/hosts/all/0/staging", NULL, "staging", "", 0 },
		{ API_HOSTS, "/v1/hosts/old/200/shop/staging", NULL, "shop/staging", "", 0 },
		{ API_HISTORY, "/v1/history/shop", NULL, "shop", "", 0 },
		{ API_WORK, "/v1/work/12", NULL, "work/12", "", 0 },
		{ API_LOG, "/v1/log/12/4096", NULL, "work/12", "", 4096 },
		{ API_RUN, "/v1/run/7/0", NULL, "work/7", "", 0 },
		{ API_NEWS, "/v1/news", NULL, "", "", 0 },
		{ API_NEWS, "/v1/news/0123456789abcdef0123456789abcdef/17", NULL, "", "", 17 },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31/200", NULL, "", "", 200 },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31/deploy_live/0", NULL, "", "", 0 },
		{ API_PENDING, "/v1/pending/shop", NULL, "shop", "", 0 },
		{ API_ANSWER, "/v1/answer/12", "{\"answer\": \"no\"}", "work/12", "", 0 },
		{ API_COMMAND, "/v1/command/queue", "{}", "", "/queue", 0 },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"staging\", \"v1.2\"]}", "",
		    "/deploy staging v1.2", 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct api_request read = { 0 };
		char value[LIMIT_REF];
		struct err err;

		if (!api_read(cases[i].operation, cases[i].path, cases[i].body,
			cases[i].body == NULL ? 0 : strlen(cases[i].body), &read, &err))
			fail_msg("%s: %s", cases[i].path, err.text);
		assert_string_equal(read.request.target, cases[i].target);
		assert_string_equal(read.from.text, cases[i].text);
		assert_int_equal(read.offset, cases[i].offset);
		assert_string_equal(request_get(&read.request, "answer", value),
		    cases[i].operation == API_ANSWER ? "no" : "");
	}
}

TEST(what_is_wrong_is_refused_with_what_is_expected)
{
	static const struct {
		enum api_operation operation;
		const char *path;
		const char *body;
	} cases[] = {
		{ API_STATUS, "/v1/status/Shop", NULL },
		{ API_STATUS, "/v1/status/a/b/c", NULL },
		{ API_WORK, "/v1/work", NULL },
		{ API_WORK, "/v1/work/0", NULL },
		{ API_WORK, "/v1/work/12x", NULL },
		{ API_WORK, "/v1/work/123456789012345678901234567890", NULL },
		{ API_LOG, "/v1/log/12", NULL },
		{ API_LOG, "/v1/log/12/-1", NULL },
		{ API_LOG, "/v1/log/x/1", NULL },
		{ API_HOSTS, "/v1/hosts/new/0/shop/staging", NULL },
		{ API_HOSTS, "/v1/hosts/old/-1/shop/staging", NULL },
		{ API_HOSTS, "/v1/hosts/old/0/", NULL },
		{ API_HOSTS, "/v1/hosts/old/0/a/b/c", NULL },
		{ API_NEWS, "/v1/news/17", NULL },
		{ API_NEWS, "/v1/news/0123456789abcdef0123456789abcdef", NULL },
		{ API_NEWS, "/v1/news/0123456789abcdef0123456789abcdeF/17", NULL },
		{ API_NEWS, "/v1/news/0123456789abcdef0123456789abcdef/-1", NULL },
		{ API_AUDIT, "/v1/audit", NULL },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31", NULL },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-32/0", NULL },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31/Live/0", NULL },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31/deploy_live/0/0", NULL },
		{ API_AUDIT, "/v1/audit/2026-07-01/2026-07-31/x", NULL },
		{ API_ANSWER, "/v1/answer/12", NULL },
		{ API_FIRST_ADMIN, "/v1/first-admin/11", NULL },
		{ API_FIRST_ADMIN_LINK, "/v1/first-admin-link", NULL },
		{ API_FIRST_ADMIN_LINK, "/v1/first-admin-link", "{\"person\": 11}" },
		{ API_ANSWER, "/v1/answer/12", "{}" },
		{ API_ANSWER, "/v1/answer/12", "{\"answer\": true}" },
		{ API_ANSWER, "/v1/answer/12", "{\"answer\": \"yes\", \"more\": 1}" },
		{ API_COMMAND, "/v1/command/", "{}" },
		{ API_COMMAND, "/v1/command/De", "{}" },
		{ API_COMMAND, "/v1/command/abcdefghijklmnopqrstuvwxyz", "{}" },
		{ API_COMMAND, "/v1/command/deploy", NULL },
		{ API_COMMAND, "/v1/command/deploy", "[]" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": \"a\"}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [1]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"\"]}" },
		/* Nothing that a chat would read as more than one word. */
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a b\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a\\n/cancel\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a\\tb\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [], \"more\": 1}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"reason\": 1}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"reason\": \"a\\nb\"}" },
		/* Its author can say it again: nothing is replaced. */
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a\\u0000\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a\\ud800\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"a\xff\"]}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"reason\": \"\xc0\xaf\"}" },
		{ API_COMMAND, "/v1/command/deploy", "{\"reason\": \"\xed\xa0\x80\"}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct api_request read = { 0 };
		struct err err = { 0 };

		if (api_read(cases[i].operation, cases[i].path, cases[i].body,
			cases[i].body == NULL ? 0 : strlen(cases[i].body), &read, &err))
			fail_msg("taken: %s %s", cases[i].path, cases[i].body);
		assert_non_null(strstr(err.text, "expected"));
	}
}

TEST(a_command_is_no_longer_than_a_message)
{
	static char body[LIMIT_TEXT_IN * 2];
	struct api_request read = { 0 };
	struct err err;
	size_t n = (size_t)snprintf(body, sizeof(body), "{\"arguments\": [\"");

	memset(body + n, 'a', LIMIT_TEXT_IN);
	memcpy(body + n + LIMIT_TEXT_IN, "\"]}", sizeof("\"]}"));
	assert_false(api_read(API_COMMAND, "/v1/command/deploy", body, strlen(body), &read, &err));
	assert_non_null(strstr(err.text, "longer than a message"));
}
