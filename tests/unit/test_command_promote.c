/* Goal: what is live in one environment goes to another one without a build, or it is said why not.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"

#include "lib/text.h"
#include "waves_aid.h"

#define IMAGE_A "sha256:45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab45ab"
#define IMAGE_B "sha256:99999999999999999999999999999999999999999999999999999999999999bb"
#define MINUTE	INT64_C(60000)
#define MADE	"REGISTRY_IMAGE=1111111111111111 BUILD_ARGS=2222222222222222"
#define PROMOTE "/promote staging production"

/* It is shipped to staging with that image, and live. */
static void
staging_runs(struct world *w, const char *commit, const char *image)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "image", image);
	world_run_step(w, 1, "release");
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.image, image);
}

/* The same, two hours ago, with settings as production has them. */
static void
staging_has_run(struct world *w)
{
	w->settings = MADE;
	staging_runs(w, COMMIT_A, IMAGE_A);
	w->aid.at += 120 * MINUTE;
}

static struct world_message *
is_asked(struct world *w)
{
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	return world_says(w, "Deploy to production?");
}

/* Nothing was begun, and that is said. */
static void
refuses(struct world *w, const char *text, const char *why)
{
	(void)world_text(w, WORLD_ADMIN, text);
	assert_non_null(strstr(world_plain(world_last(w)), "⛔ Not deployed: production"));
	assert_non_null(strstr(world_plain(world_last(w)), why));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_newest(w, "production").id, 0);
}

/* Behind git's answer. */
static void
is_refused(struct world *w, const char *why)
{
	struct deployment work = world_newest(w, "production");

	assert_int_equal(work.state, DEPLOY_REFUSED);
	assert_non_null(strstr(work.detail, why));
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(what_runs_on_staging_goes_to_production_by_its_digest)
{
	struct world_message *question;
	const struct effect *run;

	staging_has_run(w);
	question = is_asked(w);
	assert_non_null(question);
	assert_non_null(strstr(world_plain(question), "\nsha256:45ab45a…, on staging since "));
	assert_non_null(strstr(world_plain(question), " (2 h); no build\n"));
	assert_int_equal(world_audited(w, "\"promoted_from\":\"staging\"", "deploy_requested"), 1);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git(
	    w, (struct world_git){ .commit = COMMIT_A, .image = IMAGE_B }); /* its tag moved */
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_string_equal(run->u.run.environment, "production");
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.image, IMAGE_A);
	assert_true(run->u.run.is_promoted);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "image", IMAGE_A);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "production").current.image, IMAGE_A);
	assert_non_null(world_says(w, "sha256:45ab45a…, promoted from staging; no build"));
	world_answers_last(w, WORLD_ADMIN, "/history production", "promotion, live since ");
	world_answers_last(w, WORLD_ADMIN, "/show 2", ", promoted from staging");
}

static size_t
open_questions(struct world *w)
{
	size_t n = 0;

	for (int64_t id = 1; world_deployment(w, id).id != 0; id++)
		n += world_deployment(w, id).state == DEPLOY_AWAITING_CONFIRMATION;
	return n;
}

/* #2 is about the commit, and #3 brings its image. */
static void
both_are_asked(struct world *w)
{
	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	assert_int_equal(open_questions(w), 2);
}

WORLD_TEST(a_question_behind_another_is_found)
{
	both_are_asked(w);
	world_asks(w, WORLD_OTHER_ADMIN, PROMOTE, COMMIT_A);
	assert_int_equal(world_deployment(w, 4).state, DEPLOY_SUPERSEDED);
	assert_string_equal(world_deployment(w, 4).detail, "asked about already, as #3");
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_A);
	assert_string_equal(world_deployment(w, 5).detail, "asked about already, as #2");
	assert_int_equal(open_questions(w), 2);
}

WORLD_TEST(a_push_joins_no_promotion_of_its_commit)
{
	staging_has_run(w);
	assert_non_null(is_asked(w));
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(open_questions(w), 2);
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(open_questions(w), 2);
}

