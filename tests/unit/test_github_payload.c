/* Goal: the one-pass reader takes what JSON is and nothing else, and picks what jansson would.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_payload.h"

#include <time.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "tests/unit/github_sample.h"
#include "unit.h"

/* In memory of exactly that size, so that ASan sees a byte too far. */
static bool
reads(const char *text, size_t size, struct github_payload *ret, char **ret_copy)
{
	char *copy = malloc(size == 0 ? 1 : size);

	memcpy(copy, text, size);
	*ret_copy = copy;
	return github_payload_read(copy, size, ret, NULL);
}

static bool
is_read(const char *text, size_t size)
{
	struct github_payload payload;
	char *copy;
	bool is_good = reads(text, size, &payload, &copy);

	free(copy);
	return is_good;
}

TEST(what_json_allows_is_read)
{
	static const char *const good[] = {
		"{}",
		" \t\r\n{ } \n",
		"{\"a\":[]}",
		"{\"a\":[ 1 , -0 , 0.5 , 1e5 , 1E-5 , -1.25e+7 ]}",
		"{\"a\":9223372036854775807,\"b\":-9223372036854775808}",
		"{\"a\":0.00000000000000000000000000000000000000000000001e-400}",
		"{\"\":{\"\":null}}",
		"{\"a\":true,\"b\":false,\"c\":null}",
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"}",
		"{\"a\":\"\x7f\xc3\xa9\xe2\x80\x93\xf0\x9f\x98\x80\xef\xbf\xbf\"}",
		"{\"twice\":1,\"twice\":2}",
		"{\"a\":{\"ref\":1,\"ref\":2}}",
		"{\"repository\":{\"a\":{\"id\":1,\"id\":2}}}",
		"{\"1234567\":\"12345678\",\"123456789\":\"1234567890123456\"}",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (!is_read(good[i], strlen(good[i])))
			fail_msg("refused: %s", good[i]);
}

TEST(what_json_forbids_is_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"\"a\"",
		"null",
		"{",
		"}",
		"{]",
		"[}",
		"{}}",
		"{} x",
		"{}{}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\" 1}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":[1,]}",
		"{\"a\":[,1]}",
		"{\"a\":[1 2]}",
		"{\"a\":[1}",
		"{\"a\":{]}",
		"{\"a\":1",
		"{\"a\":",
		"{\"a",
		"{\"a\":tru}",
		"{\"a\":True}",
		"{\"a\":nul",
		"{\"a\":nulll}",
		/* numbers */
		"{\"a\":01}",
		"{\"a\":-}",
		"{\"a\":+1}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":1e}",
		"{\"a\":1e+}",
		"{\"a\":0x1}",
		"{\"a\":1_0}",
		"{\"a\":NaN}",
		"{\"a\":-Infinity}",
		"{\"a\":--1}",
		"{\"a\":1e400}",
		"{\"a\":-1e400}",
		"{\"a\":9223372036854775808}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":12345678901234567890123}",
		"{\"a\":1",
		"{\"a\":1234567890123456789012345",
		"{\"a\":1.5e5",
		/* strings */
		"{\"a\":\"}",
		"{\"a\":\"\\\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u00\"}",
		"{\"a\":\"\\u00g0\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\\u0000\":1}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800x\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\ud800\\ud800\"}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\t\"}",
		"{\"a\":\"\x1f\"}",
		"{\"a\":\"aaaaaaaaaaaa\x01\"}",
		/* UTF-8: alone, cut, overlong, surrogate, too high */
		"{\"a\":\"\x80\"}",
		"{\"a\":\"\xc3\"}",
		"{\"a\":\"\xc0\xaf\"}",
		"{\"a\":\"\xe0\x80\xaf\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}",
		"{\"a\":\"\xff\"}",
		"\xef\xbb\xbf{}",
		/* ours given twice */
		"{\"ref\":1,\"ref\":1}",
		"{\"ref\":1,\"r\\u0065f\":1}",
		"{\"ref\":null,\"ref\":\"x\"}",
		"{\"repository\":{},\"repository\":{}}",
		"{\"sender\":{\"id\":1,\"id\":1}}",
		"{\"sender\":1,\"sender\":{\"id\":1}}",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		if (is_read(bad[i], strlen(bad[i])))
			fail_msg("read: %s", bad[i]);
	assert_false(is_read("{\"a\":\"\0\"}", 9));
	assert_false(is_read("{}\0", 3));
}

