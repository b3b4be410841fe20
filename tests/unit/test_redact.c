/* Goal: no secret gets through, in any form and however the text is cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fail_nth.h"
#include "lib/buf.h"
#include "lib/err.h"

#define BOT_TOKEN "123456789:AAExxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_-"

static const char secret[] = "p@ss/word+with&signs";

static struct redact *
with_secret(void)
{
	struct redact *r = redact_new(NULL);

	assert_non_null(r);
	assert_true(redact_add(r, secret, NULL));
	return r;
}

/* The whole at once, where AddressSanitizer lets nothing behind it be read, and byte by byte. */
static void
check_bytes(struct redact *r, const char *text, size_t size, const char *want, size_t want_size)
{
	struct redact_stream *s = redact_stream_new(r, NULL);
	char *bare = malloc(size + (size == 0));
	struct buf out;

	assert_non_null(bare);
	memcpy(bare, text, size);
	buf_init(&out, 65536);
	redact_text(r, bare, size, &out);
	free(bare);
	assert_int_equal(out.size, want_size);
	assert_memory_equal(buf_text(&out), want, want_size);
	buf_clear(&out);
	for (size_t i = 0; i < size; i++)
		redact_stream_add(s, text + i, 1, &out);
	redact_stream_end(s, &out);
	assert_int_equal(out.size, want_size);
	assert_memory_equal(buf_text(&out), want, want_size);
	buf_done(&out);
	redact_stream_free(s);
}

static void
check(struct redact *r, const char *text, const char *want)
{
	check_bytes(r, text, strlen(text), want, strlen(want));
}

static void
a_known_value_is_found_in_every_form(void **state)
{
	static const char *const forms[] = {
		"p@ss/word+with&signs",
		"p%40ss%2Fword%2Bwith%26signs",
		"p%40ss%2fword%2bwith%26signs",
		"cEBzcy93b3JkK3dpdGgmc2lnbn",
	};
	struct redact *r = with_secret();
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		(void)snprintf(text, sizeof(text), "a%s.", forms[i]);
		check(r, text, "a***.");
	}
	/* base64 of "x:" and of "x" with the secret behind; a character that the next byte can
	 * change is no part of it. */
	check(
	    r, "eDpwQHNzL3dvcmQrd2l0aCZzaWducw== eHBAc3Mvd29yZCt3aXRoJnNpZ25z", "eDp***w== eH***");
	assert_true(redact_add(r, "what.stays_-~and/what", NULL));
	check(r, "what.stays_-~and%2Fwhat", "***");
	redact_free(r);
}

/* A form that stands there already is not held a second time. */
static void
a_value_that_is_known_takes_no_room_again(void **state)
{
	struct redact *r = with_secret();
	unsigned n = 1;

	(void)state;
	for (fail_nth(FAIL_MEMORY, n); !redact_add(r, secret, NULL); fail_nth(FAIL_MEMORY, n))
		n++;
	assert_false(fail_nth_met());
	assert_int_equal(n - 1, 2 * 8); /* the encodings, of the value and of its one line */
	redact_free(r);
}

static void
shapes_of_tokens_are_found_without_knowing_them(void **state)
{
	(void)state;
	check(NULL, "https://api.telegram.org/bot" BOT_TOKEN "/getMe",
	    "https://api.telegram.org/bot***/getMe");
	check(NULL, "x ghp_0123456789abcdefghijABCDEFGHIJ012345 y", "x *** y");
	check(NULL, "github_pat_11ABCDEFG0123456789_abc", "***");
	check(NULL, "key=AKIAIOSFODNN7EXAMPLE;", "key=***;");
	check(NULL, "xoxb-123456789012-abcdef", "***");
	check(NULL,
	    "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nzz--\n-----END RSA PRIVATE KEY-----\nb",
	    "a\n***\nb");
	check(NULL, "-----BEGIN PRIVATE KEY-----\nabc", "***");
	check(NULL, "-----BEGIN PRIVATE KEY-----", "***");
	check(NULL, "-----BEGIN AZ09 PRIVATE KEY-----\nabc", "***");
	check(NULL, "-----BEGIN aZ PRIVATE KEY-----\nabc", "-----BEGIN aZ PRIVATE KEY-----\nabc");
}

/* Who shows a program's log does not know its secrets: these are the forms they stand there in. */
static void
credentials_of_urls_and_headers_are_found_without_knowing_them(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(NULL, cases[i].text, cases[i].want);
}

