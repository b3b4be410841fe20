/* Goal: a setting takes what it can be, up to its ends, and nothing else; no secret is told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/err.h"
#include "types/limits.h"
#include "types/settings.h"

#define AS_LONG_AS_CAN_BE 11 /* the most texts of a case */

struct setting_case {
	const char *name;
	bool (*check)(const char *text, struct err *err);
	const char *good[AS_LONG_AS_CAN_BE];
	const char *bad[AS_LONG_AS_CAN_BE];
};

#define S(type) #type, settings_check_##type
static const struct setting_case cases[] = {
	{ S(TEXT), { "", "x", "~ \xc3\xa4" }, { "a\nb", "\x1f", "\x7f", "\xff" } },
	{ S(TOKEN), { "0123456789abcdef", "a<bcdefghijklmnop" },
	    { "", "0123456789abcde", "aaaaaaaaaaaaaaaaaaaa", "<0123456789abcdef>",
		"0123456789-Change-Me", "0123456789abcde\x7f" } },
	{ S(BOT_TOKEN), { "1:abcdefghijklmnop", "1234567890123456789:abc_-ABC" },
	    { "", ":abcdefghijklmnop", "12345678901234567890:abcdefghijklmnop", "1234567890abcdef",
		"1:", "1:abcdefghijklmnop!", "1:abcdefghijklm" } },
	{ S(WEBHOOK_SECRET), { "0123456789ABCDEF_-az" },
	    { "", "0123456789abcdef.", "0123456789abcde" } },
	{ S(BOOL), { "true", "no" }, { "", "2" } },
	{ S(COUNT), { "1", "1000" }, { "", "0", "1001", "x" } },
	{ S(SECONDS), { "1", "86400" }, { "", "0", "86401" } },
	{ S(SECONDS_OR_0), { "0", "86400" }, { "", "-1", "86401" } },
	{ S(SIZE), { "4096", "4K", "4398046511104" }, { "", "4095", "4398046511105", "x" } },
	{ S(PORT), { "1", "65535" }, { "", "0", "65536" } },
	{ S(ID), { "1", "-1", "-9223372036854775808", "9223372036854775807" },
	    { "", "0", "x", "9223372036854775808" } },
	{ S(IDS), { "1", " 1 ,2\t,\t3", "1,2," }, { "", " ", ",", "1,,2", "0", "-1", "1,x" } },
	{ S(URL), { "http://h", "HTTPS://h/p?q#f", "http://h/@" },
	    { "", "h", "ftp://h", "http://", "http:///p", "https://u@h", "http://h/a b",
		"http://h/\x01", "http://h/<", "http://h/`" } },
	{ S(URLS), { "http://a,https://b" }, { "", "http://a,b" } },
	{ S(PATH), { "/", "/a b" }, { "", "a/b", "/a\nb" } },
	{ S(SOCKET), { "/", "/run/x.sock" }, { "", "run/x.sock", "/run/\n" } },
	{ S(ADDRESS), { "127.0.0.1", "::1", "/run/x.sock" },
	    { "", "localhost", "127.0.0.1:80", "run/x.sock", "/run/\n" } },
	{ S(NAMES), { "a", "a,z-9", "abcdefghijklmnopqrst" },
	    { "", "A", "1a", "-a", "{", "`", "a_b", "aA", "abcdefghijklmnopqrstu" } },
	{ S(BRANCH), { "m", "release/1.2_x-y", "a.lockx" },
	    { "", ".a", "_a", "/a", "-a", "a..b", "a//b", "a/.b", "a/", "a.", "a.lock" } },
	{ S(REPOSITORY), { "a/b", "A_.-9/b_.-9" },
	    { "", "/b", "a", "a/", "a b/c", "a/b/c", "a/b c" } },
	{ S(REMOTE),
	    { "https://h/p", "https://h/p@q", "ssh://git@h/p", "/srv/git", "git@h:p/q", "g@h:p:/" },
	    { "", "http://h/p", "git://h/p", "https://u@h/p", "ssh://-o/p", "/srv/g it",
		"https://h/\x7f" } },
	{ S(REMOTE), { "a@b:c/d" },
	    { "-a@h:p/q", "h:p/q", "@h:p/q", "git@-h:p/q", "git@h/q", "git@:p/q",
		"git@h:", "git@h/p:q", "a:b@c/d", "git@h:p" } },
	{ S(PROXY), { "http://h:1", "socks5h://u:p@h:1" },
	    { "", "h:1", "socks5://h:1", "http://", "http://h 1", "http://h\n" } },
	{ S(LEVEL), { "ERROR", "WARNING", "INFO", "DEBUG" }, { "", "LOUD" } },
	{ S(FORMAT), { "human", "LOGFMT" }, { "", "json" } },
	{ S(MODE), { "webhook", "Polling" }, { "", "both" } },
	{ S(HOSTS),
	    { "h", "a-b.example", "1.2.3.4:22", "[::1]", "[fe80::1]:2222", "a,b:1,[::1]:65535" },
	    { "", "-h", "a b", "a/b", "a,", ",a", "a,,b", "a, b", "a,b,a", "h:0", "::1" } },
	{ S(HOSTS), { "a_b", "A.b.C", "0", "1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g" },
	    { "1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h", "h:65536", "h:", "h:1:2", "[::1", "[]", "[a]",
		"[::1]x", "u@h", "_h", "h." } },
	{ S(PORT_PAIR), { "8001,8002", "1,65535" },
	    { "", "8001", "1,1", "1,2,3", "1,2,", ",1", "0,1", "1,65536", "1, 2", "a,b" } },
	{ S(USER), { "deploy", "_x", "a.b-c_9" },
	    { "", "-x", ".x", "9", "Deploy", "a b", "a@b", "a;b", "a/b" } },
	{ S(HOST_PATH), { "/", "/srv/app", "/etc/nginx/a_b-c,d@1.conf" },
	    { "", "srv", "/a b", "/a$b", "/a'b", "/a\nb", "/\xc3\xa4", "/a;b" } },
	{ S(COMMAND), { "sudo -n nginx -s reload", "/usr/sbin/nginx -s reload" },
	    { "", "-x", " x", "a;b", "a|b", "a $(b)", "a\nb", "a 'b'", "a*", "a>b", "~/a" } },
	{ S(SMOKE),
	    { "http://127.0.0.1:{port}/health", "http://h", "http://h:80/a?b=c&d#e",
		"http://[::1]:1/", "http://[::1]:{port}/" },
	    { "", "h", "http://", "http:///a", "http://h/{port}", "http://{port}/", "http://u@h/",
		"http://h/a b", "https://h/", "http://h:{x}/", "{port}" } },
	{ S(IMAGE), { "myapp", "a/b-c/d_e.f", "a__b", "0" },
	    { "", "My", "a:1", "a@b", "/a", "a/", "a//b", "a..b", "a/-b", "-a", "a-" } },
	{ S(REGISTRY), { "h", "h:5000", "https://r.example.org/team/x", "http://10.0.0.1:5000" },
	    { "", "https://", "[::1]", "h/", "h/Team", "h:x", "h//a", "/h", "h a", "u@h",
		"h/a:1" } },
	{ S(ACCOUNT), { "ci", "robot$shop+push", "_json_key", "a@b.c" },
	    { "", "-u", "a b", "a:b", "a\n", "\xc3\xa4" } },
	{ S(PASSWORD), { "x", "a b:c $d", "\xc3\xa4" }, { "", "a\nb", "\t", "\x7f", "\xff" } },
	{ S(ENGINE), { "unix:///run/x.sock", "tcp://10.0.0.1:2376", "ssh://u@h" },
	    { "", "unix://run/x", "/run/x.sock", "http://h", "tcp://", "ssh://-oX", "tcp://a b" } },
	{ S(INSIDE), { "Dockerfile", "docker/app.Dockerfile", "..a/b" },
	    { "", "/etc/passwd", "../x", "a/../b", "a/..", "./a", "-x", "a//b", "a/", "a b",
		"a$b" } },
	{ S(WORD), { "ssh", "us-east-1" }, { "", "Ssh", "1a", "-a", "../x", "a_b", "a b" } },
	{ S(SERVICE), { "app", "Web_1.x-y" }, { "", "-a", ".a", "a b", "a/b", "a;b" } },
	{ S(LABEL), { "default", "a-1", "0" }, { "", "A", "-a", "a-", "a.b", "a_b", "a b" } },
	{ S(LABELS), { "shop", "shop.v-1" }, { "", ".a", "a.", "a..b", "A", "a/b", "-a", "a-.b" } },
	{ S(SOURCE), { "build", "registry" }, { "", "Build", "ci" } },
	{ S(STRATEGY), { "recreate", "bluegreen" }, { "", "Recreate", "blue-green" } },
};

