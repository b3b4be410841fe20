/* settings_roles.c - roles and grants: what is wrong with them, and what decisions read.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "types/hook.h"
#include "types/policy_action.h"
#include "types/principal.h"
#include "types/roles.h"

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

/* --- one grant --- */

static const char *
target_text(const struct grant *grant, char out[ENVIRONMENT_ID_MAX + 16])
{
	(void)snprintf(out, ENVIRONMENT_ID_MAX + 16, "%s%s%s",
	    grant->is_client ? "client" : grant->application,
	    grant->is_client || grant->application[0] != '\0' ? "/" : "", grant->name);
	return out;
}

/* APP/ENV, client/ID, or the name of an environment of the application in whose file it stands. */
static void
read_target(const char *application, const char *text, struct grant *grant)
{
	const char *slash = strchr(text, '/');
	char first[ENVIRONMENT_NAME_MAX] = "";

	/* The expression of the type has let it pass: all of it fits. */
	if (slash != NULL)
		(void)snprintf(first, sizeof(first), "%.*s", (int)(slash - text), text);
	grant->is_client = strcmp(first, "client") == 0;
	if (slash == NULL || (strcmp(first, "*") == 0 && application[0] != '\0'))
		(void)text_copy(grant->application, sizeof(grant->application), application);
	else if (!grant->is_client)
		(void)text_copy(grant->application, sizeof(grant->application), first);
	(void)text_copy(grant->name, sizeof(grant->name), slash == NULL ? text : slash + 1);
}

/* What stands before the colon; the set is 0 for what is no action. */
struct grant
settings_read_grant(const char *application, const char *text, char action[SETTINGS_ACTION_MAX],
    bool *ret_has_target)
{
	const char *colon = strchr(text, ':');
	struct grant grant = { 0 };

	(void)snprintf(
	    action, SETTINGS_ACTION_MAX, "%.*s", (int)strcspn(text, ":"), text); /* cut: none */
	grant.actions = policy_action_set(action);
	if (text_starts(action, "do.") && action_find(action + 3) != NULL) {
		grant.actions = POLICY_ACTION_BIT(POLICY_DO);
		(void)text_copy(grant.only, sizeof(grant.only), action + 3);
	}
	*ret_has_target = colon != NULL;
	if (colon != NULL)
		read_target(application, colon + 1, &grant);
	return grant;
}

const char *
settings_near_action(const char *text, const char *action, char out[SETTINGS_NEAR_MAX])
{
	bool is_whole = action_find(action) != NULL; /* restart-web:client/acme */
	bool is_do = is_whole || text_starts(action, "do.");
	const char *near = is_whole ? action :
	    is_do		    ? action_nearest(action + 3) :
				      policy_action_nearest(action);

	out[0] = '\0';
	if (near != NULL)
		(void)snprintf(out, SETTINGS_NEAR_MAX, "; did you mean %s%s%.70s?",
		    is_do ? "do." : "", near, is_whole ? text + strlen(action) : "");
	return out;
}

/* Is that action never done to what the grant names, an environment or a client? */
static bool
is_of_other_kind(const struct grant *grant, const struct action *what)
{
	return grant->name[0] != '\0' && grant->is_client != (what->target == ACTION_ON_CLIENT);
}

enum settings_idle
settings_idle_grant(
    const struct settings *s, const struct grant *grant, const char *so, char why[LIMIT_LINE])
{
	const struct action *what = action_find(grant->only);
	const struct client_settings *client =
	    grant->is_client ? settings_client(s, grant->name) : NULL;
	char setting[SETTING_NAME_MAX];

	if (what == NULL)
		return SETTINGS_NOT_IDLE;
	if (is_of_other_kind(grant, what)) {
		(void)snprintf(why, LIMIT_LINE,
		    "%s is done to %s alone, so this %s: write do.%s:%s", what->name,
		    grant->is_client ? "environments" : "clients", so, what->name,
		    grant->is_client ? "APPLICATION/ENVIRONMENT" : "client/ID");
		return SETTINGS_OTHER_KIND;
	}
	if (client == NULL || (client->actions & action_bit(what)) != 0)
		return SETTINGS_NOT_IDLE;
	(void)snprintf(why, LIMIT_LINE, "%s has no %s, so this %s: add it there, or take this out",
	    setting_name(
		settings_table_families[CLIENT_SETTING_ACTIONS].name, grant->name, setting),
	    what->name, so);
	return SETTINGS_NOT_THERE;
}

