/* doctor_local.c - what can be seen on this machine without asking anybody.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_api.h"
#include "cli/doctor/doctor.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/landlock.h"
#include "lib/owner.h"
#include "lib/path.h"
#include "lib/text.h"
#include "store/fs_check.h"
#include "store/row_chat.h"
#include "store/row_factor.h"
#include "store/row_left_host.h"
#include "types/repository.h"
#include "types/peers.h"
#include "types/settings.h"
#include "types/workflow.h"
#include "settings/settings_table.h"

#define SPACE_ERROR   (64ull << 20)
#define SPACE_WARNING (1ull << 30)

void
doctor_nearest_there(const char *path, char out[PATH_MAX])
{
	(void)text_copy(out, PATH_MAX, path);
	while (access(out, F_OK) != 0 && strcmp(out, "/") != 0)
		(void)dirname(out); /* absolute: cut where it is */
}

/* A secret that root has put into the folder of the user who is to read it, and cannot. */
static bool
is_roots_in_users_folder(const char *path, const struct stat *st, struct err *err)
{
	char folder[PATH_MAX], name[OWNER_NAME];
	struct stat above;

	(void)text_copy(folder, sizeof(folder), path);
	if (st->st_uid != 0 || (st->st_mode & 0044) != 0 || stat(dirname(folder), &above) != 0 ||
	    above.st_uid == 0)
		return false;
	(void)owner_user(above.st_uid, "", name);
	(void)err_set(err, ERR_CONFIG,
	    "it is root's, and user %s, whose folder it is in, cannot read it: chown %s %s", name,
	    name, path);
	return true;
}

/* Of a secret that is not in order. */
static void
add_remedy(const struct stat *st, uid_t reader, struct err *err)
{
	char name[OWNER_NAME];
	size_t used = strlen(err->text), room = sizeof(err->text) - used;

	if (st->st_uid != 0 && st->st_uid != reader)
		(void)snprintf(
		    err->text + used, room, ": chown %s it", owner_user(reader, "", name));
	else
		(void)snprintf(err->text + used, room, ": chmod 600 it");
}

bool
doctor_is_in_order(const char *path, bool is_secret, struct err *err)
{
	struct stat st = { 0 };
	bool is_there = stat(path, &st) == 0;
	bool is_users = geteuid() == 0 && is_there && st.st_uid != 0 && seteuid(st.st_uid) == 0;
	uid_t reader = geteuid();
	bool is_ok = is_secret ? path_is_private(path, true, err) : path_is_safe(path, err);

	if (is_users && seteuid(0) != 0)
		abort();
	if (is_secret && geteuid() == 0 && is_there && is_roots_in_users_folder(path, &st, err))
		return false;
	if (!is_ok && is_secret && is_there)
		add_remedy(&st, reader, err);
	return is_ok;
}

static void
examine_folder(struct doctor *doctor, const char *name, const char *path)
{
	char there[PATH_MAX];
	struct err err;

	doctor_nearest_there(path, there);
	if (access(there, W_OK | X_OK) != 0)
		TELL(doctor, FILES, ERROR,
		    "%s: %s cannot be written to: give it to the user that deploybot runs as", name,
		    there);
	else if (!doctor_is_in_order(there, false, &err))
		TELL(doctor, FILES, ERROR, "%s: others could replace what stands there: %s", name,
		    err.text);
	else if (strcmp(there, path) != 0)
		TELL(doctor, FILES, OK, "%s: %s is made at the first start", name, path);
	else
		TELL(doctor, FILES, OK, "%s: %s can be written to", name, path);
}

static void
examine_space(struct doctor *doctor, const char *name, const char *path)
{
	char there[PATH_MAX], text[TEXT_DURATION_SIZE];
	enum doctor_level level = DOCTOR_OK;
	unsigned long long left;
	struct statvfs fs;

	doctor_nearest_there(path, there);
	if (statvfs(there, &fs) != 0) {
		TELL(doctor, FILES, WARNING, "%s: the space left at %s is not known", name, there);
		return;
	}
	left = (unsigned long long)fs.f_bavail * fs.f_frsize;
	if (left < SPACE_WARNING)
		level = left < SPACE_ERROR ? DOCTOR_ERROR : DOCTOR_WARNING;
	doctor_say(doctor, DOCTOR_FILES, level, "%s: %s left at %s%s", name, text_bytes(text, left),
	    there, level == DOCTOR_OK ? "" : ": make room, or move it to another disk");
}

