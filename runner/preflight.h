/* preflight.h - looks at an environment's target for a person: target.sh with our settings.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/program.h"

/* Its output is ours; returns its exit status, or 78 when it cannot be started: why is said. */
int preflight(const char *environment, const struct program_dirs *dirs);
