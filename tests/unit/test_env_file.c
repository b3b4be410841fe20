/* Goal: a .env is read as its header says, and a wrong line is named.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/env_file.h"

#include "lib/err.h"
#include "unit.h"

TEST(every_form_of_value_is_read)
{
	static const char text[] = "# comment\n"
				   "\n"
				   "PLAIN=a b  # comment\n"
				   "  export SPACED =x\n";
	static const char good[] = "\xC3\xA9 not a name";
	static const char all[] = "# comment\r\n"
				  "\n"
				  "PLAIN=a b#c \t # comment\r\n"
				  "export EXPORTED=$HOME\n"
				  "SINGLE='a\\n\"$x' # c\n"
				  "DOUBLE=\"a\\n\\\"b\\\" \\\\ \\$\"\n"
				  "LINES=\"one\n"
				  "two\"\n"
				  "EMPTY=\n"
				  "HASH=#x\n"
				  "LAST=end";
	static const struct {
		const char *name, *value;
		unsigned line;
	} want[] = {
		{ "PLAIN", "a b#c", 3 },
		{ "EXPORTED", "$HOME", 4 },
		{ "SINGLE", "a\\n\"$x", 5 },
		{ "DOUBLE", "a\n\"b\" \\ $", 6 },
		{ "LINES", "one\ntwo", 7 },
		{ "EMPTY", "", 9 },
		{ "HASH", "", 10 },
		{ "LAST", "end", 11 },
	};
	struct env_file file;
	struct err err;

	if (!env_file_parse(&file, all, strlen(all), &err))
		fail_msg("%s", err.text);
	assert_int_equal(file.count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(file.entries[i].name, want[i].name);
		assert_string_equal(file.entries[i].value, want[i].value);
		assert_int_equal(file.entries[i].line, want[i].line);
	}
	assert_ptr_equal(env_file_find(&file, "LAST"), &file.entries[7]);
	assert_null(env_file_find(&file, "NONE"));
	env_file_done(&file);
	assert_false(env_file_parse(&file, text, strlen(text), &err));
	assert_string_equal(err.text, "line 4: expected NAME=value");
	assert_false(env_file_parse(&file, good, strlen(good), &err));
}

TEST(a_wrong_line_is_named)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "A=1\nB\n", "line 2: expected" },
		{ "A=1\n1B=2", "line 2: expected" },
		{ "A='x\ny", "line 1: '" },
		{ "A=1\nB=\"x\n\n", "line 2: \"" },
		{ "A=\"\\q\"", "line 1: in" },
		{ "A='x'y", "line 1: text behind" },
		{ "A=1\n\nA=2", "line 3: A is there twice" },
	};
	struct env_file file;
	struct err err;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_false(env_file_parse(&file, cases[i].text, strlen(cases[i].text), &err));
		assert_ptr_equal(strstr(err.text, cases[i].says), err.text);
		assert_int_equal(file.count, 0);
		assert_null(file.entries);
	}
}

TEST(nul_and_too_much_are_refused)
{
	char *big = calloc(1, ENV_FILE_MAX + 2);
	struct env_file file;
	struct err err;

	assert_false(env_file_parse(&file, "A=1\0B=2", 7, &err));
	assert_int_equal(err.code, ERR_INVALID);
	memset(big, '\n', ENV_FILE_MAX + 1);
	assert_false(env_file_parse(&file, big, ENV_FILE_MAX + 1, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(env_file_parse(&file, big, 0, &err) && file.count == 0);
	env_file_done(&file);
	free(big);
	assert_false(env_file_read(&file, "/nonexistent/.env", &err));
	assert_int_equal(err.code, ERR_MISSING);
	env_file_done(&file);
}
