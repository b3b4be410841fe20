/* runner.c - takes the server's orders, and watches the supervisors.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/rate_summary.h"
#include "runner/git_query_queue.h"
#include "runner/supervisor.h"
#include "runner/listener.h"
#include "runner/connections.h"
#include "runner/run_folder.h"
#include "runner/run_purge.h"
#include "runner/reconcile.h"
#include "runner/runner_order.h"
#include "runner/maintenance.h"
#include "runner/shared_state.h"
#include "runner/watches.h"

#define SPARE_AFTER_MS 1000  /* idle for so long: nobody waits for the disk */
#define QUIET_MS       20    /* a run that begins has the processor: git waits so long */
#define HELLO_WAIT_MS  10000 /* whoever connects says who it is */
#define CONNECTED_MS   1000
#define REFUSED_MS     60000 /* whoever may connect may send without end: one line in so long */
#define EXIT_IO	       74
#define EXIT_CONFIG    78

struct runner {
	struct connections connections;
	uint64_t requester; /* the peer whose order is being carried out */
	struct listener listener;
	int signals; /* signalfd; with one server nothing but its end ends us */
	bool drains; /* SIGTERM is no end while there are runs */
	bool is_draining;
	int root;
	const struct program_dirs *dirs;
	struct runner_order order;
	int exit_status; /* -1: go on */
	struct watches watches;
	struct reconciling reconciling;
	struct orphans orphans;
	bool has_orphans; /* children of supervisors that end become ours */
	struct git_query_queue git_queries;
	struct maintenance maintenance;
	char packet[PROTOCOL_PACKET_MAX]; /* what is received, one at a time */
	bool has_spare;			  /* a folder for the next run is ready */
	int64_t quiet_until;		  /* monotonic ms: no question before */
	struct rate_summary refused; /* orders and servers; one is logged, the others counted */
	struct rate_summary connected;
	char refused_text[256]; /* the last of them */
};

static void order_reconcile(struct runner *runner, uint64_t id);

/* ---- to the server ----------------------------------------------------------------------- */

static void
say(struct runner *runner, const struct protocol_message *message)
{
	connections_say(&runner->connections, runner->requester, message);
}

static void
refuse(struct runner *runner, uint64_t id, enum protocol_why why, const struct err *err)
{
	struct protocol_message refused = { .kind = PROTOCOL_REFUSED, .id = id, .why = why };

	connections_text(refused.text, err->text);
	say(runner, &refused);
}

/* With our list, so that the server can say what differs. */
static void
refuse_changed(struct runner *runner, const struct protocol_message *order, const struct err *err)
{
	struct protocol_message refused = {
		.kind = PROTOCOL_REFUSED, .id = order->id, .why = PROTOCOL_WHY_CHANGED
	};

	static_assert(sizeof(refused.settings) >= FINGERPRINT_LIST_MAX, "a list fits");
	(void)snprintf(refused.text, sizeof(refused.text), "%s", err->text);
	if (!program_list(order, runner->dirs, refused.settings, NULL))
		refused.settings[0] = '\0'; /* it is asked for again */
	say(runner, &refused);
}

/* ---- supervisors ----------------------------------------------------------------------------- */

/* Runs that somebody waits for. */
static size_t
runs_awaited(const struct runner *runner)
{
	return runner->reconciling.count + watches_awaited(&runner->watches);
}

/* Of a service alone: where we are the server's child its log says the same. */
static void
log_run(const struct runner *runner, uint64_t id, const char *what)
{
	if (runner->listener.fd != -1)
		(void)fprintf(stderr, "deploybot-runner: run %" PRIu64 ": %s\n", id, what);
}

static void
log_end(const struct runner *runner, const struct protocol_message *reconciled)
{
	const struct protocol_record *record = &reconciled->record;
	char what[64];

	if (reconciled->state == PROTOCOL_STATE_LOST)
		(void)snprintf(what, sizeof(what), "its supervisor was killed");
	else if (reconciled->state != PROTOCOL_STATE_ENDED)
		return;
	else if (record->signal != 0)
		(void)snprintf(what, sizeof(what), "ended: signal %d%s", record->signal,
		    record->timed_out ? ", timed out" :
			record->ended ? ", stopped" :
					"");
	else
		(void)snprintf(what, sizeof(what), "ended: exit %d", record->status);
	log_run(runner, reconciled->id, what);
}

