/* cover_exit.c - who leaves by _exit() writes first what it counted.  Only in a coverage build. */
/* SPDX-License-Identifier: ISC */
/*
 * Supervisors and questions do.  Linked into every program of `make cover` with -Wl,--wrap=_exit.
 * What is killed by a signal writes nothing.
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
