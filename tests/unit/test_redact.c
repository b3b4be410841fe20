/* Goal: no secret gets through, in any form and however the text is cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact.h"

#include <pthread.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "tests/unit/redact_aid.h"
#include "unit.h"

#define JWT_HEADER "eyJhbGciOiJSUzI1NiJ9"
#define JWT_CLAIMS "eyJzdWIiOiJjaSJ9"

static const char secret[] = "p@ss/word+with&signs";

static struct redact *
with_secret(void)
{
	struct redact *r = redact_new();

	assert_non_null(r);
	assert_true(redact_add(r, secret, NULL));
	return r;
}

TEST(a_known_value_is_found_in_every_form)
{
	static const char *const forms[] = {
		"p@ss/word+with&signs",
		"p%40ss%2Fword%2Bwith%26signs",
		"p%40ss%2fword%2bwith%26signs",
		"cEBzcy93b3JkK3dpdGgmc2lnbn",
	};
	struct redact *r = with_secret();
	char text[200];

	for (size_t i = 0; i < COUNT(forms); i++) {
		(void)snprintf(text, sizeof(text), "a%s.", forms[i]);
		redact_check(r, text, "a***.");
	}
	/* base64 of "x:" and of "x" with the secret behind; a character that the next byte can
	 * change is no part of it. */
	redact_check(
	    r, "eDpwQHNzL3dvcmQrd2l0aCZzaWducw== eHBAc3Mvd29yZCt3aXRoJnNpZ25z", "eDp***w== eH***");
	assert_true(redact_add(r, "what.stays_-~and/what", NULL));
	redact_check(r, "what.stays_-~and%2Fwhat", "***");
	redact_free(r);
}

TEST(shapes_of_tokens_are_found_without_knowing_them)
{
	redact_check(NULL, "https://api.telegram.org/bot" BOT_TOKEN "/getMe",
	    "https://api.telegram.org/bot***/getMe");
	redact_check(NULL, "x ghp_0123456789abcdefghijABCDEFGHIJ012345 y", "x *** y");
	redact_check(NULL, "github_pat_11ABCDEFG0123456789_abc", "***");
	redact_check(NULL, "key=AKIAIOSFODNN7EXAMPLE;", "key=***;");
	redact_check(NULL, "xoxb-123456789012-abcdef", "***");
	redact_check(NULL,
	    "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nzz--\n-----END RSA PRIVATE KEY-----\nb",
	    "a\n***\nb");
	redact_check(NULL, "-----BEGIN PRIVATE KEY-----\nabc", "***");
	redact_check(NULL, "-----BEGIN PRIVATE KEY-----", "***");
	redact_check(NULL, "-----BEGIN AZ09 PRIVATE KEY-----\nabc", "***");
	redact_check(
	    NULL, "-----BEGIN aZ PRIVATE KEY-----\nabc", "-----BEGIN aZ PRIVATE KEY-----\nabc");
}