static void
examine_file_system(struct doctor *doctor, const char *path)
{
	char there[PATH_MAX];
	enum fs_check fs = FS_FINE;
	const char *name = NULL;

	doctor_nearest_there(path, there);
	if (!fs_check_look(there, &fs, &name, NULL))
		return; /* then it cannot be written to, which was said */
	if (fs == FS_REMOTE)
		TELL(doctor, FILES, ERROR,
		    "STATE_DIRECTORY: %s is on %s, where neither locks nor flushes can be trusted: use a local disk",
		    there, name);
	else if (fs == FS_VOLATILE)
		TELL(doctor, FILES, WARNING,
		    "STATE_DIRECTORY: %s is on %s: this directory is not persistent: it is lost with its container or at the next boot",
		    there, name);
}

/* path NULL: our own. */
static void
examine_script(struct doctor *doctor, const char *name, const char *path, const char *own)
{
	char found[PATH_MAX];
	struct err err;

	if (path == NULL && doctor_find_script(own, found))
		path = found;
	if (path == NULL)
		TELL(doctor, FILES, ERROR,
		    "%s: there is no deploy/%s beside the program: install it, or name one of your own",
		    name, own);
	else if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		TELL(doctor, FILES, ERROR, "%s: there is no %s: put it there, or set %s", name,
		    path, name);
	else if (!path_is_safe(path, &err))
		TELL(doctor, FILES, ERROR,
		    "%s: %s: it must belong to root or to us and be writable by nobody else", name,
		    err.text);
	else if (access(path, X_OK) != 0)
		TELL(doctor, FILES, ERROR, "%s: not executable: chmod +x %s", name, path);
	else
		TELL(doctor, FILES, OK, "%s: %s is safe to run", name, path);
}

static void
examine_key(struct doctor *doctor, const char *name, const char *path)
{
	struct err err;

	if (path == NULL)
		return;
	if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		TELL(doctor, FILES, ERROR,
		    "%s: no key is at %s: make one with: ssh-keygen -t ed25519 -N '' -f %s", name,
		    path, path);
	else if (doctor_is_in_order(path, true, &err))
		TELL(doctor, FILES, OK, "%s: %s is private", name, path);
	else
		TELL(doctor, FILES, ERROR, "%s: %s", name, err.text);
}

/* A container's mounts are open to all inside: a warning.  What nobody reads who should is an
 * error. */
static void
examine_secret_file(struct doctor *doctor, const char *name, const char *behind, const char *path)
{
	struct err err = { 0 };

	if (path == NULL)
		return;
	if (doctor_is_in_order(path, true, &err))
		TELL(doctor, FILES, OK, "%s%s: %s is private", name, behind, path);
	else
		doctor_say(doctor, DOCTOR_FILES,
		    err.code == ERR_CONFIG ? DOCTOR_ERROR : DOCTOR_WARNING, "%s%s: %s", name,
		    behind, err.text);
}

/* Files that secrets were read from; the key of second factors has no other place. */
static void
examine_secret_files(struct doctor *doctor)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		examine_secret_file(doctor, settings_table[i].name, "_FILE",
		    settings_secret_file(doctor->settings, (enum setting)i));
	if (doctor->settings->totp_keys != NULL) /* else that is said of the settings */
		examine_secret_file(doctor, "TOTP_KEY_FILE", "",
		    settings_text(doctor->settings, SETTING_TOTP_KEY_FILE));
}

/* Those of hooks and workflows, also in files of applications. */
static void
examine_member_files(struct doctor *doctor)
{
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];
		const struct settings_member *member;
		const struct settings *of;
		char its[SETTING_NAME_MAX], name[SETTING_NAME_MAX + ENVIRONMENT_NAME_MAX + 2];

		for (size_t at = 0; spec->is_secret &&
		     (member = settings_member_next(doctor->settings, spec->family, &at, &of)) !=
			 NULL;) {
			(void)snprintf(name, sizeof(name), "%s%s%s", of->application,
			    of->application[0] != '\0' ? ": " : "",
			    setting_name(spec->name, member->name, its)); /* fits */
			examine_secret_file(doctor, name, "_FILE",
			    settings_own(member, (enum family_setting)i)->file);
		}
	}
}

