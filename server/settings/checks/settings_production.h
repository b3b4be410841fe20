/* settings_production.h - what ENVIRONMENT=production asks that others ask too.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Are we in a container?  Its mounts are open to all inside, who are we alone. */
bool settings_is_container(void);

/* Does what is sent to that address go over a network in the clear? */
bool settings_leaves_machine(const char *url);

/* Is its host an address of the link, where the machine's credentials are? */
bool settings_is_on_link(const char *url);
