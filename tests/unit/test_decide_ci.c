/* Goal: nothing is deployed whose workflows have not passed, and under steady pushes something is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/mem.h"
#include "lib/text.h"

#define MINUTE INT64_C(60000)

#define SETTINGS \
	"GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", \
	    "STAGING_REQUIRE_CI=ci.yml, lint.yml"

#define CI_TEST(name)	      WORLD_TEST_OF(name, SETTINGS)
#define CI_TEST_OF(name, ...) WORLD_TEST_OF(name, SETTINGS, __VA_ARGS__)

static struct pipeline_run
run_of(const char *file, const char *commit, enum pipeline_rank rank, const char *conclusion)
{
	struct pipeline_run run = {
		.repository = "Acme/Shop",
		.repository_id = "456789",
		.run = 100,
		.number = 10,
		.attempt = 1,
		.rank = rank,
		.is_own = true,
		.counts = true,
	};

	/* Each file has one of its own on each commit. */
	run.run += strcmp(file, "ci.yml") != 0;
	for (size_t i = 0; strcmp(commit, COMMIT_A) != 0 && commit[i] != '\0'; i++)
		run.run = run.run * 31 % 1000003 + commit[i];
	(void)text_copy(run.file, sizeof(run.file), file);
	(void)text_copy(run.branch, sizeof(run.branch), "develop");
	(void)text_copy(run.commit, sizeof(run.commit), commit);
	(void)text_copy(run.conclusion, sizeof(run.conclusion), conclusion);
	return run;
}

static void
ends(struct world *w, const char *file, const char *commit, const char *conclusion)
{
	struct pipeline_run run = run_of(file, commit, PIPELINE_IS_OVER, conclusion);

	assert_int_equal(world_workflow_says(w, &run), 200);
}

static void
begins(struct world *w, const char *file, const char *commit)
{
	struct pipeline_run run = run_of(file, commit, PIPELINE_RUNS, "");

	assert_int_equal(world_workflow_says(w, &run), 200);
}

static void
push(struct world *w, const char *commit)
{
	struct event *event = world_push(w, "develop");

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, commit);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git(w, (struct world_git){ .commit = commit });
}

CI_TEST(a_push_is_deployed_when_all_of_it_is_green)
{
	push(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_string_equal(world_newest(w, "staging").waits_for, "ci");
	assert_non_null(world_says(w, "CI: ci.yml not seen yet, lint.yml not seen yet"));
	begins(w, "ci.yml", COMMIT_A);
	ends(w, "lint.yml", COMMIT_A, "success");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_non_null(world_says(w, "CI: ci.yml running, lint.yml ✓"));
	ends(w, "ci.yml", COMMIT_A, "success");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 0);
}

CI_TEST(a_push_whose_ci_fails_is_refused_with_its_page)
{
	push(w, COMMIT_A);
	ends(w, "ci.yml", COMMIT_A, "failure");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(
	    world_says(w, "\nci.yml: failure, https://github.com/Acme/Shop/actions/runs/100"));
}

/* A test that fails now and then is begun again at GitHub, and somebody presses. */
CI_TEST_OF(what_ci_refused_is_tried_again_with_one_press, "STAGING_CONFIRM=false")
{
	struct pipeline_run again = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	push(w, COMMIT_A);
	ends(w, "lint.yml", COMMIT_A, "success");
	ends(w, "ci.yml", COMMIT_A, "failure");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	again.attempt = 2;
	assert_int_equal(world_workflow_says(w, &again), 200);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says(w, "CI not passed: "), "Try again"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* It rang, was withdrawn within seconds, and rang again. */
CI_TEST_OF(nobody_is_asked_about_what_is_known_to_have_failed, "STAGING_CONFIRM=true")
{
	struct pipeline_run again = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	ends(w, "lint.yml", COMMIT_A, "success");
	ends(w, "ci.yml", COMMIT_A, "failure");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_null(world_says(w, "❓ Deploy to staging?"));
	assert_non_null(world_says(w, "/deploy staging emergency <why> goes past CI."));
	again.attempt = 2; /* no webhook has said that */
	world_github_runs(w, &again, 1, NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "CI not passed: "), "Try again"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
}

/* The settings ask for CI since it was asked about. */
WORLD_TEST_OF(what_ends_while_it_is_asked_for_again_says_its_end_first,
    "GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
    "STAGING_CONFIRM=true")
{
	ends(w, "lint.yml", COMMIT_A, "success");
	ends(w, "ci.yml", COMMIT_A, "failure");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_CONFIRMATION);
	world_settings(w, SETTINGS, "STAGING_CONFIRM=true", NULL);
	world_settings_read(w);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging " COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_REFUSED);
	assert_non_null(world_says(w, "⛔ CI not passed: staging "));
	assert_null(world_says(w, "asked about already"));
}

