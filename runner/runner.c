/* runner.c - takes the server's orders, and watches the keepers.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "runner/keeper.h"
#include "runner/question.h"
#include "runner/run_folder.h"
#include "runner/settle.h"

#define KEEPERS_MAX    64   /* more runs than there may be environments */
#define SPARE_AFTER_MS 1000 /* idle for so long: nobody waits for the disk */
#define QUIET_MS       20   /* a run that begins has the processor: git waits so long */
#define SEND_WAIT_S    10   /* a server that does not read for so long has gone */
#define EXIT_IO	       74
#define EXIT_CONFIG    78
#define STATUS_BUSY    75
#define STATUS_GONE    69

struct watch {
	uint64_t id;
	pid_t pid;
	int pidfd;
	bool child; /* ours, to be waited for; else a keeper of an earlier runner */
};

struct asked {
	struct protocol_message *waiting[PROTOCOL_ASKS_MAX];
	size_t count;
	uint64_t id; /* of the one that is being asked; 0: none */
	pid_t pid;
	int fd; /* where its answer comes from, -1 when there is none */
};

struct runner {
	int server;
	int root;
	const struct program_place *place;
	bool greeted;
	int exit_status; /* -1: go on */
	size_t watch_count;
	struct watch watches[KEEPERS_MAX];
	struct settling settling;
	struct asked asked;
	char packet[PROTOCOL_PACKET_MAX]; /* what is received or forwarded, one at a time */
	bool has_spare;			  /* a folder for the next run is ready */
	int64_t quiet_until;		  /* monotonic ms: no question before */
};

static void order_run(struct runner *runner, struct protocol_message *order);
static void order_settle(struct runner *runner, uint64_t id);
static void order_ask(struct runner *runner, const struct protocol_message *ask);

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- to the server ----------------------------------------------------------------------- */

