/* file_end.h - the last bytes of a file that somebody else writes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* At most room of them, of folder/path, whatever has become of it; returns how many: 0 also where
 * there is none, where it is a link, or not a file. */
size_t file_end(int folder, const char *path, char *out, size_t room);
