/* settings_change.c - settings read again beside a running snapshot: what has changed, what waits.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <string.h>

#include "lib/mem.h"

static void
add_name(struct buf *names, const char *name)
{
	buf_addf(names, "%s%s", names->size > 0 ? ", " : "", name);
}

static bool
are_one_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
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

/* What is said for one environment alone: are those the same? */
static bool
has_same_special(const struct settings_special *special, const struct settings_member *other)
{
	for (size_t i = 0; other != NULL && i < other->special_count; i++)
		if (other->specials[i].setting == special->setting)
			return are_one_text(other->specials[i].value.text, special->value.text);
	return false;
}

/* Names those of a that b has not, or not so; is_new_only: that b has not at all. */
static void
compare_specials(struct buf *names, const struct settings_member *a,
    const struct settings_member *b, bool is_new_only)
{
	char name[SETTING_NAME_MAX], its[SETTING_NAME_MAX];

	for (size_t i = 0; a != NULL && i < a->special_count; i++) {
		const enum setting setting = a->specials[i].setting;
		const char *plain = settings_table[setting].name;

		if (is_new_only ? strcmp(settings_name_of(b, setting, its), plain) == 0 :
				  !has_same_special(&a->specials[i], b))
			add_name(names, setting_special(plain, a->name, name));
	}
}

/* Of one that is not there, or has no such text: NULL. */
static const char *
text_in(const struct settings_member *member, enum family_setting setting)
{
	return member == NULL ? NULL : settings_own(member, setting)->text;
}

/* Is one of this machine's users another one by now, under the same name? */
static bool
is_other_user(const struct settings_member *a, const struct settings_member *b)
{
	return a != NULL && b != NULL &&
	    (a->person != b->person || a->user.uid != b->user.uid ||
		strcmp(a->user.other, b->user.other) != 0);
}

/* Those of one member, which one of the two may not have. */
static void
compare_member(struct buf *names, const struct settings *running, const struct settings *fresh,
    const struct settings_member *member)
{
	const struct settings_member *a = settings_member(running, member->family, member->name);
	const struct settings_member *b = settings_member(fresh, member->family, member->name);
	char name[SETTING_NAME_MAX];

	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++)
		if (settings_table_families[i].family == member->family &&
		    (is_other_user(a, b) || !are_one_text(text_in(a, i), text_in(b, i))))
			add_name(names, settings_name_in(member, i, name));
	compare_specials(names, a, b, false);
	compare_specials(names, b, a, true);
}

static void
compare_members(struct buf *names, const struct settings *running, const struct settings *fresh)
{
	for (size_t i = 0; i < fresh->inside->member_count; i++)
		compare_member(names, running, fresh, fresh->inside->members[i]);
	for (size_t i = 0; i < running->inside->member_count; i++) {
		const struct settings_member *member = running->inside->members[i];

		if (settings_member(fresh, member->family, member->name) == NULL)
			compare_member(names, running, fresh, member);
	}
}

/* Of the own ones, or of those that applications share. */
static void
compare_table(struct settings_change *change, const struct settings *running,
    const struct settings *fresh, bool own)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if ((settings_table[i].scope == SCOPE_OWN) != own ||
		    are_one_text(running->inside->values[i].text, fresh->inside->values[i].text))
			continue;
		add_name(&change->names, settings_table[i].name);
		if (waits(running, fresh, (enum setting)i))
			add_name(&change->restart_names, settings_table[i].name);
	}
}

/* --- applications --- */

/* What is the main file's in both is named there. */
static void
compare_values(struct buf *names, const struct settings_inside *a, const struct settings_inside *b,
    const struct settings *running, const struct settings *fresh)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (!are_one_text(a->values[i].text, b->values[i].text) &&
		    !(are_one_text(a->values[i].text, running->inside->values[i].text) &&
			are_one_text(b->values[i].text, fresh->inside->values[i].text)))
			add_name(names, settings_table[i].name);
}

/* One that is new, is gone, or differs; a or b may be NULL. */
static void
compare_application(struct settings_change *change, const struct settings *running,
    const struct settings *fresh, const struct settings *a, const struct settings *b)
{
	const struct settings *there = a == NULL ? b : a;
	CLEANUP(buf_done) struct buf names = buf_make(change->names.cap);

	if (a == b)
		return;
	if (a == NULL || b == NULL) {
		add_name(&names, a == NULL ? "new" : "removed");
	} else {
		compare_values(&names, a->inside, b->inside, running, fresh);
		compare_members(&names, a, b);
	}
	if (names.size > 0)
		buf_addf(&change->names, "%s%s: %s", change->names.size > 0 ? "; " : "",
		    there->application, buf_text(&names));
	add_name(&change->applications, there->application);
}

