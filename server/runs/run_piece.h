/* run_piece.h - a run's log from some place on, a piece at a time, safe to show.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "runs/run_tail.h"

struct buf;

#define RUN_PIECE 32768 /* bytes of the log that are read */

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