/* Who shows a program's log does not know its secrets: these are the forms they stand there in. */
TEST(credentials_of_urls_and_headers_are_found_without_knowing_them)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "fatal: 'https://ci:s3cr3t@git.example.org/a.git/' not found",
		    "fatal: 'https://***@git.example.org/a.git/' not found" },
		{ "postgres://app:a%40b-c.~!$&()*+,;=@db:5432/x", "postgres://***@db:5432/x" },
		{ "https://abcdefghij0123456789@host", "https://***@host" },
		{ "https://:pw@host", "https://***@host" },
		{ "https://a:b:c@host", "https://***@host" },
		{ "a://b:c@d e://f:g@h", "a://***@d e://***@h" },
		/* the parts of that are not all there */
		{ "https://abcdefghij012345678@host", "https://abcdefghij012345678@host" },
		{ "ssh://git@github.com/a/b", "ssh://git@github.com/a/b" },
		{ "https://user:@host", "https://user:@host" },
		{ "http://host:8080/a@b", "http://host:8080/a@b" },
		{ "http://host:8080 a@b", "http://host:8080 a@b" },
		{ "git@github.com:a/b.git :// :/ : a:b@c",
		    "git@github.com:a/b.git :// :/ : a:b@c" },
		{ "https://user:password", "https://user:password" },
		{ "Authorization: Bearer eyJhbGci.eyJzdWIi.c2ln-_~+/==\r\nHost: x",
		    "Authorization: Bearer ***\r\nHost: x" },
		{ "AUTHORIZATION: basic eDp5OnpBQkM=", "AUTHORIZATION: basic ***" },
		{ "{\"authorization\": \"Token 0123456789abcdef\"}",
		    "{\"authorization\": \"Token ***\"}" },
		{ "Proxy-Authorization:Basic 12345678,", "Proxy-Authorization:Basic ***," },
		{ "Authorization: Basic 12345", "Authorization: Basic 12345" },
		{ "Authorization: Negotiate 0123456789", "Authorization: Negotiate 0123456789" },
		{ "authorization         Basic 12345678", "authorization         Basic 12345678" },
		{ "authorization        Basic 12345678", "authorization        Basic ***" },
		{ "authorizations: Basic 12345678", "authorizations: Basic 12345678" },
		{ "a Authorization: Bearer", "a Authorization: Bearer" },
		{ "An author, AKIAIOSFODNN7EXAMPLE", "An author, ***" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		redact_check(NULL, cases[i].text, cases[i].want);
}

/* Of a known value nothing is left, though a URL or header would end in the middle of it. */
TEST(a_known_value_goes_whole_out_of_urls_and_headers)
{
	struct redact *r = with_secret(); /* it has an @ and a slash */

	redact_check(r, "https://u:p@ss/word+with&signs@host", "https://***@host");
	redact_check(r, "https://u:p@ss/word+with&signs", "https://u:***");
	redact_check(r, "https://p@ss/word+with&signs:x@host", "https://***@host");
	redact_check(
	    r, "Authorization: Bearer 12345678p@ss/word+with&signs.", "Authorization: Bearer ***");
	assert_true(redact_add(r, "//user:pass@host/path", NULL));
	redact_check(r, "https://user:pass@host/path", "https:***");
	assert_true(redact_add(r, "Bearer 12345678 and more", NULL));
	redact_check(r, "Authorization: Bearer 12345678 and more", "Authorization: ***");
	redact_check(
	    r, "Authorization: Bearer 12345678 and mor", "Authorization: Bearer *** and mor");
	redact_free(r);
}

/* A log may have any bytes: a NUL is neither of a user nor of credentials, nor between the words
 * of a header. */
TEST(a_nul_ends_what_belongs_to_a_secret)
{
	static const struct {
		const char *text;
		size_t size;
		const char *want;
		size_t want_size;
	} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("https://abcdefghij\0klmnopqrstu@h"),
		    BYTES("https://abcdefghij\0klmnopqrstu@h") },
		{ BYTES("Authorization: Basic 12345678\09"), BYTES("Authorization: Basic ***\09") },
		{ BYTES("authorization:\0Basic 12345678"),
		    BYTES("authorization:\0Basic 12345678") },
#undef BYTES
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		redact_check_bytes(
		    NULL, cases[i].text, cases[i].size, cases[i].want, cases[i].want_size);
}

/* A header line is 8 KB at most; a URL that is longer has no user. */
TEST(credentials_end_somewhere)
{
	static char text[10000], want[10000];

	for (int size = 8191; size <= 8193; size++) {
		(void)snprintf(text, sizeof(text), "https://:%0*d@host", size - 1, 0);
		redact_check(NULL, text, size <= 8192 ? "https://***@host" : text);
		(void)snprintf(text, sizeof(text), "Authorization: Basic %0*d", size, 0);
		(void)snprintf(
		    want, sizeof(want), "Authorization: Basic ***%s", size <= 8192 ? "" : "0");
		redact_check(NULL, text, want);
	}
}