/* Who asked the second question reviews it as little as who asked the first. */
WORLD_TEST_OF(
    who_promotes_the_commit_of_an_emergency_has_asked_for_it, "ADMIN_TELEGRAM_IDS=11,22,44")
{
	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, PROMOTE, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy production emergency the shop is down", COMMIT_A);
	assert_int_equal(open_questions(w), 3);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "🚨 Emergency to production?"), "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	assert_int_equal(open_questions(w), 0);
	world_answers(
	    w, WORLD_OTHER_ADMIN, "/review 4", "you asked for it, so somebody else must review it");
}

WORLD_TEST_OF(
    a_deployment_from_staging_is_the_same_also_where_nobody_is_asked, "PRODUCTION_CONFIRM=false")
{
	const struct effect *run;

	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, "/deploy production from staging", COMMIT_A);
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_string_equal(run->u.run.image, IMAGE_A);
	assert_true(run->u.run.is_promoted);
}

WORLD_TEST(a_deployment_names_no_image_and_is_no_promotion)
{
	w->settings = MADE;
	staging_runs(w, COMMIT_A, IMAGE_A);
	world_asks(w, WORLD_ADMIN, "/deploy staging from", COMMIT_B); /* a branch of that name */
	assert_false(world_peek(w, EFFECT_RUN)->u.run.is_promoted);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, "");
}

WORLD_TEST(words_that_are_too_many_or_too_few_promote_nothing)
{
	staging_has_run(w);
	world_answers_last(w, WORLD_ADMIN, "/promote", "/promote <from> <to>");
	world_answers_last(w, WORLD_ADMIN, "/promote staging", "/promote <from> <to>");
	world_answers_last(w, WORLD_ADMIN, PROMOTE " now", "Too much after /promote");
	world_answers_last(
	    w, WORLD_ADMIN, "/deploy production from staging now", "Too much after /deploy");
	world_answers_last(w, WORLD_ADMIN, PROMOTE " and some more", "Too much after /promote");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* Who tries a promotion again wants no build. */
WORLD_TEST_OF(what_failed_is_tried_again_as_a_promotion, "PRODUCTION_CONFIRM=false")
{
	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	world_run_plays(w, FAILED_BEFORE_RELEASE);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "production"), "Try again"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_true(world_peek(w, EFFECT_RUN)->u.run.is_promoted);
}

/* Whoever asks over the API reads its status: nothing was begun. */
WORLD_TEST_BARE(a_promotion_that_is_refused_is_no_success_of_the_api)
{
	static const char body[] = "{\"arguments\": [\"staging\", \"production\"]}";

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, API_COMMAND, "/v1/command/promote", body), 409);
	SAID(w, "nothing is live in its source");
}

/* --- its bake --- */