static void
each_setting_takes_what_it_can_be_and_nothing_else(void **state)
{
	struct err err;

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++)
		for (size_t i = 0; i < AS_LONG_AS_CAN_BE; i++) {
			const char *good = cases[c].good[i], *bad = cases[c].bad[i];

			if (good != NULL && !cases[c].check(good, &err))
				fail_msg(
				    "%s: \"%s\" is refused: %s", cases[c].name, good, err.text);
			if (bad == NULL)
				continue;
			err.text[0] = '\0';
			if (cases[c].check(bad, &err))
				fail_msg("%s: \"%s\" is taken", cases[c].name, bad);
			assert_string_not_equal(err.text, "");
		}
}

/* `before`, then as many of "01010…" that there are `size` bytes, then `behind`. */
static const char *
sized(const char *before, size_t size, const char *behind)
{
	static char text[8192];
	size_t used = strlen(before), last = size - strlen(behind);

	assert_true(size < sizeof(text));
	memcpy(text, before, used);
	for (; used < last; used++)
		text[used] = used % 2 == 0 ? '0' : '1';
	memcpy(text + last, behind, strlen(behind) + 1);
	return text;
}

static void
each_setting_has_its_longest(void **state)
{
	static const struct {
		const char *name;
		bool (*check)(const char *text, struct err *err);
		const char *before;
		size_t most;
		const char *behind;
	} longest[] = {
		{ S(TEXT), "", 1023, "" },
		{ S(TOKEN), "", 1023, "" },
		{ S(WEBHOOK_SECRET), "", 256, "" },
		{ S(URL), "http://", 1023, "" },
		{ S(PATH), "/", 1023, "" },
		{ S(SOCKET), "/", 107, "" },
		{ S(ADDRESS), "/", 107, "" },
		{ S(HOSTS), "", 253, "" },
		{ S(USER), "a", 63, "" },
		{ S(HOST_PATH), "/", 1023, "" },
		{ S(COMMAND), "a", 1023, "" },
		{ S(SMOKE), "http://a/", 1023, "" },
		{ S(IMAGE), "", 255, "" },
		{ S(REGISTRY), "h/", 255, "" },
		{ S(ACCOUNT), "", 1023, "" },
		{ S(PASSWORD), "", 4096, "" },
		{ S(ENGINE), "tcp://", 1023, "" },
		{ S(INSIDE), "", 1023, "" },
		{ S(WORD), "a", 63, "" },
		{ S(SERVICE), "", 63, "" },
		{ S(LABEL), "", 63, "" },
		{ S(LABELS), "a.", 65, "" },
		{ S(BRANCH), "", 200, "" },
		{ S(REPOSITORY), "a/", 200, "" },
		{ S(REMOTE), "/", 1023, "" },
		{ S(PROXY), "http://", 1023, "" },
		{ S(URLS), "http://a/", LIMIT_URL_LIST - 1, ",http://b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(longest); i++) {
		size_t most = longest[i].most;
		bool is_list = longest[i].behind[0] != '\0';

		if (!is_list && !longest[i].check(sized(longest[i].before, most, ""), NULL))
			fail_msg("%s: %zu bytes are refused", longest[i].name, most);
		if (longest[i].check(sized(longest[i].before, most + 1, longest[i].behind), NULL))
			fail_msg("%s: %zu bytes are taken", longest[i].name, most + 1);
	}
}

static void
a_list_has_as_many_parts_as_may_be(void **state)
{
	char text[8192] = "";

	(void)state;
	for (size_t n = 1; n <= SETTINGS_IDS_MAX + 1; n++) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%zu,", n);
		assert_int_equal(settings_check_IDS(text, NULL), n <= SETTINGS_IDS_MAX);
	}
}

/* What is refused may be the real one with a slip: it stays out of logs and terminals. */
static void
no_secret_stands_in_what_is_said_of_it(void **state)
{
	static bool (*const checks[])(const char *text, struct err *err) = { settings_check_TOKEN,
		settings_check_BOT_TOKEN, settings_check_WEBHOOK_SECRET, settings_check_PROXY };
	static const char *const secrets[] = { "s3cr3t", "s3cr3t-change-me-s3cr3t",
		"s3cr3ts3cr3ts3cr3t\x7f", "123456:s3cr3t" };
	struct err err;

	(void)state;
	for (size_t c = 0; c < COUNT(checks); c++)
		for (size_t i = 0; i < COUNT(secrets); i++) {
			assert_false(checks[c](secrets[i], &err));
			assert_null(strstr(err.text, "s3cr3t"));
		}
	assert_false(settings_check_PASSWORD("s3cr3t\n", &err)); /* it takes all the others */
	assert_null(strstr(err.text, "s3cr3t"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_setting_takes_what_it_can_be_and_nothing_else),
		cmocka_unit_test(each_setting_has_its_longest),
		cmocka_unit_test(a_list_has_as_many_parts_as_may_be),
		cmocka_unit_test(no_secret_stands_in_what_is_said_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
