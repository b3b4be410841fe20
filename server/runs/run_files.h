/* run_files.h - a run's folder as the server sees it: finds and reads.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* A descriptor of STATE/runs/<run>, never through a link.  -1 and *err: ERR_MISSING, or the disk's
 * reason.  The caller closes it. */
int run_files_open(const char *state_directory, int64_t run, struct err *err) MUST_USE;

/* Its log, for reading; a regular file or an error. */
int run_files_open_log(
    const char *state_directory, int64_t run, uint64_t *ret_size, struct err *err) MUST_USE;

/* The highest number of a run up to `most` that any folder there has; 0: none.  false: the folder
 * cannot be read. */
bool run_files_highest(
    const char *state_directory, int64_t most, int64_t *ret, struct err *err) MUST_USE;

/* Bytes of its log; 0: there is none. */
int64_t run_files_log_size(const char *state_directory, int64_t run);

/* Wall ms when its program was forked; 0: not known. */
int64_t run_files_started_at(const char *state_directory, int64_t run);
