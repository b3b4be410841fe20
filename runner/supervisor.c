/* supervisor.c - the parent, sub-reaper and only witness of one run.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/column.h"
#include "lib/crash_point.h"
#include "lib/file.h"
#include "runner/cgroup.h"
#include "runner/host_results.h"
#include "runner/subreaper.h"
#include "runner/supervisor_limits.h"
#include "runner/supervisor_server.h"
#include "runner/main_process.h"
#include "runner/log_pump.h"
#include "runner/run_folder.h"
#include "runner/supervisor_flow.h"
#include "runner/supervisor_record.h"

#define READY_WAIT_MS  20000 /* a disk this slow is no place to start a run */
#define STUCK_AFTER_MS 5000  /* after KILL */
#define STUCK_EVERY_MS 10000
#define RECORD_TRIES   60
#define TURNS_MAX      16 /* pieces of output before others have their turn */
#define NEVER	       INT64_MAX
#define RESULTS_MS     1000 /* until the disk is asked again to keep what was said of hosts */

struct supervisor {
	struct supervisor_flow flow;
	const struct supervisor_start *start; /* of the runner's, whose memory is ours too */
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
	struct supervisor_server server;
	struct main_process main_process;
	struct process_main identity;
	struct log_pump pump;
	struct redact *secrets; /* the pump's; NULL: the run was given none */
	int wait_status;
	int record_tries;
	int oom_score_adj; /* ours, and that of what a good script leaves running */
	pid_t survivor;	   /* of the last KILL */
	pid_t stuck;
	/* monotonic milliseconds */
	int64_t now;	  /* of this turn */
	int64_t until;	  /* TIME_UP */
	int64_t stuck_at; /* when a survivor is reported */
	struct supervisor_limits limits;
	struct host_results hosts;
	/* the record, as it will be sent */
	struct protocol_message out;
};

static void on_step(void *ctx, enum step_scan_kind kind, const char *text);
static void on_server_message(struct supervisor *supervisor, const char *data, size_t len);

/* Noted here, and acted on at the bottom of the turn: advance(). */
static void
happened(struct supervisor *supervisor, enum supervisor_event event)
{
	supervisor->flow.facts |= 1U << event;
}

static int64_t
wait_ms(const struct supervisor *supervisor, enum supervisor_wait wait)
{
	static const int64_t fixed[] = { SUPERVISOR_WAITS(COLUMN_SECOND) };

	if (wait == SUPERVISOR_WAIT_DEADLINE)
		return (int64_t)supervisor->deadline_s * 1000;
	return wait == SUPERVISOR_WAIT_GRACE ? (int64_t)supervisor->grace_s * 1000 : fixed[wait];
}

/* ---- becoming a supervisor ------------------------------------------------------------------- */

static void
identify_main_process(struct supervisor *supervisor)
{
	struct process main_process;

	supervisor->identity.pid = supervisor->main_process.pid;
	if (process_read(supervisor->main_process.pid, &main_process))
		supervisor->identity.start = main_process.start;
	supervisor->identity.in_group = supervisor->main_process.in_group;
}

static bool
open_log(struct supervisor *supervisor, struct program_plan *plan, int *ret_output, struct err *err)
{
	supervisor->secrets = TAKE(plan->secrets);
	return log_pump_open(&supervisor->pump, supervisor->folder, plan->log_limit,
	    supervisor->secrets, ret_output, err);
}

/* Everything that can be refused, before anybody is notified of the run. */
static bool
supervisor_open(
    struct supervisor *supervisor, const struct supervisor_start *start, struct err *err)
{
	CLEANUP(program_plan_done) struct program_plan plan = { 0 };
	CLEANUP(file_closep) int output = -1;
	CLEANUP(file_closep) int group = -1;
	int acks; /* stays open: the pipe of one that closes its end breaks nothing */

