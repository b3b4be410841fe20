/* Goal: runs of branches that nobody follows fill no chat, and each is answered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include "rule_aid.h"

/* The run of a branch, and what git says of it. */
static void
ask_of(struct scene *s, const char *branch, int n, bool is_off_branch)
{
	char run[JOB_NUMBER];
	struct event *event;

	(void)snprintf(run, sizeof(run), "%d", 5000 + n);
	event = asking(s, run, 6000 + n);
	(void)text_copy(event->u.delivery.job->branch, LIMIT_REF, branch);
	take(s, event);
	assert_int_equal(is(s), DEPLOY_REQUESTED);
	world_git(&s->w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = is_off_branch });
}

static int64_t
shown(struct scene *s)
{
	return rows(s, "SELECT COUNT(*) FROM message");
}

/* As where each push of each branch begins a workflow that has a job of that environment. */
TEST(of_runs_of_branches_that_nobody_follows_four_have_a_message_and_the_last_says_where_others_are)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	for (int i = 0; i < 9; i++) {
		ask_of(&s, "fix/cart", i, true);
		assert_int_equal(is(&s), DEPLOY_REFUSED);
		assert_int_equal(shown(&s), i < 4 ? i + 1 : 4);
		assert_true((world_says(&s.w, "have no message: /history has the last") != NULL) ==
		    (i > 2));
		assert_false(answer(&s)->is_approved); /* GitHub reads each */
		answered(&s, i == 8 ? NO("busy") : DONE);
	}
	assert_int_equal(shown(&s), 4); /* nor that GitHub does not take the answer */
	world_answers(&s.w, WORLD_ADMIN, "/show 9", "is not on the branch of this environment");
	world_answers(&s.w, WORLD_ADMIN, "/history production", "⛔ #9 gate aaaaaaa");
	assert_int_equal(world_audited(&s.w, "not on the branch", "production"), 9);
	s.w.aid.at += 600 * SECOND;
	ask_of(&s, "fix/cart", 10, true);
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work WHERE message <> 0"), 5);
	world_close(&s.w);
}

/* Nobody reads that git is asked, though it takes its time; what git finds there is asked about. */
TEST(a_run_of_another_branch_is_shown_when_git_has_found_its_commit)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	event = asking(&s, "4711", 5);
	(void)text_copy(event->u.delivery.job->branch, LIMIT_REF, "v1.4.2");
	take(&s, event);
	assert_int_equal(shown(&s), 0);
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	approve(&s, WORLD_ADMIN);
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	for (int i = 0; i < 6; i++) /* that it is refused is news of the branch that is followed */
		ask_of(&s, "main", i, true);
	assert_int_equal(rows(&s, "SELECT COUNT(*) FROM work WHERE message <> 0"), 7);
	world_close(&s.w);
}
