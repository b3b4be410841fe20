/* array.h - an array that grows.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/*
 * One more element of that size, all zero, at the end; *count grows.  array: the address of the
 * pointer to the first (NULL: there is none yet), which may move.
 */
MUST_USE void *array_add(void *array, size_t *count, size_t size);

/* Room for one more than count, by doubling, `least` at first; what is in it is not set. */
void array_reserve(void *array, size_t count, size_t *room, size_t least, size_t size);
