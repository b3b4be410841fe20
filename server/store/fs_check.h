/* fs_check.h - may a database live on this file system?  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

enum fs_check {
	FS_FINE,
	FS_VOLATILE,	/* not persistent, lost with its container or at the next boot: a warning */
	FS_REMOTE,	/* locks and flushes do not hold there: refused */
};

/* By statfs's f_type.  *ret_name: the file system's, constant; NULL when it is FINE. */
enum fs_check fs_check_judge(long type, const char **ret_name);

/* Where a folder, which must be there, lives.  false: it cannot be asked. */
bool fs_check_look(const char *folder, enum fs_check *ret_fs, const char **ret_name,
    struct err *err) MUST_USE;
