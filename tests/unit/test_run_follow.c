/* Goal: a run is followed to its record by whoever comes next, and whoever keeps it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs_aid.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "runner/protocol.h"

RUNS_TEST(a_run_is_adopted_by_the_next_server)
{
	struct story before, after;
	char text[160];

	runs_aid_need(scene);
	runs_aid_script(scene,
	    "echo '==> build'; while [ ! -e $PROOF.go ]; do sleep 0.05; done; echo '==> release'; "
	    "echo bye");
	runs_aid_tell(&before, scene, 1, true, false);
	WAIT_FOR(scene, before.n_steps == 1);
	runs_free(scene->runs);
	assert_int_equal(before.dropped, 1);
	assert_int_equal(before.ends, 0);
	scene->runs = runs_aid_start(scene, runs_aid_runner());
	runs_aid_tell(&after, scene, 1, true, true);
	WAIT_FOR(scene, after.n_steps == 1);
	assert_int_equal(after.hellos, 0); /* its gate is open */
	(void)snprintf(text, sizeof(text), "%s.go", scene->proof);
	runs_aid_write(text, "", 0600);
	WAIT_FOR(scene, after.ends > 0);
	assert_int_equal(after.n_steps, 2);
	assert_int_equal(after.ended.exit_status, 0);
	assert_string_equal(after.ended.detail, "bye");
	assert_true(after.ended.duration_ms > 0);
}

RUNS_TEST(a_run_that_ended_meanwhile_has_left_its_record)
{
	struct story before, after;

	runs_aid_need(scene);
	runs_aid_script(scene, "echo '==> build'; exit 65");
	runs_aid_tell(&before, scene, 1, true, false);
	WAIT_FOR(scene, before.ends > 0);
	runs_aid_tell(&after, scene, 1, true, true);
	WAIT_FOR(scene, after.ends > 0);
	assert_int_equal(after.n_steps, 1);
	assert_int_equal(after.ended.exit_status, 65);
	assert_int_equal(after.hellos, 0);
}

RUNS_TEST(a_run_that_never_began_is_ordered_at_the_restart)
{
	struct story story;

	runs_aid_need(scene);
	runs_aid_script(scene, "touch $PROOF");
	runs_aid_tell(&story, scene, 9, true, true);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_int_equal(story.ended.exit_status, 0);
	assert_int_equal(access(scene->proof, F_OK), 0);
}

/* A database that was copied while the run was at work, beside another machine's runs/. */
RUNS_TEST(a_started_run_without_a_folder_is_never_ordered_again)
{
	struct story story = { .scene = scene, .goes = true };
	const struct runs_watch watch = runs_aid_watch(&story);
	struct effect_run order = runs_aid_order(9);
	struct err err;

	runs_aid_need(scene);
	runs_aid_script(scene, "touch $PROOF");
	order.started_at = 1;
	assert_true(runs_resume(scene->runs, &order, &watch, &err));
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.hellos + story.lost, 0);
	assert_true(story.ended.folder_gone);
	assert_false(story.ended.lost || story.ended.refused);
	assert_int_equal(access(scene->proof, F_OK), -1);
}

RUNS_TEST(a_killed_supervisor_is_a_lost_run_and_nothing_of_it_lives)
{
	struct story story;
	pid_t supervisor;

	runs_aid_need(scene);
	runs_aid_script(scene, "echo '==> build'; sleep 600 & sleep 600");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps == 1);
	supervisor = runs_aid_parent((pid_t)story.hello.pid);
	assert_true(supervisor > 1);
	runs_aid_kill(supervisor);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.lost, 1);
	assert_true(story.ended.lost && story.ended.gate_opened);
	assert_true(story.ended.released); /* nobody knows: taken to have */
	assert_int_equal(runs_aid_parent((pid_t)story.hello.pid), 0);
}

/* A supervisor that is not ours. */
struct foreign {
	const char *const *packets; /* said to whoever connects; NULL is behind the last */
	bool gate;
	int deaf; /* so many connections break before it has read their `end` */
};

