/* cli_server.c - subcommands that ask the running server: each command of the chat, logs and answer.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_server.h"
#include "cli/cli_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_code.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/text.h"
#include "types/limits.h"

#define APPROVE		"/v1/command/approve"
#define CLI_DIGITS_READ "the digits of the question that was read"

/* --- answers --- */

static int
exit_status(int status)
{
	if (status < 300)
		return EX_OK;
	return status == 403 || status == 428 ? EX_NOPERM :
	    status == 400		      ? EX_USAGE :
	    status == 409 || status == 404    ? 1 :
						EX_TEMPFAIL;
}

/* What was said, to people; a script gets all of it. */
int
cli_server_show_said(const struct cli_server *local, const struct cli_answer *answer)
{
	const char *said = json_text(answer->json, "said");

	if (local->is_json)
		(void)printf("%s\n", answer->body);
	else if (said[0] != '\0')
		(void)fprintf(answer->status < 300 ? stdout : stderr, "%s\n", said);
	return exit_status(answer->status);
}

/* --- what shows --- */

bool
cli_is_path(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-/") == strlen(text);
}

/* What stands there.  An exit status; EX_OK: it is in *ret. */
static int
    PRINTF(3, 4) get(const struct cli_server *local, struct cli_answer *ret, const char *fmt, ...)
{
	char target[512];
	struct err err;
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(target, sizeof(target), fmt, args);
	va_end(args);
	if (size >= (int)sizeof(target))
		return cli_server_fail(local, EX_USAGE, "that name is too long");
	if (!cli_api_ask(&local->api, target, NULL, ret, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	return ret->status == 200 ? EX_OK : cli_server_show_said(local, ret);
}

/* show: NULL, where it is asked for as JSON alone. */
static int
run_view(const struct cli_server *local, const char *path, void (*show)(const struct json *answer))
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status;

	if (local->argc > 2 || (local->argc > 0 && !cli_is_path(local->argv[0])) ||
	    (local->argc > 1 && !cli_is_path(local->argv[1])))
		return cli_server_fail(
		    local, EX_USAGE, "expected an environment, or nothing: all of them");
	status = get(local, &answer, "%s%s%s%s%s", path, local->argc > 0 ? "/" : "",
	    local->argc > 0 ? local->argv[0] : "", local->argc > 1 ? "/" : "",
	    local->argc > 1 ? local->argv[1] : "");
	if (status != EX_OK)
		return status;
	if (local->is_json)
		(void)printf("%s\n", answer.body);
	else
		show(answer.json);
	return EX_OK;
}

int
cli_status(struct cli_server *local)
{
	return run_view(local, "/v1/status", cli_show_status);
}

int
cli_history(struct cli_server *local)
{
	return run_view(local, "/v1/history", cli_show_history);
}

int
cli_queue(struct cli_server *local)
{
	return run_view(local, "/v1/queue", cli_show_queue);
}

int
cli_holds(struct cli_server *local)
{
	return run_view(local, "/v1/holds", cli_show_holds);
}

int
cli_actions(struct cli_server *local)
{
	return run_view(local, "/v1/actions", cli_show_actions);
}

int
cli_whoami(struct cli_server *local)
{
	return run_view(local, "/v1/me", cli_show_me);
}

/* --- what changes --- */

static bool
is_to_wait(const struct cli_server *local)
{
	return local->wait == CLI_WAIT ||
	    (local->wait == CLI_WAIT_ON_TERMINAL && isatty(STDOUT_FILENO) == 1);
}

/* Nothing starts before somebody has answered, and nobody waits for that here. */
static void
say_asked(const struct json *json, int64_t work)
{
	int64_t other = json_get_i64_or(json, "asked_as", 0);
	char until[CLI_AT];

	(void)cli_show_at(json, "asked_until", until);
	if (other != 0)
		(void)printf(
		    "%lld: the same is asked about already, as #%lld: deploybot answer %lld yes\n",
		    (long long)work, (long long)other, (long long)other);
	else if (json_get_bool(json, "is_to_be_answered", false))
		(void)printf("%lld: it waits for an answer%s%s: deploybot answer %lld yes\n",
		    (long long)work,
		    until[0] != '\0' ? ", until " : ", as soon as git has said what it is about",
		    until, (long long)work);
}

int
cli_server_go_on(const struct cli_server *local, const struct cli_answer *answer)
{
	int64_t work = json_get_i64_or(answer->json, "work", 0);
	const char *said = json_text(answer->json, "said");

	if (answer->status >= 300 || work == 0)
		return cli_server_show_said(local, answer);
	if (is_to_wait(local)) {
		if (said[0] != '\0' && !local->is_json)
			(void)printf("%s\n", said);
		return cli_follow(local, work);
	}
	if (local->wait != CLI_WAIT_NOT) { /* a script takes 0 for done */
		(void)cli_server_show_said(local, answer);
		return cli_follow_until_asked(local, work);
	}
	if (cli_server_show_said(local, answer) == EX_OK && !local->is_json) {
		(void)printf(CLI_NOT_OVER, (long long)work, (long long)work);
		say_asked(answer->json, work);
	}
	return EX_OK;
}

/* A yes to that very question, by whoever has read it. */
static void
say_how(const struct cli_server *local, bool is_approval, int64_t work, const struct json *json)
{
	const char *shown = json_get_str(json, "shown");

	if (shown != NULL && !local->is_json)
		(void)fprintf(stderr,
		    is_approval ? "approve it: deploybot approve %lld %s\n" :
				  "answer it: deploybot answer %lld yes %s\n",
		    (long long)work, shown);
}

static int
post(const struct cli_server *local, const char *target, const char *body, const char *shown)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct err err;
	int status;

	if (!cli_code_ask(&local->api, target, body, shown, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	status = cli_server_go_on(local, &answer);
	if (answer.status == 409)
		say_how(local, strcmp(target, APPROVE) == 0,
		    json_get_i64_or(answer.json, "work", 0), answer.json);
	return status;
}

/* "a reason of some words" */
static void
add_words(struct json_out *json, char *text)
{
	char *part;

	while ((part = strsep(&text, " ")) != NULL)
		if (part[0] != '\0')
			json_out_str(json, part);
}

static int
run_command(const struct cli_server *local, const char *word)
{
	CLEANUP(buf_done) struct buf body = buf_make(LIMIT_TEXT_IN * 8);
	char *const *value = local->cli->value;
	const char *shown = NULL;
	char target[64];
	int n = local->argc;

	(void)snprintf(target, sizeof(target), "/v1/command/%.40s", word);
	if (strcmp(target, APPROVE) == 0 && n == 2) {
		shown = local->argv[--n];
		if (!text_is_hex(shown, 32, 32))
			return cli_refuse(local->cli, OPTION_COUNT, shown, CLI_DIGITS_READ);
	}
	struct json_out json = json_out_begin(&body, '{');

	json_put_open(&json, "arguments", '[');
	for (int i = 0; i < n; i++)
		add_words(&json, local->argv[i]);
	if (value[OPTION_EMERGENCY] != NULL) { /* wherever it stood */
		json_out_str(&json, "emergency");
		add_words(&json, value[OPTION_EMERGENCY]);
	}
	json_out_end(&json);
	if (value[OPTION_REASON] != NULL)
		json_put_str(&json, "reason", value[OPTION_REASON]);
	json_out_end(&json);
	return buf_failed(&body) ? cli_server_fail(local, EX_USAGE, "that is too long") :
				   post(local, target, buf_text(&body), shown);
}

/* --- words of the command line alone --- */

static bool
read_work(const char *text, int64_t *ret)
{
	return text != NULL && text_to_i64(text, 1, INT64_MAX, ret, NULL);
}

int
cli_server_run(const struct cli *cli, cli_server_command *run)
{
	const char *as = cli->value[OPTION_AS];
	struct cli_server local = {
		.cli = cli,
		.is_json = cli->value[OPTION_JSON] != NULL,
		.wait = cli->value[OPTION_WAIT] != NULL ? CLI_WAIT :
		    cli->value[OPTION_NO_WAIT] != NULL	? CLI_WAIT_NOT :
							  CLI_WAIT_ON_TERMINAL,
		.argc = cli->argc,
		.argv = cli->argv,
	};
	struct err err;

	if (cli->value[OPTION_WAIT] != NULL && cli->value[OPTION_NO_WAIT] != NULL)
		return cli_server_fail(&local, EX_USAGE, "--wait or --no-wait: one of both");
	if (as != NULL && (!text_is_plain(as) || as[0] == '\0'))
		return cli_server_fail(&local, EX_USAGE, "--as: a role must follow");
	if (!cli_api_of(cli, as, &local.api, &err))
		return cli_server_fail(&local, EX_NOINPUT, err.text);
	return run(&local);
}

/* A view of one environment.  An exit status; EX_OK: it is in *ret. */
static int
get_view(const struct cli_server *local, const char *path, struct cli_answer *ret)
{
	if (!cli_is_path(local->argv[0]))
		return cli_server_fail(
		    local, EX_USAGE, "expected an environment, or the number of a deployment");
	return get(local, ret, "%s/%s", path, local->argv[0]);
}

/* The one question that is open in an environment. */
static int
find_question(const struct cli_server *local, int64_t *ret)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = get_view(local, "/v1/queue", &answer);
	const struct json *all = json_get(answer.json, "environments");
	char said[200] = "no question is open there";
	size_t n = 0;

	if (status != EX_OK)
		return status;
	for (size_t i = 0; i < json_count(all); i++) {
		const struct json *questions = json_get(json_at(all, i), "questions");

		for (size_t k = 0; k < json_count(questions); k++, n++)
			*ret = json_get_i64_or(json_at(questions, k), "work", 0);
	}
	if (n > 1)
		(void)snprintf(said, sizeof(said),
		    "%zu questions are open there: say which one, by its number in: deploybot queue %.80s",
		    n, local->argv[0]);
	return n == 1 ? EX_OK : cli_server_fail(local, 1, said);
}

/* What is asked, to whoever reads it without a terminal. */
static int
show_question(const struct cli_server *local, int64_t work)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = get(local, &answer, "/v1/work/%lld", (long long)work);

	if (status != EX_OK)
		return status;
	if (local->is_json)
		return cli_server_show_said(local, &answer);
	(void)printf("%s\n", json_text(answer.json, "message"));
	say_how(local, false, work, answer.json);
	return json_get_bool(answer.json, "is_asked", false) ?
	    EX_OK :
	    cli_server_fail(local, 1, "there is no open question of that number");
}

