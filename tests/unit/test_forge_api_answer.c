/* Goal: each answer of GitHub's is told from the others, and what it costs is counted.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/forge_api_answer.h"

#include "clients/github_need.h"
#include "lib/json.h"
#include "unit.h"

#define NOW	      1795700000
#define MESSAGE(text) "{\"message\":\"" text "\",\"documentation_url\":\"https://docs.github.com\"}"

static const struct {
	const char *what;
	struct forge_api_reply reply;
	enum forge_api_verdict verdict;
	int64_t retry_after_s;
	const char *detail;
} cases[] = {
	{ "done", { .status = 200, .body = "{\"id\":1}" }, FORGE_API_DONE, 0, "" },
	{ "made", { .status = 201, .body = "[]" }, FORGE_API_DONE, 0, "" },
	{ "without a body", { .status = 204, .body = "" }, FORGE_API_DONE, 0, "" },
	{ "401", { .status = 401, .body = MESSAGE("Bad credentials") }, FORGE_API_UNAUTHORIZED, 0,
	    "HTTP 401: Bad credentials" },
	{ "403 for a permission",
	    { .status = 403,
		.body = MESSAGE("Resource not accessible by integration"),
		.remaining = "4999" },
	    FORGE_API_FORBIDDEN, 0, "HTTP 403: Resource not accessible by integration" },
	{ "403 for the hour's limit",
	    { .status = 403, .body = MESSAGE("Over"), .remaining = "0", .reset = "1795700900" },
	    FORGE_API_LIMITED, 900, "HTTP 403: Over" },
	{ "403 for a secondary limit",
	    { .status = 403, .body = MESSAGE("Wait"), .remaining = "7", .retry_after = "45" },
	    FORGE_API_LIMITED, 45, "HTTP 403: Wait" },
	{ "403 for a limit that only its message names",
	    { .status = 403, .body = MESSAGE("You have exceeded a secondary Rate Limit") },
	    FORGE_API_LIMITED, 60, "HTTP 403: You have exceeded a secondary Rate Limit" },
	{ "404", { .status = 404, .body = MESSAGE("Not Found") }, FORGE_API_NOT_FOUND, 0,
	    "HTTP 404: Not Found" },
	{ "409", { .status = 409, .body = MESSAGE("Cannot cancel") }, FORGE_API_CONFLICT, 0,
	    "HTTP 409: Cannot cancel" },
	{ "422", { .status = 422, .body = MESSAGE("x is not a permitted key") }, FORGE_API_UNFIT, 0,
	    "HTTP 422: x is not a permitted key" },
	{ "429", { .status = 429, .body = MESSAGE("Slow"), .retry_after = "30" }, FORGE_API_LIMITED,
	    30, "HTTP 429: Slow" },
	{ "429 without a word", { .status = 429, .body = "" }, FORGE_API_LIMITED, 60, "HTTP 429" },
	{ "301", { .status = 301, .body = MESSAGE("Moved Permanently") }, FORGE_API_MOVED, 0,
	    "HTTP 301: Moved Permanently" },
	{ "410", { .status = 410, .body = "" }, FORGE_API_REFUSED, 0, "HTTP 410" },
	{ "502", { .status = 502, .body = "<html>Bad gateway</html>" }, FORGE_API_FAILED, 0,
	    "HTTP 502" },
	{ "half a body", { .status = 200, .body = "{\"id\":1,\"na" }, FORGE_API_TORN, 0,
	    "HTTP 200 with half a body: it is no JSON" },
	{ "a page", { .status = 200, .body = "<html>" }, FORGE_API_TORN, 0,
	    "HTTP 200 with half a body: it is no JSON" },
	{ "half of what was said to come",
	    { .code = ERR_IO, .text = "Transferred a partial file", .was_sent = true },
	    FORGE_API_TORN, 0, "Transferred a partial file" },
	{ "10 MB", { .code = ERR_LIMIT, .text = "the answer is larger", .was_sent = true },
	    FORGE_API_TOO_LARGE, 0, "the answer is larger" },
	{ "too late", { .code = ERR_TIMEOUT, .text = "no answer", .was_sent = true },
	    FORGE_API_AWAY, 0, "no answer" },
	{ "nobody there", { .code = ERR_IO, .text = "cannot connect" }, FORGE_API_AWAY, 0,
	    "cannot connect" },
	{ "odd letters", { .status = 403, .body = MESSAGE("a\\u0007\\u202eb\\nc") },
	    FORGE_API_FORBIDDEN, 0, "HTTP 403: ab c" },
};

static struct forge_api_answer
judge(struct forge_api_reply reply, bool *ret_has_body)
{
	struct forge_api_answer answer;
	struct json *body;

	reply.body = reply.body == NULL ? "" : reply.body;
	reply.body_size = strlen(reply.body);
	reply.now_s = NOW;
	answer = forge_api_judge(&reply, &body);
	if (ret_has_body != NULL)
		*ret_has_body = body != NULL;
	json_free(body);
	return answer;
}

TEST(each_answer_is_told_from_the_others)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool has_body;
		struct forge_api_answer answer = judge(cases[i].reply, &has_body);

		if (answer.verdict != cases[i].verdict)
			fail_msg("%s: %d", cases[i].what, answer.verdict);
		assert_string_equal(answer.detail, cases[i].detail);
		assert_int_equal(answer.retry_after_s, cases[i].retry_after_s);
		assert_int_equal(answer.status, cases[i].reply.status);
		assert_int_equal(
		    has_body, answer.verdict == FORGE_API_DONE && cases[i].reply.body[0] != '\0');
		assert_false(answer.is_of_access);
	}
}

TEST(a_key_that_is_not_known_is_told_from_what_is_wrong_with_it)
{
	static const struct {
		int status;
		const char *body;
		bool is_of_key;
	} rows[] = {
		{ 422, "{\"message\":\"\\\"return_run_details\\\" is not a permitted key.\"}",
		    true },
		{ 422, "{\"message\":\"Unexpected inputs provided: [\\\"a\\\"]\"}", false },
		{ 422, "{}", false },
		{ 400, "{\"message\":\"a is not a permitted key\"}", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(judge((struct forge_api_reply){ .status = rows[i].status,
					   .body = rows[i].body,
					   .body_size = strlen(rows[i].body) },
				     NULL)
				     .is_of_key,
		    rows[i].is_of_key);
}

TEST(a_pause_that_is_asked_for_has_bounds)
{
	static const struct {
		const char *retry_after, *remaining, *reset;
		int64_t seconds;
	} pauses[] = { { "7", NULL, NULL, 7 }, { "0", NULL, NULL, 1 }, { "-1", NULL, NULL, 60 },
		{ "999999", NULL, NULL, 3600 }, { "Wed, 21 Oct 2026 07:28:00 GMT", NULL, NULL, 60 },
		{ "", "0", "1795700011", 11 }, { NULL, "0", "1795600000", 60 },
		{ NULL, "0", "1895700000", 3600 }, { NULL, "3", "1795700011", 60 },
		{ NULL, "0", "soon", 60 } };

	for (size_t i = 0; i < COUNT(pauses); i++)
		assert_int_equal(judge((struct forge_api_reply){ .status = 429,
					   .retry_after = pauses[i].retry_after,
					   .remaining = pauses[i].remaining,
					   .reset = pauses[i].reset },
				     NULL)
				     .retry_after_s,
		    pauses[i].seconds);
}

/* What stands there leads nowhere: of it a word is taken, for the next request. */
TEST(the_next_page_is_a_cursor_and_no_address)
{
#define HEX		  "0123456789abcdef"
#define PAGE(cursor, rel) "<https://api.github.com/x?per_page=100" cursor ">; rel=\"" rel "\""
	static const char longest[] = HEX HEX HEX "0123456789abcde";
	static const struct {
		const char *link, *next;
	} rows[] = { { PAGE("&cursor=v1_12077215967", "next"), "v1_12077215967" },
		{ PAGE("&cursor=a%3D%3D&x=1", "next"), "a%3D%3D" },
		{ PAGE("&cursor=v1_1", "prev") ", " PAGE("&cursor=v1_2", "next"), "v1_2" },
		{ PAGE("&cursor=v1_2", "next") ", " PAGE("&cursor=v1_1", "first"), "v1_2" },
		{ PAGE("&cursor=v1_1", "prev"), "" }, { PAGE("", "next"), "" },
		{ PAGE("&cursor=", "next"), "" }, { "next", "" }, { "", "" }, { NULL, "" },
		{ PAGE("&cursor=a/../b", "next"), "a" },
		{ PAGE("&cursor=" HEX HEX HEX "0123456789abcde", "next"), longest },
		{ PAGE("&cursor=" HEX HEX HEX HEX, "next"), "" } };
#undef PAGE
#undef HEX

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(judge(
					(struct forge_api_reply){
					    .status = 200, .body = "[]", .link = rows[i].link },
					NULL)
					.next,
		    rows[i].next);
}