/* Whoever waits is told after a second; the record comes when the runner can be asked. */
RUNS_TEST(a_run_is_reported_as_lost_while_its_runner_explains_nothing)
{
	struct story story;
	pid_t supervisor, runner;

	runs_aid_need(scene);
	runs_aid_script(scene, "echo '==> build'; sleep 600");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps == 1);
	supervisor = runs_aid_parent((pid_t)story.hello.pid);
	runner = runs_aid_parent(supervisor);
	assert_true(runner > 1);
	assert_int_equal(kill(runner, SIGSTOP), 0);
	runs_aid_kill(supervisor);
	WAIT_FOR(scene, story.lost == 1);
	assert_int_equal(story.ends, 0);
	assert_int_equal(kill(runner, SIGCONT), 0);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.lost, 1); /* once */
	assert_true(story.ended.lost);
}

/* In the child: writes the record when it is told to end (`end`), or when a connection closes and
 * its gate is shut. */
static _Noreturn void
be_a_foreign_supervisor(int listener, int record_fd, const struct foreign *self)
{
	struct protocol_message record = { .kind = PROTOCOL_EXIT,
		.record = { .gate = self->gate } };
	int deaf = self->deaf;
	char text[4096] = "";
	size_t len;
	ssize_t n;

	for (;;) {
		int server = accept(listener, NULL, NULL);

		for (const char *const *text_of = self->packets; *text_of != NULL; text_of++)
			(void)!send(server, *text_of, strlen(*text_of), MSG_NOSIGNAL);
		do
			n = recv(server, text, sizeof(text), 0);
		while (n > 0 && strncmp(text, "end", 3) != 0);
		record.record.ended = n > 0;
		if ((n > 0 && deaf-- == 0) || !self->gate)
			break;
		(void)close(server);
	}
	if (!protocol_encode(&record, text, sizeof(text), &len, NULL) ||
	    pwrite(record_fd, text, len, 0) != (ssize_t)len)
		_exit(1);
	_exit(0);
}

/* A run as such a supervisor would have it; its pid. */
static pid_t
start_a_foreign_supervisor(struct scene *scene, int run, const struct foreign *self)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[128];
	int record_fd, listener, ready[2];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/runs", scene->folder);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/runs/%d", scene->folder, run);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/runs/%d/exit", scene->folder, run);
	runs_aid_write(path, "", 0600);
	record_fd = open(path, O_RDWR | O_CLOEXEC);
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/runs/%d/socket", scene->folder, run);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* It must outlive neither the test nor, with the runner's socket, the runner. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    fcntl(record_fd, F_SETLK, &lock) != 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
			if (fd != record_fd && fd != listener)
				(void)close(fd);
		}
		be_a_foreign_supervisor(listener, record_fd, self);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], path, 1), 1);
	(void)close(ready[0]);
	(void)close(listener);
	(void)close(record_fd);
	return pid;
}

