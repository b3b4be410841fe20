/* run_output.h - what a run elsewhere prints: its end while it goes on, and its last one.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runs/agent_reads.h"
#include "runs/run_tail.h"

typedef void run_output_fn(void *ctx, const struct run_tail_bytes *bytes);

struct run_output {
	struct agent_channels *channels; /* NULL: it is a local run's, which has its file */
	struct agent_read read;
	bool is_last, is_before; /* what is asked for now was asked for before it ended */
	char *bytes; /* PROTOCOL_END_MAX; NULL: none were asked for yet */
	struct run_tail_bytes known;
	run_output_fn *on_last;
	void *ctx;
};

/* Of all zero.  on_last is called once behind run_output_last(), where it comes. */
void run_output_begin(struct run_output *output, struct agent_channels *channels, int64_t run,
    run_output_fn *on_last, void *ctx);
void run_output_done(struct run_output *output);

/* As of the last time that this was asked; newer ones are on their way then.  Borrowed.  NULL: it
 * is a local run's. */
const struct run_tail_bytes *run_output_now(struct run_output *output);

/* It has ended: what is there now is all. */
void run_output_last(struct run_output *output);