TEST(a_repository_is_two_names_and_leads_nowhere_else)
{
	static const char *const bad[] = { "", "shop", "octo/", "/shop", "octo/shop/x", "../shop",
		"octo/..", "octo/.", "octo/sh op", "octo/shop?x", "octo/sh%2fop", "octo/\xc3\xa4" };
	char path[FORGE_API_PATH], longest[FORGE_API_PATH + 8];

	assert_true(forge_api_path("octo/shop", "", path));
	assert_string_equal(path, "/repos/octo/shop");
	assert_true(forge_api_path("Octo-1/.git_hub.io", "/hooks?per_page=100", path));
	assert_string_equal(path, "/repos/Octo-1/.git_hub.io/hooks?per_page=100");
	assert_true(forge_api_path("octo/...", "", path));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (forge_api_path(bad[i], "", path))
			fail_msg("%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[4] = '/';
	longest[FORGE_API_PATH - strlen("/repos/")] = '\0';
	assert_false(forge_api_path(longest, "", path));
	longest[FORGE_API_PATH - strlen("/repos/") - 1] = '\0';
	assert_true(forge_api_path(longest, "", path));
}

TEST(a_project_is_names_in_groups_and_leads_nowhere_else)
{
	static const char *const bad[] = { "", "shop", "group/", "/shop", "group//shop",
		"group/../shop", "group/./shop", "group/sh op", "group/shop?x", "group%2fshop/x",
		"group/sub/" };
	char path[FORGE_API_PATH], longest[FORGE_API_PATH + 8];

	assert_true(forge_api_project_path("group/shop", "", path));
	assert_string_equal(path, "/projects/group%2Fshop");
	assert_true(forge_api_project_path("Group/sub/.shop_1", "/pipelines?per_page=1", path));
	assert_string_equal(path, "/projects/Group%2Fsub%2F.shop_1/pipelines?per_page=1");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (forge_api_project_path(bad[i], "", path))
			fail_msg("%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[4] = '/';
	for (size_t size = FORGE_API_PATH - 32; size < sizeof(longest); size++) {
		longest[size] = '\0';
		assert_int_equal(forge_api_project_path(longest, "/jobs", path),
		    strlen("/projects/%2F/jobs") + size - 1 < FORGE_API_PATH);
		longest[size] = 'x';
	}
}

static int64_t
installation(const char *text)
{
	struct json *body = json_decode(text, strlen(text), NULL);
	int64_t id = forge_api_installation(body);

	json_free(body);
	return id;
}

TEST(an_installation_counts_while_it_is_not_suspended)
{
	assert_int_equal(installation("{\"id\":7,\"suspended_at\":null}"), 7);
	assert_int_equal(installation("{\"id\":7}"), 7);
	assert_int_equal(installation("{\"id\":7,\"suspended_at\":\"2026-11-20T07:10:48Z\"}"), 0);
	assert_int_equal(installation("{\"id\":\"7\"}"), 0);
	assert_int_equal(installation("{\"id\":-7}"), 0);
	assert_int_equal(installation("[]"), 0);
	assert_int_equal(forge_api_installation(NULL), 0);
}

static bool
has_token(const char *value, char out[FORGE_API_TOKEN])
{
	char text[2 * FORGE_API_TOKEN];
	struct json *body;
	bool ok;

	(void)snprintf(text, sizeof(text), "{\"token\":%s}", value);
	body = json_decode(text, strlen(text), NULL);
	ok = forge_api_token(body, out);
	json_free(body);
	return ok;
}

TEST(a_token_is_whatever_a_header_can_have)
{
	char token[FORGE_API_TOKEN] = "", longest[FORGE_API_TOKEN + 3] = "\"";

	assert_true(has_token("\"ghs_12345_eyJ.e30.c2ln\"", token));
	assert_string_equal(token, "ghs_12345_eyJ.e30.c2ln");
	assert_true(has_token("\"!~\"", token));
	assert_false(has_token("\"\"", token));
	assert_false(has_token("7", token));
	assert_false(has_token("\"a b\"", token));
	assert_false(has_token("\"a\\r\\nX: y\"", token));
	assert_false(has_token("\"\\u00e4\"", token));
	assert_string_equal(token, "!~");
	memset(longest + 1, 'x', FORGE_API_TOKEN);
	longest[FORGE_API_TOKEN + 1] = '"';
	assert_false(has_token(longest, token));
	longest[FORGE_API_TOKEN] = '"';
	longest[FORGE_API_TOKEN + 1] = '\0';
	assert_true(has_token(longest, token));
	assert_int_equal(strlen(token), 1023);
	assert_false(forge_api_token(NULL, token));
}

/* --- the hour --- */

static void
note(
    struct forge_api_budget *budget, enum forge_api_verdict verdict, int64_t limit, int64_t reset_s)
{
	const struct forge_api_answer answer = {
		.verdict = verdict, .limit = limit, .reset_s = reset_s
	};

	budget->used++;
	forge_api_budget_note(budget, &answer);
}

TEST(a_fifth_of_the_limit_is_used_and_no_more)
{
	struct forge_api_budget budget = { 0 };

	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 0);
	for (int i = 0; i < 9; i++)
		note(&budget, FORGE_API_DONE, 50, NOW + 600);
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 0);
	note(&budget, FORGE_API_FORBIDDEN, 50, NOW + 600);
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 600);
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW + 599, FORGE_SHARE_REGULAR), 1);
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW + 600, FORGE_SHARE_REGULAR), 0);
	note(&budget, FORGE_API_AWAY, 0, 0); /* nothing was said of a limit */
	assert_int_equal(budget.used, 11);
	/* Its servers name the end of one hour a little differently. */
	note(&budget, FORGE_API_DONE, 50, NOW + 630);
	note(&budget, FORGE_API_DONE, 50, NOW + 590);
	assert_int_equal(budget.used, 13);
	note(&budget, FORGE_API_DONE, 50, NOW + 4200);
	assert_int_equal(budget.used, 1);
	note(&budget, FORGE_API_DONE, 50, NOW + INT64_C(100000));
	budget.used = 10;
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 3600);
}

