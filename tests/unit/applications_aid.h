/* applications_aid.h - settings with several applications, for tests.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

/* Adds an application of that name with these settings ("NAME=value", NULL behind the last) to the
 * main snapshot, which nobody looks at yet.  In the order of their names. */
void applications_aid_add(struct settings *main_settings, const char *name, ...);
