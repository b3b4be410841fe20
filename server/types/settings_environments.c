/* settings_environments.c - the list of environments, and what is set for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_inside.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "types/settings_check.h"

static bool
is_taken_name(const struct settings_loader *l, const char *name)
{
	for (size_t i = 0; i < l->s->inside->environment_count; i++)
		if (strcmp(l->s->inside->environments[i]->name, name) == 0)
			return true;
	return false;
}

/* The fixed setting that "<NAME>_…" would be mixed up with, or NULL. */
static const char *
clashing_setting(const char *environment)
{
	static const struct settings_spec prefix = { .name = "", .suffix = "_" };
	char start[SETTINGS_TABLE_NAME];

	(void)settings_table_name(&prefix, environment, start);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (i != SETTING_STAGING_TELEGRAM_IDS && text_starts(settings_table[i].name, start))
			return settings_table[i].name;
	return NULL;
}

/* Two environments whose settings would have one name, as a-b and a with a suffix "_B…". */
static bool
names_clash(const char *a, const char *b)
{
	char name_a[SETTINGS_TABLE_NAME], name_b[SETTINGS_TABLE_NAME];

	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		for (size_t j = 0; j < ENVIRONMENT_SETTING_COUNT; j++)
			if (strcmp(settings_table_name(&settings_table_environment[i], a, name_a),
				settings_table_name(&settings_table_environment[j], b, name_b)) ==
			    0)
				return true;
	return false;
}

static bool
name_is_free(struct settings_loader *l, const char *name)
{
	const char *clash = clashing_setting(name);

	if (is_taken_name(l, name)) {
		settings_say(l->report, SETTINGS_ERROR, "ENVIRONMENTS: %s is there twice", name);
		return false;
	}
	if (clash != NULL) {
		settings_say(l->report, SETTINGS_ERROR,
		    "ENVIRONMENTS: %s cannot be used: its settings would be "
		    "mixed up with %s",
		    name, clash);
		return false;
	}
	for (size_t i = 0; i < l->s->inside->environment_count; i++)
		if (names_clash(l->s->inside->environments[i]->name, name)) {
			settings_say(l->report, SETTINGS_ERROR,
			    "ENVIRONMENTS: the settings of %s and %s would "
			    "have the same names",
			    l->s->inside->environments[i]->name, name);
			return false;
		}
	return true;
}

static void
add_environment(struct settings_loader *l, const char *name)
{
	struct settings_environment_inside *e = calloc(1, sizeof(*e));
	char setting[SETTINGS_TABLE_NAME];

	if (e == NULL) {
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
		return;
	}
	(void)text_copy(e->name, sizeof(e->name), name); /* was checked: fits */
	l->s->inside->environments[l->s->inside->environment_count++] = e;
	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		settings_take_value(l, &settings_table_environment[i],
		    settings_table_name(&settings_table_environment[i], name, setting),
		    settings_table_fallback((enum environment_setting)i, name), &e->values[i]);
}

void
settings_take_environments(struct settings_loader *l)
{
	const char *list = l->s->inside->values[SETTING_ENVIRONMENTS].text;
	char name[SETTINGS_ENVIRONMENT_NAME];

	if (list == NULL) /* a wrong one, and said so */
		return;
	while (settings_check_next(&list, name, sizeof(name)))
		if (name_is_free(l, name))
			add_environment(l, name);
}