int
cli_answer(struct cli_server *local)
{
	char target[64], body[32];
	int64_t work;
	int status;

	if (local->argc == 3 && !text_is_hex(local->argv[2], 32, 32))
		return cli_refuse(local->cli, OPTION_COUNT, local->argv[2], CLI_DIGITS_READ);
	if (!read_work(local->argv[0], &work) && (status = find_question(local, &work)) != EX_OK)
		return status;
	if (local->argc == 1)
		return cli_is_terminal() ? cli_follow(local, work) : show_question(local, work);
	if (strcmp(local->argv[1], "no") == 0 && !is_to_wait(local))
		local->wait = CLI_WAIT_NOT; /* that ends it, as was asked for */
	(void)snprintf(target, sizeof(target), "/v1/answer/%lld", (long long)work);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"%s\"}", local->argv[1]);
	return post(local, target, body, local->argc == 3 ? local->argv[2] : NULL);
}

/* The newest work of an environment that has an output. */
static int
find_work(const struct cli_server *local, int64_t *ret)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	int status = get_view(local, "/v1/history", &answer);
	const struct json *all = json_get(answer.json, "work");

	if (status != EX_OK)
		return status;
	for (size_t i = 0; i < json_count(all) && *ret == 0; i++)
		if (json_get_i64_or(json_at(all, i), "run", 0) != 0) /* a refused one has none */
			*ret = json_get_i64_or(json_at(all, i), "work", 0);
	return *ret != 0 ? EX_OK : cli_server_fail(local, 1, "nothing was deployed there yet");
}

