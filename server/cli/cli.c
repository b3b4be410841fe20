/* cli.c - finds the subcommand, prints help.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/text.h"
#include "lib/version.h"

static cli_command cli_version, cli_help;

/* serve is given by whoever calls cli_run. */
#define cli_serve NULL

static const struct row {
	const char *word;
	cli_command *run;
	const char *usage;
	const char *help;
} rows[] = {
#define CLI(word, function, usage, help) { word, cli_##function, usage, help },
	CLI_COMMANDS(CLI)
#undef CLI
};

static int
cli_version(UNUSED const struct cli *cli)
{
	(void)printf("deploybot %s\n", version_text);
	return EX_OK;
}

static void
print_help(FILE *out, const char *program)
{
	(void)fprintf(out, "Usage: %s [--env-file FILE] [COMMAND [ARGUMENT...]]\n\n", program);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char left[80];

		(void)snprintf(left, sizeof(left), "%s%s%s", rows[i].word,
		    rows[i].usage[0] == '\0' ? "" : " ", rows[i].usage);
		if (strlen(left) > 24)
			(void)fprintf(out, "  %s\n%27s%s\n", left, "", rows[i].help);
		else
			(void)fprintf(out, "  %-24s %s\n", left, rows[i].help);
	}
	(void)fputs(
	    "\nOf the running server, over LOCAL_SOCKET, as in the chat; with --json, --wait,\n--no-wait, --as ROLE, --reason TEXT, --emergency TEXT:\n",
	    out);
	cli_print_chat_commands(out);
	(void)fputs(
	    "\nSettings come from the environment and from FILE; the environment wins.\n"
	    "Without --env-file FILE is ./.env where that is there, else\n" CLI_SETTINGS_FILE
	    ".  config-example lists all settings;\n"
	    "check-config says which file was read.  deploybot-setup asks for what a new\n"
	    "installation needs, writes it and prepares the hosts.\n",
	    out);
}

static const struct row *
find_row(const char *word)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			return &rows[i];
	return NULL;
}

/* Of both kinds: what was meant may be a command of the chat. */
static int
unknown(const struct cli *cli, const char *word)
{
	const char *words[COUNT(rows) + CLI_CHAT_COMMANDS_MAX];
	size_t n = cli_list_chat_commands(words);
	const char *nearest;

	for (size_t i = 0; i < COUNT(rows); i++)
		words[n++] = rows[i].word;
	nearest = text_nearest(word, words, n);
	(void)fprintf(stderr, "%s: there is no command \"%s\"", cli->program, word);
	if (strcmp(word, "setup") == 0)
		(void)fprintf(stderr, "; it is a program of its own: deploybot-setup\n");
	else if (nearest != NULL)
		(void)fprintf(stderr, "; did you mean \"%s\"?\n", nearest);
	else
		(void)fprintf(stderr, "; see %s help\n", cli->program);
	return EX_USAGE;
}

static void
print_row(const struct cli *cli, const struct row *row)
{
	if (row->run == cli_audit) {
		cli_audit_usage(stdout, cli->program);
		return;
	}
	(void)printf("Usage: %s [--env-file FILE] %s%s%s\n%s\n", cli->program, row->word,
	    row->usage[0] == '\0' ? "" : " ", row->usage, row->help);
}

static int
cli_help(const struct cli *cli)
{
	const struct row *row;

	if (cli->argc == 0) {
		print_help(stdout, cli->program);
		return EX_OK;
	}
	if (cli->argc > 2 || (cli->argc == 2 && strcmp(cli->argv[0], "audit") != 0)) {
		(void)fprintf(stderr, "Usage: %s help [COMMAND]\n", cli->program);
		return EX_USAGE;
	}
	row = find_row(cli->argv[0]);
	if (row != NULL)
		print_row(cli, row);
	else if (cli_is_chat_command(cli->argv[0]))
		cli_print_chat_command(cli, cli->argv[0]);
	else
		return unknown(cli, cli->argv[0]);
	return EX_OK;
}

/* Takes --env-file FILE and --env-file=FILE out of argv, wherever they stand; an exit status, or -1
 * to go on. */
