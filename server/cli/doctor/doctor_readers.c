/* doctor_readers.c - typed by root, who reads all: may the server's user read what it starts with?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "lib/db_url.h"
#include "lib/text.h"
#include "types/settings.h"

#define GROUPS 64

/* Whose the audit log's folder is; NULL: root's, or nobody's that is known. */
static const struct passwd *
find_user(const struct settings *s)
{
	char folder[PATH_MAX];
	struct stat st;

	(void)text_copy(folder, sizeof(folder), s->audit_log_path);
	return stat(dirname(folder), &st) == 0 && st.st_uid != 0 ? getpwuid(st.st_uid) : NULL;
}

static bool
is_in_group(const struct passwd *user, gid_t group)
{
	gid_t groups[GROUPS];
	int n = GROUPS;

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		n = GROUPS; /* they have more */
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* R_OK, W_OK or X_OK by its mode; what is not there is said elsewhere. */
static bool
may(const struct passwd *user, const char *path, mode_t what)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return true;
	if (st.st_uid == user->pw_uid)
		return (st.st_mode & (what << 6)) != 0;
	return (st.st_mode & (is_in_group(user, st.st_gid) ? what << 3 : what)) != 0;
}

static void
examine(struct doctor *doctor, const struct passwd *user, const char *path)
{
	const struct group *group = getgrgid(user->pw_gid);

	if (!may(user, path, R_OK))
		TELL(doctor, SETTINGS, ERROR,
		    "%s: user %s, as whom the server runs, may not read it: chown root:%s %s; chmod 0640 %s",
		    path, user->pw_name, group != NULL ? group->gr_name : user->pw_name, path,
		    path);
}

static void
examine_database(struct doctor *doctor, const struct passwd *user)
{
	const char *path = doctor->settings->database;
	struct stat st;

	if (!db_is_url(path) && stat(path, &st) == 0 && st.st_uid != user->pw_uid)
		TELL(doctor, SETTINGS, ERROR,
		    "%s: user %s, as whom the server runs, may not open it: chown %s: %s", path,
		    user->pw_name, user->pw_name, path);
}

static void
examine_link(struct doctor *doctor, const struct passwd *user)
{
	const char *path = settings_text(doctor->settings, SETTING_LINK_SOCKET);
	char folder[PATH_MAX];

	(void)text_copy(folder, sizeof(folder), path);
	if (doctor->settings->link.address != NULL &&
	    (!may(user, path, W_OK) || !may(user, dirname(folder), X_OK)))
		TELL(doctor, LINK, ERROR,
		    "LINK_SOCKET: user %s, as whom the server runs, may not connect to %.200s: usermod -a -G deploybot-link %s; systemctl restart deploybot",
		    user->pw_name, path, user->pw_name);
}

void
doctor_readers(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	const struct passwd *user = geteuid() == 0 ? find_user(s) : NULL;
	char path[SETTING_APPS_FILE_MAX];

	/* A draft is given to them when it is right. */
	if (user == NULL || doctor->cli->value[OPTION_ENV_FILE] != NULL)
		return;
	if (doctor->cli->env_file != NULL)
		examine(doctor, user, doctor->cli->env_file);
	for (size_t i = 0; i < s->application_count; i++)
		if (cli_application_file(
			doctor->cli->env_file, s, s->applications[i]->application, path))
			examine(doctor, user, path);
	examine_database(doctor, user);
	examine_link(doctor, user);
}
