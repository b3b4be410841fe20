/* keeper_become.h - makes a forked process fit to keep others.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_BECOME_H
#define KEEPER_BECOME_H

#include <stddef.h>

#include "lib/err.h"

/* 0, 1, 2 on /dev/null, of the other descriptors only those in keep (whose values change),
 * sub-reaper, own session, signals ignored.  Returns a signalfd for SIGCHLD, or -1. */
int keeper_become(int *const keep[], size_t keep_count, struct err *err);

#endif
