/* policy.c - may they?  A function of who, what, where, one snapshot of the settings and one moment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy.h"

#include <stdio.h>

#include "lib/list.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "types/action.h"

static bool
is_admins(const struct roles *roles, const struct role *role)
{
	return role->is_built_in && roles->grant[role->first_grant].actions == UINT32_MAX;
}

/* --- is a right alive? --- */

/* Until when that person has that role (its index and 1) themselves, or is an admin, who has all;
 * 0: they have not, and it has not ended. */
static int64_t
role_end(const struct settings *settings, int64_t person, size_t role)
{
	const struct roles *roles = settings->roles;
	size_t n = 0;
	const struct role_member *member = person == 0 ? NULL : roles_of(roles, person, &n);
	int64_t last = 0;

	for (size_t i = 0; i < n; i++) {
		struct policy_right right = { .role = member[i].role + 1,
			.until = member[i].until };
		int64_t end = policy_end_of(settings, &right).at;

		if (end > last &&
		    (right.role == role || is_admins(roles, &roles->role[member[i].role])))
			last = end;
	}
	return last;
}

/* Of two at one moment the first that is asked about is the reason. */
static void
end_by(struct policy_end *end, int64_t at, enum policy_ends_by by)
{
	if (at < end->at)
		*end = (struct policy_end){ at, by };
}

struct policy_end
policy_end_of(const struct settings *settings, const struct policy_right *right)
{
	const struct role *role = &settings->roles->role[right->role - 1];
	struct policy_end end = { .at = POLICY_NO_END };

	if (role->until != 0)
		end_by(&end, role->until, POLICY_ENDS_WITH_ROLE);
	if (right->maker != 0 && !principal_is_root(right->maker))
		end_by(&end, role_end(settings, right->maker, right->role), POLICY_ENDS_WITH_MAKER);
	if (right->until != 0)
		end_by(&end, right->until, POLICY_ENDS_ITSELF);
	return end;
}

static bool
is_alive(const struct settings *settings, const struct policy_right *right, struct principal who,
    int64_t at)
{
	return (at > who.not_before ? at : who.not_before) < policy_end_of(settings, right).at;
}

static bool
has_member(const struct settings *settings, const struct role_member *member, struct principal who,
    int64_t at)
{
	const struct policy_right right = { .role = member->role + 1, .until = member->until };

	return is_alive(settings, &right, who, at);
}

bool
policy_is_in_force(const struct role_member *member, int64_t at)
{
	return member->until == 0 || at < member->until;
}

/* --- does a grant cover it? --- */

/* What is asked about; an environment whose name is none is of no application. */
struct target {
	const struct settings *settings;
	const char *environment; /* "": nothing is named, which no grant covers */
	const char *only;	 /* an action of POLICY_DO; "": any */
	bool is_anywhere;	 /* whatever a grant is on */
	bool is_of_server;	 /* what all applications share */
	struct environment_id id;
};

static struct target *
target_of(const struct settings *settings, const char *environment, struct target *ret)
{
	*ret = (struct target){ .settings = settings, .environment = environment, .only = "" };

	if (strcmp(environment, POLICY_ALL) == 0)
		ret->id = (struct environment_id){ "/", "/" }; /* nothing's name */
	else if (!environment_id_parse(environment, &ret->id))
		ret->id = (struct environment_id){ .name = "" };
	return ret;
}

static struct target *
anywhere(const struct settings *settings, struct target *ret)
{
	target_of(settings, "", ret);
	ret->is_anywhere = true;
	return ret;
}

/* By what the action is done to. */
static struct target *
target_for(const struct settings *settings, enum policy_action action, const char *environment,
    struct target *ret)
{
	switch (policy_action_rows[action].scope) {
	case POLICY_ON_SERVER:
		target_of(settings, POLICY_ALL, ret);
		ret->is_of_server = true;
		return ret;
	case POLICY_ON_ANYWHERE:
		if (environment[0] == '\0')
			return anywhere(settings, ret);
		break;
	case POLICY_ON_TARGET:
		break;
	}
	return target_of(settings, environment, ret);
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
	if (target->is_anywhere || target->environment[0] == '\0')
		return target->is_anywhere;
	if (grant->is_client != (environment_client(target->environment) != NULL))
		return false;
	return (grant->is_client || is_same(grant->application, target->id.application)) &&
	    is_same(grant->name, target->id.name) && is_beside(target, grant->beside);
}

