/* Goal: a run is followed from its order to its record, whoever dies on the way.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* With the real runner: DEPLOYBOT_RUNNER, or the one beside the tests' folder; else skipped. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runner/protocol.h"
#include "runs/run_files.h"
#include "runs/runs.h"
#include "types/settings.h"

#define COMMIT	 "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define PATIENCE 20000 /* ms: for a sanitized build on a busy machine */

/* What a run said, in its order. */
struct story {
	struct scene *scene;
	int hellos;
	int lost;
	int deaf;
	int ends;
	int dropped;
	int put_off;
	size_t n_steps;
	bool goes; /* opens the gate at once */
	struct run_started hello;
	struct run_step steps[LIMIT_STEPS + 2];
	struct run_ended ended;
};

struct scene {
	char folder[64];
	char env_file[128];
	char script[128];
	char proof[128]; /* what the script touches when it runs */
	struct settings *settings;
	struct loop *loop;
	struct runs *runs;
	struct loop_timer alarm;
	bool is_late;
	unsigned answer_s;
	int ready;
	char fatal[240];
	int answers;
	int answer_status;
	bool answer_unreachable;
	char answer[512];
};

static char runner[4096];

/* --- the stage ---------------------------------------------------------------------------- */

static void
on_ready(void *ctx)
{
	((struct scene *)ctx)->ready++;
}

static void
on_fatal(void *ctx, const char *text)
{
	(void)text_copy(((struct scene *)ctx)->fatal, sizeof(((struct scene *)ctx)->fatal), text);
}

static void
on_alarm(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	((struct scene *)ctx)->is_late = true;
}

static struct runs *
start_runs(struct scene *scene, const char *path)
{
	const struct runs_config config = { .runner = path,
		.env_file = scene->env_file,
		.settings = scene->settings,
		.grace_s = 1,
		.answer_s = scene->answer_s,
		.on_ready = on_ready,
		.on_fatal = on_fatal,
		.ctx = scene };
	struct err err = { .code = ERR_NONE };
	struct runs *runs = runs_start(scene->loop, &config, &err);

	if (runs == NULL)
		print_message("%s\n", err.text);
	return runs;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	struct err err;

	if (!file_write(path, text, strlen(text), mode, &err))
		fail_msg("%s", err.text);
}

/* The script of this story; $PROOF is a file to say that it ran. */
static void
script(struct scene *scene, const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\nPROOF=%s\n%s\n", scene->proof, body);
	write_file(scene->script, text, 0755);
}

static int
load_settings(struct scene *scene)
{
	char state[128];
	char *environment[] = { "TELEGRAM_BOT_TOKEN=1234567:abcdefghijklmnopqrstuvwxyz0123456789",
		"ADMIN_TELEGRAM_IDS=7", "GITHUB_REPOSITORY=a/b", state, NULL };
	struct settings_report report = { 0 };

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", scene->folder);
	if (settings_load(NULL, environment, &scene->settings, &report))
		return 0;
	for (size_t i = 0; i < report.count; i++)
		print_message("%s\n", report.lines[i].text);
	return -1;
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char text[1024];

	if (scene == NULL)
		return -1;
	*state = scene;
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/test_runs-XXXXXX");
	if (mkdtemp(scene->folder) == NULL || load_settings(scene) != 0)
		return -1;
	(void)snprintf(scene->env_file, sizeof(scene->env_file), "%s/env", scene->folder);
	(void)snprintf(scene->script, sizeof(scene->script), "%s/deploy", scene->folder);
	(void)snprintf(scene->proof, sizeof(scene->proof), "%s/proof", scene->folder);
	(void)snprintf(text, sizeof(text),
	    "DEPLOY_SCRIPT=%s\nROLLBACK_SCRIPT=%s\nREPOSITORY_URL=%s/no-such.git\n", scene->script,
	    scene->script, scene->folder);
	write_file(scene->env_file, text, 0600);
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->alarm, on_alarm, scene);
	return scene->loop == NULL;
}

static void
remove_tree(const char *folder)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	loop_timer_stop(&scene->alarm);
	runs_free(scene->runs);
	loop_free(scene->loop);
	settings_unref(scene->settings);
	remove_tree(scene->folder);
	free(scene);
	return 0;
}