/* The longest heading has 95 characters before its last dashes, the longest number 64 digits. */
TEST(what_is_longer_than_a_token_can_be_is_none)
{
	char text[160];

	for (int before = 94; before <= 98; before++) {
		(void)snprintf(text, sizeof(text), "-----BEGIN %0*d PRIVATE KEY-----",
		    before - (int)strlen("-----BEGIN  PRIVATE KEY"), 0);
		redact_check(NULL, text, before < 96 ? "***" : text);
	}
	for (int digits = 63; digits <= 66; digits++) {
		(void)snprintf(
		    text, sizeof(text), "%0*d:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", digits, 0);
		redact_check(NULL, text, digits <= 64 ? "***" : text);
	}
}

TEST(ordinary_text_stays_as_it_is)
{
	static const char *const texts[] = { "12:34:56 built 1234567: ok", "ghp_short",
		"-----BEGIN CERTIFICATE-----", "-----BEGIN KEY-----", "AKIA", "--------",
		"1234567890123456789012345678901234",
		"commit 0123456789abcdef0123456789abcdef01234567", "" };
	struct redact *r = with_secret();

	for (size_t i = 0; i < COUNT(texts); i++)
		redact_check(r, texts[i], texts[i]);
	redact_free(r);
}

/* A piece of a larger text is judged by itself: what stands behind it makes no token of it. */
TEST(what_stands_behind_a_text_is_none_of_it)
{
	static const char text[] = "ghp_0123456789abcdefghij";
	struct buf out;

	buf_init(&out, 1024);
	redact_text(NULL, text, sizeof(text) - 2, &out);
	assert_int_equal(out.size, sizeof(text) - 2);
	assert_memory_equal(buf_text(&out), text, sizeof(text) - 2);
	buf_done(&out);
}

TEST(a_stream_cut_anywhere_gives_what_the_whole_gives)
{
	static const char text[] =
	    "go p@ss/word+with&signs! bot" BOT_TOKEN "/x "
	    "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY----- p@ss/wor "
	    "ghp_0123456789abcdefghijABCDEFGHIJ012345, p@ss";
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, false);
	struct buf out;

	buf_init(&out, 65536);
	for (size_t step = 1; step < sizeof(text); step++) {
		buf_clear(&out);
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			redact_stream_add(s, text + at,
			    step < sizeof(text) - 1 - at ? step : sizeof(text) - 1 - at, &out);
		redact_stream_end(s, &out);
		assert_string_equal(buf_text(&out), "go ***! bot***/x *** p@ss/wor ***, p@ss");
	}
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}

/* Behind the end of a key text is shown at once, not only when all has come. */
TEST(what_is_certain_is_not_held_back)
{
	static const char text[] =
	    "-----BEGIN PRIVATE KEY-----\na-b\n-----END PRIVATE KEY----- then ghp_short then";
	struct redact_stream *s = redact_stream_new(NULL, false);
	struct buf out;

	buf_init(&out, 65536);
	for (const char *c = text; *c != '\0'; c++)
		redact_stream_add(s, c, 1, &out);
	assert_string_equal(buf_text(&out), "*** then ghp_short then");
	buf_done(&out);
	redact_stream_free(s);
}

TEST(a_piece_larger_than_what_is_looked_at_at_once_is_cut)
{
	static char text[(1u << 20) + 100];
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, false);
	struct buf out;

	memset(text, '.', sizeof(text));
	memcpy(text + (1u << 20) - 10, secret, strlen(secret));
	buf_init(&out, 4u << 20);
	redact_stream_add(s, text, sizeof(text), &out);
	redact_stream_end(s, &out);
	assert_int_equal(out.size, sizeof(text) - strlen(secret) + strlen(REDACT_MARK));
	assert_memory_equal(buf_text(&out) + (1u << 20) - 12, "..***..", 7);
	buf_clear(&out);
	redact_stream_add(s, text, 1000000, &out);
	redact_stream_end(s, &out);
	assert_int_equal(out.size, 1000000);
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}

TEST(lines_of_a_value_are_secrets_too_and_short_ones_are_not)
{
	struct redact *r = redact_new();

	assert_true(redact_add(r, "first-line-of-it\nsecond-line-of-it\n", NULL));
	assert_true(redact_add(r, "short", NULL));
	redact_check(r, "x first-line-of-it y second-line-of-it short", "x *** y *** short");
	assert_true(redact_add(r, "6byte!", NULL));
	assert_true(redact_add(r, "5byte", NULL));
	assert_true(redact_add(r, "6sign.\n5sign", NULL));
	redact_check(r, "6byte! 5byte 6sign. 5sign", "*** 5byte *** 5sign");
	redact_free(r);
	redact_free(NULL);
}

