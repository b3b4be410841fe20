/* settings_gone.c - did what a grant names exist once?  By the running settings, and by state files.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <dirent.h>
#include <string.h>

#include "lib/environment_id.h"
#include "lib/folder.h"
#include "lib/text.h"
#include "types/roles.h"

static bool
is_meant(const struct grant *grant, const char *application, const char *name)
{
	return (strcmp(grant->application, "*") == 0 ||
		   strcmp(grant->application, application) == 0) &&
	    (name == NULL || strcmp(grant->name, "*") == 0 || strcmp(grant->name, name) == 0);
}

bool
settings_has_granted(const struct settings *s, const struct grant *grant, bool is_whole)
{
	struct environment_id id;

	for (size_t i = 0; i < s->environment_count; i++)
		if (environment_id_parse(s->environments[i].name, &id) &&
		    is_meant(grant, id.application, is_whole ? id.name : NULL))
			return true;
	return false;
}

/* The server writes one for each environment that was ever live: shop.staging.json. */
static bool
is_state_file(const char *file, const struct grant *grant, bool is_whole)
{
	size_t size = strcspn(file, "."), rest = strlen(file) - strlen(strrchr(file, '.'));
	char text[ENVIRONMENT_ID_MAX + 8];
	struct environment_id id;

	if (strcmp(file + rest, ".json") != 0 || rest >= ENVIRONMENT_ID_MAX)
		return false;
	text_setf(text, "%.*s", (int)rest, file);
	if (size < rest)
		text[size] = '/';
	return environment_id_parse(text, &id) &&
	    is_meant(grant, id.application, is_whole ? id.name : NULL);
}

static bool
has_state_file(const struct settings *s, const struct grant *grant, bool is_whole)
{
	CLEANUP(folder_closep) DIR *directory = NULL;
	char path[SETTING_PART_MAX + 32];
	const struct dirent *entry;
	bool found = false;

	text_setf(path, "%s/environments",
	    s->state_directory == NULL ? "" : s->state_directory); /* fits */
	directory = opendir(path);
	while (!found && directory != NULL && (entry = readdir(directory)) != NULL)
		found = strchr(entry->d_name, '.') != NULL &&
		    is_state_file(entry->d_name, grant, is_whole);
	return found;
}

/* Does a grant that is in force name it? */
static bool
is_granted(const struct settings *s, const struct grant *grant)
{
	for (size_t i = 0; i < s->roles->grant_count; i++) {
		const struct grant *other = &s->roles->grant[i];

		if (!other->is_client && strcmp(other->application, grant->application) == 0 &&
		    strcmp(other->name, grant->name) == 0)
			return true;
	}
	return false;
}

enum settings_severity
settings_gone(const struct settings_loader *l, const struct grant *grant, bool is_whole)
{
	const struct settings *running = l->running;

	if (l->main != NULL) /* in an application's own file: that stays as it was */
		return SETTINGS_ERROR;
	if ((running != NULL && settings_has_granted(running, grant, is_whole)) ||
	    has_state_file(l->s, grant, is_whole))
		return SETTINGS_WARNING;
	if (running != NULL && !is_granted(running, grant))
		return SETTINGS_ERROR;
	return grant->application[0] != '\0' || l->s->application_count + l->s->refused_count > 0 ?
	    SETTINGS_FLAW :
	    SETTINGS_ERROR;
}