/* Who may deploy there, or do anything to that client, sees what is in progress: nobody acts blind.
 */
static uint32_t
gives(const struct grant *grant)
{
	uint32_t acts = POLICY_ACTION_BIT(POLICY_DEPLOY) |
	    (grant->is_client ? POLICY_ACTION_BIT(POLICY_DO) : 0);

	return grant->actions |
	    ((grant->actions & acts) != 0 ? POLICY_ACTION_BIT(POLICY_STATUS) : 0);
}

/* The first grant of a role that has one of the actions there; NULL: none. */
static const struct grant *
grant_of(const struct roles *roles, const struct role *role, uint32_t actions,
    const struct target *target)
{
	for (size_t i = 0; i < role->grant_count; i++) {
		const struct grant *grant = &roles->grant[role->first_grant + i];

		if (target->is_of_server && role->application[0] != '\0')
			break;

		if ((gives(grant) & actions) != 0 && is_on(grant, target) &&
		    (grant->only[0] == '\0' || target->only[0] == '\0' ||
			strcmp(grant->only, target->only) == 0))
			return grant;
	}
	return NULL;
}

static const struct policy_decision nothing = { .verdict = POLICY_DENY, .reason = "" };

/* What of their own roles has one of the actions there; verdict DENY: nothing. */
static struct policy_decision
find_own(const struct target *target, struct principal who, uint32_t actions, const char *list,
    int64_t at)
{
	const struct roles *roles = target->settings->roles;
	size_t n = 0;
	const struct role_member *member = who.id == 0 ? NULL : roles_of(roles, who.id, &n);

	for (size_t i = 0; i < n; i++) {
		const struct role *role = &roles->role[member[i].role];
		const struct grant *grant = NULL;

		if (has_member(target->settings, &member[i], who, at) &&
		    (list == NULL || list_has(list, role->name)))
			grant = grant_of(roles, role, actions, target);
		if (grant != NULL)
			return (struct policy_decision){ POLICY_ALLOW, "", role, grant,
				member[i].until };
	}
	return nothing;
}

/* Whoever has found a token approves nothing with it, and has no other way in or secret by it. */
#define NEVER_LENT \
	(POLICY_ACTION_BIT(POLICY_APPROVE) | POLICY_ACTION_BIT(POLICY_TWO_FA) | \
	    POLICY_ACTION_BIT(POLICY_TOKEN) | POLICY_ACTION_BIT(POLICY_SECRET))

/* Root, hooks and workflows are nobody but what they act with. */
static bool
is_own(struct principal who)
{
	return who.kind == PRINCIPAL_USER || who.kind == PRINCIPAL_HOOK ||
	    who.kind == PRINCIPAL_WORKFLOW;
}

static struct policy_decision
find_lent(const struct target *target, struct principal who, uint32_t actions, const char *list,
    int64_t at)
{
	const struct roles *roles = target->settings->roles;
	const struct role *role = &roles->role[who.lent - 1];
	const struct grant *grant = NULL;

	assert(who.lent <= roles->count);
	if (is_alive(target->settings, &(struct policy_right){ .role = who.lent }, who, at) &&
	    (list == NULL || list_has(list, role->name)))
		grant =
		    grant_of(roles, role, is_own(who) ? actions : actions & ~NEVER_LENT, target);
	return grant == NULL ?
	    nothing :
	    (struct policy_decision){ POLICY_ALLOW, "", role, grant, role->until };
}

/* Of a person's own roles, then of what is lent. */
static struct policy_decision
find_listed(const struct target *target, struct principal who, uint32_t actions, const char *list,
    int64_t at)
{
	struct policy_decision decision = find_own(target, who, actions, list, at);

	return decision.verdict != POLICY_DENY || who.lent == 0 ?
	    decision :
	    find_lent(target, who, actions, list, at);
}

