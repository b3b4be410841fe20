/* Goal: JSON from outside is taken strictly, JSON of ours is plain ASCII.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/json_mend.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json_take.h"
#include "tests/unit/json_walk.h"
#include "unit.h"

static struct json *
decode(const char *text)
{
	return json_decode(text, strlen(text), NULL);
}

TEST(what_is_not_strict_json_is_refused)
{
	static const char *const bad[] = { "", " ", "{", "{}x", "[1,]", "{\"a\":1,\"a\":2}",
		"{\"a\":\"\\u0000\"}", "[\"\\ud800\"]", "[\"\xC0\x80\"]", "[1e400]",
		"[9223372036854775808]", "7", "\"x\"", "{'a':1}" };

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(decode(bad[i]));
	assert_null(json_decode("[\0]", 3, NULL));
}

#define PUT "\xef\xbf\xbd" /* U+FFFD */

TEST(what_is_no_unicode_is_replaced_where_others_pass_it_on)
{
	static const struct {
		const char *text, *mended;
	} rows[] = {
		{ "[\"a\\u0000b\"]", "[\"a" PUT "b\"]" },
		{ "[\"\xff\"]", "[\"" PUT "\"]" },
		{ "[\"\xc0\xaf\"]", "[\"" PUT PUT "\"]" },
		{ "[\"\xed\xa0\x80\"]", "[\"" PUT PUT PUT "\"]" },
		{ "[\"\xe2\x82\"]", "[\"" PUT PUT "\"]" },
		{ "[\"\xf4\x90\x80\x80\"]", "[\"" PUT PUT PUT PUT "\"]" },
		{ "[\"\\ud83d\"]", "[\"" PUT "\"]" },
		{ "[\"\\uDE00\"]", "[\"" PUT "\"]" },
		{ "[\"\\ud83d\\ud83d\\ude00\"]", "[\"" PUT "\\ud83d\\ude00\"]" },
		{ "[\"\\ude00\\ud83d\"]", "[\"" PUT PUT "\"]" },
		{ "[\"\\\\u0000\xff\\\\\"]", "[\"\\\\u0000" PUT "\\\\\"]" },
		{ "[\"\\\xff\"]", "[\"\\" PUT "\"]" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_done) struct buf out = buf_make(256);
		CLEANUP(json_freep)
		struct json *root = json_decode_mended(rows[i].text, strlen(rows[i].text), NULL);

		assert_true(json_mend(&out, rows[i].text, strlen(rows[i].text)));
		assert_string_equal(buf_text(&out), rows[i].mended);
		assert_true((root != NULL) == (i + 1 < COUNT(rows))); /* an escape that is none */
	}
}

TEST(what_is_unicode_or_far_too_much_is_not_replaced)
{
	static const char good[] = "[\"\\ud83d\\ude00 \\u00e9 \xc3\xa9 \\\\ \\\" \"]",
			  nul[] = "[\"a\0b\"]";
	CLEANUP(buf_done) struct buf out = buf_make(256), none = buf_make(4);
	CLEANUP(json_freep) struct json *root = NULL;

	assert_false(json_mend(&out, good, sizeof(good) - 1));
	assert_string_equal(buf_text(&out), good);
	assert_false(json_mend(&none, "[\"\xff\"]", 5));
	root = json_decode_mended(nul, sizeof(nul) - 1, NULL);
	assert_string_equal(json_str(json_at(root, 0)), "a" PUT "b");
	assert_null(json_decode_mended("[\0]", 3, NULL)); /* no text */
	assert_null(json_decode_mended("", 0, NULL));
}

TEST(depth_is_bounded)
{
	char text[2 * JSON_DEPTH_MAX + 4];
	struct err err;
	struct json *root;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	root = json_decode(text, 2 * JSON_DEPTH_MAX, &err);
	assert_non_null(root);
	json_free(root);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_null(json_decode(text, 2 * JSON_DEPTH_MAX + 2, &err));
	assert_non_null(strstr(err.text, "deeper"));
	root = decode(
	    "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]");
	assert_non_null(root);
	json_free(root);
}

