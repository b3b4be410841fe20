/* unpack.h - an archive as files in one folder, or the first reason why not.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/unpack_tree.h"

#define UNPACK_PACKED_MAX   ((size_t)20 * 1024 * 1024)
#define UNPACK_UNPACKED_MAX ((int64_t)512 * 1024 * 1024)
#define UNPACK_RATIO_MAX    200 /* times the size of the archive */
#define UNPACK_TOO_LARGE \
	"is too large: unpacked 512 MB at most, and 200 times the archive's size"
#define UNPACK_NO_MEMORY "it takes too much memory"
#define UNPACK_REASON_MAX   200 /* bytes of what .deploybot/no-rollback says */

/* What is in it. */
struct unpack_result {
	uint8_t tree[SHA256_SIZE]; /* unpack_tree_digest() */
	size_t files;
	int64_t bytes;
	bool has_barrier;
	char barrier[UNPACK_REASON_MAX + 1]; /* the first line of that file, as it can be shown */
	size_t pointers;		     /* files that git-lfs keeps elsewhere */
	char pointer[UNPACK_NAME_MAX + 1];   /* the first one, as it can be shown */
};

/*
 * Makes the files and folders of a .zip, .tar or .tar.gz below `folder`, which is empty, and where
 * nobody else writes: twice it is read, once to check every name, kind and size, then to write.
 * Only what is called here reads it; libarchive writes nothing.  A single top folder is left out.
 * False: *refusal says why, and what was written until then stays.
 */
bool unpack(const void *archive, size_t size, int folder, struct unpack_result *ret,
    struct unpack_refusal *refusal) MUST_USE;
