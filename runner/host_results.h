/* host_results.h - what a script says of the hosts of its run: kept, then acknowledged.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Of each host the first of each word becomes a line `NAME WORD [WHY]` of runs/<id>/results.  A
 * host that began is acknowledged when that is on disk, by its name on a pipe of the script's: it
 * waits for that, and changes nothing of a host before.  What the disk refuses is tried again.
 */
#pragma once

#include "lib/buf.h"
#include "runner/protocol.h"

/* The file's first line, which is there before its run begins: an empty one is not whole. */
#define HOST_RESULTS_HEAD "hosts\n"

struct host_results {
	int file; /* -1: the run has no hosts */
	int acks; /* we write to it, and never wait; -1: nobody reads it */
	size_t count;
	struct host_of_run *all; /* by name */
	struct buf lines;	 /* not on disk */
	struct buf names;	 /* of those of them that began */
	struct buf due;		 /* names that are on disk, and that the pipe had no room for */
};

/* Of an order without hosts nothing is made.  *ret_script: the script's end of the pipe, the
 * caller's; 0: there is none.  A host that stands there twice is refused. */
bool host_results_open(struct host_results *ret, int folder, const struct protocol_message *order,
    int *ret_script, struct err *err) MUST_USE;

/* As step_scan.h says it, STEP_SCAN_HOST.  Of another host nothing is kept. */
void host_results_take(struct host_results *results, const char *text);

/* Writes, flushes, acknowledges: all at once that was taken since then.  True: there is more in the
 * file. */
bool host_results_flush(struct host_results *results);

/* Is there anything that the disk has refused? */
bool host_results_is_due(const struct host_results *results);

/* Closes and frees, also after a failure; the file stays. */
void host_results_done(struct host_results *results);
