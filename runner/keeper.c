/* keeper.c - the parent, sub-reaper and only witness of one run.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crash_point.h"
#include "runner/cgroup.h"
#include "runner/keeper_become.h"
#include "runner/keeper_server.h"
#include "runner/leader.h"
#include "runner/log_pump.h"
#include "runner/run_folder.h"
#include "runner/supervisor_flow.h"

#define READY_WAIT_MS  20000 /* a disk this slow is no place to start a run */
#define STUCK_AFTER_MS 5000  /* after KILL */
#define STUCK_EVERY_MS 10000
#define RECORD_TRIES   60
#define TURNS_MAX      16 /* pieces of output before others have their turn */
#define NEVER	       INT64_MAX

struct keeper {
	struct supervisor_flow flow;
	uint64_t id;
	unsigned int deadline_s;
	unsigned int grace_s;
	int folder;
	int root; /* runs/, until this run's name in it is flushed; then -1 */
	bool is_spare;
	int claimed;
	int listener;
	int children; /* signalfd */
	int runner;   /* pidfd; -1 when it has ended or does not matter any more */
	struct keeper_server server;
	struct leader leader;
	struct process_leader identity;
	struct log_pump pump;
	struct redact *secrets; /* the pump's; NULL: the log is raw */
	int wait_status;
	int record_tries;
	pid_t survivor; /* of the last KILL */
	pid_t stuck;
	/* monotonic milliseconds */
	int64_t now;	  /* of this turn */
	int64_t until;	  /* TIME_UP */
	int64_t stuck_at; /* when a survivor is told of */
	/* the record, as it will be told */
	struct protocol_message out;
};

static void on_step(void *ctx, enum step_scan_kind kind, const char *text);
static void on_server_message(struct keeper *keeper, const char *data, size_t len);
static void on_go(struct keeper *keeper);

/* Noted here, and acted on at the bottom of the turn: advance(). */
static void
happened(struct keeper *keeper, enum supervisor_event event)
{
	keeper->flow.facts |= 1U << event;
}

static int64_t
wait_ms(const struct keeper *keeper, enum supervisor_wait wait)
{
	static const int64_t fixed[] = {
#define W(name, ms, words) ms,
		SUPERVISOR_WAITS(W)
#undef W
	};

	if (wait == SUPERVISOR_WAIT_DEADLINE)
		return (int64_t)keeper->deadline_s * 1000;
	return wait == SUPERVISOR_WAIT_GRACE ? (int64_t)keeper->grace_s * 1000 : fixed[wait];
}

/* ---- becoming a keeper ------------------------------------------------------------------- */

static void
identify_leader(struct keeper *keeper)
{
	struct process leader;

	keeper->identity.pid = keeper->leader.pid;
	if (process_read(keeper->leader.pid, &leader))
		keeper->identity.start = leader.start;
}

static bool
open_log(struct keeper *keeper, struct program_plan *plan, int *ret_output, struct err *err)
{
	if (run_folder_is_shared(keeper->folder))
		keeper->secrets = TAKE(plan->secrets);
	return log_pump_open(
	    &keeper->pump, keeper->folder, plan->log_limit, keeper->secrets, ret_output, err);
}

/* Everything that can be refused, before anybody hears of the run. */
static bool
keeper_open(struct keeper *keeper, const struct keeper_start *start, struct err *err)
{
	struct program_plan plan;
	int output = -1, group;
	bool good;

	keeper->claimed = run_folder_claim(keeper->folder, err);
	if (keeper->claimed == -1)
		return false;
	CRASH_POINT(folder_claimed);
	group = cgroup_make(keeper->identity.tag);
	good = program_plan(&plan, start->order, start->place, err) &&
	    open_log(keeper, &plan, &output, err) &&
	    leader_fork(&keeper->leader,
		&(struct leader_plan){ plan.path, plan.argv, plan.envp, output, group }, err);
	program_plan_done(&plan);
	if (output != -1)
		(void)close(output);
	if (group != -1)
		(void)close(group);
	if (!good)
		return false;
	CRASH_POINT(leader_forked);
	identify_leader(keeper);
	keeper->listener = run_folder_listen(keeper->folder, err);
	if (keeper->listener == -1 ||
	    !run_folder_leader_write(keeper->folder, &keeper->identity, err))
		return false;
	CRASH_POINT(leader_written);
	return true;
}

