/* Goal: a run of a remote runner is reported as one of this machine's, by its own runner alone.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The real deploybot-remote-runner, in a folder that the server does not know; what is said to
 * deploybot-link is passed on by this program, as two links would.
 */
#include "far_world.h"

REMOTE_TEST(a_run_elsewhere_tells_its_steps_and_its_end)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene,
	    "echo '==> build'; echo '==> release'; echo '|app| out of memory'; echo all done; exit 3");
	tell(&story, far, &order, true);
	assert_int_equal(runs_open(far->scene->runs), 0); /* nobody waits for it at the end */
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_int_equal(story.n_steps, 2);
	assert_string_equal(story.steps[1].name, "release");
	assert_true(story.ended.gate_opened && story.ended.released);
	assert_int_equal(story.ended.exit_status, 3);
	assert_string_equal(story.ended.detail, "all done");
	assert_string_equal(story.ended.application_log, "out of memory");
	assert_non_null(strstr(story.ended.tail, "all done"));
}

REMOTE_TEST(a_run_is_stopped_at_its_gate)
{
	const struct effect_run order = order_of(12);
	int sent = 0;
	struct runs_stop_request request = {
		.run = 12, .on_sent = runs_aid_on_stop_request, .ctx = &sent
	};
	struct story story;

	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
	assert_true(runs_stop_run(far->scene->runs, &request));
	WAIT_FOR(far->scene, story.ends > 0 && sent > 0);
	assert_true(story.ended.ended_on_request && !story.ended.gate_opened);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
}

REMOTE_TEST(a_run_goes_on_while_its_host_is_disconnected)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene,
	    "echo '==> build'; until [ -e $PROOF ]; do sleep 0.02; done; echo '==> release'; echo done");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.n_steps == 1);
	cut(far);
	runs_aid_write(far->scene->proof, "", 0644);
	connect_again(far);
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.hellos, 1);
	assert_true(story.ended.released && story.ended.exit_status == 0);
	assert_string_equal(story.ended.detail, "done");
}

REMOTE_TEST(a_supervisor_that_was_killed_elsewhere_is_a_lost_run)
{
	const struct effect_run order = order_of(12);
	struct story story;

	runs_aid_script(far->scene, "echo '==> build'; exec sleep 300");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.n_steps == 1);
	runs_aid_kill(runs_aid_parent((pid_t)story.hello.pid));
	WAIT_FOR(far->scene, story.ends > 0);
	assert_true(story.ended.lost && story.ended.gate_opened);
}

REMOTE_TEST(an_order_to_a_runner_that_is_disconnected_is_refused_and_never_sent_later)
{
	struct effect_run order = order_of(12);
	struct story story;

	WAIT_FOR(far->scene, is_ordered(far)); /* until then there is more to be sent */
	cut(far);
	order.ordered_at -= RUN_ORDER_WAIT_MS - 200;
	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	assert_true(story.ended.refused);
	assert_true(
	    text_starts(story.ended.detail, "the runner build-1 has been disconnected for "));
	assert_true(text_ends(story.ended.detail, "; nothing was started"));
	connect_again(far);
	order = order_of(13);
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_int_equal(access(far->scene->proof, F_OK), -1);
}

REMOTE_TEST(a_run_that_has_a_folder_there_is_followed_and_not_ordered_again)
{
	const struct effect_run order = order_of(12), other = order_of(13);
	struct story story, again;

	runs_aid_script(far->scene, "echo x >>$PROOF; echo '==> release'");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	tell(&story, far, &other, true); /* behind it nothing is said unasked of the first */
	WAIT_FOR(far->scene, story.ends > 0);
	tell(&again, far, &order, true);
	WAIT_FOR(far->scene, again.ends > 0);
	assert_true(again.ended.released && again.hellos == 0);
}

/* An agent's may be newer. */
REMOTE_TEST(a_remote_runner_is_of_the_version_that_we_are_of)
{
	WAIT_FOR(far->scene, is_connected(far) && is_ordered(far));
	cut(far);
	say(far, HERE);
	WAIT_FOR(far->scene, !is_gone(far));
	on_tick(&far->tick, far); /* it is greeted */
	say(far, BUILD " 1\nhello\nversion 99\n");
	WAIT_FOR(far->scene, is_gone(far));
}

