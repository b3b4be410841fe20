/* folder.h - a folder that is read, and closed with its scope.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <dirent.h>

#include "lib/base.h"

/* For readdir(3), by a descriptor, which it takes.  NULL with errno: that is -1, or no folder's. */
MUST_USE DIR *folder_take(int fd);

/* For CLEANUP; NULL is fine. */
void folder_closep(DIR **folder);
