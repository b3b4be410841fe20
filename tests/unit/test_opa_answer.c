/* Goal: of what OPA may answer JSON true alone is yes, and what is none of its answers is no no.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa_answer.h"

#include "unit.h"

#define UNDEFINED "no decision at that path: check OPA_URL and the package"
#define FORBIDDEN "its policy does not allow it"
#define NO_JSON	  "its answer is no JSON of OPA's"

static const struct {
	int status;
	const char *body;
	enum opa_verdict verdict;
	const char *reason;
} cases[] = {
	{ 200, "{\"result\":true}", OPA_YES, "" },
	{ 200, "{\"result\":{\"allow\":true,\"reason\":\"fine\"}}", OPA_YES, "" },
	{ 200, "{\"result\":{\"allow\":true}}", OPA_YES, "" },
	{ 200, "{}", OPA_NO, UNDEFINED },
	{ 200, "{\"decision_id\":\"1\"}", OPA_NO, UNDEFINED },
	{ 200, "{\"allow\":true}", OPA_NO, UNDEFINED },
	{ 200, "{\"result\":false}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":\"true\"}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":1}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":null}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":{}}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":[true]}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":{\"allow\":\"true\"}}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":{\"allow\":1,\"reason\":\"\"}}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":{\"deny\":false}}", OPA_NO, FORBIDDEN },
	{ 200, "{\"result\":{\"allow\":false,\"reason\":\"not on Fridays\"}}", OPA_NO,
	    "not on Fridays" },
	{ 200, "{\"result\":{\"reason\":\"a\\u0007\\u202eb\\nc\"}}", OPA_NO, "ab c" },
	{ 200, "{\"result\":{\"reason\":[\"x\"]}}", OPA_NO, FORBIDDEN },
	{ 200, "true", OPA_SILENT, NO_JSON },
	{ 200, "[true]", OPA_SILENT, NO_JSON },
	{ 200, "", OPA_SILENT, NO_JSON },
	{ 200, "{\"result\":true", OPA_SILENT, NO_JSON },
	{ 200, "{\"result\":true}{}", OPA_SILENT, NO_JSON },
	{ 200, "{\"result\":false,\"result\":true}", OPA_SILENT, NO_JSON },
	{ 200, "<!DOCTYPE html><title>Sign in</title>", OPA_SILENT, NO_JSON },
	{ 500, "{\"code\":\"internal_error\",\"message\":\"oops\"}", OPA_SILENT, "HTTP 500" },
	{ 500, "{\"result\":true}", OPA_SILENT, "HTTP 500" },
	{ 201, "{\"result\":true}", OPA_SILENT, "HTTP 201" },
	{ 302, "{\"result\":true}", OPA_SILENT, "HTTP 302" },
	{ 401, "{\"code\":\"unauthorized\"}", OPA_SILENT, "HTTP 401" },
	{ 404, "", OPA_SILENT, "HTTP 404" },
	{ 0, "timed out", OPA_SILENT, "timed out" },
};

TEST(only_true_is_yes)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct opa_answer answer =
		    opa_judge(cases[i].status, cases[i].body, strlen(cases[i].body));

		if (answer.verdict != cases[i].verdict ||
		    strcmp(answer.reason, cases[i].reason) != 0)
			fail_msg(
			    "%s: %d \"%s\"", cases[i].body, (int)answer.verdict, answer.reason);
	}
}

static void
expect_decision(const char *body, const char *wanted)
{
	struct opa_answer answer = opa_judge(200, body, strlen(body));

	assert_string_equal(answer.decision, wanted);
}

TEST(a_decision_has_a_name_where_opa_logs_them)
{
	expect_decision(
	    "{\"result\":true,\"decision_id\":\"4ca636c1-55e4-417a-b1d8-4aceb67960d1\"}",
	    "4ca636c1-55e4-417a-b1d8-4aceb67960d1");
	expect_decision("{\"result\":true}", "none");
	expect_decision("{\"decision_id\":7}", "none");
	expect_decision("{\"decision_id\":\"a\\nb\"}", "a b");
	assert_string_equal(opa_judge(500, "", 0).decision, "none");
}

TEST(a_reason_has_two_hundred_characters)
{
	char body[1024] = "{\"result\":{\"reason\":\"";
	struct opa_answer answer;

	memset(body + strlen(body), 'x', 700);
	(void)snprintf(body + strlen(body), 8, "\"}}");
	answer = opa_judge(200, body, strlen(body));
	assert_int_equal(answer.verdict, OPA_NO);
	assert_int_equal(strlen(answer.reason), OPA_REASON);
}
