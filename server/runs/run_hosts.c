/* run_hosts.c - what a run's script has said of its hosts, as its supervisor has kept it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_hosts.h"

#include <string.h>

#include "lib/file.h"
#include "lib/file_piece.h"
#include "runs/agent_channel.h"
#include "runs/run_files.h"

/* --- what is read ------------------------------------------------------------------------- */

/* Reports the whole lines; true: there were any. */
static bool
take(struct run_hosts *hosts, const char *bytes, size_t size)
{
	const char *end = size > 0 ? memrchr(bytes, '\n', size) : NULL;

	if (end == NULL)
		return false;
	run_report_hosts(hosts->report, bytes, (size_t)(end - bytes) + 1);
	hosts->at += end - bytes + 1;
	return true;
}

/* Its first line is there before its gate can open. */
static void
read_here(struct run_hosts *hosts)
{
	CLEANUP(file_closep)
	int folder = run_files_open(hosts->state_directory, hosts->report->run, NULL);
	char bytes[PROTOCOL_PIECE_MAX];
	struct file_piece piece;
	size_t got;

	do {
		piece = (struct file_piece){ hosts->at, bytes, sizeof(bytes), 0 };
		got = folder < 0 ? 0 : file_piece(folder, "results", &piece);
	} while (take(hosts, bytes, got));
	hosts->is_whole = folder >= 0 && piece.size > 0;
}

static void
ask(struct run_hosts *hosts)
{
	if (hosts->read.is_waiting)
		return;
	hosts->read.from = hosts->at + 1;
	agent_reads_add(hosts->channels, &hosts->read);
}

static void
on_piece(struct agent_read *read, const struct protocol_message *piece)
{
	struct run_hosts *hosts = read->ctx;
	bool is_more = take(hosts, piece->body, piece->body_len);

	if (is_more || hosts->is_before) {
		hosts->is_before = false;
		ask(hosts);
	} else if (hosts->is_last) {
		hosts->is_whole = piece->place.size > 0;
		run_output_last(hosts->output);
	}
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	struct run_hosts *hosts = ctx;

	if (hosts->channels != NULL)
		ask(hosts);
	else
		read_here(hosts);
}

/* --- beginning and end -------------------------------------------------------------------- */

void
run_hosts_begin(struct run_hosts *hosts, struct run_report *report, struct loop *loop,
    const char *state_directory, struct agent_channels *channels)
{
	*hosts = (struct run_hosts){ .report = report,
		.loop = loop,
		.state_directory = state_directory,
		.channels = channels,
		.read = {
		    .run = report->run, .is_results = true, .on_piece = on_piece, .ctx = hosts } };
	loop_timer_init(&hosts->timer, on_time, hosts);
}

void
run_hosts_done(struct run_hosts *hosts)
{
	if (hosts->report == NULL)
		return;
	loop_timer_stop(&hosts->timer);
	if (hosts->channels != NULL)
		agent_reads_cancel(hosts->channels, &hosts->read);
}

void
run_hosts_grew(struct run_hosts *hosts)
{
	if (hosts->report != NULL && !hosts->is_last && !loop_timer_is_started(&hosts->timer))
		loop_timer_start(hosts->loop, &hosts->timer, RUN_HOSTS_MS, 0);
}

void
run_hosts_last(struct run_hosts *hosts, struct run_output *output)
{
	if (hosts->channels == NULL) {
		run_output_last(output);
		return;
	}
	hosts->output = output;
	hosts->is_last = true;
	hosts->is_before = hosts->read.is_waiting;
	ask(hosts);
}

void
run_hosts_end(struct run_hosts *hosts)
{
	if (hosts->report == NULL)
		return;
	if (hosts->channels == NULL)
		read_here(hosts);
	if (!hosts->is_whole)
		run_report_hosts(hosts->report, NULL, 0);
}
