/* audit_heads.h - heads of the audit that other rows name: is each an entry's, or was the end cut off?  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The chain shows what was changed in it, and not what was cut off behind its end.  That is shown
 * by whoever was told of an entry: each message about an end, the day's line, the witness outside,
 * the collectors.  Their rows name its number, its head, or both; rows of before the head alone.
 */
#pragma once

#include "lib/base.h"
#include "store/audit_read.h"
#include "types/limits.h"

struct db;

struct audit_heads_found {
	int64_t named;	 /* heads that rows name */
	int64_t missing; /* those whose entry is not there, `newer` apart */
	/* Those whose entry is not there because the database is a copy that ends before it: they
	 * are older than the start with --restored that says so. */
	int64_t newer;
};

/* One that is missing, the newest first: which it is, and what is wrong, as a sentence.  is_newer:
 * than the copy; all others are faults. */
typedef void audit_heads_fn(void *ctx, const char *key, bool is_newer, const char *text);

#define AUDIT_HEADS_KEY 48 /* bytes of a key: of one that is missing always the same */

/* Of an open database, of this version or an older one.  found NULL: they are counted alone.
 * is_over, where it is not NULL: asked from time to time; true ends it with ERR_BUSY. */
bool audit_heads_look(struct db *db, audit_heads_fn *found, bool (*is_over)(void *ctx), void *ctx,
    struct audit_heads_found *ret, struct err *err) MUST_USE;

/* The same of a source's database, which is only read. */
bool audit_heads_read(const struct audit_source *source, audit_heads_fn *found,
    bool (*is_over)(void *ctx), void *ctx, struct audit_heads_found *ret, struct err *err) MUST_USE;
