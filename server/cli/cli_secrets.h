/* cli_secrets.h - what the files of `deploybot secrets` share.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "settings/settings_commands.h"

/* Where `secrets fetch` puts what commands print: server/NAME and runner/NAME. */
#define SECRETS_FETCHED SETTINGS_FETCHED "/"

int cli_secrets_check(const struct cli *cli, bool is_json);
int cli_secrets_fetch(const struct cli *cli); /* EX_USAGE: nothing is printed yet */

/* Both for deploy/secrets.sh: which commands there are, and whether what one has printed, on stdin,
 * may be the value of that setting (NAME_COMMAND). */
int cli_secrets_commands(const struct cli *cli);
int cli_secrets_take(const char *setting);
