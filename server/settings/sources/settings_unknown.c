/* settings_unknown.c - names in the files that are no setting.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "settings/sources/settings_removed.h"

#define KNOWN_NAMES_MAX \
	(2 * \
	    (SETTING_COUNT + FAMILY_SETTING_COUNT * SETTINGS_MEMBERS_MAX + \
		SETTING_COUNT * SETTING_NAMES_MAX))

struct known_names {
	size_t count;
	const char *names[KNOWN_NAMES_MAX];
	char texts[KNOWN_NAMES_MAX][SETTING_NAME_MAX + 8];
};

static void
add_known(struct known_names *known, const char *name, const char *behind)
{
	char *text = known->texts[known->count];

	(void)snprintf(text, sizeof(known->texts[0]), "%s%s", name, behind);
	known->names[known->count++] = text;
}

/* Of an environment: what may be said for it alone. */
static void
list_special(const char *environment, struct known_names *known)
{
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (!settings_table[i].is_shipping)
			continue;
		add_known(known, setting_special(settings_table[i].name, environment, name), "");
		if (settings_table[i].is_secret)
			add_known(known, name, "_FILE");
	}
}

static void
list_known(const struct settings_inside *in, struct known_names *known)
{
	char name[SETTING_NAME_MAX];

	known->count = 0;
	for (size_t i = 0; i < SETTINGS_REMOVED_COUNT;
	     i++) /* a typo of one leads to what is said of it */
		known->names[known->count++] = settings_removed[i].name;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		known->names[known->count++] = settings_table[i].name;
		if (settings_table[i].is_secret)
			add_known(known, settings_table[i].name, "_FILE");
	}
	for (size_t m = 0; m < in->member_count; m++) {
		for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
			const struct settings_spec *spec = &settings_table_families[i];

			if (spec->family != in->members[m]->family)
				continue;
			add_known(known, setting_name(spec->name, in->members[m]->name, name), "");
			if (spec->is_secret)
				add_known(known, name, "_FILE");
		}
		if (in->members[m]->family == FAMILY_ENVIRONMENT)
			list_special(in->members[m]->name, known);
	}
}

static bool
is_known(const struct known_names *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->names[i], name) == 0)
			return true;
	return false;
}

/* Is it one that this member takes from the main file where its own has none? */
static bool
is_shared_of(const struct settings_member *member, const char *name)
{
	char its[SETTING_NAME_MAX];
	enum setting setting;

	if (member->family == FAMILY_ENVIRONMENT &&
	    settings_is_special_of(member->name, name, strlen(name), &setting) &&
	    settings_table[setting].scope == SCOPE_SHARED)
		return true;
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *spec = &settings_table_families[i];

		if (spec->family == member->family && spec->scope == SCOPE_SHARED &&
		    strcmp(setting_name(spec->name, member->name, its), name) == 0)
			return true;
	}
	return false;
}

/* PRODUCTION_CONFIRM of the main file, where an application has a production. */
static bool
is_of_applications(const struct settings_inside *in, const char *name)
{
	for (size_t i = 0; i < in->application_count; i++)
		for (size_t m = 0; m < in->applications[i]->inside->member_count; m++)
			if (is_shared_of(in->applications[i]->inside->members[m], name))
				return true;
	return false;
}

/* Of the environment whose name it begins with; NULL: of none. */
static const struct settings_member *
environment_of(const struct settings_inside *in, const char *name)
{
	char stem[SETTING_NAME_MAX];

	for (size_t m = 0; m < in->member_count; m++)
		if (in->members[m]->family == FAMILY_ENVIRONMENT &&
		    text_starts(name, setting_name("<ENV>_", in->members[m]->name, stem)))
			return in->members[m];
	return NULL;
}

/* ROLE_…: what is none of such a family's is a mistake, never a role of nobody.  REGISTRY_… may be
 * a registry's own, in a file that is read by one too. */
static bool
begins_as_a_family(const char *name)
{
	for (enum family i = 0; i < FAMILY_COUNT; i++)
		if (settings_families[i].members == SETTING_COUNT && i != FAMILY_REGISTRY &&
		    strncmp(name, settings_families[i].stem,
			strcspn(settings_families[i].stem, "<")) == 0)
			return true;
	return false;
}

/* Whose hint would have another environment's setting changed, or one of all: only a typo of an
 * environment's name is that one's. */
static bool
is_of_another(const char *nearest, const char *environment)
{
	char of[SETTING_NAME_MAX];
	const char *names[] = { of };

	return nearest != NULL &&
	    (!settings_meant_environment(nearest, of) ||
		text_nearest(environment, names, 1) == NULL);
}

/* QA_TELEGRAM_CHAT_ID: that one is of all. */
static bool
is_for_all(const char *name, const char *setting)
{
	if (setting == NULL || !text_ends(name, setting) || strlen(name) <= strlen(setting) ||
	    name[strlen(name) - strlen(setting) - 1] != '_')
		return false;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings_table[i].name, setting) == 0)
			return !settings_table[i].is_shipping;
	return false;
}

