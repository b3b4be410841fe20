/* settings_value.c - one setting: where it is found, whether it is right, what is kept of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/redact.h"

#define SECRET_FILE_CAP 16384
#define TOO_SHORT_TO_REDACT \
	"a secret shorter than 6 characters is not kept out of logs and messages"
static_assert(REDACT_VALUE_MIN == 6, "what is said of one that is shorter");

/* --- finding a text --- */

static struct settings_found
look_up_environ(char *const environ_list[], const char *name)
{
	size_t size = strlen(name);

	for (char *const *e = environ_list; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=' && (*e)[size + 1] != '\0')
			return (struct settings_found){ .text = *e + size + 1 };
	return (struct settings_found){ .text = NULL };
}

/* In the first source that sets it; NAME= is as good as not there. */
static struct settings_found
look_up(const struct settings_loader *l, const char *name)
{
	struct settings_found found = { .text = NULL };

	for (size_t i = 0; i < l->count && found.text == NULL; i++) {
		const struct env_entry *entry = env_file_find(&l->files[i], name);

		if (l->sources[i].file == NULL)
			found = look_up_environ(l->sources[i].environ_list, name);
		else if (entry != NULL && entry->value[0] != '\0')
			found = (struct settings_found){ entry->value, l->sources[i].file,
				entry->line };
	}
	return found;
}

/* With a runner of its own user what is the runner's alone is not for us to read. */
static bool
is_out_of_sight(const struct settings_loader *l, const struct settings_spec *spec, const char *name)
{
	char file_setting[SETTING_NAME_MAX + 8];

	if (!spec->is_secret || spec->whose != WHOSE_RUNNER ||
	    look_up(l, settings_table[SETTING_RUNNER_SOCKET].name).text == NULL)
		return false;
	(void)snprintf(file_setting, sizeof(file_setting), "%s_FILE", name);
	return look_up(l, name).text == NULL && look_up(l, file_setting).text != NULL;
}

/* The first line of the file that NAME_FILE names; NULL when there is no NAME_FILE, or after an
 * error.  *ret_named: there is a NAME_FILE. */
static char *
read_secret_file(struct settings_loader *l, const char *name, struct settings_found *found,
    const char **ret_path, bool *ret_named)
{
	char file_setting[SETTING_NAME_MAX + 8], what[sizeof(((struct err *)NULL)->text) + 64];
	struct settings_found path;
	struct err err;
	size_t size;
	char *text;

	(void)snprintf(file_setting, sizeof(file_setting), "%s_FILE", name);
	path = look_up(l, file_setting);
	*ret_named = path.text != NULL;
	if (path.text == NULL)
		return NULL;
	if (found->text != NULL) {
		settings_say_found(
		    l, SETTINGS_ERROR, file_setting, path, "set together with the secret itself");
		return NULL;
	}
	text = file_read(path.text, SECRET_FILE_CAP, &size, &err);
	if (text == NULL) {
		(void)snprintf(what, sizeof(what), "%s: put it there, for user %u to read",
		    err.text, (unsigned)geteuid());
		settings_say_found(l, SETTINGS_ERROR, file_setting, path, what);
		return NULL;
	}
	if (strlen(text) != size) {
		settings_say_found(
		    l, SETTINGS_ERROR, file_setting, path, "the file has a NUL byte");
		explicit_bzero(text, size);
		text[0] = '\0';
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		text[--size] = '\0';
	if (size == 0) {
		(void)snprintf(
		    what, sizeof(what), "%s is empty: write the secret into it", path.text);
		settings_say_found(l, SETTINGS_ERROR, file_setting, path, what);
		free(text);
		return NULL;
	}
	*found = (struct settings_found){ text, path.file, path.line };
	*ret_path = path.text;
	return text;
}

static void
keep(struct settings_loader *l, char **ret, const char *text)
{
	*ret = strdup(text);
	if (*ret == NULL)
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
}

/* What stands there, found and read. */
static void
take_found(struct settings_loader *l, const struct settings_spec *spec, const char *name,
    const char *fallback, struct settings_value *value)
{
	struct settings_found found = look_up(l, name);
	const char *file = NULL;
	bool is_named = false;
	CLEANUP(settings_wipe_text)
	char *secret = spec->is_secret ? read_secret_file(l, name, &found, &file, &is_named) : NULL;
	struct err err;

	(void)secret;					  /* only owns what found.text points at */
	value->is_given = found.text != NULL || is_named; /* what is wrong with that was said */
	if (found.text == NULL) {
		if (fallback != NULL)
			keep(l, &value->text, fallback);
		return;
	}
	if (!setting_check(spec->type, found.text, spec->is_secret, &err)) {
		settings_say_found(l, SETTINGS_ERROR, name, found, err.text);
		return;
	}
	if (strlen(found.text) < SETTING_SECRET_OK &&
	    (spec->type == SETTING_TYPE_TOKEN || spec->type == SETTING_TYPE_WEBHOOK_SECRET))
		settings_say_found(l, SETTINGS_WARNING, name, found,
		    "a secret shorter than 32 bytes; make one with: openssl rand -hex 32");
	if (spec->is_secret && strlen(found.text) < REDACT_VALUE_MIN)
		settings_say_found(l, SETTINGS_WARNING, name, found, TOO_SHORT_TO_REDACT);
	if (file != NULL)
		keep(l, &value->file, file);
	keep(l, spec->is_secret && spec->whose == WHOSE_RUNNER ? &value->runners : &value->text,
	    found.text);
}

void
settings_take_value(struct settings_loader *l, const struct settings_spec *spec, const char *name,
    const char *fallback, struct settings_value *value)
{
	if (is_out_of_sight(l, spec, name))
		value->is_given = true;
	else
		take_found(l, spec, name, fallback, value);
}
