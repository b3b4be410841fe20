/* cli_agent.c - deploybot agent, deploybot runner: enrols, lists, moves and revokes them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "cli/cli_table.h"
#include "lib/buf.h"
#include "lib/err.h"

#define CLI_AGENT_PATH 96

/* enrol, move or revoke.  The line that a host is enrolled by goes to standard output alone, to be
 * pasted there. */
int
cli_agent(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const struct cli_form *form = local->cli->form;
	const char *line;
	char target[32];
	CLEANUP(buf_done) struct buf body = buf_make(4096);
	struct json_out json = json_out_begin(&body, '{');
	struct err err;

	json_put_str(&json, "name", local->argv[0]);
	if (local->argc > 1) /* options stand behind it */
		json_put_str(&json, "key", local->argv[1]);
	json_out_end(&json);
	(void)snprintf(target, sizeof(target), "/v1/%s/%s", form->word, form->kind);
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

static void
show(const struct json *agent)
{
	char made[CLI_AT];

	(void)printf("%s  %s; key %s, since %s by %s\n", json_get_str(agent, "name"),
	    json_get_str(agent, "said"), json_get_str(agent, "key"),
	    cli_show_at(agent, "made_at", made), json_get_str(agent, "made_by"));
}

static void
show_capabilities(const struct json *agent)
{
	const struct json *list = json_get(agent, "capabilities");

	show(agent);
	for (size_t i = 0; i < json_count(list); i++)
		(void)printf("  %s  %s\n", json_text(json_at(list, i), "digest"),
		    json_text(json_at(list, i), "name"));
	if (json_count(list) == 0)
		(void)printf("  nothing that it may start\n");
}

/* One page; *next: of the next one, "" behind the last. */
static int
show_page(struct cli_server *local, void (*show_one)(const struct json *agent), bool is_first,
    char next[CLI_AGENT_PATH])
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char all[16];
	const struct json *agents;
	struct err err;

	if (!cli_api_ask(&local->api, next, NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 200)
		return cli_server_show_said(local, &answer);
	(void)snprintf(all, sizeof(all), "%ss", local->cli->form->word);
	agents = json_get(answer.json, all);
	if (local->is_json)
		(void)printf("%s\n", answer.body);
	else if (json_count(agents) == 0 && is_first)
		(void)printf("no %s\n", all);
	for (size_t i = 0; !local->is_json && i < json_count(agents); i++)
		show_one(json_at(agents, i));
	if (json_text(answer.json, "next")[0] != '\0')
		(void)snprintf(next, CLI_AGENT_PATH, "/v1/%s/after/%.64s", all,
		    json_text(answer.json, "next"));
	else
		next[0] = '\0';
	return EX_OK;
}

int
cli_agent_list(struct cli_server *local)
{
	char next[CLI_AGENT_PATH];
	int status = EX_OK;

	(void)snprintf(next, sizeof(next), "/v1/%ss", local->cli->form->word);
	for (bool is_first = true; status == EX_OK && next[0] != '\0'; is_first = false)
		status = show_page(local, show, is_first, next);
	return status;
}

int
cli_agent_show(struct cli_server *local)
{
	char path[CLI_AGENT_PATH];

	if (snprintf(path, sizeof(path), "/v1/agents/%s", local->argv[0]) >= (int)sizeof(path))
		return cli_server_fail(local, EX_USAGE, "that is too long");
	return show_page(local, show_capabilities, true, path);
}