/* What is said for one environment alone. */
static void
examine_special(struct doctor *doctor, const struct environment_settings *e,
    const struct settings_special *special)
{
	const char *application = e->of->application, *path = special->value.text;
	char its[SETTING_NAME_MAX], name[SETTING_NAME_MAX + ENVIRONMENT_NAME_MAX + 2];

	(void)setting_special(settings_table[special->setting].name, e->member->name, its);
	(void)snprintf(name, sizeof(name), "%s%s%s", application,
	    application[0] != '\0' ? ": " : "", its); /* fits */
	if (special->setting == SETTING_DEPLOY_SCRIPT)
		examine_script(doctor, name, path, "deploy.sh");
	else if (special->setting == SETTING_ROLLBACK_SCRIPT)
		examine_script(doctor, name, path, "rollback.sh");
	else if (special->setting == SETTING_VERIFY_COMMAND)
		examine_script(doctor, name, path, NULL);
	else if (special->setting == SETTING_SSH_KEY_PATH)
		examine_key(doctor, name, path);
	else
		examine_secret_file(doctor, name, "_FILE", special->value.file);
}

static void
examine_environments(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		/* A remote runner's files are there. */
		for (size_t n = 0;
		     strcmp(e->runner, RUNNER_LOCAL) == 0 && n < e->member->special_count; n++)
			examine_special(doctor, e, &e->member->specials[n]);
	}
}

/* It holds the token and the secrets. */
static void
examine_env_file(struct doctor *doctor)
{
	const char *path = doctor->cli->env_file;
	char full[PATH_MAX];
	struct err err;

	if (path == NULL || realpath(path, full) == NULL)
		return;
	if (path_is_private(full, true, &err))
		TELL(doctor, FILES, OK, "%s: it is private", path);
	else
		TELL(doctor, FILES, WARNING,
		    "%s: chown root:deploybot and chmod 0640 it: nobody else is to read it, and the runner takes it from root alone",
		    err.text);
}

/* Of whichever environment, too: STAGING_REGISTRY_PASSWORD. */
static bool
is_secret(const struct env_entry *entry)
{
	for (size_t i = 0; i < SETTING_COUNT && entry->value[0] != '\0'; i++)
		if (settings_table[i].is_secret &&
		    (strcmp(entry->name, settings_table[i].name) == 0 ||
			(settings_table[i].is_shipping &&
			    text_ends(entry->name, settings_table[i].name))))
			return true;
	return false;
}

/* Does a secret stand in the file itself? */
static bool
has_secret(const char *path)
{
	CLEANUP(env_file_done) struct env_file file = { 0 };
	bool has = false;

	if (!env_file_read(&file, path, NULL))
		return false; /* that is said of the settings */
	for (size_t i = 0; i < file.count && !has; i++)
		has = is_secret(&file.entries[i]);
	return has;
}

static void
examine_application_files(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	char path[SETTING_APPS_FILE_MAX], full[PATH_MAX];
	struct err err;

	for (size_t i = 0; i < s->application_count; i++)
		if (cli_application_file(
			doctor->cli->env_file, s, s->applications[i]->application, path) &&
		    realpath(path, full) != NULL && has_secret(full) &&
		    !path_is_private(full, true, &err))
			TELL(doctor, FILES, WARNING,
			    "%s: chmod o= it, so that nobody else reads its secrets", err.text);
}

/* Which no release has reached since a rollback did without them. */
static void
examine_left_hosts(struct doctor *doctor)
{
	char names[LIMIT_LINE];

	if (row_left_host_look(doctor->db, names))
		TELL(doctor, TARGETS, WARNING,
		    "hosts that a rollback left out, until a release reaches them (/deploy, when they answer): %s",
		    names);
}

/* What the server has learnt, and goes by. */
static void
examine_chats(struct doctor *doctor)
{
	char names[LIMIT_LINE];
	int64_t chat, now;

	for (size_t i = 0; settings_next_chat(doctor->settings, &i, &chat);) {
		now = row_chat_moved(doctor->db, chat);
		if (now != 0 && settings_names_chat(doctor->settings, chat, names, sizeof(names)))
			TELL(doctor, TELEGRAM, WARNING,
			    "Telegram: the group %" PRId64 " became the supergroup %" PRId64
			    ": put that id into %s",
			    chat, now, names);
	}
}

