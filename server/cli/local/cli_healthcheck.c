/* cli_healthcheck.c - `deploybot healthcheck`: GET /healthz of the running server.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/cli_port.h"
#include "lib/err.h"
#include "types/settings.h"

/* Prints what a name that leads to this server answers too. */
static bool
ask_instance(const struct settings *s, struct err *err)
{
	char answer[CLI_PORT_ANSWER + 1];

	return cli_port_instance(s, answer, err) && fputs(answer, stdout) >= 0;
}

static bool
ask(const struct settings *s, struct err *err)
{
	char answer[CLI_PORT_ANSWER + 1];

	if (!cli_port_get(s, "/healthz", NULL, answer, err))
		return false;
	return cli_port_body(answer) != NULL ||
	    err_set(err, ERR_IO, "unhealthy: it answered \"%.13s\"", answer);
}

int
cli_healthcheck(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	if (cli->value[OPTION_INSTANCE] != NULL ? ask_instance(s, &err) : ask(s, &err))
		return EX_OK;
	(void)fprintf(stderr, "%s port %d: %s\n", s->listen_address, s->api_server_port, err.text);
	return 1;
}