/* --- what is asked there, and removed --- */

static void
on_purged(void *ctx, const char *failure)
{
	(void)text_copy(ctx, LIMIT_LINE, failure == NULL ? "gone" : failure);
}

static void
on_no_answer(UNUSED void *ctx, UNUSED const struct runs_answer *answer)
{
	fail_msg("it was asked nothing");
}

REMOTE_TEST(a_question_about_its_environment_is_answered_there_and_by_nobody_else)
{
	const struct effect_git_query ask = { .kind = GIT_QUERY_SETTINGS,
		.environment = "staging" };
	const struct effect_git_query heads = { .kind = GIT_QUERY_HEADS,
		.environment = "staging",
		.n_branches = 1,
		.branches = { "main" } };
	const struct effect_git_query elsewhere = { .kind = GIT_QUERY_SETTINGS };
	struct err err;

	WAIT_FOR(far->scene, is_connected(far) && is_ordered(far));
	(void)runs_aid_ask(far->scene, &ask);
	WAIT_FOR(far->scene, far->scene->answers == 1);
	assert_false(far->scene->answer_unreachable || far->scene->answer_status != 0);
	(void)kill(far->runner, SIGSTOP);
	(void)runs_aid_ask(far->scene, &ask);
	(void)runs_aid_ask(far->scene, &heads);
	(void)runs_aid_ask(far->scene, &elsewhere);
	WAIT_FOR(far->scene, far->scene->answers == 3); /* by the runner of this machine */
	cut(far);
	WAIT_FOR(far->scene, far->scene->answers == 4);
	assert_true(far->scene->answer_unreachable);
	assert_true(
	    text_starts(far->scene->answer, "the runner build-1 has been disconnected for "));
	assert_null(runs_git_query_start(far->scene->runs,
	    &(struct runs_git_query_config){ .order = &ask, .on_answer = on_no_answer }, &err));
	assert_true(text_starts(err.text, "the runner build-1 has been disconnected for "));
	(void)kill(far->runner, SIGCONT);
}

