/* settings_removed.c - names of settings that were taken out are found, with what to do.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_removed.h"

#include <string.h>

#include "settings/settings_inside.h"

static_assert(SETTINGS_REMOVED_COUNT <= 64, "settings.removed has a bit for each");

const struct settings_removed settings_removed[SETTINGS_REMOVED_COUNT] = {
#define REMOVED(name, instead) { #name, instead },
#include "settings/sources/settings_removed.def"
};

bool
settings_is_removed(const char *name)
{
	for (size_t i = 0; i < SETTINGS_REMOVED_COUNT; i++)
		if (strcmp(settings_removed[i].name, name) == 0)
			return true;
	return false;
}

/* The process environment is looked at too: a container's settings stand there. */
void
settings_check_removed(struct settings_loader *l)
{
	for (size_t i = 0; i < SETTINGS_REMOVED_COUNT; i++) {
		const struct settings_removed *removed = &settings_removed[i];
		struct settings_found found = settings_find_own(l, removed->name);
		struct settings_line *line;

		if (found.text == NULL)
			continue;
		line = settings_say_found(l, SETTINGS_WARNING, removed->name, found,
		    "is no setting any more: %s", removed->instead); /* fits */
		if (line != NULL)
			line->is_removed = true;
		l->s->removed |= UINT64_C(1) << i;
	}
}
