/* cover_exit.c - keepers and questions leave by _exit(): in a coverage build, what they counted is written first. */
/* SPDX-License-Identifier: ISC */
/*
 * Linked into every program of `make cover` with -Wl,--wrap=_exit, and into no other build.  What is
 * killed by a signal writes nothing.
 */
#include <gcov.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void
__wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