static void
compare_applications(
    struct settings_change *change, const struct settings *running, const struct settings *fresh)
{
	for (size_t i = 0; i < fresh->application_count; i++)
		compare_application(change, running, fresh,
		    settings_application(running, fresh->applications[i]->application),
		    fresh->applications[i]);
	for (size_t i = 0; i < running->application_count; i++)
		if (settings_application(fresh, running->applications[i]->application) == NULL)
			compare_application(change, running, fresh, running->applications[i], NULL);
}

static bool
differ(const struct settings_refused a[], size_t n, const struct settings_refused b[], size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (strcmp(a[i].file, b[i].file) != 0 || strcmp(a[i].reason, b[i].reason) != 0)
			return true;
	return n != m;
}

/* What a snapshot has beside what applications share. */
void
settings_compare_own(
    struct settings_change *change, const struct settings *running, const struct settings *fresh)
{
	compare_table(change, running, fresh, true);
	compare_members(&change->names, running, fresh);
	compare_applications(change, running, fresh);
	change->refused_differ =
	    differ(running->refused, running->refused_count, fresh->refused, fresh->refused_count);
	change->warned_differ =
	    differ(running->warned, running->warned_count, fresh->warned, fresh->warned_count);
}

bool
settings_diff(
    const struct settings *running, const struct settings *fresh, struct settings_change *change)
{
	compare_table(change, running, fresh, false);
	settings_compare_own(change, running, fresh);
	return settings_change_is_any(change);
}

void
settings_change_init(struct settings_change *change)
{
	*change = (struct settings_change){ .refused_differ = false };
	buf_init(&change->names, ENV_FILE_MAX);
	buf_init(&change->restart_names, ENV_FILE_MAX);
	buf_init(&change->applications, ENV_FILE_MAX);
}

void
settings_change_done(struct settings_change *change)
{
	buf_done(&change->names);
	buf_done(&change->restart_names);
	buf_done(&change->applications);
}

bool
settings_change_is_any(const struct settings_change *change)
{
	return change->names.size > 0 || change->applications.size > 0 || change->refused_differ ||
	    change->warned_differ;
}

/* --- the same in all --- */

static bool
is_one_value(const struct settings_value *a, const struct settings_value *b)
{
	return are_one_text(a->text, b->text) && are_one_text(a->runners, b->runners) &&
	    are_one_text(a->file, b->file) && a->is_given == b->is_given;
}

static bool
is_one_member(const struct settings_member *a, const struct settings_member *b)
{
	if (a->family != b->family || strcmp(a->name, b->name) != 0 ||
	    strcmp(a->refusal, b->refusal) != 0 || !are_one_text(a->fingerprint, b->fingerprint))
		return false;
	for (size_t i = 0; i < a->value_count; i++)
		if (!is_one_value(&a->values[i], &b->values[i]))
			return false;
	for (size_t i = 0; i < a->special_count && a->special_count == b->special_count; i++)
		if (a->specials[i].setting != b->specials[i].setting ||
		    !is_one_value(&a->specials[i].value, &b->specials[i].value))
			return false;
	return a->special_count == b->special_count;
}

bool
settings_are_same(const struct settings *a, const struct settings *b)
{
	const struct settings_inside *one = a->inside, *other = b->inside;

	if (one->member_count != other->member_count)
		return false;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (!is_one_value(&one->values[i], &other->values[i]))
			return false;
	for (size_t i = 0; i < one->member_count; i++)
		if (!is_one_member(one->members[i], other->members[i]))
			return false;
	return true;
}

/* --- a reload --- */

static void
copy_value(struct settings_value *to, const struct settings_value *from)
{
	settings_wipe_text(&to->text);
	to->text = mem_text(from->text);
	to->is_given = from->is_given; /* the file stays: it is the one to look at */
}

void
settings_keep_running(struct settings_loader *l)
{
	compare_table(l->change, l->running, l->s, false);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (waits(l->running, l->s, (enum setting)i))
			copy_value(&l->s->inside->values[i], &l->running->inside->values[i]);
	if (!settings_fill(l->s))
		settings_say(l->report, SETTINGS_ERROR, SETTINGS_ZONE_GONE);
}