#define WAIT_FOR(scene, condition) \
	do { \
		(scene)->is_late = false; \
		loop_timer_start((scene)->loop, &(scene)->alarm, PATIENCE, 0); \
		while (!(condition) && !(scene)->is_late) \
			loop_run_once((scene)->loop); \
		loop_timer_stop(&(scene)->alarm); \
		assert_true(condition); \
	} while (0)

static void
need_runner(struct scene *scene)
{
	if (access(runner, X_OK) != 0) {
		print_message("skipped: there is no %s\n", runner);
		skip();
	}
	scene->runs = start_runs(scene, runner);
	assert_non_null(scene->runs);
}

/* --- a story ------------------------------------------------------------------------------ */

static void
on_hello(void *ctx, const struct run_started *hello)
{
	struct story *story = ctx;

	story->hellos++;
	story->hello = *hello;
	if (story->goes)
		runs_go(story->scene->runs, hello->run);
}

static void
on_step(void *ctx, const struct run_step *step)
{
	struct story *story = ctx;

	assert_int_equal(step->n, story->n_steps);
	assert_int_equal(story->ends, 0);
	story->steps[story->n_steps++] = *step;
}

static void
on_lost(void *ctx)
{
	struct story *story = ctx;

	assert_int_equal(story->ends, 0);
	story->lost++;
}

static void
on_deaf(void *ctx)
{
	struct story *story = ctx;

	assert_int_equal(story->ends, 0);
	story->deaf++;
}

static void
on_ended(void *ctx, const struct run_ended *ended)
{
	struct story *story = ctx;

	story->ends++;
	story->ended = *ended;
}

static void
on_put_off(void *ctx, const char *why)
{
	struct story *story = ctx;

	story->put_off++;
	(void)text_copy(story->ended.detail, sizeof(story->ended.detail), why);
}

static void
on_dropped(void *ctx)
{
	((struct story *)ctx)->dropped++;
}

static struct effect_run
order_of(int64_t run)
{
	struct effect_run order = { .run = run,
		.program = PROGRAM_DEPLOY,
		.deployment = 42,
		.environment = "staging",
		.commit = COMMIT,
		.ref = "develop",
		.deadline_s = 60 };

	return order;
}

static void
tell(struct story *story, struct scene *scene, int64_t run, bool goes, bool is_resumed)
{
	const struct runs_watch watch = { on_hello, on_step, on_lost, on_deaf, on_ended, on_put_off,
		on_dropped, story };
	const struct effect_run order = order_of(run);
	struct err err;

	*story = (struct story){ .scene = scene, .goes = goes };
	if (is_resumed)
		assert_true(runs_resume(scene->runs, &order, &watch, &err));
	else
		assert_true(runs_order(scene->runs, &order, &watch, &err));
	assert_int_equal(story->hellos + story->ends, 0); /* never inside the call */
}

/* Its parent; 0: it does not live (a zombie that nobody has reaped is dead). */
static pid_t
parent_of(pid_t pid)
{
	char path[64], line[4096];
	int parent = 0;
	FILE *file;
	char *end;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	end = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
	(void)fclose(file);
	if (end == NULL || end[2] == 'Z')
		return 0;
	assert_int_equal(sscanf(end + 2, "%*c %d", &parent), 1);
	return parent;
}

static void
on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size)
{
	struct scene *scene = ctx;

	assert_int_equal(size, strlen(text));
	scene->answers++;
	scene->answer_status = exit_status;
	scene->answer_unreachable = unreachable;
	(void)text_copy(scene->answer, sizeof(scene->answer), text);
}

/* --- tests -------------------------------------------------------------------------------- */

