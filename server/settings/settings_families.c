/* settings_families.c - settings that each of several has: who there is, and what is set for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

/* The fixed setting that those of this member would be mixed up with, or NULL. */
static const char *
clashing_setting(enum family family, const char *member)
{
	char stem[SETTING_NAME_MAX];

	(void)setting_name(settings_families[family].stem, member, stem);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (i != SETTING_STAGING_TELEGRAM_IDS && text_starts(settings_table[i].name, stem))
			return settings_table[i].name;
	return NULL;
}

/* Two members with settings of one name, as a-b and a with an ID "B_…". */
static bool
names_clash(const struct settings_member *a, enum family family, const char *b)
{
	char name_a[SETTING_NAME_MAX], name_b[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		for (size_t j = 0; j < FAMILY_SETTING_COUNT; j++) {
			const struct settings_spec *one = &settings_table_families[i];
			const struct settings_spec *other = &settings_table_families[j];

			if (one->family == a->family && other->family == family &&
			    strcmp(setting_name(one->name, a->name, name_a),
				setting_name(other->name, b, name_b)) == 0)
				return true;
		}
	return false;
}

static bool
name_is_free(struct settings_loader *l, enum family family, const char *name)
{
	const char *list = settings_table[settings_families[family].members].name;
	const char *clash = clashing_setting(family, name);

	if (clash != NULL) {
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: %s cannot be used: its settings would be mixed up with %s", list, name,
		    clash);
		return false;
	}
	for (size_t i = 0; i < l->s->inside->member_count; i++) {
		const struct settings_member *other = l->s->inside->members[i];

		if (!names_clash(other, family, name))
			continue;
		if (strcmp(other->name, name) == 0)
			settings_say(
			    l->report, SETTINGS_ERROR, "%s: %s is there twice", list, name);
		else
			settings_say(l->report, SETTINGS_ERROR,
			    "%s: the settings of %s and %s would have the same names", list,
			    other->name, name);
		return false;
	}
	return true;
}

static void
add_member(struct settings_loader *l, enum family family, const char *name)
{
	struct settings_member *member = calloc(1, sizeof(*member));
	char its[SETTING_NAME_MAX];

	if (member == NULL) {
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
		return;
	}
	member->family = family;
	(void)text_copy(member->name, sizeof(member->name), name); /* was checked: fits */
	l->s->inside->members[l->s->inside->member_count++] = member;
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == family)
			settings_take_value(l, spec, setting_name(spec->name, name, its),
			    settings_table_fallback(i, name), &member->values[i]);
	}
}

void
settings_take_families(struct settings_loader *l)
{
	char name[SETTINGS_MEMBER_NAME];

	for (enum family family = 0; family < FAMILY_COUNT; family++) {
		const char *list = l->s->inside->values[settings_families[family].members].text;

		while (list != NULL && setting_next(&list, name, sizeof(name))) /* NULL: said so */
			if (name_is_free(l, family, name))
				add_member(l, family, name);
	}
}
