/* doctor_runners.c - what the running server says of runners and agents; what they are asked about.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_api.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/host_lines.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "types/peers.h"

#define PATH_SIZE (LIMIT_RUNNER + 32)

struct asking {
	struct doctor *doctor;
	struct cli_api api;
	bool is_told;	  /* the running server says it to us */
	struct buf asked; /* agents, a comma around each: one that several name is asked once */
};

/* role: "runner" or "agent". */
static void
ask_about(struct asking *asking, const char *role, const char *name, bool releases)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char path[PATH_SIZE], list[16];
	struct err err;

	(void)snprintf(list, sizeof(list), "%ss", role);
	(void)snprintf(path, sizeof(path), "/v1/%s/%s", list, name);
	asking->is_told = asking->is_told && cli_api_ask(&asking->api, path, NULL, &answer, &err) &&
	    (answer.status == 200 || answer.status == 404);
	if (!asking->is_told)
		TELL(asking->doctor, LINK, NOTE,
		    "%s: whether it is connected says the running server, to admins: sudo deploybot doctor",
		    name);
	else if (answer.status == 404)
		TELL(asking->doctor, LINK, ERROR, "%s: is not enrolled: deploybot %s enrol %s",
		    name, role, name);
	else
		doctor_judge_peer(asking->doctor, role, json_at(json_get(answer.json, list), 0),
		    releases, clock_wall_ms());
}

static void
ask_agent(struct asking *asking, const char *name, bool releases)
{
	char word[CRYPTO_CA_NAME_MAX + 3];

	(void)snprintf(word, sizeof(word), ",%s,", name);
	if (strstr(buf_text(&asking->asked), word) != NULL)
		return;
	buf_addf(&asking->asked, "%s", word);
	ask_about(asking, "agent", name, releases);
}

/* Those of one page that it stands for; path: then of the next one, "" behind the last. */
static size_t
ask_page(struct asking *asking, const char *pattern, char path[PATH_SIZE])
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const struct json *list;
	size_t n = 0;

	asking->is_told = asking->is_told &&
	    cli_api_ask(&asking->api, path, NULL, &answer, &(struct err){ 0 }) &&
	    answer.status == 200;
	path[0] = '\0';
	if (!asking->is_told)
		return 0;
	list = json_get(answer.json, "agents");
	for (size_t i = 0; i < json_count(list); i++)
		if (host_matches(pattern, json_text(json_at(list, i), "name")) &&
		    !json_has(json_at(list, i), "state", "revoked")) {
			ask_agent(asking, json_text(json_at(list, i), "name"), true);
			n++;
		}
	if (json_text(answer.json, "next")[0] != '\0')
		(void)snprintf(
		    path, PATH_SIZE, "/v1/agents/after/%.64s", json_text(answer.json, "next"));
	return n;
}

static void
ask_agents_like(struct asking *asking, const char *pattern)
{
	char path[PATH_SIZE] = "/v1/agents";
	size_t n = 0;

	while (path[0] != '\0')
		n += ask_page(asking, pattern, path);
	if (!asking->is_told)
		TELL(asking->doctor, LINK, NOTE,
		    "%s: which agents it stands for says the running server, to admins: sudo deploybot doctor",
		    pattern);
	else if (n == 0)
		TELL(asking->doctor, LINK, ERROR,
		    "%s: stands for no enrolled agent: deploybot agent list", pattern);
}

static void
ask_agents_of(struct asking *asking, const struct environment_settings *e)
{
	const char *names = e->agents;
	char name[SETTING_PART_MAX + 1];

	while (names != NULL && setting_next(&names, name, sizeof(name)))
		if (host_is_pattern(name))
			ask_agents_like(asking, name);
		else
			ask_agent(asking, name, true);
}

bool
doctor_runners(struct doctor *doctor, const struct environment_settings *only)
{
	const struct settings *s = doctor->settings;
	struct asking asking = { .doctor = doctor,
		.asked = buf_make(PEERS_MOST * (CRYPTO_CA_NAME_MAX + 3)) };
	char name[LIMIT_RUNNER];
	const char *who;

	/* Whom it would not let in asks nothing: that counts as an attack. */
	asking.is_told = (geteuid() == 0 || settings_user(s, geteuid(), &who) != 0) &&
	    cli_api_of(doctor->cli, geteuid() == 0 ? "admin" : NULL, &asking.api, NULL);
	for (size_t at = 0; settings_next_runner(s, &at, name);)
		if (only == NULL || strcmp(only->runner, name) == 0)
			ask_about(&asking, "runner", name, false);
	for (size_t i = 0; i < s->environment_count; i++)
		if (only == NULL || only == &s->environments[i])
			ask_agents_of(&asking, &s->environments[i]);
	for (size_t i = 0; only == NULL && i < s->client_count; i++)
		if (peer_of_host(s->clients[i].host) != NULL)
			ask_agent(&asking, peer_of_host(s->clients[i].host), false);
	buf_done(&asking.asked);
	return asking.is_told;
}

/* --- where an environment is --- */

/* What that user finds who cannot read the settings whole: the runner's has no secret of the
 * server's.  "": it is not set. */
struct unread {
	char runner[LIMIT_RUNNER], transport[LIMIT_RUNNER];
};

static void
find(char out[LIMIT_RUNNER], const struct env_file *file, const char *name)
{
	const char *text = env_file_text(file, name);

	if (text != NULL && out[0] == '\0')
		(void)snprintf(out, LIMIT_RUNNER, "%s", text);
}

static void
find_unread(const char *env_file, const char *environment, struct unread *ret)
{
	CLEANUP(env_file_done) struct env_file main = { 0 }, own = { 0 };
	char folder[SETTING_PART_MAX + 1], file[SETTING_APPS_FILE_MAX], name[SETTING_NAME_MAX];
	const struct env_file *of = &main;
	struct environment_id id;

	if (env_file == NULL || !environment_id_parse(environment, &id) ||
	    !env_file_read(&main, env_file, NULL))
		return;
	if (id.application[0] != '\0') {
		if (!setting_apps_directory(
			env_file, env_file_text(&main, "APPS_DIRECTORY"), folder) ||
		    !env_file_read(&own, setting_apps_file(folder, id.application, file), NULL))
			return;
		of = &own;
	}
	find(ret->runner, of, setting_name("<ENV>_RUNNER", id.name, name));
	find(ret->transport, of, setting_name("<ENV>_DEPLOY_TRANSPORT", id.name, name));
	find(ret->transport, of, "DEPLOY_TRANSPORT");
	find(ret->transport, &main, "DEPLOY_TRANSPORT");
}

bool
doctor_is_elsewhere(
    const struct settings *s, const char *env_file, const char *environment, char ret[LIMIT_LINE])
{
	struct unread found = { .runner = "" };
	const struct environment_settings *e =
	    s == NULL ? NULL : settings_environment(s, environment);

	if (s != NULL)
		(void)text_copy(
		    found.runner, sizeof(found.runner), settings_runner(s, environment));
	else
		find_unread(env_file, environment, &found);
	if (found.runner[0] != '\0' && strcmp(found.runner, RUNNER_LOCAL) != 0) {
		(void)snprintf(ret, LIMIT_LINE,
		    "%s is at the runner %s, which is not looked at from here; there: sudo -u deploybot-runner deploybot doctor %s",
		    environment, found.runner, environment);
		return true;
	}
	(void)snprintf(ret, LIMIT_LINE,
	    "%s is released to through agents, of which the running server knows: sudo deploybot doctor %s",
	    environment, environment);
	return e != NULL ? e->agents != NULL : strcmp(found.transport, "agent") == 0;
}
