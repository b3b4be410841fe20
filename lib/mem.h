/* mem.h - memory that is there: where there is none, the program ends.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * None of these returns NULL.  Whoever runs out of memory writes one line to stderr and aborts:
 * what was in progress stands in rows and files, and the next start goes on with it as behind
 * kill -9.  free() gives back what is taken.  Not for what must go on without memory: a supervisor
 * behind its gate uses only what it has, and what may be refused there calls malloc itself.
 */
#pragma once

#include "lib/base.h"

/* Writes the line and aborts; also for what a library refuses within a decision.  Allocates and
 * formats nothing. */
_Noreturn void mem_abort(void);

/* *mark becomes 1 before the program ends for memory, by a plain write; NULL: none does. */
void mem_mark(volatile uint32_t *mark);

/* size bytes, as malloc. */
MUST_USE void *mem_alloc(size_t size);

/* n elements, all zero, as calloc. */
MUST_USE void *mem_new(size_t n, size_t size);

/* old, moved to where n elements have room, as reallocarray. */
MUST_USE void *mem_grow(void *old, size_t n, size_t size);

/* A copy of size bytes: of a struct that would be too large for a local. */
MUST_USE void *mem_copy(const void *from, size_t size);

/* Copies; of NULL: NULL. */
MUST_USE char *mem_text(const char *text);
MUST_USE char *mem_textn(const char *text, size_t most);
MUST_USE char *mem_textf(const char *fmt, ...) PRINTF(1, 2);

/* realloc for libev, which frees by a size of 0. */
void *mem_resize(void *old, long size);
