/* audit_verify.h - the audit log's file and rows against their chain and each other.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct audit_verified {
	int64_t entries;	/* in the database */
	int64_t first;		/* the file's first entry; above 1: what stood before it is gone */
	int64_t behind;		/* newest entries that do not stand in the file */
	char head[9];		/* short hash of the newest entry, as the chat was sent it */
};

/*
 * Reads both, changes neither; a server may be running.  file NULL: the rows alone are looked at.
 * False: *err names the first line or entry that is wrong, and what is wrong with it.  A file that
 * ends before the database does may have been cut, or the server writes it in this moment: look
 * again before you say so.
 */
bool audit_verify(const char *database, const char *file, struct audit_verified *ret,
    struct err *err) MUST_USE;
