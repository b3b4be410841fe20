/* landlock.h - folders that this process can write below, and nothing beside them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

/*
 * Linux's Landlock (kernel's Documentation/userspace-api/landlock.rst), of which Debian 12's header
 * knows two versions: the numbers of what came later stand here.  Reading is never handled: a file
 * of a secret may appear anywhere.  What is open already stays open, and chmod, chown and utimes
 * are not covered by it.
 */
#define LANDLOCK_EXECUTE  (UINT64_C(1) << 0)
#define LANDLOCK_WRITE	  (UINT64_C(1) << 1)
#define LANDLOCK_MAKE_DIR (UINT64_C(1) << 7)
#define LANDLOCK_MAKE_REG (UINT64_C(1) << 8)
#define LANDLOCK_REFER	  (UINT64_C(1) << 13) /* since 2: renames from one folder to another */
#define LANDLOCK_TRUNCATE (UINT64_C(1) << 14) /* since 3 */
/* Writing a file, making and removing one of any kind (4 to 12), renames, truncate(2). */
#define LANDLOCK_CHANGE (LANDLOCK_WRITE | UINT64_C(0x1ff0) | LANDLOCK_REFER | LANDLOCK_TRUNCATE)

/* The version that the running kernel has; 0: none, or it is switched off there (ENOSYS,
 * EOPNOTSUPP).  -1 and *err: the question was refused, as by a filter of calls. */
int landlock_version(struct err *err) MUST_USE;

/* A descriptor of rules that deny `rights` everywhere, without those that a kernel of that version
 * does not know; -1 and *err: it cannot be had. */
int landlock_new(int version, uint64_t rights, struct err *err) MUST_USE;

/* Allows `rights`, as above, at and below what is open as `fd` (O_PATH will do). */
bool landlock_allow(int rules, int version, int fd, uint64_t rights, struct err *err) MUST_USE;

/* From here on the rules hold for this thread, and for all that it makes; before the first.  No
 * privilege is needed, and none can be gained by a program from then on (no_new_privs). */
bool landlock_enter(int rules, struct err *err) MUST_USE;
