/* run_report.c - what whoever ordered a run learns of it before its end.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_report.h"

#include <inttypes.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"
#include "runs/run_files.h"
#include "runs/run_translate.h"

void
run_report_step(struct run_report *report, const struct protocol_step *said, const char *image)
{
	struct run_step step = { .run = report->run, .at = said->at };

	if (report->said_steps >= PROTOCOL_STEPS_ROOM)
		return;
	step.n = (int)report->said_steps++;
	run_translate_step(said->name, report->redact, step.name);
	static_assert(sizeof(step.image) > PROTOCOL_IMAGE, "an image fits");
	(void)text_copy(step.image, sizeof(step.image), image);
	report->watch.on_step(report->watch.ctx, &step);
}

/* Of all steps there are, those that were not reported yet. */
void
run_report_steps(struct run_report *report, const struct protocol_message *message)
{
	for (size_t i = report->said_steps; i < message->step_count; i++)
		run_report_step(report, &message->steps[i], message->record.image);
}

static void
say_hosts(const struct run_report *report, struct hosts_said *said)
{
	if ((said->n > 0 || said->is_gone) && report->watch.on_hosts != NULL)
		report->watch.on_hosts(report->watch.ctx, said);
	said->n = 0;
}

void
run_report_hosts(struct run_report *report, const char *lines, size_t size)
{
	struct host_result list[HOSTS_SAID_MAX];
	struct hosts_said said = { .run = report->run, .is_gone = size == 0, .list = list };
	const char *end = lines + size;

	for (const char *stop; lines < end; lines = stop + 1) {
		stop = memchr(lines, '\n', (size_t)(end - lines));
		said.n += run_translate_host(
		    lines, (size_t)(stop - lines), report->redact, &list[said.n]);
		if (said.n == HOSTS_SAID_MAX)
			say_hosts(report, &said);
	}
	say_hosts(report, &said);
}

void
run_report_attached(struct run_report *report, const struct effect_run *order)
{
	if (report->said_attached)
		return;
	report->said_attached = true;
	log_line(LOG_LEVEL_INFO,
	    LOG_FIELDS(LOG_I64("run", order->run), LOG_I64("deployment", order->deployment)),
	    "run %" PRId64 " (%s %s) is re-attached: it went on meanwhile", order->run,
	    order->environment, commit_name_here(COMMIT_OF(order)));
}

void
run_report_lost(struct run_report *report)
{
	if (report->said_lost)
		return;
	report->said_lost = true;
	report->watch.on_lost(report->watch.ctx, "");
}

/* The runner's word about a run whose supervisor is gone; it decides nothing. */
void
run_report_stuck(struct run_report *report, const struct protocol_message *message)
{
	char stuck[LIMIT_LINE];

	run_translate_stuck(message, stuck);
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", report->run)),
	    "its supervisor is gone and %s; its environment stays busy", stuck);
	if (report->said_stuck)
		return;
	report->said_lost = true;
	report->said_stuck = true;
	report->watch.on_lost(report->watch.ctx, stuck);
}

void
run_report_hello(struct run_report *report, const struct protocol_message *message)
{
	struct run_started hello = {
		.run = report->run,
		.pid = message->pid,
		.start_time = message->process.start,
	};

	if (report->said_hello)
		return;
	static_assert(sizeof(hello.boot) >= sizeof(message->process.boot), "a boot id fits");
	memcpy(hello.boot, message->process.boot, sizeof(message->process.boot));
	report->said_hello = true;
	report->watch.on_hello(report->watch.ctx, &hello);
}

void
run_report_incompatible(struct run_report *report, const char *why)
{
	if (report->said_incompatible)
		return;
	report->said_incompatible = true;
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", report->run)),
	    "its supervisor is of another version (incompatible): %s: the run goes on, and is followed by its log and its record alone",
	    why);
	report->watch.on_incompatible(report->watch.ctx);
}

/* Said once: it is tried again all the time. */
void
run_report_unreachable(
    struct run_report *report, const char *state_directory, const struct err *why)
{
	CLEANUP(file_closep) int folder = run_files_open(state_directory, report->run, NULL);

	if (report->said_unreachable || why->code == ERR_BUSY ||
	    (why->code == ERR_MISSING && folder >= 0))
		return; /* its supervisor is busy, or on its way out */
	report->said_unreachable = true;
	log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", report->run)),
	    "its supervisor cannot be reached: %s: server and runner need one STATE_DIRECTORY, and the server's user the group of runs/ (see `deploybot doctor`)",
	    why->text);
}
