/* Goal: there is always a runner that is well, or it is said why there is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs_aid.h"

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "runs/runner_link.h"
#include "runs/runner_starter.h"

RUNS_TEST(a_killed_runner_is_started_again_and_no_run_notices)
{
	struct story story, next;
	char text[160];
	pid_t supervisor;

	runs_aid_need(scene);
	runs_aid_script(
	    scene, "echo '==> build'; while [ ! -e $PROOF.go ]; do sleep 0.05; done; exit 7");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps == 1 && scene->ready == 1);
	supervisor = runs_aid_parent((pid_t)story.hello.pid);
	runs_aid_kill(runs_aid_parent(supervisor));
	runs_aid_tell(&next, scene, 2, true, false); /* into the gap */
	WAIT_FOR(scene, scene->ready == 2 && next.n_steps == 1);
	(void)snprintf(text, sizeof(text), "%s.go", scene->proof);
	runs_aid_write(text, "", 0600);
	WAIT_FOR(scene, story.ends > 0 && next.ends > 0);
	assert_int_equal(story.lost, 0);
	assert_int_equal(story.ended.exit_status, 7);
	assert_int_equal(next.ended.exit_status, 7);
}

/* First a runner that does `at_first`, then the real one. */
static void
start_with_a_stub(struct scene *scene, const char *at_first)
{
	char path[160], text[8192];

	(void)snprintf(path, sizeof(path), "%s/stub", scene->folder);
	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\nif [ ! -e %s.first ]; then touch %s.first; %s; exec cat <&3 >/dev/null; "
	    "fi\n"
	    "exec %s \"$@\"\n",
	    scene->proof, scene->proof, at_first, runs_aid_runner());
	runs_aid_write(path, text, 0755);
	if (access(runs_aid_runner(), X_OK) != 0)
		skip();
	scene->runs = runs_aid_start(scene, path);
	assert_non_null(scene->runs);
}

/* What a hung runner was told: the next one is asked, and a cancelled run does not begin there. */
RUNS_TEST(a_silent_runner_is_killed_and_what_it_was_told_is_not_lost)
{
	const struct effect_git_query ask = {
		.kind = GIT_QUERY_HEADS, .n_branches = 1, .branches = { "main" }
	};
	int sent = 0;
	struct runs_stop_request request = {
		.run = 2, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story, cancelled;

	scene->answer_s = 1;
	runs_aid_script(scene, "exit 7");
	start_with_a_stub(scene, "printf 'hello\\nversion 5\\npid 1\\n' >&3");
	WAIT_FOR(scene, scene->ready == 1);
	runs_aid_tell(&story, scene, 1, true, false);
	runs_aid_tell(&cancelled, scene, 2, true, false);
	(void)runs_aid_ask(scene, &ask);
	assert_true(runs_stop_run(scene->runs, &request));
	WAIT_FOR(scene, scene->answers == 1 && story.ends > 0 && cancelled.ends > 0);
	assert_int_equal(scene->ready, 2);
	assert_true(scene->answer_unreachable);
	assert_int_equal(story.ended.exit_status, 7);
	assert_int_equal(sent, 1);
	assert_true(cancelled.ended.refused && cancelled.ended.ended_on_request);
	assert_string_equal(cancelled.ended.detail, "cancelled before it began");
	assert_int_equal(cancelled.hellos, 0);
}

RUNS_TEST(a_runner_that_says_no_hello_is_killed)
{
	scene->answer_s = 1;
	start_with_a_stub(scene, ":");
	WAIT_FOR(scene, scene->ready == 1);
}

/* No sign of life is missed while there is nothing to do. */
RUNS_TEST(a_runner_that_is_well_is_left_alone)
{
	scene->answer_s = 1;
	runs_aid_need(scene);
	loop_timer_start(scene->loop, &scene->alarm, 2500, 0);
	while (!scene->is_late)
		loop_run_once(scene->loop);
	assert_int_equal(scene->ready, 1);
}

RUNS_TEST(a_runner_that_is_not_there_is_an_error_at_once)
{
	assert_null(runs_aid_start(scene, "/no/such/deploybot-runner"));
}

/* The process that starts the runner: our only child. */
static pid_t
starter(void)
{
	char path[64], text[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}

RUNS_TEST(without_its_starter_no_runner_can_be_started_again)
{
	pid_t pid;

	runs_aid_need(scene);
	pid = starter();
	assert_int_equal(kill(pid, SIGKILL), 0);
	WAIT_FOR(scene, scene->fatal[0] != '\0');
	assert_string_equal(scene->fatal, "the process that starts deploybot-runner was killed");
}

RUNS_TEST(a_starter_keeps_no_variable_of_its_servers)
{
	char path[64], seen[65536];
	FILE *file;
	size_t n;

	runs_aid_need(scene);
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)starter());
	file = fopen(path, "re");
	assert_non_null(file);
	n = fread(seen, 1, sizeof(seen), file);
	(void)fclose(file);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(seen[i], 0);
}

/* --- what it and its runner have open --- */

static size_t
count_open(pid_t pid)
{
	char path[64];
	size_t n = 0;
	DIR *folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder) != NULL)
		n++;
	(void)closedir(folder);
	return n;
}

static void
send_with(int to, char word, const int *fds, size_t n)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
			  .cmsg_len = CMSG_LEN(n * sizeof(int)) } };
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
	assert_int_equal(sendmsg(to, &message, MSG_NOSIGNAL), 1);
}

