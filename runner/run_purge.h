/* run_purge.h - removes the folder of a run that is over, a piece at a time.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/protocol.h"

/*
 * Deletes runs/<id>/ and the files in it (it has no folders), 64 files or 64 MB of a large log
 * in each call: a file system may be long at giving back gigabytes at once.  Nothing of a
 * run without a record: its supervisor lives, or what became of it is still to be said.  Fills
 * *ret, of kind PURGED; one that is not there is gone, and so is one with nothing in it.
 */
void run_purge(int root, uint64_t id, struct protocol_message *ret);
