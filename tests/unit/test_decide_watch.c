/* Goal: a red workflow on an environment's branch rings once, its green is silent, all else unsaid.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_retention.h"
#include "store/store_inside.h"

#define AT_GITHUB "GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123"

#define WATCH_TEST(name)	 WORLD_TEST_OF(name, AT_GITHUB)
#define WATCH_TEST_OF(name, ...) WORLD_TEST_OF(name, AT_GITHUB, __VA_ARGS__)

static struct pipeline_run
run_of(int64_t number, const char *conclusion)
{
	struct pipeline_run run = { .repository = "Acme/Shop",
		.repository_id = "456789",
		.file = "ci.yml",
		.branch = "develop",
		.commit = COMMIT_A,
		.title = "Fix the cart",
		.actor = "mona",
		.run = 1000 + number,
		.number = number,
		.attempt = 1,
		.rank = conclusion[0] != '\0' ? PIPELINE_IS_OVER : PIPELINE_RUNS,
		.is_own = true,
		.counts = true };

	(void)text_copy(run.conclusion, sizeof(run.conclusion), conclusion);
	return run;
}

static void
says(struct world *w, const struct pipeline_run *run)
{
	assert_int_equal(world_workflow_says(w, run), 200);
}

static void
ends(struct world *w, int64_t number, const char *conclusion)
{
	struct pipeline_run run = run_of(number, conclusion);

	says(w, &run);
}

static int64_t
rows(struct world *w, const char *sql)
{
	int64_t n = -1;

	assert_true(db_one_i64(&n, w->aid.store->db, &w->aid.err, sql));
	return n;
}

WATCH_TEST(a_red_run_rings_and_its_green_is_a_silent_edit)
{
	ends(w, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
	assert_int_equal(world_rings(w), 1);
	assert_non_null(world_says(w, "❌ CI failed: Shop develop, ci.yml\n"));
	assert_non_null(world_says(w, "\"Fix the cart\" by mona"));
	assert_non_null(world_says(w, "https://github.com/Acme/Shop/actions/runs/1001"));
	ends(w, 2, "success");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
	assert_non_null(world_says(w, "✅ CI green again: Shop develop, ci.yml\n"));
	assert_int_equal(world_rings(w), 1);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 0);
}

WATCH_TEST(what_failed_stands_there_when_github_has_said_it)
{
	ends(w, 1, "failure");
	assert_int_equal(world_peek(w, EFFECT_GITHUB_FAILURE)->u.github_failure.run, 1001);
	world_github_failure(w, "test › Unit tests\nsrc/cart.c:12: expected 3, got 4");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
	assert_non_null(world_says(w, "\ntest › Unit tests\n"));
	assert_non_null(world_says(w, "src/cart.c:12: expected 3, got 4"));
}

/* Of another run than the message speaks of nothing is said. */
WATCH_TEST(what_failed_in_a_run_before_is_not_said)
{
	ends(w, 1, "failure");
	ends(w, 2, "failure");
	assert_int_equal(world_count(w, EFFECT_GITHUB_FAILURE), 1);
	world_github_failure(w, "of now");
	ends(w, 3, "failure");
	assert_null(world_says(w, "of now"));
	assert_int_equal(world_count(w, EFFECT_GITHUB_FAILURE), 1);
	assert_int_equal(world_peek(w, EFFECT_GITHUB_FAILURE)->u.github_failure.run, 1003);
	assert_non_null(world_says(w, "(3 runs)"));
	assert_non_null(world_says(w, "actions/runs/1003"));
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
}

/* Who broke it is not who pushed last. */
WATCH_TEST(the_first_that_failed_stays_named)
{
	struct pipeline_run next = run_of(2, "failure");

	ends(w, 1, "failure");
	w->aid.at += 3600000;
	(void)text_copy(next.commit, sizeof(next.commit), COMMIT_B);
	(void)text_copy(next.actor, sizeof(next.actor), "mina");
	says(w, &next);
	assert_non_null(world_says(w, "bbbbbbb \"Fix the cart\" by mina\n"));
	assert_non_null(world_says(w, "\nred since aaaaaaa by mona, 00:00 (2 runs)\n"));
	next.number = 3;
	next.run++;
	(void)text_copy(next.conclusion, sizeof(next.conclusion), "success");
	says(w, &next);
	assert_non_null(world_says(w, "\nwas red since aaaaaaa by mona, 00:00 (2 runs)"));
}

