/* cli_completion.c - `deploybot completion SHELL`: what shells complete, from the tables.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/cli_server.h"
#include "commands/commands.h"
#include "lib/buf.h"
#include "lib/err.h"

/* Of `deploybot audit`: behind the first ones a file stands. */
#define OF_FILES "--against --tsa-ca --database --log"
#define OF_WORDS \
	"--bot --from --to --app --environment --deployment --person --severity --code --format"
#define OF_AUDIT OF_FILES " " OF_WORDS " --anyway"

/* A word, and what it is for. */
typedef void each_fn(void *ctx, const char *word, const char *help);

static void
each_word(each_fn *each, void *ctx)
{
#define CLI(word, function, usage, help) each(ctx, word, help);
	CLI_COMMANDS(CLI)
#undef CLI
	for (size_t i = 0; i < commands_count(); i++)
		if (cli_is_chat_command(commands_get(i)->word))
			each(ctx, commands_get(i)->word, commands_get(i)->help);
}

/* Those behind which an environment follows. */
static void
each_of_environments(each_fn *each, void *ctx)
{
	each(ctx, "logs", "");
	each(ctx, "answer", "");
	for (size_t i = 0; i < commands_count(); i++)
		if (commands_get(i)->target != COMMAND_NONE &&
		    cli_is_chat_command(commands_get(i)->word))
			each(ctx, commands_get(i)->word, "");
}

static void
add_blank(void *ctx, const char *word, const char *help)
{
	(void)help;
	(void)printf("%s%s", *(bool *)ctx ? "" : " ", word);
	*(bool *)ctx = false;
}

static void
add_bar(void *ctx, const char *word, const char *help)
{
	(void)help;
	(void)printf("%s%s", *(bool *)ctx ? "" : "|", word);
	*(bool *)ctx = false;
}

static void
add_zsh(void *ctx, const char *word, const char *help)
{
	(void)ctx;
	(void)printf("\t\t'%s:", word);
	for (; *help != '\0'; help++)
		(void)printf(*help == '\'' ? "'\\''" : *help == ':' ? "\\:" : "%c", *help);
	(void)printf("'\n");
}

static void
add_fish(void *ctx, const char *word, const char *help)
{
	(void)ctx;
	(void)printf("complete -c deploybot -n __fish_use_subcommand -a %s -d '", word);
	for (; *help != '\0'; help++)
		(void)printf(*help == '\'' ? "\\'" : "%c", *help);
	(void)printf("'\n");
}

static void
print_list(void (*each)(each_fn *, void *), each_fn *add)
{
	bool is_first = true;

	each(add, &is_first);
}

static void
print_bash(void)
{
	(void)fputs("# deploybot's completion for bash; made by: deploybot completion bash\n"
		    "_deploybot() {\n"
		    "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
		    "\tif ((COMP_CWORD == 1)); then\n"
		    "\t\twords='",
	    stdout);
	print_list(each_word, add_blank);
	(void)fputs("'\n\telif [[ $word == -* ]]; then\n"
		    "\t\twords='--json --wait --no-wait --as --reason --emergency'\n"
		    "\t\t[[ ${COMP_WORDS[1]} != token ]] || words+=' --role --expires'\n"
		    "\t\t[[ ${COMP_WORDS[1]} != audit ]] || words='" OF_AUDIT "'\n"
		    "\telif ((COMP_CWORD == 2)); then\n"
		    "\t\tcase ${COMP_WORDS[1]} in\n\t\t",
	    stdout);
	print_list(each_of_environments, add_bar);
	(void)fputs(") words=$(deploybot completion environments 2>/dev/null) ;;\n"
		    "\t\ttoken) words='add list revoke' ;;\n"
		    "\t\tsecrets) words='check fetch' ;;\n"
		    "\t\taudit) words='verify tail search show export' ;;\n"
		    "\t\tesac\n"
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
	(void)fputs("\t)\n"
		    "\tif ((CURRENT == 2)); then\n"
		    "\t\t_describe 'command' commands\n"
		    "\telif [[ $PREFIX == -* ]]; then\n"
		    "\t\tcase $words[2] in\n"
		    "\t\taudit) compadd -- " OF_AUDIT " ;;\n"
		    "\t\ttoken) compadd -- --json --role --expires ;;\n"
		    "\t\t*) compadd -- --json --wait --no-wait --as --reason --emergency ;;\n"
		    "\t\tesac\n"
		    "\telif [[ $words[2] == audit && \" " OF_FILES
		    " \" == *\" $words[CURRENT-1] \"* ]]; then\n"
		    "\t\t_files\n"
		    "\telif ((CURRENT == 3)); then\n"
		    "\t\tcase $words[2] in\n\t\t",
	    stdout);
	print_list(each_of_environments, add_bar);
	(void)fputs(") compadd -- ${(f)\"$(deploybot completion environments 2>/dev/null)\"} ;;\n"
		    "\t\ttoken) compadd -- add list revoke ;;\n"
		    "\t\tsecrets) compadd -- check fetch ;;\n"
		    "\t\taudit) compadd -- verify tail search show export ;;\n"
		    "\t\tesac\n"
		    "\tfi\n"
		    "}\n"
		    "_deploybot \"$@\"\n",
	    stdout);
}

/* Of `deploybot audit`: --words, a blank between them. */
static void
print_fish_options(const char *options, const char *how)
{
	while (*options != '\0') {
		size_t size = strcspn(options, " ");

		(void)printf(
		    "complete -c deploybot -n '__fish_seen_subcommand_from audit' -l %.*s %s\n",
		    (int)size - 2, options + 2, how);
		options += size;
		options += strspn(options, " ");
	}
}

static void
print_fish(void)
{
	(void)fputs("# deploybot's completion for fish; made by: deploybot completion fish\n"
		    "complete -c deploybot -f\n",
	    stdout);
	each_word(add_fish, NULL);
	(void)fputs("complete -c deploybot -n '__fish_seen_subcommand_from ", stdout);
	print_list(each_of_environments, add_blank);
	(void)fputs(
	    "' -a '(deploybot completion environments 2>/dev/null)'\n"
	    "complete -c deploybot -n '__fish_seen_subcommand_from token' -a 'add list revoke'\n"
	    "complete -c deploybot -n '__fish_seen_subcommand_from secrets' -a 'check fetch'\n"
	    "complete -c deploybot -n '__fish_seen_subcommand_from audit' -a 'verify tail search show export'\n",
	    stdout);
	print_fish_options(OF_FILES, "-r -F");
	print_fish_options(OF_WORDS, "-x");
	(void)fputs("complete -c deploybot -n '__fish_seen_subcommand_from audit' -l anyway\n"
		    "complete -c deploybot -n '__fish_seen_subcommand_from token' -l role -x\n"
		    "complete -c deploybot -n '__fish_seen_subcommand_from token' -l expires -x\n"
		    "complete -c deploybot -l json\n"
		    "complete -c deploybot -l wait\n"
		    "complete -c deploybot -l no-wait\n"
		    "complete -c deploybot -l as -x\n"
		    "complete -c deploybot -l reason -x\n"
		    "complete -c deploybot -l emergency -x\n",
	    stdout);
}

/* Those that whoever asks may see; silent where the server is not reached: nothing is completed. */
static int
print_environments(const struct cli *cli)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct cli_api api;
	const struct json *all;
	struct err err;

	if (!cli_api_of(cli, NULL, &api, &err) ||
	    !cli_api_ask(&api, "/v1/queue", NULL, &answer, &err) || answer.status != 200)
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
