/* Goal: a run is ordered, let go, ended, and told of from its first step to its record.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runs_aid.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"
#include "runs/run_files.h"

RUNS_TEST(a_run_tells_its_steps_and_its_end)
{
	struct story story;

	runs_aid_need(scene);
	runs_aid_script(
	    scene, "echo '==> build'; echo '==> release'; printf 'all \\033[1mdone\\n'; exit 0");
	runs_aid_tell(&story, scene, 1, true, false);
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
	assert_true(story.ended.duration_ms >= 0 && story.ended.duration_ms < PATIENCE_MS);
	assert_int_equal(runs_open(scene->runs), 0);
}

RUNS_TEST(nothing_runs_before_the_gate_is_opened)
{
	struct story story;

	runs_aid_need(scene);
	runs_aid_script(scene, "touch $PROOF; exit 3");
	runs_aid_tell(&story, scene, 1, false, false);
	WAIT_FOR(scene, story.hellos > 0);
	assert_int_equal(access(scene->proof, F_OK), -1);
	runs_go(scene->runs, 1);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(access(scene->proof, F_OK), 0);
	assert_int_equal(story.ended.exit_status, 3);
}

RUNS_TEST(a_run_ended_at_its_gate_never_ran)
{
	int sent = 0;
	struct runs_stop_request request = {
		.run = 1, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story;

	runs_aid_need(scene);
	runs_aid_script(scene, "touch $PROOF");
	WAIT_FOR(scene, scene->ready > 0);
	runs_aid_tell(&story, scene, 1, false, false);
	assert_true(
	    runs_stop_run(scene->runs, &request)); /* before its supervisor is there: kept */
	assert_int_equal(sent, 0);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_false(story.ended.gate_opened);
	assert_true(story.ended.ended_on_request);
	assert_int_equal(access(scene->proof, F_OK), -1);
	assert_false(runs_stop_run(scene->runs, &request)); /* over: nothing to end */
}

RUNS_TEST(a_running_run_can_be_ended)
{
	int sent = 0;
	struct runs_stop_request request = {
		.run = 1, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story;

	runs_aid_need(scene);
	runs_aid_script(scene, "echo '==> build'; exec sleep 600");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.n_steps > 0);
	assert_true(runs_stop_run(scene->runs, &request));
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_true(story.ended.ended_on_request && story.ended.gate_opened);
	assert_int_equal(story.ended.exit_status, -1);
	assert_int_equal(story.ended.signal_number, SIGTERM);
}

RUNS_TEST(a_program_that_cannot_be_executed_says_so)
{
	struct story story;

	runs_aid_need(scene);
	runs_aid_write(scene->script, "#!/no/such/interpreter\n", 0755);
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.ended.exec_errno, ENOENT);
	/* Whoever tells it says before it what could not be started: it was said twice. */
	assert_string_equal(story.ended.detail, "No such file or directory");
}

RUNS_TEST(an_order_given_twice_runs_once)
{
	struct story first, second;

	runs_aid_need(scene);
	runs_aid_script(scene, "echo x >> $PROOF");
	runs_aid_tell(&first, scene, 1, true, false);
	WAIT_FOR(scene, first.ends > 0);
	runs_aid_tell(&second, scene, 1, true, false); /* its folder is there: its record is read */
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

/* /cancel, while no runner can be started: it was running for ever. */
RUNS_TEST(a_run_that_was_not_ordered_yet_is_called_off)
{
	int sent = 0;
	struct runs_stop_request request = {
		.run = 1, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story;

	runs_aid_write(scene->script, "#!/bin/sh\nexec cat <&3 >/dev/null\n", 0755); /* no hello */
	scene->runs = runs_aid_start(scene, scene->script);
	assert_non_null(scene->runs);
	runs_aid_tell(&story, scene, 1, true, false);
	assert_true(runs_stop_run(scene->runs, &request));
	assert_int_equal(sent + story.ends, 0); /* never inside the call */
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(sent, 1);
	assert_true(story.ended.refused && story.ended.ended_on_request);
	assert_string_equal(story.ended.detail, "cancelled before it began");
	assert_int_equal(scene->ready, 0);
}

static void
settings_of_the_runner(struct scene *scene, const char *line)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "DEPLOY_SCRIPT=%s\n%s\n", scene->script, line);
	runs_aid_write(scene->env_file, text, 0600);
}

RUNS_TEST(an_order_refused_for_a_reason_that_may_pass_can_be_given_again)
{
	struct story story;
	struct err err;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	runs_aid_need(scene);
	runs_aid_script(scene, "exit 7");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.put_off > 0);
	assert_int_equal(story.ends, 0);
	assert_non_null(strstr(story.ended.detail, "RUN_LOG_LIMIT"));
	assert_int_equal(runs_open(scene->runs), 0);
	assert_int_equal(run_files_open(scene->folder, 1, &err), -1);
	settings_of_the_runner(scene, "");
	runs_aid_tell(&story, scene, 1, true, false);
	WAIT_FOR(scene, story.ends > 0);
	assert_int_equal(story.put_off, 0);
	assert_int_equal(story.ended.exit_status, 7);
}

RUNS_TEST(an_order_that_nobody_can_take_is_refused)
{
	struct story story = { .scene = scene };
	const struct runs_watch watch = runs_aid_watch(&story);
	struct effect_run order = runs_aid_order(1);
	struct err err;

	runs_aid_need(scene);
	(void)text_copy(order.environment, sizeof(order.environment), "No Such!");
	assert_true(runs_order(scene->runs, &order, &watch, &err));
	WAIT_FOR(scene, story.ends > 0);
	assert_true(story.ended.refused);
	assert_string_not_equal(story.ended.detail, "");
	assert_int_equal(run_files_open(scene->folder, 1, &err), -1);
}

RUNS_TEST(a_question_is_answered_even_if_with_a_no)
{
	struct effect_git_query ask = {
		.kind = GIT_QUERY_HEADS, .n_branches = 2, .branches = { "main", "develop" }
	};
	struct runs_git_query *cancelled;

	runs_aid_need(scene);
	(void)runs_aid_ask(scene, &ask);
	cancelled = runs_aid_ask(scene, &ask);
	runs_git_query_cancel(scene->runs, cancelled);
	ask = (struct effect_git_query){
		.kind = GIT_QUERY_COMMITS, .ref = "new\nline", .branch = "main"
	};
	(void)runs_aid_ask(scene, &ask);
	WAIT_FOR(scene, scene->answers == 2);
	assert_int_not_equal(scene->answer_status, 0);
	assert_false(scene->answer_unreachable);
	assert_string_not_equal(scene->answer, "");
}
