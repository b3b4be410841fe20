/* Goal: what destinations answer is sent, later, not this one, or never again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/notify_answer.h"

#include "unit.h"

#define HOUR_MS NOTIFY_RETRY_MOST_MS

TEST(each_answer_means_one_thing)
{
	static const struct {
		enum notify_kind kind;
		int status;
		const char *body;
		int64_t retry_after_s;
		enum notify_verdict verdict;
		int64_t after_ms;
	} cases[] = {
		{ NOTIFY_TO_WEBHOOK, 200, "", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_WEBHOOK, 204, "", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_WEBHOOK, 301, "", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_WEBHOOK, 400, "", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_WEBHOOK, 404, "", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_WEBHOOK, 401, "", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_WEBHOOK, 403, "", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_WEBHOOK, 410, "", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_WEBHOOK, 413, "", 0, NOTIFY_NOT_IT, 0 },
		{ NOTIFY_TO_WEBHOOK, 429, "", 90, NOTIFY_LATER, 90000 },
		{ NOTIFY_TO_WEBHOOK, 503, "", 86400, NOTIFY_LATER, HOUR_MS },
		{ NOTIFY_TO_WEBHOOK, 0, "timed out", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_SLACK, 200, "ok", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_SLACK, 200, "<html>", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_SLACK, 400, "invalid_payload", 0, NOTIFY_NOT_IT, 0 },
		{ NOTIFY_TO_SLACK, 400, "no_service", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_SLACK, 404, "no_service", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_SLACK, 404, "no_team", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_SLACK, 404, "", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_SLACK, 500, "no_service", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_DISCORD, 204, "", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_DISCORD, 404, "{\"code\":10015}", 0, NOTIFY_OFF, 0 },
		{ NOTIFY_TO_DISCORD, 404, "{\"code\":10003}", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_DISCORD, 400, "{\"code\":50035}", 0, NOTIFY_NOT_IT, 0 },
		{ NOTIFY_TO_MATRIX, 200, "{\"event_id\":\"$1\"}", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_MATRIX, 200, "{\"error\":\"x\"}", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_MATRIX, 429, "{\"retry_after_ms\":1500}", 0, NOTIFY_LATER, 1500 },
		{ NOTIFY_TO_MATRIX, 429, "{\"retry_after_ms\":-5}", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_MATRIX, 429, "{\"retry_after_ms\":999999999}", 0, NOTIFY_LATER,
		    HOUR_MS },
		{ NOTIFY_TO_MAIL, 250, "", 0, NOTIFY_SENT, 0 },
		{ NOTIFY_TO_MAIL, 354, "", 0, NOTIFY_LATER, 0 },
		{ NOTIFY_TO_MAIL, 0, "no answer", 0, NOTIFY_LATER, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct notify_said said =
		    notify_judge(&(struct notify_reply){ cases[i].kind, cases[i].status,
			cases[i].body, strlen(cases[i].body), cases[i].retry_after_s });

		if (said.verdict != cases[i].verdict || said.after_ms != cases[i].after_ms)
			fail_msg("%zu: %d %lld", i, said.verdict, (long long)said.after_ms);
		assert_int_equal(said.why[0] == '\0', said.verdict == NOTIFY_SENT);
	}
}

TEST(what_it_says_is_shown_as_one_line_that_fits)
{
	char body[1000];
	struct notify_said said;

	memset(body, 'x', sizeof(body) - 1);
	body[3] = '\n';
	body[5] = '\x1b';
	body[sizeof(body) - 1] = '\0';
	said = notify_judge(
	    &(struct notify_reply){ NOTIFY_TO_WEBHOOK, 500, body, sizeof(body) - 1, 0 });
	assert_true(strlen(said.why) < 150);
	assert_null(strpbrk(said.why, "\n\x1b"));
}