/* ---- what the server is told ------------------------------------------------------------- */

static void
tell_server(struct keeper *keeper)
{
	const struct keeper_news news = {
		.id = keeper->id,
		.out = &keeper->out,
		.identity = &keeper->identity,
		.is_over = keeper->flow.state == SUPERVISOR_TOLD,
		.stuck = &keeper->stuck,
	};

	if (!keeper_server_tell(&keeper->server, &news))
		happened(keeper, SUPERVISOR_ON_SERVER_LOST);
}

/* While the server records our hello: nobody waits for two flushes in a row.  A power cut between
 * them leaves a run that has begun by its row and has no folder: its gate was shut. */
static void
flush_names(struct keeper *keeper)
{
	bool good;

	if (keeper->root == -1)
		return;
	good = run_folder_flush(keeper->root, keeper->folder, keeper->is_spare, NULL);
	(void)close(keeper->root); /* was flushed, or will not be */
	keeper->root = -1;
	CRASH_POINT(folder_flushed);
	if (!good)
		happened(keeper, SUPERVISOR_ON_FLUSH_FAILED);
}

/* ---- the acts of the table --------------------------------------------------------------- */

static void
open_gate(struct keeper *keeper)
{
	keeper->out.record.gate = true;
	leader_open_gate(&keeper->leader);
	CRASH_POINT(gate_opened);
	if (keeper->runner != -1)
		(void)close(keeper->runner);
	keeper->runner = -1; /* from now on nothing happens to the run without it */
}

static void
shut_gate(struct keeper *keeper)
{
	leader_done(&keeper->leader);
}

static void
note_stopped(struct keeper *keeper)
{
	keeper->out.record.ended = true;
}

static void
note_timed_out(struct keeper *keeper)
{
	keeper->out.record.timed_out = true;
}

static void
send_term(struct keeper *keeper)
{
	pid_t one;

	keeper->stuck_at = keeper->until + STUCK_AFTER_MS;
	if ((keeper->flow.facts & SUPERVISOR_BIT(NO_CHILD)) != 0)
		return;
	(void)process_signal_below(getpid(), SIGTERM, &one);
	(void)process_signal_below(
	    getpid(), SIGCONT, &one); /* a stopped one hears TERM only then */
	CRASH_POINT(ending_begun);
}

static void
send_kill(struct keeper *keeper)
{
	keeper->survivor = 0;
	(void)process_signal_below(getpid(), SIGKILL, &keeper->survivor);
	if (keeper->survivor != 0 && keeper->now >= keeper->stuck_at)
		happened(keeper, SUPERVISOR_ON_STUCK);
}

static void
report_stuck(struct keeper *keeper)
{
	keeper->stuck = keeper->survivor;
	keeper->stuck_at = keeper->now + STUCK_EVERY_MS;
}

static void
fill_record(struct keeper *keeper)
{
	struct protocol_record *record = &keeper->out.record;

	if (record->gate) {
		record->exec_errno = leader_exec_errno(&keeper->leader);
		if (record->exec_errno == 0 && WIFSIGNALED(keeper->wait_status))
			record->signal = WTERMSIG(keeper->wait_status);
		else if (record->exec_errno == 0)
			record->status = WEXITSTATUS(keeper->wait_status);
	}
	record->ended_at = clock_wall_ms();
	log_pump_settle(&keeper->pump);
}

/* Nothing of it is alive, or it ended well: the record, and then its room on disk is used once. */
static void
write_record(struct keeper *keeper)
{
	struct err err;

	if (keeper->record_tries == 0)
		fill_record(keeper);
	CRASH_POINT(record_due);
	if (run_folder_record_write(keeper->claimed, &keeper->out, &err)) {
		CRASH_POINT(record_done);
		happened(keeper, SUPERVISOR_ON_RECORDED);
	} else if (++keeper->record_tries == RECORD_TRIES) {
		happened(keeper, SUPERVISOR_ON_DISK_REFUSED); /* what it had promised */
	}
}

