/* settings_waves.c - <ENV>_WAVES, what belongs to it, and {host} of a health URL: what they are for.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/err.h"
#include "lib/host_lines.h"
#include "lib/setting.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_inside.h"
#include "types/probe.h"
#include "types/waves.h"

/* In whatever spelling. */
static bool
is_a_host(const char *canary, const char *list)
{
	char part[SETTING_PART_MAX + 1], name[SETTINGS_CLAIM_HOST], of[SETTINGS_CLAIM_HOST];

	(void)settings_claims_host(canary, of);
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		if (host_matches(settings_claims_host(part, name), of))
			return true;
	return false;
}

static void
check_canary(struct settings_loader *l, const struct environment_settings *e)
{
	if (e->in_waves.canary != NULL && !is_a_host(e->in_waves.canary, e->hosts))
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_CANARY,
		    "%.60s is none of the hosts of %s: name one of them", e->in_waves.canary,
		    e->name);
	else if (e->in_waves.canary != NULL && !e->in_waves.is_set)
		settings_say_of(l, SETTINGS_WARNING, e->member, ENVIRONMENT_SETTING_CANARY,
		    "has no effect without <ENV>_WAVES: all hosts are released to in one run");
}

static void
check(struct settings_loader *l, const struct environment_settings *e)
{
	const char *transport = settings_transport_of(e);
	/* How many match is known at the question: it has room for the most. */
	size_t hosts = e->in_waves.is_pattern ? SETTING_HOSTS_MAX : waves_hosts(e->hosts);
	struct waves waves;
	struct err err;

	if (!waves_are_set(e->waves) && strcmp(e->waves, "100%") == 0) {
		if (!e->in_waves.is_set && e->in_waves.failures_max != NULL &&
		    strcmp(e->in_waves.failures_max, "0") != 0)
			settings_say_of(l, SETTINGS_WARNING, e->member,
			    ENVIRONMENT_SETTING_FAILURES_MAX,
			    "has no effect without <ENV>_WAVES: hosts are counted in waves alone");
		return;
	}
	if (settings_value_of(e->of, e->member, SETTING_DEPLOY_SCRIPT)->is_given)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_WAVES,
		    "needs deploybot's own scripts: DEPLOY_SCRIPT of %s does not say how each host ends",
		    e->name);
	else if (strcmp(transport, "ssh") != 0 && strcmp(transport, "systemd") != 0 &&
	    strcmp(transport, "agent") != 0)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_WAVES,
		    "is for hosts: DEPLOY_TRANSPORT of %s is %.20s, and waves are of ssh, systemd and agent",
		    e->name, transport);
	else if (hosts > 0 && !waves_read(e->waves, hosts, &waves, &err)) /* else that is said */
		settings_say_of(
		    l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_WAVES, "%s", err.text);
}

/* Each host of a wave is asked at its own: without waves nobody knows which they are. */
static void
check_template(struct settings_loader *l, const struct environment_settings *e)
{
	bool is_twice = false;

	for (size_t i = 0; i < e->health_url_count; i++)
		is_twice |= probe_is_template(e->health_urls[i]);
	if (!e->in_waves.is_set)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_HEALTH_URL,
		    PROBE_HOST
		    " is each host of a wave, and %s has no <ENV>_WAVES: name its host, or set those",
		    e->name);
	else if (is_twice)
		settings_say_of(l, SETTINGS_ERROR, e->member, ENVIRONMENT_SETTING_HEALTH_URL,
		    "has " PROBE_HOST " twice: one address with it is for all hosts of %s",
		    e->name);
}

void
settings_check_waves(struct settings_loader *l)
{
	for (size_t i = 0; i < l->s->environment_count; i++) {
		const struct environment_settings *e = &l->s->environments[i];

		if (e->of != l->s)
			continue;
		if (e->waves != NULL) {
			check(l, e);
			check_canary(l, e);
		}
		if (e->health_template != NULL)
			check_template(l, e);
	}
}
