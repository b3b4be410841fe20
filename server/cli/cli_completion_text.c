/* cli_completion_text.c - what `completion SHELL` prints, as files that are embedded.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_completion_text.h"

#include "lib/embed.h"

EMBED(cli_completion_bash, "server/cli/completion/deploybot.bash");
EMBED(cli_completion_zsh, "server/cli/completion/deploybot.zsh");
EMBED(cli_completion_fish, "server/cli/completion/deploybot.fish");
