/* Goal: a question says what its files came to before, and what there is to go back to.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "settings/checks/settings_stages.h"

#define HOUR_MS	 INT64_C(3600000)
#define TREE_1	 "1111111122222222333333334444444455555555"
#define DIGITS_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGITS_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define TREE_2	 "6666666677777777888888889999999900000000"

/* Staging is asked for that commit with that tree. */
static void
ask_staging(struct world *w, const char *commit, const char *tree)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	world_git(w, (struct world_git){ .commit = commit, .tree = tree });
}

/* ... and it is live, or was not healthy: then A runs again. */
static void
stage(struct world *w, const char *commit, const char *tree, const char *failure)
{
	ask_staging(w, commit, tree);
	world_run_is_probed(w, failure);
	if (failure == NULL)
		return;
	world_run_is_probed(w, NULL);
}

/* What the question about production says. */
static const char *
question(struct world *w, const char *commit, const char *tree, int count)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .tree = tree, .count = count });
	return world_plain(world_says(w, "Deploy to production?"));
}

static bool
says(struct world *w, const char *commit, const char *tree, const char *part)
{
	return strstr(question(w, commit, tree, 1), part) != NULL;
}

WORLD_TEST_OF(the_same_files_ran_on_staging_under_another_commit, STAGING_URL)
{
	stage(w, COMMIT_A, TREE_1, NULL);
	w->aid.at += 3 * HOUR_MS;
	assert_true(says(w, COMMIT_C, TREE_1, "\n🧪 ran on staging for 3 h, healthy\n"));
}

/* Goal: what nobody can have seen is no reassurance. */
WORLD_TEST_OF(what_ran_for_less_than_a_minute_is_a_warning, STAGING_URL)
{
	stage(w, COMMIT_A, TREE_1, NULL);
	w->aid.at += 30 * 1000;
	assert_true(says(w, COMMIT_C, TREE_1, "\n⚠️ ran on staging for only 30 s, healthy\n"));
}

/* How long is until something else went live there. */
WORLD_TEST_OF(what_was_replaced_or_rolled_back_is_said_so, STAGING_URL)
{
	stage(w, COMMIT_A, TREE_1, NULL);
	w->aid.at += 2 * HOUR_MS;
	stage(w, COMMIT_B, TREE_2, NULL);
	w->aid.at += 5 * HOUR_MS;
	assert_true(says(w, COMMIT_A, TREE_1, "\n🧪 ran on staging for 2 h, healthy\n"));
	world_rolls_back(w, "/rollback staging");
	assert_true(
	    says(w, COMMIT_B, TREE_2, "\n⚠️ ran on staging for 5 h, then was rolled back\n"));
}

/* "Healthy" was said of what was down. */
WORLD_TEST_OF(what_is_down_there_now_is_not_said_to_be_healthy, STAGING_URL)
{
	stage(w, COMMIT_A, TREE_1, NULL);
	w->aid.at += 3 * HOUR_MS;
	ask_staging(w, COMMIT_B, TREE_2);
	world_run_is_probed(w, "HTTP 500");
	world_run_ends(w, TOUCHED); /* its rollback */
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_true(
	    says(w, COMMIT_A, TREE_1, "\n⚠️ ran on staging for 3 h, and may be DOWN now\n"));
	stage(w, COMMIT_C, TREE_2, NULL);
	assert_true(says(w, COMMIT_D, TREE_1, "\n🧪 ran on staging for 3 h, healthy\n"));
}

WORLD_TEST_OF(what_never_ran_there_is_warned_of, STAGING_URL)
{
	assert_true(says(w, COMMIT_C, TREE_1, "\n⚠️ never ran on staging\n")); /* nothing has */
	assert_true(says(w, COMMIT_E, NULL, "\n⚠️ never ran on staging\n"));
	stage(w, COMMIT_A, TREE_1, NULL);
	assert_true(says(w, COMMIT_B, TREE_2, "\n⚠️ never ran on staging\n"));
	assert_false(says(w, COMMIT_D, NULL, "on staging")); /* git did not say which files */
}

