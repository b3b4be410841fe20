/* Goal: two spellings of one host are one text, and a text is read line by line.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/host_lines.h"

#include "unit.h"

TEST(two_spellings_of_one_host_are_one_text)
{
	static const struct {
		const char *host, *plain;
	} cases[] = {
		{ "web1", "web1:22" },
		{ "Web1.Example.ORG", "web1.example.org:22" },
		{ "web1:2222", "web1:2222" },
		{ "[2001:DB8:0:0::1]", "[2001:db8::1]:22" },
		{ "[::0001]:2222", "[::1]:2222" },
		{ "[", "[:22" },
		{ "", ":22" },
	};
	char plain[HOST_TEXT], again[HOST_TEXT];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(host_plain(cases[i].host, plain), cases[i].plain);
		assert_string_equal(host_plain(plain, again), plain);
	}
}

TEST(what_is_no_host_in_that_spelling_is_none)
{
	static const char *const good[] = { "web1:22", "a-b.c_d:1", "10.0.0.7:22", "[::1]:22" };
	static const char *const bad[] = { "", ":22", "web1", "Web1:22", "-web1:22",
		"web1:", "web1:x", "web1:22 ", "we b:22", "web1:22\n", "[::0001]:22", "=web1:22",
		"a,b:22", "a/b:22", "web1:123456" };

	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(host_is_plain(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(host_is_plain(bad[i]));
}

TEST(a_text_is_read_line_by_line_and_only_whole_ones)
{
	static const char text[] = "a\n\nb c\nd";
	const char *at = text, *end = text + strlen(text);
	char line[HOST_TEXT], much[HOST_TEXT + 1];

	assert_true(host_lines_next(&at, end, line));
	assert_string_equal(line, "a");
	assert_true(host_lines_next(&at, end, line));
	assert_string_equal(line, "");
	assert_true(host_lines_next(&at, end, line));
	assert_string_equal(line, "b c");
	assert_false(host_lines_next(&at, end, line));
	at = end;
	assert_false(host_lines_next(&at, end, line));
	at = "a\0b\n";
	assert_false(host_lines_next(&at, at + 4, line));
	memset(much, 'x', sizeof(much));
	much[HOST_TEXT] = '\n';
	at = much;
	assert_false(host_lines_next(&at, much + sizeof(much), line));
	at = much + 1;
	assert_true(host_lines_next(&at, much + sizeof(much), line));
}

TEST(a_pattern_stands_for_names_that_begin_so)
{
	assert_true(host_is_pattern("db1,web-*") && !host_is_pattern("db1,web-1"));
	assert_true(host_matches("web-*", "web-1") && host_matches("web-*", "web-"));
	assert_true(host_matches("web-1", "web-1") && !host_matches("web-1", "web-12"));
	assert_false(host_matches("web-*", "web1") || host_matches("web-*", "xweb-1"));
	assert_true(host_matches("host:web-*:22/srv/app", "host:web-1:22/srv/app"));
	assert_false(host_matches("host:web-*:22/srv/app", "host:web-1:22/srv/x:22/srv/app"));
	assert_false(host_matches("web-*:22", "web-1:2222"));
	assert_true(host_overlaps("web-*", "we*") && host_overlaps("web-1", "web-*"));
	assert_true(host_overlaps("web-*:22/a", "web-1*:22/a"));
	assert_false(
	    host_overlaps("web-1*", "web-2*") || host_overlaps("web-*:22/a", "web-*:22/b"));
}
