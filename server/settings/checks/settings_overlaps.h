/* settings_overlaps.h - what environments that are one target say of each other.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

/* What a refusal of settings_refusal_among() is to who does not see both environments that are one
 * target: those are in pair then.  NULL: it is about one alone, and said to who sees that. */
const char *settings_refusal_brief(
    const struct settings *s, const char *refusal, const char *pair[2]);
