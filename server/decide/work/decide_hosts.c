/* decide_hosts.c - rows that follow the settings: what hosts claim, and which of them have left.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_hosts.h"

#include "lib/setting.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_items.h"
#include "store/row_host_leave.h"
#include "store/row_resource.h"
#include "types/settings.h"

/* --- resources --- */

static void
on_resource(void *ctx, const char *resource)
{
	settings_items_add(ctx, resource, 0);
}

static void
look_at_resources(struct tx *tx, const char *environment)
{
	struct settings_items items = { 0 };

	if (settings_claims_are_rows(tx->settings, environment))
		settings_claims_each(tx->settings, environment, on_resource, &items);
	settings_items_sort(&items);
	row_resource_set(tx, environment, &items);
	settings_items_done(&items);
}

/* --- who has left --- */

static void
look_at_hosts(struct tx *tx, const char *environment)
{
	struct settings_items items = { 0 };
	const char *list = settings_host_list(tx->settings, environment);
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
