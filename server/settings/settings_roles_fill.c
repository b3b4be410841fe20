/* settings_roles_fill.c - roles, their grants and who has them, as decisions read them.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "types/hook.h"
#include "types/policy_action.h"
#include "types/roles.h"
#include "types/workflow.h"

#define UNTIL " until "

static const struct built_in {
	const char *name;
	enum setting people;
	const char *may;
	const char *beside;
	const char *besides; /* where an application has an environment of that name */
} built_in[] = {
#define DEFAULT_ROLE(name, people, may, beside, besides) { name, people, may, beside, besides },
#include "settings/settings_defaults.def"
};

/* --- grants --- */

static void
add_grant(struct roles *roles, const struct grant *grant, const char *action, const char *beside)
{
	char target[SETTINGS_GRANT_TARGET];
	struct grant *added = array_add(&roles->grant, &roles->grant_count, sizeof(*added));

	*added = *grant;
	added->actions &= ~settings_unreached(grant);
	roles->role[roles->count - 1].unreached |= settings_unreached(grant);
	text_setf(added->text, "%.26s:%.44s", action, settings_grant_target(grant, target));
	text_set(added->beside, beside);
	roles->role[roles->count - 1].grant_count++;
}

/* Also of a file with a mistake, which is said: nothing of another application. */
static bool
is_own(const struct grant *grant, const char *application)
{
	return application[0] == '\0' ||
	    (!grant->is_client && strcmp(grant->application, application) == 0);
}

static bool
is_named_before(const struct roles *roles, size_t first, size_t end, const struct grant *grant)
{
	for (size_t i = first; i < end; i++)
		if (roles->grant[i].is_client == grant->is_client &&
		    strcmp(roles->grant[i].application, grant->application) == 0 &&
		    strcmp(roles->grant[i].name, grant->name) == 0)
			return true;
	return false;
}

/* Their targets have counted for the others.  What one of these gives is given. */
static void
drop_empty(struct roles *roles, size_t first)
{
	struct role *role = &roles->role[roles->count - 1];
	size_t n = first;

	for (size_t i = first; i < roles->grant_count; i++) {
		role->unreached &= ~policy_action_of_server(roles->grant[i].actions);
		if (roles->grant[i].actions != 0)
			roles->grant[n++] = roles->grant[i];
	}
	role->grant_count -= roles->grant_count - n;
	roles->grant_count = n;
}

/* First those that name a target, then the others on each of these targets. */
static void
add_grants(struct roles *roles, const char *application, const char *may, const char *beside)
{
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];
	size_t first = roles->grant_count, end;
	struct grant grant;
	bool has_target;

	for (const char *list = may; setting_next(&list, text, sizeof(text));) {
		grant = settings_read_grant(application, text, action, &has_target);
		if (has_target && is_own(&grant, application))
			add_grant(roles, &grant, action, beside);
	}
	end = roles->grant_count;
	for (const char *list = may; setting_next(&list, text, sizeof(text));) {
		struct grant as = settings_read_grant(application, text, action, &has_target);

		for (size_t i = first; !has_target && i < end; i++) {
			grant = roles->grant[i];
			grant.actions = as.actions;
			memcpy(grant.only, as.only, sizeof(grant.only));
			if (!is_named_before(roles, first, i, &grant))
				add_grant(roles, &grant, action, beside);
		}
	}
	drop_empty(roles, first);
}

/* --- people --- */

static int64_t
end_of(const struct zone *zone, const char *date)
{
	struct zone_time time;

	return date != NULL && zone_date_parse(date, &time) ? zone_date_end(zone, &time) : 0;
}

/* Of the newest role, or any: until its end at the latest. */
static void
add_member(struct roles *roles, int64_t person, size_t role, int64_t until)
{
	int64_t end = roles->role[role].until;
	struct role_member *added = array_add(&roles->member, &roles->member_count, sizeof(*added));

	*added = (struct role_member){ .person = person,
		.role = role,
		.until = end != 0 && (until == 0 || end < until) ? end : until };
}

/* list: "111, 222 until 2027-01-31" */
static void
add_people(struct roles *roles, const struct zone *zone, const char *list)
{
	char part[SETTING_PART_MAX + 1]; /* a cut one would lose its date, and never end */

	while (setting_next(&list, part, sizeof(part))) {
		const char *date = strstr(part, UNTIL);
		int64_t own = end_of(zone, date == NULL ? NULL : part + strlen(part) - 10);

		add_member(roles, strtoll(part, NULL, 10), roles->count - 1, own);
	}
}

/* --- roles --- */

static struct role *
add_role(struct roles *roles, const char *name, const char *setting, const char *application)
{
	struct role *added = array_add(&roles->role, &roles->count, sizeof(*added));

	text_set(added->name, name);
	text_set(added->setting, setting);
	text_set(added->application, application);
	added->first_grant = roles->grant_count;
	return added;
}

