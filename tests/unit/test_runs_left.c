/* Goal: a run elsewhere that no server let go is ordered anew where its runner is gone at a take-over.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "far_world.h"

#define STARTED 13

/* As a server does that leads from now on. */
static void
take_over(struct story *story, struct far *far, int64_t run, const char *runner)
{
	const struct runs_watch watch = runs_aid_watch(story);
	struct effect_run order = order_of(run);

	*story = (struct story){ .scene = far->scene, .goes = true };
	(void)text_copy(order.runner, sizeof(order.runner), runner);
	order.started_at = run == STARTED ? 1 : 0;
	assert_true(runs_resume(far->scene->runs, &order, &watch, NULL));
}

LEADER_TEST(a_run_of_another_server_s_runner_that_no_server_let_go_is_left)
{
	struct story left, begun, away;
	int64_t from = loop_now_ms();

	WAIT_FOR(far->scene, is_ordered(far)); /* until then there is more to be sent */
	cut(far);
	runs_aid_script(far->scene, "touch $PROOF");
	take_over(&left, far, 12, "server-b");
	take_over(&begun, far, STARTED, "server-b");
	take_over(&away, far, 14, "build-1");
	WAIT_FOR(far->scene, left.ends > 0);
	assert_true(loop_now_ms() - from >= RUN_ANEW_MS);
	assert_false(left.ended.refused || left.ended.gate_opened || left.ended.folder_gone);
	assert_true(text_ends(left.ended.detail, "; nothing was started"));
	assert_int_equal(begun.ends, 0); /* it is waited for */
	assert_int_equal(away.ends, 0);	 /* and so is a runner that comes back by itself */
	connect_again(far);
	WAIT_FOR(far->scene, away.ends > 0); /* it is asked, and ordered */
	assert_true(away.ended.gate_opened);
	assert_int_equal(begun.ends, 0);
}

/* Where there is one server, its start is no take-over. */
REMOTE_TEST(a_run_of_the_only_server_is_waited_for)
{
	struct story story;
	int64_t from = loop_now_ms();

	WAIT_FOR(far->scene, is_ordered(far));
	cut(far);
	take_over(&story, far, 12, "build-1");
	WAIT_FOR(far->scene, loop_now_ms() - from > RUN_ANEW_MS + 300);
	assert_int_equal(story.ends, 0);
}
