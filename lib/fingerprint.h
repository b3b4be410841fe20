/* fingerprint.h - which values a set of settings has, as a list that tells none of them.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * NAME=MARK NAME=MARK and so on, in the order of the table: MARK is the first 16 hex digits of the
 * value's SHA-256; of a secret the path of its file is the value, or nothing where it has none.
 * Only files are looked at, and what is not set there is not in the list: what a process was
 * started with does not change while it runs, and may be another thing in another process.  Two who
 * have read the same have the same list, and whoever has both can say which settings differ.  Its
 * digest is the SHA-256 of the list.
 */
#pragma once

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/env_file.h"

#define FINGERPRINT_LIST_MAX	4096 /* bytes with the NUL */
#define FINGERPRINT_DIGEST	65   /* 64 hex digits and the NUL */

/* One more setting of the list (made with room for FINGERPRINT_LIST_MAX), as the first of the files
 * has it that sets it; NAME= is as good as not there. */
void fingerprint_add(struct buf *list, const char *name, bool is_secret,
    const struct env_file *const files[], size_t count);

/* Returns out. */
const char *fingerprint_digest(const char *list, char out[FINGERPRINT_DIGEST]);

/* The names that stand in one of them alone, or with another mark: "NAME, NAME", cut with … where
 * room ends.  "" when there are none.  Returns out. */
const char *fingerprint_differing(const char *a, const char *b, char *out, size_t room);
