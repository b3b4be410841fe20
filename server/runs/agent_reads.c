/* agent_reads.c - what is asked of logs elsewhere, a piece at a time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agent_reads.h"

#include <stdlib.h>

#include "runs/agent_channel.h"

static void
ask_first(struct agent_channels *channels)
{
	struct agent_reads *reads = &channels->reads;
	const struct agent_read *first = STAILQ_FIRST(&reads->waiting);

	if (!reads->is_open || reads->is_sent || first == NULL)
		return;
	reads->is_sent = true;
	if (!agent_channels_send(channels, AGENT_CHANNEL_RUNNER,
		&(struct protocol_message){ .kind = PROTOCOL_READ,
		    .id = (uint64_t)first->run,
		    .place = { .from = (uint64_t)first->from, .is_results = first->is_results } },
		NULL))
		abort(); /* what has no text can always be said */
}

static void
forget(struct agent_reads *reads, struct agent_read *read)
{
	if (read == STAILQ_FIRST(&reads->waiting))
		reads->is_sent = false;
	STAILQ_REMOVE(&reads->waiting, read, agent_read, next);
	read->is_waiting = false;
}

void
agent_reads_add(struct agent_channels *channels, struct agent_read *read)
{
	if (read->is_waiting)
		return;
	read->is_waiting = true;
	STAILQ_INSERT_TAIL(&channels->reads.waiting, read, next);
	ask_first(channels);
}

void
agent_reads_cancel(struct agent_channels *channels, struct agent_read *read)
{
	if (read->is_waiting)
		forget(&channels->reads, read);
	ask_first(channels);
}

void
agent_reads_begin(struct agent_channels *channels)
{
	channels->reads.is_open = true;
	ask_first(channels);
}

void
agent_reads_end(struct agent_channels *channels)
{
	channels->reads.is_open = channels->reads.is_sent = false;
}

void
agent_reads_take(struct agent_channels *channels, const struct protocol_message *piece)
{
	struct agent_reads *reads = &channels->reads;
	struct agent_read *first = STAILQ_FIRST(&reads->waiting);

	if (first == NULL || !reads->is_sent || (int64_t)piece->id != first->run ||
	    (int64_t)piece->place.from != first->from ||
	    piece->place.is_results != first->is_results)
		return;
	forget(reads, first);
	first->on_piece(first, piece); /* which may ask again, or free it */
	ask_first(channels);
}
