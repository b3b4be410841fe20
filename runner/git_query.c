/* git_query.c - asks git: a child with a deadline whose output is the answer.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/git_query.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "runner/approved.h"
#include "runner/subreaper.h"
#include "runner/main_process.h"
#include "runner/process.h"

#define STATUS_UNREACHABLE 69
#define STATUS_CONFIG	   78
#define STATUS_REFUSED	   65
#define KILL_EVERY_MS	   50
#define PROGRESS	   "==> "
#define PROGRESS_LEN	   (sizeof(PROGRESS) - 1)
#define TIDY_MS		   2000 /* what maintenance left half-done is removed by itself */

/* Who is asked, by what program, and how long it may take. */
struct asked {
	const char *who;
	const char *program;
	int deadline_s;
};

static const struct asked asked_git = { "git", "commits.sh", GIT_QUERY_DEADLINE_S };
static const struct asked asked_maintenance = { "git", "commits.sh",
	GIT_QUERY_MAINTAIN_DEADLINE_S };
static const struct asked asked_target = { "the target", "target.sh", GIT_QUERY_DEADLINE_S };
static const struct asked asked_unpack = { "what unpacks the archive", "deploybot-unpack",
	GIT_QUERY_UNPACK_DEADLINE_S };

struct git_query {
	const struct asked *asked;
	struct approved approved;
	struct protocol_message answer;
	struct main_process main_process;
	bool wants_progress;
	struct redact *secrets; /* NULL: it was given none */
	struct buf safe;	/* what it said, without them */
	int server;		/* our end; closed by the runner when nobody wants the answer */
	int children;
	int output; /* -1 at its end */
	int64_t deadline;
	int64_t kill_at; /* once it is to end: TERM before */
	int wait_status;
	bool main_process_ended;
	bool childless;
	bool killing;
	size_t len;
	size_t line; /* where its last line begins */
	char text[PROTOCOL_ANSWER_MAX];
};

static void
fail(struct git_query *query, int status, const char *text)
{
	query->answer.record.status = status;
	(void)snprintf(query->answer.text, sizeof(query->answer.text), "%s", text);
	query->killing = true;
	query->kill_at = clock_monotonic_ms() + (query->asked == &asked_maintenance ? TIDY_MS : 0);
	if (query->asked == &asked_maintenance && !query->main_process_ended)
		(void)kill(query->main_process.pid, SIGTERM); /* not reaped: it is that process */
	if (query->output != -1)
		(void)close(query->output);
	query->output = -1;
}

static void
send_message(const struct git_query *query, const struct protocol_message *message)
{
	static char packet[PROTOCOL_PACKET_MAX];
	size_t len;

	if (protocol_encode(message, packet, sizeof(packet), &len, NULL))
		(void)send(query->server, packet, len, MSG_NOSIGNAL); /* else it has gone */
}

/* The script has limits of its own: ours is for one that hangs. */
static void
on_progress(struct git_query *query, const char *text, size_t len)
{
	struct protocol_message progress = { .kind = PROTOCOL_PROGRESS, .id = query->answer.id };
	CLEANUP(buf_done) struct buf safe = buf_make(sizeof(progress.text));

	query->deadline = clock_monotonic_ms() + GIT_QUERY_FETCH_DEADLINE_S * 1000;
	redact_text(query->secrets, text, len, &safe);
	(void)snprintf(progress.text, sizeof(progress.text), "%s", buf_text(&safe));
	if (query->wants_progress)
		send_message(query, &progress);
}

