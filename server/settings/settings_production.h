/* settings_production.h - what ENVIRONMENT=production refuses in files, for doctor too.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Do we know that others than root, its owner and its group may read this file, or replace it?
 * Then why, in a text without what the file holds.  One that is not there, or that another user
 * keeps to himself, is not open. */
bool settings_is_open(const char *path, char *why, size_t room);

/* Are we in a container?  Its mounts are open to all inside, who are we alone. */
bool settings_is_container(void);