/* Also in a list that is refused, for its blanks: that is said, and this not beside it. */
static bool
is_listed(const char *list, const char *environment)
{
	size_t length = strlen(environment);

	for (const char *at = list; at != NULL && (at = strcasestr(at, environment)) != NULL; at++)
		if ((at == list || strchr(", ", at[-1]) != NULL) &&
		    (at[length] == '\0' || strchr(", ", at[length]) != NULL))
			return true;
	return false;
}

/* member: of which environment it looks; NULL: of none.  The main file may be one that other
 * programs read too; an application's is ours alone. */
static void
say_unknown(struct settings_loader *l, const struct known_names *known, size_t source,
    const struct env_entry *entry, const struct settings_member *member)
{
	const char *nearest = settings_meant_name(entry->name, known->names, known->count);
	bool is_error = begins_as_a_family(entry->name);
	const char *list = settings_find(l, settings_table[SETTING_ENVIRONMENTS].name);
	char what[LIMIT_LINE], environment[SETTING_NAME_MAX];
	struct settings_line *line;

	if (member == NULL && settings_meant_environment(entry->name, environment) &&
	    !is_listed(list, environment) &&
	    (nearest == NULL || is_of_another(nearest, environment)))
		text_setf(what, "%.60s: is no setting: ENVIRONMENTS names no %.40s", entry->name,
		    environment);
	else if (is_for_all(entry->name, nearest))
		text_setf(what, "%.60s: is no setting, and no environment has a %s of its own",
		    entry->name, nearest);
	else
		text_setf(what, "%.60s: is no setting%s%s%s", entry->name,
		    nearest != NULL ?
			"; did you mean " :
			member != NULL ?
			", and no script gets it (a transport's own: <ENV>_TRANSPORT_…)" :
			"",
		    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
	line = settings_say(l->report, is_error ? SETTINGS_ERROR : SETTINGS_WARNING,
	    "%s (%.60s line %u)", what, l->sources[source].file, entry->line);
	if (l->main != NULL && !is_error)
		settings_warn(l, line, l->s->application, what);
}

/* Is it of a client that CLIENTS does not list?  Said once for all that is set for it in a file. */
static bool
is_unlisted(struct settings_loader *l, size_t source, size_t i)
{
	const struct env_file *file = &l->files[source];
	char id[SETTINGS_MEMBER_NAME], other[SETTINGS_MEMBER_NAME];

	if (l->main != NULL || file->entries[i].value[0] == '\0' ||
	    !settings_names_client(file->entries[i].name, id))
		return false;
	for (size_t n = 0; n < i; n++)
		if (file->entries[n].value[0] != '\0' &&
		    settings_names_client(file->entries[n].name, other) && strcmp(id, other) == 0)
			return true;
	settings_say(l->report, SETTINGS_FLAW,
	    "CLIENTS: does not list %s, which has settings (%.60s, %.60s line %u): add it (CLIENTS=%s), or nothing is done there",
	    id, file->entries[i].name, l->sources[source].file, file->entries[i].line, id);
	return true;
}

/* What there is, and is never one environment's: STAGING_REPOSITORY_URL. */
static bool
is_of_all(struct settings_loader *l, size_t source, const struct env_entry *entry,
    const struct settings_member *member)
{
	char stem[SETTING_NAME_MAX];
	const char *rest;

	if (member == NULL || entry->value[0] == '\0')
		return false;
	rest = entry->name + strlen(setting_name("<ENV>_", member->name, stem));
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *name = settings_table[i].name;

		if (!text_starts(rest, name) ||
		    (rest[strlen(name)] != '\0' && strcmp(rest + strlen(name), "_FILE") != 0))
			continue;
		settings_say(l->report, SETTINGS_FLAW,
		    "%.60s: no environment has a %s of its own: it is one of %s, and this does nothing (%.60s line %u)",
		    entry->name, name,
		    settings_table[i].scope == SCOPE_OWN ? "the application" : "all",
		    l->sources[source].file, entry->line);
		return true;
	}
	return false;
}

static void
warn_unknown_in(struct settings_loader *l, const struct known_names *known, size_t source)
{
	const struct settings_member *member;

	for (size_t i = 0; i < l->files[source].count; i++) {
		const struct env_entry *entry = &l->files[source].entries[i];

		member = environment_of(l->s->inside, entry->name);
		if (is_known(known, entry->name) || settings_is_removed(entry->name) ||
		    is_of_applications(l->s->inside, entry->name) ||
		    (entry->value[0] == '\0' && settings_is_named(entry->name)) ||
		    setting_is_transports(entry->name, member == NULL ? "" : member->name) ||
		    settings_check_command(l, source, entry) ||
		    is_of_all(l, source, entry, member) || is_unlisted(l, source, i))
			continue;
		say_unknown(l, known, source, entry, member);
	}
}

void
settings_check_unknown(struct settings_loader *l)
{
	CLEANUP(freep) struct known_names *known = mem_alloc(sizeof(*known));

	settings_check_removed(l);
	list_known(l->s->inside, known);
	for (size_t i = 0; i < l->own; i++)
		warn_unknown_in(l, known, i);
}
