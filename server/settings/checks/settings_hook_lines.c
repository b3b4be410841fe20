/* settings_hook_lines.c - HOOK_<NAME>_STARTS: what is wrong with each, and who shares a secret.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/text.h"
#include "settings/settings_inside.h"
#include "types/hook.h"
#include "types/roles.h"

#define LINE_MAX 4096 /* names of hooks, in one line */

struct checked {
	struct settings_loader *l;
	const struct settings_member *member;
	struct hook_line line;
	struct grant grant;
};

#define SAY(c, ...) \
	settings_say_of((c)->l, SETTINGS_ERROR, (c)->member, HOOK_SETTING_STARTS, __VA_ARGS__)

/* What was there once is only worth a warning: no start fails for a file that was removed. */
static void
say_missing(const struct checked *c, bool is_whole)
{
	enum settings_severity severity = settings_gone(c->l, &c->grant, is_whole);
	char name[SETTING_NAME_MAX], what[LIMIT_LINE];
	struct settings_line *line;

	text_setf(what, "there is no environment %s: this hook starts nothing", c->line.target);
	line = settings_say_of(c->l, severity, c->member, HOOK_SETTING_STARTS, "%s", what);
	if (severity != SETTINGS_ERROR)
		settings_warn(
		    c->l, line, settings_name_in(c->member, HOOK_SETTING_STARTS, name), what);
}

static void
check_environment(const struct checked *c)
{
	const struct settings *s = c->l->s;
	const struct environment_settings *of = settings_environment(s, c->line.target);
	const char *application = c->grant.application;

	if (of == NULL && !settings_is_unread_application(s, application, strlen(application)))
		say_missing(c, settings_application(s, application) != NULL);
	else if (of != NULL && c->line.action[0] == '\0' && of->branch == NULL &&
	    c->line.value[0] == '\0')
		SAY(c, "%s has no branch: say which commit, as ref=$.ref", c->line.target);
}

static void
check_client(const struct checked *c, const struct action *action)
{
	const struct client_settings *client = settings_client(c->l->s, c->grant.name);

	if (client == NULL)
		SAY(c, "there is no client %s: CLIENTS lists them", c->grant.name);
	else if ((client->actions & action_bit(action)) == 0)
		SAY(c, "%s has no %s: add it to its ACTIONS, or take this out", client->id,
		    action->name);
}

static void
check_target(const struct checked *c, const struct action *action)
{
	const struct settings *s = c->l->s;

	if (s->application[0] != '\0' &&
	    (c->grant.is_client || strcmp(c->grant.application, s->application) != 0))
		SAY(c,
		    "%s: an application's file starts nothing of another: say it in the settings file",
		    c->line.target);
	else if (c->grant.is_client != (action != NULL && action->target == ACTION_ON_CLIENT))
		SAY(c, "%s is %s", c->line.target,
		    c->grant.is_client ? "a client, which that is not done to" :
					 "an environment, which that is not done to");
	else if (c->grant.is_client)
		check_client(c, action);
	else
		check_environment(c);
}

static void
check(struct checked *c)
{
	const char *own = settings_own(c->member, HOOK_SETTING_SECRET)->text;
	char secret[SETTING_NAME_MAX];
	const char *starts = settings_own(c->member, HOOK_SETTING_STARTS)->text;
	const struct settings *s = c->l->s;
	char action[SETTINGS_ACTION_MAX], near[SETTINGS_NEAR_MAX];
	const struct action *of;
	bool has_target;

	if (starts == NULL) {
		SAY(c, "is not set, and a hook needs what it starts");
		return;
	}
	hook_line_read(starts, s->application, &c->line);
	c->grant = settings_read_grant(s->application, c->line.grant, action, &has_target);
	of = action_find(c->line.action);
	if (c->grant.actions == 0) {
		SAY(c, "there is no action %s%s", action,
		    settings_near_action(c->line.grant, action, near));
		return;
	}
	check_target(c, of);
	if (c->line.key[0] != '\0' &&
	    strcmp(c->line.key, c->line.action[0] == '\0' ? "ref" : "argument") != 0)
		SAY(c, "%s=: a deployment takes ref=, an action argument=", c->line.key);
	if (own == NULL && settings_text(s, SETTING_WEBHOOK_API_SECRET) == NULL)
		SAY(c, "it has no secret: set %s, or WEBHOOK_API_SECRET",
		    settings_name_in(c->member, HOOK_SETTING_SECRET, secret));
}

void
settings_check_hook_lines(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;

	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_HOOK)
			check(&(struct checked){ .l = l, .member = in->members[i] });
}

/* Those behind the first that have its secret. */
static void
say_shared(struct settings_loader *l, const struct hook *first, size_t at)
{
	struct hook other;
	CLEANUP(buf_done) struct buf names = buf_make(LINE_MAX);

	while (hook_next(l->s, &at, &other))
		if (crypto_same_text(other.secret.values[0], first->secret.values[0]))
			buf_addf(&names, ", /hooks/%s", other.id);
	if (names.size > 0 && !buf_failed(&names))
		settings_say(l->report, SETTINGS_NOTE,
		    "/hooks/%s%s share one secret%s: who may call one may call all of them",
		    first->id, buf_text(&names), first->is_shared ? ", WEBHOOK_API_SECRET" : "");
}

/* Has one before it the same? */
static bool
is_said(const struct settings *s, const struct hook *hook)
{
	struct hook before;

	for (size_t at = 0; hook_next(s, &at, &before) && strcmp(before.id, hook->id) != 0;)
		if (crypto_same_text(before.secret.values[0], hook->secret.values[0]))
			return true;
	return false;
}

void
settings_say_hook_lines(struct settings_loader *l)
{
	struct hook hook;
	bool is_any = false;
	size_t at = 0;

	while (hook_next(l->s, &at, &hook)) {
		is_any = true;
		if (hook.secret.values[0] != NULL && !is_said(l->s, &hook))
			say_shared(l, &hook, at);
	}
	if (is_any && !l->s->enable_api_server)
		settings_say(l->report, SETTINGS_NOTE,
		    "there are hooks, and /hooks is not served: ENABLE_API_SERVER=true does that");
}
