/* Goal: each row of cli.def is read, refused, completed and shown, and stands in the manual.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_table.h"

#include <sysexits.h>

#include "cli/cli_options.h"
#include "types/audit_code.h"
#include "unit.h"

#define WORDS 12

/* A command line of a form, that is made longer word by word. */
struct line {
	const char *words[WORDS + 1];
	size_t n;
};

/* A value that may stand there. */
static const char *
sample(enum cli_value value)
{
	static char words[64];

	if (cli_value_rows[value].complete == CLI_NUMBERS)
		return "12";
	if (cli_value_rows[value].complete != CLI_WORDS)
		return "x";
	(void)snprintf(words, sizeof(words), "%.*s", (int)strcspn(cli_value_rows[value].usage, "|"),
	    cli_value_rows[value].usage);
	return words;
}

static void
add(struct line *line, const char *word)
{
	assert_true(line->n < WORDS);
	line->words[line->n++] = word;
}

static bool
has_value(enum cli_option option)
{
	return cli_option_rows[option].value != CLI_VALUE_NONE;
}

static void
add_option(struct line *line, enum cli_option option)
{
	add(line, cli_option_rows[option].name);
	if (has_value(option))
		add(line, sample(cli_option_rows[option].value));
}

/* With all that it needs, but for one option. */
static struct line
line_of(const struct cli_form *form, enum cli_option without)
{
	struct line line = { .n = 0 };

	add(&line, form->word);
	if (form->kind[0] != '\0')
		add(&line, form->kind);
	for (size_t i = 0; i < CLI_OPERANDS; i++)
		if (form->operands[i].times == CLI_NEEDED &&
		    form->operands[i].value != CLI_VALUE_NONE)
			add(&line, sample(form->operands[i].value));
	for (size_t i = 0; form->usage != NULL && i < (size_t)form->needed; i++)
		add(&line, "12");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (cli_form_takes(form, (enum cli_option)i) && i != without &&
		    cli_option_rows[i].times == CLI_NEEDED)
			add_option(&line, (enum cli_option)i);
	return line;
}

#define TEXT 16384

/* Reads it as main() does, and runs what completes; what is printed goes to text.  An exit status,
 * or -1: it would be run. */
static int
read_line(const struct line *line, struct cli *cli, char text[TEXT])
{
	static char copies[WORDS][64]; /* *cli points into them */
	static char *argv[WORDS + 2];
	FILE *out = fmemopen(text, TEXT, "w"), *before[] = { stdout, stderr };
	int status;

	assert_non_null(out);
	text[0] = '\0';
	memset(argv, 0, sizeof(argv));
	for (size_t i = 0; i < line->n; i++) {
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", line->words[i]);
		argv[i + 1] = copies[i];
	}
	*cli = (struct cli){ .program = "deploybot" };
	stdout = stderr = out;
	status = cli_options_read((int)line->n + 1, argv, cli);
	if (status < 0 && line->n > 2 && strcmp(line->words[2], "--") == 0)
		status = cli_completion_words(cli);
	stdout = before[0];
	stderr = before[1];
	(void)fclose(out);
	return status;
}

static void
assert_refused(const struct line *line, const char *says)
{
	char text[TEXT];
	struct cli cli;
	int status = read_line(line, &cli, text);

	if (status != EX_USAGE || strstr(text, says) == NULL)
		fail_msg("%s %s %s: %d, not with \"%s\": %s", line->words[0], line->words[1],
		    line->words[line->n - 1], status, says, text);
}

#define EACH_FORM(form) \
	size_t n_forms; \
	const struct cli_form *form = cli_forms(&n_forms); \
	for (const struct cli_form *end = form + n_forms; form < end; form++)

#define EACH_OPTION(option) for (enum cli_option option = 0; option < OPTION_COUNT; option++)

TEST(each_option_is_read_where_its_form_takes_it_as_two_words_or_one)
{
	char joined[64], text[TEXT];
	struct cli cli;

	EACH_FORM(form)
	{
		struct line line = line_of(form, OPTION_COUNT);

		if (cli_form_has_kinds(form))
			continue;
		if (read_line(&line, &cli, text) != -1 || cli.form != form)
			fail_msg("%s %s: %s", form->word, form->kind, text);
		EACH_OPTION(option)
		{
			const char *value = sample(cli_option_rows[option].value);

			if (!cli_form_takes(form, option))
				continue;
			line = line_of(form, option);
			add_option(&line, option);
			assert_int_equal(read_line(&line, &cli, text), -1);
			assert_string_equal(cli.value[option],
			    has_value(option) ? value : cli_option_rows[option].name);
			if (!has_value(option))
				continue;
			line = line_of(form, option);
			(void)snprintf(
			    joined, sizeof(joined), "%s=%s", cli_option_rows[option].name, value);
			add(&line, joined);
			assert_int_equal(read_line(&line, &cli, text), -1);
			assert_string_equal(cli.value[option], value);
			if (cli_option_rows[option].name[1] == '-') /* -n3 */
				continue;
			(void)snprintf(
			    joined, sizeof(joined), "%s%s", cli_option_rows[option].name, value);
			assert_int_equal(read_line(&line, &cli, text), -1);
			assert_string_equal(cli.value[option], value);
		}
	}
}