static void
a_run_tells_its_steps_and_its_end(void **state)
{
	struct scene *scene = *state;
	struct story story;

	need_runner(scene);
	script(scene, "echo '==> build'; echo '==> release'; printf 'all \\033[1mdone\\n'; exit 0");
	tell(&story, scene, 1, true, false);
	assert_int_equal(runs_open(scene->runs), 1);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_true(story.hello.pid > 0 && story.hello.start_time > 0);
	assert_int_equal(strlen(story.hello.boot), 36);
	assert_int_equal(story.n_steps, 2);
	assert_string_equal(story.steps[0].name, "build");
	assert_true(story.steps[0].at > INT64_C(1700000000000));
	assert_true(story.ended.gate_opened && story.ended.released);
	assert_false(story.ended.refused || story.ended.lost || story.ended.timed_out);
	assert_int_equal(story.ended.exit_status, 0);
	assert_string_equal(story.ended.detail, "all done");
	assert_true(story.ended.duration_ms >= 0 && story.ended.duration_ms < PATIENCE);
	assert_int_equal(runs_open(scene->runs), 0);
}

static void
nothing_runs_before_the_gate_is_opened(void **state)
{
	struct scene *scene = *state;
	struct story story;

	need_runner(scene);
	script(scene, "touch $PROOF; exit 3");
	tell(&story, scene, 1, false, false);
	WAIT_FOR(scene, story.hellos > 0);
	assert_int_equal(access(scene->proof, F_OK), -1);
	runs_go(scene->runs, 1);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(access(scene->proof, F_OK), 0);
	assert_int_equal(story.ended.exit_status, 3);
}

static void
on_wish_sent(struct runs_wish *wish)
{
	(*(int *)wish->ctx)++;
}

static void
a_run_ended_at_its_gate_never_ran(void **state)
{
	struct scene *scene = *state;
	int sent = 0;
	struct runs_wish wish = { .run = 1, .on_sent = on_wish_sent, .ctx = &sent };
	struct story story;

	need_runner(scene);
	script(scene, "touch $PROOF");
	WAIT_FOR(scene, runs_is_ready(scene->runs));
	tell(&story, scene, 1, false, false);
	assert_true(runs_end(scene->runs, &wish)); /* before its keeper is there: kept */
	assert_int_equal(sent, 0);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_false(story.ended.gate_opened);
	assert_true(story.ended.ended_on_request);
	assert_int_equal(access(scene->proof, F_OK), -1);
	assert_false(runs_end(scene->runs, &wish)); /* over: nothing to end */
}

static void
a_running_run_can_be_ended(void **state)
{
	struct scene *scene = *state;
	int sent = 0;
	struct runs_wish wish = { .run = 1, .on_sent = on_wish_sent, .ctx = &sent };
	struct story story;

	need_runner(scene);
	script(scene, "echo '==> build'; exec sleep 600");
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps > 0);
	assert_true(runs_end(scene->runs, &wish));
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_true(story.ended.ended_on_request && story.ended.gate_opened);
	assert_int_equal(story.ended.exit_status, -1);
	assert_int_equal(story.ended.signal_number, SIGTERM);
}

static void
a_program_that_cannot_be_executed_says_so(void **state)
{
	struct scene *scene = *state;
	struct story story;

	need_runner(scene);
	write_file(scene->script, "#!/no/such/interpreter\n", 0755);
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.ended.exec_errno, ENOENT);
	/* Whoever tells it says before it what could not be started: it was said twice. */
	assert_string_equal(story.ended.detail, "No such file or directory");
}

static void
a_run_is_adopted_by_the_next_server(void **state)
{
	struct scene *scene = *state;
	struct story before, after;
	char text[160];

	need_runner(scene);
	script(scene,
	    "echo '==> build'; while [ ! -e $PROOF.go ]; do sleep 0.05; done; echo '==> release'; "
	    "echo bye");
	tell(&before, scene, 1, true, false);
	WAIT_FOR(scene, before.n_steps == 1);
	runs_free(scene->runs);
	assert_int_equal(before.dropped, 1);
	assert_int_equal(before.ends, 0);
	scene->runs = start_runs(scene, runner);
	tell(&after, scene, 1, true, true);
	WAIT_FOR(scene, after.n_steps == 1);
	assert_int_equal(after.hellos, 0); /* its gate is open */
	(void)snprintf(text, sizeof(text), "%s.go", scene->proof);
	write_file(text, "", 0600);
	WAIT_FOR(scene, after.ends > 0);
	assert_int_equal(after.n_steps, 2);
	assert_int_equal(after.ended.exit_status, 0);
	assert_string_equal(after.ended.detail, "bye");
	assert_true(after.ended.duration_ms > 0);
}

