/* Goal: only values of this moment say how a release is; all else is not known.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/prometheus_answer.h"

#include "lib/buf.h"
#include "unit.h"

#define AT  1733070000000 /* wall ms */
#define NOW "1733070000"
#define VECTOR(...) \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" __VA_ARGS__ "]}}"
#define SAMPLE(value)	  "{\"metric\":{\"job\":\"shop\"},\"value\":[" NOW ".5,\"" value "\"]}"
#define AGED(at, value)	  "{\"metric\":{},\"value\":[" at ",\"" value "\"]}"
#define ERROR(type, text) "{\"status\":\"error\",\"errorType\":\"" type "\",\"error\":\"" text "\"}"
#define NO_JSON		  "its answer is no JSON of Prometheus's"
#define OLD		  "a sample of its answer is not of the last 5 min"
#define NAN_		  "a value of its answer is no number (NaN)"
#define NO_VALUE	  "a series of its answer has no number"

#define RANGE "its answer is of no single moment: an instant vector or a scalar is expected"

static const struct {
	int status;
	const char *body;
	enum bake_verdict verdict;
	const char *value, *why;
	bool is_present;
} cases[] = {
	{ 200, VECTOR(SAMPLE("0.002")), BAKE_HEALTHY, "0.2 %", "", true },
	{ 200, VECTOR(SAMPLE("0.01")), BAKE_HEALTHY, "1 %", "", true },
	{ 200, VECTOR(SAMPLE("0.041")), BAKE_FIRES, "4.1 %", "", true },
	{ 200, VECTOR(SAMPLE("0") "," SAMPLE("0.5") "," SAMPLE("0.1")), BAKE_FIRES, "50 %", "",
	    true },
	{ 200, VECTOR(), BAKE_HEALTHY, "", "", false },
	{ 200, VECTOR(SAMPLE("+Inf")), BAKE_FIRES, "inf %", "", true },
	{ 200, VECTOR(SAMPLE("-Inf")), BAKE_HEALTHY, "-inf %", "", true },
	{ 200, VECTOR(SAMPLE("NaN")), BAKE_UNKNOWN, "", NAN_, false },
	{ 200, VECTOR(SAMPLE("NaN") "," SAMPLE("0.5")), BAKE_FIRES, "50 %", NAN_, false },
	{ 200, VECTOR(SAMPLE("0") "," SAMPLE("NaN")), BAKE_UNKNOWN, "0 %", NAN_, false },
	{ 200, VECTOR(SAMPLE("")), BAKE_UNKNOWN, "", NAN_, false },
	{ 200, VECTOR(SAMPLE("1x")), BAKE_UNKNOWN, "", NAN_, false },
	{ 200, VECTOR(AGED("1733066400", "0")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR(AGED("1733066400", "1")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR(AGED("1733073600", "1")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR(AGED("1733069701", "0")), BAKE_HEALTHY, "0 %", "", true },
	{ 200, VECTOR(AGED("1e300", "0")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR(AGED("\"1733070000\"", "0")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR(AGED("null", "0")), BAKE_UNKNOWN, "", OLD, false },
	{ 200, VECTOR("{\"metric\":{},\"value\":[1733070000,0]}"), BAKE_UNKNOWN, "", NO_VALUE,
	    false },
	{ 200, VECTOR("{\"metric\":{},\"histogram\":[1733070000,{}]}"), BAKE_UNKNOWN, "", NO_VALUE,
	    false },
	{ 200, VECTOR("{\"metric\":{},\"value\":[1733070000,\"0\",\"1\"]}"), BAKE_UNKNOWN, "",
	    NO_VALUE, false },
	{ 200, VECTOR("null"), BAKE_UNKNOWN, "", NO_VALUE, false },
	{ 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[" NOW
	    ",\"0.5\"]}}",
	    BAKE_FIRES, "50 %", "", true },
	{ 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[" NOW
	    ",\"NaN\"]}}",
	    BAKE_UNKNOWN, "", NAN_, false },
	{ 200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
	    BAKE_UNKNOWN, "", RANGE, false },
	{ 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[" NOW
	    ",\"0\"]}}",
	    BAKE_UNKNOWN, "", RANGE, false },
	{ 200,
	    "{\"status\":\"success\",\"warnings\":[\"not all\\u0007 stores answered\"],"
	    "\"data\":{\"resultType\":"
	    "\"vector\",\"result\":[" SAMPLE("0") "]}}",
	    BAKE_UNKNOWN, "", "Prometheus warns: not all stores answered", false },
	{ 200,
	    "{\"status\":\"success\",\"infos\":[\"x\"],\"data\":{\"resultType\":\"vector\","
	    "\"result\":[" SAMPLE("0") "]}}",
	    BAKE_HEALTHY, "0 %", "", true },
	{ 422, ERROR("execution", "too many samples"), BAKE_UNKNOWN, "",
	    "HTTP 422: too many samples", false },
	{ 400, ERROR("bad_data", "1:5: parse error"), BAKE_UNKNOWN, "",
	    "HTTP 400: 1:5: parse error", false },
	{ 503, ERROR("timeout", "timed out"), BAKE_UNKNOWN, "", "HTTP 503: timed out", false },
	{ 503, "<html>Service Unavailable", BAKE_UNKNOWN, "", "HTTP 503", false },
	{ 200, ERROR("internal", "x"), BAKE_UNKNOWN, "", "HTTP 200: x", false },
	{ 302, VECTOR(SAMPLE("0")), BAKE_UNKNOWN, "", "HTTP 302", false },
	{ 401, "Unauthorized", BAKE_UNKNOWN, "", "HTTP 401", false },
	{ 204, "", BAKE_UNKNOWN, "", "HTTP 204", false },
	{ 200, "", BAKE_UNKNOWN, "", NO_JSON, false },
	{ 200, "[]", BAKE_UNKNOWN, "", NO_JSON, false },
	{ 200, "{}", BAKE_UNKNOWN, "", NO_JSON, false },
	{ 200, "{\"status\":\"success\"}", BAKE_UNKNOWN, "", NO_JSON, false },
	{ 200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}", BAKE_UNKNOWN, "",
	    NO_JSON, false },
	{ 200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":{}}}",
	    BAKE_UNKNOWN, "", NO_JSON, false },
	{ 200, "<!DOCTYPE html><title>Sign in</title>", BAKE_UNKNOWN, "", NO_JSON, false },
	{ 0, "timed out", BAKE_UNKNOWN, "", "timed out", false },
	{ 0, "its answer is longer than 4194304 bytes", BAKE_UNKNOWN, "",
	    "its answer is longer than 4194304 bytes", false },
};

static struct prometheus_answer
answer_of(int status, const char *body)
{
	return (struct prometheus_answer){ status, body, strlen(body), AT };
}

TEST(only_values_of_this_moment_say_how_it_is)
{
	struct promql query;

	assert_true(promql_read("errors: x > 1%", &query, NULL));
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct prometheus_answer answer = answer_of(cases[i].status, cases[i].body);
		struct bake_finding finding;
		char why[LIMIT_LINE];

		prometheus_judge(&answer, &query, &finding, why);
		if (finding.verdict != cases[i].verdict ||
		    strcmp(finding.value, cases[i].value) != 0 || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %d \"%s\" \"%s\"", cases[i].body, (int)finding.verdict,
			    finding.value, why);
		assert_string_equal(finding.name, "errors");
		assert_string_equal(finding.limit, "> 1 %");
	}
}

TEST(nothing_without_a_value_is_present)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct prometheus_answer answer = answer_of(cases[i].status, cases[i].body);
		char why[LIMIT_LINE];

		if (prometheus_is_present(&answer, why) != cases[i].is_present ||
		    (why[0] == '\0') != cases[i].is_present)
			fail_msg("%s: \"%s\"", cases[i].body, why);
	}
}

TEST(the_worst_is_the_least_where_less_is_wrong)
{
	const struct prometheus_answer answer =
	    answer_of(200, VECTOR(SAMPLE("30") "," SAMPLE("4") "," SAMPLE("20")));
	struct bake_finding finding;
	struct promql query;
	char why[LIMIT_LINE];

	assert_true(promql_read("sold: x < 10", &query, NULL));
	prometheus_judge(&answer, &query, &finding, why);
	assert_int_equal(finding.verdict, BAKE_FIRES);
	assert_string_equal(finding.value, "4");
	assert_string_equal(finding.series, "{\"job\":\"shop\"}");
}

/* And no label of theirs ends a line, or is longer than is shown. */
TEST(of_ten_thousand_series_the_first_ten_are_named)
{
	CLEANUP(buf_done) struct buf body = buf_make(PROMETHEUS_ANSWER_MAX);
	struct prometheus_answer answer;
	struct bake_finding finding;
	struct promql query;
	char why[LIMIT_LINE];

	buf_adds(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
	for (int i = 0; i < 10000; i++)
		buf_addf(&body, "%s{\"metric\":{\"i\":\"%d\\n\"},\"value\":[" NOW ",\"1\"]}",
		    i > 0 ? "," : "", i);
	buf_adds(&body, "]}}");
	assert_false(buf_failed(&body));
	assert_true(promql_read("errors: x > 0", &query, NULL));
	answer = (struct prometheus_answer){ 200, buf_text(&body), body.size, AT };
	prometheus_judge(&answer, &query, &finding, why);
	assert_int_equal(finding.verdict, BAKE_FIRES);
	assert_string_equal(why, "");
	assert_non_null(strstr(finding.series, "{\"i\":\"9\\n\"}"));
	assert_null(strstr(finding.series, "{\"i\":\"10"));
	assert_null(strchr(finding.series, '\n'));
}
