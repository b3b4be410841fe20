/* cli_server.h - subcommands that ask the running server: their options, and following work.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "cli/cli_api.h"

enum cli_wait { CLI_WAIT_ON_TERMINAL, CLI_WAIT, CLI_WAIT_NOT };

struct cli_server {
	const struct cli *cli;
	struct cli_api api;
	bool is_json;
	enum cli_wait wait;
	int argc; /* what is no option */
	char **argv;
};

/* Reads the options, and runs it; an exit status. */
int cli_server_run(const struct cli *cli, cli_server_command *run);

/* What was said, to people; a script gets all of it.  Returns the exit status. */
int cli_server_show_said(const struct cli_server *local, const struct cli_answer *answer);

/* What a path of /v1 may hold as it is: names and numbers. */
bool cli_is_path(const char *text);

/* The work that an answer is about: its end is waited for, or its number is shown, as --wait says;
 * else what was said.  An exit status. */
int cli_server_go_on(const struct cli_server *local, const struct cli_answer *answer);

/* How work has ended, for scripts. */
enum cli_end {
	CLI_END_GOOD = 0,      /* it is live */
	CLI_END_FAILED = 1,    /* it is not; what was live before is again, or still */
	CLI_END_NOT_BEGUN = 2, /* refused, cancelled, expired, replaced by another */
	CLI_END_UNKNOWN = 3,   /* its rollback failed too: somebody has to look */
	CLI_END_ASKED = 4,     /* nothing has begun: it waits for somebody's yes */
	CLI_END_LEFT = 130,    /* Ctrl-C: it is left running */
};

/* Somebody is there to read a question, and to answer it. */
bool cli_is_terminal(void);

/* Shows the work's output, asks its questions, and waits for its end; an exit status. */
int cli_follow(const struct cli_server *local, int64_t work);

/* The same without a terminal: no further than to its question, which is shown, or to where nobody
 * is asked any more. */
int cli_follow_until_asked(const struct cli_server *local, int64_t work);

/* To people, where nobody follows it further: an exit status of 0 does not say how it ends. */
#define CLI_NOT_OVER \
	"%lld: not over: it may fail or be replaced; follow it with: deploybot log --wait %lld\n"

/* A sentence of ours on stderr, with the program's name before it; returns the exit status. */
static inline int
cli_server_fail(const struct cli_server *local, int status, const char *text)
{
	(void)fprintf(stderr, "%s: %s\n", local->cli->program, text);
	return status;
}
