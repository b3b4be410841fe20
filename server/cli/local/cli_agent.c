/* cli_agent.c - deploybot agent: enrols, lists, moves and revokes agents of deploybot-link.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "lib/buf.h"
#include "lib/err.h"

/* The line that a host is enrolled by goes to standard output alone, to be pasted there. */
static int
post(const struct cli_server *local, const char *target)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const char *line;
	CLEANUP(buf_done) struct buf body = buf_make(4096);
	struct json_out json = json_out_begin(&body, '{');
	struct err err;

	json_put_str(&json, "name", local->argv[0]);
	if (local->argc > 1) /* options stand behind it */
		json_put_str(&json, "key", local->argv[1]);
	json_out_end(&json);
	if (buf_failed(&body))
		return cli_server_fail(local, EX_USAGE, "that is too long");
	if (!cli_code_ask(&local->api, target, buf_text(&body), NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	line = json_get_str(answer.json, "line");
	if (line == NULL || local->is_json)
		return cli_server_show_said(local, &answer);
	(void)fprintf(stderr, "%s\n", json_text(answer.json, "said"));
	(void)printf("%s\n", line);
	return EX_OK;
}

int
cli_agent_enrol(struct cli_server *local)
{
	return post(local, "/v1/agent/enrol");
}

int
cli_agent_move(struct cli_server *local)
{
	return post(local, "/v1/agent/move");
}

int
cli_agent_revoke(struct cli_server *local)
{
	return post(local, "/v1/agent/revoke");
}

static void
show(const struct json *agent)
{
	char made[CLI_AT], revoked[CLI_AT];

	(void)printf("%s  key %s, since %s by %s", json_get_str(agent, "name"),
	    json_get_str(agent, "key"), cli_show_at(agent, "made_at", made),
	    json_get_str(agent, "made_by"));
	if (cli_show_at(agent, "revoked_at", revoked)[0] != '\0')
		(void)printf(", REVOKED %s", revoked);
	(void)printf("\n");
}

int
cli_agent_list(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const struct json *agents;
	struct err err;

	if (!cli_api_ask(&local->api, "/v1/agents", NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 200)
		return cli_server_show_said(local, &answer);
	agents = json_get(answer.json, "agents");
	if (local->is_json)
		(void)printf("%s\n", answer.body);
	else if (json_count(agents) == 0)
		(void)printf("no agents\n");
	for (size_t i = 0; !local->is_json && i < json_count(agents); i++)
		show(json_at(agents, i));
	return EX_OK;
}
