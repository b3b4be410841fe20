/* unit_file.h - the files of a unit: that they are root's alone, and one digest of all of them.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

#define UNIT_FILE_MAX	 (64 * 1024) /* bytes of one file */
#define UNIT_FILE_DIGEST 65	     /* hex digits of a SHA-256, and NUL */

/* SHA-256 over name and bytes of each of these files, each behind its length (u32, big-endian).
 * Refused: a file or its folder that is a link, that belongs to another user than root, or that
 * another may write; a folder above them that others may write. */
bool unit_file_digest(char *const paths[], size_t count, char ret[UNIT_FILE_DIGEST],
    struct err *err) MUST_USE;
