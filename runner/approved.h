/* approved.h - APPROVED_DIRECTORY: an archive's tree, made once, whole or not at all.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 *	STATE/uploads/<sha256>		an archive, the server's
 *	APPROVED/<sha256>.part/		what deploybot-unpack makes of it
 *	APPROVED/<sha256>/		that, when it is whole
 *	APPROVED/<sha256>.answer	what was answered then: it is on disk behind its tree
 * What has no archive any more is removed before another is unpacked, and with the mirrors'
 * maintenance.
 */
#pragma once

#include "runner/program.h"

#define APPROVED_ANSWER_MAX 4096

struct approved {
	int directory; /* APPROVED_DIRECTORY */
	int archive;   /* what deploybot-unpack reads */
	int folder;    /* where it writes */
	char name[65];
	char kept[APPROVED_ANSWER_MAX]; /* its tree is there already: the answer; "": it is not */
};

/* APPROVED_DIRECTORY, as the settings have it now, may be used: nobody but root and us could change
 * what is in it, and no link leads there. */
bool approved_check(const struct program_dirs *dirs, struct err *err) MUST_USE;

/* Removes the trees of archives that are gone; what cannot be removed stays. */
void approved_tidy(const struct program_dirs *dirs);

/* Opens all three for that archive, by its SHA-256, and an empty folder; or fills kept.  To be
 * ended by approved_end(), also after a failure. */
bool approved_begin(struct approved *ret, const char *name, const struct program_dirs *dirs,
    struct err *err) MUST_USE;

/* Whoever wrote there has ended.  answer: what it said, the tree is whole then; NULL: it is not,
 * and all that was written is removed.  Closes all. */
bool approved_end(
    struct approved *approved, const char *answer, size_t size, struct err *err) MUST_USE;
