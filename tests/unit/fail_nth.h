/* fail_nth.h - the n-th call of a kind fails: memory, SQLite, hashing.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	for (unsigned n = 1;; n++) {
 *		fail_nth(FAIL_STEP, n);
 *		done = what_is_tested();
 *		if (!fail_nth_met())
 *			break;			// it needs fewer calls: all have failed once
 *		assert_false(done);		// and whatever else must hold
 *	}
 *
 * Only what our own objects call can fail, not what libraries call inside.  The linker leads the
 * calls here: a program that uses this stands in FAIL_NTH_TESTS in the Makefile.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fail_what {
	FAIL_MEMORY,	   /* malloc, calloc, realloc, reallocarray, strdup, strndup: NULL */
	FAIL_STEP,	   /* a statement, COMMIT too: I/O error */
	FAIL_STEP_REFUSED, /* a statement: a constraint, which no later try helps */
	FAIL_PREPARE,	   /* I/O error */
	FAIL_BIND,	   /* I/O error */
	FAIL_EXEC,	   /* sqlite3_exec: settings of a connection, migrations */
	FAIL_CRYPTO,	   /* hashes and MACs */
	FAIL_WHAT_COUNT
};

/* The n-th call from here (from 1) fails, no other. */
void fail_nth(enum fail_what what, unsigned n);

/* Nothing fails any more.  True: the n-th call came. */
bool fail_nth_met(void);

/* A call that would fail at a place (its nearest callers, up to FAIL_CALLERS_MAX, as one number) of
 * which is_done() is true is let pass, and the next one fails in its stead.  NULL: none is. */
#define FAIL_CALLERS_MAX 7
void fail_nth_pass(bool (*is_done)(uint64_t place), int callers);

/* The number of the call that failed last. */
unsigned fail_nth_call(void);

const char *fail_what_name(enum fail_what what);
