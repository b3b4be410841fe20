/* settings_commands.c - NAME_COMMAND: which secrets commands print, and where that is kept.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_commands.h"

#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/settings_inside.h"

#define BEHIND	    "_COMMAND"
#define PATH_BEHIND "_PATH"
#define KEY_BEHIND  "_KEY" PATH_BEHIND
#define PATH_ROOM   (sizeof(SETTINGS_FETCHED) + SETTING_NAME_MAX + 16)

/* Of HOOK_<NAME>_SECRET: HOOK_BUILD_DONE_SECRET, whether there is such a hook or not. */
static bool
is_of_family(const struct settings_spec *spec, const char *name)
{
	size_t before = strcspn(spec->name, "<");
	const char *behind = spec->name + strcspn(spec->name, ">") + 1;
	size_t size = strlen(name);

	return size > before + strlen(behind) && strncmp(name, spec->name, before) == 0 &&
	    text_ends(name, behind);
}

static bool
is_secret(const struct settings_spec *spec)
{
	return spec->is_secret;
}

bool
settings_command_is_key(const struct settings_spec *spec)
{
	return text_ends(spec->name, KEY_BEHIND);
}

static const struct settings_spec *
find(const char *name, bool (*is_wanted)(const struct settings_spec *spec))
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (is_wanted(&settings_table[i]) && strcmp(name, settings_table[i].name) == 0)
			return &settings_table[i];
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (is_wanted(&settings_table_families[i]) &&
		    is_of_family(&settings_table_families[i], name))
			return &settings_table_families[i];
	/* Of one environment: STAGING_REGISTRY_PASSWORD. */
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table[i];
		size_t size = strlen(spec->name);

		if (is_wanted(spec) && spec->is_shipping && strlen(name) > size + 1 &&
		    text_ends(name, spec->name) && name[strlen(name) - size - 1] == '_')
			return spec;
	}
	return NULL;
}

bool
settings_command_of(
    const char *name, char ret_name[SETTING_NAME_MAX], const struct settings_spec **ret_spec)
{
	char key[SETTING_NAME_MAX + sizeof(PATH_BEHIND)];
	size_t size = strlen(name), behind = strlen(BEHIND);

	if (size <= behind || size - behind >= SETTING_NAME_MAX || !text_ends(name, BEHIND))
		return false;
	(void)snprintf(ret_name, SETTING_NAME_MAX, "%.*s", (int)(size - behind), name);
	*ret_spec = find(ret_name, is_secret);
	if (*ret_spec != NULL)
		return true;
	text_setf(key, "%s" PATH_BEHIND, ret_name);
	*ret_spec = find(key, settings_command_is_key);
	return *ret_spec != NULL;
}

const char *
settings_command_side(const struct settings_spec *spec)
{
	return spec->whose == WHOSE_SERVER ? "server" : "runner";
}

bool
settings_command_words(char *text, char *ret[SETTINGS_COMMAND_WORDS + 1], struct err *err)
{
	size_t n = 0;

	for (char *at = text + strspn(text, " "); *at != '\0'; at += strspn(at, " ")) {
		if (n == SETTINGS_COMMAND_WORDS)
			return err_set(
			    err, ERR_CONFIG, "has more than %d words", SETTINGS_COMMAND_WORDS);
		ret[n++] = at;
		at += strcspn(at, " ");
		if (*at != '\0')
			*at++ = '\0';
	}
	ret[n] = NULL;
	if (n == 0 || ret[0][0] != '/')
		return err_set(err, ERR_CONFIG,
		    "expected the absolute path of a program, and words behind it: no shell reads it");
	return true;
}

/* --- what is wrong with one --- */

static void
check_words(struct settings_loader *l, const char *name, struct settings_found found)
{
	char *words[SETTINGS_COMMAND_WORDS + 1];
	CLEANUP(settings_wipe_text) char *copy = mem_text(found.text);
	struct err err;

	if (!settings_command_words(copy, words, &err))
		settings_say_found(l, SETTINGS_ERROR, name, found, "%s", err.text);
}

bool
settings_check_command(struct settings_loader *l, size_t source, const struct env_entry *entry)
{
	const struct settings_found found = { entry->value, l->sources[source].file, entry->line };
	char name[SETTING_NAME_MAX], path[PATH_ROOM], file_setting[SETTING_NAME_MAX + 8];
	const struct settings_spec *spec;
	const char *file;

	if (!settings_command_of(entry->name, name, &spec))
		return false;
	if (entry->value[0] == '\0')
		return true;
	if (l->main != NULL) {
		settings_say_found(l, SETTINGS_ERROR, entry->name, found,
		    "stands in the settings file alone: here only NAME_FILE");
		return true;
	}
	check_words(l, entry->name, found);
	text_setf(
	    file_setting, "%s%s", name, settings_command_is_key(spec) ? PATH_BEHIND : "_FILE");
	text_setf(path, SETTINGS_FETCHED "/%s/%s", settings_command_side(spec), name);
	file = settings_find(l, file_setting);
	if (file == NULL || strcmp(file, path) != 0)
		settings_say_found(l, SETTINGS_ERROR, entry->name, found,
		    "set %s=%s too: there deploybot secrets fetch keeps what it prints",
		    file_setting, path);
	return true;
}
