/* cli_application.c - `application list|check|adopt`: applications with a file of their own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem_wiped.h"
#include "settings/sources/settings_adopt.h"
#include "settings/sources/settings_folder.h"
#include "settings/sources/settings_load.h"
#include "types/settings.h"

/* The settings; where they are wrong, also which file was read: it may be another one. */
static struct settings *
load_settings(const struct cli *cli, struct settings_report *report)
{
	struct settings *s = cli_settings_for(cli, false, NULL, report);

	if (s == NULL)
		(void)fprintf(stderr, "The settings are wrong (file: %s%s).\n",
		    cli->env_file != NULL ? cli->env_file : "none",
		    cli->env_file != NULL ? "" : "; --env-file FILE names one");
	return s;
}

/* --- list --- */

static bool
has_flaw(const struct settings_report *report, const char *application)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->lines[i].severity == SETTINGS_FLAW && application[0] != '\0' &&
		    strcmp(report->lines[i].application, application) == 0)
			return true;
	return false;
}

static void
print_application(
    const struct settings *main, const struct settings *s, const struct settings_report *report)
{
	size_t refused = 0;
	struct environment_id id;

	(void)printf("%s: %s,", s->application[0] == '\0' ? "(no name)" : s->application,
	    s->github_repository != NULL  ? s->github_repository :
		s->repository_url != NULL ? "a repository" :
					    "no repository");
	for (size_t i = 0; i < settings_own_count(s); i++) {
		refused += settings_refusal(main, s->environments[i].name) != NULL;
		if (environment_id_parse(s->environments[i].name, &id))
			(void)printf(" %s", id.name);
	}
	if (s->application[0] != '\0' && s->github_webhook_secret != NULL)
		(void)printf(", /github/webhook/%s", s->application);
	else if (main->github_webhook_secret != NULL)
		(void)printf(", /github/webhook");
	if (refused > 0)
		(void)printf(" (%zu not deployed: deploybot application check%s%s)", refused,
		    s->application[0] == '\0' ? "" : " ", s->application);
	else if (has_flaw(report, s->application))
		(void)printf(" (with errors: deploybot application check %s)", s->application);
	(void)printf("\n");
}

int
cli_application_list(const struct cli *cli)
{
	struct settings_report report;
	CLEANUP(settings_unrefp) struct settings *s = load_settings(cli, &report);

	if (s == NULL)
		return EX_CONFIG;
	if (settings_own_count(s) > 0)
		print_application(s, s, &report);
	for (size_t i = 0; i < s->application_count; i++)
		print_application(s, s->applications[i], &report);
	for (size_t i = 0; i < s->refused_count; i++)
		(void)printf("refused: %s%s%s\n", s->refused[i].file,
		    s->refused[i].file[0] == '\0' ? "" : ": ", s->refused[i].reason);
	return report.flaws > 0 ? EX_CONFIG : EX_OK;
}

/* --- check --- */

int
cli_application_check(const struct cli *cli)
{
	const char *application = cli->argc > 0 ? cli->argv[0] : NULL;
	struct settings_report report;
	CLEANUP(settings_unrefp)
	struct settings *s = cli_settings_for(cli, true, application, &report);

	if (s == NULL)
		return EX_CONFIG;
	if (application != NULL && settings_application(s, application) == NULL &&
	    !settings_refused_has(s->refused, s->refused_count, application, strlen(application))) {
		(void)fprintf(stderr,
		    "error: there is no application %s: deploybot application list\n", application);
		return EX_NOINPUT;
	}
	if (report.flaws > 0)
		return EX_CONFIG;
	(void)printf("ok: %s%s; the network was not asked (deploybot doctor does)\n",
	    application == NULL ? "all applications" : "the settings of ",
	    application == NULL ? "" : application);
	return EX_OK;
}

/* --- adopt --- */

/* Owner, group and mode as those of the settings file: who reads that reads this. */
static bool
write_like(const struct stat *like, const char *path, const struct buf *text, struct err *err)
{
	char fresh[PATH_MAX];

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return err_set(err, ERR_LIMIT, "path too long: %.100s", path);
	if (!file_write(fresh, buf_text(text), text->size, like->st_mode & 0777, err))
		return false;
	if (chown(fresh, like->st_uid, like->st_gid) != 0 || rename(fresh, path) != 0) {
		(void)err_errno(err, ERR_IO, errno, "writing %s", path);
		(void)unlink(fresh);
		return false;
	}
	return file_flush_name(path, err);
}

/* With the right to enter for whoever may read the settings file. */
static bool
make_folder(const struct stat *like, const char *directory, struct err *err)
{
	mode_t mode = like->st_mode & 0755;

	if (access(directory, F_OK) == 0)
		return true;
	mode |= (mode & 0444) >> 2;
	return file_mkdirs(directory, mode, err) &&
	    ((chmod(directory, mode) == 0 && chown(directory, like->st_uid, like->st_gid) == 0) ||
		err_errno(err, ERR_IO, errno, "%s", directory));
}