TEST(every_beginning_of_a_document_is_refused)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	github_sample_push(&text, "refs/heads/main", 1);
	assert_true(is_read(buf_text(&text), text.size));
	for (size_t size = 0; size < text.size; size++)
		assert_false(is_read(buf_text(&text), size));
	buf_done(&text);
}

TEST(depth_64_is_read_and_65_is_refused)
{
	char text[2 * 65 + 8];

	for (size_t depth = 64; depth <= 65; depth++) {
		struct buf buf;

		buf_init(&buf, sizeof(text));
		buf_adds(&buf, "{\"a\":");
		for (size_t i = 1; i < depth; i++)
			buf_adds(&buf, "[");
		for (size_t i = 1; i < depth; i++)
			buf_adds(&buf, "]");
		buf_adds(&buf, "}");
		assert_int_equal(is_read(buf_text(&buf), buf.size), depth == 64);
		buf_done(&buf);
	}
}

TEST(a_hundred_thousand_brackets_are_refused_without_a_deep_stack)
{
	size_t size = 100000;
	char *text = malloc(size);

	memset(text, '[', size);
	memcpy(text, "{\"a\":", 5);
	assert_false(is_read(text, size));
	free(text);
}

TEST(the_fields_of_a_push_are_picked)
{
	struct github_payload payload;
	char text[300];
	struct buf push;
	int64_t id;

	buf_init(&push, 1 << 20);
	github_sample_push(&push, "refs/heads/feature/m\\u00e4in", 1);
	assert_in_range(push.size, 7000, 8500);
	assert_true(github_payload_read(buf_text(&push), push.size, &payload, NULL));
	assert_true(github_payload_text(&payload.field[GITHUB_REF], text, sizeof(text)));
	assert_string_equal(text, "refs/heads/feature/m\xc3\xa4in");
	assert_true(github_payload_text(&payload.field[GITHUB_HEAD_COMMIT_ID], text, sizeof(text)));
	assert_string_equal(text, GITHUB_SAMPLE_AFTER);
	assert_true(github_payload_text(&payload.field[GITHUB_SENDER_LOGIN], text, sizeof(text)));
	assert_string_equal(text, "Codertocat");
	assert_true(
	    github_payload_text(&payload.field[GITHUB_REPOSITORY_NAME], text, sizeof(text)));
	assert_string_equal(text, "Codertocat/Hello-World");
	assert_true(github_payload_i64(&payload.field[GITHUB_SENDER_ID], &id));
	assert_int_equal(id, 21031067);
	assert_true(github_payload_i64(&payload.field[GITHUB_REPOSITORY_ID], &id));
	assert_int_equal(id, 186853002);
	assert_int_equal(payload.field[GITHUB_FORCED].type, GITHUB_TRUE);
	assert_int_equal(payload.field[GITHUB_DELETED].type, GITHUB_FALSE);
	assert_int_equal(payload.field[GITHUB_REPOSITORY].type, GITHUB_OBJECT);
	assert_int_equal(payload.field[GITHUB_ZEN].type, GITHUB_ABSENT);
	buf_done(&push);
}

TEST(a_key_counts_only_in_its_place_and_however_it_is_written)
{
	static const char text[] = "{\"x\":{\"ref\":\"no\",\"id\":1},\"a\":[{\"ref\":\"no\"}],"
				   "\"id\":2,\"r\\u0065\\u0066\":\"yes\",\"sender\":{\"id\":3,"
				   "\"x\":{\"id\":4}},\"repository\":[{\"id\":5}],\"Ref\":\"no\"}";
	struct github_payload payload;
	char ref[8];
	int64_t id;

	assert_true(github_payload_read(text, strlen(text), &payload, NULL));
	assert_true(github_payload_text(&payload.field[GITHUB_REF], ref, sizeof(ref)));
	assert_string_equal(ref, "yes");
	assert_true(github_payload_i64(&payload.field[GITHUB_SENDER_ID], &id));
	assert_int_equal(id, 3);
	assert_int_equal(payload.field[GITHUB_REPOSITORY].type, GITHUB_ARRAY);
	assert_int_equal(payload.field[GITHUB_REPOSITORY_ID].type, GITHUB_ABSENT);
}