/* --- what is wrong --- */

struct checked {
	struct settings_loader *l;
	const struct settings_member *role;
};

static const char *
name_of(const struct checked *c, enum family_setting setting, char out[SETTING_NAME_MAX])
{
	return setting_name(settings_table_families[setting].name, c->role->name, out);
}

static void
say(const struct checked *c, enum family_setting setting, const char *fmt, ...) PRINTF(3, 4);

static void
say(const struct checked *c, enum family_setting setting, const char *fmt, ...)
{
	char what[200], name[SETTING_NAME_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args); /* cut is fine */
	va_end(args);
	settings_say(c->l->report, SETTINGS_ERROR, "%s: %s", name_of(c, setting, name), what);
}

/* One whose file has a mistake is there all the same, with environments that nobody knows; so are
 * all where the folder cannot be read. */
static bool
has_application(const struct settings *s, const char *name, bool *ret_is_refused)
{
	*ret_is_refused = settings_is_unread_application(s, name, strlen(name));
	return *ret_is_refused || settings_application(s, name) != NULL;
}

/* The application that had that name; NULL: none had. */
static const char *
new_name(const struct settings *s, const char *application)
{
	for (size_t i = 0; i < s->application_count; i++) {
		const char *former = settings_text(s->applications[i], SETTING_RENAMED_FROM);

		if (former != NULL && strcmp(former, application) == 0)
			return s->applications[i]->application;
	}
	return NULL;
}

/* "; did you mean shop/staging?"; a grant names the application too: "; write shop/staging". */
static const char *
nearest_environment(const struct settings *s, const char *text, char out[ENVIRONMENT_ID_MAX + 24])
{
	const char **names = calloc(s->environment_count + 1, sizeof(*names)), *near;

	out[0] = '\0';
	if (names == NULL)
		return out;
	for (size_t i = 0; i < s->environment_count; i++)
		names[i] = s->environments[i].name;
	near = text_nearest(text, names, s->environment_count);
	for (size_t i = 0; i < s->environment_count && near == NULL; i++) {
		const char *slash = strchr(names[i], '/');

		if (slash != NULL && strcmp(slash + 1, text) == 0)
			(void)snprintf(out, ENVIRONMENT_ID_MAX + 24, "; write %s", names[i]);
	}
	if (near != NULL)
		(void)snprintf(out, ENVIRONMENT_ID_MAX + 24, "; did you mean %s?", near);
	free(names);
	return out;
}

/* What is not there is granted to nobody; that is said, and all else is in force. */
static void
say_missing(const struct checked *c, enum settings_severity severity, const char *what)
{
	char name[SETTING_NAME_MAX], reason[LIMIT_LINE + 64];
	struct settings_line *line;

	(void)snprintf(
	    reason, sizeof(reason), "%s: take this grant out, or put back what it names", what);
	line = settings_say(
	    c->l->report, severity, "%s: %s", name_of(c, ROLE_SETTING_MAY, name), reason);
	if (severity != SETTINGS_ERROR)
		settings_warn(c->l, line, name, reason);
}

