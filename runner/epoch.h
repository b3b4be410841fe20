/* epoch.h - the highest epoch of a server that leads which has spoken here: runs/epoch.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Of several servers one leads, and each take-over raises the epoch.  What a server says that led
 * before, was stopped and goes on, is of a lower one, and counts for nothing.  0: there is one
 * server, which says none; nothing is compared then.
 */
#pragma once

#include "lib/base.h"

struct err;

/* Of runs/, and from a run's folder; 0 where nobody has said one.  False and *err: it cannot be
 * read. */
bool epoch_read(int root, uint64_t *ret, struct err *err) MUST_USE;
bool epoch_read_above(int folder, uint64_t *ret, struct err *err) MUST_USE;

/* It is on disk; or *err says why it does not count. */
bool epoch_write(int root, uint64_t epoch, struct err *err) MUST_USE;