TEST(a_value_of_another_type_or_size_is_not_taken)
{
	static const char text[] = "{\"ref\":7,\"before\":\"1\",\"after\":\"\\u00e9\\u00e9\","
				   "\"sender\":{\"id\":1.0},\"zen\":1e3}";
	struct github_payload payload;
	char out[8] = "x";
	int64_t id = 42;

	assert_true(github_payload_read(text, strlen(text), &payload, NULL));
	assert_false(github_payload_text(&payload.field[GITHUB_REF], out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(github_payload_text(&payload.field[GITHUB_AFTER], out, 4));
	assert_true(github_payload_text(&payload.field[GITHUB_AFTER], out, 5));
	assert_false(github_payload_i64(&payload.field[GITHUB_BEFORE], &id));
	assert_false(github_payload_i64(&payload.field[GITHUB_SENDER_ID], &id));
	assert_false(github_payload_i64(&payload.field[GITHUB_ZEN], &id));
	assert_false(github_payload_i64(&payload.field[GITHUB_FORCED], &id));
	assert_int_equal(id, 42);
}

/* --- compared with jansson --- */

static const struct {
	enum github_field field;
	const char *in; /* NULL: at the top */
	const char *key;
} paths[] = {
	{ GITHUB_REF, NULL, "ref" },
	{ GITHUB_BEFORE, NULL, "before" },
	{ GITHUB_AFTER, NULL, "after" },
	{ GITHUB_ZEN, NULL, "zen" },
	{ GITHUB_HEAD_COMMIT_ID, "head_commit", "id" },
	{ GITHUB_REPOSITORY_NAME, "repository", "full_name" },
	{ GITHUB_REPOSITORY_ID, "repository", "id" },
	{ GITHUB_SENDER_LOGIN, "sender", "login" },
	{ GITHUB_SENDER_ID, "sender", "id" },
};

static void
compare_fields(const struct github_payload *payload, const struct json *root)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct github_value *mine = &payload->field[paths[i].field];
		const struct json *in = paths[i].in != NULL ? json_get(root, paths[i].in) : root;
		const struct json *theirs = json_get(in, paths[i].key);
		char text[16384];
		int64_t a = 0, b = 0;

		assert_int_equal(mine->type == GITHUB_STRING, json_str(theirs) != NULL);
		if (github_payload_text(mine, text, sizeof(text)))
			assert_string_equal(text, json_str(theirs));
		assert_int_equal(github_payload_i64(mine, &a), json_get_i64(in, paths[i].key, &b));
		assert_int_equal(a, b);
	}
}

/* The next "key": at or behind `at`, without its quotes; NULL: none.  For texts that are JSON. */
static const char *
next_key(const char *at, const char *end, size_t *ret_size)
{
	while (at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		const char *start = ++at;

		while (*at != '"')
			at += *at == '\\' ? 2 : 1;
		*ret_size = (size_t)(at - start);
		at++;
		if (at[strspn(at, " \t\r\n")] == ':')
			return start;
	}
	return NULL;
}

/* May any object hold a key twice?  (Two objects may share one: then it says so too.) */
static bool
may_hold_a_key_twice(const char *text, size_t size)
{
	const char *end = text + size;
	size_t a_size, b_size;

	for (const char *a = next_key(text, end, &a_size); a != NULL;
	     a = next_key(a + a_size + 1, end, &a_size))
		for (const char *b = next_key(a + a_size + 1, end, &b_size); b != NULL;
		     b = next_key(b + b_size + 1, end, &b_size))
			if (memchr(b, '\\', b_size) != NULL || memchr(a, '\\', a_size) != NULL ||
			    (a_size == b_size && memcmp(a, b, a_size) == 0))
				return true;
	return false;
}

