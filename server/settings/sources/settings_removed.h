/* settings_removed.h - settings of versions before, and what takes the place of each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

enum settings_removed_name {
#define REMOVED(name, instead) SETTINGS_REMOVED_##name,
#include "settings/sources/settings_removed.def"
	SETTINGS_REMOVED_COUNT
};

/* Which of them are set: settings.removed, a bit for each. */
extern const struct settings_removed {
	const char *name;
	const char *instead; /* what to do */
} settings_removed[SETTINGS_REMOVED_COUNT];

bool settings_is_removed(const char *name) MUST_USE;