REMOTE_TEST(the_folder_of_a_run_is_removed_there_or_stays_and_holds_no_other_up)
{
	const struct effect_run order = order_of(12);
	const struct effect_purge_run there = { .run = 12, .runner = "build-1" };
	char path[160], said[LIMIT_LINE] = "";
	struct story story;
	struct err err;

	runs_aid_script(far->scene, "echo '==> release'");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, story.ends > 0);
	(void)snprintf(path, sizeof(path), "%s/runs/12", far->folder);
	(void)kill(far->runner, SIGSTOP);
	assert_true(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	on_tick(&far->tick, far); /* it is on its way */
	cut(far);
	assert_string_equal(said, "its runner is disconnected");
	assert_false(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	(void)kill(far->runner, SIGCONT);
	connect_again(far);
	WAIT_FOR(far->scene, is_connected(far));
	assert_true(runs_purge(far->scene->runs, &there, on_purged, said, &err));
	WAIT_FOR(far->scene, strcmp(said, "gone") == 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- what is live elsewhere --- */

static char *
read_there(const struct far *far, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/environments/%s", far->folder, name);
	return file_read(path, PROTOCOL_STATE_MAX, NULL, NULL);
}

static bool
is_there(const struct far *far, const char *name, const char *body)
{
	CLEANUP(freep) char *found = read_there(far, name);

	return body == NULL ? found == NULL : found != NULL && strcmp(found, body) == 0;
}

UNKNOWN_TEST(before_all_that_is_live_is_known_there_no_order_is_sent)
{
	const struct effect_run order = order_of(12);
	char why[LIMIT_LINE];
	struct story story;

	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	WAIT_FOR(far->scene, far->channels[1] >= 0);
	say_state(far, "staging", 4, "first\n");
	say_state(far, "shop/production", 5, "second\n");
	WAIT_FOR(far->scene, is_there(far, "shop.production.json", "second\n"));
	agent_link_why(agents_find(far->agents, "build-1"), why);
	assert_string_equal(why, "the runner build-1 does not know yet what is live elsewhere");
	assert_true(is_there(far, "staging.json", "first\n"));
	assert_int_equal(story.hellos, 0);
	say_state(far, "", 5, "");
	WAIT_FOR(far->scene, story.ends > 0);
	assert_int_equal(story.ended.exit_status, 0);
	assert_int_equal(access(far->scene->proof, F_OK), 0);
}

REMOTE_TEST(a_change_is_there_at_once_and_behind_a_restart_of_the_link)
{
	say_state(far, "staging", 4, "first\n");
	say_state(far, "production", 4, "first\n");
	WAIT_FOR(far->scene, is_there(far, "production.json", "first\n"));
	say_state(far, "staging", 5, "second\n");
	WAIT_FOR(far->scene, is_there(far, "staging.json", "second\n"));
	say_state(far, "production", 6, "");
	WAIT_FOR(far->scene, is_there(far, "production.json", NULL));
	cut(far);
	say_state(far, "staging", 7, "third\n");
	assert_true(is_there(far, "staging.json", "second\n"));
	connect_again(far);
	WAIT_FOR(far->scene, is_ordered(far));
	assert_true(is_there(far, "staging.json", "third\n"));
	assert_true(is_there(far, "production.json", NULL));
	assert_true(is_there(far, "number", "7"));
}

/* Of its own environment the newest is said before each. */
REMOTE_TEST(an_order_comes_behind_what_is_live_in_its_environment)
{
	const struct effect_run order = order_of(12);
	char path[160];
	struct story story;

	say_state(far, "staging", 4, "first\n");
	WAIT_FOR(far->scene, is_there(far, "staging.json", "first\n") && is_ordered(far));
	(void)snprintf(path, sizeof(path), "%s/environments/staging.json", far->folder);
	assert_int_equal(unlink(path), 0);
	runs_aid_script(far->scene, "true");
	tell(&story, far, &order, false);
	WAIT_FOR(far->scene, story.hellos > 0);
	assert_true(is_there(far, "staging.json", "first\n"));
}

UNKNOWN_TEST(so_many_that_link_could_not_keep_them_are_sent_a_few_at_a_time)
{
	static char body[PROTOCOL_STATE_MAX];
	char name[32];

	memset(body, 'a', sizeof(body) - 1);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d", i);
		say_state(far, name, 4, body);
	}
	say_state(far, "", 4, "");
	WAIT_FOR(far->scene, is_there(far, "many-39.json", body) && is_ordered(far));
	memset(body, 'b', sizeof(body) - 1);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d", i);
		say_state(far, name, 5, body);
	}
	WAIT_FOR(far->scene, is_there(far, "many-39.json", body) && is_ordered(far));
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "many-%d.json", i);
		assert_true(is_there(far, name, body));
	}
	assert_in_range(far->states_most, 2, 9); /* the list of all is one more */
}

REMOTE_TEST(where_it_has_a_newer_state_a_run_is_put_off_until_that_is_gone)
{
	const struct effect_run order = order_of(12);
	char path[160];
	struct story story;

	WAIT_FOR(far->scene, is_there(far, "number", "1") && is_ordered(far));
	(void)snprintf(path, sizeof(path), "%s/environments/number", far->folder);
	runs_aid_write(path, "9", 0640);
	runs_aid_script(far->scene, "touch $PROOF");
	tell(&story, far, &order, true);
	say_state(far, "staging", 4, "old\n");
	WAIT_FOR(far->scene, story.put_off > 0);
	assert_non_null(strstr(story.ended.detail, "older than what is here, of 9"));
	assert_int_equal(access(far->scene->proof, F_OK), -1);
	assert_true(is_there(far, "staging.json", NULL));
	assert_int_equal(unlink(path), 0);
	for (int tries = 0; story.put_off > 0; tries++) { /* as the effect is tried again */
		assert_true(tries < 4);
		tell(&story, far, &order, true);
		WAIT_FOR(far->scene, story.ends + story.put_off > 0);
	}
	assert_int_equal(story.ended.exit_status, 0);
	assert_true(is_there(far, "staging.json", "old\n"));
}
