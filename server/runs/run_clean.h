/* run_clean.h - makes a program's output plain text: no escapes, no tricks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A stream that may be cut anywhere.  What comes out is valid UTF-8 with '\n' as its only control
 * character.  Gone: CSI, OSC, DCS, SOS, PM, APC and two-byte escape sequences (bounded: one that
 * does not end is given up after RUN_CLEAN_SEQUENCE bytes or at a newline), C0, DEL and C1, and
 * what lib/clean.h calls harmful.  Tab becomes a blank, a backspace takes back a character,
 * a byte that is not UTF-8 becomes '?', so that nothing grows.
 *
 * A '\r' starts the line anew: of a progress bar its last state is left.  A line longer than
 * RUN_CLEAN_LINE cannot be undone any more; a '\r' in it is a line's end.
 *
 * Clean first, redact after: an escape sequence inside a secret must not hide it.
 */
#pragma once

#include "lib/base.h"

struct buf;

#define RUN_CLEAN_LINE	    2048
#define RUN_CLEAN_SEQUENCE  4096

struct run_clean {
	int state;
	size_t sequence;	/* bytes of the escape sequence so far */
	char partial[4];	/* a UTF-8 character cut in two */
	size_t n_partial;
	bool is_restarted;	/* a '\r' came: what is next begins the line anew */
	bool is_spilled;	/* the line's beginning is out already */
	size_t n_line;
	char line[RUN_CLEAN_LINE];
};

void run_clean_init(struct run_clean *clean);

/* Appends what is certain to out. */
void run_clean_add(struct run_clean *clean, const char *data, size_t size, struct buf *out);

/* Appends the line that has not ended; the stream can begin anew. */
void run_clean_end(struct run_clean *clean, struct buf *out);

/* Breaks lines longer than max bytes, between characters, in text that comes in pieces. */
struct run_wrap {
	size_t max;
	size_t column;
};
void run_wrap_add(struct run_wrap *wrap, const char *data, size_t size, struct buf *out);
