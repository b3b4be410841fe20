/* column.h - one place of each row of an X-macro list, for an array in its order.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* Its name as a text, its first, second or third place, with a comma behind:
 *	static const char *const words[] = { THINGS(COLUMN_SECOND) }; */
#define COLUMN_NAME(name, ...)	   #name,
#define COLUMN_FIRST(a, ...)	   a,
#define COLUMN_SECOND(a, b, ...)   b,
#define COLUMN_THIRD(a, b, c, ...) c,
