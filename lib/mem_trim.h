/* mem_trim.h - memory that only starting has used.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Gives back what only starting has used: memory that was freed, and pages of the program and its
 * libraries that nothing writes.  What is used of those again is there again. */
void mem_trim(void);