/* A former try got as far as this file, and what it would have written stands there. */
static bool
check_ours(const struct settings_adopted *adopted, const char *path, struct err *err)
{
	CLEANUP(env_file_done) struct env_file file = { 0 }, wanted = { 0 };
	const struct env_entry *entry;
	bool good = env_file_read(&file, path, err) &&
	    env_file_parse(
		&wanted, buf_text(&adopted->application), adopted->application.size, err);

	entry = good ? env_file_find(&file, "RENAMED_FROM") : NULL;
	if (good && (entry == NULL || strcmp(entry->value, ".") != 0))
		good = err_set(err, ERR_BUSY, "%s is there already: take another name", path);
	for (size_t i = 0, n = good ? wanted.count : 0; i < n; i++) {
		entry = env_file_find(&file, wanted.entries[i].name);
		if (entry != NULL && strcmp(entry->value, wanted.entries[i].value) == 0)
			continue;
		(void)fprintf(stderr, "differs  %s\n", wanted.entries[i].name);
		good = err_set(
		    err, ERR_BUSY, "%s is there already and differs: correct one of both", path);
	}
	return good;
}

/* First the new file, then the settings file without what it has: a crash between leaves both, the
 * old one refused, and the same command goes on. */
static bool
write_both(const struct settings_adopted *adopted, const char *main_path, const char *directory,
    const char *path, struct err *err)
{
	struct stat like;

	if (stat(main_path, &like) != 0)
		return err_errno(err, ERR_IO, errno, "%s", main_path);
	if (access(path, F_OK) == 0) {
		if (!check_ours(adopted, path, err))
			return false;
	} else if (!make_folder(&like, directory, err) ||
	    !write_like(&like, path, &adopted->application, err)) {
		return false;
	}
	return write_like(&like, main_path, &adopted->main, err);
}

static void
print_adopted(const struct settings_adopted *adopted, const char *application, const char *path)
{
	(void)printf("ok: %zu settings moved to %s\n", adopted->moved, path);
	if (adopted->renamed.size > 0)
		(void)printf("ok: of %s/ENVIRONMENT now, in the settings file: %s\n", application,
		    buf_text(&adopted->renamed));
	if (adopted->elsewhere.size > 0)
		(void)printf(
		    "Take these out of the environment of the service (unit, compose file) and restart it:\n"
		    "  %s\n"
		    "Until then nothing of %s is deployed.\n",
		    buf_text(&adopted->elsewhere), application);
	else
		(void)printf("A running server notices within seconds.\n");
}

static bool
move_settings(
    const char *application, const char *main_path, const char *directory, struct err *err)
{
	CLEANUP(mem_wiped_freep) char *text = file_read(main_path, ENV_FILE_MAX, NULL, err);
	struct settings_adopted adopted;
	char path[SETTING_APPS_FILE_MAX];
	bool good;

	if (text == NULL)
		return false;
	(void)setting_apps_file(directory, application, path);
	good = settings_adopt(&adopted, application, text, environ, err) &&
	    write_both(&adopted, main_path, directory, path, err);
	if (good)
		print_adopted(&adopted, application, path);
	settings_adopted_done(&adopted);
	return good;
}

/* Is the one without a name another application by now? */
static bool
check_first(const struct settings *s, const char *application, struct err *err)
{
	for (size_t i = 0; i < s->application_count; i++) {
		const char *former = settings_text(s->applications[i], SETTING_RENAMED_FROM);
		const char *name = s->applications[i]->application;

		if (former != NULL && strcmp(former, ".") == 0 && strcmp(name, application) != 0)
			return err_set(err, ERR_BUSY,
			    "that was done as %s: deploybot application adopt %s takes along what is left; a new application is a new file beside it",
			    name, name);
	}
	return true;
}

int
cli_application_adopt(const struct cli *cli)
{
	const char *application = cli->argv[0];
	char directory[SETTING_PART_MAX + 1], main_path[PATH_MAX];
	struct err err;

	if (settings_why_no_application(application) != NULL) {
		(void)fprintf(stderr,
		    "error: \"%.40s\" is no name: a-z, then up to 19 of a-z 0-9 -, and not client\n",
		    application);
		return EX_USAGE;
	}
	if (cli->env_file == NULL || realpath(cli->env_file, main_path) == NULL) {
		(void)fprintf(stderr,
		    "error: there is no settings file to take them from (file: %s): go into the folder of its .env, name it with --env-file FILE, or write what the environment gives into one first\n",
		    cli->env_file != NULL ? cli->env_file : "none");
		return EX_NOINPUT;
	}
	struct settings_report report;
	CLEANUP(settings_unrefp) struct settings *s = load_settings(cli, &report);
	if (s == NULL)
		return EX_CONFIG;
	if (!setting_apps_directory(
		cli->env_file, settings_text(s, SETTING_APPS_DIRECTORY), directory))
		(void)err_set(&err, ERR_MISSING, "there is no folder for applications");
	else if (check_first(s, application, &err) &&
	    move_settings(application, main_path, directory, &err))
		return EX_OK;
	return cli_fail(&err);
}
