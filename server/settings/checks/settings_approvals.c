/* settings_approvals.c - roles that <ENV>_APPROVERS names, and that cannot approve there.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/setting.h"
#include "settings/settings_inside.h"
#include "types/policy_action.h"
#include "types/roles.h"

static bool
grants_it(const struct roles *roles, const struct role *role, const struct environment_id *id)
{
	for (size_t i = 0; i < role->grant_count; i++) {
		const struct grant *grant = &roles->grant[role->first_grant + i];

		if ((grant->actions & POLICY_ACTION_BIT(POLICY_APPROVE)) != 0 &&
		    !grant->is_client &&
		    (strcmp(grant->application, "*") == 0 ||
			strcmp(grant->application, id->application) == 0) &&
		    (strcmp(grant->name, "*") == 0 || strcmp(grant->name, id->name) == 0))
			return true;
	}
	return false;
}

/* NULL: one of that name may approve there. */
static const char *
find_fault(const struct roles *roles, const char *name, const struct environment_id *id)
{
	const char *fault = "there is no such role";

	for (size_t i = 0; i < roles->count; i++) {
		if (strcmp(roles->role[i].name, name) != 0)
			continue;
		if (grants_it(roles, &roles->role[i], id))
			return NULL;
		fault = "it has no grant approve there";
	}
	return fault;
}

/* In an application's file it is that one's mistake, and keeps nobody else from starting. */
static void
check(struct settings_loader *l, const struct environment_settings *e)
{
	char name[ENVIRONMENT_NAME_MAX], setting[SETTING_NAME_MAX];
	const char *list = e->approvers, *fault;
	struct environment_id id;

	if (list == NULL || !environment_id_parse(e->name, &id))
		return;
	(void)setting_name("<ENV>_APPROVERS", id.name, setting);
	while (setting_next(&list, name, sizeof(name)))
		if ((fault = find_fault(l->s->roles, name, &id)) != NULL)
			settings_say(l->report,
			    id.application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING,
			    "%s%s%s: %s: %s", id.application, id.application[0] != '\0' ? ": " : "",
			    setting, name, fault);
}

static bool
asks_others(const struct environment_settings *e)
{
	return e->approvals > 0 || e->rollback_approvals > 0 || e->approvals_if != NULL;
}

/* It is the default, and right as long as everybody has one way in: who is counted strictly says
 * whether that is so. */
static void
check_unknown(struct settings_loader *l)
{
	const struct environment_settings *found = NULL;

	for (size_t i = 0; found == NULL && i < l->s->environment_count; i++)
		if (asks_others(&l->s->environments[i]))
			found = &l->s->environments[i];
	if (found != NULL && l->s->is_production && l->s->approve_unknown_pusher)
		settings_say(l->report, SETTINGS_WARNING,
		    "APPROVE_UNKNOWN_PUSHER: is true, and %s needs approvals: one human may push there by a login that no PERSON_<ID>_GITHUB names, or ask by a hook, by a token, as root or as a role on the machine, and then approve it; with false one more must",
		    found->name);
}

static void
say_missing(struct settings_loader *l, const struct environment_settings *e, const char *setting,
    const char *missing)
{
	char name[SETTING_NAME_MAX];
	struct environment_id id;

	if (missing != NULL && environment_id_parse(e->name, &id))
		settings_say(l->report,
		    id.application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING,
		    "%s%s%s: needs %s", id.application, id.application[0] != '\0' ? ": " : "",
		    setting_name(setting, id.name, name), missing);
}

/* Where nothing is known of a commit its forge is asked; what people review one of them answers. */
static void
check_github(struct settings_loader *l, const struct environment_settings *e)
{
	if (e->require_ci != NULL)
		say_missing(l, e, "<ENV>_REQUIRE_CI", settings_forge_missing(l->s, e->require_ci));
	if (e->gate_reviewer && l->s->github.token == NULL)
		say_missing(l, e, "<ENV>_GATE_REVIEWER",
		    "GITHUB_API_TOKEN, of a person who may review there");
}

void
settings_check_approvals(struct settings_loader *l)
{
	for (size_t i = 0; i < settings_own_count(l->s); i++)
		check_github(l, &l->s->environments[i]);
	for (size_t i = 0; l->s->roles != NULL && i < l->s->environment_count; i++)
		check(l, &l->s->environments[i]);
	if (l->s->application[0] == '\0')
		check_unknown(l);
}
