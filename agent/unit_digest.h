/* unit_digest.h - the files of a unit: nobody but root may write them, and they have one digest.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto.h"

#define UNIT_DIGEST_FILE_MAX 65536 /* bytes of one file */

/* Adds a file's name and bytes to the hash, each behind its length (u32, big-endian).  Refused: a
 * file or its folder that is a link, that belongs to another user than root or that others may
 * write; a folder above them that others may replace. */
bool unit_digest_add(struct crypto_sha256 *hash, const char *path, struct err *err) MUST_USE;