TEST(what_nobody_waits_for_leaves_half_of_that_to_all_else)
{
	struct forge_api_budget budget = { .limit = 50, .reset_s = NOW + 600, .used = 4 };

	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_MINOR), 0);
	budget.used = 5;
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_MINOR), 600);
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 0);
}

/* Together they use half of it. */
TEST(what_a_person_pressed_has_three_tenths_of_its_own)
{
	struct forge_api_budget budget = { .limit = 50, .reset_s = NOW + 600, .used = 10 };

	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 600);
	budget.pressed = 14;
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_PRESSED), 0);
	budget.pressed = 15;
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_PRESSED), 600);
	note(&budget, FORGE_API_DONE, 50, NOW + 4200);
	assert_int_equal(budget.pressed, 0);
	budget.used = 9; /* nobody who presses takes what is watched by */
	budget.pressed = 15;
	assert_int_equal(forge_api_budget_wait_s(&budget, NOW, FORGE_SHARE_REGULAR), 0);
}

TEST(intervals_grow_when_half_of_it_is_used)
{
	static const struct {
		int64_t used;
		double factor;
	} rows[] = { { 0, 1 }, { 500, 1 }, { 750, 2 }, { 900, 5 }, { 991, 500.0 / 9 }, { 992, 60 },
		{ 1000, 60 }, { 5000, 60 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct forge_api_budget budget = { 5000, NOW + 60, rows[i].used, 1500 };
		double factor = forge_api_budget_factor(&budget, NOW);

		if (factor < rows[i].factor - 0.01 || factor > rows[i].factor + 0.01)
			fail_msg("%d: %f", (int)rows[i].used, factor);
		assert_true(forge_api_budget_factor(&budget, NOW + 60) == 1);
	}
	assert_true(forge_api_budget_factor(&(struct forge_api_budget){ 0 }, NOW) == 1);
}

/* --- permissions --- */

TEST(what_may_be_written_may_be_read_and_nothing_else_is_granted)
{
	static const struct {
		const char *permissions;
		uint32_t granted;
	} rows[] = { { "{\"metadata\":\"read\"}", 1 }, { "{\"metadata\":\"write\"}", 1 },
		{ "{\"metadata\":\"admin\"}", 0 }, { "{\"metadata\":\"none\"}", 0 },
		{ "{\"metadata\":1}", 0 }, { "{\"actions\":\"write\"}", 256 + 128 + 32 + 6 },
		{ "{\"checks\":\"write\"}", 8 }, { "{\"deployments\":\"read\"}", 0 },
		{ "{\"deployments\":\"write\"}", 64 + 512 },
		{ "{\"repository_hooks\":\"write\"}", 16 },
		{ "{\"repository_hooks\":\"read\"}", 0 },
		{ "{\"metadata\":\"read\",\"actions\":\"read\"}", 32 + 7 }, { "[]", 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *body =
		    json_decode(rows[i].permissions, strlen(rows[i].permissions), NULL);

		if (github_needs_granted(body) != rows[i].granted)
			fail_msg("%s", rows[i].permissions);
		json_free(body);
	}
	assert_int_equal(github_needs_granted(NULL), 0);
}

/* A permission stands once in what is asked for. */
TEST(of_two_rows_of_a_permission_the_last_says_its_level)
{
	assert_string_equal(github_needs_level(1, 0), "read");
	assert_null(github_needs_level(1, 1));
	assert_string_equal(github_needs_level(2, 1), "read");
	assert_null(github_needs_level(6, 1));
	assert_string_equal(github_needs_level(6, 2), "read");
}