/* Both read it or both refuse it; jansson alone also refuses a strange key given twice. */
static bool
compare(const char *text, size_t size)
{
	CLEANUP(json_freep) struct json *root = json_decode(text, size, NULL);
	struct github_payload payload;
	char *copy;
	bool mine = reads(text, size, &payload, &copy);

	/* jansson 2.14 swallows a NUL behind a number. */
	if (memchr(text, '\0', size) != NULL) {
		assert_false(mine);
	} else if (root != NULL && json_holds_object(root)) {
		if (!mine)
			fail_msg("jansson reads what we refuse: %.*s", (int)size, text);
		compare_fields(&payload, root);
	} else if (mine && !may_hold_a_key_twice(text, size)) {
		fail_msg("we read what jansson refuses: %.*s", (int)size, text);
	}
	free(copy);
	return mine;
}

static uint32_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Small, so that a mutation hits grammar; no key occurs twice in it. */
static const char base[] =
    "{\"ref\":\"refs/heads/\\u00e9\\ud83d\\ude00\xc3\xa9\xf0\x9f\x98\x80\","
    "\"1\":[1,-2.5e+3,{\"2\":[]}, true],\"head_commit\":{\"id\":\"abc\",\"3\":null},"
    "\"sender\":{\"login\":\"o\\/"
    "c\\n\",\"4\":9223372036854775807},\"zen\":false,\"repository\":{\"full_name\":\"\"} }";

static void
mutate(char *text, size_t *size, size_t room, uint64_t *seed)
{
	static const char pieces[] =
	    "{}[]\",:\\u0123456789abcdefDC+-.eE \n\x01\x7f\x80\xc3\xed\xf0";
	size_t at = draw(seed) % *size;
	char c = pieces[draw(seed) % (sizeof(pieces) - 1)];
	size_t from = draw(seed) % *size;

	switch (draw(seed) % 5) {
	case 0:
		text[at] = c;
		break;
	case 1:
		text[at] = (char)draw(seed);
		break;
	case 2: /* out */
		memmove(text + at, text + at + 1, *size - at - 1);
		*size -= *size > 1;
		break;
	case 3: /* in */
		if (*size + 1 >= room)
			break;
		memmove(text + at + 1, text + at, *size - at);
		text[at] = c;
		(*size)++;
		break;
	default: /* a few bytes from elsewhere */
		for (size_t i = 0; i < 4 && at + i < *size && from + i < *size; i++)
			text[at + i] = text[from + i];
	}
}

TEST(random_mutations_are_judged_as_jansson_judges_them)
{
	const char *given = getenv("SEED");
	uint64_t start = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	uint64_t seed = start;
	size_t good = 0;

	print_message("SEED=%llu\n", (unsigned long long)start);
	for (int round = 0; round < 200000; round++) {
		char text[sizeof(base) + 64];
		size_t size = sizeof(base) - 1;

		memcpy(text, base, sizeof(base));
		for (uint32_t n = draw(&seed) % 3 + 1; n > 0; n--)
			mutate(text, &size, sizeof(text), &seed);
		text[size] = '\0';
		good += compare(text, size);
	}
	assert_in_range(good, 1000, 199000); /* both sides were tried */
}

TEST(a_push_is_read_in_a_few_microseconds)
{
	struct github_payload payload;
	struct timespec begin, end;
	struct buf push;
	double us;

	buf_init(&push, 1 << 20);
	github_sample_push(&push, "refs/heads/main", 1);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < 2000; i++)
		assert_true(github_payload_read(buf_text(&push), push.size, &payload, NULL));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	us = ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
	    2000 / 1000;
	print_message("%zu bytes in %.1f us\n", push.size, us);
	assert_true(
	    us < 200); /* 15 is the aim; this holds under sanitizers on a busy machine too */
	buf_done(&push);
}
