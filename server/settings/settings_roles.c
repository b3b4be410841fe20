/* settings_roles.c - grants as they are written, and what is wrong with roles.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/loan.h"
#include "types/policy_action.h"
#include "types/roles.h"
#include "types/workflow.h"

#define SECRET_DOT "secret." /* before the name of one that may be lent */

/* --- one grant --- */

const char *
settings_grant_target(const struct grant *grant, char out[SETTINGS_GRANT_TARGET])
{
	(void)snprintf(out, SETTINGS_GRANT_TARGET, "%s%s%s",
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
		text_setf(first, "%.*s", (int)(slash - text), text);
	grant->is_client = strcmp(first, "client") == 0;
	if (slash == NULL || (strcmp(first, "*") == 0 && application[0] != '\0'))
		text_set(grant->application, application);
	else if (!grant->is_client)
		text_set(grant->application, first);
	text_set(grant->name, slash == NULL ? text : slash + 1);
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
		text_set(grant.only, action + 3);
	} else if (text_starts(action, SECRET_DOT) &&
	    text_copy(grant.only, sizeof(grant.only), action + strlen(SECRET_DOT))) {
		grant.actions = POLICY_ACTION_BIT(POLICY_SECRET);
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

/* One that names a secret: of its own file, or of the main one. */
static bool
has_no_secret(const struct settings_loader *l, const struct grant *grant)
{
	char text[SETTINGS_GRANT_TARGET];
	const char *target = settings_grant_target(grant, text);

	if (strchr(target, '*') != NULL)
		target = "*";
	return grant->actions == POLICY_ACTION_BIT(POLICY_SECRET) && grant->only[0] != '\0' &&
	    !loan_is_there(l->s, grant->only, target) &&
	    (l->main == NULL || !loan_is_there(l->main, grant->only, target));
}

/* Another environment that such a secret is for, of an application's file one of its own; false:
 * there is none of that name. */
static bool
find_elsewhere(const struct settings_loader *l, const char *name, struct loan *ret)
{
	const struct settings *const all[] = { l->s, l->main };
	const char *own = l->s->application;
	size_t size = strlen(own);

	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t at = 0; all[i] != NULL && loan_next(all[i], &at, ret);)
			if (strcmp(ret->name, name) == 0 &&
			    (size == 0 ||
				(text_starts(ret->target, own) && ret->target[size] == '/')))
				return true;
	return false;
}

/* Its environment may be of a file that could not be read, of whose secrets nothing is known. */
static enum settings_idle
say_no_secret(const struct settings_loader *l, const struct grant *grant, const char *so,
    char why[LIMIT_LINE])
{
	char text[SETTINGS_GRANT_TARGET];
	const char *target = settings_grant_target(grant, text), *slash = strchr(target, '/');
	struct loan other;

	if (find_elsewhere(l, grant->only, &other) &&
	    (slash == NULL ||
		!settings_is_unread_application(l->s, target, (size_t)(slash - target)))) {
		(void)snprintf(why, LIMIT_LINE,
		    "secret %s is for %s, so this %s: write " SECRET_DOT "%s:%s", grant->only,
		    other.target, so, grant->only, other.target);
		return SETTINGS_OTHER_KIND;
	}
	(void)snprintf(why, LIMIT_LINE,
	    "there is no secret %s for it, so this %s: SECRET_<NAME>_PATH and _FOR make one",
	    grant->only, so);
	return SETTINGS_NOT_THERE;
}

enum settings_idle
settings_idle_grant(const struct settings_loader *l, const struct grant *grant, const char *so,
    char why[LIMIT_LINE])
{
	bool is_do = (grant->actions & POLICY_ACTION_BIT(POLICY_DO)) != 0;
	const struct action *what = is_do ? action_find(grant->only) : NULL;
	const struct client_settings *client =
	    grant->is_client ? settings_client(l->s, grant->name) : NULL;
	char setting[SETTING_NAME_MAX];

	if (has_no_secret(l, grant))
		return say_no_secret(l, grant, so, why);
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

/* A role, or a workflow, with the setting that has its grants. */
struct checked {
	struct settings_loader *l;
	const struct settings_member *role;
	enum family_setting may;
};

#define SAY(c, setting, ...) \
	settings_say_of((c)->l, SETTINGS_ERROR, (c)->role, (setting), __VA_ARGS__)

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
	CLEANUP(freep) const char **names = mem_new(s->environment_count + 1, sizeof(*names));
	const char *near;
	size_t n_there = 0; /* of several that have it one may be meant */

	out[0] = '\0';
	for (size_t i = 0; i < s->environment_count; i++)
		names[i] = s->environments[i].name;
	near = text_nearest(text, names, s->environment_count);
	for (size_t i = 0; i < s->environment_count && near == NULL; i++) {
		const char *slash = strchr(names[i], '/');

		if (slash == NULL || strcmp(slash + 1, text) != 0)
			continue;
		(void)snprintf(out, ENVIRONMENT_ID_MAX + 24, "; write %s%s",
		    n_there == 0 ? "" : "APPLICATION", n_there == 0 ? names[i] : slash);
		n_there++;
	}
	if (near != NULL)
		(void)snprintf(out, ENVIRONMENT_ID_MAX + 24, "; did you mean %s?", near);
	return out;
}

/* A grant of nothing: that is said, to the admins too, and all else is in force. */
static void
say_idle(const struct checked *c, enum settings_severity severity, const char *reason)
{
	char name[SETTING_NAME_MAX], whole[LIMIT_LINE + 64];
	struct settings_line *line = settings_say_of(c->l, severity, c->role, c->may, "%s", reason);

	if (severity == SETTINGS_ERROR)
		return;
	/* Of an application's the file is named in the place of the setting. */
	text_setf(whole, "%s: %s", settings_name_in(c->role, c->may, name), reason);
	settings_warn(c->l, line, name, c->l->main != NULL ? whole : reason);
}

static void
say_missing(const struct checked *c, enum settings_severity severity, const char *what)
{
	char reason[LIMIT_LINE + 64];

	text_setf(reason, "%s: take this grant out, or put back what it names", what);
	say_idle(c, severity, reason);
}

/* What is the server's, where it reaches nothing of it; *:* means what there is, and is no mistake.
 * It was taken once: an error would end a server that is upgraded. */
static void
say_unreached(const struct checked *c, const struct grant *grant, const char *text)
{
	enum policy_action action =
	    (grant->actions & POLICY_ACTION_BIT(POLICY_TOKEN)) != 0 ? POLICY_TOKEN : POLICY_TWO_FA;
	char reason[LIMIT_LINE + 64];

	text_setf(reason, "%s: grants nothing, for %s is the server's: write %s:*/* %s", text,
	    policy_action_thing(action), policy_action_rows[action].word,
	    c->l->s->application[0] != '\0' ? "in a role of the settings file" : "here");
	say_idle(c, SETTINGS_WARNING, reason);
}

static void
check_target(const struct checked *c, const struct grant *grant, const char *text)
{
	const struct settings *s = c->l->s;
	char near[ENVIRONMENT_ID_MAX + 24], target[SETTINGS_GRANT_TARGET];
	char what[LIMIT_LINE];
	bool is_refused = false;

	if (s->application[0] != '\0' &&
	    (grant->is_client || strcmp(grant->application, s->application) != 0)) {
		SAY(c, c->may,
		    "%s: an application's file grants nothing of another: say it in the settings file",
		    text);
		return;
	}
	if (grant->is_client && strcmp(grant->name, "*") != 0 &&
	    settings_client(s, grant->name) == NULL)
		SAY(c, c->may, "%s: there is no client %s: CLIENTS lists them", text, grant->name);
	if (grant->is_client)
		return;
	(void)settings_grant_target(grant, target);
	if (grant->application[0] != '\0' && strcmp(grant->application, "*") != 0 &&
	    !has_application(s, grant->application, &is_refused)) {
		const char *now = new_name(s, grant->application);

		text_setf(what,
		    now == NULL ? "%s: there is no application %s" :
				  "%s: %s is called %s now (RENAMED_FROM): write %s/%s",
		    text, grant->application, now, now, grant->name);
		say_missing(c, settings_gone(c->l, grant, false), what);
	} else if (!is_refused && strcmp(target, "*/*") != 0 &&
	    !settings_has_granted(s, grant, true)) {
		text_setf(what, "%s: there is no environment %s%s", text, target,
		    nearest_environment(s, target, near));
		say_missing(c, settings_gone(c->l, grant, true), what);
	}
}

/* What is right as it is written, and is of no use. */
static void
check_use(const struct checked *c, const struct grant *grant, const char *text)
{
	char why[LIMIT_LINE];
	enum settings_idle idle = settings_idle_grant(c->l, grant, "grants nothing", why);
	bool is_of_secret = grant->actions == POLICY_ACTION_BIT(POLICY_SECRET);

	if (idle != SETTINGS_NOT_IDLE)
		settings_say_of(c->l,
		    idle == SETTINGS_OTHER_KIND && is_of_secret ? SETTINGS_FLAW : SETTINGS_WARNING,
		    c->role, c->may, "%s: %s", text, why);
}

uint32_t
settings_unreached(const struct grant *grant)
{
	return strcmp(grant->application, "*") == 0 && strcmp(grant->name, "*") == 0 ?
	    0 :
	    policy_action_of_server(grant->actions);
}

/* Is one of its targets all there are? */
static bool
names_all(const char *application, const char *list)
{
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];
	bool has_target, is_all = false;

	while (list != NULL && setting_next(&list, text, sizeof(text))) {
		struct grant grant = settings_read_grant(application, text, action, &has_target);

		is_all |= strcmp(grant.application, "*") == 0 && strcmp(grant.name, "*") == 0;
	}
	return is_all;
}

