/* mem_wiped.c - zeroes, then free.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/mem_wiped.h"

#include <malloc.h>

#include "lib/crypto.h"
#include "lib/mem.h"

void
mem_wiped_free(void *memory)
{
	if (memory != NULL)
		crypto_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

void
mem_wiped_freep(void *memory)
{
	void *what;

	memcpy(&what, memory, sizeof(what));
	mem_wiped_free(what);
}

void *
mem_wiped_resize(void *old, size_t size)
{
	size_t kept = old != NULL ? malloc_usable_size(old) : 0;
	void *moved = mem_alloc(size);

	if (old != NULL)
		(void)memcpy(moved, old, kept < size ? kept : size);
	mem_wiped_free(old);
	return moved;
}
