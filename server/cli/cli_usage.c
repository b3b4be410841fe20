/* cli_usage.c - prints how the command line is used, from its table.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_usage.h"

#include "lib/buf.h"

#define WIDTH	  80
#define LEFT	  24
#define USAGE_MAX 4096

/* Up to the next space that is in no brackets. */
static size_t
word_size(const char *text)
{
	size_t size = 0;

	for (int depth = 0; text[size] != '\0' && (text[size] != ' ' || depth > 0); size++)
		depth += (text[size] == '[') - (text[size] == ']');
	return size;
}

void
cli_usage_wrap(FILE *out, size_t indent, const char *text)
{
	size_t column = indent;

	for (size_t size; *text != '\0'; text += size + (text[size] == ' ')) {
		size = word_size(text);
		if (column > indent && column + 1 + size > WIDTH) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fprintf(out, "%.*s", (int)size, text);
		column += size;
	}
	(void)fputc('\n', out);
}

/* Is it shown with that one: itself, or its second words? */
static bool
is_below(const struct cli_form *form, const struct cli_form *of)
{
	return form->help != NULL && strcmp(form->word, of->word) == 0 &&
	    (form == of) != cli_form_has_kinds(of);
}

static void
add_operands(struct buf *out, const struct cli_form *form)
{
	static const char *const around[][2] = { [CLI_ONCE] = { " [", "]" },
		[CLI_NEEDED] = { " ", "" },
		[CLI_MANY] = { " [", "...]" } };

	if (form->usage != NULL)
		buf_addf(out, "%s%s", form->usage[0] == '\0' ? "" : " ", form->usage);
	for (size_t i = 0; form->usage == NULL && i < CLI_OPERANDS; i++) {
		const struct cli_operand *operand = &form->operands[i];

		if (operand->value != CLI_VALUE_NONE)
			buf_addf(out, "%s%s%s", around[operand->times][0],
			    cli_value_rows[operand->value].usage, around[operand->times][1]);
	}
}

static void
add_option(struct buf *out, const struct cli_option_row *row)
{
	const char *value = cli_value_rows[row->value].usage;

	buf_addf(out, "%s%s%s", row->name, value[0] == '\0' ? "" : " ", value);
}

/* "audit tail [-n NUMBER]"; of one that has second words "audit verify|tail|search". */
static void
add_form(struct buf *out, const struct cli_form *form, bool with_options)
{
	size_t n;
	const struct cli_form *all = cli_forms(&n);
	const char *between = " ";

	buf_addf(out, "%s%s%s", form->word, form->kind[0] == '\0' ? "" : " ", form->kind);
	for (size_t i = 0; cli_form_has_kinds(form) && i < n; i++)
		if (is_below(&all[i], form)) {
			buf_addf(out, "%s%s", between, all[i].kind);
			between = "|";
		}
	add_operands(out, form);
	for (size_t i = 0; with_options && i < OPTION_ENV_FILE; i++) {
		const struct cli_option_row *row = &cli_option_rows[i];

		if (!cli_form_takes(form, (enum cli_option)i))
			continue;
		buf_adds(out, row->times == CLI_NEEDED ? " " : " [");
		add_option(out, row);
		buf_adds(out,
		    row->times == CLI_NEEDED   ? "" :
			row->times == CLI_MANY ? "]..." :
						 "]");
	}
}

/* Prints what is in the text, and behind it, or below it where it is longer, what that is for. */
static void
print_row(FILE *out, struct buf *text, const char *help)
{
	(void)fprintf(out, text->size > LEFT ? "  %s\n%*s" : "  %s%*s", buf_text(text),
	    text->size > LEFT ? LEFT + 3 : LEFT + 1 - (int)text->size, "");
	cli_usage_wrap(out, LEFT + 3, help);
	buf_clear(text);
}

void
cli_usage_all(FILE *out, const char *program)
{
	CLEANUP(buf_done) struct buf text = buf_make(USAGE_MAX);
	bool is_chat = false;
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	(void)fprintf(out, "Usage: %s [--env-file FILE] [COMMAND [ARGUMENT...]]\n\n", program);
	for (size_t i = 0; i < n; i++) {
		if (all[i].kind[0] != '\0')
			continue;
		if (!is_chat && all[i].usage != NULL)
			(void)fputs(
			    "\nOf the running server, over LOCAL_SOCKET, as in the chat; with --json, --wait,\n--no-wait, --as ROLE, --reason TEXT, --emergency TEXT:\n",
			    out);
		is_chat = all[i].usage != NULL;
		add_form(&text, &all[i], !all[i].asks_server);
		print_row(out, &text, all[i].help);
	}
	(void)fputs(
	    "\nSettings come from the environment and from FILE; the environment wins.\n"
	    "Without --env-file FILE is ./.env where that is there, else\n" CLI_SETTINGS_FILE
	    ".  config-example lists all settings;\n"
	    "check-config says which file was read.  deploybot-setup asks for what a new\n"
	    "installation needs, writes it and prepares the hosts.\n",
	    out);
}

void
cli_usage(FILE *out, const char *program, const struct cli_form *form, bool with_help)
{
	CLEANUP(buf_done) struct buf text = buf_make(USAGE_MAX);
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	for (size_t i = 0; i < n; i++) {
		if (!is_below(&all[i], form))
			continue;
		buf_addf(&text, "%s [--env-file FILE] ", program);
		add_form(&text, &all[i], true);
		(void)fputs("Usage: ", out);
		cli_usage_wrap(out, sizeof("Usage: ") - 1, buf_text(&text));
		if (with_help)
			(void)fprintf(out, "%s\n%s", all[i].help,
			    strcmp(form->word, "rollback") != 0 ?
				"" :
				"Past approvals, in an emergency: deploy ENVIRONMENT COMMIT --emergency TEXT\n");
		buf_clear(&text);
	}
}

void
cli_usage_help(const char *program, const struct cli_form *form)
{
	CLEANUP(buf_done) struct buf text = buf_make(USAGE_MAX);
	uint64_t options = 0;
	size_t n;
	const struct cli_form *all = cli_forms(&n);

	cli_usage(stdout, program, form, true);
	for (size_t i = 0; i < n; i++)
		options |= is_below(&all[i], form) ? all[i].options : 0;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct cli_option_row *row = &cli_option_rows[i];
		const char *expected = cli_value_rows[row->value].expected;
		char help[256];

		if ((options & (UINT64_C(1) << i)) == 0)
			continue;
		add_option(&text, row);
		(void)snprintf(help, sizeof(help), expected[0] == '\0' ? "%s" : "%s It takes %s.",
		    row->help, expected);
		print_row(stdout, &text, help);
	}
}

void
cli_usage_no_file(const struct cli *cli)
{
	if (cli->env_file == NULL && strcmp(cli->form->word, "serve") != 0)
		(void)fputs(
		    "error    no settings file was read: name one with --env-file, or type this as the server's user (sudo -u deploybot deploybot)\n",
		    stderr);
}
