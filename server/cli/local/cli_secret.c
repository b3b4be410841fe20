/* cli_secret.c - deploybot secret: a shell command that reads what Vault lends, once; which there are.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "types/loan.h"

#define LOOK_EVERY_MS 1000

static int
print_command(const struct cli_server *local, const struct json *loan)
{
	CLEANUP(buf_wipe) struct buf line = buf_make(LOAN_SHELL_MAX);

	buf_reserve(&line);
	loan_shell(&line,
	    &(struct loan_shell){ .address = json_text(loan, "vault"),
		.name_space = json_text(loan, "namespace"),
		.token = json_text(loan, "token"),
		.command = json_text(loan, "command") });
	if (buf_failed(&line))
		return cli_server_fail(local, EX_UNAVAILABLE, "the command is too long");
	(void)printf("%s\n", buf_text(&line));
	return EX_OK;
}

static void
say_state(const struct json *loan, char shown[64])
{
	const char *state = json_text(loan, "state");
	char words[CLI_STATE];

	if (strcmp(state, shown) != 0)
		(void)fprintf(stderr, "#%" PRId64 ": %s\n", json_get_i64_or(loan, "id", 0),
		    cli_state_words(state, words));
	(void)snprintf(shown, 64, "%s", state); /* cut is fine */
}

/* Until it is there, or is not lent: when that is the server says. */
static int
wait_for(const struct cli_server *local, int64_t work)
{
	char target[48], shown[64] = "";
	struct err err;

	(void)snprintf(target, sizeof(target), "/v1/loan/%" PRId64, work);
	for (;;) {
		CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };

		if (!cli_api_ask(&local->api, target, NULL, &answer, &err))
			return cli_server_fail(local, EX_UNAVAILABLE, err.text);
		if (answer.status == 200 && !local->is_json)
			return print_command(local, answer.json);
		if (answer.status == 200)
			(void)printf("%s\n", answer.body);
		if (answer.status != 202)
			return answer.status == 200 ? EX_OK : cli_server_show_said(local, &answer);
		if (!local->is_json)
			say_state(answer.json, shown);
		(void)poll(NULL, 0, LOOK_EVERY_MS);
	}
}

/* What a shell has made for it by its umask; where it is, whoever has sent it there knows. */
static void
warn_of_readers(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		(void)fprintf(stderr,
		    "Others may read the file that this is written to (mode %03o): chmod 600, or umask 077 before.\n",
		    (unsigned)st.st_mode & 0777);
}

int
cli_secret_get(struct cli_server *local)
{
	CLEANUP(buf_done) struct buf body = buf_make(4096), target = buf_make(512);
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const char *reason = local->cli->value[OPTION_WHAT_FOR];
	struct json_out json = json_out_begin(&body, '{');
	struct err err;

	if (reason != NULL)
		json_put_str(&json, "reason", reason);
	json_out_end(&json);
	buf_addf(&target, "/v1/secret/%s", local->argv[0]);
	if (buf_failed(&body) || buf_failed(&target))
		return cli_server_fail(local, EX_USAGE, "that is too long");
	if (!cli_code_ask(&local->api, buf_text(&target), buf_text(&body), NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 202)
		return cli_server_show_said(local, &answer);
	warn_of_readers();
	return wait_for(local, json_get_i64_or(answer.json, "id", 0));
}

int
cli_secret_list(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct err err;

	if (!cli_api_ask(&local->api, "/v1/command/secrets", "{}", &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	return cli_server_show_said(local, &answer);
}
