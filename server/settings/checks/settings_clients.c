/* settings_clients.c - what is wrong with clients: their actions, hosts that an environment has, zones.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/host_lines.h"
#include "lib/url.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_inside.h"
#include "settings/checks/settings_production.h"
#include "types/action.h"
#include "types/peers.h"

/* What an action cannot do without; the others of its kind have a default. */
static const struct {
	enum action_what action;
	enum family_setting setting;
} needs[] = {
	{ ACTION_SERVICE_STATUS, CLIENT_SETTING_WEB_UNIT },
	{ ACTION_RESTART_WEB, CLIENT_SETTING_WEB_UNIT },
	{ ACTION_CLEAR_CACHE, CLIENT_SETTING_CACHE_COMMAND },
	{ ACTION_CF_UNDER_ATTACK, CLIENT_SETTING_CLOUDFLARE_ZONE },
	{ ACTION_CF_NORMAL, CLIENT_SETTING_CLOUDFLARE_ZONE },
};

struct checked {
	struct settings_loader *l;
	const struct settings_member *member;
	const struct client_settings *client;
};

#define SAY(c, severity, setting, ...) \
	settings_say_of((c)->l, severity, (c)->member, setting, __VA_ARGS__)

static void
check_action(const struct checked *c, const char *name)
{
	const struct action *action = action_find(name);
	const char *near = action_nearest(name);

	if (action == NULL)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_ACTIONS,
		    "there is no action %s%s%s%s: docs/actions.md lists them", name,
		    near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
		    near == NULL ? "" : "?");
	else if (action->target != ACTION_ON_CLIENT)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_ACTIONS,
		    "%s is done to environments, not to clients", name);
}

/* A unit of root's on its host says what is done: the settings need not. */
static bool
is_by_agent(const struct checked *c, enum action_what action)
{
	return peer_of_host(c->client->host) != NULL &&
	    action_table[action].executor == ACTION_BY_HOST;
}

static void
check_actions(const struct checked *c)
{
	const char *list = settings_own(c->member, CLIENT_SETTING_ACTIONS)->text;
	char name[ACTION_NAME];

	if (list == NULL)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_ACTIONS,
		    "is not set: what may be done there? docs/actions.md lists the actions");
	while (list != NULL && setting_next(&list, name, sizeof(name)))
		check_action(c, name);
	for (size_t i = 0; i < COUNT(needs); i++)
		if ((c->client->actions & ACTION_BIT(needs[i].action)) != 0 &&
		    !is_by_agent(c, needs[i].action) &&
		    !settings_own(c->member, needs[i].setting)->is_given)
			SAY(c, SETTINGS_ERROR, needs[i].setting, "is not set, and %s needs it",
			    action_table[needs[i].action].name);
}

/* Whatever the port: two of one host lead to one machine as a rule, and taking turns does no harm
 * elsewhere.  a: or a pattern. */
static bool
is_one_host(const char *a, const char *b)
{
	char host_a[SETTINGS_CLAIM_HOST], host_b[SETTINGS_CLAIM_HOST];

	(void)settings_claims_host(a, host_a);
	(void)settings_claims_host(b, host_b);
	if (strrchr(host_a, ':') != NULL)
		*strrchr(host_a, ':') = '\0';
	if (strrchr(host_b, ':') != NULL)
		*strrchr(host_b, ':') = '\0';
	return host_matches(host_a, host_b);
}

/* One of <ENV>_HOST, also where scripts of theirs say what is done there. */
static bool
is_host_of(const struct settings *s, const char *environment, const char *host)
{
	const char *list = settings_host_list(s, environment);
	char one[SETTING_PART_MAX + 1];

	while (list != NULL && setting_next(&list, one, sizeof(one)))
		if (is_one_host(one, host))
			return true;
	return false;
}

/* The environment whose work touches something on that host; NULL: none's does. */
static const char *
environment_on(const struct settings *s, const char *host)
{
	const char *found = NULL;
	char plain[SETTINGS_CLAIM_HOST];

	(void)settings_claims_host(host, plain);
	for (size_t i = 0; i < s->environment_count && found == NULL; i++) {
		CLEANUP(freep)
		struct settings_claims *claims = settings_claims(s, s->environments[i].name);

		if (is_host_of(s, s->environments[i].name, host))
			found = s->environments[i].name;
		for (size_t n = 0; n < claims->n && found == NULL; n++)
			if (settings_claims_is_on(claims->at[n], plain))
				found = s->environments[i].name;
	}
	return found;
}