static void
add_built_in(struct roles *roles, const struct settings *s, const struct zone *zone,
    const struct built_in *row)
{
	const char *people = s->inside->values[row->people].text;
	struct role *role;

	if (people == NULL ||
	    (s->application[0] != '\0' && settings_table[row->people].scope != SCOPE_EACH))
		return;
	role = add_role(roles, row->name, settings_table[row->people].name, s->application);
	role->is_built_in = true;
	add_grants(roles, s->application, row->may, "");
	if (row->beside[0] != '\0')
		add_grants(roles, s->application, row->besides, row->beside);
	add_people(roles, zone, people);
}

static void
add_own(struct roles *roles, const struct settings *s, const struct zone *zone,
    const struct settings_member *member)
{
	const char *people = settings_own(member, ROLE_SETTING_IDS)->text;
	const char *may = settings_own(member, ROLE_SETTING_MAY)->text;
	char setting[SETTING_NAME_MAX];
	struct role *role;

	if (member->family != FAMILY_ROLE || people == NULL || may == NULL)
		return;
	role = add_role(roles, member->name,
	    setting_name(settings_table_families[ROLE_SETTING_MAY].name, member->name, setting),
	    s->application);
	role->until = end_of(zone, settings_own(member, ROLE_SETTING_UNTIL)->text);
	add_grants(roles, s->application, may, "");
	add_people(roles, zone, people);
}

/* All roles of one file. */
static void
add_file(struct roles *roles, const struct settings *s, const struct zone *zone)
{
	for (size_t i = 0; i < COUNT(built_in); i++)
		add_built_in(roles, s, zone, &built_in[i]);
	for (size_t i = 0; i < s->inside->member_count; i++)
		add_own(roles, s, zone, s->inside->members[i]);
}

/* Users of this machine that act with a role. */
static void
add_users(struct roles *roles, const struct settings *s)
{
	for (size_t n = 0; n < s->inside->member_count; n++) {
		struct settings_member *member = s->inside->members[n];
		const char *role = settings_local_role(member);
		size_t found = 0;

		settings_fill_user(member);
		if (role != NULL && member->person != 0)
			(void)roles_named(roles, role, &found); /* that none is meant is said */
		if (found != 0)
			add_member(roles, member->person, found - 1, 0);
	}
}

/* A hook's one grant, which is its own. */
static void
add_hooks(struct roles *roles, const struct settings *s)
{
	char setting[SETTING_NAME_MAX];
	struct hook_line line;
	struct hook hook;
	struct role *role;

	for (size_t at = 0; hook_next(s, &at, &hook);) {
		const char *name = strrchr(hook.id, '/');

		hook_line_read(hook.starts, hook.application, &line);
		name = name != NULL ? name + 1 : hook.id;
		role = add_role(roles, name,
		    setting_name(settings_table_families[HOOK_SETTING_STARTS].name, name, setting),
		    hook.application);
		role->of = PRINCIPAL_HOOK;
		add_grants(roles, hook.application, line.grant, "");
	}
}

/* A workflow's grants, which nobody else has. */
static void
add_workflows(struct roles *roles, const struct settings *s)
{
	char setting[SETTING_NAME_MAX];
	struct workflow workflow;

	for (size_t at = 0; workflow_next(s, &at, &workflow);) {
		const char *name = strrchr(workflow.id, '/');

		name = name != NULL ? name + 1 : workflow.id;
		add_role(roles, name,
		    setting_name(settings_table_families[WORKFLOW_SETTING_MAY].name, name, setting),
		    workflow.application)
		    ->of = PRINCIPAL_WORKFLOW;
		add_grants(roles, workflow.application, workflow.may, "");
	}
}

static int
by_person(const void *a, const void *b)
{
	const struct role_member *one = a, *other = b;

	if (one->person != other->person)
		return one->person < other->person ? -1 : 1;
	return one->role < other->role ? -1 : one->role > other->role;
}

static void
fill_zone(struct settings *s)
{
	struct settings_inside *in = s->inside;
	const char *zone = settings_text(s, SETTING_TIMEZONE);

	if (in->zone == NULL && zone != NULL)
		in->zone = zone_new(zone, NULL);
	if (in->zone == NULL) /* a wrong one was said; one that went away since counts as UTC */
		in->zone = zone_parse(NULL, 0, NULL);
	s->zone = in->zone;
}

static bool
has_zones(const struct settings *s)
{
	const char *first = settings_text(s, SETTING_TIMEZONE);

	for (size_t i = 0; i < s->application_count; i++) {
		const char *other = settings_text(s->applications[i], SETTING_TIMEZONE);

		if (first != NULL && other != NULL && strcmp(other, first) != 0)
			return true;
	}
	return false;
}

void
settings_fill_roles(struct settings *s)
{
	struct settings_inside *in = s->inside;

	fill_zone(s);
	if (s->application[0] != '\0')
		return;
	s->has_zones = has_zones(s);
	roles_free(in->roles);
	in->roles = mem_new(1, sizeof(*in->roles));
	add_file(in->roles, s, in->zone);
	for (size_t i = 0; i < s->application_count; i++)
		add_file(in->roles, s->applications[i], in->zone);
	add_users(in->roles, s);
	add_hooks(in->roles, s);
	add_workflows(in->roles, s);
	if (in->roles->member_count > 0)
		qsort(in->roles->member, in->roles->member_count, sizeof(*in->roles->member),
		    by_person);
	s->roles = in->roles;
}