static void
a_run_that_ended_meanwhile_has_left_its_record(void **state)
{
	struct scene *scene = *state;
	struct story before, after;

	need_runner(scene);
	script(scene, "echo '==> build'; exit 65");
	tell(&before, scene, 1, true, false);
	WAIT_FOR(scene, before.ends > 0);
	tell(&after, scene, 1, true, true);
	WAIT_FOR(scene, after.ends > 0);
	assert_int_equal(after.n_steps, 1);
	assert_int_equal(after.ended.exit_status, 65);
	assert_int_equal(after.hellos, 0);
}

static void
a_run_that_never_began_is_ordered_at_the_restart(void **state)
{
	struct scene *scene = *state;
	struct story story;

	need_runner(scene);
	script(scene, "touch $PROOF");
	tell(&story, scene, 9, true, true);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_int_equal(story.ended.exit_status, 0);
	assert_int_equal(access(scene->proof, F_OK), 0);
}

static void
an_order_given_twice_runs_once(void **state)
{
	struct scene *scene = *state;
	struct story first, second;

	need_runner(scene);
	script(scene, "echo x >> $PROOF");
	tell(&first, scene, 1, true, false);
	WAIT_FOR(scene, first.ends > 0);
	tell(&second, scene, 1, true, false); /* its folder is there: its record is read */
	WAIT_FOR(scene, second.ends > 0);
	assert_int_equal(second.hellos, 0);
	assert_false(second.ended.refused);
	assert_int_equal(second.ended.exit_status, 0);
	{
		struct stat st;

		assert_int_equal(stat(scene->proof, &st), 0);
		assert_int_equal(st.st_size, 2);
	}
}

static void
a_killed_keeper_is_a_lost_run_and_nothing_of_it_lives(void **state)
{
	struct scene *scene = *state;
	struct story story;
	pid_t keeper;

	need_runner(scene);
	script(scene, "echo '==> build'; sleep 600 & sleep 600");
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps == 1);
	keeper = parent_of((pid_t)story.hello.pid);
	assert_true(keeper > 1);
	assert_int_equal(kill(keeper, SIGKILL), 0);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.lost, 1);
	assert_true(story.ended.lost && story.ended.gate_opened);
	assert_true(story.ended.released); /* nobody knows: taken to have */
	assert_int_equal(parent_of((pid_t)story.hello.pid), 0);
}

/* --- keepers of another release ------------------------------------------------------------ */

/* In the child: says `hello` to whoever connects, and writes the record when it is told to end
 * (`end`), or when a connection closes and its gate is shut. */
static _Noreturn void
be_a_foreign_keeper(int listener, int record_fd, const char *hello, bool gate)
{
	struct protocol_message record = { .kind = PROTOCOL_EXIT, .record = { .gate = gate } };
	char text[4096] = "";
	size_t len;
	ssize_t n;

	for (;;) {
		int server = accept(listener, NULL, NULL);

		(void)!send(server, hello, strlen(hello), MSG_NOSIGNAL);
		do
			n = recv(server, text, sizeof(text), 0);
		while (n > 0 && strncmp(text, "end", 3) != 0);
		record.record.ended = n > 0;
		if (n > 0 || !gate)
			break;
		(void)close(server);
	}
	if (!protocol_encode(&record, text, sizeof(text), &len, NULL) ||
	    pwrite(record_fd, text, len, 0) != (ssize_t)len)
		_exit(1);
	_exit(0);
}

/* A run as such a keeper would have it; its pid. */
static pid_t
start_a_foreign_keeper(struct scene *scene, int run, const char *hello, bool gate)
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
	write_file(path, "", 0600);
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
		be_a_foreign_keeper(listener, record_fd, hello, gate);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], path, 1), 1);
	(void)close(ready[0]);
	(void)close(listener);
	(void)close(record_fd);
	return pid;
}