/* Of a known value nothing is left, though a URL or header would end in the middle of it. */
static void
a_known_value_goes_whole_out_of_urls_and_headers(void **state)
{
	struct redact *r = with_secret(); /* it has an @ and a slash */

	(void)state;
	check(r, "https://u:p@ss/word+with&signs@host", "https://***@host");
	check(r, "https://u:p@ss/word+with&signs", "https://u:***");
	check(r, "https://p@ss/word+with&signs:x@host", "https://***@host");
	check(
	    r, "Authorization: Bearer 12345678p@ss/word+with&signs.", "Authorization: Bearer ***");
	assert_true(redact_add(r, "//user:pass@host/path", NULL));
	check(r, "https://user:pass@host/path", "https:***");
	assert_true(redact_add(r, "Bearer 12345678 and more", NULL));
	check(r, "Authorization: Bearer 12345678 and more", "Authorization: ***");
	check(r, "Authorization: Bearer 12345678 and mor", "Authorization: Bearer *** and mor");
	redact_free(r);
}

/* A log may have any bytes: a NUL is neither of a user nor of credentials, nor between the words
 * of a header. */
static void
a_nul_ends_what_belongs_to_a_secret(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_bytes(NULL, cases[i].text, cases[i].size, cases[i].want, cases[i].want_size);
}

/* A header line is 8 KB at most; a URL that is longer has no user. */
static void
credentials_end_somewhere(void **state)
{
	static char text[10000], want[10000];

	(void)state;
	for (int size = 8191; size <= 8193; size++) {
		(void)snprintf(text, sizeof(text), "https://:%0*d@host", size - 1, 0);
		check(NULL, text, size <= 8192 ? "https://***@host" : text);
		(void)snprintf(text, sizeof(text), "Authorization: Basic %0*d", size, 0);
		(void)snprintf(
		    want, sizeof(want), "Authorization: Basic ***%s", size <= 8192 ? "" : "0");
		check(NULL, text, want);
	}
}

/* The longest heading has 95 characters before its last dashes, the longest number 64 digits. */
static void
what_is_longer_than_a_token_can_be_is_none(void **state)
{
	char text[160];

	(void)state;
	for (int before = 94; before <= 98; before++) {
		(void)snprintf(text, sizeof(text), "-----BEGIN %0*d PRIVATE KEY-----",
		    before - (int)strlen("-----BEGIN  PRIVATE KEY"), 0);
		check(NULL, text, before < 96 ? "***" : text);
	}
	for (int digits = 63; digits <= 66; digits++) {
		(void)snprintf(
		    text, sizeof(text), "%0*d:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", digits, 0);
		check(NULL, text, digits <= 64 ? "***" : text);
	}
}

static void
ordinary_text_stays_as_it_is(void **state)
{
	static const char *const texts[] = { "12:34:56 built 1234567: ok", "ghp_short",
		"-----BEGIN CERTIFICATE-----", "-----BEGIN KEY-----", "AKIA", "--------",
		"1234567890123456789012345678901234",
		"commit 0123456789abcdef0123456789abcdef01234567", "" };
	struct redact *r = with_secret();

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		check(r, texts[i], texts[i]);
	redact_free(r);
}

/* A piece of a larger text is judged by itself: what stands behind it makes no token of it. */
static void
what_stands_behind_a_text_is_none_of_it(void **state)
{
	static const char text[] = "ghp_0123456789abcdefghij";
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	redact_text(NULL, text, sizeof(text) - 2, &out);
	assert_int_equal(out.size, sizeof(text) - 2);
	assert_memory_equal(buf_text(&out), text, sizeof(text) - 2);
	buf_done(&out);
}