	supervisor->claimed = run_folder_claim(supervisor->folder, err);
	if (supervisor->claimed == -1)
		return false;
	CRASH_POINT(folder_claimed);
	supervisor->oom_score_adj = main_process_oom_score();
	group = cgroup_make(supervisor->identity.tag);
	if (!program_plan(&plan, start->order, start->dirs, err) ||
	    !open_log(supervisor, &plan, &output, err) ||
	    !host_results_open(&supervisor->hosts, supervisor->folder, start->order, &acks, err) ||
	    !main_process_fork(&supervisor->main_process,
		&(struct main_process_plan){
		    plan.path, plan.argv, plan.envp, output, group, true, 0, acks },
		err))
		return false;
	supervisor->pump.scan.has_hosts = supervisor->hosts.file != -1;
	supervisor->limits = (struct supervisor_limits){
		.fetch_ms = plan.fetch_limit_s * 1000,
		.await_ms = plan.await_limit_s * 1000,
		.migrate_ms = plan.migrate_limit_s * 1000,
	};
	CRASH_POINT(main_process_forked);
	identify_main_process(supervisor);
	supervisor->listener = run_folder_listen(supervisor->folder, err);
	if (supervisor->listener == -1 ||
	    !run_folder_main_process_write(supervisor->folder, &supervisor->identity, err))
		return false;
	CRASH_POINT(main_process_written);
	return true;
}

/* ---- what the server is sent ------------------------------------------------------------- */

/* A server whose epoch is over shuts no gate by its end: it waits for the next one. */
static void
note_lost(struct supervisor *supervisor)
{
	if (supervisor_server_end_counts(&supervisor->server, supervisor->folder))
		happened(supervisor, SUPERVISOR_ON_SERVER_LOST);
	else if (supervisor->flow.state == SUPERVISOR_AT_GATE)
		supervisor->until = clock_monotonic_ms() + PROTOCOL_GATE_WAIT_S * 1000;
}

static void
tell_server(struct supervisor *supervisor)
{
	const struct supervisor_news news = {
		.id = supervisor->id,
		.out = &supervisor->out,
		.identity = &supervisor->identity,
		.is_over = supervisor->flow.state == SUPERVISOR_TOLD,
		.stuck = &supervisor->stuck,
	};

	if (!supervisor_server_tell(&supervisor->server, &news))
		note_lost(supervisor);
}

/* While the server records our hello: nobody waits for two flushes in a row.  A power cut between
 * them leaves a run that has begun by its row and has no folder: its gate was shut. */
static void
flush_names(struct supervisor *supervisor)
{
	bool good;

	if (supervisor->root == -1)
		return;
	good = run_folder_flush(supervisor->root, supervisor->folder, supervisor->is_spare, NULL);
	(void)close(supervisor->root); /* was flushed, or will not be */
	supervisor->root = -1;
	CRASH_POINT(folder_flushed);
	if (!good)
		happened(supervisor, SUPERVISOR_ON_FLUSH_FAILED);
}

/* ---- the acts of the table --------------------------------------------------------------- */

static void
open_gate(struct supervisor *supervisor)
{
	supervisor->out.record.gate = true;
	main_process_open_gate(&supervisor->main_process);
	CRASH_POINT(gate_opened);
	if (supervisor->runner != -1)
		(void)close(supervisor->runner);
	supervisor->runner = -1; /* from now on nothing happens to the run without it */
}

static void
shut_gate(struct supervisor *supervisor)
{
	main_process_done(&supervisor->main_process);
}

static void
note_stopped(struct supervisor *supervisor)
{
	supervisor->out.record.ended = true;
}

static void
note_timed_out(struct supervisor *supervisor)
{
	supervisor->out.record.timed_out = true;
}

