/* runner_settings.c - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"

struct row {
	const char *name;
	const char *type;
	const char *fallback;
	bool is_secret;
};
struct environment_row {
	const char *id;
	const char *prefix;
	const char *suffix;
	const char *fallback;
};

#define OPEN   false
#define SECRET true
static const struct row rows[] = {
#define SETTING(name, type, fallback, secrecy, whose, help) { #name, #type, fallback, secrecy },
#define ENVIRONMENT_SETTING(...)
#include "runner/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
};
static const struct environment_row environment_rows[] = {
#define SETTING(...)
#define ENVIRONMENT_SETTING(id, prefix, suffix, type, fallback, secrecy, whose, help) \
	{ #id, prefix, suffix, fallback },
#include "runner/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
};

static const struct row *
row_find(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static const struct environment_row *
environment_row_find(const char *id)
{
	for (size_t i = 0; i < COUNT(environment_rows); i++) {
		if (strcmp(environment_rows[i].id, id) == 0)
			return &environment_rows[i];
	}
	return NULL;
}

bool
runner_settings_is_secret(const char *name)
{
	const struct row *row = row_find(name);

	return row != NULL && row->is_secret;
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

	if (fd == -1) {
		(void)err_errno(err, ERR_CONFIG, errno, "%s_FILE", name);
		return NULL;
	}
	n = read(fd, settings->secret, RUNNER_SETTING_MAX);
	(void)close(fd); /* was only read */
	if (n <= 0) {
		(void)err_set(err, ERR_CONFIG, "%s_FILE is empty or cannot be read", name);
		return NULL;
	}
	settings->secret[n] = '\0';
	settings->secret[strcspn(settings->secret, "\r\n")] = '\0';
	return settings->secret;
}

static bool
is_sound(const char *name, const char *value, struct err *err)
{
	if (strlen(value) > RUNNER_SETTING_MAX)
		return err_set(
		    err, ERR_CONFIG, "%s is longer than %d bytes", name, RUNNER_SETTING_MAX);
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_CONFIG, "%s has control characters", name);
	}
	return true;
}

/* Scripts compare with true and false; the settings take yes, 0 and other words as well. */
static bool
spell_truth(const char *name, const char **value, struct err *err)
{
	bool truth;

	if (!text_to_bool(*value, &truth, NULL))
		return err_set(err, ERR_CONFIG, "%s is neither true nor false", name);
	*value = truth ? "true" : "false";
	return true;
}

bool
runner_settings_text(
    struct runner_settings *settings, const char *name, const char **ret_value, struct err *err)
{
	const struct row *row = row_find(name);
	const char *value = environment_text(name), *path = NULL;
	char file_name[RUNNER_SETTING_NAME];

	assert(row != NULL);
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
	if (value == NULL)
		value = row->fallback;
	if (value != NULL && !is_sound(name, value, err))
		return false;
	if (value != NULL && strcmp(row->type, "BOOL") == 0 && !spell_truth(name, &value, err))
		return false;
	*ret_value = value;
	return true;
}

bool
runner_settings_next_fault(struct runner_settings *settings, size_t *from, struct err *err)
{
	const char *value;

	while (*from < COUNT(rows)) {
		if (!runner_settings_text(settings, rows[(*from)++].name, &value, err))
			return true;
	}
	return false;
}

void
runner_settings_name(const char *id, const char *environment, char ret[RUNNER_SETTING_NAME])
{
	const struct environment_row *row = environment_row_find(id);
	char capitals[24];
	size_t i;

	assert(row != NULL && strlen(environment) < sizeof(capitals));
	for (i = 0; environment[i] != '\0'; i++) {
		char c = environment[i];

		capitals[i] = (char)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	capitals[i] = '\0';
	(void)snprintf(ret, RUNNER_SETTING_NAME, "%s%s%s", row->prefix, capitals, row->suffix);
}

bool
runner_settings_of(struct runner_settings *settings, const char *id, const char *environment,
    const char **ret_value, struct err *err)
{
	const struct environment_row *row = environment_row_find(id);
	char name[RUNNER_SETTING_NAME];
	const char *value;

	assert(row != NULL);
	runner_settings_name(id, environment, name);
	value = environment_text(name);
	if (value == NULL)
		value = file_text(settings, name);
	if (value == NULL)
		value = row->fallback;
	if (value != NULL && !is_sound(name, value, err))
		return false;
	*ret_value = value;
	return true;
}