/* True: without a record, so that it is being reconciled. */
static bool
on_supervisor_ended(struct runner *runner, size_t i)
{
	struct watch watch;

	CRASH_POINT(supervisor_gone);
	watch = watches_take(&runner->watches, i);
	runner->requester = 0; /* nobody asked: sent to all */
	order_reconcile(runner, watch.id);
	reconcile_bind(&runner->reconciling, watch.id,
	    watch.ours && runner->has_orphans ? RECONCILE_WHOLE : RECONCILE_CUT);
	return reconcile_has(&runner->reconciling, watch.id);
}

/* Which supervisors have ended, and which children are new: what they left is among those, so a
 * look during which another one ended is taken again. */
static void
look_at_children(struct runner *runner)
{
	struct process *fresh = NULL;
	bool ended[PROTOCOL_RUNS_MAX], again[PROTOCOL_RUNS_MAX];
	size_t recorded = 0, ends;
	int count;

	do {
		free(fresh);
		ends = watches_ended(&runner->watches, ended);
		count = orphans_look(&runner->orphans, &fresh);
	} while (watches_ended(&runner->watches, again) != ends); /* one that has ended stays so */
	/* From the end: the one that goes is replaced by the last, which was looked at. */
	for (size_t i = runner->watches.count; i-- > 0;) {
		if (ended[i] && !on_supervisor_ended(runner, i))
			recorded++;
	}
	reconcile_share(&runner->reconciling, &runner->orphans, fresh, count, recorded);
	free(fresh);
}

static bool
can_begin(const struct runner *runner, struct err *err)
{
	const char *fault = runner->order.fault;

	if (runner->is_draining)
		return err_set(err, ERR_LIMIT, "the runner is stopping");
	if (runner->watches.count == PROTOCOL_RUNS_MAX)
		return err_set(err, ERR_LIMIT, "%d runs are kept already", PROTOCOL_RUNS_MAX);
	return runner_order_knows_states(&runner->order, &runner->connections, runner->requester) ||
	    err_set(err, ERR_LIMIT, "it does not know what is live elsewhere: %s",
		fault[0] != '\0' ? fault : "try again");
}

static void
order_run(struct runner *runner, struct protocol_message *order)
{
	struct protocol_message started = { .kind = PROTOCOL_STARTED, .id = order->id };
	struct supervisor_start start = { order, runner->dirs, runner->order.gate, runner->root, -1,
		false };
	struct err err = { .code = ERR_NONE };
	char what[80], id[ENVIRONMENT_ID_MAX];
	pid_t pid = -1;

	CRASH_POINT(order_received);
	if (can_begin(runner, &err))
		start.folder = run_folder_make(runner->root, order, &start.is_spare, &err);
	runner->has_spare = false; /* whatever became of this */
	if (start.folder != -1) {
		CRASH_POINT(folder_made);
		pid = supervisor_fork(&start, &err);
		(void)close(start.folder);
		if (pid == -1)
			run_folder_remove(runner->root, order->id);
	}
	if (pid == -1 && err.code == ERR_CHANGED) {
		refuse_changed(runner, order, &err);
		return;
	}
	if (pid == -1) {
		/* Only mkdir says BUSY: in a folder that is new no other supervisor is. */
		refuse(runner, order->id,
		    err.code == ERR_BUSY ? PROTOCOL_WHY_EXISTS : PROTOCOL_WHY_FAILED, &err);
		return;
	}
	CRASH_POINT(supervisor_up);
	orphans_add(&runner->orphans, pid);
	if (!watches_add(&runner->watches,
		&(struct watch){ .id = order->id,
		    .pid = pid,
		    .child = true,
		    .ours = true,
		    .is_drain = order->program == PROTOCOL_PROGRAM_DRAIN }))
		runner->exit_status = EXIT_IO; /* out of descriptors: its supervisor needs nobody */
	(void)snprintf(what, sizeof(what), "started: %s %.7s",
	    environment_id_text(order->application, order->environment, id), order->argument);
	log_run(runner, order->id, what);
	say(runner, &started);
	runner->quiet_until = clock_monotonic_ms() + QUIET_MS;
	CRASH_POINT(started_said);
}

