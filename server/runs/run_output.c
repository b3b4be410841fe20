/* run_output.c - what a run elsewhere prints: its end while it goes on, and its last one.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_output.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "runs/agent_channel.h"

static void
keep(struct run_output *output, const struct protocol_message *piece)
{
	size_t size = piece->body_len < PROTOCOL_END_MAX ? piece->body_len : PROTOCOL_END_MAX;

	if (output->bytes == NULL)
		output->bytes = mem_alloc(PROTOCOL_END_MAX);
	if (size > 0)
		memcpy(output->bytes, piece->body + piece->body_len - size, size);
	output->known = (struct run_tail_bytes){ .data = output->bytes,
		.size = size,
		.is_cut = size == PROTOCOL_END_MAX,
		.is_growing = !output->is_last };
}

static void
on_piece(struct agent_read *read, const struct protocol_message *piece)
{
	struct run_output *output = read->ctx;

	keep(output, piece);
	if (output->is_before)
		run_output_last(output);
	else if (output->is_last)
		output->on_last(output->ctx, &output->known);
}

void
run_output_begin(struct run_output *output, struct agent_channels *channels, int64_t run,
    run_output_fn *on_last, void *ctx)
{
	output->on_last = on_last;
	output->ctx = ctx;
	output->channels = channels;
	output->read = (struct agent_read){ .run = run, .on_piece = on_piece, .ctx = output };
	output->known = (struct run_tail_bytes){ .data = "" };
}

void
run_output_done(struct run_output *output)
{
	if (output->channels != NULL)
		agent_reads_cancel(output->channels, &output->read);
	free(output->bytes);
}

const struct run_tail_bytes *
run_output_now(struct run_output *output)
{
	if (output->channels == NULL)
		return NULL;
	agent_reads_add(output->channels, &output->read);
	return &output->known;
}

void
run_output_last(struct run_output *output)
{
	output->is_last = true;
	output->is_before = output->read.is_waiting;
	agent_reads_add(output->channels, &output->read);
}
