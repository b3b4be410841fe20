/* cli_completion.c - `deploybot completion`: what shells complete: they ask at each Tab.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_api.h"
#include "cli/cli_completion_text.h"
#include "cli/cli_options.h"
#include "cli/cli_table.h"
#include "lib/text.h"
#include "types/audit_code.h"

/* Instead of a list: the shell completes names of files. */
#define FILES "FILES\n"

static void
offer(const char *word, const char *begun, const char *help)
{
	if (text_starts(word, begun))
		(void)printf("%s%s%s\n", word, help[0] == '\0' ? "" : "\t", help);
}

/* Of all subcommands, or (of) the second words of one. */
static void
offer_words(const char *of, const char *begun)
{
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	for (size_t i = 0; i < n; i++) {
		bool is_kind = all[i].kind[0] != '\0';

		if (all[i].help != NULL && is_kind == (of != NULL) &&
		    (of == NULL || strcmp(all[i].word, of) == 0))
			offer(is_kind ? all[i].kind : all[i].word, begun, all[i].help);
	}
}

static void
offer_options(const struct cli_form *form, bool has_word, const char *begun)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (cli_form_takes(form, (enum cli_option)i))
			offer(cli_option_rows[i].name, begun, cli_option_rows[i].help);
	offer("--help", begun, "What this is for, and its options.");
	if (!has_word)
		offer("--version", begun, "Print the version.");
}

/* Each once, though several codes have one action. */
static void
offer_codes(const char *begun)
{
	for (size_t i = 0; i < AUDIT_CODE_COUNT; i++) {
		const char *action = audit_code_rows[i].action;
		size_t n = 0;

		offer(audit_code_rows[i].code, begun, "");
		while (n < i && strcmp(audit_code_rows[n].action, action) != 0)
			n++;
		if (n == i && audit_code_of(action) == AUDIT_CODE_COUNT)
			offer(action, begun, "");
	}
}

/* Those that whoever asks may see, root as an admin, being nobody in the settings; silent where the
 * server is not reached: nothing is completed. */
static bool
offer_environments(const struct cli *cli, const char *begun)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct cli_api api;
	const struct json *all;

	if (!cli_api_of(cli, geteuid() == 0 ? "admin" : NULL, &api, NULL) ||
	    !cli_api_ask(&api, "/v1/queue", NULL, &answer, NULL) || answer.status != 200)
		return false;
	all = json_get(answer.json, "environments");
	for (size_t i = 0; i < json_count(all); i++)
		offer(json_get_str(json_at(all, i), "environment"), begun, "");
	return true;
}

static void
offer_value(const struct cli *cli, enum cli_value value, const char *before, const char *begun)
{
	const struct cli_value_row *row = &cli_value_rows[value];
	char words[64], *rest = words, *word;

	switch (row->complete) {
	case CLI_FILES:
		(void)fputs(FILES, stdout);
		break;
	case CLI_ENVIRONMENTS:
		if (value == CLI_VALUE_SCOPE)
			offer("all", begun, "");
		(void)offer_environments(cli, begun);
		break;
	case CLI_COMMANDS:
		offer_words(NULL, begun);
		break;
	case CLI_KINDS:
		offer_words(before, begun);
		break;
	case CLI_CODES:
		offer_codes(begun);
		break;
	case CLI_WORDS:
		(void)text_copy(words, sizeof(words), row->usage);
		while ((word = strsep(&rest, "|")) != NULL)
			offer(word, begun, "");
		break;
	case CLI_NOTHING:
	case CLI_NUMBERS:
		break;
	}
}

/* What may stand in the place of the last of these words: it may have begun. */
int
cli_completion_words(const struct cli *cli)
{
	struct cli typed = { .program = cli->program };
	int last = cli->argc - 1;
	const char *begun = cli->argv[last];
	enum cli_option option;

	cli->argv[last] = NULL;
	option = cli_options_sort(cli->argc, cli->argv - 1, &typed);
	if (option != OPTION_COUNT)
		offer_value(cli, cli_option_rows[option].value, NULL, begun);
	else if (typed.form == NULL)
		return EX_OK;
	else if (begun[0] == '-')
		offer_options(typed.form, typed.word != NULL, begun);
	else if (typed.word == NULL)
		offer_words(NULL, begun);
	else if (cli_form_has_kinds(typed.form) && typed.argc == 0)
		offer_words(typed.word, begun);
	else if (typed.argc < CLI_OPERANDS) {
		if (typed.argc == 0 && typed.form->kind[0] == '\0')
			offer_words(typed.word, begun);
		offer_value(cli, typed.form->operands[typed.argc].value,
		    typed.argc > 0 ? typed.argv[typed.argc - 1] : NULL, begun);
	}
	return EX_OK;
}

int
cli_environments(const struct cli *cli)
{
	return offer_environments(cli, "") ? EX_OK : EX_UNAVAILABLE;
}

int
cli_completion(const struct cli *cli)
{
	const char *shell = cli->argv[0];

	(void)fputs(strcmp(shell, "bash") == 0 ? cli_completion_bash :
		strcmp(shell, "zsh") == 0      ? cli_completion_zsh :
						 cli_completion_fish,
	    stdout);
	return EX_OK;
}
