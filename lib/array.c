/* array.c - by one, or by doubling.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/array.h"

#include <stdlib.h>

void *
array_add(void *array, size_t *count, size_t size)
{
	char *elements;

	memcpy(&elements, array, sizeof(elements)); /* a pointer of whatever type */
	elements = reallocarray(elements, *count + 1, size);
	if (elements == NULL)
		return NULL;
	memcpy(array, &elements, sizeof(elements));
	return memset(elements + (*count)++ * size, 0, size);
}

bool
array_reserve(void *array, size_t count, size_t *room, size_t least, size_t size)
{
	size_t more = *room == 0 ? least : 2 * *room;
	char *elements;

	if (count < *room)
		return true;
	memcpy(&elements, array, sizeof(elements));
	elements = reallocarray(elements, more, size);
	if (elements == NULL)
		return false;
	memcpy(array, &elements, sizeof(elements));
	*room = more;
	return true;
}