TEST(accessors_take_what_is_missing_or_of_another_type)
{
	struct json *root =
	    decode("{\"m\":{\"id\":-42,\"t\":\"x\",\"b\":true,\"n\":null},\"a\":[1]}");
	int64_t id = 5;

	assert_non_null(root);
	assert_true(json_get_i64(json_get(root, "m"), "id", &id));
	assert_int_equal(id, -42);
	assert_string_equal(json_get_str(json_get(root, "m"), "t"), "x");
	assert_null(json_get(json_get(json_get(root, "m"), "id"), "x"));
	assert_null(json_get(json_get(root, "nope"), "id"));
	assert_null(json_get_str(json_get(root, "m"), "id"));
	assert_null(json_get(NULL, "x"));
	assert_null(json_at(root, 0));
	assert_false(json_get_i64(json_get(root, "m"), "t", &id));
	assert_int_equal(id, -42);
	assert_int_equal(json_get_i64_or(root, "m", 9), 9);
	assert_true(json_get_bool(json_get(root, "m"), "b", false));
	assert_true(json_get_bool(root, "nope", true));
	assert_true(json_holds_null(json_get(json_get(root, "m"), "n")));
	assert_false(json_holds_null(json_get(json_get(root, "m"), "z")));
	assert_int_equal(json_count(json_get(root, "a")), 1);
	assert_int_equal(json_count(root), 2);
	assert_int_equal(json_count(NULL), 0);
	json_free(root);
}

TEST(a_text_that_is_missing_is_empty_and_is_no_other)
{
	struct json *root = decode("{\"t\":\"x\",\"n\":1,\"e\":\"\"}");

	assert_non_null(root);
	assert_string_equal(json_text(root, "t"), "x");
	assert_string_equal(json_text(root, "n"), "");
	assert_string_equal(json_text(NULL, "t"), "");
	assert_true(json_has(root, "t", "x") && json_has(root, "e", ""));
	assert_false(json_has(root, "t", "xy") || json_has(root, "n", "1"));
	assert_false(json_has(root, "nope", "") || json_has(NULL, "t", "x"));
	json_free(root);
}

/* What is left of a document after its members were taken. */
static bool
takes(const char *text, struct err *err)
{
	struct json *root = decode(text);
	struct json_take take = { .whose = "its", .code = ERR_DENIED, .err = err };
	char word[4], commit[65];
	int64_t number;

	json_take_plain(&take, root, "word", word, sizeof(word));
	json_take_number(&take, root, "number", &number);
	json_take_commit(&take, root, "commit", commit, 64);
	json_free(root);
	return !take.failed;
}

static bool
add_text(void *ctx, const char *text)
{
	struct buf *out = ctx;

	buf_addf(out, "%s ", text);
	return strcmp(text, "last") != 0;
}

TEST(each_text_is_visited_at_any_depth_until_a_visit_says_no)
{
	static const char text[] =
	    "{\"key\":\"one\",\"n\":1,\"list\":[\"two\",null,{\"x\":[\"three\"]}],\"z\":\"\"}";
	CLEANUP(json_freep) struct json *all = json_decode(text, strlen(text), NULL);
	CLEANUP(json_freep) struct json *some = json_decode("[\"a\",[\"last\"],\"b\"]", 18, NULL);
	CLEANUP(buf_done) struct buf out = buf_make(100);

	assert_true(json_each_text(all, add_text, &out));
	assert_string_equal(buf_text(&out), "one two three  ");
	buf_clear(&out);
	assert_false(json_each_text(some, add_text, &out));
	assert_string_equal(buf_text(&out), "a last ");
	assert_true(json_each_text(NULL, add_text, &out));
}

