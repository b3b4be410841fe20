/* settings_change.c - settings read again beside a running snapshot: what has changed, what waits.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <string.h>

#include "lib/buf.h"

/* What a comparison works with. */
struct change {
	struct buf *names;
	struct buf *restart_names;
};

static void
add_name(struct buf *names, const char *name)
{
	buf_addf(names, "%s%s", names->size > 0 ? ", " : "", name);
}

static void
compare(const struct change *change, const char *name, const struct settings_value *a,
    const struct settings_value *b, bool waits)
{
	const char *old = a == NULL ? NULL : a->text, *fresh = b == NULL ? NULL : b->text;

	if (old == NULL || fresh == NULL ? old == fresh : strcmp(old, fresh) == 0)
		return;
	add_name(change->names, name);
	if (waits)
		add_name(change->restart_names, name);
}

/* Does it stay as it is until a restart?  The webhook's secret goes with how updates are received:
 * a running webhook is never left without one. */
static bool
waits(const struct settings *running, const struct settings *fresh, enum setting setting)
{
	if (setting == SETTING_TELEGRAM_WEBHOOK_SECRET)
		return running->telegram_mode != fresh->telegram_mode;
	return settings_table_needs_restart(settings_table[setting].name);
}

static const struct settings_member *
member_of(const struct settings *s, const struct settings_member *member)
{
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (s->inside->members[i]->family == member->family &&
		    strcmp(s->inside->members[i]->name, member->name) == 0)
			return s->inside->members[i];
	return NULL;
}

/* Those of one member: either may not be there. */
static void
compare_member(
    const struct change *change, const struct settings_member *a, const struct settings_member *b)
{
	const struct settings_member *member = a == NULL ? b : a;
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == member->family)
			compare(change,
			    setting_name(settings_table_families[i].name, member->name, name),
			    a == NULL ? NULL : &a->values[i], b == NULL ? NULL : &b->values[i],
			    false);
}

bool
settings_diff(const struct settings *running, const struct settings *fresh, struct buf *names,
    struct buf *restart_names)
{
	const struct change change = { names, restart_names };
	const struct settings_inside *a = running->inside, *b = fresh->inside;
	size_t before = names->size;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		compare(&change, settings_table[i].name, &a->values[i], &b->values[i],
		    waits(running, fresh, (enum setting)i));
	for (size_t i = 0; i < b->member_count; i++)
		compare_member(&change, member_of(running, b->members[i]), b->members[i]);
	for (size_t i = 0; i < a->member_count; i++)
		if (member_of(fresh, a->members[i]) == NULL)
			compare_member(&change, a->members[i], NULL);
	/* cppcheck-suppress knownConditionTrueFalse ; compare() adds to it */
	return names->size > before;
}

static bool
copy_value(struct settings_value *to, const struct settings_value *from)
{
	char *text = from->text == NULL ? NULL : strdup(from->text);

	if (text == NULL && from->text != NULL)
		return false;
	settings_wipe_text(&to->text);
	to->text = text;
	to->is_given = from->is_given; /* the file stays: it is the one to look at */
	return true;
}

static bool
keep_running(const struct settings *running, struct settings *fresh)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (waits(running, fresh, (enum setting)i) &&
		    !copy_value(&fresh->inside->values[i], &running->inside->values[i]))
			return false;
	settings_fill(fresh);
	return true;
}

bool
settings_reload(const struct settings *running, const char *env_file, char *const environ_list[],
    struct settings **ret, struct settings_report *report, struct buf *names,
    struct buf *restart_names)
{
	CLEANUP(settings_unrefp) struct settings *fresh = NULL;

	if (!settings_load(env_file, environ_list, &fresh, report))
		return false;
	(void)settings_diff(running, fresh, names, restart_names); /* the names say */
	if (!keep_running(running, fresh)) {
		settings_say(report, SETTINGS_ERROR, "no memory for settings");
		return false;
	}
	*ret = TAKE(fresh);
	return true;
}
