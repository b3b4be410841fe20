/* cli_options.c - reads the command line by its table, and says what is wrong with it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_options.h"

#include <stdarg.h>
#include <sysexits.h>

#include "cli/cli_usage.h"
#include "lib/text.h"

/* What was found before the form was known, of which it depends what is said. */
struct found {
	const char *unknown; /* the first of each; NULL or OPTION_COUNT: none */
	enum cli_option missing, twice;
	bool is_help;
};

/* Takes what begins with a dash; how many words that is. */
static int
take_option(struct cli *cli, char **argv, struct found *found)
{
	/* "-n3" is "-n 3". */
	bool is_joined = argv[0][1] != '-' && cli_option_find(argv[0], 2) != OPTION_COUNT;
	size_t size = is_joined ? 2 : strcspn(argv[0], "=");
	enum cli_option option = cli_option_find(argv[0], size);
	const struct cli_option_row *row = &cli_option_rows[option];
	char *value = argv[0];
	int n = 1;

	if (option == OPTION_COUNT || (row->value == CLI_VALUE_NONE && value[size] == '=')) {
		found->unknown = found->unknown != NULL ? found->unknown : argv[0];
		return 1;
	}
	if (row->value != CLI_VALUE_NONE)
		value = value[size] == '\0' ? argv[n++] : value + size + (value[size] == '=');
	if (value == NULL) {
		found->missing = option;
		return 1;
	}
	if (row->times == CLI_MANY && cli->many_count < CLI_MANY_MAX)
		cli->many[cli->many_count++] = value;
	else if (cli->value[option] != NULL)
		found->twice = option;
	cli->value[option] = value;
	return n;
}

/* -h, -V and -v too; how many words. */
static int
take_dashed(struct cli *cli, char **argv, struct found *found)
{
	static char version[] = "version";

	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		found->is_help = true;
	else if (cli->argc == 0 &&
	    (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0 ||
		strcmp(argv[0], "-v") == 0))
		cli->argv[cli->argc++] = version;
	else
		return take_option(cli, argv, found);
	return 1;
}