static void
order_reconcile(struct runner *runner, uint64_t id)
{
	struct protocol_message reconciled;
	pid_t supervisor = 0;

	if (!reconcile_look(&runner->reconciling, runner->root, id, &reconciled, &supervisor)) {
		if (watches_has(&runner->watches, id)) /* its lock goes before it does */
			reconcile_bind(&runner->reconciling, id, RECONCILE_AWAITED);
		return; /* goes on in reconcile_pending */
	}
	if (reconciled.state == PROTOCOL_STATE_ALIVE)
		(void)watches_add(&runner->watches, /* else the server's socket shows it */
		    &(struct watch){ .id = id, .pid = supervisor });
	if (reconciled.state == PROTOCOL_STATE_NEVER)
		runner_order_void(&runner->connections);
	if (runner->requester == 0) {
		log_end(runner, &reconciled);
		connections_say_all(&runner->connections, &reconciled);
	} else {
		say(runner, &reconciled);
	}
}

static void
reconcile_pending(struct runner *runner)
{
	struct protocol_message message;

	for (size_t i = runner->reconciling.count; i-- > 0;) {
		bool is_over = reconcile_turn(&runner->reconciling, i, &message);

		if (is_over)
			log_end(runner, &message);
		if (is_over || message.kind == PROTOCOL_STUCK)
			connections_say_all(&runner->connections, &message);
	}
}

static void
order_purge(struct runner *runner, uint64_t id)
{
	struct protocol_message forgotten = { .kind = PROTOCOL_PURGED,
		.id = id,
		.removal = PROTOCOL_REMOVAL_STAY,
		.text = "it is being stopped" };

	if (!reconcile_has(&runner->reconciling, id))
		run_purge(runner->root, id, &forgotten);
	say(runner, &forgotten);
}

/* ---- the servers ------------------------------------------------------------------------- */

/* Of the only one the end is ours. */
static void
drop(struct runner *runner, struct connection *connection, int status)
{
	if (runner->listener.fd == -1)
		runner->exit_status = status;
	else if (connection->lost_errno != 0)
		(void)fprintf(stderr, "deploybot-runner: a server has disconnected: %s\n",
		    strerrordesc_np(connection->lost_errno));
	git_query_queue_forget(&runner->git_queries, connection->number);
	connections_remove(connection);
}

static void
log_refused(struct runner *runner, int64_t count)
{
	if (count == 1)
		(void)fprintf(stderr, "deploybot-runner: refused: %s\n", runner->refused_text);
	else if (count > 1)
		(void)fprintf(stderr, "deploybot-runner: refused %lld times, the last: %s\n",
		    (long long)count, runner->refused_text);
}

static void
note_refused(struct runner *runner, const char *text)
{
	(void)snprintf(runner->refused_text, sizeof(runner->refused_text), "%s", text);
	log_refused(runner, rate_summary_add(&runner->refused, REFUSED_MS, clock_monotonic_ms()));
}

static void
on_hello(struct runner *runner, struct connection *connection, const struct protocol_message *hello)
{
	struct protocol_message ours = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.pid = getpid(),
		.id = runner_order_highest(&runner->order) };
	struct err err;

	if (hello->version != PROTOCOL_VERSION)
		(void)err_set(&err, ERR_CONFIG,
		    "a server speaks version %u, this is %d: install the same version of both",
		    hello->version, PROTOCOL_VERSION);
	else
		connection->greeted = runner_order_greet(
		    &runner->order, &runner->connections, connection, hello->proof.epoch, &err);
	ours.proof.epoch = runner->order.epoch;
	say(runner, &ours);
	connection->states = CONNECTION_STATES_COMING;
	connection->due = 0;
	if (hello->version == PROTOCOL_VERSION && connection->greeted)
		return;
	note_refused(runner, err.text);
	drop(runner, connection, EXIT_CONFIG);
}

