/* unpack_name.h - which names and contents in an archive are refused, and in which words.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define UNPACK_PATH_MAX	 1024
#define UNPACK_NAME_MAX	 255
#define UNPACK_DEPTH_MAX 32
#define UNPACK_HEAD_MAX	 65536 /* bytes of a file that are looked at */

/* Why an archive is refused: its word goes to the audit, as violation_type. */
#define UNPACK_WHYS(W) \
	W(NONE, "") W(TYPE, "archive_type") W(TRAVERSAL, "archive_traversal") \
	W(BOMB, "archive_bomb") W(NAME, "archive_name") W(SECRET, "secret_file") \
	W(BROKEN, "archive_broken")
enum unpack_why {
#define W(name, word) UNPACK_##name,
	UNPACK_WHYS(W)
#undef W
};

struct unpack_refusal {
	enum unpack_why why;
	char text[240]; /* a sentence that names the entry, as it can be shown */
};

extern const char *const unpack_why_words[];

/* Returns false.  entry: its name, or NULL where it is about the whole archive. */
bool unpack_refuse(
    struct unpack_refusal *ret, enum unpack_why why, const char *entry, const char *text);

/* A name as libarchive gives it (NULL: it could not), as the path of a file or folder: without
 * "./" at its start and "/" at its end, "" for the top itself.  Nothing else of a name is ever
 * changed: what is not taken as it is, is refused. */
bool unpack_name_check(const char *name, char ret[UNPACK_PATH_MAX + 1],
    struct unpack_refusal *refusal) MUST_USE;

/* The first UNPACK_HEAD_MAX bytes of the file at that path: no private key, and no login of a
 * program's configuration. */
bool unpack_name_check_content(const char *path, const char *head, size_t size,
    struct unpack_refusal *refusal) MUST_USE;