static void
close_socket(struct keeper *keeper)
{
	log_pump_stop(&keeper->pump);
	(void)close(keeper->listener);
	keeper->listener = -1;
	(void)unlinkat(keeper->folder, "socket", 0); /* may stay: it refuses */
}

static void
read_rest(struct keeper *keeper)
{
	int64_t until = keeper->now + wait_ms(keeper, SUPERVISOR_WAIT_DRAIN);

	while (clock_monotonic_ms() < until) {
		if (log_pump_turn(&keeper->pump, on_step, keeper) != LOG_PUMP_MORE)
			return;
	}
}

static void
hang_up(struct keeper *keeper)
{
	keeper_server_close(&keeper->server);
}

static _Noreturn void
give_up(struct keeper *keeper)
{
	(void)keeper;
	_exit(1);
}

static _Noreturn void
leave(struct keeper *keeper)
{
	(void)keeper;
	_exit(0);
}

/* ---- what happens, in the order in which it does ----------------------------------------- */

static void
on_connection(struct keeper *keeper)
{
	int fd = accept4(keeper->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1)
		return;			      /* it has gone again */
	keeper_server_close(&keeper->server); /* the newest is the server */
	keeper->server.fd = fd;
	happened(keeper, SUPERVISOR_ON_CONNECTED);
}

/* Closed at once: a server that closes in order to give up a gate must not find it open later. */
static void
on_server_lost(struct keeper *keeper)
{
	keeper_server_close(&keeper->server);
	happened(keeper, SUPERVISOR_ON_SERVER_LOST);
}

static void
on_server_readable(struct keeper *keeper)
{
	char packet[1024];
	ssize_t n = recv(keeper->server.fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n > sizeof(packet))
		on_server_lost(keeper);
	else
		on_server_message(keeper, packet, (size_t)n);
}

static void
on_server_message(struct keeper *keeper, const char *data, size_t len)
{
	struct protocol_message message;

	if (!protocol_decode(data, len, &message, NULL))
		on_server_lost(keeper);
	else if (message.kind == PROTOCOL_GO)
		on_go(keeper);
	else if (message.kind == PROTOCOL_END)
		happened(keeper, SUPERVISOR_ON_STOP_REQUESTED);
}

static void
on_go(struct keeper *keeper)
{
	if ((keeper->flow.facts & SUPERVISOR_BIT(GO)) != 0)
		return;
	CRASH_POINT(go_heard);
	flush_names(keeper); /* for a server that says go before it has heard hello */
	happened(keeper, SUPERVISOR_ON_GO);
}

/* Its runner, and so its server, has ended.  A server that is connected is told apart by that. */
static void
on_runner_ended(struct keeper *keeper)
{
	(void)close(keeper->runner);
	keeper->runner = -1;
	if (keeper->server.fd == -1)
		happened(keeper, SUPERVISOR_ON_RUNNER_LOST);
}

static void
on_children(struct keeper *keeper)
{
	bool main_ended = false;

	if (keeper_become_reap(
		keeper->children, keeper->leader.pid, &main_ended, &keeper->wait_status))
		happened(keeper, SUPERVISOR_ON_NO_CHILD);
	if (!main_ended)
		return;
	CRASH_POINT(leader_ended);
	happened(keeper,
	    WIFEXITED(keeper->wait_status) && WEXITSTATUS(keeper->wait_status) == 0 ?
		SUPERVISOR_ON_MAIN_OK :
		SUPERVISOR_ON_MAIN_FAILED);
}

static void
on_output(struct keeper *keeper)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		if (log_pump_turn(&keeper->pump, on_step, keeper) != LOG_PUMP_MORE)
			return;
	}
}

/* What counts is what was shipped: the last one before the target changes. */
static void
take_image(struct protocol_record *record, const char *digest)
{
	if (!record->released)
		memcpy(record->image, digest, sizeof(record->image));
}