/* An order with a wrong field still has somebody who waits for it: its id is looked for. */
static void
on_bad_order(struct runner *runner, const struct protocol_message *order, const struct err *err)
{
	note_refused(runner, err->text);
	if (order->kind == PROTOCOL_RUN && order->id != 0)
		refuse(runner, order->id, PROTOCOL_WHY_INVALID, err);
	else if (order->kind == PROTOCOL_GIT_QUERY && order->id != 0)
		git_query_queue_refuse(
		    &runner->connections, runner->requester, order->id, 64, err->text);
}

static void
on_order(struct runner *runner, struct connection *connection, const char *data, size_t len)
{
	struct protocol_message order;
	struct err err;

	runner->requester = connection->number;
	if (!protocol_decode(data, len, &order, &err)) {
		on_bad_order(runner, &order, &err);
		return;
	}
	if (order.kind == PROTOCOL_HELLO) {
		on_hello(runner, connection, &order);
		return;
	}
	if (!connection->greeted) {
		(void)fprintf(stderr, "deploybot-runner: an order before hello\n");
		drop(runner, connection, EXIT_CONFIG);
		return;
	}
	if (!runner_order_take(&runner->order, &runner->connections, connection, &order, &err)) {
		on_bad_order(runner, &order, &err);
		return;
	}
	switch (order.kind) {
	case PROTOCOL_CHALLENGE:
	case PROTOCOL_READ:
	case PROTOCOL_STATE_FILE:
		break;
	case PROTOCOL_RUN:
		maintenance_end(&runner->maintenance);
		order_run(runner, &order);
		break;
	case PROTOCOL_RECONCILE:
		order_reconcile(runner, order.id);
		break;
	case PROTOCOL_GIT_QUERY:
		if (order.query != PROTOCOL_GIT_QUERY_HEADS && /* these need no mirror */
		    order.query != PROTOCOL_GIT_QUERY_SETTINGS &&
		    order.query != PROTOCOL_GIT_QUERY_LOGS)
			maintenance_end(&runner->maintenance);
		git_query_queue_add(
		    &runner->git_queries, &runner->connections, runner->requester, &order);
		break;
	case PROTOCOL_PURGE:
		order_purge(runner, order.id);
		break;
	default:
		(void)fprintf(
		    stderr, "deploybot-runner: %s is no order\n", protocol_kind_name(order.kind));
	}
}

static void
on_server(struct runner *runner, struct connection *connection)
{
	ssize_t n =
	    recv(connection->fd, runner->packet, sizeof(runner->packet), MSG_TRUNC | MSG_DONTWAIT);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		drop(runner, connection, 0);
	else if (n == -1)
		drop(runner, connection, EXIT_IO);
	else if ((size_t)n > sizeof(runner->packet))
		(void)fprintf(stderr, "deploybot-runner: an order of %zd bytes\n", n);
	else
		on_order(runner, connection, runner->packet, (size_t)n);
}

static void
on_connection(struct runner *runner)
{
	uid_t user;
	int fd = listener_accept(&runner->listener, &user);
	struct connection *connection = fd == -1 ? NULL : connections_add(&runner->connections, fd);

	if (fd == -1)
		return;
	if (connection == NULL) {
		char text[80];

		(void)snprintf(text, sizeof(text), "a server of user %u: %d are connected already",
		    (unsigned)user, CONNECTIONS_MAX);
		note_refused(runner, text);
		return;
	}
	if (user != getuid() && /* a health check of ours comes again and again */
	    rate_summary_add(&runner->connected, CONNECTED_MS, clock_monotonic_ms()) > 0)
		(void)fprintf(stderr, "deploybot-runner: a server of user %u has connected\n",
		    (unsigned)user);
	connection->due = clock_monotonic_ms() + HELLO_WAIT_MS;
}

/* ---- signals ----------------------------------------------------------------------------- */

/* Ours are waited for where they are known; as process 1 we are also left what others leave. */
static void
reap(struct runner *runner)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		git_query_queue_reaped(&runner->git_queries, pid);
		maintenance_reaped(&runner->maintenance, pid);
		watches_reaped(&runner->watches, pid);
	}
}

