/* Goal: whatever stands in an entry, its frame has one meaning, and so has its entry in the journal.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/forward_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "unit.h"

#define AT "\"timestamp\":\"2026-11-20T07:10:48.123Z\""

/* The frame of that line behind its length, which is checked. */
static const char *
frame(const char *host, const char *line)
{
	static char text[65536];
	struct buf out;
	size_t length;
	char *end;

	buf_init(&out, sizeof(text) - 1);
	forward_text_syslog(&out, host, line, strlen(line));
	assert_false(buf_failed(&out));
	(void)snprintf(text, sizeof(text), "%s", buf_text(&out));
	buf_done(&out);
	assert_true(text[0] >= '1' && text[0] <= '9');
	length = strtoul(text, &end, 10);
	assert_int_equal(*end, ' ');
	assert_int_equal(length, strlen(end + 1));
	return end + 1;
}

/* The same without the line at its end. */
static const char *
head_of(const char *host, const char *line)
{
	static char head[65536];
	const char *found = frame(host, line);
	size_t size = strlen(found) - strlen(line);

	assert_string_equal(found + size, line);
	(void)snprintf(head, sizeof(head), "%.*s", (int)size, found);
	return head;
}

TEST(a_frame_has_the_entrys_moment_code_and_fields)
{
	assert_string_equal(
	    head_of("build-1",
		"{\"application\":\"shop\",\"code\":\"deploy_started\",\"deployment\":7,\"environment\":"
		"\"shop/staging\",\"hash\":\"00\",\"outcome\":\"ok\",\"principal\":\"telegram\","
		"\"seq\":12,\"severity\":\"info\"," AT ",\"user_id\":\"telegram:42\"}"),
	    "<110>1 2026-11-20T07:10:48.123Z build-1 deploybot - deploy_started [deploybot@32473"
	    " seq=\"12\" code=\"deploy_started\" severity=\"info\" user_id=\"telegram:42\""
	    " principal=\"telegram\" application=\"shop\" environment=\"shop/staging\""
	    " deployment=\"7\" outcome=\"ok\"] ");
	/* Of the first version. */
	assert_string_equal(head_of("h",
				"{" AT ",\"seq\":1,\"user_id\":\"system\",\"action\":\"denied\","
				"\"environment\":null,\"severity\":\"alert\"}"),
	    "<107>1 2026-11-20T07:10:48.123Z h deploybot - denied [deploybot@32473"
	    " seq=\"1\" action=\"denied\" severity=\"alert\" user_id=\"system\"] ");
}

TEST(each_severity_is_one_of_syslogs)
{
	static const struct {
		const char *word, *pri;
	} rows[] = { { "info", "<110>" }, { "low", "<109>" }, { "medium", "<108>" },
		{ "warning", "<108>" }, { "high", "<107>" }, { "alert", "<107>" },
		{ "critical", "<106>" }, { "another", "<109>" } };
	char line[128];

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), "{\"severity\":\"%s\"}", rows[i].word);
		assert_memory_equal(frame("h", line), rows[i].pri, 5);
	}
}

TEST(hostile_values_are_escaped_and_cleaned)
{
	static const struct {
		const char *json, *param;
	} rows[] = {
		{ "a\\\"b", "a\\\"b" },
		{ "a\\\\b", "a\\\\b" },
		{ "a]b", "a\\]b" },
		{ "]\\\"\\\\", "\\]\\\"\\\\" },
		{ "x\\\"] <0>1 - - - - - - forged", "x\\\"\\] <0>1 - - - - - - forged" },
		{ "a\\nb\\r\\tc", "a b c" },
		{ "a\\u001b[31mb\\u0007\\u007fc", "a[31mbc" },
		{ "caf\\u00e9", "caf\xc3\xa9" },
		{ "a\\u202eb\\u200bc\\ufeffd", "abcd" },
		{ "\\ud83d\\ude80", "\xf0\x9f\x9a\x80" },
	};
	char line[256], wanted[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), "{\"user_id\":\"%s\"}", rows[i].json);
		(void)snprintf(wanted, sizeof(wanted),
		    "<109>1 - h deploybot - - [deploybot@32473 user_id=\"%s\"] ", rows[i].param);
		assert_string_equal(head_of("h", line), wanted);
	}
}

TEST(a_value_that_cannot_be_a_headers_word_does_not_become_one)
{
	static const char *const times[] = { "", "now", "2026-11-20T07:10:48Z",
		"2026-11-20 07:10:48.123Z", "2026-11-20T07:10:48.123Z ",
		"2026-11-20T07:10:48.123Z1" };
	char line[512], host[400];

	for (size_t i = 0; i < COUNT(times); i++) {
		(void)snprintf(line, sizeof(line), "{\"timestamp\":\"%s\"}", times[i]);
		assert_string_equal(
		    head_of("h", line), "<109>1 - h deploybot - - [deploybot@32473] ");
	}
	assert_string_equal(
	    head_of("a b\n\xc3\xa9", "{}"), "<109>1 - a_b___ deploybot - - [deploybot@32473] ");
	assert_string_equal(head_of("", "{}"), "<109>1 - - deploybot - - [deploybot@32473] ");
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_int_equal(strlen(head_of(host, "{}")),
	    strlen("<109>1 -  deploybot - - [deploybot@32473] ") + 255);
	(void)snprintf(line, sizeof(line), "{\"code\":\"a b\\u00e9%.*s\"}", 60, host);
	assert_non_null(strstr(head_of("h", line), " a_b__hhhhhhhhhhhhhhhhhhhhhhhhhhh [deploybot"));
}

/* Nothing of the audit is one, but a frame is a frame. */
TEST(a_line_that_is_no_object_is_sent_as_it_is)
{
	static const char *const lines[] = { "", "x", "[]", "{\"seq\":", "\"a\"" };

	for (size_t i = 0; i < COUNT(lines); i++)
		assert_string_equal(
		    head_of("h", lines[i]), "<109>1 - h deploybot - - [deploybot@32473] ");
}

TEST(a_long_entry_fits)
{
	static char line[16384];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line), "{\"user_id\":\"");
	memset(line + n, ']', sizeof(line) - n - 3);
	(void)snprintf(line + sizeof(line) - 3, 3, "\"}");
	assert_true(strlen(head_of("h", line)) < 700);
}

TEST(the_journal_gets_the_line_and_its_fields)
{
	static const char line[] =
	    "{\"code\":\"login\",\"seq\":3,\"severity\":\"high\",\"user_id\":\"a\\nMESSAGE=b\"}";
	struct buf out;

	buf_init(&out, 4096);
	forward_text_journal(&out, line, strlen(line));
	assert_string_equal(buf_text(&out),
	    "PRIORITY=3\nSYSLOG_FACILITY=13\nSYSLOG_IDENTIFIER=deploybot-audit\nDEPLOYBOT_SEQ=3\n"
	    "DEPLOYBOT_CODE=login\nDEPLOYBOT_SEVERITY=high\nDEPLOYBOT_USER_ID=a MESSAGE=b\n"
	    "MESSAGE={\"code\":\"login\",\"seq\":3,\"severity\":\"high\",\"user_id\":"
	    "\"a\\nMESSAGE=b\"}\n");
	buf_done(&out);
}