static int
print_run(const struct cli_server *local, int64_t run)
{
	int64_t offset = 0, next;

	for (;;) {
		CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
		int status =
		    get(local, &answer, "/v1/run/%lld/%lld", (long long)run, (long long)offset);

		if (status != EX_OK)
			return status;
		next = json_get_i64_or(answer.json, "next", offset);
		if (local->is_json)
			(void)printf("%s\n", answer.body);
		else
			(void)fputs(json_text(answer.json, "text"), stdout);
		if (next == offset)
			return EX_OK;
		offset = next;
	}
}

/* Of all its runs: a deployment's, then that of its rollback. */
static int
print_log(const struct cli_server *local, int64_t work)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const struct json *runs;
	int status = get(local, &answer, "/v1/work/%lld", (long long)work);

	if (status != EX_OK)
		return status;
	runs = json_get(answer.json, "runs");
	if (json_count(runs) == 0)
		return cli_server_fail(local, 1, "it has printed nothing, or its logs are removed");
	for (size_t i = 0; i < json_count(runs) && status == EX_OK; i++) {
		const struct json *run = json_at(runs, i);

		if (json_count(runs) > 1 && !local->is_json)
			(void)printf("%s== #%lld: %s ==\n", i > 0 ? "\n" : "", (long long)work,
			    json_get_str(run, "program"));
		status = print_run(local, json_get_i64_or(run, "run", 0));
	}
	return status;
}

int
cli_log(struct cli_server *local)
{
	int64_t work = 0;
	int status = EX_OK;

	if (local->argc != 1) /* logs --wait */
		return cli_server_fail(
		    local, EX_USAGE, "expected an environment, or the number of a deployment");
	if (!read_work(local->argv[0], &work))
		status = find_work(local, &work);
	if (status != EX_OK)
		return status;
	return local->wait == CLI_WAIT ? cli_follow(local, work) : print_log(local, work);
}

/* As in the chat; what it was before goes on: a number is a deployment's, and so is what is
 * followed. */
int
cli_logs(struct cli_server *local)
{
	int64_t work;

	if (local->wait != CLI_WAIT && (local->argc != 1 || !read_work(local->argv[0], &work)))
		return run_command(local, "logs");
	(void)fprintf(stderr,
	    "%s: what a deployment has printed is: deploybot log; logs is what the application logged\n",
	    local->cli->program);
	return cli_log(local);
}

/* As in the chat; as JSON what /v1 says. */
int
cli_pending(struct cli_server *local)
{
	return local->is_json ? run_view(local, "/v1/pending", NULL) :
				run_command(local, "pending");
}

int
cli_chat_command(struct cli_server *local)
{
	return run_command(local, local->cli->word);
}