/* Only success is green. */
CI_TEST(what_was_skipped_has_not_passed)
{
	static const char *const others[] = { "skipped", "neutral", "stale", "action_required",
		"timed_out", "startup_failure" };

	for (size_t i = 0; i < COUNT(others); i++) {
		char commit[LIMIT_COMMIT];

		(void)snprintf(commit, sizeof(commit), "%040zx", i + 1);
		push(w, commit);
		ends(w, "ci.yml", commit, others[i]);
		assert_int_equal(world_state(w), DEPLOY_REFUSED);
	}
}

/* A webhook that never came is made up for within half a minute. */
CI_TEST(github_is_asked_while_something_waits)
{
	struct pipeline_run runs[] = { run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success"),
		run_of("lint.yml", COMMIT_A, PIPELINE_RUNS, "") };

	push(w, COMMIT_A);
	assert_true(world_peek(w, EFFECT_GITHUB_RUNS)->u.github_runs.not_before <= w->aid.at);
	world_github_runs(w, NULL, 0, "GitHub: HTTP 502");
	assert_non_null(world_says(w, "GitHub: HTTP 502"));
	assert_in_range(world_peek(w, EFFECT_GITHUB_RUNS)->u.github_runs.not_before,
	    w->aid.at + MINUTE / 3, w->aid.at + MINUTE / 2);
	w->aid.at += MINUTE / 2;
	world_github_runs(w, runs, 2, NULL);
	assert_null(world_says(w, "GitHub: HTTP 502"));
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	runs[1].rank = PIPELINE_IS_OVER;
	(void)text_copy(runs[1].conclusion, sizeof(runs[1].conclusion), "success");
	world_github_runs(w, runs, 2, NULL);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

CI_TEST_OF(what_is_not_done_in_time_is_refused, "CI_WAIT_MINUTES=20")
{
	push(w, COMMIT_A);
	begins(w, "ci.yml", COMMIT_A);
	assert_non_null(
	    world_says(w, "CI: ci.yml running, lint.yml not seen yet; refused at 00:20"));
	w->aid.at += 20 * MINUTE;
	world_github_runs(w, NULL, 0, NULL);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(
	    world_says(w, "ci.yml running, lint.yml not seen yet: not done in 20 min; ask again"));
}

/* Whoever tries again is not an older attempt, nor is news of one. */
CI_TEST(the_newest_attempt_counts)
{
	struct pipeline_run again = run_of("ci.yml", COMMIT_A, PIPELINE_RUNS, "");
	struct pipeline_run older = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	ends(w, "lint.yml", COMMIT_A, "success");
	again.attempt = 2;
	assert_int_equal(world_workflow_says(w, &again), 200);
	assert_int_equal(world_workflow_says(w, &older), 200);
	push(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	older.attempt = 2;
	assert_int_equal(world_workflow_says(w, &older), 200);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* A newer push waits, and is looked at. */
static bool
is_waiting(const struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_HOLDS)
			return true;
	return false;
}

/* A push each six minutes, and CI takes twenty: what waits is the head of then, and goes live. */
CI_TEST(of_ten_pushes_in_an_hour_several_are_deployed_and_the_last_one_is)
{
	static const char digits[] = "123456789abcdef";
	char commits[10][LIMIT_COMMIT];
	size_t released = 0;

	for (size_t i = 0; i < COUNT(commits) + 4; i++) {
		if (i < COUNT(commits)) {
			memset(commits[i], digits[i], 40);
			commits[i][40] = '\0';
			push(w, commits[i]);
			begins(w, "ci.yml", commits[i]);
			begins(w, "lint.yml", commits[i]);
		}
		w->aid.at += 6 * MINUTE;
		if (i >= 3 && i - 3 < COUNT(commits)) {
			ends(w, "ci.yml", commits[i - 3], "success");
			ends(w, "lint.yml", commits[i - 3], "success");
		}
		while (world_count(w, EFFECT_RUN) > 0) {
			released++;
			world_run_ends(w, GOOD);
			if (is_waiting(w))
				world_due(w, TIMER_HOLDS);
			if (world_count(w, EFFECT_GIT_QUERY) > 0)
				world_git(
				    w, (struct world_git){ .commit = commits[i < 9 ? i : 9] });
		}
	}
	assert_in_range(released, 2, COUNT(commits));
	assert_string_equal(world_newest(w, "staging").commit, commits[9]);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* With ten pushes in an hour and a CI of twenty minutes. */
CI_TEST(a_newer_push_does_not_take_the_place_of_one_whose_ci_has_begun)
{
	push(w, COMMIT_A);
	begins(w, "ci.yml", COMMIT_A);
	push(w, COMMIT_B);
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_A);
	assert_non_null(world_says(w, "a newer commit waits: bbbbbbb"));
	(void)world_text(w, WORLD_ADMIN, "/freeze production 1m audit");
	w->aid.at += 2 * MINUTE;
	world_due(w, TIMER_HOLDS); /* all that waits is looked at */
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	ends(w, "ci.yml", COMMIT_A, "success");
	ends(w, "lint.yml", COMMIT_A, "success");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(w, GOOD);
	world_due(w, TIMER_HOLDS);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_B);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}

/* Of which nobody has seen a run yet: the newest alone is wanted. */
CI_TEST(a_newer_push_takes_the_place_of_one_whose_ci_has_not_begun)
{
	push(w, COMMIT_A);
	push(w, COMMIT_B);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_B);
}