static void
check_target(const struct checked *c, const struct grant *grant, const char *text)
{
	const struct settings *s = c->l->s;
	char near[ENVIRONMENT_ID_MAX + 24], target[ENVIRONMENT_ID_MAX + 16];
	char what[LIMIT_LINE];
	bool is_refused = false;

	if (s->application[0] != '\0' &&
	    (grant->is_client || strcmp(grant->application, s->application) != 0)) {
		say(c, ROLE_SETTING_MAY,
		    "%s: a role in an application's file grants nothing of another: say it in the settings file",
		    text);
		return;
	}
	if (grant->is_client && strcmp(grant->name, "*") != 0 &&
	    settings_client(s, grant->name) == NULL)
		say(c, ROLE_SETTING_MAY, "%s: there is no client %s: CLIENTS lists them", text,
		    grant->name);
	if (grant->is_client)
		return;
	(void)target_text(grant, target);
	if (grant->application[0] != '\0' && strcmp(grant->application, "*") != 0 &&
	    !has_application(s, grant->application, &is_refused)) {
		const char *now = new_name(s, grant->application);

		(void)snprintf(what, sizeof(what),
		    now == NULL ? "%s: there is no application %s" :
				  "%s: %s is called %s now (RENAMED_FROM): write %s/%s",
		    text, grant->application, now, now, grant->name);
		say_missing(c, settings_gone(c->l, grant, false), what);
	} else if (!is_refused && strcmp(target, "*/*") != 0 &&
	    !settings_has_granted(s, grant, true)) {
		(void)snprintf(what, sizeof(what), "%s: there is no environment %s%s", text, target,
		    nearest_environment(s, target, near));
		say_missing(c, settings_gone(c->l, grant, true), what);
	}
}

static uint32_t
actions_of_later(void)
{
	uint32_t set = 0;

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_rows[i].who == POLICY_BY_LATER)
			set |= POLICY_ACTION_BIT(i);
	return set;
}

/* What is right as it is written, and is of no use. */
static void
check_use(const struct checked *c, const struct grant *grant, const char *text)
{
	char name[SETTING_NAME_MAX], why[LIMIT_LINE];

	if ((grant->actions & ~actions_of_later()) == 0)
		settings_say(c->l->report, SETTINGS_NOTE,
		    "%s: %s: nothing asks for this action yet", name_of(c, ROLE_SETTING_MAY, name),
		    text);
	else if (settings_idle_grant(c->l->s, grant, "grants nothing", why) != SETTINGS_NOT_IDLE)
		settings_say(c->l->report, SETTINGS_WARNING, "%s: %s: %s",
		    name_of(c, ROLE_SETTING_MAY, name), text, why);
}

static void
check_grants(const struct checked *c)
{
	const char *list = c->role->values[ROLE_SETTING_MAY].text;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX], near[SETTINGS_NEAR_MAX];
	bool has_target, is_somewhere = false;

	if (list == NULL)
		return; /* that was said */
	while (setting_next(&list, text, sizeof(text))) {
		struct grant grant =
		    settings_read_grant(c->l->s->application, text, action, &has_target);

		is_somewhere |= has_target;
		if (grant.actions == 0)
			say(c, ROLE_SETTING_MAY, "%s: there is no action %s%s", text, action,
			    settings_near_action(text, action, near));
		else
			check_use(c, &grant, text);
		if (has_target)
			check_target(c, &grant, text);
	}
	if (!is_somewhere)
		say(c, ROLE_SETTING_MAY,
		    "names no target: write ACTION:APPLICATION/ENVIRONMENT (*/*: all)");
}

/* Somebody who is there twice, once with an end, is a mistake that nobody sees. */
static void
check_people(const struct checked *c)
{
	const char *all = c->role->values[ROLE_SETTING_IDS].text, *list = all;
	char part[64], other[64];

	for (size_t i = 0; list != NULL && setting_next(&list, part, sizeof(part)); i++) {
		const char *before = all;

		for (size_t j = 0; j < i && setting_next(&before, other, sizeof(other)); j++)
			if (strtoll(part, NULL, 10) == strtoll(other, NULL, 10))
				say(c, ROLE_SETTING_IDS, "%lld is there twice",
				    strtoll(part, NULL, 10));
	}
}

static void
check_role(const struct checked *c)
{
	for (size_t i = 0; i < COUNT(built_in); i++)
		if (strcmp(built_in[i].name, c->role->name) == 0)
			say(c, ROLE_SETTING_IDS, "there is a role %s already: take another name",
			    built_in[i].name);
	if (!c->role->values[ROLE_SETTING_IDS].is_given)
		say(c, ROLE_SETTING_IDS, "is not set, and a role needs people");
	if (!c->role->values[ROLE_SETTING_MAY].is_given)
		say(c, ROLE_SETTING_MAY, "is not set, and a role needs what its people may");
	check_people(c);
	check_grants(c);
}

void
settings_check_roles(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_ROLE)
			check_role(&(struct checked){ l, in->members[i] });
}

