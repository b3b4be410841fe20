/* store_place.h - may a database live on this file system?  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "lib/err.h"

enum store_place {
	STORE_PLACE_FINE,
	STORE_PLACE_FLEETING,	/* it is gone with its container or at the next boot: a warning */
	STORE_PLACE_REMOTE,	/* locks and flushes do not hold there: refused */
};

/* By statfs's f_type.  *ret_name: the file system's, constant; NULL when it is FINE. */
enum store_place store_place_judge(long type, const char **ret_name);

/* Where a folder, which must be there, lives.  false: it cannot be asked. */
bool store_place_look(const char *folder, enum store_place *ret_place, const char **ret_name,
    struct err *err) MUST_USE;

#endif