static void
send_term(struct supervisor *supervisor)
{
	pid_t one;

	supervisor->stuck_at = supervisor->until + STUCK_AFTER_MS;
	if ((supervisor->flow.facts & SUPERVISOR_BIT(NO_CHILD)) != 0)
		return;
	(void)process_signal_below(getpid(), SIGTERM, &one);
	(void)process_signal_below(
	    getpid(), SIGCONT, &one); /* a stopped one receives TERM only then */
	CRASH_POINT(ending_begun);
}

static void
send_kill(struct supervisor *supervisor)
{
	supervisor->survivor = 0;
	(void)process_signal_below(getpid(), SIGKILL, &supervisor->survivor);
	if (supervisor->survivor != 0 && supervisor->now >= supervisor->stuck_at)
		happened(supervisor, SUPERVISOR_ON_STUCK);
}

static void
report_stuck(struct supervisor *supervisor)
{
	supervisor->stuck = supervisor->survivor;
	supervisor->stuck_at = supervisor->now + STUCK_EVERY_MS;
}

static void
keep_results(struct supervisor *supervisor)
{
	supervisor->server.grew |= host_results_flush(&supervisor->hosts);
}

static void
fill_record(struct supervisor *supervisor)
{
	struct protocol_record *record = &supervisor->out.record;

	if (record->gate) {
		record->exec_errno = main_process_exec_errno(&supervisor->main_process);
		if (record->exec_errno == 0 && WIFSIGNALED(supervisor->wait_status))
			record->signal = WTERMSIG(supervisor->wait_status);
		else if (record->exec_errno == 0)
			record->status = WEXITSTATUS(supervisor->wait_status);
	}
	record->ended_at = clock_wall_ms();
	if ((supervisor->flow.facts & SUPERVISOR_BIT(NO_CHILD)) == 0)
		process_oom_below(getpid(), supervisor->oom_score_adj);
	log_pump_flush(&supervisor->pump);
	keep_results(supervisor);
}

/* Nothing of it is alive, or it ended well: the record, and then its room on disk is used once. */
static void
write_record(struct supervisor *supervisor)
{
	if (supervisor->record_tries == 0)
		fill_record(supervisor);
	CRASH_POINT(record_due);
	if (run_folder_record_write(supervisor->claimed, &supervisor->out, NULL)) {
		CRASH_POINT(record_done);
		happened(supervisor, SUPERVISOR_ON_RECORDED);
	} else if (++supervisor->record_tries == RECORD_TRIES) {
		happened(supervisor, SUPERVISOR_ON_DISK_REFUSED); /* what it had promised */
	}
}

static void
close_socket(struct supervisor *supervisor)
{
	log_pump_stop(&supervisor->pump);
	host_results_done(&supervisor->hosts);
	(void)close(supervisor->listener);
	supervisor->listener = -1;
	(void)unlinkat(supervisor->folder, "socket", 0); /* may stay: it refuses */
}

static void
read_rest(struct supervisor *supervisor)
{
	int64_t until = supervisor->now + wait_ms(supervisor, SUPERVISOR_WAIT_DRAIN);

	while (clock_monotonic_ms() < until) {
		if (log_pump_turn(&supervisor->pump, on_step, supervisor) != LOG_PUMP_MORE)
			return;
	}
}

static void
hang_up(struct supervisor *supervisor)
{
	supervisor_server_close(&supervisor->server);
}

static _Noreturn void
give_up(UNUSED struct supervisor *supervisor)
{
	_exit(1);
}

static _Noreturn void
leave(UNUSED struct supervisor *supervisor)
{
	_exit(0);
}

/* ---- what happens, in the order in which it does ----------------------------------------- */

static void
on_connection(struct supervisor *supervisor)
{
	int fd = accept4(supervisor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd != -1 && supervisor_server_accept(&supervisor->server, fd)) /* else it is gone */
		happened(supervisor, SUPERVISOR_ON_CONNECTED);
}

/* Closed at once: a server that closes in order to give up a gate must not find it open later. */
static void
on_server_lost(struct supervisor *supervisor)
{
	supervisor_server_close(&supervisor->server);
	note_lost(supervisor);
}

