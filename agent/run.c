/* run.c - one order to start a unit, from its gate to its record.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/journal.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

#define STATUS_FAILED 70 /* systemd says that it failed, and no status of its own */
#define RETRY_MS      5000
#define SWEEP_MS      90000

static void note(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/* What people read of it: in the log of the agent, and in that of the run. */
static void
note(const struct run *run, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_info("run %" PRIu64 ", %s: %s", run->id, run->capability, text);
	record_log_line(run->folder, text);
}

/* --- its end ------------------------------------------------------------------------------ */

static void
say_exit(struct run *run)
{
	const struct protocol_message over = { .kind = PROTOCOL_EXIT, .record = run->record };

	(void)peer_say(&run->peer, &over); /* who has not come asks for it */
	run->state = RUN_OVER;
}

/* A record that the disk does not take is kept as it was, which is lost=1 behind the gate. */
static void
finish(struct run *run)
{
	struct err err;

	run->record.ended_at = clock_wall_ms();
	CRASH_POINT(agent_record_due);
	if (!record_write(run->folder, run->capability, &run->record, &err))
		log_error("run %" PRIu64 ": %s", run->id, err.text);
	CRASH_POINT(agent_record_done);
	say_exit(run);
}

static void
end_at_gate(struct run *run, const char *why)
{
	note(run, "nothing was started: %s", why);
	finish(run);
}

static void
fill_record(struct protocol_record *record, const struct systemd_end *end)
{
	bool is_good = strcmp(end->job, "done") == 0 && strcmp(end->result, "success") == 0 &&
	    end->invocation[0] != '\0';

	record->lost = false;
	record->timed_out |= strcmp(end->result, "timeout") == 0;
	if (end->code == CLD_KILLED || end->code == CLD_DUMPED)
		record->signal = end->status;
	else if (end->code == CLD_EXITED)
		record->status = end->status;
	if (is_good)
		record->status = record->signal = 0;
	else if (record->status == 0 && record->signal == 0)
		record->status = STATUS_FAILED;
}

static void
end_run(struct run *run, const struct systemd_end *end)
{
	CLEANUP(file_closep) int log = record_log_open(run->folder);
	struct err err;

	CRASH_POINT(agent_unit_ended);
	fill_record(&run->record, end);
	if (end->invocation[0] == '\0')
		note(run, "systemd has run nothing of it (%s)", end->job);
	else if (log != -1 && !journal_copy(end->invocation, log, &err))
		note(run, "its output was not read: %s", err.text);
	if (run->record.status != 0 || run->record.signal != 0)
		note(run, "it failed: job %s, result %s", end->job, end->result);
	finish(run);
}

/* --- its gate ----------------------------------------------------------------------------- */

bool
run_begin(struct run *run, const struct run_world *world, const struct protocol_message *order,
    struct err *err)
{
	*run = (struct run){ .state = RUN_AT_GATE,
		.id = order->id,
		.epoch = order->proof.epoch,
		.deadline_ms = (int64_t)order->deadline_s * 1000,
		.due = clock_monotonic_ms() + (int64_t)PROTOCOL_GATE_WAIT_S * 1000,
		.peer = { .listener = -1, .fd = -1 } };
	(void)text_copy(run->capability, sizeof(run->capability), order->argument);
	memcpy(run->manifest, order->fingerprint, sizeof(run->manifest));
	run->folder = records_make(world->records, run->id, run->capability, err);
	if (run->folder == -1)
		return false;
	CRASH_POINT(agent_record_made);
	if (peer_listen(&run->peer, run->folder, "socket", err))
		return true;
	records_drop(world->records, run->id);
	run_done(run);
	return false;
}

/* The unit is what was ordered, and nobody else has started it. */
static bool
check_unit(const struct run *run, const struct run_world *world, struct systemd_unit *unit,
    struct err *err)
{
	char digest[UNIT_FILE_DIGEST];
	struct manifest now;

	if (!manifest_make(world->systemd, &now, err))
		return false;
	if (strcmp(now.whole, run->manifest) != 0)
		return err_set(
		    err, ERR_CHANGED, "the units of this host are not those of the order");
	if (!manifest_look(world->systemd, run->capability, digest, unit, err))
		return false;
	return unit->is_idle || err_set(err, ERR_BUSY, "its unit runs already");
}

/* gate=1 is on disk before systemd is asked, so that a start that is on disk nowhere never was. */
static void
start_unit(struct run *run, const struct run_world *world, const struct systemd_unit *unit)
{
	const struct protocol_record before = run->record;
	char name[MANIFEST_UNIT];
	struct err err = { .text = "" };

	run->record.gate = run->record.lost = true;
	if (!record_write(run->folder, run->capability, &run->record, &err)) {
		run->record = before;
		end_at_gate(run, err.text);
		return;
	}
	CRASH_POINT(agent_gate_flushed);
	run->state = RUN_GOING;
	run->due = clock_monotonic_ms() + run->deadline_ms;
	if (!systemd_start(world->systemd, manifest_unit(run->capability, name), unit,
		&run->record.exec_errno, &err)) {
		run->record.lost = false;
		note(run, "it was not started: %s", err.text);
		finish(run);
		return;
	}
	CRASH_POINT(agent_unit_started);
	log_info("run %" PRIu64 ": started %s", run->id, name);
}

static void
on_go(struct run *run, const struct run_world *world, const struct protocol_message *go)
{
	const struct order_context context = { .settings = world->settings,
		.epoch = run->epoch,
		.run = run->id,
		.capability = run->capability,
		.manifest = run->manifest };
	struct systemd_unit unit = { .is_loaded = false };
	struct err err;

	CRASH_POINT(agent_go_read);
	if (run->state != RUN_AT_GATE)
		return; /* said again it changes nothing */
	if (!order_check(&run->peer.challenge, go, &context, clock_monotonic_ms(), &err) ||
	    !check_unit(run, world, &unit, &err))
		end_at_gate(run, err.text);
	else
		start_unit(run, world, &unit);
	systemd_unit_done(&unit);
}

/* --- while it runs ------------------------------------------------------------------------ */

static void
stop_unit(struct run *run, const struct run_world *world)
{
	char name[MANIFEST_UNIT];
	struct err err;

	run->due = INT64_MAX;
	if (systemd_stop(world->systemd, manifest_unit(run->capability, name), &err))
		return;
	log_error("run %" PRIu64 ": %s", run->id, err.text);
	run->due = clock_monotonic_ms() + RETRY_MS;
}

static void
on_end(struct run *run, const struct run_world *world)
{
	if (run->record.ended)
		return;
	run->record.ended = true;
	if (run->state == RUN_AT_GATE)
		end_at_gate(run, "it was cancelled");
	else if (run->state == RUN_GOING)
		stop_unit(run, world);
}

void
run_accept(struct run *run)
{
	const struct protocol_message hello = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .record.gate = run->record.gate
	};

	peer_accept(&run->peer);
	(void)peer_say(&run->peer, &hello); /* or it has gone again */
}

