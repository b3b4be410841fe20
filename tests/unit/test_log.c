/* Goal: one thing is one line, without secrets and without what drives a terminal.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/log.h"

#include <unistd.h>

#include "lib/redact.h"
#include "unit.h"

static int ends[2];

static int
set_up(UNUSED void **state)
{
	assert_int_equal(pipe(ends), 0);
	log_to(ends[1]);
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, NULL);
	return 0;
}

static int
tear_down(UNUSED void **state)
{
	log_to(-1);
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, NULL);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

/* What was written by one call; "" needs a line written before. */
static const char *
written(char *out, size_t room)
{
	ssize_t n = read(ends[0], out, room - 1);

	assert_true(n >= 0);
	out[n] = '\0';
	return out;
}

TEST_WITH(a_line_has_time_level_sentence_and_fields, set_up, tear_down)
{
	char line[1000];

	log_line(LOG_LEVEL_WARNING,
	    LOG_FIELDS(LOG_I64("deployment", 42), LOG_TEXT("environment", "a b"),
		LOG_TEXT("left_out", NULL)),
	    "run %d was lost", 7);
	(void)written(line, sizeof(line));
	assert_string_equal(
	    line + 24, " warning run 7 was lost deployment=42 environment=\"a b\"\n");
	assert_true(line[10] == 'T' && line[23] == 'Z');
	log_init(LOG_LEVEL_INFO, LOG_LOGFMT, NULL);
	log_error("say \"no\"");
	assert_string_equal(
	    written(line, sizeof(line)) + 29, " level=error msg=\"say \\\"no\\\"\"\n");
}

TEST_WITH(what_is_not_wanted_is_not_written, set_up, tear_down)
{
	char line[1000];

	log_debug("hidden");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown");
	(void)written(line, sizeof(line));
	assert_null(strstr(line, "hidden"));
	assert_non_null(strstr(line, "shown"));
}

TEST_WITH(control_characters_are_escaped_and_lines_bounded, set_up, tear_down)
{
	char line[LOG_LINE_MAX + 10], long_text[6000];

	log_info("%s", "a\nb\x1b[31m \xE2\x80\xAE \xFF");
	assert_non_null(strstr(written(line, sizeof(line)), "a\\nb\\x1b[31m \\u202e \\xff\n"));
	memset(long_text, 1, sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	log_info("%s", long_text);
	assert_int_equal(strlen(written(line, sizeof(line))), LOG_LINE_MAX);
	assert_int_equal(line[LOG_LINE_MAX - 1], '\n');
}

/* All of it is known, where a line has no room for it, too: no guess is told from how it begins. */
TEST_WITH(of_a_secret_that_is_cut_nothing_is_written, set_up, tear_down)
{
	CLEANUP(redact_freep) struct redact *r = redact_new();
	char line[LOG_LINE_MAX + 10], secret[6000];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (char)('a' + i * i % 26);
	secret[sizeof(secret) - 1] = '\0';
	assert_true(redact_add(r, secret, NULL));
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, r);
	log_line(LOG_LEVEL_INFO, LOG_FIELDS(LOG_TEXT("value", secret)), "as %s", secret);
	assert_non_null(strstr(written(line, sizeof(line)), " as *** value=***\n"));
	log_info("%s%s%s", secret, secret, secret); /* more than is read of a sentence */
	assert_null(strstr(written(line, sizeof(line)), "abej"));
	secret[4090] = '\0'; /* with what stands before it just too long to be written */
	assert_true(redact_add(r, secret, NULL));
	log_info("%4000s %s", "", secret);
	assert_null(strstr(written(line, sizeof(line)), "abej"));
	secret[200] = '\0'; /* what it begins with is no secret */
	log_info("%4000s %s", "", secret);
	assert_non_null(strstr(written(line, sizeof(line)), "abej"));
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, NULL);
}

TEST_WITH(secrets_never_reach_a_line, set_up, tear_down)
{
	struct redact *r = redact_new();
	char line[1000];

	assert_true(redact_add(r, "the-secret-value", NULL));
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, r);
	log_line(LOG_LEVEL_INFO, LOG_FIELDS(LOG_TEXT("url", "http://x/?k=the-secret-value")),
	    "with the-secret-value");
	assert_non_null(strstr(written(line, sizeof(line)), "with *** url=\"http://x/?k=***\"\n"));
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, NULL);
	redact_free(r);
}