static void
staging_bakes(struct world *w)
{
	w->settings = MADE;
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "image", IMAGE_A);
	world_run_step(w, 1, "release");
	if (world_newest(w, "staging").waves > 0)
		waves_say(w, "h1 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

static bool
question_says(struct world *w, const char *part)
{
	w->aid.at += 120 * MINUTE;
	return strstr(world_plain(is_asked(w)), part) != NULL;
}

WORLD_TEST_OF(its_question_says_that_its_source_has_passed_its_bake, "STAGING_BAKE=1m")
{
	staging_bakes(w);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_true(question_says(w, " (2 h), bake passed; no build\n"));
}

WORLD_TEST_OF(
    its_question_says_that_its_source_was_live_before_its_bake_had_ended, "STAGING_BAKE=1m")
{
	staging_bakes(w);
	world_due(w, TIMER_BAKE);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_true(question_says(w, " (2 h), live there before its bake had ended; no build\n"));
}

/* The bake of the last wave has come to its end. */
WORLD_TEST_OF(its_question_says_that_the_bake_of_a_wave_was_ended_before_its_time,
    "STAGING_BAKE=1m", "STAGING_HOST=h1,h2", "STAGING_WAVES=1, 100%")
{
	staging_bakes(w);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	waves_ordered(w, "2/2", "h2:22\n");
	waves_say(w, "h2 ok");
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_true(question_says(w, " (2 h), live there before its bake had ended; no build\n"));
}

WORLD_TEST(its_question_says_that_its_source_has_never_baked)
{
	w->settings = MADE;
	staging_runs(w, COMMIT_A, IMAGE_A);
	world_settings(w, "STAGING_BAKE=1m", NULL);
	assert_true(question_says(w, " (2 h), without a bake; no build\n"));
}

/* What a rollback has brought back was watched when it was new. */
WORLD_TEST_OF(what_a_rollback_brought_back_has_passed_its_bake, "STAGING_BAKE=1m")
{
	staging_bakes(w);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_run_releases(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_true(question_says(w, ", bake passed; no build\n"));
}

/* --- in waves --- */

#define IN_WAVES \
	"PRODUCTION_CONFIRM=false", "PRODUCTION_HEALTH_URL=", "PRODUCTION_HOST=h1,h2", \
	    "PRODUCTION_WAVES=1, 100%", "PRODUCTION_BAKE=1m", "STAGING_HEALTH_URL="

static void
wave_1_bakes(struct world *w)
{
	staging_runs(w, COMMIT_B, IMAGE_B);
	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	waves_ordered(w, "1/2", "h1:22\n");
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "image", IMAGE_A);
	waves_say(w, "h1 began, h1 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_BAKING);
}

static void
wave_2_begins_not(struct world *w, const char *why)
{
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_PAUSED);
	assert_non_null(world_says(w, why));
	(void)world_text(w, WORLD_ADMIN, "/resume production");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST_OF(what_its_source_has_rolled_back_meanwhile_begins_no_further_wave, IN_WAVES)
{
	wave_1_bakes(w);
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	wave_2_begins_not(w, "Paused: production, its source has rolled that release back");
}

/* It was live there, and went well; when it came once more it did not. */
WORLD_TEST_OF(what_its_source_has_blocked_meanwhile_begins_no_further_wave, IN_WAVES)
{
	wave_1_bakes(w);
	staging_runs(w, COMMIT_C, IMAGE_B);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_C);
	wave_2_begins_not(w, "Paused: production, its source has blocked that commit since");
}

WORLD_TEST_OF(what_its_source_has_gone_past_goes_on, IN_WAVES)
{
	wave_1_bakes(w);
	staging_runs(w, COMMIT_C, IMAGE_B);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	waves_ordered(w, "2/2", "h2:22\n");
}

/* --- as OPA is asked --- */

WORLD_TEST(opa_reads_from_where_it_is_promoted)
{
	const struct effect *asked;

	staging_has_run(w);
	world_settings(w, "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow", NULL);
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	asked = world_peek(w, EFFECT_OPA);
	assert_non_null(asked);
	assert_non_null(strstr(asked->u.opa.input, "\"promoted_from\":\"staging\""));
}

/* --- refused at once --- */

WORLD_TEST(what_is_not_live_is_not_promoted)
{
	refuses(w, PROMOTE, "nothing is live in its source");
}

WORLD_TEST(what_is_down_is_not_promoted)
{
	staging_has_run(w);
	world_act(w, world_set_down, "staging");
	refuses(w, PROMOTE, "is not known, or is down");
}

WORLD_TEST(a_release_without_a_digest_is_not_promoted)
{
	world_deploy_goes_live(w, COMMIT_A);
	refuses(w, PROMOTE, "no digest of an image is known");
}

WORLD_TEST(nothing_is_promoted_to_itself)
{
	staging_has_run(w);
	(void)world_text(w, WORLD_ADMIN, "/promote staging staging");
	assert_non_null(
	    strstr(world_plain(world_last(w)), "its source is this environment itself"));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST_OF(only_what_the_setting_names_is_a_source, "ENVIRONMENTS=staging,qa,production",
    "QA_BRANCH=develop", "PRODUCTION_PROMOTE_FROM=qa")
{
	staging_has_run(w);
	refuses(w, PROMOTE, "PRODUCTION_PROMOTE_FROM does not name its source");
	refuses(w, "/promote qa production", "nothing is live in its source");
}

WORLD_TEST_OF(a_release_has_to_have_been_live_for_its_time, "PRODUCTION_PROMOTE_AFTER=30m")
{
	w->settings = MADE;
	staging_runs(w, COMMIT_A, IMAGE_A);
	w->aid.at += 12 * MINUTE;
	refuses(w, PROMOTE,
	    "live in its source for 12 min, and PRODUCTION_PROMOTE_AFTER asks for more: promote it in 18 min");
	w->aid.at += 20 * MINUTE;
	/* B came, and went: what was live before is live again, and was for its time. */
	staging_runs(w, COMMIT_B, IMAGE_B);
	refuses(w, PROMOTE, "live in its source for 0 s");
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_non_null(is_asked(w));
}

/* Who may deploy to production alone learns nothing of staging: not that there is one. */
WORLD_TEST_OF(who_may_not_see_the_source_learns_nothing_of_it, "ROLE_SHIP_IDS=44",
    "ROLE_SHIP_MAY=deploy:production")
{
	char first[LIMIT_LINE];

	staging_has_run(w);
	(void)world_text_in(w, 44, 44, PROMOTE);
	text_set(first, world_plain(world_last(w)));
	assert_non_null(strstr(first, "⛔ Not deployed: production: you see no environment"));
	(void)world_text_in(w, 44, 44, "/promote moon production");
	assert_string_equal(world_plain(world_last(w)), first);
	(void)world_text_in(w, 44, 44, "/deploy production from staging");
	assert_string_equal(world_plain(world_last(w)), first);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_true(world_refusals(w) > 0);
}

/* Over /v1 too: one that is there and one that is not have one status, one text and one price. */
WORLD_TEST(an_answer_over_v1_does_not_say_whether_the_source_is_there)
{
	static const char *const sources[] = { "moon", "staging", "moon", "staging" };
	char body[LIMIT_LINE];

	staging_has_run(w);
	world_settings(w, STRANGER_IS, TEAM, "ROLE_SHIP_IDS=99", "ROLE_SHIP_MAY=deploy:production",
	    "COST_LIMIT_PER_USER=1", NULL);
	for (size_t i = 0; i < COUNT(sources); i++) {
		text_setf(body, "{\"arguments\": [\"%s\", \"production\"]}", sources[i]);
		assert_int_equal(
		    api_aid_ask(w, STRANGER, API_COMMAND, "/v1/command/promote", body), 409);
		SAID(w, "you see no environment of the name behind");
	}
	assert_true(world_audited(w, "no grant status there", "\"environment\":\"staging\"") > 0);
}

/* --- refused with git's answer, when what would ship it is known --- */

static void
differs(struct world *w, const char *list, const char *why)
{
	w->settings = list;
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	is_refused(w, why);
}

WORLD_TEST(an_image_that_is_made_otherwise_is_not_promoted)
{
	staging_has_run(w);
	differs(w, "REGISTRY_IMAGE=3333333333333333 BUILD_ARGS=2222222222222222",
	    "in another repository: REGISTRY_IMAGE");
	differs(w, "REGISTRY_URL=3333333333333333 " MADE, "in another repository: REGISTRY_URL");
	differs(w, "REGISTRY_IMAGE=1111111111111111 BUILD_ARGS=4444444444444444",
	    "another BUILD_ARGS than this environment has");
	differs(w, MADE " PRODUCTION_BUILD_ARGS=4444444444444444", "another BUILD_ARGS");
	differs(w, MADE " DOCKERFILE=4444444444444444", "another DOCKERFILE");
	differs(w, MADE " BUILD_SECRETS=4444444444444444", "another BUILD_SECRETS");
	differs(w, MADE " BUILD_TARGET=4444444444444444", "another BUILD_TARGET");
	differs(w, NULL, "not known yet");
}

/* The mark of the default is as good as none, and so is what else differs. */
WORLD_TEST(what_does_not_make_the_image_may_differ)
{
	staging_has_run(w);
	w->settings = MADE " DOCKERFILE=dd2c0eb6ea5cfc6c PRODUCTION_HOST=5555555555555555";
	assert_non_null(is_asked(w));
}

/* --- looked at again --- */

WORLD_TEST(what_its_source_has_rolled_back_since_is_refused)
{
	struct world_message *question;

	w->settings = MADE;
	staging_runs(w, COMMIT_B, IMAGE_B);
	staging_has_run(w);
	question = is_asked(w);
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_refused(w, "its source has rolled that release back");
}

WORLD_TEST(what_its_source_runs_now_is_said_and_asked_once_more)
{
	struct world_message *question;

	staging_has_run(w);
	question = is_asked(w);
	staging_runs(w, COMMIT_B, IMAGE_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	question = world_says(w, "its source runs bbbbbbb now");
	assert_non_null(question);
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, IMAGE_A);
}

WORLD_TEST_OF(who_lost_the_right_to_see_its_source_promotes_nothing, "ROLE_SHIP_IDS=44",
    "ROLE_SHIP_MAY=deploy:production,status:staging")
{
	struct world_message *question;

	staging_has_run(w);
	world_asks_in(w, 44, 44, PROMOTE, COMMIT_A);
	question = world_says_in(w, 44, "Deploy to production?");
	assert_non_null(question);
	world_settings(w, "ROLE_SHIP_IDS=44", "ROLE_SHIP_MAY=deploy:production", NULL);
	(void)world_press(w, 44, 44, world_button(question, "Deploy to"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_refused(w, "may not see the status of its source any more");
}

/* --- where nothing else is deployed --- */

#define ONLY "PRODUCTION_PROMOTE_ONLY=true", "PRODUCTION_PROMOTE_FROM=staging"

WORLD_TEST_OF(
    only_promotions_emergencies_and_rollbacks_go_there, ONLY, "EMERGENCY_WITHOUT_OTP=true")
{
	staging_has_run(w);
	refuses(w, "/deploy production",
	    "only what is live elsewhere goes there (PRODUCTION_PROMOTE_ONLY): /promote <from> production");
	assert_non_null(is_asked(w));
	(void)world_text(w, WORLD_ADMIN, "/deploy production emergency the shop is down");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST_OF(a_push_there_is_said_to_wait, ONLY)
{
	staging_has_run(w);
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .ref = "main" });
	assert_non_null(world_says_in(w, WORLD_TEAM, "⏳ Push waits: production"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "waits to be promoted: only what is live elsewhere"));
	assert_int_equal(world_newest(w, "production").id, 0);
}

/* What was queued before the setting came is decided with those of its turn. */
WORLD_TEST(what_waits_when_the_setting_comes_is_refused)
{
	struct world_message *question;

	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	question = world_says(w, "Deploy to production?");
	world_settings(w, ONLY, NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git_same(w);
	is_refused(w, "only what is live elsewhere goes there");
}

WORLD_TEST_OF(what_is_no_promotion_needs_more_approvals, "PRODUCTION_APPROVALS_IF=not-promoted=2",
    "PRODUCTION_CONFIRM=false")
{
	staging_has_run(w);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_asks(w, WORLD_ADMIN, PROMOTE, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_RUNNING);
}

/* --- its image is kept --- */

static char *
state_file(struct world *w, const char *environment)
{
	char path[160];
	struct queue_list out = { 0 };

	assert_false(store_project(w->aid.store, &out));
	queue_list_append(&w->aid.outcomes, &out);
	(void)snprintf(path, sizeof(path), "%s/%s.json", w->aid.environments_path, environment);
	return store_aid_read(path);
}

/* Before production has a release, too: no clean-up of staging removes what waits. */
WORLD_TEST(while_it_is_open_the_state_file_of_its_target_names_its_image)
{
	struct world_message *question;
	char *file;

	staging_has_run(w);
	question = is_asked(w);
	file = state_file(w, "production");
	assert_string_equal(
	    file, "{\"environment\":\"production\",\"promoted\":[\"" IMAGE_A "\"]}\n");
	free(file);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Not now"));
	file = state_file(w, "production");
	assert_true(file == NULL || strstr(file, IMAGE_A) == NULL);
	free(file);
}

/* Another deployment's question is not joined, nor joins one: what they ship differs. */
WORLD_TEST(a_promotion_joins_no_question_of_a_deployment)
{
	staging_has_run(w);
	assert_non_null(is_asked(w));
	world_asks(w, WORLD_OTHER_ADMIN, PROMOTE, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_SUPERSEDED);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
}