TEST(a_value_may_begin_with_any_byte)
{
	char value[] = "_mot-de-passe", text[32];
	struct redact *r = redact_new();

	for (int first = 1; first < 256; first++) {
		value[0] = (char)first;
		assert_true(redact_add(r, value, NULL));
		(void)snprintf(text, sizeof(text), "<%s>", value);
		redact_check(r, text, "<***>");
	}
	redact_free(r);
}

TEST(a_value_at_the_end_is_found_though_a_longer_one_begins_so)
{
	struct redact *r = redact_new();

	assert_true(redact_add(r, "first-line-of-it\nsecond-line-of-it\n", NULL));
	redact_check(r, "x first-line-of-it", "x ***");
	redact_check(r, "x first-line-of-it\nsecond", "x ***\nsecond");
	redact_free(r);
}

TEST(a_value_with_the_shape_of_a_token_goes_whole_wherever_it_is_cut)
{
	static const char value[] = "ghp_0123456789abcdefghij!tail";
	struct redact *r = redact_new();
	struct redact_stream *s = redact_stream_new(r, false);
	struct buf out;

	buf_init(&out, 65536);
	assert_true(redact_add(r, value, NULL));
	for (size_t cut = 1; cut < sizeof(value) - 1; cut++) {
		buf_clear(&out);
		redact_stream_add(s, value, cut, &out);
		redact_stream_add(s, value + cut, sizeof(value) - 1 - cut, &out);
		redact_stream_end(s, &out);
		assert_string_equal(buf_text(&out), "***");
	}
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}

