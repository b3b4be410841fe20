/* run_piece.h - a run's log from some place on, a piece at a time, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "runs/run_tail.h"

struct buf;

#define RUN_PIECE 32768 /* bytes of the log that are shown at once */

/*
 * Appends whole lines from offset on, cleaned and redacted (the last one also half where is_ended:
 * nothing follows it); the next piece begins at *ret_next, which is offset when there is none.
 * Whoever asks chooses offset, so in the middle of a line the rest of that line is left out, and in
 * a private key what is there of it; of a line longer than RUN_PIECE its beginning is shown, then
 * "…".
 * A log that is not there yet, or no more, is empty.
 */
bool run_piece_read(const struct run_tail_log *of, int64_t offset, bool is_ended, struct buf *out,
    int64_t *ret_next, struct err *err) MUST_USE;

/* So many bytes that stand before offset are looked at too: secrets may begin there. */
size_t run_piece_before(int64_t offset);

/* Bytes of a log that was read elsewhere, from run_piece_before() on. */
struct run_piece {
	const char *data;
	size_t size; /* what is beyond RUN_PIECE behind offset is not looked at */
	int64_t log_size;
	bool is_ended;
};

/* Appends the same of these; returns where the next piece begins. */
int64_t run_piece_show(
    const struct run_piece *piece, int64_t offset, struct redact *redact, struct buf *out);
