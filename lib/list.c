/* list.c - a comma list as settings and rows have it: is a name in it?  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/list.h"

#include <string.h>

bool
list_has(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ',')) {
		at += strspn(at, ", \t");
		if (strncmp(at, name, size) == 0 &&
		    strchr(",", at[size + strspn(at + size, " \t")]) != NULL) /* or its NUL */
			return true;
	}
	return false;
}
