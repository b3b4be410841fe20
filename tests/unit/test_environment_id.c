/* Goal: an environment is read one way and written one way, for people and on disk.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/environment_id.h"

#include "unit.h"

TEST(both_names_are_read)
{
	struct environment_id id;

	assert_true(environment_id_parse("shop/staging", &id));
	assert_string_equal(id.application, "shop");
	assert_string_equal(id.name, "staging");
	assert_true(environment_id_parse("staging", &id));
	assert_string_equal(id.application, "");
	assert_string_equal(id.name, "staging");
	assert_true(environment_id_parse("a2345678901234567890/b2345678901234567890", &id));
}

TEST(what_is_no_environment_changes_nothing)
{
	static const char *const wrong[] = { "", "/", "shop/", "/staging", "shop//staging",
		"Shop/staging", "shop/Staging", "shop/sta ging", "shop/staging/x", "-shop/staging",
		"1shop/staging", "shop.staging", "shop/..", "../staging", "staging\n",
		"a23456789012345678901/staging", "shop/b23456789012345678901",
		"sh\xc3\xb6p/staging" };
	struct environment_id id = { .application = "kept", .name = "too" };

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(environment_id_parse(wrong[i], &id));
	assert_string_equal(id.application, "kept");
	assert_string_equal(id.name, "too");
}

TEST(it_is_written_as_it_was_read)
{
	static const char *const texts[][2] = { { "shop/staging", "shop.staging" },
		{ "staging", "staging" },
		{ "a2345678901234567890/b2345678901234567890",
		    "a2345678901234567890.b2345678901234567890" } };
	char out[ENVIRONMENT_ID_MAX];
	struct environment_id id;

	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(environment_id_parse(texts[i][0], &id));
		assert_string_equal(environment_id_text(id.application, id.name, out), texts[i][0]);
		assert_string_equal(environment_id_file(texts[i][0], out), texts[i][1]);
	}
}

TEST(it_is_of_one_application)
{
	assert_true(environment_id_is_of("shop/staging", "shop"));
	assert_false(environment_id_is_of("shop/staging", "sho"));
	assert_false(environment_id_is_of("shop/staging", "shopper"));
	assert_false(environment_id_is_of("shop/staging", ""));
	assert_true(environment_id_is_of("staging", ""));
	assert_false(environment_id_is_of("shop", "shop"));
}
