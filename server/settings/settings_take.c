/* settings_take.c - the values of one snapshot, from sources that are read, and their checks.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_loans.h"
#include "settings/settings_inside.h"

#include "lib/mem.h"
#include "lib/text.h"

struct settings *
settings_make_empty(const char *application)
{
	struct settings *s = mem_new(1, sizeof(*s));

	s->inside = mem_new(1, sizeof(*s->inside));
	atomic_init(&s->inside->count, 1);
	text_set(s->inside->application, application);
	s->application = s->inside->application;
	return s;
}

/* --- values and what they ask of each other: first what applications share, then their own --- */

void
settings_take_table(struct settings_loader *l, bool own)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if ((settings_table[i].scope == SCOPE_OWN) == own)
			settings_take_value(l, &settings_table[i], settings_table[i].name,
			    settings_table[i].fallback, &l->s->inside->values[i]);
}

static void
fill_and_check(struct settings_loader *l, bool own)
{
	if (settings_fill(l->s))
		settings_check_rules(l, own);
	else
		settings_say(l->report, SETTINGS_ERROR, SETTINGS_ZONE_GONE);
}

void
settings_take_shared(struct settings_loader *l)
{
	settings_take_table(l, false);
	settings_take_named_families(l);
	if (l->main == NULL)
		settings_take_families(l, false);
	settings_find_users(l);
	fill_and_check(l, false);
}

void
settings_take_own(struct settings_loader *l)
{
	settings_take_table(l, true);
	settings_take_families(l, true);
	fill_and_check(l, true);
}

void
settings_take_all(struct settings_loader *l)
{
	settings_take_shared(l);
	settings_take_own(l);
	settings_check_roles(l);
	settings_check_approvals(l);
	settings_check_pipelines(l);
	settings_check_loans(l);
	settings_check_users(l);
	settings_check_hook_lines(l);
}