static void
on_stop_signal(struct runner *runner)
{
	if (!runner->drains || runner->is_draining) {
		runner->exit_status = 0;
		return;
	}
	runner->is_draining = true;
	(void)fprintf(
	    stderr, "deploybot-runner: draining: waiting for %zu runs\n", runs_awaited(runner));
}

static void
on_signal(struct runner *runner)
{
	struct signalfd_siginfo info;

	while (read(runner->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(runner);
		else
			on_stop_signal(runner);
	}
}

static int
watch_signals(bool stops)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	if (stops) {
		(void)sigaddset(&signals, SIGTERM);
		(void)sigaddset(&signals, SIGINT);
	}
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* Nobody waits for a run or for git, and mirrors may be tidied. */
static bool
is_idle(const struct runner *runner)
{
	return runs_awaited(runner) == 0 && git_query_queue_is_idle(&runner->git_queries) &&
	    !runner->is_draining &&
	    runner_order_knows_states(&runner->order, &runner->connections, 0);
}

static int
time_to_wait(const struct runner *runner)
{
	int64_t left;

	if (git_query_queue_has_next(&runner->git_queries)) {
		left = runner->quiet_until - clock_monotonic_ms();
		return left > 0 ? (int)left : 0;
	}
	if (runner->reconciling.count > 0)
		return RECONCILE_EVERY_MS;
	if (!runner->has_spare)
		return SPARE_AFTER_MS;
	return is_idle(runner) ? maintenance_wait_ms(&runner->maintenance) : -1;
}

/* What a turn looks at, in this order; watches behind. */
enum {
	FD_ANSWERS,
	FD_MAINTENANCE = FD_ANSWERS + GIT_QUERY_SLOTS,
	FD_SIGNALS,
	FD_LISTENER,
	FD_CONNECTIONS,
	FD_WATCHES = FD_CONNECTIONS + CONNECTIONS_MAX
};

static size_t
list_fds(const struct runner *runner, struct pollfd fds[FD_WATCHES + PROTOCOL_RUNS_MAX])
{
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++)
		fds[FD_ANSWERS + i] = (struct pollfd){ runner->git_queries.slots[i].fd, POLLIN, 0 };
	fds[FD_MAINTENANCE] = (struct pollfd){ runner->maintenance.fd, POLLIN, 0 };
	fds[FD_SIGNALS] = (struct pollfd){ runner->signals, POLLIN, 0 };
	fds[FD_LISTENER] = (struct pollfd){ runner->listener.fd, POLLIN, 0 };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *connection = &runner->connections.all[i];

		fds[FD_CONNECTIONS + i] =
		    (struct pollfd){ connection->number == 0 ? -1 : connection->fd,
			    connections_events(connection), 0 };
	}
	for (size_t i = 0; i < runner->watches.count; i++)
		fds[FD_WATCHES + i] = (struct pollfd){ runner->watches.all[i].pidfd, POLLIN, 0 };
	return FD_WATCHES + runner->watches.count;
}

static void
turn_connections(struct runner *runner, const struct pollfd fds[CONNECTIONS_MAX])
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &runner->connections.all[i];

		if (connection->number == 0 || connection->is_lost)
			continue;
		if ((fds[i].revents & POLLOUT) != 0)
			connections_flush(connection);
		if ((fds[i].revents & ~POLLOUT) != 0)
			on_server(runner, connection);
	}
	(void)connections_expire(&runner->connections);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &runner->connections.all[i];

		if (connection->number != 0 && connection->is_lost)
			drop(runner, connection, connection->lost_errno == 0 ? 0 : EXIT_IO);
	}
}

static void
ask_git(struct runner *runner)
{
	git_query_queue_next(&runner->git_queries, &runner->connections, runner->dirs);
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++) {
		if (runner->git_queries.slots[i].id != 0)
			orphans_add(&runner->orphans, runner->git_queries.slots[i].pid);
	}
}