static int
take_env_file(struct cli *cli, int *argc, char **argv)
{
	static const char option[] = "--env-file";
	size_t size = sizeof(option) - 1;
	int n = 1;

	for (int i = 1; i < *argc; i++) {
		if (strncmp(argv[i], option, size) == 0 && argv[i][size] == '=') {
			cli->env_file = argv[i] + size + 1;
			cli->is_named = true;
		} else if (strcmp(argv[i], option) != 0) {
			argv[n++] = argv[i];
		} else if (i + 1 < *argc) {
			cli->env_file = argv[++i];
			cli->is_named = true;
		} else {
			(void)fprintf(stderr, "%s: %s: a file must follow\n", cli->program, option);
			print_help(stderr, cli->program);
			return EX_USAGE;
		}
	}
	if (n < *argc)
		argv[n] = NULL;
	*argc = *argc > 0 ? n : 0;
	return -1;
}

/* Options of what asks the server may stand before it too: --as admin status.  How many words. */
static int
count_before(int argc, char **argv)
{
	static const char *const flags[] = { "--json", "--wait", "--no-wait" };
	static const char *const valued[] = { "--as", "--reason", "--emergency" };
	int n = 0;

	while (1 + n < argc) {
		const char *word = argv[1 + n];

		if (text_index(word, flags, COUNT(flags)) != COUNT(flags) ||
		    text_starts(word, "--as="))
			n++;
		else if (text_index(word, valued, COUNT(valued)) != COUNT(valued))
			n += 2;
		else
			break;
	}
	return n;
}

/* Puts such options behind the subcommand, as if they had been typed there. */
static void
move_options(int argc, char **argv)
{
	int n = count_before(argc, argv);
	char *word;

	if (n == 0 || 1 + n >= argc)
		return;
	word = argv[1 + n];
	memmove(&argv[2], &argv[1], (size_t)n * sizeof(argv[0]));
	argv[1] = word;
}

/* -h, -V, or what is none, in the place of a subcommand; an exit status, or -1 to go on. */
static int
take_option(const struct cli *cli, const char *word)
{
	if (word == NULL || word[0] != '-')
		return -1;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_help(stdout, cli->program);
		return EX_OK;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return cli_version(cli);
	(void)fprintf(stderr, "%s: %s: there is no such option\n", cli->program, word);
	print_help(stderr, cli->program);
	return EX_USAGE;
}

/* `deploybot doctor --help` and arguments where none are taken. */
static int
check_arguments(const struct cli *cli, const struct row *row)
{
	if (cli->argc > 0 &&
	    (strcmp(cli->argv[0], "--help") == 0 || strcmp(cli->argv[0], "-h") == 0)) {
		print_row(cli, row);
		return EX_OK;
	}
	if (cli->argc > 0 && row->usage[0] == '\0') {
		(void)fprintf(stderr, "%s: %s takes no argument: \"%s\"\n", cli->program, row->word,
		    cli->argv[0]);
		return EX_USAGE;
	}
	return -1;
}

/* What cannot be looked at counts as there: reading it then says why not, instead of a start
 * without the settings that it holds. */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int
cli_run(int argc, char **argv, cli_command *serve)
{
	struct cli cli = { .program = argc > 0 ? argv[0] : "deploybot" };
	const struct row *row;
	const char *word;
	const struct rlimit none = { 0, 0 };
	int status;

	/* No core with secrets in it, none readable through /proc by others of our user. */
	(void)setrlimit(RLIMIT_CORE, &none); /* a limit that cannot be lowered was lower */
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* A folder that we may not even enter has no settings of ours: an administrator's home,
	 * in which this was typed as the server's user. */
	if (access(".", X_OK) == 0 && is_there(CLI_FILE_HERE))
		cli.env_file = CLI_FILE_HERE;
	else if (is_there(CLI_SETTINGS_FILE))
		cli.env_file = CLI_SETTINGS_FILE;
	status = take_env_file(&cli, &argc, argv);
	move_options(argc, argv);
	word = argc > 1 ? argv[1] : NULL;
	if (status < 0)
		status = take_option(&cli, word);
	if (status >= 0)
		return status;
	cli.word = word != NULL ? word : "serve";
	cli.argc = argc > 2 ? argc - 2 : 0;
	cli.argv = argv + argc - cli.argc;
	row = find_row(cli.word);
	if (row == NULL)
		return cli_is_chat_command(cli.word) ? cli_chat_command(&cli) : unknown(&cli, word);
	status = check_arguments(&cli, row);
	if (status >= 0)
		return status;
	return row->run == NULL ? serve(&cli) : row->run(&cli);
}