TEST(a_key_without_end_does_not_swallow_the_rest_for_ever)
{
	static char whole[27 + 32767 + 4] = "-----BEGIN PRIVATE KEY-----";
	struct redact_stream *s = redact_stream_new(NULL, false);
	struct buf out;

	buf_init(&out, 1u << 20);
	redact_stream_add(s, "-----BEGIN PRIVATE KEY-----", 27, &out);
	for (int i = 0; i < 40000; i++)
		redact_stream_add(s, "-", 1, &out);
	redact_stream_add(s, "end", 3, &out);
	redact_stream_end(s, &out);
	assert_non_null(strstr(buf_text(&out), "end"));
	assert_true(out.size < 10000);
	buf_clear(&out);
	redact_stream_add(s, "-----BEGIN PRIVATE KEY-----", 27, &out);
	for (int i = 0; i < 32767; i++)
		redact_stream_add(s, "x", 1, &out);
	redact_stream_add(s, "end", 3, &out);
	redact_stream_end(s, &out);
	assert_string_equal(buf_text(&out), "***end");
	memset(whole + 27, 'x', 32767);
	memcpy(whole + 27 + 32767, "end", 4);
	redact_check(NULL, whole, "***end");
	redact_check(NULL, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----EN", "***");
	buf_done(&out);
	redact_stream_free(s);
}

/* The filter judges 32 places at once, by 35 bytes: a token that begins at any of them is found,
 * with as many bytes behind it or none.  Letters that it begins with stand before it. */
TEST(a_token_is_found_at_each_of_the_places_that_are_judged_at_once)
{
	static const char *const tokens[] = { "ghs_1234567_" JWT_HEADER "." JWT_CLAIMS "."
					      "c2lnbmF0dXJlc2lnbmF0dXJl",
		JWT_HEADER "." JWT_CLAIMS ".c2lnbmF0dXJl",
		"glpat-zzzzzzzzzzzzzzzzzzzz.01.101abcdef" };
	char text[512], want[512];

	for (size_t i = 0; i < COUNT(tokens); i++)
		for (int before = 0; before <= 70; before++)
			for (int behind = 0; behind <= 40; behind += before % 3 == 0 ? 1 : 20) {
				char fill[80];

				memset(fill, tokens[i][0], sizeof(fill));
				(void)snprintf(text, sizeof(text), "%.*s%s%*s", before, fill,
				    tokens[i], behind, "");
				(void)snprintf(
				    want, sizeof(want), "%.*s***%*s", before, fill, behind, "");
				redact_check(NULL, text, want);
			}
}

/* As long as GitHub makes them today, and up to 1,023 bytes, in however many pieces. */
TEST(a_token_of_an_installation_goes_whole)
{
	char text[1100] = "token=ghs_1234567_" JWT_HEADER ".", *at = text + strlen(text);

	memset(at, 'A', 1017 - (size_t)(at - text));
	memcpy(text + 520, ".", 1);
	memcpy(text + 1017, ", next", sizeof(", next"));
	redact_check(NULL, text, "token=***, next");
	text[1017] = '\0';
	redact_check(NULL, text, "token=***");
}

/* 256 secrets of at most 8 KB, or as many as were asked for: one more, or a longer one, is refused,
 * never left out silently. */
TEST(more_or_longer_secrets_than_can_be_held_are_refused)
{
	static const size_t rooms[] = { REDACT_VALUES_MAX, 4 * REDACT_VALUES_MAX };
	static char longest[REDACT_VALUE_MAX + 2];
	char value[48];

	for (size_t i = 0; i < COUNT(rooms); i++) {
		struct redact *r = redact_new();
		struct err err = { 0 };

		if (rooms[i] > REDACT_VALUES_MAX)
			redact_room(r, rooms[i]);
		memset(longest, 'z', REDACT_VALUE_MAX + 1);
		assert_false(redact_add(r, longest, &err));
		assert_int_equal(err.code, ERR_LIMIT);
		longest[REDACT_VALUE_MAX] = '\0';
		assert_true(redact_add(r, longest, &err));
		for (size_t n = 1; n < rooms[i]; n++) {
			(void)snprintf(value, sizeof(value), "secret-number-%zu", n);
			assert_true(redact_add(r, value, &err));
		}
		redact_check(r, value, "***");
		err = (struct err){ 0 };
		assert_false(redact_add(r, "one-secret-too-many", &err));
		assert_int_equal(err.code, ERR_LIMIT);
		redact_free(r);
	}
}

/* The 257th call was refused, though it was of a value that was there: after 64 to 128 changed
 * settings a secret that had been rotated was not redacted. */
TEST(a_value_that_is_known_counts_once)
{
	struct redact *r = redact_new();
	struct err err;

	for (int i = 0; i < 4 * REDACT_VALUES_MAX; i++) {
		assert_true(redact_add(r, "the-one-of-today", &err));
		assert_true(redact_add(r, i % 2 == 0 ? "before-it-was-rotated" : "after-it", &err));
	}
	assert_true(redact_add(r, "the-one-of-tomorrow", &err));
	redact_check(r, "the-one-of-tomorrow before-it-was-rotated after-it", "*** *** ***");
	redact_free(r);
}

static void *
add_more(void *arg)
{
	struct redact *r = arg;
	char value[32];

	for (int i = 0; i < REDACT_VALUES_MAX - 1; i++) {
		(void)snprintf(value, sizeof(value), "secret-number-%d", i);
		assert_true(redact_add(r, value, NULL));
	}
	return NULL;
}

/* Both threads log, and settings are reloaded meanwhile: make check-tsan looks on. */
TEST(one_thread_may_add_what_another_looks_for)
{
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, false);
	pthread_t adds;
	struct buf out;

	buf_init(&out, 65536);
	assert_int_equal(pthread_create(&adds, NULL, add_more, r), 0);
	for (int i = 0; i < 1000; i++) {
		buf_clear(&out);
		redact_text(r, secret, strlen(secret), &out);
		redact_stream_add(s, secret, strlen(secret), &out);
		redact_stream_end(s, &out);
		assert_string_equal(buf_text(&out), "******");
	}
	assert_int_equal(pthread_join(adds, NULL), 0);
	redact_check(r, "secret-number-7 secret-number-254", "*** ***");
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}
