/* cli_usage.h - prints how the command line is used.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli_table.h"

/* All subcommands, a line for each. */
void cli_usage_all(FILE *out, const char *program);

/* The form's usage; of one that has second words that of each.  with_help: and what it is for. */
void cli_usage(FILE *out, const char *program, const struct cli_form *form, bool with_help);

/* The same with help, and what its options are for. */
void cli_usage_help(const char *program, const struct cli_form *form);

/* Says, before all that is missing then, that no settings file was read; the server's own start,
 * whose settings may all stand in its environment, does not. */
void cli_usage_no_file(const struct cli *cli);

/* Prints a line, of which so many columns are there, with as many words as a terminal shows; what
 * goes on is indented by as much.  No line ends within brackets. */
void cli_usage_wrap(FILE *out, size_t indent, const char *text);
