/* sandbox.h - what this process can never do from now on, whatever its code comes to.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

#include "lib/base.h"

/*
 * Once, before the first thread.  Two parts, neither of which needs a privilege:
 *   seccomp   a call of sandbox.def, of another architecture, a new process or a socket of another
 *             family than unix, IPv4, IPv6 and netlink ends this process with SIGSYS; what a
 *             library may ask for on its way, and what cuts a file by its path, gets an errno
 *   Landlock  nothing is written, made, removed or executed but below n folders (one that is not
 *             there is passed over) and /dev/null; *ret_landlock is its version, 0 where the
 *             kernel has none
 * False and *err: one of them was refused, and this process must not go on.
 */
bool sandbox_enter(const char *const folders[], size_t n, int *ret_landlock, struct err *err)
    MUST_USE;
