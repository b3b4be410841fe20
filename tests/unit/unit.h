/* unit.h - tests that register themselves: a file of them is a program, which runs them in their order. */
/* SPDX-License-Identifier: ISC */
/*
 *	TEST(a_cut_never_breaks_a_character)
 *	{
 *		assert_int_equal(text_cut("\xC3\xA9", 2, 1), 0);
 *	}
 *
 * `state` is what cmocka hands to a test.  A word as argument of the program chooses tests by name.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base.h"

/* Of a test that waits for something, ms: only for what hangs.  A sanitized build on a busy machine
 * is slow; of any other a planted bug should be noticed soon. */
#ifdef __SANITIZE_ADDRESS__
#define PATIENCE_MS 300000
#else
#define PATIENCE_MS 50000
#endif

struct unit_test {
	const char *name;
	CMUnitTestFunction run;
	CMFixtureFunction set_up, tear_down; /* NULL: none */
	int line;
	struct unit_test *next;
};

/* Called before main(), by what the macros below define. */
void unit_add(struct unit_test *test);
void unit_group(CMFixtureFunction set_up, CMFixtureFunction tear_down);

/* Where it says so no test of the program is run: each is skipped. */
void unit_leave_out(bool (*is_left_out)(void));

/* Runs all that were added; word: those with it in their name, "-NAMES": all but those, NULL: all.
 * How many failed, 1: or none ran.  unit_main.c calls it; who needs more has an own main(). */
int unit_run(const char *word);

#define UNIT_ADD(name, run, set_up, tear_down) \
	static struct unit_test name##_test = { #name, run, set_up, tear_down, __LINE__, NULL }; \
	__attribute__((constructor)) static void name##_adds(void) { unit_add(&name##_test); }

/* Its body follows. */
#define TEST(name) TEST_WITH(name, NULL, NULL)

/* The same between two functions, which get `state` too and return 0. */
#define TEST_WITH(name, set_up, tear_down) \
	static void name(void **state); \
	UNIT_ADD(name, name, set_up, tear_down) \
	static void name(UNUSED void **state)

/* ... of what the first one leaves in *state: `of` is how the body has it, as "struct world *w". */
#define TEST_OF(name, of, set_up, tear_down) \
	static void name(of); \
	static void name##_plays(void **state) \
	{ \
		name(*state); \
	} \
	UNIT_ADD(name, name##_plays, set_up, tear_down) \
	static void name(of)

/* What comes before the first test and behind the last. */
#define TEST_GROUP(set_up, tear_down) \
	__attribute__((constructor)) static void group_adds(void) { unit_group(set_up, tear_down); }
