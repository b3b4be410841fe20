/* Goal: of Cloudflare's answers only those that say it in full are believed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/cloudflare_answer.h"

#include "unit.h"

#define LEVEL(value) \
	"{\"success\":true,\"errors\":[],\"messages\":[],\"result\":{\"id\":\"security_level\"," \
	"\"value\":\"" value "\",\"editable\":true,\"modified_on\":\"2026-11-20T07:10:48Z\"}}"
#define ERROR(code, message) \
	"{\"success\":false,\"errors\":[{\"code\":" code ",\"message\":\"" message \
	"\"}],\"messages\":[],\"result\":null}"

static const struct {
	int status;
	const char *body;
	const char *wanted;
	enum cloudflare_verdict verdict;
	const char *value; /* or the detail */
} cases[] = {
	{ 200, LEVEL("medium"), NULL, CLOUDFLARE_DONE, "medium" },
	{ 200, LEVEL("under_attack"), "under_attack", CLOUDFLARE_DONE, "under_attack" },
	{ 200, LEVEL("medium"), "under_attack", CLOUDFLARE_UNKNOWN,
	    "it answers with another level" },
	{ 200, LEVEL("extreme"), NULL, CLOUDFLARE_UNKNOWN, "HTTP 200 without a security level" },
	{ 200, "{\"success\":true}", NULL, CLOUDFLARE_UNKNOWN,
	    "HTTP 200 without a security level" },
	{ 200, "{\"result\":{\"id\":\"security_level\",\"value\":\"low\"}}", NULL,
	    CLOUDFLARE_UNKNOWN, "HTTP 200 without a security level" },
	{ 200, "{\"success\":true,\"result\":{\"id\":\"ssl\",\"value\":\"low\"}}", NULL,
	    CLOUDFLARE_UNKNOWN, "HTTP 200 without a security level" },
	{ 200, "<html>Just a moment...</html>", "low", CLOUDFLARE_UNKNOWN,
	    "HTTP 200 without a security level" },
	{ 200, "", "low", CLOUDFLARE_UNKNOWN, "HTTP 200 without a security level" },
	{ 200, ERROR("1006", "not allowed"), "low", CLOUDFLARE_REFUSED,
	    "HTTP 200: 1006 not allowed" },
	{ 400, ERROR("1007", "Invalid value"), "low", CLOUDFLARE_REFUSED,
	    "HTTP 400: 1007 Invalid value" },
	{ 403, ERROR("10000", "Authentication error"), NULL, CLOUDFLARE_REFUSED,
	    "HTTP 403: 10000 Authentication error" },
	{ 404, "<html>", NULL, CLOUDFLARE_REFUSED, "HTTP 404" },
	{ 403, ERROR("1", "a\\u0007\\u202eb\\nc"), NULL, CLOUDFLARE_REFUSED, "HTTP 403: 1 ab c" },
	{ 408, "", "low", CLOUDFLARE_UNKNOWN, "HTTP 408" },
	{ 429, ERROR("971", "Please wait"), "low", CLOUDFLARE_BUSY, "HTTP 429: 971 Please wait" },
	{ 429, "<html>", "low", CLOUDFLARE_BUSY, "HTTP 429" },
	{ 500, ERROR("1", "oops"), "low", CLOUDFLARE_UNKNOWN, "HTTP 500: 1 oops" },
	{ 502, "<html>bad gateway</html>", NULL, CLOUDFLARE_UNKNOWN, "HTTP 502" },
	{ 302, "", NULL, CLOUDFLARE_UNKNOWN, "HTTP 302" },
	{ 0, "Cloudflare: timed out", "low", CLOUDFLARE_UNKNOWN, "Cloudflare: timed out" },
	{ 204, "", "low", CLOUDFLARE_UNKNOWN, "HTTP 204" },
};

TEST(an_answer_means_what_it_says)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cloudflare_answer answer = cloudflare_judge(
		    cases[i].status, cases[i].body, strlen(cases[i].body), NULL, cases[i].wanted);
		bool is_done = answer.verdict == CLOUDFLARE_DONE;

		if (answer.verdict != cases[i].verdict)
			fail_msg("%d %s: %d", cases[i].status, cases[i].body, answer.verdict);
		assert_string_equal(is_done ? answer.value : answer.detail, cases[i].value);
		assert_string_equal(is_done ? answer.detail : answer.value, "");
		assert_int_equal(answer.retry_after_s, answer.verdict == CLOUDFLARE_BUSY ? 300 : 0);
	}
}

TEST(a_pause_that_is_asked_for_has_bounds)
{
	static const struct {
		const char *header;
		int64_t seconds;
	} pauses[] = { { "7", 7 }, { "0", 300 }, { "-1", 300 }, { "999999", 3600 },
		{ "Wed, 21 Oct 2026 07:28:00 GMT", 300 }, { "", 300 } };

	for (size_t i = 0; i < COUNT(pauses); i++)
		assert_int_equal(cloudflare_judge(429, "", 0, pauses[i].header, NULL).retry_after_s,
		    pauses[i].seconds);
}

TEST(a_request_is_as_the_api_has_it)
{
	char path[CLOUDFLARE_PATH_MAX], body[CLOUDFLARE_BODY_MAX];

	assert_string_equal(cloudflare_path("0123456789abcdef0123456789abcdef", path),
	    "/zones/0123456789abcdef0123456789abcdef/settings/security_level");
	assert_string_equal(cloudflare_body("under_attack", body), "{\"value\":\"under_attack\"}");
}

TEST(a_zone_is_32_hex_digits)
{
	assert_true(cloudflare_is_zone("0123456789abcdef0123456789abcdef"));
	assert_false(cloudflare_is_zone("0123456789ABCDEF0123456789abcdef"));
	assert_false(cloudflare_is_zone("0123456789abcdef0123456789abcde"));
	assert_false(cloudflare_is_zone("0123456789abcdef0123456789abcdef0"));
	assert_false(cloudflare_is_zone("example.org"));
	assert_null(cloudflare_level_text("extreme"));
	assert_string_equal(cloudflare_level_text("essentially_off"), "essentially off");
}
