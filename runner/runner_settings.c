/* runner_settings.c - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/text.h"

struct row {
	const char *name; /* of an environment's: with its place in it, <ENV>_HOST */
	const char *id;	  /* of an environment's: HOST */
	enum setting_type type;
	const char *fallback;
	bool is_secret;
};

#define OPEN   false
#define SECRET true
static const struct row rows[] = {
#define SETTING(name, type, fallback, secrecy, whose, help) \
	{ #name, #name, SETTING_TYPE_##type, fallback, secrecy },
#include "runner/settings.def"
};
static const struct row environment_rows[] = {
#define FAMILY_SETTING(family, id, name, type, fallback, secrecy, whose, help) \
	{ name, #id, SETTING_TYPE_##type, fallback, secrecy },
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

bool
runner_settings_read(struct runner_settings *ret, const char *path, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	return path == NULL || env_file_read(&ret->file, path, err);
}

void
runner_settings_done(struct runner_settings *settings)
{
	env_file_done(&settings->file);
	explicit_bzero(settings->secret, sizeof(settings->secret));
}

static const char *
file_text(const struct runner_settings *settings, const char *name)
{
	const struct env_entry *entry = env_file_find(&settings->file, name);

	return entry == NULL || entry->value[0] == '\0' ? NULL : entry->value;
}

static const char *
environment_text(const char *name)
{
	const char *text = getenv(name);

	return text == NULL || text[0] == '\0' ? NULL : text;
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

static bool
find(struct runner_settings *settings, const struct row *row, const char *name,
    const char **ret_value, struct err *err)
{
	const char *value = environment_text(name), *path = NULL;
	char file_name[SETTING_NAME_MAX + 8];

	if (row->is_secret) {
		(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
		path = environment_text(file_name);
	}
	if (value == NULL && path == NULL) {
		value = file_text(settings, name);
		path = row->is_secret ? file_text(settings, file_name) : NULL;
	}
	if (value == NULL && path != NULL) {
		value = secret_read(settings, name, path, err);
		if (value == NULL)
			return false;
	}
	if (value != NULL && !check(row, name, &value, err))
		return false;
	*ret_value = value == NULL ? row->fallback : value;
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
