/* settings_runners.c - the remote runners, and which environment has one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_runners.h"

#include <stdio.h>

#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_inside.h"
#include "types/peers.h"

#define RUNNERS_MOST 16
#define SEPARATORS   ", "

bool
settings_next_runner(const struct settings *s, size_t *at, char ret[LIMIT_RUNNER])
{
	const char *rest = s->link.runners == NULL ? "" : s->link.runners + *at;
	size_t blank = strspn(rest, SEPARATORS), size = strcspn(rest + blank, SEPARATORS);

	*at += blank + size;
	(void)snprintf(ret, LIMIT_RUNNER, "%.*s", (int)size, rest + blank);
	return size > 0;
}

bool
settings_has_runner(const struct settings *s, const char *name)
{
	char one[LIMIT_RUNNER];

	for (size_t at = 0; settings_next_runner(s, &at, one);)
		if (strcmp(one, name) == 0)
			return true;
	return false;
}

const char *
settings_runner(const struct settings *s, const char *environment)
{
	const struct environment_settings *e = settings_environment(s, environment);

	return e == NULL || e->runner == NULL ? RUNNER_LOCAL : e->runner; /* a client has none */
}

const char *
settings_server_name(const struct settings *s)
{
	return settings_text(s, SETTING_DATABASE_URL) == NULL ?
	    NULL :
	    settings_text(s, SETTING_SERVER_NAME);
}

const char *
settings_runner_row(const struct settings *s, const char *runner)
{
	const char *name = s == NULL ? NULL : settings_server_name(s);

	return name != NULL && strcmp(runner, RUNNER_LOCAL) == 0 ? name : runner;
}

void
settings_runner_read(const struct settings *s, char runner[LIMIT_RUNNER])
{
	const char *name = s == NULL ? NULL : settings_server_name(s);

	if (name != NULL && strcmp(runner, name) == 0)
		(void)text_copy(runner, LIMIT_RUNNER, RUNNER_LOCAL); /* fits */
}

bool
settings_is_servers_runner(const struct settings *s, const char *runner)
{
	return s != NULL && settings_server_name(s) != NULL && peer_is_name(runner) &&
	    strcmp(runner, RUNNER_LOCAL) != 0 && !settings_has_runner(s, runner);
}

/* The main file is an error; an application's environment alone is refused. */
static void
check_environment(struct settings_loader *l, struct environment_settings *e)
{
	struct environment_id id;
	char name[SETTING_NAME_MAX];

	if (strcmp(e->runner, RUNNER_LOCAL) == 0 || settings_has_runner(l->s, e->runner) ||
	    !environment_id_parse(e->name, &id))
		return;
	/* A reload reads no RUNNERS: what names a new one waits for the restart alone. */
	settings_say(l->report,
	    id.application[0] == '\0' && l->running == NULL ? SETTINGS_ERROR : SETTINGS_WARNING,
	    "%s%s%s: %.64s is none of RUNNERS, and not local%s", id.application,
	    id.application[0] != '\0' ? ": " : "", setting_name("<ENV>_RUNNER", id.name, name),
	    e->runner, l->running != NULL ? "; they are read at start" : "");
	if (e->refusal[0] == '\0')
		e->refusal = "its runner is none of RUNNERS, which are read at deploybot's start";
}

/* Calls go over this machine's deploybot-link, which a remote runner's scripts do not reach. */
static void
find_agents(struct settings_loader *l, struct environment_settings *e)
{
	if (settings_is_given_for(e, SETTING_DEPLOY_SCRIPT) ||
	    strcmp(settings_transport_of(e), "agent") != 0)
		return;
	if (strcmp(e->runner, RUNNER_LOCAL) == 0) {
		e->agents = e->hosts;
		return;
	}
	settings_say(l->report, SETTINGS_WARNING,
	    "%s has the runner %.64s, and DEPLOY_TRANSPORT is agent, by which only the local runner releases: it is not deployed",
	    e->name, e->runner);
	e->refusal = "releases through an agent are the local runner's (DEPLOY_TRANSPORT)";
}

void
settings_check_runners(struct settings_loader *l)
{
	char name[LIMIT_RUNNER];
	size_t n = 0;

	for (size_t at = 0; settings_next_runner(l->s, &at, name); n++)
		if (!peer_is_name(name) || strcmp(name, RUNNER_LOCAL) == 0)
			settings_say(l->report, SETTINGS_ERROR,
			    "RUNNERS: expected names of a-z, 0-9, dots and hyphens, and not local: %.64s",
			    name);
	if (n > RUNNERS_MOST)
		settings_say(
		    l->report, SETTINGS_ERROR, "RUNNERS: %zu, of %d at most", n, RUNNERS_MOST);
	if (n > 0 && l->s->link.address == NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "RUNNERS: none of them can connect: LINK_ADDRESS is not set (docs/agents.md)");
	for (size_t i = 0; i < l->s->environment_count; i++) {
		check_environment(l, &l->s->inside->environments[i]);
		find_agents(l, &l->s->inside->environments[i]);
	}
}
