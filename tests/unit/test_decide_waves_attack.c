/* Goal: waves and bakes give nobody what the same command does not give elsewhere.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "people_aid.h"
#include "token_aid.h"
#include "waves_aid.h"
#include "lib/text.h"

#define BAKE "STAGING_BAKE=2m"

/* B over A bakes, of one wave. */
static void
bakes(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

/* B over A bakes on its first host. */
static void
wave_1_bakes(struct world *w)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

/* Its question, where one is asked. */
static void
confirms(struct world *w, const char *commit)
{
	if (world_state(w) != DEPLOY_AWAITING_CONFIRMATION)
		return;
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git_at(w, commit);
}

static void
bakes_to_its_end(struct world *w)
{
	for (int i = 0; i < 9 && world_state(w) == DEPLOY_BAKING; i++)
		world_due(w, TIMER_BAKE);
}

/* --- a code, a token --- */

/* To roll back what bakes begins at once, so that no answer brings its code later. */
FACTOR_TEST(what_bakes_is_rolled_back_with_a_code_alone, "REQUIRE_OTP=rollback:*")
{
	world_settings(w, factor_key_setting, "REQUIRE_OTP=rollback:*", BAKE, NULL);
	world_released(w, "staging");
	bakes(w, COMMIT_B);
	(void)world_text(w, ada.id, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	factor_press(w, bob.id, world_says(w, "Baking: staging"), "Roll back");
	assert_non_null(strstr(w->toast, "Code needed: staging rollback"));
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, ada.id, "/pause staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, ada.id, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	factor_type(w, &ada, factor_code(w, &ada, 1));
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

FACTOR_TEST_BARE(a_token_rolls_back_nothing_that_takes_a_code)
{
	const char *token;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, TOKEN_AID_KEY, TOKEN_AID_ON, "REQUIRE_OTP=rollback:*",
	    BAKE, "ROLE_BACK_IDS=78", "ROLE_BACK_MAY=rollback:staging,status:staging", NULL);
	token = token_aid_make(w, WORLD_ADMIN, "ci", "back", "1d");
	world_released(w, "staging");
	bakes(w, COMMIT_B);
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/rollback",
			     "{\"arguments\": [\"staging\"]}"),
	    403);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

WORLD_TEST_OF(what_a_request_has_rolled_back_it_is_told, PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY, BAKE)
{
	world_released(w, "staging");
	bakes(w, COMMIT_B);
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_COMMAND, "/v1/command/rollback",
			     "{\"arguments\": [\"staging\"]}"),
	    200);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

/* --- which one is meant --- */

/* Both are of B, and C bakes by now. */
TEST(a_button_of_a_release_that_is_over_does_nothing_to_the_next)
{
	static const char *const labels[] = { "Roll back", "Pause", "Live now", "Go on",
		"Leave it" };

	for (size_t i = 0; i < COUNT(labels); i++) {
		bool is_paused = i >= 3;
		struct world world, *w = &world;
		char old[128];

		world_open(w, BAKE, NULL);
		world_released(w, "staging");
		bakes(w, COMMIT_B);
		if (is_paused)
			(void)world_text(w, WORLD_ADMIN, "/pause staging");
		text_set(old,
		    world_button(world_says_in(w, WORLD_GROUP, is_paused ? "Paused: " : "Baking"),
			labels[i]));
		(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging");
		world_run_plays(w, GOOD);
		bakes(w, COMMIT_C);
		if (is_paused)
			(void)world_text(w, WORLD_OTHER_ADMIN, "/pause staging");
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, old);
		assert_non_null(strstr(w->toast, "expired"));
		assert_int_equal(world_state(w), is_paused ? DEPLOY_PAUSED : DEPLOY_BAKING);
		world_close(w);
	}
}

static int
answers(struct world *w, int64_t work, const char *answer)
{
	char path[40], body[40];

	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"%s\"}", answer);
	return token_aid_ask(w, WORLD_ADMIN, API_ANSWER, path, body);
}

