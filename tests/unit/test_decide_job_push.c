/* Goal: what a job says of its commit deploys that commit alone, and nothing newer gives way to it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"
#include "factor_aid.h"
#include "job_aid.h"
#include "store/row_block.h"

#define SETTINGS \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", \
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/develop", \
	    "WORKFLOW_SHOP_MAY=deploy:staging"

struct scene {
	struct world w;
	struct job job;
};

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	(void)text_copy(s->job.ref, sizeof(s->job.ref), "refs/heads/develop");
	world_open(&s->w, SETTINGS, more, NULL);
}

/* The run of that number reports its commit. */
static void
push(struct scene *s, const char *run, const char *commit)
{
	job_is_of(&s->job, run, commit);
	assert_int_equal(job_asks(&s->w, &s->job, API_PUSH, "/v1/push", "{}").status, 202);
}

/* Git's answer about it, where the branch's head is that. */
static void
found(struct scene *s, const char *commit, const char *head)
{
	assert_string_equal(world_peek(&s->w, EFFECT_GIT_QUERY)->u.git_query.ref, commit);
	world_git(&s->w, (struct world_git){ .commit = commit, .branch_commit = head });
}

TEST(its_own_commit_is_deployed_and_not_what_came_behind_it)
{
	struct scene s;

	open_scene(&s, NULL);
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_B); /* B has not been tested yet */
	assert_string_equal(world_peek(&s.w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_newest(&s.w, "staging").trigger, TRIGGER_JOB);
	assert_non_null(world_says(&s.w, "pushed by mona (GitHub)"));
	world_run_ends(&s.w, GOOD);
	push(&s, "4712", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	assert_string_equal(world_peek(&s.w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_close(&s.w);
}

TEST(where_pushes_are_not_deployed_a_job_reports_none)
{
	struct scene s;

	open_scene(&s, "STAGING_DEPLOY_PUSHES=false");
	job_is_of(&s.job, "4711", COMMIT_A);
	assert_int_equal(job_asks(&s.w, &s.job, API_PUSH, "/v1/push", "{}").status, 403);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 0);
	world_close(&s.w);
}

/* As what a person has asked for is asked about again. */
TEST(what_waits_of_a_workflow_that_may_not_any_more_is_not_deployed)
{
	struct scene s;

	open_scene(&s, NULL);
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	push(&s, "4712", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	assert_int_equal(world_newest(&s.w, "staging").state, DEPLOY_QUEUED);
	world_settings(&s.w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "GITHUB_REPOSITORY=octo/shop",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/develop",
	    "WORKFLOW_SHOP_MAY=deploy:production", NULL);
	world_run_ends(&s.w, GOOD);
	assert_null(world_peek(&s.w, EFFECT_RUN));
	assert_int_equal(world_newest(&s.w, "staging").state, DEPLOY_REFUSED);
	world_close(&s.w);
}

/* Whoever begins an old run again brings nothing back, and takes nobody's place. */
TEST(an_old_run_deploys_nothing)
{
	struct scene s;

	open_scene(&s, "STAGING_APPROVALS=1");
	push(&s, "4711", COMMIT_A);
	world_git(&s.w,
	    (struct world_git){
		.commit = COMMIT_A, .branch_commit = COMMIT_B, .is_off_branch = true });
	assert_int_equal(world_newest(&s.w, "staging").id, 0);
	push(&s, "4713", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	push(&s, "4712", COMMIT_A); /* it began before that one */
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 0);
	push(&s, "4714", COMMIT_A); /* by hand, of another ref */
	found(&s, COMMIT_A, COMMIT_B);
	assert_string_equal(world_newest(&s.w, "staging").commit, COMMIT_B);
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	world_close(&s.w);
}

TEST(what_is_older_than_what_is_live_is_not_deployed)
{
	struct scene s;

	open_scene(&s, NULL);
	world_released(&s.w, "staging");
	push(&s, "4711", COMMIT_D);
	world_git(&s.w,
	    (struct world_git){
		.commit = COMMIT_D, .branch_commit = COMMIT_B, .is_force_push = true });
	assert_int_equal(world_count(&s.w, EFFECT_RUN), 0);
	assert_string_not_equal(world_newest(&s.w, "staging").commit, COMMIT_D);
	world_close(&s.w);
}

/* Both have said what they can deploy: neither is lost, whoever git answers first. */
TEST(two_jobs_of_one_moment_are_both_looked_for)
{
	struct scene s;

	open_scene(&s, NULL);
	push(&s, "4711", COMMIT_A);
	push(&s, "4712", COMMIT_B);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 2);
	world_git(&s.w, (struct world_git){ .commit = COMMIT_A, .lacks_after = true });
	world_due(&s.w, TIMER_PUSH);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 2);
	world_close(&s.w);
}

/* A freeze ends: the tested commit is deployed, and not the head that came meanwhile. */
TEST(a_freeze_keeps_that_commit_and_no_other)
{
	struct scene s;

	open_scene(&s, NULL);
	(void)world_text(&s.w, WORLD_ADMIN, "/freeze staging 2h audit");
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_B);
	assert_int_equal(world_count(&s.w, EFFECT_RUN), 0);
	assert_non_null(world_says(&s.w, "Afterwards it is deployed"));
	(void)world_text(&s.w, WORLD_ADMIN, "/unfreeze staging");
	found(&s, COMMIT_A, COMMIT_B);
	assert_string_equal(world_peek(&s.w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_close(&s.w);
}

/* It had a place already when that began. */
TEST(a_freeze_that_begins_while_it_waits_keeps_that_commit)
{
	struct scene s;

	open_scene(&s, NULL);
	world_deploy_starts(&s.w, COMMIT_C);
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_B);
	(void)world_text(&s.w, WORLD_ADMIN, "/freeze staging 2h audit");
	world_run_ends(&s.w, GOOD);
	(void)world_text(&s.w, WORLD_ADMIN, "/unfreeze staging");
	found(&s, COMMIT_A, COMMIT_B);
	assert_string_equal(world_peek(&s.w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_close(&s.w);
}

/* Whoever begins a run by hand has asked for it: they are not one of those who approve that. */
TEST(who_begins_the_run_by_hand_does_not_approve_its_push)
{
	struct scene s;

	open_scene(&s, "STAGING_APPROVALS=1");
	world_settings(&s.w, SETTINGS, "STAGING_APPROVALS=1", "PERSON_11_GITHUB=mona", NULL);
	(void)text_copy(s.job.event, sizeof(s.job.event), "workflow_dispatch");
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	assert_string_equal(world_newest(&s.w, "staging").requester, "workflow:shop(mona)");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	(void)text_copy(s.job.event, sizeof(s.job.event), "schedule"); /* nobody has begun that */
	push(&s, "4712", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	assert_string_equal(world_newest(&s.w, "staging").requester, "workflow:shop");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 2");
	assert_int_equal(world_state(&s.w), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* The head waits for the end of a freeze; an older run is begun again meanwhile. */
TEST(an_older_run_takes_the_place_of_nothing_in_a_freeze)
{
	struct scene s;

	open_scene(&s, NULL);
	(void)world_text(&s.w, WORLD_ADMIN, "/freeze staging 2h audit");
	push(&s, "4713", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	push(&s, "4712", COMMIT_A);
	assert_null(world_peek(&s.w, EFFECT_GIT_QUERY));
	(void)world_text(&s.w, WORLD_ADMIN, "/unfreeze staging");
	assert_string_equal(world_peek(&s.w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_B);
	world_close(&s.w);
}

static void
check_stopped(const char *head)
{
	struct scene s;

	open_scene(&s, NULL);
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, head);
	(void)world_text(&s.w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(&s.w, (struct run_ended){ .gate_opened = true, .exit_status = 1 });
	s.w.aid.at += 60000;
	s.job.attempt = 2;
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, head);
	assert_int_equal(world_count(&s.w, EFFECT_RUN), 0);
	world_close(&s.w);
}

TEST(what_somebody_has_stopped_is_not_begun_again_by_its_job)
{
	check_stopped(COMMIT_A);
	check_stopped(COMMIT_C);
}

/* Its tests failed, and then passed: the run begun again reports it as if for the first time. */
TEST(what_ci_refused_is_deployed_when_its_job_reports_it)
{
	struct scene s = { .job = JOB_OF_SHOP };
	struct pipeline_run ci = { .repository = "octo/shop",
		.repository_id = "456789",
		.file = "ci.yml",
		.branch = "develop",
		.commit = COMMIT_A,
		.run = 100,
		.number = 10,
		.attempt = 1,
		.rank = PIPELINE_IS_OVER,
		.conclusion = "failure",
		.is_own = true,
		.counts = true };

	(void)text_copy(s.job.ref, sizeof(s.job.ref), "refs/heads/develop");
	world_open(&s.w, SETTINGS, "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
	    "STAGING_REQUIRE_CI=ci.yml", NULL);
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_int_equal(world_workflow_says(&s.w, &ci), 200);
	assert_int_equal(world_newest(&s.w, "staging").state, DEPLOY_REFUSED);
	ci.attempt = 2;
	(void)text_copy(ci.conclusion, sizeof(ci.conclusion), "success");
	assert_int_equal(world_workflow_says(&s.w, &ci), 200);
	assert_int_equal(world_count(&s.w, EFFECT_RUN), 0);
	s.w.aid.at += 60000;
	s.job.attempt = 2;
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_string_equal(world_peek(&s.w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_close(&s.w);
}

TEST(a_run_that_is_required_reads_that_it_counts_when_it_has_ended)
{
	static const char words[] = "deploy.yml is this run: it counts when it has ended";

	for (size_t i = 0; i < 2; i++) {
		struct scene s = { .job = JOB_OF_SHOP };

		(void)text_copy(s.job.ref, sizeof(s.job.ref), "refs/heads/develop");
		world_open(&s.w, SETTINGS, "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
		    i == 0 ? "STAGING_REQUIRE_CI=ci.yml, deploy.yml" : "STAGING_REQUIRE_CI=ci.yml",
		    NULL);
		push(&s, "4711", COMMIT_A);
		assert_int_equal(strstr(s.w.aid.said, words) != NULL, i == 0);
		world_close(&s.w);
	}
}

/* Whoever confirms or approves it gives a code. */
TEST(where_a_code_is_asked_and_nobody_gives_one_no_job_deploys)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	s = (struct scene){ .job = JOB_OF_SHOP };
	(void)text_copy(s.job.ref, sizeof(s.job.ref), "refs/heads/develop");
	world_open(&s.w, SETTINGS, "REQUIRE_OTP=deploy:staging", factor_key_setting, NULL);
	assert_int_equal(job_asks(&s.w, &s.job, API_PUSH, "/v1/push", "{}").status, 403);
	assert_non_null(strstr(s.w.aid.said, "REQUIRE_OTP asks a code for staging"));
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(job_asks(&s.w, &s.job, API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"staging\"]}")
			     .status,
	    403);
	assert_non_null(strstr(s.w.aid.said, "which no workflow has"));
	world_settings(&s.w, SETTINGS, "REQUIRE_OTP=deploy:staging", factor_key_setting,
	    "STAGING_APPROVALS=1", NULL);
	push(&s, "4711", COMMIT_A);
	world_close(&s.w);
}

TEST(what_somebody_has_rejected_is_not_put_up_again_by_its_job)
{
	struct scene s;

	open_scene(&s, "STAGING_APPROVALS=1");
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	approval_press_in(&s.w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	approval_press_in(&s.w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Not tonight");
	assert_int_equal(world_newest(&s.w, "staging").state, DEPLOY_REFUSED);
	s.w.aid.at += 60000;
	s.job.attempt = 2;
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_int_equal(world_newest(&s.w, "staging").state, DEPLOY_REFUSED);
	world_close(&s.w);
}

static void
block(struct tx *tx, UNUSED void *arg)
{
	struct block block = { .commit = COMMIT_C, .by = "@ada" };

	row_block_add(tx, "staging", &block);
}

/* It was pushed while that was still live, and its tests took until it was rolled back. */
static void
check_asked(const char *head)
{
	struct scene s;

	open_scene(&s, NULL);
	store_aid_act(&s.w.aid, block, NULL);
	push(&s, "4711", COMMIT_A);
	world_git(&s.w,
	    (struct world_git){ .commit = COMMIT_A, .branch_commit = head, .contains = COMMIT_C });
	assert_int_equal(world_count(&s.w, EFFECT_RUN), 0);
	assert_non_null(world_says(&s.w, "contains ccccccc"));
	world_close(&s.w);
}

TEST(what_was_rolled_back_before_its_job_said_so_is_asked_about)
{
	check_asked(COMMIT_A);
	check_asked(COMMIT_B);
}

/* Its token's user is whoever has run that job, by hand or again: they have asked, and who pushed
 * is not known.  Logins of GitHub are other people's. */
TEST(a_job_of_gitlab_says_who_ran_it_and_not_who_pushed)
{
	struct scene s;

	open_scene(&s, "STAGING_APPROVALS=1");
	world_settings(&s.w, SETTINGS, "REPOSITORY_PATH=group/shop", "STAGING_APPROVALS=1",
	    "PERSON_11_GITLAB=Mona", NULL);
	job_is_gitlabs(&s.job, "302");
	push(&s, "574", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	assert_string_equal(world_newest(&s.w, "staging").requester, "workflow:shop(gitlab:mona)");
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(world_state(&s.w), DEPLOY_AWAITING_APPROVAL);
	world_settings(&s.w, SETTINGS, "REPOSITORY_PATH=group/shop", "STAGING_APPROVALS=1",
	    "PERSON_11_GITHUB=mona", NULL);
	(void)world_text(&s.w, WORLD_ADMIN, "/approve 1");
	assert_int_equal(world_state(&s.w), DEPLOY_RUNNING);
	world_close(&s.w);
}

/* Whatever stands before it; one that is cut is not somebody else's. */
TEST(a_workflows_long_name_leaves_its_persons_login_whole)
{
	static const char login[] = "gitlab:a_login_of_the_39_bytes_that_we_can_set";
	struct scene s;

	open_scene(&s, NULL);
	world_settings(&s.w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "REPOSITORY_PATH=group/shop",
	    "WORKFLOW_A_NAME_OF_TWENTY_IS=gitlab 22 .gitlab-ci.yml@refs/heads/develop",
	    "WORKFLOW_A_NAME_OF_TWENTY_MAY=deploy:staging", NULL);
	job_is_gitlabs(&s.job, "302");
	(void)text_copy(s.job.workflow, sizeof(s.job.workflow), "a-name-of-twenty");
	assert_int_equal(strlen(login), strlen("gitlab:") + 39);
	(void)text_copy(s.job.actor, sizeof(s.job.actor), login);
	push(&s, "574", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	assert_string_equal(world_newest(&s.w, "staging").requester,
	    "workflow:a-name-of-twen(gitlab:a_login_of_the_39_bytes_that_we_can_set)");
	(void)snprintf(s.job.actor, sizeof(s.job.actor), "%sting", login);
	push(&s, "575", COMMIT_B);
	found(&s, COMMIT_B, COMMIT_B);
	assert_string_equal(world_newest(&s.w, "staging").requester,
	    "workflow:a-name-of-twe(gitlab:a_login_of_the_39_bytes_that_we_can_sett)");
	world_close(&s.w);
}

/* What GitHub and GitLab count has nothing to do with one another: who moves is not too old. */
TEST(runs_of_two_forges_are_neither_older_nor_newer)
{
	struct scene s;

	open_scene(&s, "REPOSITORY_PATH=group/shop");
	push(&s, "4711", COMMIT_A);
	found(&s, COMMIT_A, COMMIT_A);
	world_run_ends(&s.w, GOOD);
	job_is_gitlabs(&s.job, "302");
	push(&s, "574", COMMIT_B);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	found(&s, COMMIT_B, COMMIT_B);
	world_run_ends(&s.w, GOOD);
	push(&s, "573", COMMIT_C);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 0);
	(void)text_copy(s.job.repository_id, sizeof(s.job.repository_id), "456789");
	(void)text_copy(s.job.repository, sizeof(s.job.repository), "octo/shop");
	push(&s, "4712", COMMIT_C);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	push(&s, "4710", COMMIT_D);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	world_close(&s.w);
}

/* The same job says the same once; one that somebody has begun again is another. */
TEST(a_job_of_gitlab_that_is_begun_again_is_looked_for_again)
{
	struct scene s;

	open_scene(&s, "REPOSITORY_PATH=group/shop");
	job_is_gitlabs(&s.job, "302");
	push(&s, "574", COMMIT_A);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	push(&s, "574", COMMIT_A);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 1);
	job_is_gitlabs(&s.job, "303");
	push(&s, "574", COMMIT_A);
	assert_int_equal(world_count(&s.w, EFFECT_GIT_QUERY), 2);
	world_close(&s.w);
}