/* CI that lets a newer push cancel the runs of the one before; what somebody cancelled may be begun
 * again. */
CI_TEST(a_push_whose_ci_was_cancelled_for_a_newer_one_ends_in_silence)
{
	push(w, COMMIT_A);
	ends(w, "ci.yml", COMMIT_A, "cancelled");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	push(w, COMMIT_B);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
}

/* Nobody says yes to what cannot start. */
CI_TEST_OF(what_is_asked_about_ends_when_its_ci_fails, "STAGING_APPROVALS=2")
{
	size_t rings;

	push(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 1);
	begins(w, "ci.yml", COMMIT_A);
	assert_non_null(world_says(w, "CI: ci.yml running, lint.yml not seen yet"));
	rings = world_rings(w);
	ends(w, "ci.yml", COMMIT_A, "failure");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "⛔ CI not passed: staging"));
	assert_true(world_rings(w) > rings);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 0);
}

/* The red workflow is said in the team's chat, and who asked looks elsewhere. */
CI_TEST(who_asked_is_notified_that_its_ci_has_failed)
{
	size_t rings;

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	rings = world_rings_in(w, WORLD_GROUP);
	ends(w, "ci.yml", COMMIT_A, "failure");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_int_equal(world_rings_in(w, WORLD_GROUP), rings + 1);
}

/* No webhook says it: GitHub is asked while people are. */
CI_TEST_OF(what_is_asked_about_is_asked_for_at_github, "STAGING_APPROVALS=1")
{
	struct pipeline_run run = run_of("lint.yml", COMMIT_A, PIPELINE_IS_OVER, "failure");

	push(w, COMMIT_A);
	world_github_runs(w, NULL, 0, NULL);
	assert_true(
	    world_peek(w, EFFECT_GITHUB_RUNS)->u.github_runs.not_before > w->aid.at + 4 * MINUTE);
	world_github_runs(w, &run, 1, NULL);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}

