/* cli_table.h - what the command line takes, as cli.def and commands.def have it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "cli/cli.h"

enum cli_value {
#define VALUE(name, ...) CLI_VALUE_##name,
#include "cli/cli.def"
	CLI_VALUE_COUNT
};

/* What shells complete. */
enum cli_complete {
	CLI_NOTHING,
	CLI_FILES,
	CLI_ENVIRONMENTS,
	CLI_WORDS,   /* those of usage, which alone are taken */
	CLI_NUMBERS, /* nothing, and numbers from 1 alone are taken */
	CLI_COMMANDS,
	CLI_KINDS, /* second words of the command before it */
	CLI_CODES, /* of the audit, and its actions */
};

extern const struct cli_value_row {
	const char *usage;
	enum cli_complete complete;
	const char *expected;
} cli_value_rows[CLI_VALUE_COUNT];

enum cli_times { CLI_ONCE, CLI_NEEDED, CLI_MANY };

extern const struct cli_option_row {
	const char *name; /* with its dashes */
	enum cli_value value;
	enum cli_times times;
	const char *help;
} cli_option_rows[OPTION_COUNT];

#define CLI_OPERANDS  3
#define CLI_FORMS_MAX 128

/* One way to use a subcommand. */
struct cli_form {
	const char *word;
	const char *kind; /* its second word; "" */
	size_t row;	  /* which one of cli.def; as many as these are: it is of the chat alone */
	bool asks_server;
	uint64_t options; /* a bit for each */
	const char *help; /* NULL: it is shown nowhere */
	struct cli_operand {
		enum cli_value value; /* NONE: there are no more */
		enum cli_times times; /* ONCE: it may be left out */
	} operands[CLI_OPERANDS];
	const char *usage; /* of the chat: instead of the operands, which may be any words */
	int needed, most;  /* words of such a one; most 0: any */
};

/* All of them: those of cli.def, then those of the chat. */
const struct cli_form *cli_forms(size_t *ret_count);

/* NULL: there is none. */
const struct cli_form *cli_form_find(const char *word, const char *kind);

/* All take --env-file. */
bool cli_form_takes(const struct cli_form *form, enum cli_option option);

/* Has it second words that are shown, and is none of them? */
bool cli_form_has_kinds(const struct cli_form *form);

/* The option so called; OPTION_COUNT: none. */
enum cli_option cli_option_find(const char *name, size_t size);

/* May it be that word? */
bool cli_value_takes(enum cli_value value, const char *word);