/* What is no option stays in argv; behind -- all are words. */
static void
sort_words(struct cli *cli, int argc, char **argv, struct found *found)
{
	bool is_word = false;

	cli->argv = argv;
	for (int i = 1, n; i < argc; i += n) {
		n = 1;
		if (is_word || argv[i][0] != '-' || argv[i][1] == '\0')
			cli->argv[cli->argc++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			is_word = true;
		else
			n = take_dashed(cli, &argv[i], found);
	}
}

/* The form, whose words are taken out; word NULL: none was typed. */
static void
find_form(struct cli *cli)
{
	cli->word = cli->argc > 0 ? cli->argv[0] : NULL;
	if (cli->argc > 1 && cli->argv[1][0] != '\0')
		cli->form = cli_form_find(cli->word, cli->argv[1]);
	if (cli->form == NULL)
		cli->form = cli_form_find(cli->word != NULL ? cli->word : "serve", "");
	if (cli->form == NULL || cli->word == NULL)
		return;
	cli->argv += 1 + (cli->form->kind[0] != '\0');
	cli->argc -= 1 + (cli->form->kind[0] != '\0');
}

enum cli_option
cli_options_sort(int argc, char **argv, struct cli *cli)
{
	struct found found = { .missing = OPTION_COUNT };

	sort_words(cli, argc, argv, &found);
	find_form(cli);
	return found.missing;
}

/* --- what is wrong --- */

static int PRINTF(2, 3) refuse(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	cli_usage(stderr, cli->program, cli->form, false); /* why stands last: it is read first */
	(void)fprintf(stderr, "%s%s%s%s%s", cli->program, cli->word == NULL ? "" : ": ",
	    cli->word == NULL ? "" : cli->form->word, cli->form->kind[0] == '\0' ? "" : " ",
	    cli->form->kind);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	return EX_USAGE;
}

/* "; did you mean …", of what is nearest to a word that is none of them. */
#define MEANT 64
static const char *
meant(const char *word, const char *const names[], size_t n, char out[MEANT])
{
	const char *nearest = text_nearest(word, names, n);

	(void)snprintf(out, MEANT, nearest != NULL ? "; did you mean \"%s\"?" : "%s",
	    nearest != NULL ? nearest : "");
	return out;
}

/* The same of all subcommands, or (of) of the second words of one. */
static const char *
meant_word(const char *word, const char *of, char out[MEANT])
{
	const char *names[CLI_FORMS_MAX];
	size_t n, count = 0;
	const struct cli_form *all = cli_forms(&n);

	for (size_t i = 0; i < n; i++)
		if (all[i].help != NULL && (of == NULL || strcmp(all[i].word, of) == 0))
			names[count++] = of == NULL ? all[i].word : all[i].kind;
	return meant(word, names, count, out);
}

static int
refuse_unknown(const struct cli *cli, const char *word)
{
	const char *names[OPTION_COUNT];
	char out[MEANT];
	size_t n = 0;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (cli_form_takes(cli->form, (enum cli_option)i))
			names[n++] = cli_option_rows[i].name;
	return refuse(cli, ": there is no option \"%s\"%s", word, meant(word, names, n, out));
}

int
cli_options_no_command(const struct cli *cli, const char *word)
{
	char out[MEANT];
	const char *behind = strcmp(word, "setup") == 0 ?
	    "; it is a program of its own: deploybot-setup" :
	    meant_word(word, NULL, out);

	(void)fprintf(stderr, "%s: there is no command \"%s\"%s\n", cli->program, word,
	    behind[0] != '\0' ? behind : "; see deploybot help");
	return EX_USAGE;
}

/* What a form does not take is refused: dropped, it would seem to have counted. */
static int
refuse_option(const struct cli *cli, enum cli_option option)
{
	static const char *const instead[OPTION_COUNT] = {
		[OPTION_REASON] = ": a reason is typed behind the words",
		[OPTION_EMERGENCY] =
		    ": past approvals goes deploy ENVIRONMENT COMMIT --emergency TEXT",
		[OPTION_LOG] = ": a log's path stands by itself",
	};

	return refuse(cli, " takes no %s%s", cli_option_rows[option].name,
	    instead[option] != NULL ? instead[option] : "");
}

static int
check_options(const struct cli *cli, const struct found *found)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if ((cli->value[i] != NULL || found->missing == i) &&
		    !cli_form_takes(cli->form, (enum cli_option)i))
			return refuse_option(cli, (enum cli_option)i);
	if (found->missing != OPTION_COUNT)
		return refuse(cli, ": %s needs %s", cli_option_rows[found->missing].name,
		    cli_value_rows[cli_option_rows[found->missing].value].expected);
	if (found->twice != OPTION_COUNT)
		return refuse(cli,
		    cli_option_rows[found->twice].times == CLI_MANY ? ": %s: at most 64 times" :
								      ": %s: one at a time",
		    cli_option_rows[found->twice].name);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct cli_option_row *row = &cli_option_rows[i];

		if (cli->value[i] == NULL && row->times == CLI_NEEDED &&
		    cli_form_takes(cli->form, (enum cli_option)i))
			return refuse(
			    cli, ": %s %s is missing", row->name, cli_value_rows[row->value].usage);
		for (size_t k = 0; k < cli->many_count && row->times == CLI_MANY; k++)
			if (cli->value[i] != NULL && !cli_value_takes(row->value, cli->many[k]))
				return cli_refuse(cli, (enum cli_option)i, cli->many[k], NULL);
		if (cli->value[i] != NULL && !cli_value_takes(row->value, cli->value[i]))
			return cli_refuse(cli, (enum cli_option)i, cli->value[i], NULL);
	}
	return -1;
}

