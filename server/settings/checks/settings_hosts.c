/* settings_hosts.c - <ENV>_HOSTS_FILE and patterns of hosts: for which transports they are.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/setting.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_inside.h"
#include "types/waves.h"

#define SAY(...) \
	settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_HOSTS_FILE, __VA_ARGS__)

/* All of them, each as a line of an order: a rollback goes to all that were touched in one run. */
static size_t
bytes_of(const char *list)
{
	char part[SETTING_PART_MAX + 1], name[SETTINGS_CLAIM_HOST];
	size_t bytes = sizeof("= @") + LIMIT_COMMIT + LIMIT_IMAGE;

	while (list != NULL && setting_next(&list, part, sizeof(part)))
		bytes += strlen(settings_claims_host(part, name)) + 1;
	return bytes;
}

static void
check(struct settings_loader *l, const struct environment_settings *e)
{
	const char *transport = settings_transport_of(e);
	bool is_agent = strcmp(transport, "agent") == 0;
	size_t hosts = waves_hosts(e->hosts), bytes = bytes_of(e->hosts);
	char other[SETTING_NAME_MAX];

	if (settings_own(e->member, ENVIRONMENT_SETTING_HOST)->is_given)
		SAY("is set together with %s: take one of them out",
		    settings_name_in(e->member, ENVIRONMENT_SETTING_HOST, other));
	else if (settings_value_of(e->of, e->member, SETTING_DEPLOY_SCRIPT)->is_given)
		SAY("is not read by the DEPLOY_SCRIPT of %s: take one of them out", e->name);
	else if (!is_agent && strcmp(transport, "ssh") != 0 && strcmp(transport, "systemd") != 0)
		SAY("is for ssh, systemd and agent: DEPLOY_TRANSPORT of %s is %.20s", e->name,
		    transport);
	else if (is_agent && hosts > SETTING_HOSTS_MAX)
		SAY("names %zu agents, and %d at most may be: make it several environments", hosts,
		    SETTING_HOSTS_MAX);
	else if (waves_are_set(e->waves) && bytes > LIMIT_RUN_HOSTS)
		SAY("has %zu KB of names, and a rollback to all takes %d: shorten names",
		    bytes / 1024, LIMIT_RUN_HOSTS / 1024);
}

/* Which agents there are says the database, and only the server knows that. */
static void
check_pattern(struct settings_loader *l, const struct environment_settings *e)
{
	const char *transport = settings_transport_of(e);
	bool is_script = settings_value_of(e->of, e->member, SETTING_DEPLOY_SCRIPT)->is_given;

	if (is_script || strcmp(transport, "agent") != 0)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_HOST,
		    "has a pattern (*), which stands for agents, and %s of %s is %.20s: name its hosts",
		    is_script ? "DEPLOY_SCRIPT" : "DEPLOY_TRANSPORT", e->name,
		    is_script ? "set" : transport);
}

void
settings_check_hosts(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++) {
		const struct environment_settings *e = &l->s->environments[i];

		if (e->of == l->s &&
		    settings_own(e->member, ENVIRONMENT_SETTING_HOSTS_FILE)->is_given)
			check(l, e);
		else if (e->of == l->s && e->in_waves.is_pattern)
			check_pattern(l, e);
	}
}
