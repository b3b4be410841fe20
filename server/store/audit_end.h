/* audit_end.h - the last entry of the audit log's files: does the database still have it?  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A replica that was promoted without the last commits, or a copy of before, lacks what this server
 * has written to its own disk.
 */
#pragma once

#include "store/audit_chain.h"

struct db;

/* The last line of the files at `path` (AUDIT_LOG_PATH) that is what it says: one that was cut off
 * or edited is passed by.  ret->seq 0: there is none.  False: one of them cannot be read. */
bool audit_end_read(const char *path, struct audit_chain *ret, struct err *err) MUST_USE;

/* Has the database that entry, with that hash?  *ret_newest: its own last one.  It has tables. */
bool audit_end_is_in(struct db *db, const struct audit_chain *end, bool *ret, int64_t *ret_newest,
    struct err *err) MUST_USE;