TEST(what_a_form_does_not_take_is_refused_and_what_it_takes_twice_or_without_a_value)
{
	EACH_FORM(form)
	{
		struct line line = line_of(form, OPTION_COUNT);

		if (cli_form_has_kinds(form))
			continue;
		add(&line, "--there-is-no-such");
		assert_refused(&line, ": there is no option \"--there-is-no-such\"");
		EACH_OPTION(option)
		{
			bool takes = cli_form_takes(form, option);
			bool is_many = cli_option_rows[option].times == CLI_MANY;

			line = line_of(form, option);
			add_option(&line, option);
			if (takes)
				add_option(&line, option);
			if (!takes || !is_many)
				assert_refused(&line, takes ? ": one at a time" : " takes no -");
			line = line_of(form, option);
			if (takes && has_value(option)) {
				add(&line, cli_option_rows[option].name);
				assert_refused(&line, " needs ");
			}
			if (takes && cli_option_rows[option].times == CLI_NEEDED) {
				line = line_of(form, option);
				assert_refused(&line, " is missing");
			}
		}
	}
}

TEST(a_misspelt_option_names_the_nearest_and_a_wrong_word_what_is_expected)
{
	struct line line = { { "audit", "search", "--form", "2026-11-20" }, 4 };

	assert_refused(
	    &line, "audit search: there is no option \"--form\"; did you mean \"--from\"?");
	EACH_FORM(form)
	{
		EACH_OPTION(option)
		{
			enum cli_value value = cli_option_rows[option].value;

			if (cli_value_takes(value, "?") || !cli_form_takes(form, option))
				continue;
			line = line_of(form, option);
			add(&line, cli_option_rows[option].name);
			add(&line, "?");
			assert_refused(&line, cli_value_rows[value].expected);
		}
	}
}

TEST(operands_are_counted)
{
	EACH_FORM(form)
	{
		struct line line = line_of(form, OPTION_COUNT);
		size_t n = 0, needed = 0;

		if (cli_form_has_kinds(form) || form->usage != NULL)
			continue;
		while (n < CLI_OPERANDS && form->operands[n].value != CLI_VALUE_NONE &&
		    form->operands[n].times != CLI_MANY)
			needed += form->operands[n++].times == CLI_NEEDED;
		for (size_t i = needed; i < n; i++)
			add(&line, sample(form->operands[i].value));
		add(&line, "more");
		if (n == CLI_OPERANDS || form->operands[n].times != CLI_MANY)
			assert_refused(
			    &line, n == 0 ? " takes no argument: \"more\"" : "too many: \"more\"");
		line = line_of(form, OPTION_COUNT);
		if (needed > 0) { /* the operands stand between the words and the options */
			size_t words = 1 + (form->kind[0] != '\0');

			line.n -= needed;
			for (size_t i = words; i < line.n; i++)
				line.words[i] = line.words[i + needed];
			assert_refused(&line, cli_value_rows[form->operands[0].value].expected);
		}
	}
}

/* What is wrong with the typed line is 64, before the server is asked. */
TEST(words_of_the_chats_commands_are_counted)
{
	size_t n_needed = 0, n_most = 0;

	EACH_FORM(form)
	{
		struct line line = line_of(form, OPTION_COUNT);

		if (form->usage == NULL)
			continue;
		if (form->needed > 0) {
			n_needed++;
			line.n--;
			assert_refused(&line, form->usage);
			add(&line, "12");
		}
		if (form->operands[0].value == CLI_VALUE_DEPLOYMENT) {
			line.words[line.n - 1] = "abc";
			assert_refused(&line, cli_value_rows[CLI_VALUE_DEPLOYMENT].expected);
			line.words[line.n - 1] = "#12";
		}
		if (form->most == 0)
			continue;
		for (n_most++; line.n <= (size_t)form->most;)
			add(&line, "12");
		add(&line, "more");
		assert_refused(&line, "too many: \"more\"");
	}
	assert_true(
	    n_needed >= 12 && n_most > 10); /* deploy, lock, freeze, show, approve, review … */
	assert_refused(&(struct line){ { "deploy", "x", "a", "b", "c" }, 5 }, "too many: \"c\"");
	assert_refused(&(struct line){ { "freeze", "all", "until" }, 3 }, "until <time>");
}

