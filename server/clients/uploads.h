/* uploads.h - archives that come in, as files of STATE_DIRECTORY/uploads; never looks into them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * One that comes is NUMBER.part, hashed as it comes.  Whole and flushed, it is renamed to the 64
 * hex digits of its SHA-256, so that what comes twice is there once.  The runner reads the folder.
 */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct err;
struct upload;
struct uploads;

#define UPLOADS_AT_ONCE 8 /* more than the connections of one user of the machine */

/* Makes the folder where it is missing, and removes what was coming when the program ended.  NULL
 * and *err: neither can be. */
struct uploads *uploads_new(const char *state_directory, struct err *err) MUST_USE;
void uploads_free(struct uploads *uploads); /* takes NULL; when none comes any more */

/* One begins to come, of LIMIT_UPLOAD bytes at most.  NULL and *err: too many come (ERR_BUSY), or
 * the disk does not take it (ERR_FULL, ERR_IO). */
struct upload *upload_new(struct uploads *uploads, struct err *err) MUST_USE;

/* The next bytes of it.  False: there is no room for them, which upload_end() says. */
bool upload_add(struct upload *upload, const void *data, size_t size);

/* Why it takes no more bytes; "": it does. */
const char *upload_failure(const struct upload *upload);

struct uploaded {
	char digest[LIMIT_DIGEST];
	int64_t size;
};

/* All of it is there: from now on it has its name.  False and *err: it is dropped; empty is
 * ERR_INVALID. */
bool upload_end(struct upload *upload, struct uploaded *ret, struct err *err) MUST_USE;

/* It is decided on, or comes no more: what has no name yet is removed.  Takes NULL. */
void upload_free(struct upload *upload);

/* Is there one of that digest? */
bool uploads_has(const struct uploads *uploads, const char *digest) MUST_USE;

/* Removes it, unless the same has come after that moment (wall ms), when it was decided, or comes
 * by two at once, of which the other may be decided on later.  One that is not there is fine. */
bool uploads_remove(const struct uploads *uploads, const char *digest, int64_t decided_at,
    struct err *err) MUST_USE;

/* The digests that are there, `room` of them at most. */
size_t uploads_list(const struct uploads *uploads, char (*ret)[LIMIT_DIGEST], size_t room);
