/* cli_host_list.c - deploybot hosts: what each host of an environment runs, all pages of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_server.h"
#include "lib/err.h"
#include "lib/text.h"

#define CLI_HOSTS_PATH 256

static const char expected[] = "expected an environment, and behind it nothing, failed or old";

/* As the chat says it. */
static void
show_host(const struct json *host)
{
	const char *name = json_text(host, "name"), *state = json_text(host, "state");
	const char *release = json_text(host, "release"), *detail = json_text(host, "detail");
	size_t size = strlen(name) - (text_ends(name, ":22") ? 3 : 0);
	bool is_current = strcmp(state, "current") == 0, is_touched = strcmp(state, "touched") == 0;

	(void)printf("%.*s: %s%s%s %.7s%s%s%s\n", (int)size, name, is_current ? "" : state,
	    is_current ? "" : ", ",
	    strcmp(state, "unknown") == 0 ? "should run" :
		is_touched		  ? "ran" :
					    "runs",
	    release[0] != '\0' ? release : "nothing", is_touched ? " before" : "",
	    detail[0] != '\0' ? "; " : "", detail);
}

/* One page; *skip: behind how many the next one begins, 0 behind the last.  target "": the one
 * environment that has hosts, and its name from then on. */
static int
show_page(
    const struct cli_server *local, const char *state, char target[CLI_HOSTS_PATH], int64_t *skip)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char path[CLI_HOSTS_PATH];
	const struct json *hosts;
	struct err err;

	if (target[0] == '\0')
		text_set(path, "/v1/hosts");
	else if (snprintf(path, sizeof(path), "/v1/hosts/%s/%lld/%s", state, (long long)*skip,
		     target) >= (int)sizeof(path))
		return cli_server_fail(local, EX_USAGE, "that name is too long");
	if (!cli_api_ask(&local->api, path, NULL, &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 200)
		return cli_server_show_said(local, &answer);
	hosts = json_get(answer.json, "hosts");
	if (local->is_json)
		(void)printf("%s\n", answer.body);
	else if (*skip == 0)
		(void)printf("%s: %lld %s%s%s\n", json_text(answer.json, "environment"),
		    (long long)json_get_i64_or(answer.json, "all", 0),
		    strcmp(state, "failed") == 0 ? "failed or unknown " : "",
		    json_get_i64_or(answer.json, "all", 0) == 1 ? "host" : "hosts",
		    strcmp(state, "old") == 0 ? " not on the live release" : "");
	for (size_t i = 0; !local->is_json && i < json_count(hosts); i++)
		show_host(json_at(hosts, i));
	*skip = json_get_i64_or(answer.json, "next", 0);
	(void)text_copy(target, CLI_HOSTS_PATH, json_text(answer.json, "environment"));
	return EX_OK;
}

int
cli_host_list(struct cli_server *local)
{
	const char *last = local->argc > 0 ? local->argv[local->argc - 1] : "", *state = "all";
	char target[CLI_HOSTS_PATH];
	int n = local->argc, status;
	int64_t skip = 0;

	if (n > 1 && (strcmp(last, "failed") == 0 || strcmp(last, "old") == 0)) {
		state = last;
		n--;
	}
	(void)snprintf(target, sizeof(target), "%.100s%s%.100s", n > 0 ? local->argv[0] : "",
	    n > 1 ? "/" : "", n > 1 ? local->argv[1] : "");
	if (n > 2 || !cli_is_path(target) ||
	    (n == 2 && strchr(target, '/') != strrchr(target, '/')))
		return cli_server_fail(local, EX_USAGE, expected);
	do
		status = show_page(local, state, target, &skip);
	while (status == EX_OK && skip != 0);
	return status;
}
