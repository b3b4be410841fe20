/* main.c - deploybot-agent: argv, then orders or a check.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/version.h"

#define EXIT_USAGE 64
#define CONFIG	   "/etc/deploybot-agent/agent.conf"

static const char usage[] =
    "usage: deploybot-agent [--config FILE] [--state DIR] [--run DIR]\n"
    "       deploybot-agent check [--config FILE]\n"
    "       deploybot-agent --version | --help\n"
    "\n"
    "Starts units of systemd that root has put on this host, deploybot-do-NAME.service, where the\n"
    "server orders it with a signature; and nothing else.  check says what there is, and what is\n"
    "wrong with it: exit status 0, or 1.\n"
    "\n"
    "  --config FILE  AGENT_NAME and ORDER_KEYS; default: " CONFIG "\n"
    "  --state DIR    records; default: STATE_DIRECTORY\n"
    "  --run DIR      where runner.sock is; default: RUNTIME_DIRECTORY\n";

static int
fail(const struct err *err)
{
	log_error("%s", err->text);
	return err_exit_status(err->code);
}

/* The value behind `name` among the arguments, which takes both; else otherwise. */
static const char *
take_option(int *argc, char *argv[], const char *name, const char *otherwise)
{
	for (int i = 1; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], name) != 0)
			continue;
		memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 1) * sizeof(*argv));
		*argc -= 2;
		return value;
	}
	return otherwise;
}

int
main(int argc, char *argv[])
{
	struct agent_dirs dirs = { take_option(&argc, argv, "--state", getenv("STATE_DIRECTORY")),
		take_option(&argc, argv, "--run", getenv("RUNTIME_DIRECTORY")) };
	const char *config = take_option(&argc, argv, "--config", CONFIG);
	struct agent_settings settings;
	struct err err = { .text = "" };

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("deploybot-agent %s\n", version_text) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check_host(config);
	if (argc != 1 || dirs.state == NULL || dirs.run == NULL) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!crypto_start(&err) || !agent_settings_read(&settings, config, &err) ||
	    !agent_serve(&settings, &dirs, &err))
		return fail(&err);
	return 0;
}