RUNS_TEST(a_supervisor_of_another_release_is_followed_by_its_record_and_can_be_ended)
{
	static const char *const hello[] = {
		"hello\nversion 99\npid 1\nstart 1\ngate 1\nbrand new\n", NULL
	};
	struct story story;
	int sent = 0;
	struct runs_stop_request request = {
		.run = 7, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	pid_t supervisor;

	runs_aid_need(scene);
	supervisor = start_a_foreign_supervisor(scene, 7, &(struct foreign){ hello, true, 0 });
	runs_aid_tell(&story, scene, 7, true, true);
	WAIT_FOR(scene, story.incompatible > 0);
	assert_true(runs_stop_run(scene->runs, &request));
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_int_equal(story.incompatible, 1);
	assert_int_equal(story.hellos, 0);
	assert_true(story.ended.gate_opened && story.ended.ended_on_request && !story.ended.lost);
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
}

/* It says 20 times a second how long its log is, and 0.1.0's server dropped that. */
RUNS_TEST(a_supervisor_of_0_1_0_is_followed_and_its_grew_is_skipped)
{
	static const char *const packets[] = {
		"hello\nversion 1\npid 1\nstart 1\ngate 1\nlog_size 3\n", "grew\nlog_size 7\n",
		"step\nstep 1795160052259 build\n", NULL
	};
	struct story story;
	int sent = 0;
	struct runs_stop_request request = {
		.run = 7, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	pid_t supervisor;

	runs_aid_need(scene);
	supervisor = start_a_foreign_supervisor(scene, 7, &(struct foreign){ packets, true, 0 });
	runs_aid_tell(&story, scene, 7, true, true);
	WAIT_FOR(scene, story.n_steps == 1);
	assert_int_equal(story.incompatible, 0);
	assert_true(runs_stop_run(scene->runs, &request));
	WAIT_FOR(scene, story.ends > 0);
	assert_true(story.ended.gate_opened && story.ended.ended_on_request);
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
}

/* It must neither begin a script by whom it does not understand, nor wait for ever. */
RUNS_TEST(a_gate_whose_supervisor_is_not_understood_is_given_up)
{
	static const char *const hellos[][2] = { { "hello\nversion 99\npid 1\nstart 1\n" },
		{ "bonjour\nversion deux\n" } };
	struct story story;
	pid_t supervisor;

	runs_aid_need(scene);
	for (size_t i = 0; i < COUNT(hellos); i++) {
		/* Of its own number: what is asked about the first is still under way. */
		supervisor = start_a_foreign_supervisor(
		    scene, 7 + (int)i, &(struct foreign){ hellos[i], false, 0 });
		runs_aid_tell(&story, scene, 7 + (int)i, true, true);
		WAIT_FOR(scene, story.ends > 0);
		assert_int_equal(story.incompatible, 1);
		assert_int_equal(story.hellos, 0);
		assert_false(story.ended.gate_opened || story.ended.ended_on_request);
		assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
	}
}

/* It had read no `end`: the run went on, and its deployment was stopping for ever. */
RUNS_TEST(a_stop_request_is_sent_again_where_its_connection_broke)
{
	static const char *const hello[] = { "hello\nversion 1\npid 1\nstart 1\ngate 1\n", NULL };
	struct story story;
	int sent = 0;
	struct runs_stop_request request = {
		.run = 7, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	pid_t supervisor;

	runs_aid_need(scene);
	supervisor = start_a_foreign_supervisor(scene, 7, &(struct foreign){ hello, true, 2 });
	runs_aid_tell(&story, scene, 7, true, true);
	assert_true(runs_stop_run(scene->runs, &request)); /* before anybody is connected */
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_true(story.ended.ended_on_request && !story.ended.lost);
	assert_int_equal(story.lost, 0); /* each connection's end was explained in time */
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
}

/* What a person asks for who wants to know where a run hangs. */
RUNS_TEST(each_change_of_state_is_a_line_of_the_debug_log)
{
	static const char *const lines[] = { "run 1: TO_ORDER -> ORDERED on SENT",
		"run 1: ORDERED -> CONNECT on STARTED", "run 1: CONNECT -> CONNECTED on REACHED",
		"run 1: CONNECTED -> AT_GATE on HELLO_SHUT", "run 1: AT_GATE -> RUNNING on GO",
		"run 1: RUNNING -> END on RECORDED" };
	struct story story;
	char text[16384], *place = text;
	int log = memfd_create("log", MFD_CLOEXEC);
	ssize_t n;

	runs_aid_need(scene);
	runs_aid_script(scene, "exit 0");
	log_to(log);
	log_set_level(LOG_LEVEL_DEBUG);
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.ends > 0);
	log_set_level(LOG_LEVEL_INFO);
	log_to(-1);
	n = pread(log, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	(void)close(log);
	for (size_t i = 0; i < COUNT(lines); i++) {
		place = strstr(place, "run 1: ");
		assert_non_null(place);
		assert_memory_equal(place, lines[i], strlen(lines[i]));
		place += strlen(lines[i]);
	}
	assert_null(strstr(place, "run 1: "));
}
