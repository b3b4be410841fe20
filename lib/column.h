/* column.h - one place of each row of an X-macro list, for an array in its order.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* Its name as a text, its first, second or third place, with a comma behind:
 *	static const char *const words[] = { THINGS(COLUMN_SECOND) };
 * Nothing need stand behind the place that is taken: ISO C wants that nothing said. */
#define COLUMN_NAME(name, ...) #name, /* as it is written, also where it is a macro */
#define COLUMN_ONLY(name)      #name, /* the same of rows that have no other place */
#define COLUMN_FIRST(...)      COLUMN_FIRST_OF(__VA_ARGS__, )
#define COLUMN_SECOND(...)     COLUMN_SECOND_OF(__VA_ARGS__, )
#define COLUMN_THIRD(...)      COLUMN_THIRD_OF(__VA_ARGS__, )

#define COLUMN_FIRST_OF(a, ...)	      a,
#define COLUMN_SECOND_OF(a, b, ...)   b,
#define COLUMN_THIRD_OF(a, b, c, ...) c,