WORLD_TEST_OF(what_failed_there_says_why_and_when_and_is_marked, STAGING_URL)
{
	const char *said;

	stage(w, COMMIT_A, TREE_1, NULL);
	(void)question(w, COMMIT_A, TREE_1, 1);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	stage(w, COMMIT_B, TREE_2, "HTTP 500");
	w->aid.at += 2 * HOUR_MS;
	said = question(w, COMMIT_B, TREE_2, 1);
	assert_non_null(
	    strstr(said, "\n⚠️ the same files failed on staging (HTTP 500) 2 h ago\n"));
	assert_non_null(strstr(said,
	    "\n1 new commit, ⚠️ 1 failed before:\n• ⚠️ bbbbbbb \"Change 1\" — Ann Example\n"));
	said = question(w, COMMIT_C, TREE_1, 1);
	assert_non_null(strstr(said, "\n1 new commit:\n• ccccccc \"Change 1\" — Ann Example\n"));
}

/* A phone's screen is short: the list is folded where it is long. */
WORLD_TEST(a_long_list_is_folded)
{
	const struct world_message *asked;

	(void)question(w, COMMIT_A, NULL, 3);
	assert_null(strstr(world_says(w, "Deploy to production?")->text, MARK_QUOTE));
	(void)question(w, COMMIT_B, NULL, 12);
	asked = world_says(w, "Deploy to production?");
	assert_non_null(strstr(asked->text, MARK_QUOTE "• bbbbbbb \"Change 1\" — "));
	assert_non_null(strstr(asked->text, "… and 2 more" MARK_QUOTE "\n"));
}

WORLD_TEST(only_environments_of_the_same_application_count)
{
	world_application(w, "blog", "");
	world_application(w, "shop", "");
	(void)world_text(w, WORLD_ADMIN, "/deploy blog/staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .tree = TREE_1 });
	world_run_ends(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/deploy shop/production");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .tree = TREE_1 });
	assert_non_null(strstr(world_plain(world_says(w, "Deploy to shop/production?")),
	    "\n⚠️ never ran on shop/staging\n"));
	(void)world_text(w, WORLD_ADMIN, "/deploy blog/production");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .tree = TREE_1 });
	assert_non_null(strstr(
	    world_plain(world_says(w, "Deploy to blog/production?")), "ran on blog/staging for "));
}