static struct policy_decision
find(const struct target *target, struct principal who, uint32_t actions, int64_t at)
{
	return find_listed(target, who, actions, NULL, at);
}

const struct role *
policy_role(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, const char *list, int64_t at)
{
	struct target target;

	target_for(settings, action, environment, &target);
	return find_listed(&target, who, POLICY_ACTION_BIT(action), list, at).role;
}

bool
policy_has_role(const struct settings *settings, struct principal who, size_t role, int64_t at)
{
	const struct roles *roles = settings->roles;

	if (is_own(who) && who.lent != 0)
		return (who.lent == role || is_admins(roles, &roles->role[who.lent - 1])) &&
		    is_alive(settings, &(struct policy_right){ .role = who.lent }, who, at);
	return (at > who.not_before ? at : who.not_before) < role_end(settings, who.id, role);
}

bool
policy_is_admin(const struct settings *settings, struct principal who, int64_t at)
{
	return policy_has_role(settings, who, 0, at);
}

bool
policy_is_known(const struct settings *settings, struct principal who, int64_t at)
{
	struct target target;

	anywhere(settings, &target);
	return find(&target, who, UINT32_MAX, at).verdict == POLICY_ALLOW;
}

bool
policy_sees(
    const struct settings *settings, struct principal who, const char *environment, int64_t at)
{
	struct target target;

	target_of(settings, environment, &target);
	return who.kind == PRINCIPAL_SYSTEM ||
	    find(&target, who, UINT32_MAX, at).verdict == POLICY_ALLOW;
}

/* --- the decision --- */

/* Also for whom * grants all. */
#define NOT_TO_CLIENTS \
	(POLICY_ACTION_BIT(POLICY_DEPLOY) | POLICY_ACTION_BIT(POLICY_ROLLBACK) | \
	    POLICY_ACTION_BIT(POLICY_EMERGENCY))

/* Deploybot itself, and whoever may push to a branch that is deployed. */
static bool
needs_no_grant(struct principal who, enum policy_action action)
{
	return policy_action_rows[action].who == POLICY_BY_ANYONE || who.kind == PRINCIPAL_SYSTEM ||
	    (who.kind == PRINCIPAL_REPOSITORY && action == POLICY_DEPLOY);
}

/* Is there a role but the admins' that has it there? */
static bool
others_may(const struct target *target, uint32_t action)
{
	const struct roles *roles = target->settings->roles;

	for (size_t i = 0; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		if (!is_admins(roles, role) && grant_of(roles, role, action, target) != NULL)
			return true;
	}
	return false;
}

/* The one place that refuses what is done to a target where none is named. */
static bool
lacks_target(const struct target *target, enum policy_action action)
{
	return policy_action_rows[action].scope == POLICY_ON_TARGET && !target->is_anywhere &&
	    target->environment[0] == '\0';
}

/* Any grant is enough for what is for everybody with a role. */
static uint32_t
grants_for(enum policy_action action)
{
	return policy_action_rows[action].who == POLICY_BY_KNOWN ? UINT32_MAX :
								   POLICY_ACTION_BIT(action);
}

static struct policy_decision
decide(const struct target *target, struct principal who, enum policy_action action, int64_t at)
{
	uint32_t wanted = grants_for(action);
	struct policy_decision decision = find(target, who, wanted, at);

	if (lacks_target(target, action)) {
		decision = (struct policy_decision){ .verdict = POLICY_DENY,
			.reason = "no target is named" };
	} else if (environment_client(target->environment) != NULL &&
	    (NOT_TO_CLIENTS & POLICY_ACTION_BIT(action)) != 0) {
		decision = (struct policy_decision){ .verdict = POLICY_DENY,
			.reason = "nothing is deployed to a client: /do lists what may be done" };
	} else if (needs_no_grant(who, action)) {
		decision.verdict = POLICY_ALLOW;
		decision.reason = "";
	} else if (decision.verdict == POLICY_DENY) {
		decision.reason = !policy_is_known(target->settings, who, at) ?
		    "you have no role here" :
		    others_may(target, wanted) ? "your role does not grant it" :
						 "only an admin may";
	}
	return decision;
}