static void
a_keeper_of_another_release_is_followed_by_its_record_and_can_be_ended(void **state)
{
	struct scene *scene = *state;
	struct story story;
	int sent = 0;
	struct runs_wish wish = { .run = 7, .on_sent = on_wish_sent, .ctx = &sent };
	pid_t keeper;

	need_runner(scene);
	keeper = start_a_foreign_keeper(
	    scene, 7, "hello\nversion 99\npid 1\nstart 1\ngate 1\nbrand new\n", true);
	tell(&story, scene, 7, true, true);
	WAIT_FOR(scene, story.deaf > 0);
	assert_true(runs_end(scene->runs, &wish));
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_int_equal(story.deaf, 1);
	assert_int_equal(story.hellos, 0);
	assert_true(story.ended.gate_opened && story.ended.ended_on_request && !story.ended.lost);
	assert_int_equal(waitpid(keeper, NULL, 0), keeper);
}

/* It must neither begin a script by whom it does not understand, nor wait for ever. */
static void
a_gate_whose_keeper_is_not_understood_is_given_up(void **state)
{
	static const char *const hellos[] = { "hello\nversion 99\npid 1\nstart 1\n",
		"bonjour\nversion deux\n" };
	struct scene *scene = *state;
	struct story story;
	pid_t keeper;

	need_runner(scene);
	for (size_t i = 0; i < COUNT(hellos); i++) {
		/* Of its own number: what is asked about the first is still under way. */
		keeper = start_a_foreign_keeper(scene, 7 + (int)i, hellos[i], false);
		tell(&story, scene, 7 + (int)i, true, true);
		WAIT_FOR(scene, story.ends > 0);
		assert_int_equal(story.deaf, 1);
		assert_int_equal(story.hellos, 0);
		assert_false(story.ended.gate_opened || story.ended.ended_on_request);
		assert_int_equal(waitpid(keeper, NULL, 0), keeper);
	}
}

static void
a_killed_runner_is_started_again_and_no_run_notices(void **state)
{
	struct scene *scene = *state;
	struct story story, next;
	char text[160];
	pid_t keeper;

	need_runner(scene);
	script(scene, "echo '==> build'; while [ ! -e $PROOF.go ]; do sleep 0.05; done; exit 7");
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps == 1 && scene->ready == 1);
	keeper = parent_of((pid_t)story.hello.pid);
	assert_int_equal(kill(parent_of(keeper), SIGKILL), 0);
	tell(&next, scene, 2, true, false); /* into the gap */
	WAIT_FOR(scene, scene->ready == 2 && next.n_steps == 1);
	(void)snprintf(text, sizeof(text), "%s.go", scene->proof);
	write_file(text, "", 0600);
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
	    scene->proof, scene->proof, at_first, runner);
	write_file(path, text, 0755);
	if (access(runner, X_OK) != 0)
		skip();
	scene->runs = start_runs(scene, path);
	assert_non_null(scene->runs);
}

/* /cancel, while no runner can be started: it was running for ever. */
static void
a_run_that_was_not_ordered_yet_is_called_off(void **state)
{
	struct scene *scene = *state;
	int sent = 0;
	struct runs_wish wish = { .run = 1, .on_sent = on_wish_sent, .ctx = &sent };
	struct story story;

	write_file(scene->script, "#!/bin/sh\nexec cat <&3 >/dev/null\n", 0755); /* no hello */
	scene->runs = start_runs(scene, scene->script);
	assert_non_null(scene->runs);
	tell(&story, scene, 1, true, false);
	assert_true(runs_end(scene->runs, &wish));
	assert_int_equal(sent + story.ends, 0); /* never inside the call */
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_true(story.ended.refused && story.ended.ended_on_request);
	assert_string_equal(story.ended.detail, "cancelled before it was ordered");
	assert_int_equal(scene->ready, 0);
}

