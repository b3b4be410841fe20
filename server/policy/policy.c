/* policy.c - may they?  A function of who, what, where, one snapshot of the settings and one moment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy.h"

#include <stdio.h>

#include "lib/zone.h"

bool
policy_is_in_force(const struct role_member *member, int64_t at)
{
	return member->until == 0 || at < member->until;
}

/* --- does a grant cover it? --- */

/* What is asked about; an environment whose name is none is of no application. */
struct target {
	const struct settings *settings;
	const char *environment; /* "": none */
	struct environment_id id;
};

static struct target
target_of(const struct settings *settings, const char *environment)
{
	struct target target = { .settings = settings, .environment = environment };

	if (strcmp(environment, POLICY_ALL) == 0)
		target.id = (struct environment_id){ "/", "/" }; /* nothing's name */
	else if (!environment_id_parse(environment, &target.id))
		target.id = (struct environment_id){ .name = "" };
	return target;
}

static bool
is_same(const char *pattern, const char *name)
{
	return strcmp(pattern, "*") == 0 || strcmp(pattern, name) == 0;
}

/* Has the application an environment of that name beside this one? */
static bool
is_beside(const struct target *target, const char *name)
{
	char text[ENVIRONMENT_ID_MAX];

	return name[0] == '\0' ||
	    settings_environment(
		target->settings, environment_id_text(target->id.application, name, text)) != NULL;
}

static bool
is_on(const struct grant *grant, const struct target *target)
{
	if (grant->is_client)
		return false;
	return target->environment[0] == '\0' ||
	    (is_same(grant->application, target->id.application) &&
		is_same(grant->name, target->id.name) && is_beside(target, grant->beside));
}

/* The first grant of a role that has one of the actions there; NULL: none. */
static const struct grant *
grant_of(const struct roles *roles, const struct role *role, uint32_t actions,
    const struct target *target)
{
	for (size_t i = 0; i < role->grant_count; i++) {
		const struct grant *grant = &roles->grant[role->first_grant + i];

		if ((grant->actions & actions) != 0 && is_on(grant, target))
			return grant;
	}
	return NULL;
}

/* What of a person's roles has one of the actions there; verdict DENY: nothing. */
static struct policy_decision
find(const struct settings *settings, struct principal who, uint32_t actions,
    const char *environment, int64_t at)
{
	const struct roles *roles = settings->roles;
	struct target target = target_of(settings, environment);
	size_t n = 0;
	const struct role_member *member = who.id == 0 ? NULL : roles_of(roles, who.id, &n);

	for (size_t i = 0; i < n; i++) {
		const struct role *role = &roles->role[member[i].role];
		const struct grant *grant = NULL;

		if (policy_is_in_force(&member[i], at))
			grant = grant_of(roles, role, actions, &target);
		if (grant != NULL)
			return (struct policy_decision){ POLICY_ALLOW, "", role, grant,
				member[i].until };
	}
	return (struct policy_decision){ .verdict = POLICY_DENY, .reason = "" };
}

bool
policy_is_known(const struct settings *settings, struct principal who, int64_t at)
{
	return find(settings, who, UINT32_MAX, "", at).verdict == POLICY_ALLOW;
}

bool
policy_sees(
    const struct settings *settings, struct principal who, const char *environment, int64_t at)
{
	return who.kind == PRINCIPAL_SYSTEM ||
	    find(settings, who, UINT32_MAX, environment, at).verdict == POLICY_ALLOW;
}

/* --- the decision --- */

/* Deploybot itself, and whoever may push to a branch that is deployed. */
static bool
needs_no_grant(struct principal who, enum policy_action action)
{
	return policy_action_rows[action].who == POLICY_BY_ANYONE || who.kind == PRINCIPAL_SYSTEM ||
	    (who.kind == PRINCIPAL_REPOSITORY && action == POLICY_DEPLOY);
}

static bool
is_admins(const struct roles *roles, const struct role *role)
{
	return role->is_built_in && roles->grant[role->first_grant].actions == UINT32_MAX;
}

/* Is there a role but the admins' that has it there? */
static bool
others_may(const struct settings *settings, uint32_t action, const char *environment)
{
	const struct roles *roles = settings->roles;
	struct target target = target_of(settings, environment);

	for (size_t i = 0; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		if (!is_admins(roles, role) && grant_of(roles, role, action, &target) != NULL)
			return true;
	}
	return false;
}

struct policy_decision
policy_decide(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, int64_t at)
{
	uint32_t wanted = policy_action_rows[action].who == POLICY_BY_KNOWN ?
	    UINT32_MAX :
	    POLICY_ACTION_BIT(action);
	struct policy_decision decision = find(settings, who, wanted, environment, at);

	if (needs_no_grant(who, action)) {
		decision.verdict = POLICY_ALLOW;
		decision.reason = "";
	} else if (decision.verdict == POLICY_DENY) {
		decision.reason = !policy_is_known(settings, who, at) ? "you have no role here" :
		    others_may(settings, wanted, environment) ? "your role does not grant it" :
								"only an admin may";
	}
	return decision;
}

bool
policy_may(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, int64_t at)
{
	return policy_decide(settings, who, action, environment, at).verdict == POLICY_ALLOW;
}

/* --- words --- */

const char *
policy_action_word(enum policy_action action)
{
	return policy_action_rows[action].word;
}

static const char *
until_text(const struct settings *settings, int64_t until, const char *before, char out[40])
{
	char date[ZONE_DATE];

	out[0] = '\0';
	if (until != 0)
		(void)snprintf(
		    out, 40, "%suntil %s", before, zone_date_text(settings->zone, until - 1, date));
	return out;
}

/* Of the roles in force, or of those that have ended; stops behind an admin's. */
static void
list_roles(const struct settings *settings, struct principal who, int64_t at, bool in_force,
    char *out, size_t room)
{
	const struct roles *roles = settings->roles;
	size_t n = 0, used = 0;
	const struct role_member *member = who.id == 0 ? NULL : roles_of(roles, who.id, &n);
	char until[40];

	for (size_t i = 0; i < n && used + 1 < room; i++) {
		const struct role *role = &roles->role[member[i].role];

		if (policy_is_in_force(&member[i], at) != in_force)
			continue;
		used +=
		    (size_t)snprintf(out + used, room - used, "%s%s%s%s%s", used > 0 ? ", " : "",
			role->application, role->application[0] != '\0' ? ": " : "", role->name,
			until_text(settings, member[i].until, " ", until));
		if (is_admins(roles, role))
			break;
	}
}

const char *
policy_roles_text(
    const struct settings *settings, struct principal who, int64_t at, char *out, size_t room)
{
	(void)snprintf(out, room, "nobody");
	list_roles(settings, who, at, true, out, room);
	return out;
}

const char *
policy_ended_text(
    const struct settings *settings, struct principal who, int64_t at, char *out, size_t room)
{
	out[0] = '\0';
	list_roles(settings, who, at, false, out, room);
	return out;
}

const char *
policy_line(
    const struct settings *settings, const struct policy_decision *decision, char out[POLICY_LINE])
{
	char until[40];

	if (decision->role == NULL)
		(void)snprintf(out, POLICY_LINE, "no role");
	else
		(void)snprintf(out, POLICY_LINE, "%s (%s%s%s: %s%s)", decision->role->name,
		    decision->role->setting, decision->role->application[0] != '\0' ? " of " : "",
		    decision->role->application, decision->grant->text,
		    until_text(settings, decision->until, ", ", until));
	return out;
}