static void
examine_factors(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	int64_t unreadable, n;

	n = row_factor_look(doctor->db, s->totp_keys, &unreadable);
	if (unreadable > 0)
		TELL(doctor, STORE, ERROR,
		    "second factors: %" PRId64 " of %" PRId64
		    " cannot be read: put back the TOTP_KEY_FILE that they were made with, or reset each: deploybot 2fa reset ID --as admin",
		    unreadable, n);
	else if (n > 0 && s->totp_keys->count > 1)
		TELL(doctor, STORE, NOTE,
		    "second factors: %" PRId64
		    " %s; once the server has started with both keys of TOTP_KEY_FILE, the second line can go",
		    n, n == 1 ? "person has one" : "people have one");
	else if (n > 0)
		TELL(doctor, STORE, OK, "second factors: %" PRId64 " %s", n,
		    n == 1 ? "person has one" : "people have one");
	else if (n == 0 && s->require_otp_count > 0)
		TELL(doctor, STORE, WARNING,
		    "second factors: REQUIRE_OTP asks for codes, and nobody has any: deploybot 2fa add");
	if (n == 0)
		doctor_emergency(doctor);
}

static void
examine_github(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	int polls_s = repository_poll_seconds(s);

	if (s->github_webhook_secret != NULL && polls_s > 0)
		TELL(doctor, WEBHOOKS, OK,
		    "GitHub: signed pushes are taken at /github/webhook; git is polled too, every %d s, for one that GitHub cannot deliver",
		    polls_s);
	else if (s->github_webhook_secret != NULL)
		TELL(doctor, WEBHOOKS, OK,
		    "GitHub: signed pushes are taken at /github/webhook; git is not polled (POLL_REPOSITORY_SECONDS=0)");
	else if (polls_s > 0)
		TELL(doctor, WEBHOOKS, OK,
		    "GitHub: no GITHUB_WEBHOOK_SECRET, so /github/webhook answers 404; git is asked for pushes every %d s",
		    polls_s);
	else if (workflow_next(s, &(size_t){ 0 }, &(struct workflow){ 0 }))
		TELL(doctor, WEBHOOKS, OK,
		    "GitHub: no push is looked for: what the jobs of workflows report is deployed, and what is asked for");
	else
		TELL(doctor, WEBHOOKS, WARNING,
		    "GitHub: no push is ever found: set GITHUB_WEBHOOK_SECRET (without it /github/webhook answers 404) or POLL_REPOSITORY_SECONDS");
	if (s->github_webhook_secret != NULL && s->github.token == NULL && s->github.app_id == NULL)
		TELL(doctor, WEBHOOKS, NOTE,
		    "GitHub: redelivery is off: what GitHub cannot deliver has to be redelivered there; set GITHUB_API_TOKEN or GITHUB_APP_ID");
}

/* With a runner that is a service of another user: the folder that both work in. */
static void
examine_shared_folder(struct doctor *doctor)
{
	const char *state = doctor->settings->state_directory;
	char runs[PATH_MAX];
	struct stat st;

	(void)snprintf(runs, sizeof(runs), "%s/runs", state);
	if (stat(runs, &st) != 0) {
		TELL(doctor, RUNNER, ERROR,
		    "runner: %s: %s: deploybot-runner makes it when it starts, with the same STATE_DIRECTORY",
		    runs, strerrordesc_np(errno));
		return;
	}
	if (eaccess(runs, R_OK | X_OK) != 0)
		TELL(doctor, RUNNER, ERROR,
		    "runner: %s cannot be read, so no log can be shown: our user must be in its group, and its mode be 2750",
		    runs);
	else if (geteuid() != 0 && geteuid() != st.st_uid && eaccess(runs, W_OK) == 0)
		TELL(doctor, RUNNER, WARNING,
		    "runner: %s can be written to by the server's user: chmod 2750 it", runs);
	else
		TELL(doctor, RUNNER, OK, "runner: %s can be read", runs);
}

/* What ships all else is where its remote runner is. */
static bool
has_local_environment(const struct settings *s)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].runner, RUNNER_LOCAL) == 0)
			return true;
	return false;
}

