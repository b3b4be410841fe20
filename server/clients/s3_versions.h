/* s3_versions.h - what S3 says of a bucket's versions, locks and errors, read from its XML.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define S3_KEY_MAX     1025 /* with the NUL */
#define S3_VERSION_MAX 1025

struct s3_version {
	char *key; /* of the heap, as version */
	char *version;
	int64_t at;   /* wall ms: LastModified */
	size_t order; /* in which S3 named it: of one key the newest first */
	bool is_marker; /* a delete marker */
};

/* All that was listed so far, and where the next page begins. */
struct s3_versions {
	struct s3_version *at;
	size_t n, room;
	bool is_truncated;
	char next_key[S3_KEY_MAX], next_version[S3_VERSION_MAX];
};

#define S3_VERSIONS_MAX 8000000

/* Adds a page of ListObjectVersions.  False: it is none, or it would lead nowhere. */
bool s3_versions_read(
    struct s3_versions *versions, const char *xml, size_t size, struct err *err) MUST_USE;
void s3_versions_done(struct s3_versions *versions);

/* By key, then the oldest first. */
void s3_versions_sort(struct s3_versions *versions);

/* What an error's XML says: "AccessDenied: Access Denied"; "" where it is none.  Returns out. */
const char *s3_error_read(const char *xml, size_t size, char *out, size_t room);

/* <Retention>: its mode and RetainUntilDate.  False: it is none. */
struct s3_lock {
	char mode[16];	 /* "COMPLIANCE", "GOVERNANCE"; "": there is none */
	int64_t until; /* wall ms */
};
bool s3_lock_read(struct s3_lock *ret, const char *xml, size_t size, struct err *err) MUST_USE;

/* 2026-11-20T07:10:48.000Z, also without a fraction.  False: it is none. */
bool s3_time_read(const char *text, int64_t *ret_ms) MUST_USE;
