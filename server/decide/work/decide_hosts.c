/* decide_hosts.c - rows that follow the settings: what hosts claim, and which of them have left.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_hosts.h"

#include "lib/buf.h"
#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_items.h"
#include "store/row_host_leave.h"
#include "store/row_peer.h"
#include "store/row_resource.h"
#include "types/settings.h"
#include "types/waves.h"

/* --- which they are --- */

static void
add_agents(struct tx *tx, const char *pattern, struct settings_items *items)
{
	CLEANUP(freep) row_peer_identity *found = mem_new(HOST_LINES_MAX, sizeof(*found));
	char begin[SETTING_PART_MAX + 1];
	size_t n;

	text_setf(begin, "%.*s", (int)strcspn(pattern, "*"), pattern);
	n = row_peer_agents(tx, begin, found, HOST_LINES_MAX);
	for (size_t i = 0; i < n; i++)
		settings_items_add(items, found[i] + sizeof(PEER_AGENT) - 1, 0);
}

char *
decide_hosts_of(struct tx *tx, const char *list)
{
	CLEANUP(buf_done) struct buf text = buf_make(2 * LIMIT_RUN_HOSTS);
	struct settings_items items = { 0 };
	char part[SETTING_PART_MAX + 1];
	const char *last = "", *rest = list;

	if (!host_is_pattern(list))
		return mem_text(list);
	while (setting_next(&rest, part, sizeof(part)))
		if (host_is_pattern(part))
			add_agents(tx, part, &items);
		else
			settings_items_add(&items, part, 0);
	settings_items_sort(&items);
	for (size_t i = 0; i < items.count; i++) {
		if (strcmp(items.at[i].text, last) != 0) /* two stand for it */
			buf_addf(&text, "%s%s", i > 0 ? "," : "", items.at[i].text);
		last = items.at[i].text;
	}
	tx_check(tx, &text);
	settings_items_done(&items);
	return mem_text(buf_text(&text));
}

const char *
decide_hosts_refusal(struct tx *tx, const struct environment_settings *settings)
{
	CLEANUP(freep) char *hosts = NULL;
	size_t n;

	if (settings == NULL || !settings->in_waves.is_pattern)
		return NULL;
	hosts = decide_hosts_of(tx, settings->hosts);
	n = waves_hosts(hosts);
	if (n == 0)
		return "no enrolled agent has a name that its pattern in <ENV>_HOST stands for";
	return n > SETTING_HOSTS_MAX ? "its pattern in <ENV>_HOST stands for more than 64 agents" :
				       NULL;
}

/* --- resources --- */

struct resources {
	const char *hosts; /* as decide_hosts_of() has them */
	struct settings_items items;
};

static void
on_resource(void *ctx, const char *resource)
{
	struct resources *to = ctx;
	const char *list = to->hosts, *star = strchr(resource, '*');
	char part[SETTING_PART_MAX + 1], one[LIMIT_RESOURCE];

	if (star == NULL)
		settings_items_add(&to->items, resource, 0);
	while (star != NULL && setting_next(&list, part, sizeof(part))) {
		text_setf(one, "host:%s%s", part, star + 1);
		if (host_matches(resource, one))
			settings_items_add(&to->items, one, 0);
	}
}

static void
look_at_resources(struct tx *tx, const char *environment)
{
	const char *list = settings_host_list(tx->settings, environment);
	CLEANUP(freep) char *hosts = list != NULL ? decide_hosts_of(tx, list) : NULL;
	struct resources to = { .hosts = hosts };

	if (settings_claims_are_rows(tx->settings, environment))
		settings_claims_each(tx->settings, environment, on_resource, &to);
	settings_items_sort(&to.items);
	row_resource_set(tx, environment, &to.items);
	settings_items_done(&to.items);
}

/* --- who has left --- */

static void
look_at_hosts(struct tx *tx, const char *environment)
{
	struct settings_items items = { 0 };
	const char *set = settings_host_list(tx->settings, environment);
	CLEANUP(freep) char *hosts = set != NULL ? decide_hosts_of(tx, set) : NULL;
	const char *list = hosts;
	char part[SETTING_PART_MAX + 1], name[SETTINGS_CLAIM_HOST];

	while (list != NULL && setting_next(&list, part, sizeof(part)))
		settings_items_add(&items, settings_claims_host(part, name), 0);
	settings_items_sort(&items);
	row_host_leave(tx, environment, &items);
	settings_items_done(&items);
}

void
decide_hosts_look(struct tx *tx)
{
	char name[LIMIT_ENVIRONMENT] = "";

	for (size_t i = 0; i < tx->settings->environment_count; i++)
		if (settings_claims_are_rows(tx->settings, tx->settings->environments[i].name))
			look_at_resources(tx, tx->settings->environments[i].name);
	while (row_resource_next(tx, name))
		if (!settings_claims_are_rows(tx->settings, name))
			look_at_resources(tx, name);
	for (name[0] = '\0'; row_host_leave_next(tx, name);)
		look_at_hosts(tx, name);
}

void
decide_hosts_agents(struct tx *tx)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (!e->in_waves.is_pattern)
			continue;
		look_at_resources(tx, e->name);
		look_at_hosts(tx, e->name);
	}
}

void
decide_hosts_move(struct tx *tx, const char *agent)
{
	char name[SETTINGS_CLAIM_HOST];

	(void)settings_claims_host(agent, name);
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (strcmp(settings_transport_of(e), "agent") == 0)
			row_host_move(tx, e->name, name);
	}
}
