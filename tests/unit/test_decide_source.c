/* Goal: an upload goes where a commit goes, git is never asked about it, and each text names it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/fingerprint.h"
#include "lib/text.h"

#define UP_1  WORLD_UPLOADS "456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UP_2  WORLD_UPLOADS "222222222222222222222222222222222222222222222222222222222222"
#define TREE  "7777777777777777777777777777777777777777777777777777777777777777"
#define OTHER "8888888888888888888888888888888888888888888888888888888888888888"
#define NAME  "upload 0123456789ab"

#define UPLOADS			  "STAGING_UPLOADS=true", STAGING_URL
#define SOURCE_TEST(name)	  WORLD_TEST_OF(name, UPLOADS)
#define SOURCE_TEST_OF(name, ...) WORLD_TEST_OF(name, UPLOADS, __VA_ARGS__)

/* It is asked about; the question's message. */
static struct world_message *
ask(struct world *w, const char *digest)
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", digest);
	world_unpacked(w, TREE);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	return world_says_in(w, WORLD_ADMIN, "Deploy to staging?");
}

static void
yes(struct world *w, struct world_message *question)
{
	assert_non_null(question);
	(void)world_press(w, WORLD_ADMIN, question->chat, world_button(question, "Deploy"));
}

static void
goes_live(struct world *w, const char *digest)
{
	yes(w, ask(w, digest));
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.commit, digest);
}

static const struct effect_run *
order(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_RUN);

	assert_non_null(effect);
	return &effect->u.run;
}

SOURCE_TEST(its_order_says_what_it_is_and_which_tree_is_built)
{
	char digest[FINGERPRINT_DIGEST];

	world_deploy_goes_live(w, COMMIT_A);
	yes(w, ask(w, UP_1));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(order(w)->source, SOURCE_UPLOAD);
	assert_string_equal(order(w)->commit, UP_1);
	assert_string_equal(order(w)->tree, TREE);
	assert_string_equal(order(w)->previous, COMMIT_A);
	assert_string_equal(
	    order(w)->binding, fingerprint_of_order(w->settings, SOURCE_UPLOAD, TREE, digest));
	assert_string_not_equal(order(w)->binding, fingerprint_digest(w->settings, digest));
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_environment(w, "staging").current.source, SOURCE_UPLOAD);
	assert_string_equal(world_environment(w, "staging").current.tree, TREE);
	assert_string_equal(world_environment(w, "staging").current.subject, "site.zip");
	assert_true(world_audited(w, "\"source\":\"upload\"", "\"requested\"") > 0);
	assert_true(world_audited(w, "\"source\":\"upload\"", "\"live\"") > 0);
	assert_int_equal(world_audited(w, "\"source\":\"upload\"", COMMIT_A "\",\"outcome"), 0);
}

SOURCE_TEST(a_commits_order_is_as_it_was)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(order(w)->source, SOURCE_GIT);
	assert_string_equal(order(w)->tree, "");
}

/* Another tree behind the same archive is another thing than was shown. */
TEST(the_digest_of_what_ships_is_of_the_tree_too)
{
	char git[FINGERPRINT_DIGEST], one[FINGERPRINT_DIGEST], other[FINGERPRINT_DIGEST];

	assert_string_equal(
	    fingerprint_of_order("A=1", SOURCE_GIT, TREE, git), fingerprint_digest("A=1", other));
	(void)fingerprint_of_order("A=1", SOURCE_UPLOAD, TREE, one);
	(void)fingerprint_of_order("A=1", SOURCE_UPLOAD, OTHER, other);
	assert_string_not_equal(git, one);
	assert_string_not_equal(one, other);
}

SOURCE_TEST(there_is_always_a_question_and_its_press_asks_no_git)
{
	struct world_message *question = ask(w, UP_1);

	assert_non_null(strstr(world_plain(question), NAME " \"site."));
	assert_non_null(strstr(world_plain(question), "as it was sent, not from git"));
	assert_null(strstr(world_plain(question), "author"));
	assert_null(strstr(world_plain(question), "branch"));
	assert_null(strstr(world_plain(question), "://"));
	yes(w, question);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_run_starts(w), 200);
}