/* What a hung runner was told: the next one is asked, and a cancelled run does not begin there. */
static void
a_silent_runner_is_killed_and_what_it_was_told_is_not_lost(void **state)
{
	const struct effect_ask ask = {
		.kind = ASK_HEADS, .n_branches = 1, .branches = { "main" }
	};
	struct scene *scene = *state;
	int sent = 0;
	struct runs_wish wish = { .run = 2, .on_sent = on_wish_sent, .ctx = &sent };
	struct story story, cancelled;
	struct err err;

	scene->answer_s = 1;
	script(scene, "exit 7");
	start_with_a_stub(scene, "printf 'hello\\nversion 1\\npid 1\\n' >&3");
	WAIT_FOR(scene, scene->ready == 1);
	tell(&story, scene, 1, true, false);
	tell(&cancelled, scene, 2, true, false);
	assert_non_null(runs_ask(scene->runs, &ask, on_answer, scene, &err));
	assert_true(runs_end(scene->runs, &wish));
	WAIT_FOR(scene, scene->answers == 1 && story.ends > 0 && cancelled.ends > 0);
	assert_int_equal(scene->ready, 2);
	assert_true(scene->answer_unreachable);
	assert_int_equal(story.ended.exit_status, 7);
	assert_int_equal(sent, 1);
	assert_true(cancelled.ended.refused && cancelled.ended.ended_on_request);
	assert_string_equal(cancelled.ended.detail, "cancelled before it began");
	assert_int_equal(cancelled.hellos, 0);
}

static void
a_runner_that_says_no_hello_is_killed(void **state)
{
	struct scene *scene = *state;

	scene->answer_s = 1;
	start_with_a_stub(scene, ":");
	WAIT_FOR(scene, scene->ready == 1);
}

/* No sign of life is missed while there is nothing to do. */
static void
a_runner_that_is_well_is_left_alone(void **state)
{
	struct scene *scene = *state;

	scene->answer_s = 1;
	need_runner(scene);
	loop_timer_start(scene->loop, &scene->alarm, 2500, 0);
	while (!scene->is_late)
		loop_run_once(scene->loop);
	assert_int_equal(scene->ready, 1);
}

static void
settings_of_the_runner(struct scene *scene, const char *line)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "DEPLOY_SCRIPT=%s\n%s\n", scene->script, line);
	write_file(scene->env_file, text, 0600);
}

static void
an_order_refused_for_a_reason_that_may_pass_can_be_given_again(void **state)
{
	struct scene *scene = *state;
	struct story story;
	struct err err;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	script(scene, "exit 7");
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.put_off > 0);
	assert_int_equal(story.ends, 0);
	assert_non_null(strstr(story.ended.detail, "RUN_LOG_LIMIT"));
	assert_int_equal(runs_open(scene->runs), 0);
	assert_int_equal(run_files_open(scene->folder, 1, &err), -1);
	settings_of_the_runner(scene, "");
	tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.put_off, 0);
	assert_int_equal(story.ended.exit_status, 7);
}

static void
an_order_that_nobody_can_take_is_refused(void **state)
{
	const struct runs_watch watch = { on_hello, on_step, on_lost, on_deaf, on_ended, NULL, NULL,
		NULL };
	struct scene *scene = *state;
	struct story story = { .scene = scene };
	struct runs_watch mine = watch;
	struct effect_run order = order_of(1);
	struct err err;

	need_runner(scene);
	mine.ctx = &story;
	(void)text_copy(order.environment, sizeof(order.environment), "No Such!");
	assert_true(runs_order(scene->runs, &order, &mine, &err));
	WAIT_FOR(scene, story.ends > 0);
	assert_true(story.ended.refused);
	assert_string_not_equal(story.ended.detail, "");
	assert_int_equal(run_files_open(scene->folder, 1, &err), -1);
}

static void
a_question_is_answered_even_if_with_a_no(void **state)
{
	struct effect_ask ask = {
		.kind = ASK_HEADS, .n_branches = 2, .branches = { "main", "develop" }
	};
	struct scene *scene = *state;
	struct runs_question *cancelled;
	struct err err;

	need_runner(scene);
	assert_non_null(runs_ask(scene->runs, &ask, on_answer, scene, &err));
	cancelled = runs_ask(scene->runs, &ask, on_answer, scene, &err);
	assert_non_null(cancelled);
	runs_ask_cancel(scene->runs, cancelled);
	ask = (struct effect_ask){ .kind = ASK_COMMITS, .ref = "new\nline", .branch = "main" };
	assert_non_null(runs_ask(scene->runs, &ask, on_answer, scene, &err));
	WAIT_FOR(scene, scene->answers == 2);
	assert_int_not_equal(scene->answer_status, 0);
	assert_false(scene->answer_unreachable);
	assert_string_not_equal(scene->answer, "");
}

