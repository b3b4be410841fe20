/* cli_completion.c - `deploybot completion SHELL`: what shells complete, from the tables.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_server.h"
#include "commands/commands.h"

/* Of `deploybot audit`: behind the first ones a file stands. */
#define OF_FILES "--against --tsa-ca --database --log"
#define OF_WORDS \
	"--bot --from --to --app --environment --deployment --person --severity --code --format"
#define OF_AUDIT OF_FILES " " OF_WORDS " --anyway -n"

/* Of what asks the running server (cli_server.c), where that takes it. */
#define OF_WAITING "--wait --no-wait"
static const struct {
	const char *option;
	bool has_text; /* behind it */
} of_server[] = { { "--json", false }, { "--wait", false }, { "--no-wait", false },
	{ "--as", true }, { "--reason", true }, { "--emergency", true } };

static const struct row {
	const char *word;
	const char *usage;
	const char *help;
} rows[] = {
#define CLI(word, function, usage, help) { word, usage, help },
	CLI_COMMANDS(CLI)
#undef CLI
};

static const char *const asks_server[] = { "logs", "log", "answer", "2fa", "token" };

static bool
does_ask_server(const char *word)
{
	for (size_t i = 0; i < COUNT(asks_server); i++)
		if (strcmp(asks_server[i], word) == 0)
			return true;
	return false;
}

/* --- what a usage says ------------------------------------------------------------------- */

/* Its next option, moving on; 0: there is none.  Whether to wait all can be told that ask the
 * server. */
static size_t
next_option(const char **usage, const char **ret)
{
	while ((*usage = strstr(*usage, "--")) != NULL) {
		size_t size = strspn(*usage, "-abcdefghijklmnopqrstuvwxyz");

		*ret = *usage;
		*usage += size;
		if (memmem(OF_WAITING, strlen(OF_WAITING), *ret, size) == NULL)
			return size;
	}
	return 0;
}

/* The next of its alternatives that begins with a word of ours: "list | check [NAME]". */
static size_t
next_word(const char **usage, const char **ret)
{
	while (**usage != '\0') {
		const char *begin = *usage + strspn(*usage, " ");
		size_t size = strspn(begin, "abcdefghijklmnopqrstuvwxyz");
		size_t rest = strcspn(begin, "|");

		*usage = begin + rest + (begin[rest] == '|');
		*ret = begin;
		if (size > 0 && strchr(" |", begin[size]) != NULL)
			return size;
	}
	return 0;
}

static bool
has_option(const char *usage)
{
	const char *option;

	return next_option(&usage, &option) > 0;
}

static bool
takes_environment(const struct row *row)
{
	return strstr(row->usage, "ENV") != NULL;
}

static bool
has_word(const struct row *row)
{
	const char *usage = row->usage, *word;

	return !takes_environment(row) && next_word(&usage, &word) > 0;
}

static void
add_options(const char *usage)
{
	const char *option;
	size_t size;

	while ((size = next_option(&usage, &option)) > 0)
		(void)printf(" %.*s", (int)size, option);
}

static void
add_words(const char *usage)
{
	const char *word, *before = "";
	size_t size;

	for (; (size = next_word(&usage, &word)) > 0; before = " ")
		(void)printf("%s%.*s", before, (int)size, word);
}

/* --- which words ------------------------------------------------------------------------- */

/* A word, and what it is for. */
typedef void each_fn(void *ctx, const char *word, const char *help);

static void
each_of_chat(each_fn *each, void *ctx)
{
	for (size_t i = 0; i < commands_count(); i++)
		if (cli_is_chat_command(commands_get(i)->word))
			each(ctx, commands_get(i)->word, commands_get(i)->help);
}

static void
each_word(each_fn *each, void *ctx)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		each(ctx, rows[i].word, rows[i].help);
	each_of_chat(each, ctx);
}

static void
each_of_server(each_fn *each, void *ctx)
{
	for (size_t i = 0; i < COUNT(asks_server); i++)
		each(ctx, asks_server[i], "");
	each_of_chat(each, ctx);
}

/* Those behind which an environment follows. */
static void
each_of_environments(each_fn *each, void *ctx)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (takes_environment(&rows[i]))
			each(ctx, rows[i].word, "");
	for (size_t i = 0; i < commands_count(); i++)
		if (commands_get(i)->target != COMMAND_NONE &&
		    cli_is_chat_command(commands_get(i)->word))
			each(ctx, commands_get(i)->word, "");
}

static void
add_blank(void *ctx, const char *word, UNUSED const char *help)
{
	(void)printf("%s%s", *(bool *)ctx ? "" : " ", word);
	*(bool *)ctx = false;
}

static void
add_bar(void *ctx, const char *word, UNUSED const char *help)
{
	(void)printf("%s%s", *(bool *)ctx ? "" : "|", word);
	*(bool *)ctx = false;
}