/* What the server is not asked for: it would say so in the chat's words.  "a reason of some words"
 * is several; behind `emergency` are any. */
static int
check_words(const struct cli *cli)
{
	const struct cli_form *form = cli->form;
	bool is_emergency = false;
	int n = 0;

	for (int i = 0; i < cli->argc; i++) {
		is_emergency = is_emergency || text_starts(cli->argv[i], "emergency");
		for (const char *at = cli->argv[i]; at[0] != '\0'; at++)
			n += at[0] != ' ' && (at == cli->argv[i] || at[-1] == ' ');
	}
	if (n < form->needed)
		return refuse(cli, ": expected %s", form->usage);
	if (n > 0 &&
	    !cli_value_takes(form->operands[0].value, cli->argv[0] + (cli->argv[0][0] == '#')))
		return cli_refuse(cli, OPTION_COUNT, cli->argv[0], NULL);
	if (form->most == 0 || n <= form->most || is_emergency)
		return -1;
	return refuse(cli, ": one word too many: \"%s\"", cli->argv[cli->argc - 1]);
}

/* How many, and each that is one of some words. */
static int
check_operands(const struct cli *cli)
{
	const struct cli_form *form = cli->form;
	int n = 0;

	if (form->usage != NULL || cli_form_has_kinds(form))
		return form->usage != NULL ? check_words(cli) : -1;
	for (; n < CLI_OPERANDS && form->operands[n].value != CLI_VALUE_NONE; n++) {
		const struct cli_operand *operand = &form->operands[n];

		if (n >= cli->argc && operand->times == CLI_NEEDED)
			return refuse(
			    cli, ": expected %s", cli_value_rows[operand->value].expected);
		if (operand->times == CLI_MANY)
			return -1;
		if (n < cli->argc && !cli_value_takes(operand->value, cli->argv[n]))
			return cli_refuse(cli, OPTION_COUNT, cli->argv[n], NULL);
	}
	if (cli->argc <= n)
		return -1;
	return refuse(cli, n == 0 ? " takes no argument: \"%s\"" : ": one word too many: \"%s\"",
	    cli->argv[n]);
}

int
cli_refuse(const struct cli *cli, enum cli_option option, const char *text, const char *expected)
{
	enum cli_value value = CLI_VALUE_NONE;

	if (option != OPTION_COUNT)
		value = cli_option_rows[option].value;
	for (int i = 0; i < cli->argc && i < CLI_OPERANDS; i++)
		if (cli->argv[i] == text)
			value = cli->form->operands[i].value;
	return refuse(cli, ": %s%s%s: expected %s",
	    option == OPTION_COUNT ? "" : cli_option_rows[option].name,
	    option == OPTION_COUNT ? "" : " ", text,
	    expected != NULL ? expected : cli_value_rows[value].expected);
}

/* The form that has second words, without one of them. */
int
cli_kinds(const struct cli *cli)
{
	char out[MEANT];

	if (cli->argc == 0)
		return refuse(cli, ": one of these words must follow");
	return refuse(
	    cli, ": there is no \"%s\"%s", cli->argv[0], meant_word(cli->argv[0], cli->word, out));
}

int
cli_options_read(int argc, char **argv, struct cli *cli)
{
	struct found found = { .missing = OPTION_COUNT, .twice = OPTION_COUNT };
	int status;

	sort_words(cli, argc, argv, &found);
	find_form(cli);
	if (cli->form == NULL)
		return cli_options_no_command(cli, cli->argv[0]);
	if (found.is_help && cli->word == NULL) {
		cli_usage_all(stdout, cli->program);
		return EX_OK;
	}
	if (found.is_help) {
		cli_usage_help(cli->program, cli->form);
		return EX_OK;
	}
	if (found.unknown != NULL)
		return refuse_unknown(cli, found.unknown);
	status = check_options(cli, &found);
	return status >= 0 ? status : check_operands(cli);
}