static void
a_stream_cut_anywhere_gives_what_the_whole_gives(void **state)
{
	static const char text[] =
	    "go p@ss/word+with&signs! bot" BOT_TOKEN "/x "
	    "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY----- p@ss/wor "
	    "ghp_0123456789abcdefghijABCDEFGHIJ012345, p@ss";
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, NULL);
	struct buf out;

	(void)state;
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
static void
what_is_certain_is_not_held_back(void **state)
{
	static const char text[] =
	    "-----BEGIN PRIVATE KEY-----\na-b\n-----END PRIVATE KEY----- then ghp_short then";
	struct redact_stream *s = redact_stream_new(NULL, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (const char *c = text; *c != '\0'; c++)
		redact_stream_add(s, c, 1, &out);
	assert_string_equal(buf_text(&out), "*** then ghp_short then");
	buf_done(&out);
	redact_stream_free(s);
}

static void
a_piece_larger_than_what_is_looked_at_at_once_is_cut(void **state)
{
	static char text[(1u << 20) + 100];
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, NULL);
	struct buf out;

	(void)state;
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

static void
lines_of_a_value_are_secrets_too_and_short_ones_are_not(void **state)
{
	struct redact *r = redact_new(NULL);

	(void)state;
	assert_true(redact_add(r, "first-line-of-it\nsecond-line-of-it\n", NULL));
	assert_true(redact_add(r, "short", NULL));
	check(r, "x first-line-of-it y second-line-of-it short", "x *** y *** short");
	assert_true(redact_add(r, "6byte!", NULL));
	assert_true(redact_add(r, "5byte", NULL));
	assert_true(redact_add(r, "6sign.\n5sign", NULL));
	check(r, "6byte! 5byte 6sign. 5sign", "*** 5byte *** 5sign");
	redact_free(r);
	redact_free(NULL);
}

static void
a_value_may_begin_with_any_byte(void **state)
{
	char value[] = "_mot-de-passe", text[32];
	struct redact *r = redact_new(NULL);

	(void)state;
	for (int first = 1; first < 256; first++) {
		value[0] = (char)first;
		assert_true(redact_add(r, value, NULL));
		(void)snprintf(text, sizeof(text), "<%s>", value);
		check(r, text, "<***>");
	}
	redact_free(r);
}

static void
a_value_at_the_end_is_found_though_a_longer_one_begins_so(void **state)
{
	struct redact *r = redact_new(NULL);

	(void)state;
	assert_true(redact_add(r, "first-line-of-it\nsecond-line-of-it\n", NULL));
	check(r, "x first-line-of-it", "x ***");
	check(r, "x first-line-of-it\nsecond", "x ***\nsecond");
	redact_free(r);
}

static void
a_value_with_the_shape_of_a_token_goes_whole_wherever_it_is_cut(void **state)
{
	static const char value[] = "ghp_0123456789abcdefghij!tail";
	struct redact *r = redact_new(NULL);
	struct redact_stream *s = redact_stream_new(r, NULL);
	struct buf out;

	(void)state;
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

static void
a_key_without_end_does_not_swallow_the_rest_for_ever(void **state)
{
	static char whole[27 + 32767 + 4] = "-----BEGIN PRIVATE KEY-----";
	struct redact_stream *s = redact_stream_new(NULL, NULL);
	struct buf out;

	(void)state;
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
	check(NULL, whole, "***end");
	check(NULL, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----EN", "***");
	buf_done(&out);
	redact_stream_free(s);
}

static void
each_shape_begins_and_ends_where_it_is_said_to(void **state)
{
	static const struct {
		const char *prefix;
		size_t least;
		bool at_word;
	} shapes[] = {
		{ "ghp_", 20, false },
		{ "gho_", 20, false },
		{ "ghu_", 20, false },
		{ "ghs_", 20, false },
		{ "ghr_", 20, false },
		{ "github_pat_", 20, false },
		{ "glpat-", 20, false },
		{ "gldt-", 20, false },
		{ "glrt-", 20, false },
		{ "glrtr-", 20, false },
		{ "glcbt-", 20, false },
		{ "glptt-", 20, false },
		{ "glft-", 20, false },
		{ "glimt-", 20, false },
		{ "glagent-", 20, false },
		{ "glsoat-", 20, false },
		{ "glffct-", 20, false },
		{ "gloas-", 20, false },
		{ "hvs.", 20, false },
		{ "hvb.", 20, false },
		{ "hvr.", 20, false },
		{ "whsec_", 20, false },
		{ "AKIA", 16, true },
		{ "ASIA", 16, true },
		{ "xoxa-", 10, true },
		{ "xoxb-", 10, true },
		{ "xoxe-", 10, true },
		{ "xoxp-", 10, true },
		{ "xoxr-", 10, true },
		{ "xoxs-", 10, true },
		{ "123456:", 30, false },
	};
	char text[80], want[80];

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		int least = (int)shapes[i].least;

		(void)snprintf(text, sizeof(text), " %s%.*s.", shapes[i].prefix, least,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		check(NULL, text, " ***.");
		(void)snprintf(text, sizeof(text), " %s%.*s.", shapes[i].prefix, least - 1,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		check(NULL, text, text);
		(void)snprintf(text, sizeof(text), "q%s%.*s.", shapes[i].prefix, least,
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
		(void)snprintf(want, sizeof(want), "%s", shapes[i].at_word ? text : "q***.");
		check(NULL, text, want);
	}
	check(NULL, "12345:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	    "12345:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	for (const char *before = "09azAZ/:@[`{-_"; *before != '\0'; before++) {
		(void)snprintf(text, sizeof(text), "%cAKIAIOSFODNN7EXAMPLE", *before);
		(void)snprintf(want, sizeof(want), "%c***", *before);
		check(NULL, text, strchr("09azAZ", *before) != NULL ? text : want);
	}
	check(NULL, "ghp_09azAZ_-09azAZ_-09az/", "***/");
	for (const char *behind = "/:@[`{"; *behind != '\0'; behind++) {
		(void)snprintf(text, sizeof(text), "ghp_09azAZ_-09azAZ_-09a%c", *behind);
		check(NULL, text, text);
	}
}

/* Secrets that nobody has told us of: two texts of each shape that go, and two beside them that
 * stay.  Pieces of a text, so that no scanner takes this file for a leak. */
static void
each_shape_has_texts_that_go_and_texts_that_stay(void **state)
{
#define TWENTY "zzzzzzzzzzzzzzzzzzzz"
#define HEADER "eyJhbGciOiJSUzI1NiJ9"
#define CLAIMS "eyJzdWIiOiJjaSJ9"
#define GUID   "9da5da9c-4218-4c22-aed6-b5c8baebfff5"
	static const struct {
		const char *text, *want; /* NULL: it stays */
	} cases[] = {
		/* GitHub's of an installation: its number and a JWT */
		{ "a ghs_1234567_" HEADER "." CLAIMS ".c2lnbmF0dXJl, b", "a ***, b" },
		{ "ghs_" TWENTY ".b.c. Then", "***. Then" },
		{ "ghs_1234567_z.b.c", NULL },
		{ "ghs_z." TWENTY, NULL },
		/* JWT */
		{ "jwt=" HEADER "." CLAIMS ".c2lnbmF0dXJl.", "jwt=***." },
		{ "%3D" HEADER ".e30.c2ln/x", "%3D***/x" },
		{ HEADER "." CLAIMS, NULL },
		{ "eyJob.run.starts " HEADER "." CLAIMS ".c2", NULL },
		{ HEADER ". " CLAIMS ". c2lnbmF0dXJl", NULL },
		{ HEADER "..c2lnbmF0dXJl " HEADER ".e3.c2lnbmF0dXJl", NULL },
		{ "xyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", NULL },
		/* a second beginning, where the first one fails */
		{ "eyJeyJeyJeyJ/" HEADER ".e30.c2ln", "eyJeyJeyJeyJ/***" },
		{ HEADER ".e3." HEADER ".e30.c2ln", HEADER ".e3.***" },
		/* Vault */
		{ "VAULT_TOKEN=hvs." TWENTY "_-9.nsid", "VAULT_TOKEN=***" },
		{ "hvb." TWENTY "AAAA\n", "***\n" },
		{ "hvs.example.company.internal.net", NULL },
		{ "hvx." TWENTY " hv" TWENTY, NULL },
		/* GitLab */
		{ "https://gitlab.example.org/?private_token=glpat-" TWENTY "1.01.101abcdef&x",
		    "https://gitlab.example.org/?private_token=***&x" },
		{ "OUR-gldt-" TWENTY " glrtr-" TWENTY, "OUR-*** ***" },
		{ "glpat-short.01.1 glpat_" TWENTY, NULL },
		{ "glass-" TWENTY " glxx-" TWENTY, NULL },
		/* webhooks' signing secrets */
		{ "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD.", "***." },
		{ "\"whsec_" TWENTY "/+==\"", "\"***\"" },
		{ "whsec_"
		  "short",
		    NULL },
		{ "whsec-" TWENTY, NULL },
		/* Slack's hooks */
		{ "https://hooks.slack.com"
		  "/services/T2K4J934U/B"
		  "IAKM84H6/zzzz" TWENTY " x",
		    "https://hooks.slack.com/services/*** x" },
		{ "/workflows/T0000000/A0000000/12345678/" TWENTY
		  " /triggers/E0000000/12345678/" TWENTY,
		    "/workflows/*** /triggers/***" },
		{ "/services/T2K4J934U/BIAKM84H6/short /services/shop/web/" TWENTY, NULL },
		{ "/services/T2K4J934U/BIAKM84H6?" TWENTY " /workflows/test.yml/runs/12345678/",
		    NULL },
		/* Discord's */
		{ "https://discord.com/api/webhooks/123456789012345678/" TWENTY TWENTY
		  "zzzz_zzzz-zzzz/slack?wait",
		    "https://discord.com/api/webhooks/***?wait" },
		{ "/api/v10/webhooks/1234567890123456789/" TWENTY TWENTY TWENTY "zzzzzzzz",
		    "/api/v10/webhooks/***" },
		{ "/repos/a/b/webhooks/1234/" TWENTY TWENTY TWENTY, NULL },
		{ "/webhooks/123456789012345678/" TWENTY TWENTY, NULL },
		/* Teams' */
		{ "https://a.webhook.office.com/webhookb2/" GUID "@" GUID
		  "/IncomingWebhook/1bf66ccbb8e745e791fa6e6de0cf465b/" GUID "/V2x'",
		    "https://a.webhook.office.com/webhookb2/***'" },
		{ "https://outlook.office.com/webhook/" GUID "@" GUID "/IncomingWebhook/1b/" GUID,
		    "https://outlook.office.com/webhook/***" },
		{ "/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=" TWENTY "%2F-_" TWENTY
		  "&x ?sig=" TWENTY TWENTY,
		    "/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=***&x ?sig=***" },
		{ "/forge/webhook/gitlab /telegram/webhook /webhook/" GUID "/" GUID, NULL },
		{ "/webhookb2/" GUID "@" GUID " /webhook/" GUID "@x", NULL },
		{ "&sig=" TWENTY " ?sig=" TWENTY "." TWENTY, NULL },
		/* Mattermost's and Rocket.Chat's */
		{ "https://chat.example.org/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy",
		    "https://chat.example.org/hooks/***" },
		{ "https://chat.example.org/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy\n",
		    "https://chat.example.org/hooks/***\n" },
		{ "/hooks/xd8ac5qjbtgsfbq9u3eahk4rfy\" -d /hooks/5a1b2c3d4e5f6a7b8/" TWENTY TWENTY,
		    "/hooks/***\" -d /hooks/***" },
		{ "/hooks/build-finished /hooks/xd8ac5qjbtgsfbq9u3eahk4rf /hooks/x", NULL },
		{ "/hooks/xd8ac5qjbtgsfbq9u3eahk4rfyy /hooks/ld8ac5qjbtgsfbq9u3eahk4rfy "
		  "/hooks/XD8AC5QJBTGSFBQ9U3EAHK4RFY ",
		    NULL },
		/* dots end a token where nothing of one follows */
		{ "AKIAIOSFODNN7EXAMPLE. And", "***. And" },
		{ "ghp_" TWENTY "..b", "***..b" },
		{ "bot" BOT_TOKEN ".x", "bot***" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(NULL, cases[i].text, cases[i].want != NULL ? cases[i].want : cases[i].text);
}

/* Whoever adds a secret that cannot be remembered must hear of it: it would be shown. */
static void
a_secret_that_cannot_be_remembered_is_said_to_be(void **state)
{
	struct redact *r;
	unsigned n = 0;
	bool ok, is_met;
	struct err err;

	(void)state;
	do {
		r = redact_new(NULL);
		assert_non_null(r);
		fail_nth(FAIL_MEMORY, ++n);
		ok = redact_add(r, "first-secret-line\r\nsecond-secret-line", &err);
		is_met = fail_nth_met();
		assert_int_equal(ok, !is_met);
		if (is_met)
			assert_int_equal(err.code, ERR_NOMEM);
		redact_free(r);
	} while (is_met);
	assert_true(n > 20); /* as it is, two encodings, base64 at three offsets in two alphabets */

	fail_nth(FAIL_MEMORY, 1);
	err.code = ERR_IO;
	assert_null(redact_new(&err));
	assert_true(fail_nth_met());
	assert_int_equal(err.code, ERR_NOMEM);
	fail_nth(FAIL_MEMORY, 1);
	err.code = ERR_IO;
	assert_null(redact_stream_new(NULL, &err));
	assert_true(fail_nth_met());
	assert_int_equal(err.code, ERR_NOMEM);
	redact_free(NULL);
	redact_stream_free(NULL);
}

static void
a_stream_without_memory_shows_nothing_and_says_so(void **state)
{
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	redact_stream_add(s, "p@ss/word+wi", 12, &out);
	assert_string_equal(buf_text(&out), "");
	redact_stream_end(s, &out);
	buf_clear(&out);
	fail_nth(FAIL_MEMORY, 1);
	redact_stream_free(TAKE(s));
	s = redact_stream_new(NULL, NULL);
	assert_null(s);
	assert_true(fail_nth_met());
	s = redact_stream_new(r, NULL);
	fail_nth(FAIL_MEMORY, 1);
	redact_stream_add(s, "p@ss/word+with&signs", 20, &out);
	assert_true(fail_nth_met());
	assert_true(buf_failed(&out));
	redact_stream_end(s, &out);
	buf_clear(&out);
	redact_stream_add(s, "anew", 4, &out);
	redact_stream_end(s, &out);
	assert_string_equal(buf_text(&out), "anew");
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}

/* 256 secrets of at most 8 KB, or as many as were asked for: one more, or a longer one, is refused,
 * never left out silently. */
static void
more_or_longer_secrets_than_can_be_held_are_refused(void **state)
{
	static const size_t rooms[] = { REDACT_VALUES_MAX, 4 * REDACT_VALUES_MAX };
	static char longest[REDACT_VALUE_MAX + 2];
	char value[48];

	(void)state;
	for (size_t i = 0; i < COUNT(rooms); i++) {
		struct redact *r = redact_new(NULL);
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
		check(r, value, "***");
		err = (struct err){ 0 };
		assert_false(redact_add(r, "one-secret-too-many", &err));
		assert_int_equal(err.code, ERR_LIMIT);
		redact_free(r);
	}
}

/* The 257th call was refused, though it was of a value that was there: after 64 to 128 changed
 * settings a secret that had been rotated was not redacted. */
static void
a_value_that_is_known_counts_once(void **state)
{
	struct redact *r = redact_new(NULL);
	struct err err;

	(void)state;
	for (int i = 0; i < 4 * REDACT_VALUES_MAX; i++) {
		assert_true(redact_add(r, "the-one-of-today", &err));
		assert_true(redact_add(r, i % 2 == 0 ? "before-it-was-rotated" : "after-it", &err));
	}
	assert_true(redact_add(r, "the-one-of-tomorrow", &err));
	check(r, "the-one-of-tomorrow before-it-was-rotated after-it", "*** *** ***");
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
static void
one_thread_may_add_what_another_looks_for(void **state)
{
	struct redact *r = with_secret();
	struct redact_stream *s = redact_stream_new(r, NULL);
	pthread_t adds;
	struct buf out;

	(void)state;
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
	check(r, "secret-number-7 secret-number-254", "*** ***");
	buf_done(&out);
	redact_stream_free(s);
	redact_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_value_is_found_in_every_form),
		cmocka_unit_test(a_value_that_is_known_takes_no_room_again),
		cmocka_unit_test(shapes_of_tokens_are_found_without_knowing_them),
		cmocka_unit_test(credentials_of_urls_and_headers_are_found_without_knowing_them),
		cmocka_unit_test(a_known_value_goes_whole_out_of_urls_and_headers),
		cmocka_unit_test(a_nul_ends_what_belongs_to_a_secret),
		cmocka_unit_test(credentials_end_somewhere),
		cmocka_unit_test(what_is_longer_than_a_token_can_be_is_none),
		cmocka_unit_test(ordinary_text_stays_as_it_is),
		cmocka_unit_test(what_stands_behind_a_text_is_none_of_it),
		cmocka_unit_test(a_stream_cut_anywhere_gives_what_the_whole_gives),
		cmocka_unit_test(what_is_certain_is_not_held_back),
		cmocka_unit_test(a_piece_larger_than_what_is_looked_at_at_once_is_cut),
		cmocka_unit_test(lines_of_a_value_are_secrets_too_and_short_ones_are_not),
		cmocka_unit_test(a_value_may_begin_with_any_byte),
		cmocka_unit_test(a_value_at_the_end_is_found_though_a_longer_one_begins_so),
		cmocka_unit_test(a_value_with_the_shape_of_a_token_goes_whole_wherever_it_is_cut),
		cmocka_unit_test(a_key_without_end_does_not_swallow_the_rest_for_ever),
		cmocka_unit_test(each_shape_begins_and_ends_where_it_is_said_to),
		cmocka_unit_test(each_shape_has_texts_that_go_and_texts_that_stay),
		cmocka_unit_test(a_secret_that_cannot_be_remembered_is_said_to_be),
		cmocka_unit_test(a_stream_without_memory_shows_nothing_and_says_so),
		cmocka_unit_test(more_or_longer_secrets_than_can_be_held_are_refused),
		cmocka_unit_test(a_value_that_is_known_counts_once),
		cmocka_unit_test(one_thread_may_add_what_another_looks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