static void
turn(struct runner *runner)
{
	struct pollfd fds[FD_WATCHES + PROTOCOL_RUNS_MAX];
	size_t watches = runner->watches.count, count = list_fds(runner, fds);
	int wait_ms = time_to_wait(runner), due_ms = connections_expire(&runner->connections),
	    ready;
	bool has_news = reconcile_needs_look(&runner->reconciling);

	ready = poll(
	    fds, count, due_ms != -1 && (wait_ms == -1 || due_ms < wait_ms) ? due_ms : wait_ms);
	if (ready == -1) {
		if (errno != EINTR)
			runner->exit_status = EXIT_IO;
		return;
	}
	if (ready == 0 && !runner->has_spare && wait_ms == SPARE_AFTER_MS) {
		run_folder_make_spare(runner->root);
		runner->has_spare = true; /* or could not be had: tried again after the next run */
	}
	for (size_t i = 0; i < watches; i++)
		has_news |= fds[FD_WATCHES + i].revents != 0;
	if (has_news)
		look_at_children(runner);
	for (size_t i = 0; i < GIT_QUERY_SLOTS; i++) {
		if (fds[FD_ANSWERS + i].revents != 0)
			git_query_queue_read(&runner->git_queries.slots[i], &runner->connections);
	}
	if (fds[FD_MAINTENANCE].revents != 0)
		maintenance_read(&runner->maintenance);
	turn_connections(runner, fds + FD_CONNECTIONS);
	if (fds[FD_LISTENER].revents != 0)
		on_connection(runner);
	if (fds[FD_SIGNALS].revents != 0)
		on_signal(runner);
	if (git_query_queue_has_next(&runner->git_queries) &&
	    clock_monotonic_ms() >= runner->quiet_until)
		ask_git(runner);
	reconcile_pending(runner);
	if (is_idle(runner)) {
		maintenance_turn(&runner->maintenance, runner->dirs);
		if (runner->maintenance.fd != -1)
			orphans_add(&runner->orphans, runner->maintenance.pid);
	}
	log_refused(runner, rate_summary_due(&runner->refused, REFUSED_MS, clock_monotonic_ms()));
	if (runner->is_draining && runs_awaited(runner) == 0)
		runner->exit_status = 0;
}

/* Its only server, or the socket that servers come to. */
static bool
open_up(struct runner *runner, const struct runner_start *start, struct err *err)
{
	int is_socket;
	socklen_t size = sizeof(is_socket);

	if (start->listen == NULL) {
		runner->root = run_folder_root(start->dirs->state, err);
		if (runner->root == -1)
			return false;
		if (getsockopt(start->server, SOL_SOCKET, SO_TYPE, &is_socket, &size) == -1)
			return err_set(err, ERR_IO, "descriptor %d is no socket", start->server);
		return connections_add(&runner->connections, start->server) != NULL;
	}
	runner->root = shared_state_open(start->dirs->state, err);
	if (runner->root == -1 || !listener_open(&runner->listener, start->listen, err))
		return false;
	/* One that a runner of one user held ready has the wrong mode for this one's server. */
	run_folder_drop_spare(runner->root);
	return true;
}

int
runner_serve(const struct runner_start *start)
{
	static struct runner runner; /* too large for a stack, and there is one */
	struct err err;

	runner.dirs = start->dirs;
	runner.drains = start->drains;
	git_query_queue_init(&runner.git_queries);
	runner.listener.fd = -1;
	runner.exit_status = -1;
	runner.has_orphans = orphans_init(&runner.orphans);
	runner.signals = watch_signals(start->listen != NULL);
	runner.order = (struct runner_order){ .gate = start->gate, .state = start->dirs->state };
	if (runner.signals == -1 ? !err_errno(&err, ERR_IO, errno, "signalfd") :
				   !open_up(&runner, start, &err) ||
		    !runner_order_open(&runner.order, runner.root, &err)) {
		(void)fprintf(stderr, "deploybot-runner: %s\n", err.text);
		return err_exit_status(err.code);
	}
	if (start->listen != NULL)
		(void)fprintf(stderr, "deploybot-runner: ready: listening on %s, state in %s\n",
		    start->listen, start->dirs->state);
	maintenance_init(&runner.maintenance, start->dirs);
	CRASH_POINT(runner_up);
	while (runner.exit_status == -1)
		turn(&runner);
	watches_close(&runner.watches); /* those supervisors go on */
	listener_close(&runner.listener);
	(void)close(runner.root);
	(void)close(runner.signals);
	return runner.exit_status;
}