/* Whoever begins an old run again has not broken what is red since. */
WATCH_TEST(a_run_that_is_begun_again_leaves_the_first_that_failed)
{
	struct pipeline_run old = run_of(1, "failure"), first = run_of(3, "failure"), next;

	ends(w, 1, "failure");
	ends(w, 2, "success");
	(void)text_copy(first.commit, sizeof(first.commit), COMMIT_B);
	says(w, &first);
	old.attempt = 2;
	says(w, &old); /* of before the green */
	ends(w, 4, "failure");
	assert_non_null(world_says(w, "\nred since bbbbbbb by mona, 00:00 (2 runs)\n"));
	next = first;
	next.attempt = 2;
	next.rank = PIPELINE_RUNS;
	next.conclusion[0] = '\0';
	says(w, &next);
	ends(w, 5, "failure");
	assert_non_null(world_says(w, "\nred since bbbbbbb by mona, 00:00 (3 runs)\n"));
}

WATCH_TEST(a_run_that_says_nothing_changes_nothing)
{
	static const char *const others[] = { "", "cancelled", "skipped", "neutral", "stale" };

	for (size_t i = 0; i < COUNT(others); i++)
		ends(w, (int64_t)i + 1, others[i]);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
	ends(w, 10, "timed_out");
	for (size_t i = 0; i < COUNT(others); i++)
		ends(w, (int64_t)i + 11, others[i]);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
	assert_non_null(world_says(w, "❌ CI failed: "));
}

/* Two runs of a branch end in any order; a delivery comes twice, or late. */
WATCH_TEST(an_older_run_says_nothing_of_now)
{
	struct pipeline_run again = run_of(1, "");

	ends(w, 2, "success");
	ends(w, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
	ends(w, 3, "failure");
	ends(w, 3, "failure");
	assert_null(world_says(w, "(2 runs)"));
	ends(w, 2, "success");
	assert_non_null(world_says(w, "❌ CI failed: "));
	again = run_of(3, "");
	says(w, &again); /* of before its end */
	again.attempt = 2;
	says(w, &again);
	ends(w, 3, "success"); /* of the attempt before */
	assert_non_null(world_says(w, "❌ CI failed: "));
	again = run_of(3, "success");
	again.attempt = 2;
	says(w, &again);
	assert_non_null(world_says(w, "✅ CI green again: "));
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
}

WATCH_TEST(each_workflow_and_branch_is_red_by_itself)
{
	struct pipeline_run lint = run_of(1, "failure"), main = run_of(1, "failure");

	(void)text_copy(lint.file, sizeof(lint.file), "lint.yml");
	lint.run = 2001;
	(void)text_copy(main.branch, sizeof(main.branch), "main");
	main.run = 3001;
	ends(w, 1, "failure");
	says(w, &lint);
	says(w, &main);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 3);
	ends(w, 2, "success");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 2);
}

WATCH_TEST(no_other_branch_is_watched)
{
	struct pipeline_run other = run_of(1, "failure");

	(void)text_copy(other.branch, sizeof(other.branch), "feature");
	says(w, &other);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run"), 0);
}

WATCH_TEST_OF(those_that_are_named_are_watched, "WATCH_PIPELINES=lint.yml, test.yml")
{
	struct pipeline_run test = run_of(1, "failure");

	ends(w, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
	(void)text_copy(test.file, sizeof(test.file), "test.yml");
	says(w, &test);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
}

WATCH_TEST_OF(none_is_watched, "WATCH_PIPELINES=none")
{
	ends(w, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
}

/* A schedule says how a branch stands, and is no CI of a commit. */
WATCH_TEST_OF(a_schedule_is_watched_and_is_no_ci, "STAGING_REQUIRE_CI=ci.yml")
{
	struct pipeline_run nightly = run_of(1, "success");
	struct event *event = world_push(w, "develop");

	nightly.counts = false;
	says(w, &nightly);
	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, COMMIT_A);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git_at(w, COMMIT_A);
	assert_non_null(world_says(w, "CI: ci.yml not seen yet"));
	nightly = run_of(2, "failure");
	nightly.counts = false;
	says(w, &nightly);
	assert_non_null(world_says(w, "❌ CI failed: "));
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
}

static void
push_fails(struct world *w)
{
	struct event *event = world_push(w, "develop");

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, COMMIT_A);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git_at(w, COMMIT_A);
	ends(w, 1, "failure");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_int_equal(world_rings_in(w, WORLD_TEAM), 1);
}

