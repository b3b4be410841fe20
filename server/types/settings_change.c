/* settings_change.c - settings read again beside a running snapshot: what has changed, what waits.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_inside.h"

#include <string.h>

#include "lib/buf.h"

static void
compare(const char *name, const char *old, const char *fresh, struct buf *names,
    struct buf *restart_names)
{
	bool same = old == NULL || fresh == NULL ? old == fresh : strcmp(old, fresh) == 0;

	if (same)
		return;
	buf_addf(names, "%s%s", names->size > 0 ? ", " : "", name);
	if (settings_table_needs_restart(name))
		buf_addf(restart_names, "%s%s", restart_names->size > 0 ? ", " : "", name);
}

static const struct settings_environment_inside *
inside_of(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->inside->environments[i]->name, name) == 0)
			return s->inside->environments[i];
	return NULL;
}

static void
compare_environment(const char *environment, const struct settings *old,
    const struct settings *fresh, struct buf *names, struct buf *restart_names)
{
	const struct settings_environment_inside *a = inside_of(old, environment);
	const struct settings_environment_inside *b = inside_of(fresh, environment);
	char name[SETTINGS_TABLE_NAME];

	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		compare(settings_table_name(&settings_table_environment[i], environment, name),
		    a == NULL ? NULL : a->values[i].text, b == NULL ? NULL : b->values[i].text,
		    names, restart_names);
}

bool
settings_diff(const struct settings *old, const struct settings *fresh, struct buf *names,
    struct buf *restart_names)
{
	size_t before = names->size;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		compare(settings_table[i].name, old->inside->values[i].text,
		    fresh->inside->values[i].text, names, restart_names);
	for (size_t i = 0; i < fresh->environment_count; i++)
		compare_environment(fresh->environments[i].name, old, fresh, names, restart_names);
	for (size_t i = 0; i < old->environment_count; i++)
		if (settings_environment(fresh, old->environments[i].name) == NULL)
			compare_environment(
			    old->environments[i].name, old, fresh, names, restart_names);
	return names->size > before;
}
