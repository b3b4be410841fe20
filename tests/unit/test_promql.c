/* Goal: a query is split at its comparison, and nothing that is put into it gets out of its quotes.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/promql.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/text.h"
#include "unit.h"

TEST(the_comparison_at_the_end_is_split_off)
{
	static const struct {
		const char *text, *name, *query, *comparison;
		double limit;
		bool is_percent;
	} rows[] = {
		{ "errors: sum(rate(e[5m])) > 1%", "errors", "sum(rate(e[5m]))", ">", 0.01, true },
		{ "p99: job:p99:rate5m >= 0.5", "p99", "job:p99:rate5m", ">=", 0.5, false },
		{ "sold: sum(x)<10", "sold", "sum(x)", "<", 10, false },
		{ "a b-c.1:\tx <= -1e3 ", "a b-c.1", "x", "<=", -1000, false },
		{ "up: up{job=\"a > 1\", b!='>=2'} == 0", "up", "up{job=\"a > 1\", b!='>=2'}",
		    "==", 0, false },
		{ "n: x > 1 != 2.5 %", "n", "x > 1", "!=", 0.025, true },
		{ "n: (a or b) > 1", "n", "(a or b)", ">", 1, false },
		{ "n: orders > 1", "n", "orders", ">", 1, false },
		{ "n: x{a=`\\`} > 1", "n", "x{a=`\\`}", ">", 1, false },
		{ "n: x{a=\"\\\"#\"} > 1", "n", "x{a=\"\\\"#\"}", ">", 1, false },
		{ "n: up{job={application},i=~{hosts}} < 1", "n",
		    "up{job={application},i=~{hosts}}", "<", 1, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct promql query;
		struct err err = { .text = "" };

		if (!promql_read(rows[i].text, &query, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(query.name, rows[i].name);
		assert_string_equal(query.text, rows[i].query);
		assert_string_equal(query.comparison, rows[i].comparison);
		assert_true(query.limit >= rows[i].limit && query.limit <= rows[i].limit);
		assert_int_equal(query.is_percent, rows[i].is_percent);
	}
}

TEST(what_is_no_such_query_says_why)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "has no name" },
		{ "sum(x) > 1", "has no name" },
		{ "a:b:c > 1", "has no name" },
		{ ": x > 1", "has no name" },
		{ "a name that is longer than 32 bytes: x > 1", "has no name" },
		{ "{a: x > 1", "has no name" },
		{ "n: sum(x)", "does not end in a comparison" },
		{ "n: x > y", "does not end in a comparison" },
		{ "n: x > 1 + y", "does not end in a comparison" },
		{ "n: x > bool 1", "does not end in a comparison" },
		{ "n: x > NaN", "does not end in a comparison" },
		{ "n: x > Inf", "does not end in a comparison" },
		{ "n: x > 0x10", "does not end in a comparison" },
		{ "n: x > 1e999", "does not end in a comparison" },
		{ "n: x > ", "does not end in a comparison" },
		{ "n: x > 1%%", "does not end in a comparison" },
		{ "n: (x > 1)", "does not end in a comparison" },
		{ "n: x{a=\"b\"}", "does not end in a comparison" },
		{ "n: > 1", "nothing stands before" },
		{ "n: a or b > 1", "bind less" },
		{ "n: a UNLESS b > 1", "bind less" },
		{ "n: x # > 1", "comment" },
		{ "n: sum(x > 1", "a bracket is not closed" },
		{ "n: sum(x]) > 1", "brackets do not match" },
		{ "n: x) > 1", "brackets do not match" },
		{ "n: x{a=\"b} > 1", "a quote is not closed" },
		{ "n: up{job=\"{application}\"} > 1", "{application} stands in quotes" },
		{ "n: up{job=~\"x|{hosts}\"} > 1", "{hosts} stands in quotes" },
		{ "n: up{job={app}} > 1", "{app} is not known" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct promql query;
		struct err err = { .text = "" };

		if (promql_read(rows[i].text, &query, &err) ||
		    strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void
fills(const char *text, const struct promql_facts *facts, const char *expected)
{
	CLEANUP(buf_done) struct buf out = buf_make(PROMQL_FILLED_MAX);

	promql_fill(text, facts, &out);
	assert_string_equal(buf_text(&out), expected);
}

TEST(what_is_put_in_is_a_quoted_value)
{
	const struct promql_facts facts = { "shop", "production",
		"web1.example:22,[fd00::1]:22,web2", "45f7076" };

	fills("up{a={application},e={environment},v={release}}", &facts,
	    "up{a=\"shop\",e=\"production\",v=\"45f7076\"}");
	fills("up{instance=~{hosts}}", &facts,
	    "up{instance=~\"(?:web1\\\\.example|\\\\[fd00::1\\\\]|web2)(?::[0-9]+)?\"}");
	fills("up{a=\"{application}\"} + {application", &facts,
	    "up{a=\"{application}\"} + {application");
	fills("up{a={application}", &(struct promql_facts){ "", "", "", "" }, "up{a=\"\"");
	fills("{hosts}", &(struct promql_facts){ "", "", "", "" }, "\"\"");
}

TEST(no_value_ends_its_quotes)
{
	static const char *const hostile[] = { "\"} or vector(0) #", "\\", "\\\"", "a\nb", "'", "`",
		"{hosts}", "\\\\\" > 1" };

	for (size_t i = 0; i < COUNT(hostile); i++) {
		CLEANUP(buf_done) struct buf out = buf_make(PROMQL_FILLED_MAX);
		const char *text;
		const struct promql_facts facts = { hostile[i], "", hostile[i], "" };

		promql_fill("{application}|{hosts}", &facts, &out);
		text = buf_text(&out);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(*text++, '"');
			for (; *text != '"'; text++) {
				assert_true(*text != '\0' && *text != '\n');
				text += *text == '\\';
			}
			text++;
			assert_int_equal(*text++, n == 0 ? '|' : '\0');
		}
	}
}

TEST(a_comparison_is_that_of_promql)
{
	static const struct {
		const char *text;
		bool below, equal, above;
	} rows[] = {
		{ "n: x > 2", false, false, true },
		{ "n: x >= 2", false, true, true },
		{ "n: x < 2", true, false, false },
		{ "n: x <= 2", true, true, false },
		{ "n: x == 2", false, true, false },
		{ "n: x != 2", true, false, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct promql query;

		assert_true(promql_read(rows[i].text, &query, NULL));
		assert_int_equal(promql_is_true(&query, 1), rows[i].below);
		assert_int_equal(promql_is_true(&query, 2), rows[i].equal);
		assert_int_equal(promql_is_true(&query, 3), rows[i].above);
	}
}

TEST(a_value_is_written_as_its_limit)
{
	struct promql query;
	char out[PROMQL_VALUE];

	assert_true(promql_read("n: x > 1%", &query, NULL));
	assert_string_equal(promql_value(&query, 0.0412, out), "4.12 %");
	assert_string_equal(promql_value(&query, query.limit, out), "1 %");
	assert_string_equal(promql_value(&query, 0, out), "0 %");
	assert_string_equal(promql_value(&query, -1e300, out), "-1e+302 %");
	assert_true(promql_read("n: x > 1", &query, NULL));
	assert_string_equal(promql_value(&query, 1234.567, out), "1235");
}