/* It is nothing new of one that replaces another: of none is known what it changes. */
SOURCE_TEST(a_second_one_does_not_say_that_what_changes_is_not_known)
{
	struct world_message *question;

	goes_live(w, UP_1);
	question = ask(w, UP_2);
	assert_non_null(strstr(world_plain(question), "3 files, 34.5 kB unpacked"));
	assert_null(strstr(world_plain(question), "what changes is not known"));
}

SOURCE_TEST(one_that_is_ordered_with_other_settings_is_asked_about_again)
{
	yes(w, ask(w, UP_1));
	w->settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb";
	world_run_refused(w);
	assert_null(world_peek(w, EFFECT_RUN));
	yes(w, world_says_in(w, WORLD_ADMIN, "the settings changed since it was approved"));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_run_starts(w), 200);
}

SOURCE_TEST(a_rollback_goes_to_an_upload_and_from_one_to_a_commit)
{
	world_deploy_goes_live(w, COMMIT_A);
	goes_live(w, UP_1);
	world_answers_last(
	    w, WORLD_ADMIN, "/rollback staging", "Roll back staging?\n" NAME " → aaaaaaa");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	assert_int_equal(order(w)->source, SOURCE_GIT);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_environment(w, "staging").current.source, SOURCE_GIT);
	assert_string_equal(world_blocked(w, "staging"), UP_1);
	assert_non_null(world_says(w, NAME " is blocked"));
	assert_non_null(world_says(w, "sending the archive again asks first"));
	/* ... and forward to it. */
	world_answers_last(w, WORLD_ADMIN, "/rollback staging 0123456", "aaaaaaa → " NAME);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	assert_int_equal(order(w)->source, SOURCE_UPLOAD);
	assert_int_equal(order(w)->program, PROGRAM_ROLLBACK);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_environment(w, "staging").current.source, SOURCE_UPLOAD);
	assert_string_equal(world_blocked(w, "staging"), "");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

SOURCE_TEST(one_that_is_unhealthy_is_rolled_back_and_one_comes_back)
{
	goes_live(w, UP_1);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN)); /* who wants their archive live is asked first */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
	world_git_same(w);
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(order(w)->program, PROGRAM_ROLLBACK);
	assert_int_equal(order(w)->source, SOURCE_UPLOAD);
	assert_string_equal(order(w)->commit, UP_1);
	world_run_is_probed(w, NULL);
	assert_non_null(world_says(w, "staging is NOT running bbbbbbb; it runs " NAME " again"));
	yes(w, ask(w, UP_2));
	world_run_is_probed(w, "HTTP 500");
	assert_string_equal(order(w)->commit, UP_1);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, UP_1);
	assert_int_equal(world_environment(w, "staging").current.source, SOURCE_UPLOAD);
}

/* What world_git() asserts of each: no question to git has an upload in it. */
SOURCE_TEST(git_is_asked_about_a_push_over_an_upload_and_about_no_upload)
{
	world_deploy_goes_live(w, COMMIT_A);
	goes_live(w, UP_2);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	world_run_is_probed(w, NULL);
	goes_live(w, UP_1);
	assert_string_equal(world_blocked(w, "staging"), UP_2);
	(void)world_decide(w, world_push(w, "develop"));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.base, "");
	world_git_at(w, COMMIT_B);
	assert_null(world_peek(w, EFFECT_GIT_QUERY)); /* nothing is left to be compared */
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_int_equal(world_contained(w), 0); /* no commit contains it */
}

SOURCE_TEST_OF(
    a_question_over_an_upload_says_that_what_changes_is_not_known, "STAGING_CONFIRM=true")
{
	struct world_message *question;

	goes_live(w, UP_1);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	question = world_says(w, "Deploy to staging?\nbbbbbbb");
	assert_non_null(
	    strstr(world_plain(question), "what changes is not known: an upload is live"));
	assert_non_null(strstr(world_plain(question), "replaces " NAME));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy"));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.base, "");
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_run_starts(w), 200);
}