/* What lies in the zone is found by its domain: its id says nothing. */
static void
check_domain(const struct checked *c)
{
	const char *domain = c->client->cloudflare_domain;
	char host[URL_HOST];

	if ((c->client->actions & ACTION_BIT(ACTION_CF_UNDER_ATTACK)) == 0)
		return;
	if (domain == NULL)
		SAY(c, SETTINGS_WARNING, CLIENT_SETTING_CLOUDFLARE_DOMAIN,
		    "is not set: no question before a deployment says that its health URL is under attack");
	else if (url_host_is_in(url_host(c->l->s->telegram_webhook_url, host), domain))
		SAY(c, SETTINGS_WARNING, CLIENT_SETTING_CLOUDFLARE_DOMAIN,
		    "TELEGRAM_WEBHOOK_URL lies in it: while it is under attack no webhook reaches deploybot");
}

static void
check_token(const struct checked *c)
{
	if ((c->client->actions & action_set_by(ACTION_BY_CLOUDFLARE)) != 0 &&
	    c->l->s->cloudflare_api_token == NULL)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_ACTIONS,
		    "cf-under-attack and cf-normal need CLOUDFLARE_API_TOKEN, which is not set");
}

static void
check_folder(const struct checked *c)
{
	char names[LIMIT_LINE];

	if ((c->client->actions & action_set_by(ACTION_BY_ANSIBLE)) == 0)
		return;
	if (!settings_is_given(c->l->s, SETTING_ANSIBLE_FOLDER))
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_ACTIONS,
		    "run-playbook and preview-playbook need ANSIBLE_FOLDER, which is not set");
	else if (settings_names(c->l->s, "", FAMILY_PLAYBOOK, names) == 0)
		SAY(c, SETTINGS_WARNING, CLIENT_SETTING_ACTIONS,
		    "there are no playbooks: PLAYBOOK_<NAME> says what run-playbook runs");
}

/* What is deployed there and what is done there would not know of each other. */
static void
check_target(const struct checked *c)
{
	const struct settings *s = c->l->s;
	const char *there;

	if (!settings_own(c->member, CLIENT_SETTING_HOST)->is_given && c->client->actions != 0 &&
	    (c->client->actions &
		(action_set_by(ACTION_BY_HOST) | action_set_by(ACTION_BY_ANSIBLE))) == 0)
		return; /* nothing is done on a machine of it */
	if (!settings_own(c->member, CLIENT_SETTING_HOST)->is_given) {
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_HOST,
		    "is not set: [USER@]HOST[:PORT], agent:NAME, or local for this machine");
		return;
	}
	if (peer_of_host(c->client->host) != NULL && s->link.address == NULL)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_HOST,
		    "no agent can connect: LINK_ADDRESS is not set (docs/agents.md)");
	/* Our image says that it is one (Dockerfile); another may be one that somebody works in. */
	if (c->client->host != NULL && strcmp(c->client->host, "local") == 0 &&
	    settings_is_container())
		SAY(c, getenv("container") != NULL ? SETTINGS_ERROR : SETTINGS_WARNING,
		    CLIENT_SETTING_HOST,
		    "local is this container, and not the machine that it runs on: name the host");
	if (c->client->target != c->client->as.name) {
		if (settings_environment(s, c->client->target) == NULL)
			SAY(c, SETTINGS_FLAW, CLIENT_SETTING_ENVIRONMENT,
			    "there is no environment %s: nothing can be done there",
			    c->client->target);
		return;
	}
	there = c->client->host == NULL ? NULL : environment_on(s, c->client->host);
	if (there != NULL)
		SAY(c, SETTINGS_ERROR, CLIENT_SETTING_HOST,
		    "%s is deployed to that host: CLIENT_<ID>_ENVIRONMENT=%s has both take turns",
		    there, there);
}

void
settings_check_clients(struct settings_loader *l)
{
	struct checked c = { .l = l };
	size_t at = 0;

	while ((c.member = settings_next_member(l->s, FAMILY_CLIENT, &at)) != NULL) {
		c.client = settings_client(l->s, c.member->name);
		check_actions(&c);
		check_token(&c);
		check_folder(&c);
		check_domain(&c);
		check_target(&c);
	}
}