/* Takes lines of progress out of the answer, so that a long fetch does not fill it. */
static void
take_progress(struct git_query *query)
{
	char *line = query->text + query->line, *end = query->text + query->len, *stop;

	while ((stop = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		size_t len = (size_t)(stop - line);

		if (len <= PROGRESS_LEN || memcmp(line, PROGRESS, PROGRESS_LEN) != 0) {
			line = stop + 1;
			continue;
		}
		on_progress(query, line + PROGRESS_LEN, len - PROGRESS_LEN);
		memmove(line, stop + 1, (size_t)(end - stop - 1));
		end -= len + 1;
	}
	query->line = (size_t)(line - query->text);
	query->len = (size_t)(end - query->text);
}

static void
on_output(struct git_query *query)
{
	char over[1], *to = query->text + query->len;
	size_t room = sizeof(query->text) - query->len;
	ssize_t n;

	if (room == 0) {
		to = over; /* is there one byte too many? */
		room = sizeof(over);
	}
	n = read(query->output, to, room);
	if (n == -1 && errno == EINTR)
		return;
	if (n <= 0) {
		(void)close(query->output);
		query->output = -1;
	} else if (to == over) {
		fail(query, STATUS_UNREACHABLE, "the answer is longer than 64 KB");
	} else {
		query->len += (size_t)n;
		take_progress(query);
	}
}

static void
on_children(struct git_query *query)
{
	query->childless = subreaper_reap(query->children, query->main_process.pid,
	    &query->main_process_ended, &query->wait_status);
}

/* Until its main process has ended and nothing of it is alive. */
static void
question_wait(struct git_query *query)
{
	while (!query->childless || query->output != -1) {
		int64_t left =
		    query->killing ? KILL_EVERY_MS : query->deadline - clock_monotonic_ms();
		struct pollfd fds[] = {
			{ query->output, POLLIN, 0 },
			{ query->children, POLLIN, 0 },
			{ query->server, POLLIN, 0 },
		};
		char text[64];
		pid_t one;

		if (poll(fds, COUNT(fds), left < 0 ? 0 : (int)left) == -1 && errno != EINTR)
			_exit(1);
		if (fds[0].revents != 0)
			on_output(query);
		if (fds[1].revents != 0)
			on_children(query);
		if (fds[2].revents != 0 && !query->killing)
			fail(query, STATUS_UNREACHABLE, "its requester is gone");
		if (!query->killing && clock_monotonic_ms() >= query->deadline) {
			query->answer.record.timed_out = true;
			(void)snprintf(
			    text, sizeof(text), "%s did not answer in time", query->asked->who);
			fail(query, STATUS_UNREACHABLE, text);
		}
		/* What git left behind is no part of the answer: when the main process has ended,
		 * the rest is.  Where nothing is left /proc is not read: it would be read whole. */
		if (!query->childless &&
		    (query->main_process_ended ||
			(query->killing && clock_monotonic_ms() >= query->kill_at)))
			(void)process_signal_below(getpid(), SIGKILL, &one);
		if (query->main_process_ended)
			on_children(query);
	}
}

static bool
git_query_begin(struct git_query *query, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	CLEANUP(program_plan_done) struct program_plan plan;
	const struct approved *approved = &query->approved;
	int ends[2] = { -1, -1 };
	bool good = program_plan(&plan, order, dirs, err);

	if (good && pipe2(ends, O_CLOEXEC) == -1)
		good = err_errno(err, ERR_IO, errno, "pipe");
	good = good &&
	    main_process_fork(&query->main_process,
		&(struct main_process_plan){ plan.path, plan.argv, plan.envp, ends[1], -1, false,
		    approved->archive, approved->folder },
		err);
	if (ends[1] != -1)
		(void)close(ends[1]);
	query->output = ends[0];
	query->secrets = TAKE(plan.secrets);
	return good;
}

static void
git_query_result(struct git_query *query)
{
	struct protocol_message *answer = &query->answer;
	int number = main_process_exec_errno(&query->main_process);

	if (query->killing)
		return; /* it is said already */
	if (number != 0)
		(void)snprintf(answer->text, sizeof(answer->text), "%s cannot be started",
		    query->asked->program);
	if (number != 0 || WIFSIGNALED(query->wait_status))
		answer->record.status = number != 0 ? STATUS_CONFIG : STATUS_UNREACHABLE;
	else
		answer->record.status = WEXITSTATUS(query->wait_status);
	/* A server of git's may repeat the token that it refuses. */
	buf_init(&query->safe, 2 * PROTOCOL_ANSWER_MAX);
	redact_text(query->secrets, query->text, query->len, &query->safe);
	answer->body = buf_text(&query->safe);
	answer->body_len =
	    query->safe.size < PROTOCOL_ANSWER_MAX ? query->safe.size : PROTOCOL_ANSWER_MAX;
}

/* As late as can be: what is shown is what would ship it now.  Where that cannot be read, nothing
 * could be shipped either, and the order will say so. */
static bool
add_binding(struct git_query *query, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err)
{
	struct protocol_message *answer = &query->answer;

	if (order->environment[0] == '\0')
		return true;
	if (!program_list(order, dirs, answer->settings, err))
		return false;
	(void)fingerprint_digest(answer->settings, answer->fingerprint);
	return true;
}

static void
fail_with_settings(struct git_query *query, const struct err *err)
{
	query->answer.record.status = STATUS_CONFIG;
	(void)snprintf(query->answer.text, sizeof(query->answer.text), "%s", err->text);
}

static _Noreturn void
list_settings(
    struct git_query *query, const struct protocol_message *order, const struct program_dirs *dirs)
{
	static const char body[] = "end\n";
	struct err err = { .code = ERR_NONE };

	if (add_binding(query, order, dirs, &err)) {
		query->answer.body = body;
		query->answer.body_len = sizeof(body) - 1;
	} else {
		fail_with_settings(query, &err);
	}
	send_message(query, &query->answer);
	_exit(0);
}

static const struct asked *
asked_of(enum protocol_git_query query)
{
	switch (query) {
	case PROTOCOL_GIT_QUERY_MAINTAIN:
		return &asked_maintenance;
	case PROTOCOL_GIT_QUERY_LOGS:
		return &asked_target;
	case PROTOCOL_GIT_QUERY_UNPACK:
		return &asked_unpack;
	default:
		return &asked_git;
	}
}

/* All that it started has ended: the tree has its name, or is gone.  What ended by a signal did so
 * by that archive, but for SIGKILL, which others send. */
static bool
end_unpacking(struct git_query *query, bool is_begun, struct err *err)
{
	static const char bomb[] = "error the archive takes more than 30 s of processor time\n"
				   "violation archive_bomb\nend\n";
	static const char broken[] = "error the archive ended the program that reads it\n"
				     "violation archive_broken\nend\n";
	static const char killed[] =
	    "error the program that reads the archive was killed: send it again\nend\n";
	struct protocol_message *answer = &query->answer;

	bool is_asked = is_begun && !query->killing, is_whole;

	if (is_asked && WIFSIGNALED(query->wait_status)) {
		answer->record.status = STATUS_REFUSED;
		answer->body = WTERMSIG(query->wait_status) == SIGXCPU ? bomb :
		    WTERMSIG(query->wait_status) == SIGKILL	       ? killed :
									 broken;
		answer->body_len = strlen(answer->body);
	}
	is_whole = is_asked && answer->record.status == 0;
	return approved_end(
		   &query->approved, is_whole ? answer->body : NULL, answer->body_len, err) &&
	    is_begun;
}

static bool
ask(struct git_query *query, const struct protocol_message *order, const struct program_dirs *dirs,
    struct err *err)
{
	bool is_unpacked = query->asked == &asked_unpack, is_begun;

	if (query->asked == &asked_maintenance)
		approved_tidy(dirs);
	if (is_unpacked && !approved_begin(&query->approved, order->ref, dirs, err))
		return false;
	if (query->approved.kept[0] != '\0') {
		query->answer.body = query->approved.kept;
		query->answer.body_len = strlen(query->approved.kept);
		return true;
	}
	is_begun = git_query_begin(query, order, dirs, err);
	if (is_begun) {
		query->deadline = clock_monotonic_ms() + query->asked->deadline_s * 1000;
		main_process_open_gate(&query->main_process);
		question_wait(query);
		git_query_result(query);
	}
	return is_unpacked ? end_unpacking(query, is_begun, err) : is_begun;
}

static _Noreturn void
git_query_main(const struct protocol_message *order, const struct program_dirs *dirs, int server)
{
	static struct git_query query;
	int *const keep[] = { &query.server };
	struct err err = { .code = ERR_NONE };

	CRASH_POINT(git_query_begun);
	query.server = server;
	query.answer.kind = PROTOCOL_ANSWER;
	query.answer.id = order->id;
	query.wants_progress = order->wants_progress;
	query.asked = asked_of(order->query);
	if (order->query == PROTOCOL_GIT_QUERY_SETTINGS)
		list_settings(&query, order, dirs);
	query.children = subreaper_init(keep, COUNT(keep), &err);
	if (query.children != -1 && ask(&query, order, dirs, &err)) {
		(void)add_binding(&query, order, dirs, NULL); /* git's answer is one without it */
	} else {
		fail_with_settings(&query, &err);
	}
	CRASH_POINT(git_query_answered);
	send_message(&query, &query.answer);
	_exit(0);
}

int
git_query_start(const struct protocol_message *order, const struct program_dirs *dirs,
    pid_t *ret_pid, struct err *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return ERR_FD(err_errno(err, ERR_IO, errno, "socketpair"));
	pid = fork();
	if (pid == 0)
		git_query_main(order, dirs, ends[1]);
	(void)close(ends[1]);
	if (pid == -1) {
		(void)err_errno(err, ERR_IO, errno, "fork");
		(void)close(ends[0]);
		return -1;
	}
	*ret_pid = pid;
	return ends[0];
}