static void
send_packet(struct runner *runner, const char *packet, size_t len)
{
	ssize_t n;

	do {
		n = send(runner->server, packet, len, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		runner->exit_status = errno == EPIPE || errno == ECONNRESET ? 0 : EXIT_IO;
}

static void
say(struct runner *runner, const struct protocol_message *message)
{
	char packet[PROTOCOL_RECORD_BYTES];
	struct err err;
	size_t len = 0;

	if (!protocol_encode(message, packet, sizeof(packet), &len, &err))
		abort(); /* a message of our own that is wrong */
	send_packet(runner, packet, len);
}

static void
refuse(struct runner *runner, uint64_t id, enum protocol_why why, const struct err *err)
{
	struct protocol_message refused = { .kind = PROTOCOL_REFUSED, .id = id, .why = why };

	(void)snprintf(refused.text, sizeof(refused.text), "%s", err->text);
	for (char *p = refused.text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	say(runner, &refused);
}

/* ---- keepers ----------------------------------------------------------------------------- */

static bool
watch_add(struct runner *runner, uint64_t id, pid_t pid, bool child)
{
	int pidfd;

	for (size_t i = 0; i < runner->watch_count; i++) {
		if (runner->watches[i].id == id)
			return true;
	}
	if (runner->watch_count == KEEPERS_MAX)
		return false;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd == -1)
		return false;
	runner->watches[runner->watch_count++] =
	    (struct watch){ .id = id, .pid = pid, .pidfd = pidfd, .child = child };
	return true;
}

static void
on_keeper_ended(struct runner *runner, size_t i)
{
	struct watch watch = runner->watches[i];

	CRASH_POINT(keeper_gone);
	(void)close(watch.pidfd);
	runner->watches[i] = runner->watches[--runner->watch_count];
	if (watch.child)
		(void)waitpid(watch.pid, NULL, 0);
	order_settle(runner, watch.id);
}

/* RUN_ID is the id and 128 random bits: nobody else's process has it in its environment. */
static bool
draw_tag(struct protocol_message *order, struct err *err)
{
	unsigned char random[16];
	int used = snprintf(order->tag, sizeof(order->tag), "%" PRIu64 "-", order->id);

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, ERR_IO, errno, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(order->tag + used + 2 * i, 3, "%02x", random[i]);
	return true;
}

static void
order_run(struct runner *runner, struct protocol_message *order)
{
	struct protocol_message started = { .kind = PROTOCOL_STARTED, .id = order->id };
	struct keeper_start start = {
		.order = order, .place = runner->place, .root = runner->root, .folder = -1
	};
	struct err err = { .code = ERR_NONE };
	pid_t pid = -1;

	CRASH_POINT(order_heard);
	if (runner->watch_count == KEEPERS_MAX)
		(void)err_set(&err, ERR_LIMIT, "%d runs are kept already", KEEPERS_MAX);
	else if (draw_tag(order, &err))
		start.folder = run_folder_make(runner->root, order, &start.is_spare, &err);
	runner->has_spare = false; /* whatever became of this */
	if (start.folder != -1) {
		CRASH_POINT(folder_made);
		pid = keeper_fork(&start, &err);
		(void)close(start.folder);
		if (pid == -1)
			run_folder_remove(runner->root, order->id);
	}
	if (pid == -1) {
		/* Only mkdir says BUSY: a keeper of a folder that is new has no other beside it. */
		refuse(runner, order->id,
		    err.code == ERR_BUSY ? PROTOCOL_WHY_EXISTS : PROTOCOL_WHY_FAILED, &err);
		return;
	}
	CRASH_POINT(keeper_up);
	if (!watch_add(runner, order->id, pid, true))
		runner->exit_status = EXIT_IO; /* out of descriptors: its keeper needs nobody */
	say(runner, &started);
	runner->quiet_until = now_ms() + QUIET_MS;
	CRASH_POINT(started_said);
}

static void
order_settle(struct runner *runner, uint64_t id)
{
	struct protocol_message settled;
	pid_t keeper = 0;

	if (!settle_look(&runner->settling, runner->root, id, &settled, &keeper))
		return; /* goes on in settle_pending */
	if (settled.state == PROTOCOL_STATE_ALIVE)
		(void)watch_add(runner, id, keeper, false); /* else the server's socket tells */
	say(runner, &settled);
}

static void
settle_pending(struct runner *runner)
{
	struct protocol_message message;

	for (size_t i = runner->settling.count; i-- > 0;) {
		if (settle_turn(&runner->settling, i, &message) || message.kind == PROTOCOL_STUCK)
			say(runner, &message);
	}
}

/* ---- questions, one at a time ------------------------------------------------------------ */

static void
answer_failed(struct runner *runner, uint64_t id, int status, const char *text)
{
	struct protocol_message answer = {
		.kind = PROTOCOL_ANSWER, .id = id, .record = { .status = status }
	};

	(void)snprintf(answer.text, sizeof(answer.text), "%s", text);
	say(runner, &answer);
}

static void
ask_next(struct runner *runner)
{
	struct asked *asked = &runner->asked;
	struct err err;

	while (asked->id == 0 && asked->count > 0 && now_ms() >= runner->quiet_until) {
		struct protocol_message *ask = asked->waiting[0];

		asked->count--;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it holds pointers */
		memmove(asked->waiting, asked->waiting + 1, asked->count * sizeof(ask));
		asked->fd = question_ask(ask, runner->place, &asked->pid, &err);
		if (asked->fd == -1)
			answer_failed(runner, ask->id, STATUS_GONE, err.text);
		else
			asked->id = ask->id;
		free(ask);
	}
}

static void
order_ask(struct runner *runner, const struct protocol_message *ask)
{
	struct protocol_message *copy = NULL;

	CRASH_POINT(ask_heard);
	if (runner->asked.count < PROTOCOL_ASKS_MAX)
		copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		answer_failed(runner, ask->id, STATUS_BUSY, "too many questions are waiting");
		return;
	}
	*copy = *ask;
	runner->asked.waiting[runner->asked.count++] = copy;
	ask_next(runner);
}

static void
on_answer(struct runner *runner)
{
	struct asked *asked = &runner->asked;
	ssize_t n;

	do {
		n = recv(asked->fd, runner->packet, sizeof(runner->packet), 0);
	} while (n == -1 && errno == EINTR);
	(void)close(asked->fd);
	(void)waitpid(asked->pid, NULL, 0); /* it ends behind its answer */
	CRASH_POINT(reply_passed);
	if (n > 0)
		send_packet(runner, runner->packet, (size_t)n);
	else
		answer_failed(runner, asked->id, STATUS_GONE, "the question was killed");
	asked->fd = -1;
	asked->id = 0;
	ask_next(runner);
}

/* ---- the server -------------------------------------------------------------------------- */

static void
on_hello(struct runner *runner, const struct protocol_message *hello)
{
	struct protocol_message ours = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .pid = getpid()
	};

	say(runner, &ours);
	if (hello->version == PROTOCOL_VERSION) {
		runner->greeted = true;
		return;
	}
	(void)fprintf(stderr, "deploybot-runner: the server speaks version %u, this is %d\n",
	    hello->version, PROTOCOL_VERSION);
	runner->exit_status = EXIT_CONFIG;
}