static void
on_server_readable(struct supervisor *supervisor)
{
	char packet[1024];
	ssize_t n = recv(supervisor->server.fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n > sizeof(packet))
		on_server_lost(supervisor);
	else
		on_server_message(supervisor, packet, (size_t)n);
}

static void
on_go(struct supervisor *supervisor, const struct protocol_message *go)
{
	if ((supervisor->flow.facts & SUPERVISOR_BIT(GO)) != 0)
		return;
	if (!supervisor_server_proves(
		&supervisor->server, supervisor->start->gate, supervisor->start->order, go)) {
		on_server_lost(supervisor);
		return;
	}
	CRASH_POINT(go_received);
	flush_names(supervisor); /* for a server that says go before it has received hello */
	happened(supervisor, SUPERVISOR_ON_GO);
}

static void
on_server_message(struct supervisor *supervisor, const char *data, size_t len)
{
	struct protocol_message message;

	if (!protocol_decode(data, len, &message, NULL) ||
	    !supervisor_server_counts(&supervisor->server, &message, supervisor->folder))
		on_server_lost(supervisor);
	else if (message.kind == PROTOCOL_HELLO && supervisor->server.epoch != 0)
		happened(supervisor, SUPERVISOR_ON_CONNECTED);
	else if (message.kind == PROTOCOL_CHALLENGE && supervisor->start->gate != NULL)
		supervisor_server_challenge(&supervisor->server, supervisor->start->gate);
	else if (message.kind == PROTOCOL_GO)
		on_go(supervisor, &message);
	else if (message.kind == PROTOCOL_END)
		happened(supervisor, SUPERVISOR_ON_STOP_REQUESTED);
}

/* Its runner, and so its server, has ended.  A connected server is recognised by that. */
static void
on_runner_ended(struct supervisor *supervisor)
{
	(void)close(supervisor->runner);
	supervisor->runner = -1;
	if (supervisor->server.fd == -1)
		happened(supervisor, SUPERVISOR_ON_RUNNER_LOST);
}

static void
on_children(struct supervisor *supervisor)
{
	bool main_ended = false;

	if (subreaper_reap(supervisor->children, supervisor->main_process.pid, &main_ended,
		&supervisor->wait_status))
		happened(supervisor, SUPERVISOR_ON_NO_CHILD);
	if (!main_ended)
		return;
	CRASH_POINT(main_process_ended);
	happened(supervisor,
	    WIFEXITED(supervisor->wait_status) && WEXITSTATUS(supervisor->wait_status) == 0 ?
		SUPERVISOR_ON_MAIN_OK :
		SUPERVISOR_ON_MAIN_FAILED);
}

static void
on_output(struct supervisor *supervisor)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		if (log_pump_turn(&supervisor->pump, on_step, supervisor) != LOG_PUMP_MORE)
			return;
	}
}

/* Behind the begin of a migration: where we are killed nothing is rolled back but a release. */
static void
keep_draft(struct supervisor *supervisor)
{
	/* Without one it counts as having changed the target: nobody has to act. */
	(void)!run_folder_draft_write(supervisor->claimed, &supervisor->out, NULL);
}

