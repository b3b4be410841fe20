/* subreaper.h - makes a forked process adopt and reap the orphans below it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/err.h"

/* 0, 1, 2 on /dev/null, of the other descriptors only those in keep (whose values change),
 * sub-reaper, own session, signals ignored.  Returns a signalfd for SIGCHLD, or -1. */
int subreaper_init(int *const keep[], size_t keep_count, struct err *err);

/* When that signalfd can be read: reaps every child that has ended, adopted ones too.  True: there
 * is none any more.  If main_process was among them, *ret_ended is true and *ret_status as
 * waitpid's. */
bool subreaper_reap(int children, pid_t main_process, bool *ret_ended, int *ret_status);
