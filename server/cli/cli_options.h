/* cli_options.h - reads the command line by its table.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"

/* Fills *cli, but for env_file.  An exit status: it said what is wrong, or the help that was asked
 * for; or -1 to go on. */
int cli_options_read(int argc, char **argv, struct cli *cli) MUST_USE;

/* Fills all of *cli but env_file, of a line that is still typed (argv[0] is none of it): form NULL:
 * there is none so called.  The option of which the value comes next, or OPTION_COUNT. */
enum cli_option cli_options_sort(int argc, char **argv, struct cli *cli);

/* Says that there is no such subcommand, and which was meant; returns EX_USAGE. */
int cli_options_no_command(const struct cli *cli, const char *word);