/* As a line of what is offered: "--json\tWhat …", or "json". */
static bool
has_line(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && (at[size] == '\t' || at[size] == '\n'))
			return true;
	return false;
}

/* What is offered in the place of the last word. */
static const char *
typed(const struct cli_form *form, const char *last, char text[TEXT])
{
	struct line line = { { "completion", "words", "--", form->word }, 4 };
	struct cli cli;

	if (form->kind[0] != '\0')
		add(&line, form->kind);
	add(&line, last);
	assert_int_equal(read_line(&line, &cli, text), EX_OK);
	return text;
}

TEST(each_option_is_completed_where_it_is_taken_and_stands_in_the_help)
{
	char offered[TEXT], help[TEXT], shown[64];
	struct cli cli;

	EACH_FORM(form)
	{
		struct line line;

		if (form->help == NULL || cli_form_has_kinds(form))
			continue;
		(void)typed(form, "-", offered);
		assert_true(has_line(offered, "--help") && !has_line(offered, "--version"));
		line = line_of(form, OPTION_COUNT);
		add(&line, "--help");
		assert_int_equal(read_line(&line, &cli, help), EX_OK);
		assert_non_null(strstr(help, form->help));
		EACH_OPTION(option)
		{
			const struct cli_option_row *row = &cli_option_rows[option];
			bool takes = cli_form_takes(form, option);

			if (has_line(offered, row->name) != takes)
				fail_msg(
				    "%s %s: %s: %s", form->word, form->kind, row->name, offered);
			(void)snprintf(shown, sizeof(shown), "\n  %s ", row->name);
			if (option != OPTION_ENV_FILE && (strstr(help, shown) != NULL) != takes)
				fail_msg("%s %s: %s: %s", form->word, form->kind, row->name, help);
		}
	}
}

TEST(each_word_is_completed_and_in_the_help_of_all)
{
	const struct line all = { { "completion", "words", "--", "" }, 4 };
	const struct line dashed = { { "completion", "words", "--", "--" }, 4 };
	struct line helped = { { "completion", "words", "--", "help", NULL, "" }, 6 };
	char offered[TEXT], second[TEXT], third[TEXT], help[TEXT];
	struct cli cli;

	assert_int_equal(read_line(&dashed, &cli, offered), EX_OK);
	assert_true(has_line(offered, "--help") && has_line(offered, "--version"));
	assert_int_equal(read_line(&all, &cli, offered), EX_OK);
	assert_int_equal(read_line(&(struct line){ { "-h" }, 1 }, &cli, help), EX_OK);
	EACH_FORM(form)
	{
		bool is_shown = form->help != NULL;

		if (form->kind[0] == '\0') {
			assert_int_equal(has_line(offered, form->word), is_shown);
			if (strstr(help, form->help) == NULL)
				fail_msg("%s: %s", form->word, form->help);
			if (!cli_form_has_kinds(form))
				continue;
			(void)typed(form, "", second);
			helped.words[4] = form->word;
			assert_int_equal(read_line(&helped, &cli, third), EX_OK);
			assert_string_equal(second, third); /* help audit <Tab> */
			continue;
		}
		(void)typed(cli_form_find(form->word, ""), "", second);
		if (has_line(second, form->kind) != (is_shown && !cli_form_has_kinds(form)))
			fail_msg("%s %s: %s", form->word, form->kind, second);
	}
}

TEST(values_that_are_words_or_files_are_completed)
{
	struct line line = { { "completion", "words", "--", NULL, "" }, 5 };
	char text[TEXT];
	struct cli cli;

	EACH_OPTION(option)
	{
		const struct cli_value_row *row = &cli_value_rows[cli_option_rows[option].value];

		line.words[3] = cli_option_rows[option].name;
		if (!has_value(option) || row->complete == CLI_ENVIRONMENTS)
			continue;
		assert_int_equal(read_line(&line, &cli, text), EX_OK);
		assert_true(row->complete != CLI_WORDS ||
		    has_line(text, sample(cli_option_rows[option].value)));
		assert_int_equal(strcmp(text, "FILES\n") == 0, row->complete == CLI_FILES);
		for (size_t i = 0; i < AUDIT_CODE_COUNT && row->complete == CLI_CODES; i++)
			assert_true(has_line(text, audit_code_rows[i].code) &&
			    has_line(text, audit_code_rows[i].action));
	}
	EACH_FORM(form)
	{
		struct cli_operand first = form->operands[0];

		if (form->help == NULL || cli_value_rows[first.value].complete != CLI_WORDS)
			continue;
		assert_true(has_line(typed(form, "", text), sample(first.value)));
	}
}
