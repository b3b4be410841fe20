/* question.c - asks git: a child with a deadline whose output is the answer.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/question.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crash_point.h"
#include "runner/keeper_become.h"
#include "runner/leader.h"
#include "runner/process.h"
#include "runner/step_scan.h"

#define STATUS_UNREACHABLE 69
#define STATUS_CONFIG	   78
#define KILL_EVERY_MS	   50

struct question {
	struct protocol_message answer;
	struct leader leader;
	struct step_scan scan;
	int server; /* our end; closed by the runner when nobody wants the answer */
	int children;
	int output; /* -1 at its end */
	int64_t started;
	int64_t deadline;
	int wait_status;
	bool leader_ended;
	bool childless;
	bool killing;
	size_t len;
	char text[PROTOCOL_ANSWER_MAX];
};

static void
fail(struct question *question, int status, const char *text)
{
	question->answer.record.status = status;
	(void)snprintf(question->answer.text, sizeof(question->answer.text), "%s", text);
	question->killing = true;
	if (question->output != -1)
		(void)close(question->output);
	question->output = -1;
}

static void
on_step(void *ctx, enum step_scan_kind kind, const char *text)
{
	struct question *question = ctx;

	if (kind == STEP_SCAN_STEP && strcmp(text, "clone") == 0)
		question->deadline = question->started + QUESTION_CLONE_DEADLINE_S * 1000;
}

static void
on_output(struct question *question)
{
	char over[1], *to = question->text + question->len;
	size_t room = sizeof(question->text) - question->len;
	ssize_t n;

	if (room == 0) {
		to = over; /* is there one byte too many? */
		room = sizeof(over);
	}
	n = read(question->output, to, room);
	if (n == -1 && errno == EINTR)
		return;
	if (n <= 0) {
		(void)close(question->output);
		question->output = -1;
	} else if (to == over) {
		fail(question, STATUS_UNREACHABLE, "git's answer is longer than 64 KB");
	} else {
		step_scan_feed(&question->scan, to, (size_t)n, on_step, question);
		question->len += (size_t)n;
	}
}

static void
on_children(struct question *question)
{
	question->childless = keeper_become_reap(question->children, question->leader.pid,
	    &question->leader_ended, &question->wait_status);
}

/* Until its leader has ended and nothing of it is alive. */
static void
question_wait(struct question *question)
{
	while (!question->childless || question->output != -1) {
		int64_t left =
		    question->killing ? KILL_EVERY_MS : question->deadline - clock_monotonic_ms();
		struct pollfd fds[] = {
			{ question->output, POLLIN, 0 },
			{ question->children, POLLIN, 0 },
			{ question->server, POLLIN, 0 },
		};
		pid_t one;

		if (poll(fds, COUNT(fds), left < 0 ? 0 : (int)left) == -1 && errno != EINTR)
			_exit(1);
		if (fds[0].revents != 0)
			on_output(question);
		if (fds[1].revents != 0)
			on_children(question);
		if (fds[2].revents != 0 && !question->killing)
			fail(question, STATUS_UNREACHABLE, "nobody waits for the answer");
		if (!question->killing && clock_monotonic_ms() >= question->deadline) {
			question->answer.record.timed_out = true;
			fail(question, STATUS_UNREACHABLE, "git did not answer in time");
		}
		/* What git left behind is no part of the answer: when the leader has ended, the
		 * rest is. */
		if (question->killing || question->leader_ended)
			(void)process_signal_below(getpid(), SIGKILL, &one);
		if (question->leader_ended)
			on_children(question);
	}
}

static bool
question_start(struct question *question, const struct protocol_message *ask,
    const struct program_place *place, struct err *err)
{
	struct program_plan plan;
	int ends[2] = { -1, -1 };
	bool good = program_plan(&plan, ask, place, err);

	if (good && pipe2(ends, O_CLOEXEC) == -1)
		good = err_errno(err, ERR_IO, errno, "pipe");
	good = good &&
	    leader_fork(&question->leader,
		&(struct leader_plan){ plan.path, plan.argv, plan.envp, ends[1], -1 }, err);
	if (ends[1] != -1)
		(void)close(ends[1]);
	question->output = ends[0];
	program_plan_done(&plan);
	return good;
}

static void
question_result(struct question *question)
{
	struct protocol_message *answer = &question->answer;
	int number = leader_exec_errno(&question->leader);

	if (question->killing)
		return; /* it is said already */
	if (number != 0)
		(void)snprintf(answer->text, sizeof(answer->text), "commits.sh cannot be started");
	if (number != 0 || WIFSIGNALED(question->wait_status))
		answer->record.status = number != 0 ? STATUS_CONFIG : STATUS_UNREACHABLE;
	else
		answer->record.status = WEXITSTATUS(question->wait_status);
	answer->body = question->text;
	answer->body_len = question->len;
}

static _Noreturn void
question_main(const struct protocol_message *ask, const struct program_place *place, int server)
{
	static struct question question;
	static char packet[PROTOCOL_PACKET_MAX];
	int *const keep[] = { &question.server };
	struct err err = { .code = ERR_NONE };
	size_t len;

	CRASH_POINT(question_begun);
	question.server = server;
	question.answer.kind = PROTOCOL_ANSWER;
	question.answer.id = ask->id;
	question.children = keeper_become(keep, COUNT(keep), &err);
	if (question.children != -1 && question_start(&question, ask, place, &err)) {
		question.started = clock_monotonic_ms();
		question.deadline = question.started + QUESTION_DEADLINE_S * 1000;
		leader_open_gate(&question.leader);
		question_wait(&question);
		question_result(&question);
	} else {
		question.answer.record.status = STATUS_CONFIG;
		(void)snprintf(question.answer.text, sizeof(question.answer.text), "%s", err.text);
	}
	CRASH_POINT(question_answered);
	if (protocol_encode(&question.answer, packet, sizeof(packet), &len, &err))
		(void)send(question.server, packet, len, MSG_NOSIGNAL); /* else it has gone */
	_exit(0);
}

int
question_ask(const struct protocol_message *ask, const struct program_place *place, pid_t *ret_pid,
    struct err *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
		(void)err_errno(err, ERR_IO, errno, "socketpair");
		return -1;
	}
	pid = fork();
	if (pid == 0)
		question_main(ask, place, ends[1]);
	(void)close(ends[1]);
	if (pid == -1) {
		(void)err_errno(err, ERR_IO, errno, "fork");
		(void)close(ends[0]);
		return -1;
	}
	*ret_pid = pid;
	return ends[0];
}