void
run_hear(struct run *run, const struct run_world *world)
{
	struct protocol_message message;

	if (peer_hear(&run->peer, &message)) {
		if (message.kind == PROTOCOL_CHALLENGE)
			peer_challenge(&run->peer);
		else if (message.kind == PROTOCOL_GO)
			on_go(run, world, &message);
		else if (message.kind == PROTOCOL_END)
			on_end(run, world);
	}
	if (run->peer.fd == -1 && run->state == RUN_AT_GATE)
		end_at_gate(run, "its server was lost");
}

void
run_advance(struct run *run, const struct run_world *world)
{
	bool is_due = clock_monotonic_ms() >= run->due;

	if (run->state == RUN_AT_GATE && is_due && run->peer.fd == -1)
		end_at_gate(run, "no server came for it");
	if (run->state == RUN_GOING && systemd_end(world->systemd)->is_over)
		end_run(run, systemd_end(world->systemd));
	else if (run->state == RUN_GOING && is_due) {
		run->record.timed_out |= !run->record.ended;
		stop_unit(run, world);
	}
}

int
run_wait_ms(const struct run *run)
{
	int64_t left = run->due - clock_monotonic_ms();

	if ((run->state != RUN_AT_GATE && run->state != RUN_GOING) || run->due == INT64_MAX ||
	    (run->state == RUN_AT_GATE && run->peer.fd != -1))
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void
run_done(struct run *run)
{
	peer_close(&run->peer);
	if (run->folder != -1)
		(void)unlinkat(run->folder, "socket", 0); /* one that stays refuses */
	file_closep(&run->folder);
	run->state = RUN_NONE;
	run->id = 0;
}

/* --- at the start ------------------------------------------------------------------------- */

/* Waits until its stop is over. */
static bool
sweep(struct systemd *systemd, const char *capability)
{
	int64_t until = clock_monotonic_ms() + SWEEP_MS;
	struct systemd_unit unit;
	char name[MANIFEST_UNIT];
	struct err err = { .text = "" };
	bool good = systemd_look(systemd, manifest_unit(capability, name), &unit, &err);

	if (good && unit.is_loaded && !unit.is_idle) {
		good = systemd_stop(systemd, name, &err);
		while (good && !systemd_end(systemd)->is_over && clock_monotonic_ms() < until) {
			struct pollfd fd = { .fd = -1 };
			int timeout;

			fd.fd = systemd_fd(systemd, &fd.events, &timeout);
			(void)poll(&fd, 1, timeout < 0 || timeout > 1000 ? 1000 : timeout);
			good = systemd_process(systemd, &err);
		}
		good = good && systemd_end(systemd)->is_over;
	}
	systemd_unit_done(&unit);
	if (!good)
		log_error("%s of a run that was lost may still run: %s", name, err.text);
	return good;
}

static void
recover(const struct run_world *world, uint64_t id)
{
	CLEANUP(file_closep) int folder = records_folder(world->records, id);
	char capability[PROTOCOL_CAPABILITY + 1];
	struct protocol_record record;
	struct err err;

	record_read(folder, &record, capability);
	if (record.ended_at != 0)
		return;
	if (record.lost)
		record.unswept = !sweep(world->systemd, capability);
	record.ended_at = clock_wall_ms();
	log_warning("run %" PRIu64 ", %s: an agent before this one ended in it; %s", id, capability,
	    record.gate ? "its unit was started, or about to be" : "nothing was started");
	if (!record_write(folder, capability, &record, &err))
		log_error("run %" PRIu64 ": %s", id, err.text); /* what stands there is as true */
}

void
run_recover(const struct run_world *world)
{
	for (size_t i = 0; i < world->records->count; i++)
		recover(world, world->records->ids[i]);
}
