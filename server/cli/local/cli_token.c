/* cli_token.c - deploybot token: makes one, which is shown once; lists and revokes them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "lib/buf.h"
#include "lib/err.h"

static bool
write_body(const struct cli_server *local, const char *name, struct buf *out)
{
	char *const *value = local->cli->value;
	struct json_out json = json_out_begin(out, '{');

	json_put_str(&json, "name", name);
	if (value[OPTION_ROLE] != NULL)
		json_put_str(&json, "role", value[OPTION_ROLE]);
	if (value[OPTION_EXPIRES] != NULL)
		json_put_str(&json, "expires", value[OPTION_EXPIRES]);
	json_out_end(&json);
	return !buf_failed(out);
}

/* An exit status; EX_OK: it was done, and *ret is the answer. */
static int
post(const struct cli_server *local, const char *target, const char *name, struct cli_answer *ret)
{
	CLEANUP(buf_done) struct buf body = buf_make(4096);
	struct err err;
	int status = EX_OK;

	if (!write_body(local, name, &body))
		status = cli_server_fail(local, EX_USAGE, "that is too long");
	else if (!cli_code_ask(&local->api, target, buf_text(&body), NULL, ret, &err))
		status = cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (status == EX_OK && ret->status >= 300)
		status = cli_server_show_said(local, ret);
	return status;
}

/* The token alone goes to standard output, for whoever keeps it: TOKEN=$(deploybot token add …). */
int
cli_token_add(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status;

	status = post(local, "/v1/token/add", local->argv[0], &answer);
	if (status != EX_OK || local->is_json) {
		if (status == EX_OK)
			(void)printf("%s\n", answer.body);
		return status;
	}
	if (json_get_str(answer.json, "token") == NULL)
		return cli_server_fail(local, EX_PROTOCOL, "the server has sent no token");
	(void)fprintf(stderr, "Token %s, role %s, until %s; it is not shown again:\n",
	    json_get_str(answer.json, "name"), json_get_str(answer.json, "role"),
	    json_get_str(answer.json, "expires_at"));
	(void)printf("%s\n", json_get_str(answer.json, "token"));
	return EX_OK;
}

int
cli_token_revoke(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status;

	status = post(local, "/v1/token/revoke", local->argv[0], &answer);
	return status == EX_OK ? cli_server_show_said(local, &answer) : status;
}

static void
show(const struct json *token)
{
	const char *account = json_text(token, "account"), *why = json_text(token, "why");
	char until[CLI_AT], used[CLI_AT];

	(void)cli_show_at(token, "used_at", used);
	(void)printf("%s  role %s, %s%s%s%s, %s%s%s%s, made by %s\n", json_get_str(token, "name"),
	    json_get_str(token, "role"), why[0] != '\0' ? "NOT VALID: " : "", why,
	    why[0] != '\0' ? ", until " : "until ", cli_show_at(token, "expires_at", until),
	    used[0] != '\0' ? "last used " : "never used", used,
	    account[0] != '\0' ? ", belongs to " : "", account, json_get_str(token, "made_by"));
}

int
cli_token_list(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const struct json *tokens;
	struct err err;

	if (!cli_api_ask(&local->api, "/v1/tokens", NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 200)
		return cli_server_show_said(local, &answer);
	tokens = json_get(answer.json, "tokens");
	if (local->is_json)
		(void)printf("%s\n", answer.body);
	else if (json_count(tokens) == 0)
		(void)printf("no tokens\n");
	for (size_t i = 0; !local->is_json && i < json_count(tokens); i++)
		show(json_at(tokens, i));
	return EX_OK;
}