static void
a_runner_that_is_not_there_is_an_error_at_once(void **state)
{
	struct scene *scene = *state;

	assert_null(start_runs(scene, "/no/such/deploybot-runner"));
}

static void
a_runner_of_another_version_is_refused_by_name(void **state)
{
	struct scene *scene = *state;
	struct effect_ask ask = { .kind = ASK_HEADS };
	struct err err;

	write_file(scene->script,
	    "#!/bin/sh\nprintf 'hello\\nversion 99\\npid 1\\n' >&3\nexit 78\n", 0755);
	scene->runs = start_runs(scene, scene->script);
	assert_non_null(scene->runs);
	assert_non_null(runs_ask(scene->runs, &ask, on_answer, scene, &err));
	WAIT_FOR(scene, scene->fatal[0] != '\0' && scene->answers == 1);
	assert_non_null(strstr(scene->fatal, "speaks version 99"));
	assert_true(scene->answer_unreachable);
	assert_false(runs_is_ready(scene->runs));
	assert_int_equal(scene->ready, 0);
}

static void
a_runner_gets_no_secret_of_ours_and_one_descriptor(void **state)
{
	struct scene *scene = *state;
	char text[1024], seen[16384];
	FILE *file;
	size_t n;

	assert_int_equal(setenv("TELEGRAM_BOT_TOKEN", "1234567:canary", 1), 0);
	assert_int_equal(setenv("REPOSITORY_TOKEN", "for-the-runner-only", 1), 0);
	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\n(env; ls -l /proc/$$/fd) > %s.part 2>&1\nmv %s.part %s\nexit 78\n",
	    scene->proof, scene->proof, scene->proof);
	write_file(scene->script, text, 0755);
	scene->runs = start_runs(scene, scene->script);
	assert_int_equal(unsetenv("TELEGRAM_BOT_TOKEN"), 0);
	assert_int_equal(unsetenv("REPOSITORY_TOKEN"), 0);
	assert_non_null(scene->runs);
	WAIT_FOR(scene, scene->fatal[0] != '\0');
	assert_non_null(strstr(scene->fatal, "refuses its settings"));
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

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

static void
find_runner(void)
{
	const char *given = getenv("DEPLOYBOT_RUNNER");
	char *slash;
	ssize_t n;

	if (given != NULL) {
		(void)text_copy(runner, sizeof(runner), given);
		return;
	}
	n = readlink("/proc/self/exe", runner, sizeof(runner) - 64);
	assert(n > 0);
	runner[n] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(runner, '/');
		assert(slash != NULL);
		*slash = '\0';
	}
	(void)snprintf(runner + strlen(runner), 64, "/deploybot-runner");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_run_tells_its_steps_and_its_end),
		T(nothing_runs_before_the_gate_is_opened),
		T(a_run_ended_at_its_gate_never_ran),
		T(a_running_run_can_be_ended),
		T(a_program_that_cannot_be_executed_says_so),
		T(a_run_is_adopted_by_the_next_server),
		T(a_run_that_ended_meanwhile_has_left_its_record),
		T(a_run_that_never_began_is_ordered_at_the_restart),
		T(an_order_given_twice_runs_once),
		T(a_killed_keeper_is_a_lost_run_and_nothing_of_it_lives),
		T(a_keeper_of_another_release_is_followed_by_its_record_and_can_be_ended),
		T(a_gate_whose_keeper_is_not_understood_is_given_up),
		T(a_killed_runner_is_started_again_and_no_run_notices),
		T(a_run_that_was_not_ordered_yet_is_called_off),
		T(a_silent_runner_is_killed_and_what_it_was_told_is_not_lost),
		T(a_runner_that_says_no_hello_is_killed),
		T(a_runner_that_is_well_is_left_alone),
		T(an_order_refused_for_a_reason_that_may_pass_can_be_given_again),
		T(an_order_that_nobody_can_take_is_refused),
		T(a_question_is_answered_even_if_with_a_no),
		T(a_runner_that_is_not_there_is_an_error_at_once),
		T(a_runner_of_another_version_is_refused_by_name),
		T(a_runner_gets_no_secret_of_ours_and_one_descriptor),
	};

	find_runner();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