static void
check_grants(const struct checked *c)
{
	const char *list = settings_own(c->role, c->may)->text;
	const char *application = c->l->s->application;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX], near[SETTINGS_NEAR_MAX];
	bool has_target, is_somewhere = false, is_everywhere = names_all(application, list);

	if (list == NULL)
		return; /* that was said */
	while (setting_next(&list, text, sizeof(text))) {
		struct grant grant = settings_read_grant(application, text, action, &has_target);

		is_somewhere |= has_target;
		if (strcmp(action, "*") != 0 && settings_unreached(&grant) != 0 &&
		    (has_target || !is_everywhere))
			say_unreached(c, &grant, text);
		if (grant.actions == 0)
			SAY(c, c->may, "%s: there is no action %s%s", text, action,
			    settings_near_action(text, action, near));
		else
			check_use(c, &grant, text);
		if (has_target)
			check_target(c, &grant, text);
	}
	if (!is_somewhere)
		SAY(c, c->may, "names no target: write ACTION:APPLICATION/ENVIRONMENT (*/*: all)");
}

/* Somebody who is there twice, once with an end, is a mistake that nobody sees. */
static void
check_people(const struct checked *c)
{
	const char *all = settings_own(c->role, ROLE_SETTING_IDS)->text, *list = all;
	char part[64], other[64];

	for (size_t i = 0; list != NULL && setting_next(&list, part, sizeof(part)); i++) {
		const char *before = all;

		for (size_t j = 0; j < i && setting_next(&before, other, sizeof(other)); j++)
			if (strtoll(part, NULL, 10) == strtoll(other, NULL, 10))
				SAY(c, ROLE_SETTING_IDS, "%lld is there twice",
				    strtoll(part, NULL, 10));
	}
}

