/* settings_special.c - settings that are said for one environment alone: STAGING_DEPLOY_USER.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/array.h"
#include "lib/text.h"
#include "settings/settings_inside.h"

/* --- which names that are --- */

bool
settings_is_special_of(const char *environment, const char *name, size_t size, enum setting *ret)
{
	char stem[SETTING_NAME_MAX];
	size_t its = strlen(setting_name("<ENV>_", environment, stem));

	return size > its && strncmp(name, stem, its) == 0 &&
	    settings_table_special(name + its, size - its, ret);
}

const char *
settings_name_of(
    const struct settings_member *member, enum setting setting, char ret[SETTING_NAME_MAX])
{
	for (size_t i = 0; member != NULL && i < member->special_count; i++)
		if (member->specials[i].setting == setting)
			return setting_special(settings_table[setting].name, member->name, ret);
	(void)text_copy(ret, SETTING_NAME_MAX, settings_table[setting].name); /* fits */
	return ret;
}

const char *
settings_name_in(
    const struct settings_member *member, enum family_setting setting, char ret[SETTING_NAME_MAX])
{
	return setting_name(settings_table_families[setting].name, member->name, ret);
}

/* --- taking them --- */

/* In how many sources, from the first, it is looked for; 0: what is said for all comes before. */
static size_t
sources_of(const struct settings_loader *l, const struct settings_spec *spec, const char *special)
{
	if (settings_is_in(l, spec, special, l->own))
		return l->own;
	return spec->scope == SCOPE_SHARED && !settings_is_in(l, spec, spec->name, l->own) ?
	    l->count :
	    0;
}

static bool
has(const struct settings_member *member, enum setting setting)
{
	for (size_t i = 0; i < member->special_count; i++)
		if (member->specials[i].setting == setting)
			return true;
	return false;
}

static void
take(struct settings_loader *l, struct settings_member *member, const char *found, size_t size)
{
	struct settings_special *added;
	char name[SETTING_NAME_MAX];
	enum setting setting;
	size_t sources;

	if (!settings_is_special_of(member->name, found, size, &setting) || has(member, setting))
		return;
	(void)setting_special(settings_table[setting].name, member->name, name);
	sources = sources_of(l, &settings_table[setting], name);
	if (sources == 0 || !settings_is_in(l, &settings_table[setting], name, sources))
		return; /* NAME= says nothing */
	added = array_add(&member->specials, &member->special_count, sizeof(*added));
	*added = (struct settings_special){ .setting = setting };
	settings_take_special(l, &settings_table[setting], name, sources, &added->value);
}

/* By what stands there: far less than what might. */
void
settings_take_specials(struct settings_loader *l, struct settings_member *member)
{
	for (size_t i = 0; i < l->count; i++) {
		for (size_t n = 0; n < l->files[i].count; n++)
			take(l, member, l->files[i].entries[n].name,
			    strlen(l->files[i].entries[n].name));
		for (char *const *e = l->sources[i].environ_list; e != NULL && *e != NULL; e++)
			take(l, member, *e, strcspn(*e, "="));
	}
}
