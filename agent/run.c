/* run.c - one order to start a unit, from its gate to its record.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/journal.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "lib/file_piece.h"
#include "lib/log.h"
#include "lib/text.h"

#define STATUS_FAILED 70 /* systemd says that it failed, and no status of its own */
#define RETRY_MS      5000

/* runs/ID: the log outlives the run as long as its record does. */
int
run_make_folder(int state, uint64_t id)
{
	char name[32];

	(void)mkdirat(state, "runs", 0750); /* or it is there */
	(void)snprintf(name, sizeof(name), "runs/%" PRIu64, id);
	(void)mkdirat(state, name, 0750);
	return openat(state, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void
remove_folder(int state, uint64_t id)
{
	static const char *const names[] = { "/log", "/socket", "" };
	char name[40];

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(name, sizeof(name), "runs/%" PRIu64 "%s", id, names[i]);
		(void)unlinkat(state, name, names[i][0] == '\0' ? AT_REMOVEDIR : 0);
	}
}

static int
open_log(const struct run *run)
{
	return openat(
	    run->folder, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

size_t
run_log_end(int state, uint64_t id, char out[PROTOCOL_END_MAX])
{
	struct file_piece end = { .from = -1, .out = out, .room = PROTOCOL_END_MAX };
	char name[40];

	(void)snprintf(name, sizeof(name), "runs/%" PRIu64 "/log", id);
	return file_piece(state, name, &end);
}

static void note(const struct run *run, const char *fmt, ...) PRINTF(2, 3);

/* For people, in the log of the agent and in that of the run. */
static void
note(const struct run *run, const char *fmt, ...)
{
	CLEANUP(file_closep) int log = open_log(run);
	char text[400];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_info("run %" PRIu64 ", %s: %s", run->record->id, run->record->capability, text);
	if (log != -1)
		(void)!dprintf(log, "deploybot-agent: %s\n", text); /* or there is no room */
}

/* --- its end ------------------------------------------------------------------------------ */

/* A record that the disk does not take stays what it was, which is lost=1 behind the gate. */
static void
finish(struct run *run, const struct run_world *world)
{
	struct protocol_message over = { .kind = PROTOCOL_EXIT };
	struct err err;

	run->record->end.ended_at = clock_wall_ms();
	CRASH_POINT(agent_record_due);
	if (!records_put(&world->records, run->record, run->record, &err))
		log_error("%s", err.text);
	CRASH_POINT(agent_record_done);
	over.record = run->record->end;
	(void)peer_say(&run->peer, &over); /* who has not come asks for it */
	run->state = RUN_OVER;
}

static void
end_at_gate(struct run *run, const struct run_world *world, const char *why)
{
	note(run, "nothing was started: %s", why);
	finish(run, world);
}

void
run_fill_record(struct protocol_record *record, const struct systemd_end *end)
{
	const struct systemd_unit *unit = &end->unit;
	bool is_killed = unit->exec_main_code == CLD_KILLED || unit->exec_main_code == CLD_DUMPED;

	record->lost = false;
	record->timed_out |= strcmp(unit->result, "timeout") == 0;
	if (strcmp(end->job, "done") == 0 && strcmp(unit->result, "success") == 0 &&
	    unit->invocation[0] != '\0')
		return;
	if (unit->invocation[0] == '\0' || unit->exec_main_status == 0)
		record->status = STATUS_FAILED;
	else if (is_killed)
		record->signal = unit->exec_main_status;
	else
		record->status = unit->exec_main_status;
}

static void
end_run(struct run *run, const struct run_world *world)
{
	const struct systemd_end *end = systemd_end(world->systemd);
	CLEANUP(file_closep) int log = open_log(run);
	struct protocol_record *record = &run->record->end;
	struct err err;

	CRASH_POINT(agent_unit_ended);
	if (run->began == 0) { /* by an agent before us: how it ended is not known */
		finish(run, world);
		return;
	}
	run_fill_record(record, end);
	if (end->unit.invocation[0] == '\0')
		note(run, "systemd has run nothing of it");
	else if (log != -1 && !journal_copy(run->unit, end->unit.invocation, run->began, log, &err))
		note(run, "its output was not read: %s", err.text);
	if (record->status != 0 || record->signal != 0)
		note(run, "it failed: job %s, result %s", end->job, end->unit.result);
	finish(run, world);
}

/* --- its gate ----------------------------------------------------------------------------- */

bool
run_begin(struct run *run, struct run_world *world, const struct protocol_message *order,
    const char *digest, struct err *err)
{
	struct record *slot = records_slot(&world->records);
	struct record now = { .id = order->id, .epoch = order->proof.epoch };
	const uint64_t before = slot->id;

	*run = (struct run){ .state = RUN_AT_GATE,
		.record = slot,
		.deadline_ms = (int64_t)order->deadline_s * 1000,
		.due = clock_monotonic_ms() + (int64_t)PROTOCOL_GATE_WAIT_S * 1000,
		.folder = run_make_folder(world->state, order->id) };
	memcpy(run->manifest, order->fingerprint, sizeof(run->manifest));
	(void)text_copy(run->digest, sizeof(run->digest), digest);
	(void)manifest_unit(order->argument, run->unit);
	(void)text_copy(now.capability, sizeof(now.capability), order->argument);
	if (peer_listen(&run->peer, run->folder, "socket", err) &&
	    records_put(&world->records, slot, &now, err)) {
		CRASH_POINT(agent_record_made);
		if (before != 0)
			remove_folder(world->state, before);
		return true;
	}
	run_done(run);
	remove_folder(world->state, order->id);
	return false;
}

/* The unit is what was ordered, and nobody else has started it. */
static bool
check_unit(const struct run *run, const struct run_world *world, struct systemd_unit *unit,
    struct err *err)
{
	char digest[65];

	if (!manifest_look(world->systemd, run->record->capability, unit, digest, err))
		return false;
	if (strcmp(digest, run->digest) != 0)
		return err_set(err, ERR_CHANGED, "its unit is not that of the order");
	return systemd_is_idle(unit) ||
	    err_set(err, ERR_BUSY, "its unit is %s already", unit->active_state);
}

/* gate=1 is on disk before systemd is asked, so that no start is without a record of it. */
static void
start_unit(struct run *run, const struct run_world *world, const struct systemd_unit *unit)
{
	struct protocol_record *record = &run->record->end;
	struct record open = *run->record;
	struct err err;

	open.end.gate = open.end.lost = true;
	if (!records_put(&world->records, run->record, &open, &err)) {
		end_at_gate(run, world, err.text);
		return;
	}
	CRASH_POINT(agent_gate_flushed);
	run->state = RUN_GOING;
	run->began = clock_monotonic_ms();
	run->due = run->began + run->deadline_ms;
	log_info("run %" PRIu64 ": asks systemd to start %s", run->record->id, run->unit);
	record->exec_errno = systemd_start(world->systemd, run->unit, unit, &err);
	CRASH_POINT(agent_unit_started);
	if (record->exec_errno == 0)
		return;
	record->lost = false;
	note(run, "it was not started: %s", err.text);
	finish(run, world);
}

static void
on_go(struct run *run, const struct run_world *world, const struct protocol_message *go)
{
	const struct order_shown shown = { .bytes = { .kind = protocol_kind_name(go->kind),
					       .capability = run->record->capability,
					       .run = run->record->id,
					       .epoch = go->proof.epoch,
					       .manifest = run->manifest,
					       .challenge = go->proof.challenge },
		.signature = go->proof.signature,
		.lowest = run->record->epoch };
	struct systemd_unit unit;
	struct err err;

	CRASH_POINT(agent_go_read);
	if (!order_check(&run->peer.challenge, &shown, world->settings, &err) ||
	    !check_unit(run, world, &unit, &err))
		end_at_gate(run, world, err.text);
	else
		start_unit(run, world, &unit);
}

/* --- while it runs ------------------------------------------------------------------------ */

static void
stop_unit(struct run *run, const struct run_world *world)
{
	struct err err;

	run->due = INT64_MAX;
	if (systemd_stop(world->systemd, run->unit, &err))
		return;
	log_error("run %" PRIu64 ": %s", run->record->id, err.text);
	run->due = clock_monotonic_ms() + RETRY_MS;
}

static void
on_end(struct run *run, const struct run_world *world)
{
	if (run->record->end.ended)
		return;
	run->record->end.ended = true;
	if (run->state == RUN_AT_GATE)
		end_at_gate(run, world, "it was cancelled");
	else
		stop_unit(run, world);
}

static void
say_hello(struct run *run)
{
	const struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.record.gate = run->record->end.gate };

	(void)peer_say(&run->peer, &hello); /* or it has gone again */
}

void
run_accept(struct run *run)
{
	if (peer_accept(&run->peer))
		say_hello(run);
}

void
run_hear(struct run *run, struct run_world *world, bool is_guest)
{
	struct protocol_message message;

	if (is_guest) {
		if (peer_hear_guest(&run->peer, run->record->epoch, &message))
			say_hello(run);
		return;
	}
	if (peer_hear(&run->peer, run->record->epoch, &message)) {
		if (message.kind == PROTOCOL_CHALLENGE)
			peer_challenge(&run->peer);
		else if (message.kind == PROTOCOL_GO && run->state == RUN_AT_GATE)
			on_go(run, world, &message); /* said again it changes nothing */
		else if (message.kind == PROTOCOL_END)
			on_end(run, world);
	}
	/* Of a server whose epoch is over, or that has said none, it shuts no gate. */
	if (run->peer.fd == -1 && run->state == RUN_AT_GATE && run->peer.last >= run->record->epoch)
		end_at_gate(run, world, "its server was lost");
}

void
run_advance(struct run *run, struct run_world *world)
{
	bool is_due = clock_monotonic_ms() >= run->due;

	if (run->state == RUN_AT_GATE && is_due)
		end_at_gate(run, world, "no order to go came in time");
	if (run->state != RUN_GOING)
		return;
	if (systemd_end(world->systemd)->is_over) {
		end_run(run, world);
	} else if (is_due) {
		run->record->end.timed_out |= !run->record->end.ended && run->began != 0;
		stop_unit(run, world);
	}
}

int
run_wait_ms(const struct run *run)
{
	int64_t left = run->due - clock_monotonic_ms();

	if (run->state == RUN_NONE)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? -1 : (int)left;
}

void
run_done(struct run *run)
{
	peer_close(&run->peer);
	if (run->folder != -1)
		(void)unlinkat(run->folder, "socket", 0); /* one that stays refuses */
	file_closep(&run->folder);
	*run = (struct run){ .folder = -1, .peer = PEER_NONE };
}

/* --- at the start ------------------------------------------------------------------------- */

/* Its record is final where nothing of it runs; else it is stopped as a run that goes on. */
static void
recover(struct run *run, struct run_world *world, struct record *record)
{
	struct systemd_unit unit;
	struct err err;

	*run = (struct run){ .state = RUN_GOING,
		.record = record,
		.folder = run_make_folder(world->state, record->id),
		.peer = PEER_NONE };
	(void)manifest_unit(record->capability, run->unit);
	note(run, "an agent before this one ended in it");
	if (!record->end.gate ||
	    (systemd_look(world->systemd, run->unit, &unit, &err) && systemd_is_idle(&unit)))
		finish(run, world);
	else if (!peer_listen(&run->peer, run->folder, "socket", &err))
		log_error("run %" PRIu64 ": %s", record->id, err.text); /* it is asked for */
}

void
run_recover(struct run *run, struct run_world *world)
{
	for (size_t i = 0; run->state == RUN_NONE && i < RECORDS_MAX; i++) {
		struct record *record = &world->records.all[i];

		if (record->id == 0 || record->end.ended_at != 0)
			continue;
		recover(run, world, record);
		if (run->state == RUN_OVER)
			run_done(run);
	}
}
