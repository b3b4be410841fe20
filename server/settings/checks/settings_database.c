/* settings_database.c - a database of several servers, and what only one of them would have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_database.h"

#include <string.h>

#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/host_lines.h"
#include "settings/checks/settings_claims.h"
#include "settings/checks/settings_runners.h"
#include "settings/settings_inside.h"
#include "types/peers.h"

/* Is one of these agents, with commas between, called so? */
static bool
has_name(const char *agents, const char *name)
{
	char one[CRYPTO_CA_NAME_MAX + 1];

	while (agents != NULL && setting_next(&agents, one, sizeof(one)))
		if (host_matches(one, name))
			return true;
	return false;
}

/* Runs are known by the name of who has them: two of one name would take each other's. */
static void
check_name(struct settings_loader *l)
{
	const struct settings *s = l->s;
	const char *name = settings_server_name(s), *whose = NULL;

	if (settings_has_runner(s, name))
		whose = "one of RUNNERS";
	for (size_t i = 0; i < s->environment_count; i++)
		if (has_name(s->environments[i].agents, name))
			whose = "an agent (DEPLOY_TRANSPORT=agent)";
	for (size_t i = 0; i < s->client_count; i++)
		if (has_name(peer_of_host(s->clients[i].host), name))
			whose = "an agent (CLIENT_<ID>_HOST)";
	if (strcmp(name, RUNNER_LOCAL) == 0)
		settings_say(l->report, SETTINGS_ERROR,
		    "SERVER_NAME: local is what each server calls its own runner: write another name, as server-a");
	else if (whose != NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "SERVER_NAME: %.60s is %s too: rename one of the two", name, whose);
}

/* An application's environment alone is refused, of the main file all is. */
static void
refuse(struct settings_loader *l, struct environment_settings *e, const char *setting,
    const char *why, const char *refusal)
{
	const char *slash = strchr(e->name, '/');
	char name[SETTING_NAME_MAX];

	settings_say(l->report, slash == NULL ? SETTINGS_ERROR : SETTINGS_WARNING, "%.*s%s%s: %s",
	    slash == NULL ? 0 : (int)(slash - e->name), e->name, slash == NULL ? "" : ": ",
	    setting_name(setting, slash == NULL ? e->name : slash + 1, name), why);
	if (e->refusal[0] == '\0')
		e->refusal = refusal;
}

/* What its scripts leave behind is the machine's that has run them; of a remote runner's always the
 * same one's. */
static void
check_environment(struct settings_loader *l, struct environment_settings *e)
{
	const char *transport = settings_transport_of(e);
	const char *source = settings_text_for(e, SETTING_IMAGE_SOURCE);

	if (strcmp(e->runner, RUNNER_LOCAL) != 0 || settings_is_given_for(e, SETTING_DEPLOY_SCRIPT))
		return;
	if (strcmp(transport, "local") == 0)
		refuse(l, e, "<ENV>_RUNNER",
		    "is local, as the transport is, and with DATABASE_URL the application would run on whichever server leads: name one of RUNNERS, or another DEPLOY_TRANSPORT",
		    "the transport local needs a runner of its own where DATABASE_URL is set");
	else if (strcmp(transport, "systemd") != 0 &&
	    (source == NULL || strcmp(source, "registry") != 0) &&
	    !settings_is_given_for(e, SETTING_REGISTRY_URL))
		refuse(l, e, "<ENV>_REGISTRY_URL",
		    "is not set, and with DATABASE_URL an image that one server has built is not on the other: name a registry that both reach, or set IMAGE_SOURCE=registry",
		    "its images need a registry where DATABASE_URL is set");
}

static void
check_clients(struct settings_loader *l)
{
	struct settings_member *member;
	const char *host;

	for (size_t at = 0; (member = settings_next_member(l->s, FAMILY_CLIENT, &at)) != NULL;) {
		host = settings_own(member, CLIENT_SETTING_HOST)->text;
		if (host != NULL && strcmp(host, "local") == 0)
			settings_say_of(l, SETTINGS_ERROR, member, CLIENT_SETTING_HOST,
			    "is local, and with DATABASE_URL that is whichever server leads: write USER@HOST or agent:NAME");
	}
}

void
settings_check_database(struct settings_loader *l)
{
	const char *url = settings_text(l->s, SETTING_DATABASE_URL);
	struct err err;

	if (url == NULL)
		return;
	if (!db_url_check(url, &err))
		settings_say(l->report, SETTINGS_ERROR, "DATABASE_URL: %s", err.text);
	else if (!db_url_is_private(url))
		settings_say(l->report, l->s->is_production ? SETTINGS_ERROR : SETTINGS_WARNING,
		    "DATABASE_URL: without sslmode=verify-full whoever stands between may read and change all: add ?sslmode=verify-full&sslrootcert=FILE");
	if (settings_server_name(l->s) != NULL)
		check_name(l);
	for (size_t i = 0; i < l->s->environment_count; i++)
		check_environment(l, &l->s->inside->environments[i]);
	check_clients(l);
}
