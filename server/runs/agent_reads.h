/* agent_reads.h - what is asked of logs elsewhere, a piece at a time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * One agent or remote runner is asked for one piece at a time; others wait, also while it is
 * disconnected.  Whoever does not want to wait so long cancels.
 */
#pragma once

#include <sys/queue.h>

#include "runner/protocol.h"

struct agent_channels;

/* Owned by who asks. */
struct agent_read {
	int64_t run;
	int64_t from; /* a byte's number, the first is 1; 0: the end, of an agent only so */
	bool is_results; /* of runs/<id>/results, else of its log */
	bool is_waiting;
	void (*on_piece)(struct agent_read *read, const struct protocol_message *piece);
	void *ctx;
	STAILQ_ENTRY(agent_read) next;
};

struct agent_reads {
	STAILQ_HEAD(agent_read_list, agent_read) waiting; /* STAILQ_INIT() */
	bool is_open, is_sent;				  /* the first */
};

/* on_piece() is called once, where it comes; not where it is waiting already. */
void agent_reads_add(struct agent_channels *channels, struct agent_read *read);
void agent_reads_cancel(struct agent_channels *channels, struct agent_read *read);

/* It has said hello; nothing is answered any more. */
void agent_reads_begin(struct agent_channels *channels);
void agent_reads_end(struct agent_channels *channels);

/* What was not asked for, or is not waited for any more, is dropped. */
void agent_reads_take(struct agent_channels *channels, const struct protocol_message *piece);