struct policy_decision
policy_decide(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, int64_t at)
{
	struct target target;

	target_for(settings, action, environment, &target);
	return decide(&target, who, action, at);
}

struct policy_decision
policy_decide_somewhere(
    const struct settings *settings, struct principal who, enum policy_action action, int64_t at)
{
	struct target target;

	if (policy_action_rows[action].scope == POLICY_ON_SERVER)
		target_for(settings, action, POLICY_ALL, &target);
	else
		anywhere(settings, &target);
	return decide(&target, who, action, at);
}

struct policy_decision
policy_decide_do(const struct settings *settings, struct principal who, const char *name,
    const char *environment, int64_t at)
{
	struct target target;

	if (environment == NULL)
		anywhere(settings, &target);
	else
		target_of(settings, environment, &target);
	target.only = name;
	return decide(&target, who, POLICY_DO, at);
}

struct policy_decision
policy_decide_secret(const struct settings *settings, struct principal who, const char *name,
    const char *environment, int64_t at)
{
	struct target target;

	target_of(settings, environment, &target);
	target.only = name;
	return decide(&target, who, POLICY_SECRET, at);
}

bool
policy_may(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, int64_t at)
{
	return policy_decide(settings, who, action, environment, at).verdict == POLICY_ALLOW;
}

bool
policy_could_act(
    const struct settings *settings, struct principal who, const char *target, int64_t at)
{
	static const enum policy_action acts[] = { POLICY_DEPLOY, POLICY_CONFIRM, POLICY_ROLLBACK,
		POLICY_APPROVE };

	if (environment_client(target) != NULL)
		return policy_may(settings, who, POLICY_DO, target, at) ||
		    policy_may(settings, who, POLICY_APPROVE, target, at);
	for (size_t i = 0; i < COUNT(acts); i++)
		if (policy_may(settings, who, acts[i], target, at))
			return true;
	return false;
}

/* Somebody who can be asked: a hook or what is made by a program has no ear. */
static bool
has_person(const struct roles *roles, size_t role, int64_t at)
{
	for (size_t i = 0; i < roles->member_count; i++)
		if (roles->member[i].role == role && roles->member[i].person > 0 &&
		    policy_is_in_force(&roles->member[i], at))
			return true;
	return false;
}

#define NAMED 3

const char *
policy_who_may(const struct settings *settings, enum policy_action action, const char *name,
    const char *environment, int64_t at, char out[POLICY_LINE])
{
	const struct roles *roles = settings->roles;
	struct target target;
	const char *found[NAMED];
	size_t n = 0, used = 0;

	target_for(settings, action, environment, &target);
	target.only = name;
	out[0] = '\0';
	for (size_t i = 0; i < roles->count && n < NAMED; i++) {
		const struct role *role = &roles->role[i];

		if (!is_admins(roles, role) && role->of == PRINCIPAL_SYSTEM &&
		    has_person(roles, i, at) &&
		    grant_of(roles, role, grants_for(action), &target) != NULL)
			found[n++] = role->name;
	}
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, POLICY_LINE - used, "%s%s",
		    i == 0	   ? "" :
			i + 1 == n ? " or " :
				     ", ",
		    found[i]); /* three names fit */
	return out;
}

static bool
is_required(const struct grant *rule, enum policy_action action, const struct target *target)
{
	const struct action *what = action == POLICY_DO ? action_find(target->only) : NULL;

	if (rule->only[0] != '\0' ? strcmp(rule->only, target->only) != 0 :
				    what != NULL && what->risk == ACTION_RISK_READ)
		return false;
	return rule->name[0] == '\0' || target->is_of_server || is_on(rule, target);
}

