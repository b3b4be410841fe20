/* mem_wiped.h - memory that is zeroed before it is given back.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * For libraries that keep tokens in memory of their own: curl has a copy of each body and of each
 * header, jansson one of each text, and neither wipes it.  Blocks are malloc's: free() takes them.
 */
#pragma once

#include "lib/base.h"

/* As free; and as freep, for CLEANUP. */
void mem_wiped_free(void *memory);
void mem_wiped_freep(void *memory);

/* As realloc, but never NULL, and what was moved is zeroed where it stood. */
MUST_USE void *mem_wiped_resize(void *old, size_t size);
