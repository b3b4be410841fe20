/* run_hosts.h - what a run's script has said of its hosts, as its supervisor has kept it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/loop.h"
#include "runs/agent_reads.h"
#include "runs/run_output.h"
#include "runs/run_report.h"

/* Of all zero: a run without hosts, of which nothing is read. */
struct run_hosts {
	struct run_report *report;
	struct loop *loop;
	const char *state_directory;
	struct agent_channels *channels; /* NULL: its file is here */
	struct agent_read read;
	struct loop_timer timer;
	int64_t at; /* so much of the file was reported */
	bool is_last, is_before; /* what is asked for now was asked for before it ended */
	bool is_whole;
	struct run_output *output; /* whose end is asked for then */
};

/* Of an order that has hosts.  All is borrowed. */
void run_hosts_begin(struct run_hosts *hosts, struct run_report *report, struct loop *loop,
    const char *state_directory, struct agent_channels *channels);
void run_hosts_done(struct run_hosts *hosts);

/* There is more, or may be: read within RUN_HOSTS_MS, with what comes until then. */
#define RUN_HOSTS_MS 200
void run_hosts_grew(struct run_hosts *hosts);

/* It has ended: asks for what is still to come of it, and then for the end of its output. */
void run_hosts_last(struct run_hosts *hosts, struct run_output *output);

/* Its end is reported next: the rest of a file that is here, or that it is gone. */
void run_hosts_end(struct run_hosts *hosts);