bool
policy_needs_factor(const struct settings *settings, enum policy_action action, const char *name,
    const char *environment)
{
	struct target target;

	target_for(settings, action, environment, &target);
	target.only = name;
	for (size_t i = 0; i < settings->require_otp_count; i++)
		if ((settings->require_otp[i].actions & POLICY_ACTION_BIT(action)) != 0 &&
		    is_required(&settings->require_otp[i], action, &target))
			return true;
	return false;
}

static bool
asks_there(const struct settings *settings, const struct grant *rule, struct principal who,
    const char *environment, int64_t at)
{
	struct target target;

	target_of(settings, environment, &target);
	if (rule->name[0] != '\0' && !is_on(rule, &target))
		return false;
	if (rule->only[0] != '\0') {
		target.only = rule->only;
		return decide(&target, who,
			   rule->actions == POLICY_ACTION_BIT(POLICY_SECRET) ? POLICY_SECRET :
									       POLICY_DO,
			   at)
			   .verdict == POLICY_ALLOW;
	}
	for (unsigned i = 0; i < POLICY_ACTION_COUNT; i++)
		if ((rule->actions & POLICY_ACTION_BIT(i)) != 0 &&
		    policy_may(settings, who, (enum policy_action)i, environment, at))
			return true;
	return false;
}

bool
policy_asks_factor_of(
    const struct settings *settings, const struct grant *rule, struct principal who, int64_t at)
{
	for (size_t i = 0; i < settings->environment_count; i++)
		if (asks_there(settings, rule, who, settings->environments[i].name, at))
			return true;
	for (size_t i = 0; i < settings->client_count; i++)
		if (asks_there(settings, rule, who, settings->clients[i].as.name, at))
			return true;
	return false;
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

/* One of a hook or workflow has no name that people give to roles. */
static const char *
name_of(const struct role *role)
{
	return role->of == PRINCIPAL_HOOK  ? "hook" :
	    role->of == PRINCIPAL_WORKFLOW ? "workflow" :
					     role->name;
}

static size_t
put_role(const struct settings *settings, const struct role *role, int64_t until,
    const char *before, char *out, size_t room)
{
	char end[40];

	return (size_t)snprintf(out, room, "%s%s%s%s%s", before, role->application,
	    role->application[0] != '\0' ? ": " : "", name_of(role),
	    until_text(settings, until, " ", end));
}

/* Of the roles in force, or of those that have ended; stops behind an admin's. */
static void
list_roles(const struct settings *settings, struct principal who, int64_t at, bool in_force,
    char *out, size_t room)
{
	const struct roles *roles = settings->roles;
	size_t n = 0, used = 0;
	const struct role_member *member = who.id == 0 ? NULL : roles_of(roles, who.id, &n);

	for (size_t i = 0; i < n && used + 1 < room; i++) {
		const struct role *role = &roles->role[member[i].role];

		if (has_member(settings, &member[i], who, at) != in_force)
			continue;
		used += put_role(
		    settings, role, member[i].until, used > 0 ? ", " : "", out + used, room - used);
		if (is_admins(roles, role))
			break;
	}
}

#define LOGGED_IN "logged in as "

const char *
policy_roles_text(
    const struct settings *settings, struct principal who, int64_t at, char *out, size_t room)
{
	char before[sizeof(", " LOGGED_IN)];
	size_t used;

	out[0] = '\0';
	list_roles(settings, who, at, true, out, room);
	used = strlen(out);
	text_setf(
	    before, "%s%s", used > 0 ? ", " : "", who.kind == PRINCIPAL_PERSON ? LOGGED_IN : "");
	if (who.lent != 0 && used + sizeof(before) < room) {
		const struct role *role = &settings->roles->role[who.lent - 1];

		(void)put_role(settings, role, role->until, before, out + used, room - used);
	}
	if (out[0] == '\0')
		(void)snprintf(out, room, "nobody");
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
		(void)snprintf(out, POLICY_LINE, "%s (%s%s%s: %s%s)", name_of(decision->role),
		    decision->role->setting, decision->role->application[0] != '\0' ? " of " : "",
		    decision->role->application, decision->grant->text,
		    until_text(settings, decision->until, ", ", until));
	return out;
}