static void
add_zsh(UNUSED void *ctx, const char *word, const char *help)
{
	(void)printf("\t\t'%s:", word);
	for (; *help != '\0'; help++)
		(void)printf(*help == '\'' ? "'\\''" : *help == ':' ? "\\:" : "%c", *help);
	(void)printf("'\n");
}

static void
add_fish(UNUSED void *ctx, const char *word, const char *help)
{
	(void)printf("complete -c deploybot -n __fish_use_subcommand -a %s -d '", word);
	for (; *help != '\0'; help++)
		(void)printf(*help == '\'' ? "\\'" : "%c", *help);
	(void)printf("'\n");
}

static void
add_server_options(const char *word)
{
	for (size_t i = 0; i < COUNT(of_server); i++)
		if (cli_server_takes(word, of_server[i].option))
			(void)printf(" %s", of_server[i].option);
}

/* Around the options of a line. */
struct around {
	const char *before, *behind;
};

static void
add_line(void *ctx, const char *word, UNUSED const char *help)
{
	const struct around *around = ctx;

	(void)printf("\t\t%s)%s", word, around->before);
	add_server_options(word);
	(void)printf("%s ;;\n", around->behind);
}

static void
add_if_taken(void *ctx, const char *word, UNUSED const char *help)
{
	if (cli_server_takes(word, ctx))
		(void)printf(" %s", word);
}

static void
print_list(void (*each)(each_fn *, void *), each_fn *add)
{
	bool is_first = true;

	each(add, &is_first);
}

/* Lines of a case: before the options, and behind them. */
static void
print_options(const char *before, const char *behind)
{
	(void)printf("\t\taudit)%s " OF_AUDIT "%s ;;\n", before, behind);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool is_servers = does_ask_server(rows[i].word);

		if (strcmp(rows[i].word, "audit") == 0 ||
		    (!is_servers && !has_option(rows[i].usage)))
			continue;
		(void)printf("\t\t%s)%s", rows[i].word, before);
		if (is_servers)
			add_server_options(rows[i].word);
		add_options(rows[i].usage);
		(void)printf("%s ;;\n", behind);
	}
	each_of_chat(add_line, &(struct around){ before, behind });
}

/* What stands behind the subcommand. */
static void
print_words(const char *before, const char *behind)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!has_word(&rows[i]))
			continue;
		(void)printf("\t\t%s)%s", rows[i].word, before);
		add_words(rows[i].usage);
		(void)printf("%s ;;\n", behind);
	}
	(void)printf("\t\thelp)%s", before);
	print_list(each_word, add_blank);
	(void)printf("%s ;;\n", behind);
}

/* --- the shells -------------------------------------------------------------------------- */

