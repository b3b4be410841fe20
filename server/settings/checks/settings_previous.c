/* settings_previous.c - NAME_PREVIOUS: what is wrong with the value that a secret had before.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include "lib/crypto.h"
#include "types/secret.h"

static void
check(struct settings_loader *l, const char *name, const struct settings_value *now,
    const struct settings_value *previous)
{
	if (!previous->is_given || previous->is_inherited)
		return;
	if (!now->is_given)
		settings_say(l->report, SETTINGS_ERROR,
		    "%s" SECRET_PREVIOUS
		    ": is set, and %s is not: put the value that is to hold there, or take this out",
		    name, name);
	else if (crypto_same_text(previous->text, now->text))
		settings_say(l->report, SETTINGS_WARNING,
		    "%s" SECRET_PREVIOUS
		    ": is the value of %s too: put a new one there, or take this out",
		    name, name);
}

void
settings_check_previous(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;
	char name[SETTING_NAME_MAX];
	enum setting now;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (secret_is_previous((enum setting)i, &now))
			check(l, settings_table[now].name, &in->values[now], &in->values[i]);
	for (size_t m = 0; m < in->member_count; m++)
		if (in->members[m]->family == FAMILY_HOOK)
			check(l, setting_name("HOOK_<NAME>_SECRET", in->members[m]->name, name),
			    settings_own(in->members[m], HOOK_SETTING_SECRET),
			    settings_own(in->members[m], HOOK_SETTING_SECRET_PREVIOUS));
		else if (in->members[m]->family == FAMILY_NOTIFY)
			check(l, setting_name("NOTIFY_<NAME>_SECRET", in->members[m]->name, name),
			    settings_own(in->members[m], NOTIFY_SETTING_SECRET),
			    settings_own(in->members[m], NOTIFY_SETTING_SECRET_PREVIOUS));
		else if (in->members[m]->family == FAMILY_WORKFLOW)
			check(l, setting_name("WORKFLOW_<NAME>_KEY", in->members[m]->name, name),
			    settings_own(in->members[m], WORKFLOW_SETTING_KEY),
			    settings_own(in->members[m], WORKFLOW_SETTING_KEY_PREVIOUS));
}