/* A time in which a freeze keeps it anyway is none that CI has taken. */
CI_TEST(its_time_is_that_of_waiting_for_ci_alone)
{
	push(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	w->aid.at += 30 * MINUTE;
	(void)world_text(w, WORLD_ADMIN, "/freeze staging 2h audit");
	w->aid.at += 50 * MINUTE;
	begins(w, "ci.yml", COMMIT_B);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
}

CI_TEST(a_rollback_is_not_asked)
{
	world_released(w, "staging");
	world_released(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll back staging"));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 0);
}

CI_TEST_OF(an_emergency_passes_it, "STAGING_CONFIRM=true")
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging emergency the site is down");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	assert_non_null(world_says(w, "⚠️ CI: ci.yml not seen yet"));
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 0);
}

/* A person's place is kept, and the answer is not used up. */
CI_TEST(what_somebody_asked_for_waits_as_well)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	(void)world_text(w, WORLD_ADMIN, "/queue staging");
	assert_non_null(world_says(w, "waits for CI: ci.yml not seen yet, lint.yml"));
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_non_null(strstr(world_plain(world_last(w)), "next: aaaaaaa, waits for CI"));
	(void)world_text(w, WORLD_ADMIN, "/show 1");
	assert_non_null(strstr(world_plain(world_last(w)), "\nCI: ci.yml not seen yet, "));
	ends(w, "ci.yml", COMMIT_A, "success");
	ends(w, "lint.yml", COMMIT_A, "success");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* Nobody who signs for another repository, or another application, says what CI has said here. */
CI_TEST(another_repositorys_run_says_nothing)
{
	struct pipeline_run run = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	ends(w, "lint.yml", COMMIT_A, "success");
	push(w, COMMIT_A);
	(void)text_copy(run.repository, sizeof(run.repository), "eve/shop");
	assert_int_equal(world_workflow_says(w, &run), 202);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}

/* Its webhook's secret is known to whoever has its file. */
CI_TEST(another_applications_webhook_says_nothing_here)
{
	struct pipeline_run run = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");
	struct event *event;
	struct delivery *delivery;
	char apps[160];

	push(w, COMMIT_A);
	ends(w, "lint.yml", COMMIT_A, "success");
	world_application(w, "shop",
	    "ENVIRONMENTS=staging\n"
	    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\nSTAGING_REQUIRE_CI=ci.yml\n"
	    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123\n");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, SETTINGS, apps, NULL);
	if (w->aid.settings->refused_count > 0)
		fail_msg("%s", w->aid.settings->refused[0].reason);
	event = store_aid_event(&w->aid, EVENT_DELIVERY); /* by these settings */
	delivery = &event->u.delivery;
	delivery->kind = DELIVERY_WORKFLOW_RUN;
	delivery->job = mem_new(1, sizeof(*delivery->job));
	delivery->run = mem_copy(&run, sizeof(run));
	(void)text_copy(delivery->hook, sizeof(delivery->hook), "shop");
	(void)text_copy(delivery->repository, sizeof(delivery->repository), run.repository);
	assert_int_equal(world_decide(w, event).status, 200);
	assert_string_equal(world_newest(w, "staging").waits_for, "ci");
}

/* Whoever may push to any branch has runs of any commit. */
CI_TEST(a_run_of_another_branch_is_not_the_branchs)
{
	struct pipeline_run run = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	push(w, COMMIT_A);
	begins(w, "ci.yml", COMMIT_A);
	ends(w, "lint.yml", COMMIT_A, "success");
	(void)text_copy(run.branch, sizeof(run.branch), "feature");
	run.number++;
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}

/* Who asks for a branch by its name asks for what CI says of that. */
CI_TEST(a_branch_that_somebody_names_has_runs_of_its_own)
{
	struct pipeline_run run = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	(void)world_text(w, WORLD_ADMIN, "/deploy staging feature");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "feature" });
	assert_string_equal(world_peek(w, EFFECT_GITHUB_RUNS)->u.github_runs.branch, "feature");
	(void)text_copy(run.branch, sizeof(run.branch), "feature");
	assert_int_equal(world_workflow_says(w, &run), 200);
	(void)text_copy(run.file, sizeof(run.file), "lint.yml");
	run.run++;
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* It may have been begun again since, and no webhook has said so. */
CI_TEST(what_was_green_long_ago_is_asked_for_again)
{
	ends(w, "ci.yml", COMMIT_A, "success");
	ends(w, "lint.yml", COMMIT_A, "success");
	w->aid.at += 20 * MINUTE;
	push(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_int_equal(world_count(w, EFFECT_GITHUB_RUNS), 1);
}

CI_TEST(a_run_begun_again_in_a_freeze_refuses_nothing)
{
	struct pipeline_run again = run_of("ci.yml", COMMIT_A, PIPELINE_RUNS, "");

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_newest(w, "staging").waits_for, "ci");
	(void)world_text(w, WORLD_ADMIN, "/freeze staging 5h audit");
	ends(w, "ci.yml", COMMIT_A, "success");
	ends(w, "lint.yml", COMMIT_A, "success");
	w->aid.at += 61 * MINUTE;
	again.attempt = 2;
	assert_int_equal(world_workflow_says(w, &again), 200);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}

