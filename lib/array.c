/* array.c - by one, or by doubling.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/array.h"

#include "lib/mem.h"

void *
array_add(void *array, size_t *count, size_t size)
{
	char *elements;

	memcpy(&elements, array, sizeof(elements)); /* a pointer of whatever type */
	elements = mem_grow(elements, *count + 1, size);
	memcpy(array, &elements, sizeof(elements));
	return memset(elements + (*count)++ * size, 0, size);
}

void
array_reserve(void *array, size_t count, size_t *room, size_t least, size_t size)
{
	size_t more = *room == 0 ? least : 2 * *room;
	char *elements;

	if (count < *room)
		return;
	memcpy(&elements, array, sizeof(elements));
	elements = mem_grow(elements, more, size);
	memcpy(array, &elements, sizeof(elements));
	*room = more;
}