/* What stands before an application's first environment is another's. */
WORLD_TEST(nor_does_what_stands_before_it_in_another_application)
{
	world_application(w, "blog", "ENVIRONMENTS=staging\n");
	world_application(w, "shop", "STAGING_CONFIRM=true\n");
	(void)world_text(w, WORLD_ADMIN, "/deploy shop/staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .tree = TREE_1 });
	assert_null(strstr(world_plain(world_says(w, "Deploy to shop/staging?")), "blog"));
}

/* With IMAGE_SOURCE=registry whoever may push there can put another behind the same commit. */
WORLD_TEST_OF(what_ran_there_as_another_image_is_no_reassurance, STAGING_URL)
{
	const char *images[] = { "sha256:" DIGITS_1, "sha256:" DIGITS_2 };

	ask_staging(w, COMMIT_A, TREE_1);
	world_run_ships(w, 1, "image", images[0]);
	world_run_is_probed(w, NULL);
	w->aid.at += 3 * HOUR_MS;
	for (size_t i = 0; i < 3; i++) {
		(void)world_text(w, WORLD_ADMIN, "/deploy production");
		world_git(w,
		    (struct world_git){ .commit = i < 2 ? COMMIT_A : COMMIT_C,
			.tree = TREE_1,
			.count = 1,
			.image = images[i != 0] });
		assert_non_null(strstr(world_plain(world_says(w, "Deploy to production?")),
		    i == 1 ?
			"\n⚠️ another image 1111111… of it ran on staging for 3 h, healthy\n" :
			"\n🧪 ran on staging for 3 h, healthy\n"));
	}
}

WORLD_TEST_OF(a_question_links_to_what_changes_and_names_a_migration_and_the_rollback,
    "REPOSITORY_URL=https://github.com/acme/shop.git")
{
	const char *said;

	w->settings = "KEEP_RELEASES=4e07408562bedb8b post-deploy/90-migrate=aaaaaaaaaaaaaaaa"
		      " pre-deploy/10-migrate=6588117f7b516232 pre-deploy/20-smoke=6588117f7b516232"
		      " pre-start/50-secrets=6588117f7b516232";
	assert_true(says(w, COMMIT_C, NULL,
	    "\n🗄 runs before the release: pre-start/50-secrets, pre-deploy/10-migrate\n"));
	w->settings = "KEEP_RELEASES=4e07408562bedb8b";
	said = question(w, COMMIT_A, NULL, 0);
	assert_non_null(strstr(said, "\n🔗 https://github.com/acme/shop/commit/aaaaaaa1aaaa\n"));
	assert_non_null(strstr(said, "\n⚠️ no release to roll back to"));
	assert_null(strstr(said, "🗄"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	world_settings(w, "REPOSITORY_URL=https://github.com/acme/shop.git",
	    "MIGRATE_COMMAND=bin/migrate", NULL);
	w->aid.at += 72 * HOUR_MS;
	said = question(w, COMMIT_B, NULL, 2);
	assert_non_null(
	    strstr(said, "\n🔗 https://github.com/acme/shop/compare/aaaaaaa1aaaa...bbbbbbb2bbbb\n"));
	assert_non_null(
	    strstr(said, "\nreplaces aaaaaaa (release 1, 3 d ago), and you can roll back to it\n"));
	assert_non_null(strstr(said, "\n🗄 runs before the release: bin/migrate\n"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/rollback production");
	assert_null(strstr(world_plain(world_says(w, "Roll back production?")), "🗄"));
}

/* Who put qa behind the usual two read in each of its questions that it never ran on production. */
TEST(without_a_setting_the_stage_is_the_one_before_it_and_no_production)
{
	static const struct {
		const char *environments, *of, *stages;
	} cases[] = {
		{ "ENVIRONMENTS=staging,production,qa", "qa", "" },
		{ "ENVIRONMENTS=staging,production,qa", "production", "staging" },
		{ "ENVIRONMENTS=staging,production,qa", "staging", "" },
		{ "ENVIRONMENTS=staging,qa,production", "production", "qa" },
		{ "ENVIRONMENTS=staging,prod-eu,production", "production", "" },
	};
	const char *found[SETTINGS_STAGES];
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n;

		world_open(&w, cases[i].environments, "QA_CONFIRM=false", NULL);
		n = settings_stages(w.aid.settings, cases[i].of, found);
		assert_string_equal(n > 0 ? found[0] : "", cases[i].stages);
		assert_int_equal(n, cases[i].stages[0] != '\0');
		world_close(&w);
	}
}

TEST(the_setting_says_which_stages_there_are)
{
	struct world w;

	world_open(&w, STAGING_URL, "ENVIRONMENTS=staging,qa,production",
	    "PRODUCTION_AFTER=staging, qa", NULL);
	stage(&w, COMMIT_A, TREE_1, NULL);
	w.aid.at += HOUR_MS;
	(void)question(&w, COMMIT_A, TREE_1, 1);
	assert_non_null(world_says(&w, "ran on staging for 1 h"));
	assert_non_null(world_says(&w, "⚠️ never ran on qa"));
	world_close(&w);
	world_open(&w, STAGING_URL, "PRODUCTION_AFTER=none", NULL);
	stage(&w, COMMIT_A, TREE_1, NULL);
	assert_false(says(&w, COMMIT_A, TREE_1, "ran on"));
	world_close(&w);
}

/* Of another application's the main file alone says so: a file of its own would learn of that. */
WORLD_TEST(a_stage_may_be_another_applications_by_the_main_file_alone)
{
	const char *found[SETTINGS_STAGES];
	char apps[128];

	world_application(w, "blog", "PRODUCTION_AFTER=shop/staging,staging,nowhere\n");
	world_application(w, "shop", "");
	assert_int_equal(settings_stages(w->aid.settings, "blog/production", found), 1);
	assert_string_equal(found[0], "blog/staging");
	world_application(w, "blog", "");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", "PRODUCTION_AFTER=shop/staging", NULL);
	assert_int_equal(settings_stages(w->aid.settings, "blog/production", found), 1);
	assert_string_equal(found[0], "shop/staging");
	assert_int_equal(settings_stages(w->aid.settings, "shop/staging", found), 0);
}
