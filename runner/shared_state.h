/* shared_state.h - the runner's folders in a state directory shared with another user's server.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 *	STATE/		1770 and root's, of a group that both are in: who owns a folder, or may
 *			write there without the sticky bit, may put others in place of those in it
 *	STATE/runs/	2750, ours, of STATE's group: the server reads, and connects to supervisors
 *	STATE/git/	0700, ours
 *	STATE/apps/	0700, ours
 *	STATE/approved/	0700, ours
 */
#pragma once

#include "lib/err.h"

/* Makes those that are missing, refuses those that others could write or the server could not read
 * (err says which command fixes it), and opens runs/, with a lock that no other runner
 * of this kind has taken (ERR_BUSY).  -1 on failure. */
int shared_state_open(const char *state, struct err *err);
