/* settings_families.c - settings that each of several has: who there is, and what is set for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"

/* What names of environments do not begin with, or are not: settings of others would be theirs. */
static const struct {
	const char *stem;
	bool is_whole; /* nor is that the name */
	const char *mixed_up_with;
} of_others[] = {
	{ "CLIENT_", false, "CLIENT_<ID>_HOST and others, the clients" },
	{ "ROLE_", false, "ROLE_<NAME>_IDS and others, the roles" },
	{ "HOOK_", false, "HOOK_<NAME>_…, webhooks" },
	{ "PERSON_", false, "PERSON_<ID>_GITHUB and others, the people" },
	{ "REGISTRY_", false, "REGISTRY_<NAME>_…, registries" },
	{ "WORKFLOW_", false, "WORKFLOW_<NAME>_…, workflows of a forge" },
	{ "PIPELINE_", false, "PIPELINE_<NAME>, pipelines of a forge" },
	{ "SECRET_", false, "SECRET_<NAME>_…, secrets that are lent" },
	{ "NOTIFY_", false, "NOTIFY_<NAME>_…, who else is notified" },
	{ "PLAYBOOK_", false, "PLAYBOOK_<NAME>_…, playbooks" },
	{ "JOB_", true, "JOB_<NAME>, the jobs" },
	{ "TRANSPORT_", true, "TRANSPORT_…, what only a transport of yours knows" },
};

static bool
is_of_environment(const char *environment, const char *name)
{
	char its[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == FAMILY_ENVIRONMENT &&
		    strcmp(setting_name(settings_table_families[i].name, environment, its), name) ==
			0)
			return true;
	return false;
}

/* The setting of all, or of others, that those of this environment would be mixed up with; NULL. */
static const char *
clash_of_environment(const char *environment, const char *stem)
{
	enum setting setting;

	for (size_t i = 0; i < COUNT(of_others); i++)
		if (text_starts(stem, of_others[i].stem) &&
		    (of_others[i].is_whole || strlen(stem) > strlen(of_others[i].stem)))
			return of_others[i].mixed_up_with;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings_is_special_of(environment, settings_table[i].name,
			strlen(settings_table[i].name), &setting) ||
		    is_of_environment(environment, settings_table[i].name))
			return settings_table[i].name;
	return NULL;
}

/* The fixed setting that those of this member would be mixed up with, or NULL. */
static const char *
clashing_setting(enum family family, const char *member)
{
	char stem[SETTING_NAME_MAX];

	(void)setting_name(settings_families[family].stem, member, stem);
	if (family == FAMILY_ENVIRONMENT)
		return clash_of_environment(member, stem);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (i != SETTING_LOCAL_SOCKET && text_starts(settings_table[i].name, stem))
			return settings_table[i].name;
	return NULL;
}

/* Two members with settings of one name, as a-b and a with an ID "B_…"; ret: that name. */
static bool
families_clash(
    const struct settings_member *a, enum family family, const char *b, char ret[SETTING_NAME_MAX])
{
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *one = &settings_table_families[i];

		if (one->family != a->family)
			continue;
		(void)setting_name(one->name, a->name, ret);
		for (size_t j = 0; j < FAMILY_SETTING_COUNT; j++) {
			const struct settings_spec *other = &settings_table_families[j];

			if (other->family == family &&
			    strcmp(ret, setting_name(other->name, b, name)) == 0)
				return true;
		}
	}
	return false;
}

/* Is that what may be said for the environment? */
static bool
is_special(const char *environment, const char *name)
{
	enum setting setting;

	return settings_is_special_of(environment, name, strlen(name), &setting);
}

/* Is one of those of that member one of these, or what only a transport there knows?  ret: it. */
static bool
is_special_too(
    const char *environment, enum family family, const char *member, char ret[SETTING_NAME_MAX])
{
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == family &&
		    is_special(
			environment, setting_name(settings_table_families[i].name, member, ret)))
			return true;
	for (size_t i = 0; family == FAMILY_ENVIRONMENT && i < SETTING_COUNT; i++)
		if (settings_table[i].is_shipping &&
		    (is_special(
			 environment, setting_special(settings_table[i].name, member, ret)) ||
			setting_is_transports(ret, environment)))
			return true;
	return false;
}

static bool
names_clash(
    const struct settings_member *a, enum family family, const char *b, char ret[SETTING_NAME_MAX])
{
	return families_clash(a, family, b, ret) ||
	    (a->family == FAMILY_ENVIRONMENT && is_special_too(a->name, family, b, ret)) ||
	    (family == FAMILY_ENVIRONMENT && is_special_too(b, a->family, a->name, ret));
}

