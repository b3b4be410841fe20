/* cli_doctor.c - `deploybot doctor`: asks everybody at once, prints what was found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "cli/doctor/doctor_notify.h"
#include "cli/doctor/doctor_production.h"
#include "cli/doctor/doctor_prometheus.h"
#include "lib/db.h"
#include "lib/environment_id.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "settings/sources/settings_load.h"
#include "types/settings.h"

/* Everything that needs settings which are valid.  facts: what production asks for beyond that;
 * NULL: it is not asked. */
static bool
examine(struct doctor *doctor, struct production *facts, struct err *err)
{
	doctor->loop = loop_new(err);
	if (doctor->loop == NULL)
		return false;
	doctor_local(doctor);
	doctor_clients(doctor, NULL);
	(void)doctor_runners(doctor, NULL); /* it is a finding */
	doctor_ansible_asked(doctor);
	doctor_git(doctor); /* forks: before curl has threads */
	doctor_targets(doctor);
	doctor_telegram(doctor);
	doctor_http(doctor);
	doctor_forges(doctor);
	doctor_vault(doctor);
	doctor_opa(doctor);
	doctor_prometheus(doctor);
	doctor_notify(doctor);
	doctor_link_asked(doctor);
	if (facts != NULL) {
		doctor_production_look(facts, doctor->settings, doctor->cli->env_file);
		doctor_certificate(doctor, facts);
	}
	if (doctor->open > 0)
		loop_run(doctor->loop);
	if (facts != NULL)
		doctor_production_judge(doctor, facts);
	doctor_end(doctor);
	db_close(doctor->db);
	loop_free(doctor->loop);
	return true;
}

/* The last line counts, and names what nobody can see from here. */
static void
print(const struct doctor *doctor, bool for_production)
{
	size_t warnings = doctor_count(doctor, DOCTOR_WARNING);
	size_t errors = doctor_count(doctor, DOCTOR_ERROR);
	size_t notes = doctor_count(doctor, DOCTOR_NOTE);

	doctor_print(doctor, DOCTOR_OK, stdout);
	(void)printf("\n%zu ok, %zu warning%s, %zu error%s", doctor_count(doctor, DOCTOR_OK),
	    warnings, warnings == 1 ? "" : "s", errors, errors == 1 ? "" : "s");
	if (for_production)
		(void)printf(", %zu note%s; %s; not visible from here: %s", notes,
		    notes == 1 ? "" : "s",
		    errors == 0 ? "fit for production" : "not fit for production yet",
		    doctor_production_unseen);
	(void)printf("; the network was %sasked\n", doctor->settings == NULL ? "not " : "");
}

/* One call of doctor: the facts of production are large, and not always wanted. */
static int
diagnose(struct doctor *doctor, struct production *facts, bool as_json)
{
	CLEANUP(settings_unrefp) struct settings *settings = NULL;
	struct settings_report report;
	struct err err;

	if (settings_load(doctor->cli->env_file, environ, &settings, &report))
		doctor->settings = settings;
	doctor_say_settings(doctor, &report, DOCTOR_ERROR);
	if (doctor_count(doctor, DOCTOR_ERROR) == 0)
		TELL(doctor, SETTINGS, OK, "settings are valid");
	if (settings != NULL && !examine(doctor, facts, &err))
		TELL(doctor, SETTINGS, ERROR, "%s", err.text);
	if (!as_json)
		print(doctor, facts != NULL);
	else if (!doctor_print_json(doctor, stdout))
		return EX_IOERR;
	return doctor_count(doctor, DOCTOR_ERROR) == 0 ? EX_OK : 1;
}

/* What the running server knows of it: its scripts here cannot ask the target. */
static int
ask_server(const struct cli *cli, struct settings *settings, const char *environment)
{
	CLEANUP(freep) struct doctor *doctor = mem_new(1, sizeof(*doctor));
	bool is_told;

	doctor->cli = cli;
	doctor->settings = settings;
	is_told = doctor_runners(doctor, settings_environment(settings, environment));
	doctor_print(doctor, DOCTOR_OK, stdout);
	return doctor_count(doctor, DOCTOR_ERROR) > 0 ? 1 : is_told ? EX_OK : EX_UNAVAILABLE;
}

