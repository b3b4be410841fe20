/* array.c - an array that grows by one.  Side: any. */
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