static void
must_say(int fd, enum runner_starter_what what)
{
	struct runner_starter_said said;

	assert_int_equal(recv(fd, &said, sizeof(said), 0), sizeof(said));
	assert_int_equal(said.what, what);
}

/* Its own socket, as the server's end of it, is passed on to nobody, whatever it is told. */
RUNS_TEST(a_starter_keeps_no_descriptor_and_its_runner_has_the_one_it_is_given)
{
	const struct runner_link_config config = { .path = scene->script,
		.state_directory = scene->folder };
	char path[160], *open_there;
	size_t before, size;
	int fd, given[2];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s.fds", scene->script);
	runs_aid_write(scene->script,
	    "#!/bin/sh\nls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\([a-z]*\\).*/\\1 \\2/p' >\"$0.fds\"\n",
	    0755);
	pid = runner_starter_fork(&config, NULL, NULL, &fd, NULL);
	assert_true(pid > 0);
	assert_int_equal(pipe(given), 0);
	send_with(fd, RUNNER_STARTER_START, given, 1);
	must_say(fd, RUNNER_STARTER_STARTED);
	must_say(fd, RUNNER_STARTER_EXITED);
	open_there = file_read(path, 4096, &size, NULL);
	assert_non_null(strstr(open_there, "\n3 pipe\n"));
	assert_null(strstr(open_there, "socket"));
	free(open_there);
	before = count_open(pid);
	for (size_t i = 0; i < 4; i++)
		send_with(fd, RUNNER_STARTER_KILL, i == 0 ? (int[]){ fd, fd } : given, 2);
	send_with(fd, RUNNER_STARTER_START, (int[]){ fd }, 1);
	must_say(fd, RUNNER_STARTER_STARTED);
	must_say(fd, RUNNER_STARTER_EXITED);
	assert_int_equal(count_open(pid), before);
	assert_int_equal(close(fd) | close(given[0]) | close(given[1]), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid); /* nobody else has that end of it */
}

RUNS_TEST(a_runner_of_another_version_is_refused_by_name)
{
	struct effect_git_query ask = { .kind = GIT_QUERY_HEADS };

	runs_aid_write(scene->script,
	    "#!/bin/sh\nprintf 'hello\\nversion 99\\npid 1\\n' >&3\nexit 78\n", 0755);
	scene->runs = runs_aid_start(scene, scene->script);
	assert_non_null(scene->runs);
	(void)runs_aid_ask(scene, &ask);
	WAIT_FOR(scene, scene->fatal[0] != '\0' && scene->answers == 1);
	assert_non_null(strstr(scene->fatal, "speaks version 99"));
	assert_true(scene->answer_unreachable);
	assert_int_equal(scene->ready, 0);
}

RUNS_TEST(a_runner_that_knows_a_later_epoch_is_not_restarted_each_half_second)
{
	struct effect_git_query ask = { .kind = GIT_QUERY_HEADS };
	char path[160], *text;
	size_t size;

	scene->epoch = 17;
	(void)snprintf(path, sizeof(path), "%s.starts", scene->script);
	runs_aid_write(scene->script,
	    "#!/bin/sh\necho start >>\"$0.starts\"\nprintf 'hello\\nversion 5\\npid 1\\nepoch 18\\n' >&3\nexit 78\n",
	    0755);
	scene->runs = runs_aid_start(scene, scene->script);
	(void)runs_aid_ask(scene, &ask);
	WAIT_FOR(scene, scene->answers == 1);
	scene->is_late = false;
	loop_timer_start(scene->loop, &scene->alarm, 1500, 0);
	while (!scene->is_late)
		loop_run_once(scene->loop);
	text = file_read(path, 4096, &size, NULL);
	assert_string_equal(text, "start\n");
	free(text);
	assert_int_equal(scene->ready, 0);
	assert_string_equal(scene->fatal, "");
}

RUNS_TEST(a_runner_gets_no_secret_of_ours_and_one_descriptor)
{
	char text[1024], seen[16384];
	FILE *file;
	size_t n;

	assert_int_equal(setenv("TELEGRAM_BOT_TOKEN", "1234567:canary", 1), 0);
	assert_int_equal(setenv("REPOSITORY_TOKEN", "for-the-runner-only", 1), 0);
	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\n(env; ls -l /proc/$$/fd) > %s.part 2>&1\nmv %s.part %s\nexit 78\n",
	    scene->proof, scene->proof, scene->proof);
	runs_aid_write(scene->script, text, 0755);
	scene->runs = runs_aid_start(scene, scene->script);
	assert_int_equal(unsetenv("TELEGRAM_BOT_TOKEN"), 0);
	assert_int_equal(unsetenv("REPOSITORY_TOKEN"), 0);
	assert_non_null(scene->runs);
	WAIT_FOR(scene, scene->fatal[0] != '\0');
	assert_non_null(strstr(scene->fatal, "refused its settings"));
	file = fopen(scene->proof, "re");
	assert_non_null(file);
	n = fread(seen, 1, sizeof(seen) - 1, file);
	seen[n] = '\0';
	(void)fclose(file);
	assert_null(strstr(seen, "canary"));
	assert_non_null(strstr(seen, "for-the-runner-only"));
	assert_non_null(strstr(seen, " 3 -> socket"));
	assert_null(strstr(seen, " 4 -> "));
	assert_null(strstr(seen, " 5 -> "));
}
