/* Goal: a line gives a workflow its inputs, with words that are words alone, and nobody else's.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/pipeline.h"

#include "lib/err.h"
#include "unit.h"

#define LINE  "release.yml ref=main  channel=stable version=? deploybot=? stage=?"
#define W64   "0123456789012345678901234567890123456789012345678901234567890123"
#define NONCE "0123456789abcdef0123456789abcdef"

TEST(words_stand_in_the_order_of_their_places)
{
	static const char *const inputs[][2] = { { "channel", "stable" },
		{ "version", "1.4.2-RC1" }, { "deploybot", NONCE }, { "stage", W64 } };
	struct pipeline pipeline;

	assert_true(pipeline_read(LINE, " 1.4.2-RC1  " W64 " ", NONCE, &pipeline, NULL));
	assert_string_equal(pipeline.file, "release.yml");
	assert_string_equal(pipeline.ref, "main");
	assert_int_equal(pipeline.n, COUNT(inputs));
	for (size_t i = 0; i < COUNT(inputs); i++) {
		assert_string_equal(pipeline.inputs[i].name, inputs[i][0]);
		assert_string_equal(pipeline.inputs[i].value, inputs[i][1]);
	}
	assert_true(pipeline_read("a.yml ref=v1.2", "", NONCE, &pipeline, NULL));
	assert_string_equal(pipeline.ref, "v1.2");
	assert_int_equal(pipeline.n, 0);
}

TEST(words_that_are_none_are_refused)
{
	static const struct {
		const char *words, *said;
	} rows[] = { { "", "version is missing" }, { "1.4.2", "stage is missing" },
		{ "1.4.2 a b", "b is one word too many" },
		{ "1 " W64 "4", "stage is a word of 1 to 64" },
		{ "1;id a", "version is a word of" }, { "$(id) a", "version is a word of" },
		{ "\"x\" a", "version is a word of" }, { "ä a", "version is a word of" },
		{ "a=b a", "version is a word of" }, { "? a", "version is a word of" } };
	struct pipeline pipeline;
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(pipeline_read(LINE, rows[i].words, NONCE, &pipeline, &err));
		if (strstr(err.text, rows[i].said) == NULL)
			fail_msg("%s: %s", rows[i].words, err.text);
	}
}

TEST(no_input_is_there_twice)
{
	struct pipeline pipeline;
	struct err err;

	assert_false(pipeline_read("a.yml ref=m a=1 b=2 A=3", NULL, "", &pipeline, &err));
	assert_string_equal(err.text, "A is there twice");
	assert_true(pipeline_read(LINE, NULL, "", &pipeline, &err));
}

TEST(a_page_is_that_of_the_server_that_has_the_run)
{
	static const struct {
		const char *api, *page;
	} rows[] = { { "https://api.github.com", "https://github.com/o/r/actions/runs/7" },
		{ "https://git.example/api/v3", "https://git.example/o/r/actions/runs/7" },
		{ "http://127.0.0.1:1", "http://127.0.0.1:1/o/r/actions/runs/7" } };
	char page[LIMIT_LINE];

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(pipeline_run_url(rows[i].api, "o/r", 7, page), rows[i].page);
}