static void
take_step(struct protocol_message *out, const char *name)
{
	bool release = strcmp(name, "release") == 0;
	bool no_rollback = strcmp(name, "no-rollback") == 0;
	bool first =
	    (release && !out->record.released) || (no_rollback && !out->record.no_rollback);

	/* Behind the release it is too late to say so: it may be what an application printed. */
	if (no_rollback && out->record.released)
		return;
	out->record.released |= release;
	out->record.no_rollback |= no_rollback;
	if (out->step_count >= PROTOCOL_STEPS_MAX && !first)
		return;
	assert(out->step_count < PROTOCOL_STEPS_ROOM);
	out->steps[out->step_count] = (struct protocol_step){ .at = clock_wall_ms() };
	memcpy(out->steps[out->step_count].name, name, strlen(name) + 1);
	out->step_count++;
}

static void
on_step(void *ctx, enum step_scan_kind kind, const char *text)
{
	struct keeper *keeper = ctx;

	if (keeper->flow.state == SUPERVISOR_TOLD)
		return;
	if (kind == STEP_SCAN_IMAGE)
		take_image(&keeper->out.record, text);
	else
		take_step(&keeper->out, text);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* To stderr, which is /dev/null: for strace, and for a test.  The log is the run's, not ours. */
static void
trace(const struct keeper *keeper, const struct supervisor_rule *rule)
{
	(void)dprintf(STDERR_FILENO, "run %" PRIu64 ": %s -> %s on %s\n", keeper->id,
	    supervisor_flow_name(rule->from), supervisor_flow_name(rule->to),
	    supervisor_flow_event_name(rule->on));
}

static unsigned int
look(void *ctx)
{
	const struct keeper *keeper = ctx;
	bool closed = keeper->pump.pipe == -1;

	return (closed ? SUPERVISOR_BIT(OUTPUT_CLOSED) : 0) |
	    (closed && keeper->server.fd == -1 ? SUPERVISOR_BIT(ALONE) : 0) |
	    (keeper->server.said_exit ? SUPERVISOR_BIT(EXIT_SENT) : 0) |
	    (keeper->now >= keeper->until ? SUPERVISOR_BIT(TIME_UP) : 0);
}

static void
apply(void *ctx, const struct supervisor_rule *rule)
{
	static void (*const functions[])(struct keeper * keeper) = {
#define A(name, function) [SUPERVISOR_DO_##name] = function,
		SUPERVISOR_ACTS(A)
#undef A
	};
	struct keeper *keeper = ctx;

	trace(keeper, rule);
	if (rule->wait == SUPERVISOR_WAIT_FOREVER)
		keeper->until = NEVER;
	else if (rule->wait != SUPERVISOR_WAIT_SAME)
		keeper->until = keeper->now + wait_ms(keeper, rule->wait);
	for (const enum supervisor_act *one = rule->acts; *one != SUPERVISOR_DO_NOTHING; one++)
		functions[*one](keeper);
}

/* What has happened in a turn is told and acted on, until nothing follows from it. */
static void
advance(struct keeper *keeper)
{
	keeper->now = clock_monotonic_ms();
	do {
		tell_server(keeper);
		if (keeper->server.said_hello)
			flush_names(keeper);
		if (keeper->server.said_exit)
			CRASH_POINT(exit_told);
	} while (supervisor_flow_advance(&keeper->flow, look, apply, keeper));
}

static int
time_to_wait(const struct keeper *keeper, int64_t now)
{
	int64_t until = keeper->until;

	if (until == NEVER)
		return -1;
	return until <= now ? 0 : (int)(until - now < 60000 ? until - now : 60000);
}

static _Noreturn void
keeper_loop(struct keeper *keeper)
{
	enum { LISTENER, SERVER, OUTPUT, CHILDREN, RUNNER, FDS };

	for (;;) {
		int64_t now = clock_monotonic_ms();
		struct pollfd fds[FDS] = {
			[LISTENER] = { keeper->listener, POLLIN, 0 },
			[SERVER] = { keeper->server.fd,
			    (short)(POLLIN | (keeper->server.blocked ? POLLOUT : 0)), 0 },
			[OUTPUT] = { keeper->pump.pipe, POLLIN, 0 },
			[CHILDREN] = { keeper->children, POLLIN, 0 },
			[RUNNER] = { keeper->runner, POLLIN, 0 },
		};

		if (poll(fds, FDS, time_to_wait(keeper, now)) == -1 && errno != EINTR)
			_exit(1); /* out of memory: as if killed, the runner ends the rest */
		if (fds[OUTPUT].revents != 0)
			on_output(keeper);
		if (fds[CHILDREN].revents != 0)
			on_children(keeper);
		if ((fds[SERVER].revents & POLLOUT) != 0)
			keeper->server.blocked = false;
		if ((fds[SERVER].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			on_server_readable(keeper);
		if (fds[LISTENER].revents != 0)
			on_connection(keeper);
		if (fds[RUNNER].revents != 0 && keeper->runner != -1)
			on_runner_ended(keeper);
		advance(keeper);
	}
}

/* A test build leads stderr, and with it the trace, to a file that the environment names. */
static void
open_trace(void)
{
#ifdef DEPLOYBOT_CRASH_POINTS
	const char *path = getenv("DEPLOYBOT_SUPERVISOR_TRACE");
	int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd == -1)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
#endif
}

static _Noreturn void
keeper_main(const struct keeper_start *start, int ready, int runner)
{
	static struct keeper keeper; /* zero, and large for a stack */
	struct err err = { .code = ERR_NONE };
	int *const keep[] = { &keeper.root, &keeper.folder, &ready, &keeper.runner };

	CRASH_POINT(keeper_begun);
	keeper.id = start->order->id;
	keeper.deadline_s = start->order->deadline_s;
	keeper.grace_s = start->order->grace_s;
	keeper.folder = start->folder;
	keeper.root = start->root;
	keeper.is_spare = start->is_spare;
	keeper.runner = runner;
	keeper.server.fd = -1;
	keeper.out.kind = PROTOCOL_EXIT;
	memcpy(keeper.identity.tag, start->order->tag, sizeof(keeper.identity.tag));
	keeper.children = keeper_become(keep, COUNT(keep), &err);
	open_trace();
	process_boot_id(keeper.identity.boot);
	keeper.identity.space = process_space();
	if (keeper.children == -1 || !keeper_open(&keeper, start, &err)) {
		(void)!write(ready, &err, sizeof(err)); /* the runner waits; else it sees our end */
		_exit(1);
	}
	keeper.until = clock_monotonic_ms() + PROTOCOL_GATE_WAIT_S * 1000;
	(void)!write(ready, &err, sizeof(err));
	CRASH_POINT(keeper_ready);
	(void)close(ready);
	keeper_loop(&keeper);
}

/* ---- in the runner ----------------------------------------------------------------------- */

/* The keeper's word, or that it gave none. */
static bool
wait_until_ready(int ready, struct err *err)
{
	struct pollfd fd = { .fd = ready, .events = POLLIN };
	struct err word;
	int n;

	do {
		n = poll(&fd, 1, READY_WAIT_MS);
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		return err_set(
		    err, ERR_TIMEOUT, "the keeper was not ready after %d s", READY_WAIT_MS / 1000);
	if (read(ready, &word, sizeof(word)) != sizeof(word))
		return err_set(err, ERR_IO, "the keeper ended before it was ready");
	if (word.code == ERR_NONE)
		return true;
	*err = word;
	return false;
}

pid_t
keeper_fork(const struct keeper_start *start, struct err *err)
{
	int ready[2], runner;
	pid_t pid;

	runner = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (runner == -1 || pipe2(ready, O_CLOEXEC) == -1) {
		(void)err_errno(err, ERR_IO, errno, "starting a keeper");
		if (runner != -1)
			(void)close(runner);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		keeper_main(start, ready[1], runner);
	if (pid == -1)
		(void)err_errno(err, ERR_IO, errno, "starting a keeper");
	(void)close(ready[1]);
	(void)close(runner);
	if (pid != -1 && !wait_until_ready(ready[0], err)) {
		(void)kill(pid, SIGKILL); /* our child and not yet waited for: the pid is its own */
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	(void)close(ready[0]);
	return pid;
}