static void
on_step(void *ctx, enum step_scan_kind kind, const char *text)
{
	struct supervisor *supervisor = ctx;
	size_t before = supervisor->out.step_count;

	if (supervisor->flow.state == SUPERVISOR_TOLD)
		return;
	if (kind == STEP_SCAN_HOST)
		host_results_take(&supervisor->hosts, text);
	if (kind == STEP_SCAN_STEP && supervisor->flow.state == SUPERVISOR_RUNNING)
		supervisor->until += supervisor_limits_take(
		    &supervisor->limits, text, supervisor->out.record.released);
	supervisor_record_take(&supervisor->out, kind, text);
	if (supervisor->out.record.migration && supervisor->out.step_count > before &&
	    step_scan_decides(text) != 0)
		keep_draft(supervisor);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* To stderr, which is /dev/null: for strace, and for a test.  The log is the run's, not ours. */
static void
trace(const struct supervisor *supervisor, const struct supervisor_rule *rule)
{
	(void)dprintf(STDERR_FILENO, "run %" PRIu64 ": %s -> %s on %s\n", supervisor->id,
	    supervisor_flow_name(rule->from), supervisor_flow_name(rule->to),
	    supervisor_flow_event_name(rule->on));
}

static unsigned int
look(void *ctx)
{
	const struct supervisor *supervisor = ctx;
	bool closed = supervisor->pump.pipe == -1;

	return (closed ? SUPERVISOR_BIT(OUTPUT_CLOSED) : 0) |
	    (closed && supervisor->server.fd == -1 ? SUPERVISOR_BIT(ALONE) : 0) |
	    (supervisor->server.said_exit ? SUPERVISOR_BIT(EXIT_SENT) : 0) |
	    (supervisor->now >= supervisor->until ? SUPERVISOR_BIT(TIME_UP) : 0);
}

static void
apply(void *ctx, const struct supervisor_rule *rule)
{
	static void (*const functions[])(struct supervisor * supervisor) = {
#define A(name, function) [SUPERVISOR_DO_##name] = (function),
		SUPERVISOR_ACTS(A)
#undef A
	};
	struct supervisor *supervisor = ctx;

	trace(supervisor, rule);
	if (rule->wait == SUPERVISOR_WAIT_FOREVER)
		supervisor->until = NEVER;
	else if (rule->wait != SUPERVISOR_WAIT_SAME)
		supervisor->until = supervisor->now + wait_ms(supervisor, rule->wait);
	for (const enum supervisor_act *one = rule->acts; *one != SUPERVISOR_DO_NOTHING; one++)
		functions[*one](supervisor);
}

/* What has happened in a turn is sent and acted on, until nothing follows from it. */
static void
advance(struct supervisor *supervisor)
{
	supervisor->now = clock_monotonic_ms();
	keep_results(supervisor);
	do {
		tell_server(supervisor);
		if (supervisor->server.said_hello)
			flush_names(supervisor);
		if (supervisor->server.said_exit)
			CRASH_POINT(exit_sent);
	} while (supervisor_flow_advance(&supervisor->flow, look, apply, supervisor));
}

static int
time_to_wait(const struct supervisor *supervisor, int64_t now)
{
	int64_t until = supervisor->until;

	if (host_results_is_due(&supervisor->hosts) && until - now > RESULTS_MS)
		return RESULTS_MS;
	if (until == NEVER)
		return -1;
	return until <= now ? 0 : (int)(until - now < 60000 ? until - now : 60000);
}

static _Noreturn void
supervisor_loop(struct supervisor *supervisor)
{
	enum { LISTENER, SERVER, GUEST, OUTPUT, CHILDREN, RUNNER, ACKS, FDS };

	for (;;) {
		int64_t now = clock_monotonic_ms();
		struct pollfd fds[FDS] = {
			[LISTENER] = { supervisor->listener, POLLIN, 0 },
			[SERVER] = { supervisor->server.fd,
			    (short)(POLLIN | (supervisor->server.blocked ? POLLOUT : 0)), 0 },
			[GUEST] = { supervisor->server.guest, POLLIN, 0 },
			[OUTPUT] = { supervisor->pump.pipe, POLLIN, 0 },
			[CHILDREN] = { supervisor->children, POLLIN, 0 },
			[RUNNER] = { supervisor->runner, POLLIN, 0 },
			[ACKS] = { supervisor->hosts.due.size > 0 ? supervisor->hosts.acks : -1,
			    POLLOUT, 0 },
		};

		if (poll(fds, FDS, time_to_wait(supervisor, now)) == -1 && errno != EINTR)
			_exit(1); /* no kernel memory: as if killed, the runner ends the rest */
		if (fds[OUTPUT].revents != 0)
			on_output(supervisor);
		if (fds[CHILDREN].revents != 0)
			on_children(supervisor);
		if ((fds[SERVER].revents & POLLOUT) != 0)
			supervisor->server.blocked = false;
		if ((fds[SERVER].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			on_server_readable(supervisor);
		if (fds[GUEST].revents != 0 &&
		    supervisor_server_hear_guest(&supervisor->server, supervisor->folder))
			happened(supervisor, SUPERVISOR_ON_CONNECTED);
		if (fds[LISTENER].revents != 0)
			on_connection(supervisor);
		if (fds[RUNNER].revents != 0 && supervisor->runner != -1)
			on_runner_ended(supervisor);
		advance(supervisor);
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
supervisor_main(const struct supervisor_start *start, int ready, int runner)
{
	static struct supervisor supervisor; /* zero, and large for a stack */
	struct err err = { .code = ERR_NONE };
	int *const keep[] = { &supervisor.root, &supervisor.folder, &ready, &supervisor.runner };

	CRASH_POINT(supervisor_begun);
	supervisor.start = start;
	supervisor.id = start->order->id;
	supervisor.deadline_s = start->order->deadline_s;
	supervisor.grace_s = start->order->grace_s;
	supervisor.folder = start->folder;
	supervisor.root = start->root;
	supervisor.is_spare = start->is_spare;
	supervisor.runner = runner;
	supervisor.server = (struct supervisor_server){
		.fd = -1, .guest = -1, .highest = start->order->proof.epoch
	};
	supervisor.out.kind = PROTOCOL_EXIT;
	memcpy(supervisor.identity.tag, start->order->tag, sizeof(supervisor.identity.tag));
	supervisor.children = subreaper_init(keep, COUNT(keep), &err);
	open_trace();
	process_boot_id(supervisor.identity.boot);
	supervisor.identity.space = process_space();
	if (supervisor.children == -1 || !supervisor_open(&supervisor, start, &err)) {
		(void)!write(ready, &err, sizeof(err)); /* the runner waits; else it sees our end */
		_exit(1);
	}
	supervisor.until = clock_monotonic_ms() + PROTOCOL_GATE_WAIT_S * 1000;
	(void)!write(ready, &err, sizeof(err));
	CRASH_POINT(supervisor_ready);
	(void)close(ready);
	supervisor_loop(&supervisor);
}

/* ---- in the runner ----------------------------------------------------------------------- */

/* The supervisor's word, or that it gave none. */
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
		return err_set(err, ERR_TIMEOUT, "the supervisor was not ready after %d s",
		    READY_WAIT_MS / 1000);
	if (read(ready, &word, sizeof(word)) != sizeof(word))
		return err_set(err, ERR_IO, "the supervisor ended before it was ready");
	if (word.code == ERR_NONE)
		return true;
	*err = word;
	return false;
}

pid_t
supervisor_fork(const struct supervisor_start *start, struct err *err)
{
	CLEANUP(file_closep) int runner = pidfd_open(getpid(), 0);
	int ready[2];
	pid_t pid;

	if (runner == -1 || pipe2(ready, O_CLOEXEC) == -1)
		return ERR_FD(err_errno(err, ERR_IO, errno, "starting a supervisor"));
	pid = fork();
	if (pid == 0)
		supervisor_main(start, ready[1], runner);
	if (pid == -1)
		(void)err_errno(err, ERR_IO, errno, "starting a supervisor");
	(void)close(ready[1]);
	if (pid != -1 && !wait_until_ready(ready[0], err)) {
		(void)kill(pid, SIGKILL); /* our child and not yet waited for: the pid is its own */
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	(void)close(ready[0]);
	return pid;
}
