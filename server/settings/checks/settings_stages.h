/* settings_stages.h - which environments a commit is released to before another one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct settings;

#define SETTINGS_STAGES 3

/*
 * Those that <ENV>_AFTER names and that are there, in its order; where it is not set, the one that
 * ENVIRONMENTS of its application names right before it, unless that is a production.  An
 * application's own file names its own environments alone.  Returns how many.
 */
size_t settings_stages(
    const struct settings *s, const char *environment, const char *ret[SETTINGS_STAGES]);

/* May what is live in that one be promoted there, by <ENV>_PROMOTE_FROM, which names as <ENV>_AFTER
 * does?  Where it is not set, from each. */
bool settings_promotes(const struct settings *s, const char *environment, const char *from);
