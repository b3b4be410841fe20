/* path.h - who could change or read what stands at a path.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/base.h"

/* True when nobody but root and we could replace what stands at this absolute path: it and every
 * folder above is owned by root or us and writable by nobody else, links followed and checked too.
 * A folder with the sticky bit owned by root (/tmp) counts as safe.  Not there: ERR_MISSING; else
 * ERR_DENIED with the component and its mode. */
MUST_USE bool path_is_safe(const char *path, struct err *err);

/* As path_is_safe(), but that user too may be the owner of a component. */
MUST_USE bool path_is_safe_with(const char *path, uid_t also, struct err *err);

/* path_is_safe, and its file readable by nobody but its owner: for keys.  (Mode 0640 with a group
 * is accepted when `group_may_read`.) */
MUST_USE bool path_is_private(const char *path, bool group_may_read, struct err *err);
