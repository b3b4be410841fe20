/* Goal: a request's arguments are read as they were added, whatever stands beside them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/request.h"

#include "unit.h"

static void
expect(const struct request *request, const char *key, const char *value)
{
	char out[LIMIT_REF];

	assert_string_equal(request_get(request, key, out), value);
}

TEST(each_argument_is_found_by_its_whole_key)
{
	struct request request = request_of("deploy", "shop/staging");

	expect(&request, "ref", "");
	request_add(&request, "ref", "a=b/page=9");
	request_add(&request, "release", "");
	request_add_number(&request, "page", 3);
	assert_string_equal(request.arguments, "ref=a=b/page=9\npage=3");
	expect(&request, "ref", "a=b/page=9");
	expect(&request, "page", "3");
	expect(&request, "re", "");
	expect(&request, "release", "");
	assert_int_equal(request_get_number(&request, "page"), 3);
	assert_int_equal(request_get_number(&request, "ref"), 0);
}

TEST(an_argument_is_dropped_without_its_neighbours)
{
	static const char *const order[][3] = { { "a", "b", "c" }, { "b", "a", "c" },
		{ "a", "c", "b" } };

	for (size_t i = 0; i < COUNT(order); i++) {
		struct request request = request_of("x", "");

		for (size_t k = 0; k < 3; k++)
			request_add(&request, order[i][k], "value");
		request_drop(&request, "b");
		assert_string_equal(request.arguments, "a=value\nc=value");
		request_drop(&request, "nothing");
		assert_string_equal(request.arguments, "a=value\nc=value");
		request_drop(&request, "a");
		request_drop(&request, "c");
		assert_string_equal(request.arguments, "");
	}
}

TEST(the_longest_ref_fits_beside_a_page)
{
	struct request request = request_of("deploy", "shop/staging");
	char ref[LIMIT_REF];

	memset(ref, 'r', sizeof(ref));
	ref[sizeof(ref) - 1] = '\0';
	request_add(&request, "ref", ref);
	request_add(&request, "release", ref);
	request_add_number(&request, "page", INT64_MAX);
	expect(&request, "ref", ref);
	expect(&request, "release", ref);
	assert_true(request_get_number(&request, "page") == INT64_MAX);
}

TEST(a_target_of_another_kind_has_no_number)
{
	static const struct {
		const char *target;
		int64_t number;
	} cases[] = { { "work/123", 123 }, { "work/0", 0 }, { "work/", 0 }, { "work", 0 },
		{ "work/12x", 0 }, { "work/-1", 0 }, { "works/12", 0 }, { "run/12", 0 }, { "", 0 },
		{ "work/99999999999999999999", 0 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request = request_of("cancel", cases[i].target);

		assert_int_equal(request_number(&request, "work"), cases[i].number);
	}
	assert_string_equal(request_about("log", "run", 45).target, "run/45");
}

TEST(words_are_split_at_blanks_and_fold)
{
	static const struct {
		const char *text;
		const char *words[2];
		bool is_all;
	} rows[] = {
		{ "", { "", "" }, true },
		{ "  Do  ACME ", { "do", "acme" }, true },
		{ "a b c", { "a", "b" }, false },
		{ "\xc3\x84 Z", { "\xc3\x84", "z" }, true },
	};
	char words[2][LIMIT_REF], text[LIMIT_REF + 8];

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(request_words(rows[i].text, 2, words), rows[i].is_all);
		for (size_t k = 0; k < 2; k++)
			assert_string_equal(words[k], rows[i].words[k]);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(request_words(text, 2, words));
	assert_int_equal(strlen(words[0]), LIMIT_REF - 1);
	assert_string_equal(words[1], "");
}
