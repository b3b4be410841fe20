/* cover_exit.c - who leaves by _exit() writes first what it counted.  Only in a coverage build. */
/* SPDX-License-Identifier: ISC */
/*
 * Supervisors and questions do.  Linked into every program of `make cover` with -Wl,--wrap=_exit.
 * What is killed by a signal writes nothing.  Neither does who has become another user, and they
 * say nothing of each of those files: their test reads what the program itself said.
 */
#include <gcov.h>
#include <stdio.h>
#include <unistd.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

/* Before gcov's own, whose priority is that of the compiler. */
__attribute__((destructor)) static void
hush(void)
{
	if (access("/proc/self/exe", W_OK) != 0 && freopen("/dev/null", "w", stderr) == NULL)
		(void)fclose(stderr);
}

_Noreturn void
__wrap__exit(int status)
{
	hush();
	__gcov_dump();
	__real__exit(status);
}