/* --- what decisions read --- */

static bool
add_grant(struct roles *roles, const struct grant *grant, const char *action, const char *beside)
{
	char target[ENVIRONMENT_ID_MAX + 16];
	struct grant *added = array_add(&roles->grant, &roles->grant_count, sizeof(*added));

	if (added == NULL)
		return false;
	*added = *grant;
	(void)snprintf(
	    added->text, sizeof(added->text), "%.26s:%.44s", action, target_text(grant, target));
	(void)text_copy(added->beside, sizeof(added->beside), beside);
	roles->role[roles->count - 1].grant_count++;
	return true;
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

/* First those that name a target, then the others on each of these targets. */
static bool
add_grants(struct roles *roles, const char *application, const char *may, const char *beside)
{
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];
	size_t first = roles->grant_count, end;
	struct grant grant;
	bool has_target;

	for (const char *list = may; setting_next(&list, text, sizeof(text));) {
		grant = settings_read_grant(application, text, action, &has_target);
		if (has_target && is_own(&grant, application) &&
		    !add_grant(roles, &grant, action, beside))
			return false;
	}
	end = roles->grant_count;
	for (const char *list = may; setting_next(&list, text, sizeof(text));) {
		struct grant as = settings_read_grant(application, text, action, &has_target);

		for (size_t i = first; !has_target && i < end; i++) {
			grant = roles->grant[i];
			grant.actions = as.actions;
			memcpy(grant.only, as.only, sizeof(grant.only));
			if (!is_named_before(roles, first, i, &grant) &&
			    !add_grant(roles, &grant, action, beside))
				return false;
		}
	}
	return true;
}

static int64_t
end_of(const struct zone *zone, const char *date)
{
	struct zone_time time;

	return date != NULL && zone_date_parse(date, &time) ? zone_date_end(zone, &time) : 0;
}

/* list: "111, 222 until 2027-01-31".  Where both have an end, the earlier. */
static bool
add_people(struct roles *roles, const struct zone *zone, const char *list, int64_t until)
{
	char part[SETTING_PART_MAX + 1]; /* a cut one would lose its date, and never end */

	while (setting_next(&list, part, sizeof(part))) {
		const char *date = strstr(part, UNTIL);
		int64_t own = end_of(zone, date == NULL ? NULL : part + strlen(part) - 10);
		struct role_member *added =
		    array_add(&roles->member, &roles->member_count, sizeof(*added));

		if (added == NULL)
			return false;
		added->person = strtoll(part, NULL, 10);
		added->role = roles->count - 1;
		added->until = until != 0 && (own == 0 || until < own) ? until : own;
	}
	return true;
}

static struct role *
add_role(struct roles *roles, const char *name, const char *setting, const char *application)
{
	struct role *added = array_add(&roles->role, &roles->count, sizeof(*added));

	if (added == NULL)
		return NULL;
	(void)text_copy(added->name, sizeof(added->name), name);
	(void)text_copy(added->setting, sizeof(added->setting), setting);
	(void)text_copy(added->application, sizeof(added->application), application);
	added->first_grant = roles->grant_count;
	return added;
}

static bool
add_built_in(struct roles *roles, const struct settings *s, const struct zone *zone,
    const struct built_in *row)
{
	const char *people = s->inside->values[row->people].text;
	struct role *role;

	if (people == NULL ||
	    (s->application[0] != '\0' && settings_table[row->people].scope != SCOPE_EACH))
		return true;
	role = add_role(roles, row->name, settings_table[row->people].name, s->application);
	if (role == NULL)
		return false;
	role->is_built_in = true;
	return add_grants(roles, s->application, row->may, "") &&
	    (row->beside[0] == '\0' ||
		add_grants(roles, s->application, row->besides, row->beside)) &&
	    add_people(roles, zone, people, 0);
}