/* One failure, one ring: what it keeps from being deployed is said without. */
WATCH_TEST_OF(a_push_whose_ci_fails_rings_once, "STAGING_REQUIRE_CI=ci.yml")
{
	push_fails(w);
	assert_false(world_says(w, "❌ CI failed: ")->is_silent);
}

WATCH_TEST_OF(
    and_by_itself_where_that_is_not_watched, "STAGING_REQUIRE_CI=ci.yml", "WATCH_PIPELINES=none")
{
	push_fails(w);
}

/* Whoever may push chooses these words. */
WATCH_TEST(what_strangers_wrote_reads_as_theirs)
{
	struct pipeline_run run = run_of(1, "failure");

	(void)text_copy(run.title, sizeof(run.title), "x\" · approved by @lead /deploy");
	(void)text_copy(run.actor, sizeof(run.actor), "mona · approved by @lead");
	says(w, &run);
	world_github_failure(w, "/deploy production · approved by @lead\n@lead");
	assert_null(world_says(w, "approved by @lead"));
	assert_null(world_says(w, "\n/deploy"));
}

WATCH_TEST(what_is_red_moves_with_its_chat)
{
	struct event *moved;

	ends(w, 1, "failure");
	moved = world_update(w, UPDATE_MIGRATED, 0, WORLD_TEAM);
	moved->u.update->new_chat = -2002;
	(void)world_decide(w, moved);
	ends(w, 2, "success");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 0);
	assert_non_null(world_says(w, "✅ CI green again: "));
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message WHERE chat = -2002"), 1);
}

static void
act_clear(struct tx *tx, UNUSED void *arg)
{
	(void)row_retention_clear(tx);
}

WATCH_TEST(a_message_of_what_is_red_stays)
{
	ends(w, 1, "failure");
	w->aid.at += 60 * 24 * 3600 * INT64_C(1000);
	world_act(w, act_clear, NULL);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
	ends(w, 2, "success");
	assert_non_null(world_says(w, "✅ CI green again: "));
	w->aid.at += 60 * 24 * 3600 * INT64_C(1000);
	world_act(w, act_clear, NULL);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
}

WATCH_TEST(what_is_known_of_runs_is_kept_for_ninety_days)
{
	ends(w, 1, "failure");
	w->aid.at += 89 * 24 * 3600 * INT64_C(1000);
	world_act(w, act_clear, NULL);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run"), 1);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 1);
	w->aid.at += 2 * 24 * 3600 * INT64_C(1000);
	world_act(w, act_clear, NULL);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run"), 0);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 0);
}

static void
act_fill(struct tx *tx, void *arg)
{
	const char *const *of = arg;

	(void)tx_run(tx,
	    "INSERT INTO pipeline_red (id, chat, application, repository_id, file, branch, run,"
	    " attempt, message, since, failures, details)"
	    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)"
	    " SELECT i + (SELECT COALESCE(MAX(id), 0) FROM pipeline_red), -1, $1, '9', $1 || i,"
	    " 'main', i, 1, 1, i, 1, '' FROM n",
	    DB_TEXT(of[0]), DB_I64(strtoll(of[1], NULL, 10)));
	store_aid_count_rows_of(tx);
}

WATCH_TEST_OF(fifty_of_an_application_that_are_red_are_watched_the_newest, "WATCH_PIPELINES=*")
{
	struct pipeline_run run = run_of(1, "failure");

	world_act(w, act_fill, (void *)(const char *const[]){ "other", "3" });
	for (int64_t i = 1; i <= 51; i++) {
		(void)snprintf(run.file, sizeof(run.file), "ci%d.yml", (int)i);
		run.run = run.number = i;
		says(w, &run);
		w->aid.at += 1000;
	}
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 53);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red WHERE file = 'ci1.yml'"), 0);
}

/* Who has few loses none by who has many. */
WATCH_TEST_OF(above_two_hundred_whoever_has_most_loses_the_oldest, "WATCH_PIPELINES=*")
{
	world_act(w, act_fill, (void *)(const char *const[]){ "few", "1" });
	world_act(w, act_fill, (void *)(const char *const[]){ "many", "199" });
	ends(w, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 200);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red WHERE file = 'many1'"), 0);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red WHERE file = 'few1'"), 1);
}

/* The workflow of that number is over, on one commit of all. */
static void
many_end(struct world *w, int file, int64_t number, const char *conclusion)
{
	struct pipeline_run run = run_of(number, conclusion);

	(void)snprintf(run.file, sizeof(run.file), "ci%d.yml", file);
	run.run = 10000 * number + file;
	says(w, &run);
}