static void
print_bash(void)
{
	(void)fputs(
	    "# deploybot's completion for bash; made by: deploybot completion bash\n"
	    "_deploybot() {\n"
	    "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	    "\tif [[ \" --env-file " OF_FILES
	    " \" == *\" $before \"* || ($COMP_CWORD == 2 && $before == @(backup|restore)) ]]; then\n"
	    "\t\tcompopt -o filenames 2>/dev/null\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
	    "\t\treturn\n"
	    "\telif [[ $word == -* ]]; then\n"
	    "\t\tcase ${COMP_WORDS[1]} in\n",
	    stdout);
	print_options(" words='", "'");
	(void)fputs("\t\tesac\n"
		    "\t\twords+=' --env-file'\n"
		    "\telif ((COMP_CWORD == 1)); then\n"
		    "\t\twords='",
	    stdout);
	print_list(each_word, add_blank);
	(void)fputs("'\n\telif ((COMP_CWORD == 2)); then\n"
		    "\t\tcase ${COMP_WORDS[1]} in\n\t\t",
	    stdout);
	print_list(each_of_environments, add_bar);
	(void)fputs(") words=$(deploybot completion environments 2>/dev/null) ;;\n", stdout);
	print_words(" words='", "'");
	(void)fputs("\t\tesac\n"
		    "\t\t[[ ${COMP_WORDS[1]} != *freeze ]] || words+=' all'\n"
		    "\telif ((COMP_CWORD == 3)) && [[ ${COMP_WORDS[1]} == answer ]]; then\n"
		    "\t\twords='yes no'\n"
		    "\tfi\n"
		    "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
		    "}\n"
		    "complete -F _deploybot deploybot\n",
	    stdout);
}

static void
print_zsh(void)
{
	(void)fputs("#compdef deploybot\n"
		    "# deploybot's completion for zsh; made by: deploybot completion zsh\n"
		    "_deploybot() {\n"
		    "\tlocal -a commands=(\n",
	    stdout);
	each_word(add_zsh, NULL);
	(void)fputs(
	    "\t)\n"
	    "\tif [[ \" --env-file " OF_FILES
	    " \" == *\" $words[CURRENT-1] \"* || \"$CURRENT $words[2]\" == '3 '(backup|restore) ]]; then\n"
	    "\t\t_files\n"
	    "\telif [[ $PREFIX == -* ]]; then\n"
	    "\t\tcase $words[2] in\n",
	    stdout);
	print_options(" compadd --", "");
	(void)fputs("\t\tesac\n"
		    "\t\tcompadd -- --env-file\n"
		    "\telif ((CURRENT == 2)); then\n"
		    "\t\t_describe 'command' commands\n"
		    "\telif ((CURRENT == 3)); then\n"
		    "\t\tcase $words[2] in\n\t\t",
	    stdout);
	print_list(each_of_environments, add_bar);
	(void)fputs(
	    ") compadd -- ${(f)\"$(deploybot completion environments 2>/dev/null)\"} ;;\n", stdout);
	print_words(" compadd -- ", "");
	(void)fputs("\t\tesac\n"
		    "\tfi\n"
		    "}\n"
		    "_deploybot \"$@\"\n",
	    stdout);
}

/* One option of a subcommand: how is what stands behind it. */
static void
print_fish_option(const char *word, const char *option, size_t size, const char *how)
{
	(void)printf("complete -c deploybot -n '__fish_seen_subcommand_from %s' -l %.*s%s\n", word,
	    (int)size - 2, option + 2, how);
}

static void
print_fish_list(const char *word, const char *options, const char *how)
{
	while (*options != '\0') {
		size_t size = strcspn(options, " ");

		print_fish_option(word, options, size, how);
		options += size;
		options += strspn(options, " ");
	}
}

static void
print_fish_row(const struct row *row)
{
	const char *usage = row->usage, *option;
	size_t size;

	while ((size = next_option(&usage, &option)) > 0)
		print_fish_option(row->word, option, size,
		    option[size] == ' ' && option[size + 1] != '[' ? " -x" : "");
	if (has_word(row)) {
		(void)printf(
		    "complete -c deploybot -n '__fish_seen_subcommand_from %s' -a '", row->word);
		add_words(row->usage);
		(void)printf("'\n");
	}
}

static void
print_fish(void)
{
	(void)fputs("# deploybot's completion for fish; made by: deploybot completion fish\n"
		    "complete -c deploybot -f\n"
		    "complete -c deploybot -l env-file -r -F\n",
	    stdout);
	each_word(add_fish, NULL);
	(void)fputs("complete -c deploybot -n '__fish_seen_subcommand_from ", stdout);
	print_list(each_of_environments, add_blank);
	(void)fputs("' -a '(deploybot completion environments 2>/dev/null)'\n"
		    "complete -c deploybot -n '__fish_seen_subcommand_from backup restore' -F\n"
		    "complete -c deploybot -n '__fish_seen_subcommand_from help' -a '",
	    stdout);
	print_list(each_word, add_blank);
	(void)fputs("'\n", stdout);
	for (size_t i = 0; i < COUNT(rows); i++)
		print_fish_row(&rows[i]);
	print_fish_list("audit", OF_FILES, " -r -F");
	print_fish_list("audit", OF_WORDS, " -x");
	(void)fputs("complete -c deploybot -n '__fish_seen_subcommand_from audit' -l anyway\n"
		    "complete -c deploybot -n '__fish_seen_subcommand_from audit' -s n -x\n",
	    stdout);
	for (size_t i = 0; i < COUNT(of_server); i++) {
		(void)printf("complete -c deploybot -n '__fish_seen_subcommand_from");
		each_of_server(add_if_taken, (void *)(uintptr_t)of_server[i].option);
		(void)printf(
		    "' -l %s%s\n", of_server[i].option + 2, of_server[i].has_text ? " -x" : "");
	}
}

/* Those that whoever asks may see, root as an admin, being nobody in the settings; silent where the
 * server is not reached: nothing is completed. */
static int
print_environments(const struct cli *cli)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct cli_api api;
	const struct json *all;

	if (!cli_api_of(cli, geteuid() == 0 ? "admin" : NULL, &api, NULL) ||
	    !cli_api_ask(&api, "/v1/queue", NULL, &answer, NULL) || answer.status != 200)
		return EX_UNAVAILABLE;
	all = json_get(answer.json, "environments");
	for (size_t i = 0; i < json_count(all); i++)
		(void)printf("%s\n", json_get_str(json_at(all, i), "environment"));
	return EX_OK;
}

int
cli_completion(const struct cli *cli)
{
	static const struct {
		const char *word;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

	if (cli->argc == 1 && strcmp(cli->argv[0], "environments") == 0)
		return print_environments(cli);
	for (size_t i = 0; cli->argc == 1 && i < COUNT(shells); i++) {
		if (strcmp(shells[i].word, cli->argv[0]) != 0)
			continue;
		shells[i].print();
		return EX_OK;
	}
	(void)fprintf(
	    stderr, "%s: completion: expected bash, zsh, fish or environments\n", cli->program);
	return EX_USAGE;
}
