/* run_files.h - a run's folder as the server sees it: finds, reads, removes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include <stdint.h>

#include "lib/base.h"

struct err;

/* A descriptor of STATE/runs/<run>, never through a link.  -1 and *err: ERR_MISSING, or the disk's
 * reason.  The caller closes it. */
int run_files_open(const char *state_directory, int64_t run, struct err *err) MUST_USE;

/* Its log, for reading; a regular file or an error. */
int run_files_open_log(const char *state_directory, int64_t run, uint64_t *ret_size,
    struct err *err) MUST_USE;

/* Wall ms when its program was forked; 0: not known. */
int64_t run_files_started_at(const char *state_directory, int64_t run);

/* Deletes the folder and the files in it (it has no folders; at most 64 are looked at).  One that
 * is not there is fine.  Not for a run that is open: retention knows. */
bool run_files_remove(const char *state_directory, int64_t run, struct err *err) MUST_USE;

#endif