/* Whoever may push has as many files as they like. */
WATCH_TEST_OF(
    of_one_commit_three_workflows_ring_and_the_last_counts_the_others, "WATCH_PIPELINES=*")
{
	for (int i = 1; i <= 40; i++)
		many_end(w, i, 1, "failure");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 3);
	assert_int_equal(world_rings(w), 3);
	assert_int_equal(world_count(w, EFFECT_GITHUB_FAILURE), 3);
	assert_non_null(world_says(w, "\nand 37 more workflows failed on that commit\n"));
	many_end(w, 40, 2, "success"); /* one that has no message */
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 3);
	assert_non_null(world_says(w, "\nand 36 more workflows failed"));
	many_end(w, 3, 2, "success"); /* the one that counts them */
	assert_non_null(world_says(w, "✅ CI green again: Shop develop, ci3.yml\n"));
	assert_non_null(world_says(w, "\nand 36 more workflows failed"));
	many_end(w, 1, 2, "success");
	many_end(w, 2, 2, "success");
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 4); /* the next one's */
	assert_non_null(world_says(w, "❌ CI failed: Shop develop, ci4.yml\n"));
	assert_non_null(world_says(w, "\nand 35 more workflows failed"));
}

/* Its row is kept, as another environment may ask for that file on whatever branch. */
WATCH_TEST_OF(the_one_that_counts_may_be_of_another_branch_by_now, "WATCH_PIPELINES=*",
    "STAGING_REQUIRE_CI=ci2.yml")
{
	struct pipeline_run again = run_of(1, "");

	many_end(w, 1, 1, "failure");
	many_end(w, 2, 1, "failure");
	(void)text_copy(again.file, sizeof(again.file), "ci2.yml");
	(void)text_copy(again.branch, sizeof(again.branch), "feature");
	again.run = 10002;
	again.attempt = 2;
	says(w, &again);
	many_end(w, 1, 2, "success");
	assert_non_null(world_says(w, "✅ CI green again: Shop develop, ci1.yml\n"));
	assert_non_null(world_says(w, "❌ CI failed: Shop develop, ci2.yml\n"));
}

WATCH_TEST(the_latest_runs_are_listed)
{
	world_text(w, WORLD_ADMIN, "/pipelines");
	assert_non_null(world_says(w, "Nothing was said of any yet"));
	for (int64_t i = 1; i <= 12; i++) {
		ends(w, i, i % 2 == 0 ? "success" : "failure");
		w->aid.at += 1000;
	}
	world_text(w, WORLD_ADMIN, "/pipelines");
	assert_non_null(world_says(w, "✅ ci.yml develop, "));
	assert_non_null(world_says(w, "actions/runs/1011"));
	assert_null(world_says(w, "actions/runs/1001\n"));
}

/* Of one alone it is known: nobody reads that first. */
WATCH_TEST(of_several_repositories_each_is_named)
{
	struct pipeline_run shop = run_of(1, "failure"), blog = run_of(2, "success");

	ends(w, 1, "failure");
	world_text(w, WORLD_ADMIN, "/pipelines");
	assert_non_null(world_says(w, "❌ ci.yml develop, "));
	world_application(w, "shop", "WATCH_PIPELINES=*\n");
	world_application(w, "blog", "WATCH_PIPELINES=*\n");
	(void)text_copy(blog.repository, sizeof(blog.repository), "acme/blog");
	(void)text_copy(blog.repository_id, sizeof(blog.repository_id), "77");
	says(w, &shop);
	says(w, &blog);
	world_text(w, WORLD_ADMIN, "/pipelines");
	assert_non_null(world_says(w, "❌ Shop ci.yml develop, "));
	assert_non_null(world_says(w, "✅ blog ci.yml develop, "));
	world_text(w, WORLD_ADMIN, "/pipelines shop");
	assert_non_null(world_says(w, "❌ ci.yml develop, "));
}

/* --- GitLab --- */

#define AT_GITLAB		  "REPOSITORY_PATH=group/sub/Shop", "GITLAB_URL=https://gitlab.example.org"
#define GITLAB_TEST(name)	  WORLD_TEST_OF(name, AT_GITLAB)
#define GITLAB_TEST_OF(name, ...) WORLD_TEST_OF(name, AT_GITLAB, __VA_ARGS__)

#define TEN  "0123456789"
#define PART "/" TEN TEN TEN TEN TEN TEN TEN
#define LONG "group" PART PART PART "/shop"