/*
 * `doctor ENV`: whether all is there where releases go, as the runner goes there: root becomes its
 * user.  No setting is needed here (NULL): the server's secrets are not the runner's user's.
 */
static int
ask_target(const struct cli *cli, struct settings *settings, const char *environment)
{
	struct doctor_preflight ask;
	char elsewhere[LIMIT_LINE];
	bool is_ours = true;

	if (doctor_is_elsewhere(settings, cli->env_file, environment, elsewhere)) {
		(void)fprintf(stderr, "%s\n", elsewhere);
		return settings == NULL ? EX_NOPERM : ask_server(cli, settings, environment);
	}
	if (geteuid() != 0 || settings == NULL ||
	    !doctor_runner_user(settings, &is_ours, ask.user) || is_ours)
		ask.user[0] = '\0';
	doctor_preflight(&ask, environment, cli->env_file);
	(void)printf("asks the target of %s, over the network\n", environment);
	(void)fflush(stdout);
	(void)execv(ask.argv[0], (char *const *)ask.argv); /* it changes none of them */
	(void)fprintf(stderr,
	    "%s: %s: type this where the runner is: deploybot-runner --preflight %s\n", ask.runner,
	    strerrordesc_np(errno), environment);
	return EX_UNAVAILABLE;
}

/* `doctor client/ID`: what can be seen from here of what /do acts on. */
static int
ask_client(const struct cli *cli, struct settings *settings, const struct client_settings *client)
{
	CLEANUP(freep) struct doctor *doctor = mem_new(1, sizeof(*doctor));
	size_t errors;

	doctor->cli = cli;
	doctor->settings = settings;
	doctor_clients(doctor, client);
	doctor_print(doctor, DOCTOR_OK, stdout);
	errors = doctor_count(doctor, DOCTOR_ERROR);
	return errors == 0 ? EX_OK : 1;
}

/* The environment of one application, where the settings may be read; else as it was typed. */
static int
find_target(const struct cli *cli, const char *typed)
{
	CLEANUP(settings_unrefp) struct settings *settings = NULL;
	struct settings_report report;
	bool is_read = settings_load(cli->env_file, environ, &settings, &report);
	const char *environment = typed, *id = environment_client(typed);
	const struct client_settings *client = NULL;

	if (is_read && (id != NULL || settings_environment(settings, typed) == NULL))
		client = settings_client(settings, id != NULL ? id : typed);
	if (client != NULL)
		return ask_client(cli, settings, client);
	if (id != NULL) {
		(void)fprintf(stderr,
		    is_read ?
			"error: there is no client %s: CLIENTS lists them\n" :
			"error: client %s: this user cannot read the settings, or they are wrong: deploybot check-config\n",
		    id);
		return is_read ? EX_USAGE : EX_CONFIG;
	}
	if (is_read && settings->application_count > 0)
		environment = cli_target(settings, typed);
	return environment == NULL ? EX_USAGE :
				     ask_target(cli, is_read ? settings : NULL, environment);
}

int
cli_doctor(const struct cli *cli)
{
	bool for_production = cli->value[OPTION_PRODUCTION] != NULL,
	     as_json = cli->value[OPTION_JSON] != NULL;
	CLEANUP(freep) struct production *facts = NULL;
	CLEANUP(freep) struct doctor *doctor = NULL;

	if (cli->argc == 1 && (for_production || as_json))
		return cli_refuse(cli, for_production ? OPTION_PRODUCTION : OPTION_JSON,
		    cli->argv[0], "no target beside it");
	if (cli->argc == 1)
		return find_target(cli, cli->argv[0]);
	doctor = mem_new(1, sizeof(*doctor));
	if (for_production)
		facts = mem_new(1, sizeof(*facts));
	doctor->cli = cli;
	return diagnose(doctor, facts, as_json);
}