/* The question showed one that is not live any more. */
SOURCE_TEST_OF(another_upload_that_went_live_meanwhile_is_a_difference, "STAGING_CONFIRM=true")
{
	struct world_message *question;

	goes_live(w, UP_2);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	question = world_says(w, "Deploy to staging?\nbbbbbbb");
	goes_live(w, UP_1);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy"));
	world_git_same(w);
	assert_non_null(world_says(w, "staging runs " NAME " now, not upload 012322222222"));
}

SOURCE_TEST_OF(a_poll_puts_nothing_back_over_an_upload_but_a_newer_head,
    "GITHUB_REPOSITORY=acme/shop", "POLL_REPOSITORY_SECONDS=60")
{
	world_polled(w, COMMIT_A, COMMIT_D);
	world_polled(w, COMMIT_A, COMMIT_D);
	world_deploy_goes_live(w, COMMIT_A);
	goes_live(w, UP_1);
	world_polled(w, COMMIT_A, COMMIT_D);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_string_equal(world_environment(w, "staging").current.commit, UP_1);
	world_polled(w, COMMIT_B, COMMIT_D);
	world_git_at(w, COMMIT_B);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
}

SOURCE_TEST_OF(nothing_of_an_upload_is_reported_to_github_nor_linked, "GITHUB_REPOSITORY=acme/shop",
    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", "REPORT_DEPLOYMENTS=true")
{
	goes_live(w, UP_1);
	assert_null(world_peek(w, EFFECT_FORGE_REPORT));
	assert_null(strstr(world_plain(world_says(w, "Live: staging")), "github.com"));
}

SOURCE_TEST_OF(ci_is_asked_about_no_upload_and_has_to_be_left_out, "STAGING_REQUIRE_CI=ci.yml",
    "GITHUB_REPOSITORY=acme/shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123")
{
	world_archive(w, WORLD_ADMIN, "/deploy staging", UP_1);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_non_null(world_says(w, "no workflow runs for an archive"));
	world_settings(w, STAGING_URL, "STAGING_UPLOADS=unproven", "STAGING_REQUIRE_CI=ci.yml",
	    "GITHUB_REPOSITORY=acme/shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", NULL);
	goes_live(w, UP_1);
	assert_null(world_peek(w, EFFECT_GITHUB_RUNS));
}

/* Settings of now count at its turn. */
SOURCE_TEST(one_that_is_queued_is_refused_where_none_are_taken_any_more)
{
	struct world_message *question;

	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	question = ask(w, UP_1);
	yes(w, question);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	world_settings(w, STAGING_URL, NULL);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "deploys no archives"));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

SOURCE_TEST_OF(it_needs_the_approvals_of_a_commit_that_is_in_no_branch, "STAGING_APPROVALS=0",
    "STAGING_APPROVALS_IF=forced=1")
{
	yes(w, ask(w, UP_1));
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_non_null(strstr(world_plain(world_says(w, "approved 0 of 1 · because of forced")),
	    "3 files, 34.5 kB unpacked"));
}

SOURCE_TEST(status_history_and_show_say_that_it_is_one)
{
	goes_live(w, UP_1);
	world_answers_last(w, WORLD_ADMIN, "/status staging", NAME);
	world_answers_last(w, WORLD_ADMIN, "/history staging", NAME " \"site.");
	world_answers_last(w, WORLD_ADMIN, "/show 1", "as it was sent, not from git");
}

/* One that failed is not tried again by a name that git would be asked for. */
SOURCE_TEST(one_that_failed_has_no_button_that_asks_git)
{
	yes(w, ask(w, UP_1));
	world_run_plays(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_string_equal(
	    world_button(world_says_in(w, WORLD_ADMIN, "staging"), "Try again"), "");
	assert_string_equal(world_blocked(w, "staging"), "");
}