static struct pipeline_run
gitlab_run_of(int64_t number, const char *conclusion)
{
	struct pipeline_run run = run_of(number, conclusion);

	(void)text_copy(run.repository, sizeof(run.repository), "group/sub/shop");
	(void)text_copy(run.repository_id, sizeof(run.repository_id), "gitlab:22");
	(void)text_copy(run.file, sizeof(run.file), ".gitlab-ci.yml");
	(void)text_copy(run.failed, sizeof(run.failed), "test › unit: script_failure\ntest › e2e");
	return run;
}

GITLAB_TEST_OF(a_pipeline_of_gitlab_has_its_jobs_and_its_page, "GITHUB_REPOSITORY=acme/shop",
    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123")
{
	struct pipeline_run run = gitlab_run_of(1, "failure");

	says(w, &run);
	assert_int_equal(world_rings(w), 1);
	assert_non_null(world_says(w, "❌ CI failed: shop develop, .gitlab-ci.yml\n"));
	assert_non_null(world_says(w, "\ntest › unit: script_failure\n"));
	assert_non_null(world_says(w, "\ntest › e2e\n"));
	assert_non_null(
	    world_says(w, "https://gitlab.example.org/group/sub/shop/-/pipelines/1001"));
	assert_int_equal(world_count(w, EFFECT_GITHUB_FAILURE), 0);
	world_text(w, WORLD_ADMIN, "/pipelines");
	assert_non_null(world_says(w, "❌ .gitlab-ci.yml develop, "));
	run = gitlab_run_of(2, "success");
	says(w, &run);
	assert_non_null(world_says(w, "✅ CI green again: shop develop, .gitlab-ci.yml\n"));
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 0);
}

/* A job that is begun again keeps its pipeline: the state of before comes late. */
GITLAB_TEST(a_late_word_of_a_pipeline_changes_nothing)
{
	struct pipeline_run late = gitlab_run_of(1, "failure"), run = gitlab_run_of(1, "success");

	late.attempt = 379;
	run.attempt = 412;
	says(w, &late);
	says(w, &run);
	says(w, &late);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 0);
	assert_non_null(world_says(w, "✅ CI green again: "));
}

/* Also where the webhook is that of one application alone, and its pushes need no name. */
WORLD_TEST_OF(of_another_project_nothing_is_said, "REPOSITORY_URL=/srv/git/shop.git")
{
	struct pipeline_run run = gitlab_run_of(1, "failure");

	assert_int_equal(world_workflow_says(w, &run), 202);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run"), 0);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
}

GITLAB_TEST_OF(a_pipeline_of_gitlab_may_be_left_alone, "WATCH_PIPELINES=ci.yml")
{
	struct pipeline_run run = gitlab_run_of(1, "failure");

	says(w, &run);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 0);
}

GITLAB_TEST_OF(a_pipeline_of_gitlab_may_be_named, "WATCH_PIPELINES=.gitlab-ci.yml")
{
	struct pipeline_run run = gitlab_run_of(1, "failure");

	says(w, &run);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM message"), 1);
}

/* What counts at one forge takes no other's place, and is no yes for it. */
GITLAB_TEST_OF(a_pipeline_of_gitlab_is_no_workflow_of_github, "GITHUB_REPOSITORY=Acme/Shop",
    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", "STAGING_REQUIRE_CI=ci.yml")
{
	struct pipeline_run run = gitlab_run_of(1, "success");

	ends(w, 1, "failure");
	says(w, &run);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run WHERE counts = 1"), 2);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_red"), 1);
}

WORLD_TEST_OF(what_does_not_count_takes_no_workflows_place, "REPOSITORY_PATH=group/sub/shop",
    "GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
    "STAGING_REQUIRE_CI=ci.yml")
{
	struct pipeline_run run = gitlab_run_of(1, "success");

	ends(w, 1, "failure");
	(void)text_copy(run.file, sizeof(run.file), "ci.yml");
	run.counts = false;
	says(w, &run);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run WHERE counts = 1"), 1);
	assert_int_equal(rows(w, "SELECT COUNT(*) FROM pipeline_run"), 2);
}

/* An address that is cut would be another project's. */
WORLD_TEST_OF(a_page_that_has_no_room_is_not_linked, "REPOSITORY_PATH=" LONG)
{
	struct pipeline_run run = gitlab_run_of(1, "failure");

	(void)text_copy(run.repository, sizeof(run.repository), LONG);
	says(w, &run);
	assert_non_null(world_says(w, "❌ CI failed: shop develop, .gitlab-ci.yml\n"));
	assert_null(world_says(w, "https://"));
}
