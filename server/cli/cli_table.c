/* cli_table.c - what the command line takes, as cli.def and commands.def have it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_table.h"

#include "commands/commands.h"
#include "lib/text.h"

#define HIDDEN NULL

#define O(name) (UINT64_C(1) << OPTION_##name)

const struct cli_value_row cli_value_rows[CLI_VALUE_COUNT] = {
#define VALUE(name, usage, complete, expected) { usage, CLI_##complete, expected },
#include "cli/cli.def"
};

const struct cli_option_row cli_option_rows[OPTION_COUNT] = {
#define OPTION(id, name, value, times, help) { name, CLI_VALUE_##value, CLI_##times, help },
#include "cli/cli.def"
};

static const struct cli_form rows[] = {
#define FORM(word, kind, function, options, help, ...) \
	{ word, kind, 0, false, options, help, { __VA_ARGS__ }, NULL, 0, 0 },
#define ASK(word, kind, function, options, help, ...) \
	{ word, kind, 0, true, options, help, { __VA_ARGS__ }, NULL, 0, 0 },
#include "cli/cli.def"
};

/* The row of that word; NULL: there is none. */
static const struct cli_form *
find_row(const char *word)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].word, word) == 0 && rows[i].kind[0] == '\0')
			return &rows[i];
	return NULL;
}

/* Of "<environment> until <time> [reason]" the three before the bracket. */
static int
needed_words(const char *usage)
{
	int n = 0, depth = 0;

	for (const char *at = usage; *at != '\0'; at++) {
		n += depth == 0 && *at != ' ' && *at != '[' && (at == usage || at[-1] == ' ');
		depth += (*at == '<' || *at == '[') - (*at == '>' || *at == ']');
	}
	return n;
}

static struct cli_form
of_chat(const struct command *command)
{
	const struct cli_form *row = find_row(command->word);
	struct cli_form form = { .kind = "", .asks_server = true, .options = O_WORK };

	if (row != NULL)
		form = *row;
	form.row = row != NULL ? (size_t)(row - rows) : COUNT(rows);
	form.word = command->word;
	form.help = command->help;
	form.usage = command->usage + 1 + strlen(form.word);
	form.usage += *form.usage == ' ';
	form.needed = needed_words(form.usage);
	/* An environment may be two, and approve takes the digits of the question that was read. */
	if (strcmp(command->argument, COMMANDS_TEXT) != 0)
		form.most = 2 * (command->target != COMMAND_NONE) + (command->argument[0] != '\0') +
		    (strcmp(command->word, "approve") == 0);
	if (strcmp(command->argument, "number") == 0)
		form.operands[0].value = CLI_VALUE_DEPLOYMENT;
	if (command->target != COMMAND_NONE)
		form.operands[0].value =
		    command->action == POLICY_FREEZE ? CLI_VALUE_SCOPE : CLI_VALUE_ENV;
	return form;
}

const struct cli_form *
cli_forms(size_t *ret_count)
{
	static struct cli_form all[CLI_FORMS_MAX];
	static size_t n;

	if (n > 0) {
		*ret_count = n;
		return all;
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].help != NULL || rows[i].kind[0] != '\0') {
			all[n] = rows[i];
			all[n++].row = i;
		}
	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *command = commands_get(i);
		const struct cli_form *row = find_row(command->word);

		assert(n < COUNT(all));
		/* Those that greet speak of chats. */
		if (command->action != POLICY_GREET && (row == NULL || row->help == NULL))
			all[n++] = of_chat(command);
	}
	*ret_count = n;
	return all;
}

const struct cli_form *
cli_form_find(const char *word, const char *kind)
{
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].word, word) == 0 && strcmp(all[i].kind, kind) == 0)
			return &all[i];
	return NULL;
}

bool
cli_form_takes(const struct cli_form *form, enum cli_option option)
{
	return option == OPTION_ENV_FILE || (form->options & (UINT64_C(1) << option)) != 0;
}

bool
cli_form_has_kinds(const struct cli_form *form)
{
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	for (size_t i = 0; i < n && form->kind[0] == '\0' && form->usage == NULL; i++)
		if (strcmp(all[i].word, form->word) == 0 && all[i].kind[0] != '\0' &&
		    all[i].help != NULL)
			return true;
	return false;
}

enum cli_option
cli_option_find(const char *name, size_t size)
{
	size_t i = 0;

	while (i < OPTION_COUNT &&
	    (strlen(cli_option_rows[i].name) != size ||
		strncmp(cli_option_rows[i].name, name, size) != 0))
		i++;
	return (enum cli_option)i;
}

bool
cli_value_takes(enum cli_value value, const char *word)
{
	const char *usage = cli_value_rows[value].usage;
	size_t size = strlen(word);
	int64_t number;

	if (cli_value_rows[value].complete == CLI_NUMBERS)
		return text_to_i64(word, 1, INT64_MAX, &number, NULL);
	while (cli_value_rows[value].complete == CLI_WORDS) {
		size_t n = strcspn(usage, "|");

		if (n == size && strncmp(usage, word, n) == 0)
			return true;
		if (usage[n] == '\0')
			return false;
		usage += n + 1;
	}
	return true;
}
