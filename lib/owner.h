/* owner.h - what a user and a group are called here.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base.h"

#define OWNER_NAME 80

/* The name, cut; of one without a name the number, behind `before` ("#", where sudo takes it so).
 * Returns out. */
const char *owner_user(uid_t user, const char *before, char out[OWNER_NAME]);
const char *owner_group(gid_t group, const char *before, char out[OWNER_NAME]);

/* Can nobody but root and `owner` write the file with this status?  Else *err says what to do. */
bool owner_alone_writes(const struct stat *status, uid_t owner, const char *path,
    struct err *err) MUST_USE;
