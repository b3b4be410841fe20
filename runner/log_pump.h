/* log_pump.h - moves a run's output from its pipe into its log, within a limit.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * The pipe is always read: past the limit, on a full disk, and for a program left behind.  A
 * marker in the log says why it ends.  The log is never flushed.
 *
 * No value of a secret that was handed to the run gets into it, nor what has the shape of one: who
 * shows the log to people knows none of the runner's.  Nor do the words that end a quotation.
 */
#pragma once

#include "lib/buf.h"
#include "lib/redact.h"
#include "runner/quote_lines.h"
#include "runner/step_scan.h"

#define LOG_PUMP_PIPE	(1024 * 1024)
#define LOG_PUMP_PIECE	(256 * 1024)

/* Room on its disk that a log leaves to what must not fail: records, the audit, the ends of runs.
 * On a small disk a twentieth of it. */
#define LOG_PUMP_RESERVE (UINT64_C(64) << 20)

enum log_pump_state {
	LOG_PUMP_MORE,	/* there may be more at once */
	LOG_PUMP_EMPTY,	/* nothing now; wait for the pipe to be readable */
	LOG_PUMP_END,	/* nobody has its other end any more */
};

struct log_pump {
	int pipe;	/* -1 when at its end */
	int log;	/* -1: what comes is read into nothing */
	uint64_t size;	/* of the log */
	uint64_t limit;
	uint64_t check_at;	/* size at which to look at the disk again */
	char *piece;
	struct step_scan scan;
	struct quote_lines quotes;
	struct redact_stream *secrets;
	struct buf text;	       /* a piece without them */
};

/* Makes the pipe (non-blocking for us) and opens folder/log.  *ret_output is the pipe's other end,
 * the caller's.  secrets (NULL: known shapes alone) is borrowed for as long as the pump works. */
bool log_pump_open(struct log_pump *ret, int folder, uint64_t limit, struct redact *secrets,
    int *ret_output, struct err *err) MUST_USE;

/* One piece.  Steps are found in all of it, whether it goes to the log or not. */
enum log_pump_state log_pump_turn(struct log_pump *pump, step_scan_found *found, void *ctx);

/* Writes what was held back, for it could have been the beginning of a secret. */
void log_pump_flush(struct log_pump *pump);

/* Ends the log; what still comes is read into nothing. */
void log_pump_stop(struct log_pump *pump);
