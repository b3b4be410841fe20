/* doctor_runners.c - what the running server says of each of RUNNERS; what is asked at one of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_api.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "types/peers.h"

#define PATH_SIZE (LIMIT_RUNNER + 16)

/* False: it says nothing to us, and would not of another one. */
static bool
ask_about(struct doctor *doctor, const struct cli_api *api, const char *name)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char path[PATH_SIZE];
	const struct json *runner;
	struct err err;

	(void)snprintf(path, sizeof(path), "/v1/runners/%s", name);
	if (!cli_api_ask(api, path, NULL, &answer, &err))
		return false;
	if (answer.status == 404) {
		TELL(doctor, LINK, ERROR, "%s: is not enrolled: deploybot runner enrol %s", name,
		    name);
		return true;
	}
	if (answer.status != 200)
		return false;
	runner = json_at(json_get(answer.json, "runners"), 0);
	doctor_say(doctor, DOCTOR_LINK,
	    strcmp(json_text(runner, "state"), "connected") == 0 ? DOCTOR_OK : DOCTOR_ERROR,
	    "%s: %s", name, json_text(runner, "said"));
	return true;
}

void
doctor_runners(struct doctor *doctor)
{
	char name[LIMIT_RUNNER];
	struct cli_api api;
	bool is_told = cli_api_of(doctor->cli, geteuid() == 0 ? "admin" : NULL, &api, NULL);

	for (size_t at = 0; settings_next_runner(doctor->settings, &at, name);) {
		is_told = is_told && ask_about(doctor, &api, name);
		if (!is_told)
			TELL(doctor, LINK, NOTE,
			    "%s: whether it is connected says the running server, to admins: sudo deploybot doctor",
			    name);
	}
}

/* --- where an environment is --- */

/* Of settings that this user cannot read whole: the runner's user has no secret of the server's. */
static void
find_unread(const char *env_file, const char *environment, char ret[LIMIT_RUNNER])
{
	CLEANUP(env_file_done) struct env_file main = { 0 }, own = { 0 };
	char folder[SETTING_PART_MAX + 1], file[SETTING_APPS_FILE_MAX], name[SETTING_NAME_MAX];
	const struct env_file *of = &main;
	struct environment_id id;
	const char *runner;

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
	runner = env_file_text(of, setting_name("<ENV>_RUNNER", id.name, name));
	if (runner != NULL)
		(void)snprintf(ret, LIMIT_RUNNER, "%s", runner);
}

bool
doctor_is_elsewhere(
    const struct settings *s, const char *env_file, const char *environment, char ret[LIMIT_LINE])
{
	char runner[LIMIT_RUNNER] = RUNNER_LOCAL;

	if (s != NULL)
		(void)text_copy(runner, sizeof(runner), settings_runner(s, environment));
	else
		find_unread(env_file, environment, runner);
	(void)snprintf(ret, LIMIT_LINE,
	    "%s is at the runner %s, which is not looked at from here; there: sudo -u deploybot-runner deploybot doctor %s",
	    environment, runner, environment);
	return strcmp(runner, RUNNER_LOCAL) != 0;
}
