/* main.c - deploybot-agent: argv, then orders or a check.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/version.h"

#define EXIT_USAGE 64
#define CONFIG	   "/etc/deploybot-agent/agent.conf"

static const char usage[] =
    "usage: deploybot-agent [serve | check] [FILE]\n"
    "       deploybot-agent --version | --help\n"
    "\n"
    "Starts units of systemd that root has put on this host, deploybot-do-NAME.service, where the\n"
    "server orders it with a signature; nothing else.  check says what there is, and what is wrong\n"
    "with it: exit status 0, or 1.  FILE has AGENT_NAME and ORDER_KEYS; default:\n" CONFIG
    ", which deploybot-link enrol agent writes.\n";

static int
serve(const char *config)
{
	const char *state = getenv("STATE_DIRECTORY"), *run = getenv("RUNTIME_DIRECTORY");
	struct order_keys settings;
	struct err err;

	if (state == NULL || run == NULL) {
		(void)fputs("its unit sets STATE_DIRECTORY and RUNTIME_DIRECTORY\n", stderr);
		return EXIT_USAGE;
	}
	if (crypto_start(&err) && order_keys_read(&settings, "AGENT_NAME", config, &err) &&
	    agent_serve(&settings, state, run, &err))
		return 0;
	log_error("%s", err.text);
	return err_exit_status(err.code);
}

int
main(int argc, char *argv[])
{
	const char *word = argc < 2 ? "serve" : argv[1];
	const char *config = argc < 3 ? CONFIG : argv[2];

	if (argc <= 3 && strcmp(word, "serve") == 0)
		return serve(config);
	if (argc <= 3 && strcmp(word, "check") == 0)
		return check_host(config);
	if (argc == 2 && strcmp(word, "--version") == 0)
		return printf("deploybot-agent %s\n", version_text) < 0;
	(void)fputs(usage, stderr);
	return argc == 2 && strcmp(word, "--help") == 0 ? 0 : EXIT_USAGE;
}