static bool
add_own(struct roles *roles, const struct settings *s, const struct zone *zone,
    const struct settings_member *member)
{
	const char *people = member->values[ROLE_SETTING_IDS].text;
	const char *may = member->values[ROLE_SETTING_MAY].text;
	char setting[SETTING_NAME_MAX];

	if (member->family != FAMILY_ROLE || people == NULL || may == NULL)
		return true;
	return add_role(roles, member->name,
		   setting_name(
		       settings_table_families[ROLE_SETTING_MAY].name, member->name, setting),
		   s->application) != NULL &&
	    add_grants(roles, s->application, may, "") &&
	    add_people(roles, zone, people, end_of(zone, member->values[ROLE_SETTING_UNTIL].text));
}

/* All roles of one file. */
static bool
add_file(struct roles *roles, const struct settings *s, const struct zone *zone)
{
	for (size_t i = 0; i < COUNT(built_in); i++)
		if (!add_built_in(roles, s, zone, &built_in[i]))
			return false;
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (!add_own(roles, s, zone, s->inside->members[i]))
			return false;
	return true;
}

static bool
add_member(struct roles *roles, int64_t person, size_t role)
{
	struct role_member *added = array_add(&roles->member, &roles->member_count, sizeof(*added));

	if (added != NULL)
		*added = (struct role_member){ .person = person, .role = role };
	return added != NULL;
}

/* Users of this machine that act with a role; and root, which may say each. */
static bool
add_users(struct roles *roles, const struct settings *s)
{
	for (size_t i = 0; i < roles->count; i++)
		if (!add_member(roles, principal_of_root(roles->role[i].name), i))
			return false;
	for (size_t n = 0; n < s->inside->member_count; n++) {
		struct settings_member *member = s->inside->members[n];
		const char *role = settings_local_role(member);

		settings_fill_user(member);
		for (size_t i = 0; role != NULL && member->person != 0 && i < roles->count; i++)
			if (strcmp(roles->role[i].name, role) == 0 &&
			    !add_member(roles, member->person, i))
				return false;
	}
	return true;
}

/* After those that root may say: a hook's one grant, which is its own. */
static bool
add_hooks(struct roles *roles, const struct settings *s)
{
	char setting[SETTING_NAME_MAX];
	struct hook_line line;
	struct hook hook;
	struct role *role;

	for (size_t at = 0; hook_next(s, &at, &hook);) {
		const char *name = strrchr(hook.id, '/');

		hook_line_read(hook.starts, hook.application, &line);
		role = add_role(roles, "hook",
		    setting_name(settings_table_families[HOOK_SETTING_STARTS].name,
			name != NULL ? name + 1 : hook.id, setting),
		    hook.application);
		if (role == NULL)
			return false;
		role->is_hook = true;
		if (!add_grants(roles, hook.application, line.grant, "") ||
		    !add_member(roles, principal_of_hook(hook.id), roles->count - 1))
			return false;
	}
	return true;
}

static int
by_person(const void *a, const void *b)
{
	const struct role_member *one = a, *other = b;

	if (one->person != other->person)
		return one->person < other->person ? -1 : 1;
	return one->role < other->role ? -1 : one->role > other->role;
}

static bool
fill_zone(struct settings *s)
{
	struct settings_inside *in = s->inside;
	const char *zone = settings_text(s, SETTING_TIMEZONE);

	if (in->zone == NULL && zone != NULL)
		in->zone = zone_new(zone, NULL);
	if (in->zone == NULL) /* a wrong one was said; one that went away since counts as UTC */
		in->zone = zone_parse(NULL, 0, NULL);
	s->zone = in->zone;
	return in->zone != NULL;
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

bool
settings_fill_roles(struct settings *s)
{
	struct settings_inside *in = s->inside;

	if (!fill_zone(s))
		return false;
	if (s->application[0] != '\0')
		return true;
	s->has_zones = has_zones(s);
	roles_free(in->roles);
	in->roles = calloc(1, sizeof(*in->roles));
	if (in->roles == NULL || !add_file(in->roles, s, in->zone))
		return false;
	for (size_t i = 0; i < s->application_count; i++)
		if (!add_file(in->roles, s->applications[i], in->zone))
			return false;
	if (!add_users(in->roles, s) || !add_hooks(in->roles, s))
		return false;
	if (in->roles->member_count > 0)
		qsort(in->roles->member, in->roles->member_count, sizeof(*in->roles->member),
		    by_person);
	s->roles = in->roles;
	return true;
}