static bool
name_is_free(struct settings_loader *l, enum family family, const char *name)
{
	const char *list = settings_table[settings_families[family].members].name;
	const char *clash = clashing_setting(family, name);
	char both[SETTING_NAME_MAX];

	if (clash != NULL) {
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: %s cannot be used: its settings would be mixed up with %s", list, name,
		    clash);
		return false;
	}
	for (size_t i = 0; i < l->s->inside->member_count; i++) {
		const struct settings_member *other = l->s->inside->members[i];

		if (!names_clash(other, family, name, both))
			continue;
		if (strcmp(other->name, name) == 0)
			settings_say(
			    l->report, SETTINGS_ERROR, "%s: %s is there twice", list, name);
		else
			settings_say(l->report, SETTINGS_ERROR,
			    "%s: the settings of %s and %s would have the same names (%s)", list,
			    other->name, name, both);
		return false;
	}
	return true;
}

static void
add_member(struct settings_loader *l, enum family family, const char *name)
{
	struct settings_member *member;
	char its[SETTING_NAME_MAX];
	size_t count = 0;

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		count += settings_table_families[i].family == family;
	member = mem_new(1, sizeof(*member) + count * sizeof(member->values[0]));

	member->family = family;
	text_set(member->name, name); /* was checked: fits */
	(void)environment_id_text(
	    family == FAMILY_CLIENT ? ENVIRONMENT_CLIENT : l->s->inside->application, name,
	    member->id);
	l->s->inside->members[l->s->inside->member_count++] = member;
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == family)
			settings_take_value(l, spec, setting_name(spec->name, name, its),
			    settings_table_fallback(i, name),
			    &member->values[member->value_count++]);
	}
	if (family == FAMILY_ENVIRONMENT)
		settings_take_specials(l, member);
	if (family == FAMILY_ENVIRONMENT || family == FAMILY_CLIENT)
		settings_take_fingerprint(l, member);
}

void
settings_take_families(struct settings_loader *l, bool own)
{
	char name[SETTINGS_MEMBER_NAME];

	for (enum family family = 0; family < FAMILY_COUNT; family++) {
		enum setting members = settings_families[family].members;
		bool is_here =
		    members != SETTING_COUNT && (settings_table[members].scope == SCOPE_OWN) == own;
		const char *list = is_here ? l->s->inside->values[members].text : NULL;

		while (list != NULL && setting_next(&list, name, sizeof(name))) /* NULL: said so */
			if (name_is_free(l, family, name))
				add_member(l, family, name);
	}
}

/* --- members that are found by the names of their settings --- */

/* Of ROLE_NIGHT_SHIFT_IDS the member night-shift; false: it is not that setting of any. */
static bool
is_setting_of(const struct settings_spec *spec, const char *name, size_t size,
    char member[SETTINGS_MEMBER_NAME])
{
	size_t before = strcspn(spec->name, "<");
	const char *behind = spec->name + strcspn(spec->name, ">") + 1;
	size_t both = before + strlen(behind);

	if (size <= both || size - both >= SETTINGS_MEMBER_NAME ||
	    strncmp(name, spec->name, before) != 0 ||
	    strncmp(name + size - strlen(behind), behind, strlen(behind)) != 0)
		return false;
	for (size_t n = 0; n < size - both; n++) {
		char c = name[before + n];

		member[n] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '_' ? '-' : '_');
		if (c >= '0' && c <= '9')
			member[n] = c;
	}
	member[size - both] = '\0';
	return true;
}

/* False: it is no setting of a family whose members are found so. */
static bool
is_named(const char *name, size_t size, enum family *ret_family, char member[SETTINGS_MEMBER_NAME])
{
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (settings_families[spec->family].members != SETTING_COUNT ||
		    !is_setting_of(spec, name, size, member))
			continue;
		*ret_family = spec->family;
		if (spec->family == FAMILY_PERSON)
			return member[strspn(member, "0123456789")] == '\0' && member[0] != '0';
		return environment_name_is_valid(member) && member[strlen(member) - 1] != '-';
	}
	return false;
}

bool
settings_names_client(const char *name, char id[SETTINGS_MEMBER_NAME])
{
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == FAMILY_CLIENT &&
		    is_setting_of(&settings_table_families[i], name, strlen(name), id))
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
	    settings_member(l->s, family, member) != NULL)
		return;
	if (l->s->inside->member_count == SETTINGS_ROLES_MAX)
		settings_say(l->report, SETTINGS_ERROR,
		    "%.*s: there are %d roles, users, people, jobs and registries already in this file",
		    (int)size, name, SETTINGS_ROLES_MAX);
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