TEST(the_first_member_that_is_none_is_said)
{
#define SHA1 "0123456789012345678901234567890123456789"
	static const struct {
		const char *text, *none;
	} rows[] = {
		{ "{\"word\":\"abc\",\"number\":1,\"commit\":\"" SHA1 "\"}", NULL },
		{ "{\"word\":\"a\",\"number\":1,\"commit\":\"" SHA1 SHA1 "\"}", "commit" },
		{ "{\"word\":\"a\",\"number\":1,\"commit\":\"" SHA1 "01234567890123456789abcd\"}",
		    NULL },
		{ "{\"word\":\"abcd\",\"number\":0,\"commit\":\"\"}", "word" },
		{ "{\"word\":\"\",\"number\":1,\"commit\":\"" SHA1 "\"}", "word" },
		{ "{\"word\":\"a\\n\",\"number\":1,\"commit\":\"" SHA1 "\"}", "word" },
		{ "{\"number\":1}", "word" },
		{ "{\"word\":\"a\",\"number\":\"1\"}", "number" },
		{ "{\"word\":\"a\",\"number\":0,\"commit\":\"\"}", "number" },
		{ "{\"word\":\"a\",\"number\":1,\"commit\":\"x\"}", "commit" },
	};
	char said[64];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = { .code = ERR_NONE };

		assert_int_equal(takes(rows[i].text, &err), rows[i].none == NULL);
		assert_int_equal(err.code, rows[i].none == NULL ? ERR_NONE : ERR_DENIED);
		(void)snprintf(said, sizeof(said), "its %s is missing, or is none", rows[i].none);
		assert_string_equal(err.text, rows[i].none == NULL ? "" : said);
	}
}

TEST(what_is_written_is_ascii_and_reads_back)
{
	const char *text = "\"\\/\b\n\x01 caf\xC3\xA9 \xF0\x9F\x9A\x80 \xFF.";
	struct json_out out;
	struct json *root;
	struct buf b;

	buf_init(&b, 4096);
	out = json_out_begin(&b, '{');
	json_put_str(&out, "t", text);
	json_put_i64(&out, "n", INT64_MIN);
	json_put_bool(&out, "b", false);
	json_put_str(&out, "z", NULL);
	json_put_open(&out, "a", '[');
	json_out_raw(&out, "1");
	json_out_str(&out, NULL);
	json_out_object(&out);
	json_out_end(&out);
	json_out_end(&out);
	assert_int_equal(out.depth, 1);
	json_out_end(&out);
	assert_true(out.depth == 0 && out.has_value[0]);
	assert_string_equal(buf_text(&b),
	    "{\"t\":\"\\\"\\\\/\\b\\n\\u0001 caf\\u00e9 \\ud83d\\ude80 \\ufffd.\","
	    "\"n\":-9223372036854775808,\"b\":false,\"z\":null,\"a\":[1,null,{}]}");
	root = decode(buf_text(&b));
	assert_non_null(root);
	assert_string_equal(
	    json_get_str(root, "t"), "\"\\/\b\n\x01 caf\xC3\xA9 \xF0\x9F\x9A\x80 \xEF\xBF\xBD.");
	json_free(root);
	buf_done(&b);
}

TEST(a_decoded_value_can_be_written_again)
{
	const char *text = "{\"z\":[1,-2.5,1.0,-0.0,1e+19,true,false,null,\"x\"],\"a\":{\"b\":{}}}";
	struct json *root = decode(text);
	struct buf b;
	struct json_out out = { .buf = &b };

	buf_init(&b, 4096);
	json_walk_out(&out, root);
	assert_string_equal(buf_text(&b), text);
	json_free(root);
	buf_done(&b);
}

/* jansson took {"a":1<NUL>} for {"a":1}. */
TEST(a_nul_behind_a_number_is_refused)
{
	static const char text[] = "{\"a\":1\0}";
	struct err err;

	assert_null(json_decode(text, sizeof(text) - 1, &err));
	assert_int_equal(err.code, ERR_INVALID);
}