static void
examine_what_runs(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;

	examine_key(doctor, "REPOSITORY_KEY_PATH", settings_text(s, SETTING_REPOSITORY_KEY_PATH));
	if (!has_local_environment(s))
		return;
	examine_script(
	    doctor, "DEPLOY_SCRIPT", settings_text(s, SETTING_DEPLOY_SCRIPT), "deploy.sh");
	examine_script(
	    doctor, "ROLLBACK_SCRIPT", settings_text(s, SETTING_ROLLBACK_SCRIPT), "rollback.sh");
	if (settings_is_given(s, SETTING_VERIFY_COMMAND))
		examine_script(
		    doctor, "VERIFY_COMMAND", settings_text(s, SETTING_VERIFY_COMMAND), NULL);
	if (settings_is_given(s, SETTING_SSH_KEY_PATH))
		examine_key(doctor, "SSH_KEY_PATH", settings_text(s, SETTING_SSH_KEY_PATH));
	examine_environments(doctor);
}

/* Where the command line asks; the server's folder is not root's, who looks into it too. */
static const char *
find_local_socket(const struct settings *s)
{
	const char *there = geteuid() == 0 ? SETTINGS_LOCAL_FOLDER : SETTINGS_LOCAL_SOCKET;
	const char *path = settings_local_socket(s);

	return path != NULL || access(there, F_OK) != 0 ? path : SETTINGS_LOCAL_SOCKET;
}

/* What the running server has said of it; one of before 0.2.0 says nothing. */
static void
examine_sandbox(struct doctor *doctor, const char *said)
{
	if (said == NULL)
		return;
	if (strcmp(said, "off") == 0)
		TELL(doctor, RUNNER, WARNING,
		    "sandbox: off (SANDBOX=off), and this kernel has %s: take that setting out, then restart deploybot",
		    landlock_version(NULL) > 0 ? "seccomp and Landlock" : "seccomp alone");
	else
		TELL(doctor, RUNNER, OK, "sandbox: %s", said);
}

/* What needs no role: a user who is not let in is no attack, and nobody is to read of one. */
static void
examine_local_socket(struct doctor *doctor)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	const char *path = find_local_socket(doctor->settings);
	struct cli_api api = { 0 };
	struct err err;

	if (doctor_is_stopped(doctor->settings)) {
		TELL(doctor, RUNNER, ERROR,
		    "deploybot does not run: systemctl start deploybot; how it ended says journalctl -u deploybot");
		return;
	}
	if (path == NULL || !text_copy(api.path, sizeof(api.path), path)) {
		TELL(doctor, RUNNER, NOTE,
		    "command line: no socket: LOCAL_SOCKET is not set, and " SETTINGS_LOCAL_FOLDER
		    " is not the server's folder");
		return;
	}
	if (cli_api_ask(&api, "/healthz", NULL, &answer, &err)) {
		TELL(doctor, RUNNER, OK, "command line: the server answers on %s", path);
		examine_sandbox(doctor, json_get_str(answer.json, "sandbox"));
	} else
		TELL(doctor, RUNNER, WARNING, "command line: %s", err.text);
}

void
doctor_local(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	char log[PATH_MAX];

	(void)text_copy(log, sizeof(log), s->audit_log_path);
	examine_folder(doctor, "STATE_DIRECTORY", s->state_directory);
	examine_space(doctor, "STATE_DIRECTORY", s->state_directory);
	examine_file_system(doctor, s->state_directory);
	(void)dirname(log);
	examine_folder(doctor, "AUDIT_LOG_PATH", log);
	examine_space(doctor, "AUDIT_LOG_PATH", log);
	examine_env_file(doctor);
	examine_application_files(doctor);
	examine_secret_files(doctor);
	examine_member_files(doctor);
	if (s->runner_socket == NULL)
		examine_what_runs(doctor);
	else
		examine_shared_folder(doctor); /* scripts and keys are not for us to see */
	examine_local_socket(doctor);
	doctor_machine(doctor);
	doctor_renewal(doctor);
	doctor_outbound(doctor);
	doctor_database(doctor);
	examine_left_hosts(doctor);
	examine_chats(doctor);
	examine_factors(doctor);
	doctor_approvers(doctor);
	examine_github(doctor);
}
