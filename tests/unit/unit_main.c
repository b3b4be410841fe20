/* unit_main.c - the main() of a program of tests that needs no other. */
/* SPDX-License-Identifier: ISC */
#include "unit.h"

int
main(int argc, char **argv)
{
	return unit_run(argc > 1 ? argv[1] : NULL);
}
