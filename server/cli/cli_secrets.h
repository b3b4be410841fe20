/* cli_secrets.h - what the files of `deploybot secrets` share.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "settings/settings_commands.h"

/* Where `secrets fetch` puts what commands print: server/NAME and runner/NAME. */
#define SECRETS_FETCHED SETTINGS_FETCHED "/"

int cli_secrets_check(const struct cli *cli, bool is_json);
int cli_secrets_fetch(const struct cli *cli); /* EX_USAGE: nothing is printed yet */
