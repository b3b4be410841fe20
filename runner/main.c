/* main.c - deploybot-runner: it takes orders of whoever may connect, and links libc alone.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/start.h"

int
main(int argc, char *argv[])
{
	return start_runner(argc, argv, NULL);
}
