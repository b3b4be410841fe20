/* runner_settings.c - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

enum scope { SERVER, SHARED, OWN, EACH };

struct row {
	const char *name; /* of an environment's: with its place in it, <ENV>_HOST */
	const char *id;	  /* of an environment's: HOST */
	enum setting_type type;
	const char *fallback;
	bool is_secret;
	enum scope scope;
};

#define OPEN   false
#define SECRET true
static const struct row rows[] = {
#define SETTING(name, type, fallback, secrecy, whose, scope, help) \
	{ #name, #name, SETTING_TYPE_##type, fallback, secrecy, scope },
#include "runner/settings.def"
};
static const struct row environment_rows[] = {
#define FAMILY_SETTING(family, id, name, type, fallback, secrecy, whose, scope, help) \
	{ name, #id, SETTING_TYPE_##type, fallback, secrecy, scope },
#include "runner/settings.def"
};

static const struct row *
row_find(const struct row list[], size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	}
	assert(false);
	return NULL;
}

bool
runner_settings_is_secret(const char *name)
{
	return row_find(rows, COUNT(rows), name)->is_secret;
}

/* Whoever may write there has us execute what he likes, for that application and as us. */
static bool
check_writers(const struct stat *status, uid_t owner, const char *path, struct err *err)
{
	if (status->st_uid != 0 && status->st_uid != owner)
		return err_set(err, ERR_CONFIG,
		    "%s belongs to user %u: chown it to root or to the owner of the settings file",
		    path, (unsigned)status->st_uid);
	return (status->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    err_set(err, ERR_CONFIG, "others may write %s (mode %04o): chmod go-w that", path,
		(unsigned)status->st_mode & 07777);
}

/* Of the file that was looked at: it may be another one by its name a moment later. */
static bool
read_own(struct env_file *ret, const char *path, uid_t owner, struct err *err)
{
	CLEANUP(file_closep)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char opened[32];
	struct stat status;
	size_t size;
	char *text;
	bool good;

	/* Whoever asked is told so in the chat: no path. */
	if (fd == -1 && errno == ENOENT)
		return err_set(err, ERR_CONFIG, "%s is not there: was the application removed?",
		    strrchr(path, '/') + 1);
	if (fd == -1 || fstat(fd, &status) == -1)
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	if (!check_writers(&status, owner, path, err))
		return false;
	(void)snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	text = file_read(opened, ENV_FILE_MAX, &size, err);
	if (text == NULL)
		return err_wrap(err, "%s", path);
	good = env_file_parse(ret, text, size, err) || err_wrap(err, "%s", path);
	explicit_bzero(text, size);
	free(text);
	return good;
}

static bool
read_application(struct runner_settings *settings, const char *path, struct err *err)
{
	char folder[SETTING_PART_MAX + 1], file[SETTING_APPS_FILE_MAX];
	uid_t owner = geteuid();
	struct stat status;

	if (!runner_settings_folder(settings, path, folder))
		return err_set(err, ERR_CONFIG, "no folder of applications: set APPS_DIRECTORY");
	if (path != NULL && stat(path, &status) == 0)
		owner = status.st_uid;
	if (stat(folder, &status) == -1)
		return err_errno(err, ERR_CONFIG, errno, "%s", folder);
	return check_writers(&status, owner, folder, err) &&
	    read_own(
		&settings->own, setting_apps_file(folder, settings->application, file), owner, err);
}

bool
runner_settings_read(
    struct runner_settings *ret, const char *path, const char *application, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (path != NULL && !env_file_read(&ret->main, path, err))
		return false;
	if (application[0] == '\0')
		return true;
	if (!environment_name_is_valid(application))
		return err_set(err, ERR_INVALID, "no name of an application");
	(void)text_copy(ret->application, sizeof(ret->application), application);
	return read_application(ret, path, err);
}

void
runner_settings_done(struct runner_settings *settings)
{
	env_file_done(&settings->main);
	env_file_done(&settings->own);
	explicit_bzero(settings->secret, sizeof(settings->secret));
}

static const char *
file_text(const struct env_file *file, const char *name)
{
	const struct env_entry *entry = env_file_find(file, name);

	return entry == NULL || entry->value[0] == '\0' ? NULL : entry->value;
}

static const char *
environment_text(const char *name)
{
	const char *text = getenv(name);

	return text == NULL || text[0] == '\0' ? NULL : text;
}

/* In the n-th of the three sources, the first of which wins: the application's file, our own
 * environment, the main file. */
#define SOURCES 3
static const char *
source_text(const struct runner_settings *settings, enum scope scope, size_t n, const char *name)
{
	const bool has_own = settings->application[0] != '\0';

	if (n == 0)
		return has_own && scope != SERVER ? file_text(&settings->own, name) : NULL;
	if (has_own && scope != SERVER && scope != SHARED)
		return NULL;
	return n == 1 ? environment_text(name) : file_text(&settings->main, name);
}

bool
runner_settings_folder(
    struct runner_settings *settings, const char *path, char ret[SETTING_PART_MAX + 1])
{
	const char *given;

	return runner_settings_text(settings, "APPS_DIRECTORY", &given, NULL) &&
	    setting_apps_directory(path, given, ret);
}

/* The first line of a secret's file. */
static const char *
secret_read(struct runner_settings *settings, const char *name, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return ERR_NULL(err_errno(err, ERR_CONFIG, errno, "%s_FILE: %s", name, path));
	n = read(fd, settings->secret, RUNNER_SETTING_MAX);
	(void)close(fd); /* was only read */
	if (n <= 0)
		return ERR_NULL(
		    err_set(err, ERR_CONFIG, "%s_FILE: %s is empty or cannot be read", name, path));
	settings->secret[n] = '\0';
	settings->secret[strcspn(settings->secret, "\r\n")] = '\0';
	return settings->secret;
}

/* May it be handed to programs?  Scripts compare with true and false; a BOOL may be other words. */
static bool
check(const struct row *row, const char *name, const char **value, struct err *err)
{
	bool truth;

	if (!setting_check(row->type, *value, row->is_secret, err)) {
		if (err != NULL)
			err->code = ERR_CONFIG;
		return err_wrap(err, "%s", name);
	}
	if (row->type == SETTING_TYPE_BOOL && text_to_bool(*value, &truth, NULL))
		*value = truth ? "true" : "false";
	return true;
}

const char *
runner_settings_secret_source(const struct runner_settings *settings, const char *name)
{
	const struct row *row = row_find(rows, COUNT(rows), name);
	char file_name[SETTING_NAME_MAX + 8];

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	for (size_t n = 0; n < SOURCES; n++) {
		const char *path = source_text(settings, row->scope, n, file_name);

		if (source_text(settings, row->scope, n, name) != NULL)
			return n == 0 ? settings->application : "";
		if (path != NULL)
			return path;
	}
	return "";
}

/* In the first source that says it, or names its file. */
static bool
find_given(struct runner_settings *settings, const struct row *row, const char *name,
    const char **ret_value, struct err *err)
{
	char file_name[SETTING_NAME_MAX + 8];
	const char *path = NULL;

	*ret_value = NULL;
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	for (size_t n = 0; n < SOURCES && *ret_value == NULL && path == NULL; n++) {
		*ret_value = source_text(settings, row->scope, n, name);
		if (row->is_secret)
			path = source_text(settings, row->scope, n, file_name);
	}
	if (*ret_value == NULL && path != NULL)
		*ret_value = secret_read(settings, name, path, err);
	return *ret_value != NULL || path == NULL;
}

static bool
find(struct runner_settings *settings, const struct row *row, const char *name,
    const char **ret_value, struct err *err)
{
	const char *value;

	if (!find_given(settings, row, name, &value, err) ||
	    (value != NULL && !check(row, name, &value, err)))
		return false;
	*ret_value = value != NULL ?
	    value :
	    setting_fallback(row->name, row->fallback, settings->application, settings->fallback);
	return true;
}

bool
runner_settings_text(
    struct runner_settings *settings, const char *name, const char **ret_value, struct err *err)
{
	return find(settings, row_find(rows, COUNT(rows), name), name, ret_value, err);
}

const char *
runner_settings_name(const char *id, const char *environment, char ret[SETTING_NAME_MAX])
{
	const struct row *row = row_find(environment_rows, COUNT(environment_rows), id);

	return setting_name(row->name, environment, ret);
}

bool
runner_settings_of(struct runner_settings *settings, const char *id, const char *environment,
    const char **ret_value, struct err *err)
{
	const struct row *row = row_find(environment_rows, COUNT(environment_rows), id);
	char name[SETTING_NAME_MAX];

	return find(settings, row, setting_name(row->name, environment, name), ret_value, err);
}

/* The n-th environment's name; false: there are not so many. */
static bool
environment_at(struct runner_settings *settings, size_t n, char ret[SETTING_NAME_MAX])
{
	const char *list;

	if (!runner_settings_text(settings, "ENVIRONMENTS", &list, NULL))
		return false;
	while (setting_next(&list, ret, SETTING_NAME_MAX)) {
		if (n-- == 0)
			return true;
	}
	return false;
}

bool
runner_settings_next_fault(struct runner_settings *settings, size_t *from, struct err *err)
{
	char environment[SETTING_NAME_MAX];
	const char *value;

	while (*from < COUNT(rows)) {
		if (!runner_settings_text(settings, rows[(*from)++].name, &value, err))
			return true;
	}
	for (size_t at = *from - COUNT(rows);
	     environment_at(settings, at / COUNT(environment_rows), environment); at++) {
		*from = at + 1 + COUNT(rows);
		if (!runner_settings_of(settings, environment_rows[at % COUNT(environment_rows)].id,
			environment, &value, err))
			return true;
	}
	return false;
}

static void
add_mark(const struct runner_settings *settings, const struct row *row, const char *name,
    struct buf *out)
{
	const bool has_own = settings->application[0] != '\0';
	const struct env_file *const files[] = { has_own ? &settings->own : &settings->main,
		&settings->main };

	if (row->scope != SERVER)
		fingerprint_add(
		    out, name, row->is_secret, files, has_own && row->scope == SHARED ? 2 : 1);
}

const char *
runner_settings_fingerprint(
    const struct runner_settings *settings, const char *environment, char out[FINGERPRINT_LIST_MAX])
{
	char name[SETTING_NAME_MAX];
	struct buf list;

	buf_init(&list, FINGERPRINT_LIST_MAX);
	for (size_t i = 0; i < COUNT(rows); i++)
		add_mark(settings, &rows[i], rows[i].name, &list);
	for (size_t i = 0; i < COUNT(environment_rows); i++)
		add_mark(settings, &environment_rows[i],
		    setting_name(environment_rows[i].name, environment, name), &list);
	(void)text_copy(out, FINGERPRINT_LIST_MAX, buf_text(&list));
	buf_done(&list);
	return out;
}
