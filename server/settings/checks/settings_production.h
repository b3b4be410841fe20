/* settings_production.h - in which place ENVIRONMENT=production takes open files.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Are we in a container?  Its mounts are open to all inside, who are we alone. */
bool settings_is_container(void);
