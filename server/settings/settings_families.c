/* settings_families.c - settings that each of several has: who there is, and what is set for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
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
		if (i != SETTING_STAGING_TELEGRAM_IDS && i != SETTING_LOCAL_SOCKET &&
		    text_starts(settings_table[i].name, stem))
			return settings_table[i].name;
	return NULL;
}

/* Two members with settings of one name, as a-b and a with an ID "B_…". */
static bool
names_clash(const struct settings_member *a, enum family family, const char *b)
{
	char name_a[SETTING_NAME_MAX], name_b[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *one = &settings_table_families[i];

		if (one->family != a->family)
			continue;
		(void)setting_name(one->name, a->name, name_a);
		for (size_t j = 0; j < FAMILY_SETTING_COUNT; j++) {
			const struct settings_spec *other = &settings_table_families[j];

			if (other->family == family &&
			    strcmp(name_a, setting_name(other->name, b, name_b)) == 0)
				return true;
		}
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
	(void)environment_id_text(l->s->inside->application, name, member->id);
	l->s->inside->members[l->s->inside->member_count++] = member;
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == family)
			settings_take_value(l, spec, setting_name(spec->name, name, its),
			    settings_table_fallback(i, name), &member->values[i]);
	}
	if (family == FAMILY_ENVIRONMENT)
		settings_take_fingerprint(l, member);
}

void
settings_take_families(struct settings_loader *l)
{
	char name[SETTINGS_MEMBER_NAME];

	for (enum family family = 0; family < FAMILY_COUNT; family++) {
		enum setting members = settings_families[family].members;
		const char *list =
		    members == SETTING_COUNT ? NULL : l->s->inside->values[members].text;

		while (list != NULL && setting_next(&list, name, sizeof(name))) /* NULL: said so */
			if (name_is_free(l, family, name))
				add_member(l, family, name);
	}
}

/* --- members that are found by the names of their settings --- */

/* Of ROLE_NIGHT_SHIFT_IDS the member night-shift; false: it is no setting of such a family. */
static bool
is_named(const char *name, size_t size, enum family *ret_family, char member[SETTINGS_MEMBER_NAME])
{
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];
		size_t before = strcspn(spec->name, "<");
		const char *behind = spec->name + strcspn(spec->name, ">") + 1;
		size_t both = before + strlen(behind);

		if (settings_families[spec->family].members != SETTING_COUNT || size <= both ||
		    size - both >= SETTINGS_MEMBER_NAME || strncmp(name, spec->name, before) != 0 ||
		    strncmp(name + size - strlen(behind), behind, strlen(behind)) != 0)
			continue;
		for (size_t n = 0; n < size - both; n++) {
			char c = name[before + n];

			member[n] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' :
				c == '_'			? '-' :
								  '_');
			if (c >= '0' && c <= '9')
				member[n] = c;
		}
		member[size - both] = '\0';
		*ret_family = spec->family;
		return environment_name_is_valid(member) && member[size - both - 1] != '-';
	}
	return false;
}

static bool
is_member(const struct settings_inside *in, enum family family, const char *name)
{
	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == family && strcmp(in->members[i]->name, name) == 0)
			return true;
	return false;
}

bool
settings_is_named(const char *name)
{
	char member[SETTINGS_MEMBER_NAME];
	enum family family;

	return is_named(name, strlen(name), &family, member);
}

/* What is empty is not set. */
static void
take_named(struct settings_loader *l, const char *name, size_t size, const char *value)
{
	char member[SETTINGS_MEMBER_NAME];
	enum family family;

	if (value[0] == '\0' || !is_named(name, size, &family, member) ||
	    is_member(l->s->inside, family, member))
		return;
	if (l->s->inside->member_count == SETTINGS_ROLES_MAX)
		settings_say(l->report, SETTINGS_ERROR,
		    "%.*s: there are %d roles and users already in this file", (int)size, name,
		    SETTINGS_ROLES_MAX);
	else
		add_member(l, family, member);
}

void
settings_take_named_families(struct settings_loader *l)
{
	for (size_t i = 0; i < l->own; i++) {
		for (size_t n = 0; n < l->files[i].count; n++) {
			const struct env_entry *entry = &l->files[i].entries[n];

			take_named(l, entry->name, strlen(entry->name), entry->value);
		}
		for (char *const *e = l->sources[i].environ_list; e != NULL && *e != NULL; e++)
			take_named(l, *e, strcspn(*e, "="),
			    *e + strcspn(*e, "=") + (strchr(*e, '=') != NULL));
	}
}
