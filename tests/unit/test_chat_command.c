/* Goal: what somebody typed is split into a word and arguments, and nothing else is a command.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_command.h"

#include "unit.h"

static const struct {
	const char *text;
	const char *word; /* NULL: it is no command */
	size_t n;
	const char *first, *second;
} cases[] = {
	{ "/status", "status", 0, "", "" },
	{ "/deploy staging", "deploy", 1, "staging", "" },
	{ "/DEPLOY  Staging\tv1.2 \n", "deploy", 2, "Staging", "v1.2" },
	{ "/deploy\nstaging", "deploy", 1, "staging", "" },
	{ "/deploy a b c", "deploy", 3, "a", "b" },
	{ "/deploy a b c d e f", "deploy", CHAT_COMMAND_WORDS, "a", "b" },
	{ "/deploy staging $(reboot)", "deploy", 2, "staging", "$(reboot)" },
	{ "hello", NULL, 0, "", "" },
	{ "", NULL, 0, "", "" },
	{ "/", NULL, 0, "", "" },
	{ "/ deploy", NULL, 0, "", "" },
	{ " /deploy", NULL, 0, "", "" },
	{ "//deploy", NULL, 0, "", "" },
	{ "/d\xc3\xa9ploy", NULL, 0, "", "" },
	{ "/usr/bin/env", NULL, 0, "", "" },
	{ "/a_word_that_is_much_longer_than_any_command", NULL, 0, "", "" },
};

TEST(a_command_is_a_word_and_its_arguments)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct chat_command command;
		bool is_command = chat_command_parse(cases[i].text, &command);

		if (is_command != (cases[i].word != NULL))
			fail_msg("\"%s\": %d", cases[i].text, is_command);
		assert_string_equal(command.word, cases[i].word != NULL ? cases[i].word : "");
		if (!is_command)
			continue;
		assert_int_equal(command.n_arguments, cases[i].n);
		assert_string_equal(command.argument[0], cases[i].first);
		assert_string_equal(command.argument[1], cases[i].second);
		assert_false(command.is_too_long);
	}
}

TEST(an_argument_that_does_not_fit_is_told_and_not_cut)
{
	char text[2 * LIMIT_REF] = "/deploy ";
	struct chat_command command;
	size_t at = strlen(text);

	memset(text + at, 'x', LIMIT_REF - 1);
	assert_true(chat_command_parse(text, &command));
	assert_false(command.is_too_long);
	assert_int_equal(strlen(command.argument[0]), LIMIT_REF - 1);

	memset(text + at, 'x', LIMIT_REF);
	assert_true(chat_command_parse(text, &command));
	assert_true(command.is_too_long);
	assert_string_equal(command.argument[0], "");
}

TEST(the_word_of_an_emergency_is_found_as_a_phone_writes_it)
{
	static const struct {
		const char *text;
		size_t at; /* 9: it is not there */
		const char *behind;
	} typed[] = {
		{ "/deploy staging emergency it is down", 1, " it is down" },
		{ "/deploy staging main Emergency", 2, "" },
		{ "/deploy staging --emergency=x", 9, "" },
		{ "/deploy staging --EMERGENCY \t x", 1, " \t x" },
		{ "/deploy staging \u2014emergency x", 1, " x" },
		{ "/deploy staging \u2010\u2015\u2212-emergency x", 1, " x" },
		{ "/deploy staging \u2016emergency x", 9, "" },
		{ "/deploy staging emergencies x", 9, "" },
		{ "/deploy emergency", 9, "" }, /* what is named first is no option */
		{ "/deploy staging a b c emergency", 9, "" },
		{ "/deploy staging \xe2", 9, "" },
	};
	struct chat_command command;

	for (size_t i = 0; i < COUNT(typed); i++) {
		const char *behind = "";
		size_t at;

		assert_true(chat_command_parse(typed[i].text, &command));
		at = chat_command_emergency(&command, 1, &behind);
		if ((at < command.n_arguments ? at : 9) != typed[i].at ||
		    strcmp(behind, typed[i].behind) != 0)
			fail_msg("%s: %zu, \"%s\"", typed[i].text, at, behind);
	}
}
