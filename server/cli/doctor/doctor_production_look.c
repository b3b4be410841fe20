/* doctor_production_look.c - the facts that `doctor --production` judges; judges nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_production.h"
#include "lib/db_url.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "store/fs_check.h"
#include "settings/checks/settings_production.h"
#include "settings/checks/settings_runners.h"
#include "settings/settings_table.h"

static void
look_at_file(struct production_file *ret, const char *path)
{
	struct stat st;

	*ret = (struct production_file){ 0 };
	if (path == NULL)
		return;
	if (stat(path, &st) != 0) {
		ret->is_hidden = errno == EACCES;
		return;
	}
	ret->is_hidden = st.st_uid != geteuid() && access(path, R_OK) != 0;
	ret->is_seen = !ret->is_hidden;
	ret->changed_s = st.st_mtim.tv_sec;
	ret->size = st.st_size;
}

/* The list of what is refused is the settings' own. */
static void
look_at_refused(struct production *facts)
{
	char line[] = "ENVIRONMENT=production";

	settings_unref(cli_settings_with(facts->env_file, line, &facts->refused));
}

/* The secrets that stand in the open. */
static void
look_at_secrets(struct production *facts)
{
	CLEANUP(env_file_done) struct env_file file = { 0 };

	if (facts->env_file != NULL && !env_file_read(&file, facts->env_file, NULL))
		file = (struct env_file){ 0 }; /* it was valid just now: somebody writes it */
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *name = settings_table[i].name;
		const char *value = getenv(name);

		if (!settings_table[i].is_secret)
			continue;
		if (value != NULL && value[0] != '\0')
			facts->open[i] = PRODUCTION_IN_ENVIRONMENT;
		else if (env_file_text(&file, name) != NULL)
			facts->open[i] = PRODUCTION_IN_FILE;
	}
}

/* In the files of applications, the first that has it. */
static void
look_at_applications(struct production *facts)
{
	const struct settings *s = facts->settings;
	char path[SETTING_APPS_FILE_MAX];

	for (size_t n = 0; n < s->application_count; n++) {
		const char *application = s->applications[n]->application;
		CLEANUP(env_file_done) struct env_file file = { 0 };

		if (!cli_application_file(facts->env_file, s, application, path) ||
		    !env_file_read(&file, path, NULL))
			continue;
		for (size_t i = 0; i < SETTING_COUNT; i++)
			if (settings_table[i].is_secret && facts->open[i] == PRODUCTION_CLOSED &&
			    env_file_text(&file, settings_table[i].name) != NULL) {
				facts->open[i] = PRODUCTION_IN_FILE;
				facts->open_of[i] = application;
			}
	}
}

/* Whose the database is, or beside one at a URL the folder of the state, is who the server runs as:
 * doctor itself may have been typed by root. */
static void
look_at_users(struct production *facts, const char *database)
{
	const char *socket = facts->settings->runner_socket;
	struct stat st;

	if (db_is_url(database))
		database = facts->settings->state_directory;
	facts->server_user = stat(database, &st) == 0 ? st.st_uid : geteuid();
	facts->is_runner_seen = socket != NULL && stat(socket, &st) == 0;
	if (facts->is_runner_seen)
		facts->runner_user = st.st_uid;
}

static void
look_at_machine(struct production *facts)
{
	enum fs_check fs = FS_FINE;
	struct timex clock = { 0 };
	struct rlimit limit;
	const char *name = NULL;
	char there[PATH_MAX];

	facts->now_s = (int64_t)time(NULL);
	facts->is_clock_set = adjtimex(&clock) != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
	facts->descriptors = getrlimit(RLIMIT_NOFILE, &limit) != 0 ? 0 : (uint64_t)limit.rlim_max;
	facts->is_container = settings_is_container();
	doctor_nearest_there(facts->settings->state_directory, there);
	if (fs_check_look(there, &fs, &name, NULL) && fs == FS_VOLATILE)
		facts->volatile_folder = name;
}

static void
look_at_chain(struct production *facts, const char *database)
{
	const char *file = facts->settings->audit_log_path;
	const struct audit_source source = {
		.database = database, .log = file, .server = settings_server_name(facts->settings)
	};
	struct audit_verified found;
	struct err err;

	if (!db_is_url(database) && access(database, F_OK) != 0) {
		facts->chain = PRODUCTION_CHAIN_NONE;
	} else if (!audit_verify_witnesses(&source, NULL, 0, &found, &err)) {
		if (err.is_of_database && db_is_url(database))
			return; /* which is said of the store */
		facts->chain = PRODUCTION_CHAIN_BAD;
		(void)text_copy(facts->chain_text, sizeof(facts->chain_text), err.text);
	} else if (found.heads.missing > 0) {
		facts->chain = PRODUCTION_CHAIN_BAD;
		(void)snprintf(facts->chain_text, sizeof(facts->chain_text),
		    "entries behind %" PRId64 " were cut off: deploybot audit verify",
		    found.entries);
	} else if (found.other_leads == 0 && (found.first > 1 || found.behind > 1)) {
		/* One is being written. */
		facts->chain = PRODUCTION_CHAIN_BAD;
		(void)snprintf(facts->chain_text, sizeof(facts->chain_text),
		    "%" PRId64 " entries of the database are not in %.100s",
		    found.first - 1 + found.behind, file);
	} else {
		facts->chain = found.entries == 0 ? PRODUCTION_CHAIN_NONE : PRODUCTION_CHAIN_WHOLE;
		(void)snprintf(facts->chain_text, sizeof(facts->chain_text),
		    "%" PRId64 " entries, whole, head %s", found.entries, found.head);
	}
}

void
doctor_production_look(
    struct production *facts, const struct settings *settings, const char *env_file)
{
	const char *database = settings->database;

	*facts = (struct production){ .settings = settings, .env_file = env_file };
	look_at_refused(facts);
	look_at_secrets(facts);
	look_at_applications(facts);
	look_at_file(&facts->key, settings_text(settings, SETTING_SSH_KEY_PATH));
	look_at_file(&facts->hosts, settings_text(settings, SETTING_SSH_KNOWN_HOSTS));
	look_at_file(&facts->repository_key, settings_text(settings, SETTING_REPOSITORY_KEY_PATH));
	look_at_users(facts, database);
	look_at_machine(facts);
	look_at_chain(facts, database);
}

bool
doctor_production_is_for_all(const struct production *facts, enum setting setting)
{
	const struct settings *s = facts->settings;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (settings_value_of(e->of, e->member, setting) ==
		    settings_value_of(e->of, NULL, setting))
			return true;
	}
	return s->environment_count == 0;
}

const char *
doctor_production_text(const struct production *facts, enum setting setting)
{
	const char *text = settings_text(facts->settings, setting);

	return text == NULL ? "" : text;
}