/* As the page sends it. */
WORLD_TEST_OF(an_answer_is_for_the_work_that_it_names, PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY, BAKE)
{
	int64_t b, c;

	world_released(w, "staging");
	bakes(w, COMMIT_B);
	b = world_newest(w, "staging").id;
	assert_int_equal(answers(w, b, "resume"), 409);
	assert_int_equal(answers(w, b, "pause"), 200);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_int_equal(answers(w, b, "resume"), 200);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(answers(w, b, "rollback"), 200);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	world_run_plays(w, GOOD);
	bakes(w, COMMIT_C);
	c = world_newest(w, "staging").id;
	assert_int_not_equal(c, b);
	assert_int_equal(answers(w, b, "pause"), 409);
	assert_int_equal(answers(w, b, "rollback"), 409);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

/* What acts at once is meant by its whole name. */
TEST(what_acts_at_once_is_begun_by_no_part_of_a_name)
{
	static const char *const typed[] = { "/rollback sta", "/rollback", "/pause sta", "/pause",
		"/live sta", "/live", "/resume sta", "/resume" };

	for (size_t i = 0; i < COUNT(typed); i++) {
		bool is_paused = i >= 6;
		struct world world, *w = &world;

		world_open(w, BAKE, "STAGING_CONFIRM=true", "ROLE_ONE_IDS=78",
		    "ROLE_ONE_MAY=deploy:staging, rollback:staging, status:staging", NULL);
		world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
		confirms(w, COMMIT_A);
		world_run_releases(w, GOOD);
		(void)world_text(w, WORLD_ADMIN, "/live staging");
		assert_int_equal(world_state(w), DEPLOY_LIVE);
		world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
		confirms(w, COMMIT_B);
		world_run_releases(w, GOOD);
		if (is_paused)
			(void)world_text(w, WORLD_ADMIN, "/pause staging");
		(void)world_text(w, 78, typed[i]);
		assert_int_equal(world_state(w), is_paused ? DEPLOY_PAUSED : DEPLOY_BAKING);
		world_close(w);
	}
}

/* Nothing bakes yet: a pause of what runs acts at once too. */
WORLD_TEST_OF(what_runs_is_paused_by_no_part_of_a_name, BAKE)
{
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	(void)world_text(w, WORLD_ADMIN, "/pause sta");
	(void)world_text(w, WORLD_ADMIN, "/pause");
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

/* --- what is said is so --- */

WORLD_TEST_OF(live_before_the_last_wave_is_the_next_wave, HOSTS, BAKE)
{
	wave_1_bakes(w);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_null(world_says(w, "it is live"));
	assert_non_null(world_says(w, "wave 2 of 2 begins"));
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"bake_ended\""), 1);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

WORLD_TEST_OF(live_and_go_on_under_a_lock_say_what_keeps_it, HOSTS, BAKE)
{
	wave_1_bakes(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging for an audit");
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_null(world_says(w, "it is live"));
	assert_non_null(world_says(w, "it is paused"));
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	bakes_to_its_end(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WORLD_TEST_OF(behind_a_bake_that_is_over_a_lock_keeps_the_next_wave, HOSTS, "STAGING_BAKE=1m")
{
	wave_1_bakes(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging for an audit");
	bakes_to_its_end(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	assert_null(world_says(w, "it goes on with its waves"));
	assert_non_null(world_says(w, "its message says what keeps it"));
	assert_non_null(world_says(w, "wave 2 of 2 does not begin"));
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

/* --- what hosts run --- */

/* h1 goes back to B, which h2 and h3 never left. */
WORLD_TEST_OF(the_live_release_once_more_goes_back_to_itself, HOSTS, "STAGING_CONFIRM=false")
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began, h3 ok");
	world_run_releases(w, GOOD);
	assert_string_equal(waves_live(w), COMMIT_B);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	confirms(w, COMMIT_B);
	waves_say(w, "h1 began, h1 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 began, h1 ok");
	world_run_plays(w, GOOD);
	assert_string_equal(waves_live(w), COMMIT_B);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_B);
	assert_null(world_says(w, "runs aaaaaaa"));
}

/* Its script judges by the hosts of its wave: h1 serves B. */
WAVES_TEST(a_first_release_that_a_later_wave_took_back_is_down)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h2 began, h2 failed: no space left");
	world_run_releases(w,
	    (struct run_ended){
		.gate_opened = true, .released = true, .exit_status = 1, .undone = true });
	assert_true(world_newest(w, "staging").target_changed);
	assert_null(world_says(w, "nothing was changed"));
}

WAVES_TEST(a_host_of_which_its_script_says_nothing_counts_as_failed)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_string_equal(waves_live(w), COMMIT_A);
}