static bool
is_built_in(const char *name)
{
	static const char *const names[] = {
#define DEFAULT_ROLE(name, ...) name,
#include "settings/settings_defaults.def"
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
check_role(const struct checked *c)
{
	if (is_built_in(c->role->name))
		SAY(c, ROLE_SETTING_IDS, "there is a role %s already: take another name",
		    c->role->name);
	if (!settings_own(c->role, ROLE_SETTING_IDS)->is_given)
		SAY(c, ROLE_SETTING_IDS, "is not set, and a role needs people");
	if (!settings_own(c->role, c->may)->is_given)
		SAY(c, c->may, "is not set, and a role needs what its people may");
	check_people(c);
	check_grants(c);
}

/* What no program is let do, whatever its line says. */
static void
check_never(const struct checked *c)
{
	static const char *const never[] = { "*", "approve", "confirm", "emergency", "2fa",
		"token" };
	const char *list = settings_own(c->role, c->may)->text;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];
	bool has_target;

	while (list != NULL && setting_next(&list, text, sizeof(text))) {
		(void)settings_read_grant("", text, action, &has_target);
		for (size_t i = 0; i < COUNT(never); i++)
			if (strcmp(action, never[i]) == 0)
				SAY(c, c->may,
				    "%s: a workflow approves nothing, and makes no way in: take this out",
				    text);
	}
}

/* Nobody but who has it stands behind a key: it begins nothing. */
static void
check_key(const struct checked *c)
{
	const char *list = settings_own(c->role, c->may)->text;
	char text[GRANT_TEXT], action[SETTINGS_ACTION_MAX];
	bool has_target;

	if (settings_own(c->role, WORKFLOW_SETTING_IS)->is_given)
		SAY(c, WORKFLOW_SETTING_KEY,
		    "a workflow is known by _IS or by _KEY, and both are set: take one out");
	while (list != NULL && setting_next(&list, text, sizeof(text)))
		if (settings_read_grant("", text, action, &has_target).actions !=
		    POLICY_ACTION_BIT(POLICY_SECRET))
			SAY(c, c->may,
			    "%s: a key is good for secrets alone (secret.NAME): what starts work has hooks, so take this out",
			    text);
}

static void
check_workflow(const struct checked *c)
{
	const char *is = settings_own(c->role, WORKFLOW_SETTING_IS)->text;
	bool has_key = settings_own(c->role, WORKFLOW_SETTING_KEY)->is_given;
	struct workflow_line line;
	struct err err;

	if (has_key)
		check_key(c);
	else if (!settings_own(c->role, WORKFLOW_SETTING_IS)->is_given)
		SAY(c, WORKFLOW_SETTING_IS,
		    "is not set, and a workflow needs which it is, or a WORKFLOW_<NAME>_KEY");
	else if (is != NULL && !workflow_line_read(is, &line, &err))
		SAY(c, WORKFLOW_SETTING_IS, "%s", err.text);
	if (!settings_own(c->role, c->may)->is_given)
		SAY(c, c->may, "is not set, and a workflow needs what it may");
	check_never(c);
	check_grants(c);
}

void
settings_check_roles(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_ROLE)
			check_role(&(struct checked){ l, in->members[i], ROLE_SETTING_MAY });
		else if (in->members[i]->family == FAMILY_WORKFLOW)
			check_workflow(
			    &(struct checked){ l, in->members[i], WORKFLOW_SETTING_MAY });
}