/* An order with a wrong field still has somebody who waits for it: its id is looked for. */
static void
on_bad_order(struct runner *runner, const struct protocol_message *order, const struct err *err)
{
	(void)fprintf(stderr, "deploybot-runner: refused: %s\n", err->text);
	if (order->kind == PROTOCOL_RUN && order->id != 0)
		refuse(runner, order->id, PROTOCOL_WHY_INVALID, err);
	else if (order->kind == PROTOCOL_ASK && order->id != 0)
		answer_failed(runner, order->id, 64, err->text);
}

static void
on_order(struct runner *runner, const char *data, size_t len)
{
	struct protocol_message order;
	struct err err;

	if (!protocol_decode(data, len, &order, &err)) {
		on_bad_order(runner, &order, &err);
		return;
	}
	if (order.kind == PROTOCOL_HELLO) {
		on_hello(runner, &order);
		return;
	}
	if (!runner->greeted) {
		(void)fprintf(stderr, "deploybot-runner: an order before hello\n");
		runner->exit_status = EXIT_CONFIG;
		return;
	}
	switch (order.kind) {
	case PROTOCOL_RUN:
		order_run(runner, &order);
		break;
	case PROTOCOL_SETTLE:
		order_settle(runner, order.id);
		break;
	case PROTOCOL_ASK:
		order_ask(runner, &order);
		break;
	default:
		(void)fprintf(
		    stderr, "deploybot-runner: %s is no order\n", protocol_kind_name(order.kind));
	}
}

static void
on_server(struct runner *runner)
{
	ssize_t n = recv(runner->server, runner->packet, sizeof(runner->packet), MSG_TRUNC);

	if (n == -1 && errno == EINTR)
		return;
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		runner->exit_status = 0;
	else if (n == -1)
		runner->exit_status = EXIT_IO;
	else if ((size_t)n > sizeof(runner->packet))
		(void)fprintf(stderr, "deploybot-runner: an order of %zd bytes\n", n);
	else
		on_order(runner, runner->packet, (size_t)n);
}

/* ---- the loop ---------------------------------------------------------------------------- */

static bool
has_question(const struct runner *runner)
{
	return runner->asked.id == 0 && runner->asked.count > 0;
}

static int
time_to_wait(const struct runner *runner)
{
	int64_t left;

	if (has_question(runner)) {
		left = runner->quiet_until - now_ms();
		return left > 0 ? (int)left : 0;
	}
	if (runner->settling.count > 0)
		return SETTLE_EVERY_MS;
	return runner->has_spare ? -1 : SPARE_AFTER_MS;
}

static void
turn(struct runner *runner)
{
	struct pollfd fds[KEEPERS_MAX + 2];
	size_t watches = runner->watch_count;
	int wait_ms = time_to_wait(runner), ready;

	fds[0] = (struct pollfd){ runner->server, POLLIN, 0 };
	fds[1] = (struct pollfd){ runner->asked.fd, POLLIN, 0 };
	for (size_t i = 0; i < watches; i++)
		fds[2 + i] = (struct pollfd){ runner->watches[i].pidfd, POLLIN, 0 };
	ready = poll(fds, 2 + watches, wait_ms);
	if (ready == -1) {
		if (errno != EINTR)
			runner->exit_status = EXIT_IO;
		return;
	}
	if (ready == 0 && wait_ms == SPARE_AFTER_MS) {
		run_folder_make_spare(runner->root);
		runner->has_spare = true; /* or could not be had: tried again after the next run */
	}
	/* From the end: the one that goes is replaced by the last, which was looked at. */
	for (size_t i = watches; i-- > 0;) {
		if (fds[2 + i].revents != 0)
			on_keeper_ended(runner, i);
	}
	if (fds[1].revents != 0)
		on_answer(runner);
	if (fds[0].revents != 0)
		on_server(runner);
	ask_next(runner);
	settle_pending(runner);
}

int
runner_serve(int server, const struct program_place *place)
{
	static struct runner runner; /* too large for a stack, and there is one */
	struct timeval patience = { .tv_sec = SEND_WAIT_S };
	struct err err;

	runner.server = server;
	runner.place = place;
	runner.asked.fd = -1;
	runner.exit_status = -1;
	runner.root = run_folder_root(place->state, &err);
	if (runner.root == -1) {
		(void)fprintf(stderr, "deploybot-runner: %s\n", err.text);
		return err.code == ERR_IO ? EXIT_IO : EXIT_CONFIG;
	}
	if (setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1) {
		(void)fprintf(stderr, "deploybot-runner: descriptor %d is no socket\n", server);
		return EXIT_IO;
	}
	CRASH_POINT(runner_up);
	while (runner.exit_status == -1)
		turn(&runner);
	for (size_t i = 0; i < runner.watch_count; i++)
		(void)close(runner.watches[i].pidfd); /* those keepers go on */
	(void)close(runner.root);
	return runner.exit_status;
}