CI_TEST(a_head_whose_ci_was_cancelled_is_deployed_when_it_passes)
{
	struct pipeline_run again = run_of("ci.yml", COMMIT_A, PIPELINE_IS_OVER, "success");

	push(w, COMMIT_A);
	ends(w, "ci.yml", COMMIT_A, "cancelled");
	assert_non_null(world_says(w, "CI: ci.yml was cancelled; a new run of it counts: https"));
	again.attempt = 2;
	assert_int_equal(world_workflow_says(w, &again), 200);
	ends(w, "lint.yml", COMMIT_A, "success");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* --- GitLab --- */

#define AT_GITLAB \
	"REPOSITORY_PATH=group/sub/shop", \
	    "REPOSITORY_URL=https://gitlab.example.org/group/sub/shop.git", \
	    "GITLAB_URL=https://gitlab.example.org", \
	    "GITLAB_API_TOKEN=glpat-0123456789abcdef0123", "STAGING_REQUIRE_CI=.gitlab-ci.yml"
#define GITLAB_TEST(name)	  WORLD_TEST_OF(name, AT_GITLAB)
#define GITLAB_TEST_OF(name, ...) WORLD_TEST_OF(name, AT_GITLAB, __VA_ARGS__)

static struct pipeline_run
gitlab_run_of(enum pipeline_rank rank, const char *conclusion, int64_t attempt)
{
	struct pipeline_run run = run_of(".gitlab-ci.yml", COMMIT_A, rank, conclusion);

	(void)text_copy(run.repository, sizeof(run.repository), "group/sub/shop");
	(void)text_copy(run.repository_id, sizeof(run.repository_id), "gitlab:22");
	run.attempt = attempt;
	return run;
}

GITLAB_TEST(a_push_is_deployed_when_its_pipeline_is_green)
{
	struct pipeline_run run = gitlab_run_of(PIPELINE_RUNS, "", 379);

	push(w, COMMIT_A);
	assert_non_null(world_says(w, "CI: .gitlab-ci.yml not seen yet"));
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_non_null(world_says(w, "CI: .gitlab-ci.yml running"));
	run = gitlab_run_of(PIPELINE_IS_OVER, "success", 412);
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

GITLAB_TEST(a_pipeline_that_has_failed_refuses_with_its_page)
{
	struct pipeline_run run = gitlab_run_of(PIPELINE_IS_OVER, "failure", 379);

	push(w, COMMIT_A);
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w,
	    "\n.gitlab-ci.yml: failure, https://gitlab.example.org/group/sub/shop/-/pipelines/"));
}

/* No webhook has come: GitLab is asked, whose answer is of the same pipeline. */
GITLAB_TEST(where_no_event_comes_gitlab_is_asked)
{
	struct pipeline_run run = gitlab_run_of(PIPELINE_IS_OVER, "success", 412);

	push(w, COMMIT_A);
	world_github_runs(w, NULL, 0, "GitLab: HTTP 502");
	assert_string_equal(world_newest(w, "staging").note, "GitLab: HTTP 502");
	world_github_runs(w, &run, 1, NULL);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_string_equal(world_newest(w, "staging").note, "");
}

/* A run of GitHub's that is called so is of another repository. */
GITLAB_TEST_OF(what_github_says_is_no_yes_of_gitlab, "GITHUB_REPOSITORY=Acme/Shop")
{
	push(w, COMMIT_A);
	ends(w, "ci.yml", COMMIT_A, "success");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}
