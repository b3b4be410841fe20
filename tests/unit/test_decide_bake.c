/* Goal: a release is live when it was watched to its end, or a person says so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "bake_aid.h"
#include "store/row_bake.h"
#include "token_aid.h"

#define BAKE_TEST(name)	 WORLD_TEST_OF(name, BAKES, ASKS)
#define PLAIN_TEST(name) WORLD_TEST_OF(name, BAKES)

static struct bake bake;

static void
read_bake(struct tx *tx, void *arg)
{
	(void)row_bake_get(tx, *(int64_t *)arg, &bake);
}

static const struct bake *
row(struct world *w)
{
	int64_t id = world_newest(w, "staging").id;

	world_act(w, read_bake, &id);
	return &bake;
}

/* About so many seconds: there are some ms between two events. */
static void
is_left(struct world *w, int64_t seconds)
{
	assert_in_range(row(w)->left_ms, seconds * 1000 - 500, seconds * 1000);
}

static int64_t
current(struct world *w)
{
	return world_environment(w, "staging").current.deployment;
}

WORLD_TEST(without_a_bake_nothing_is_asked_and_no_row_is_written)
{
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
	assert_int_equal(row(w)->work, 0);
}

BAKE_TEST(healthy_to_the_end_is_live)
{
	bakes(w, HEALTHY);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_non_null(world_says(w, ", 0 of 2 min"));
	looks(w, HEALTHY);
	looks(w, HEALTHY);
	assert_non_null(world_says(w, "1 of 2 min, errors 0.2 % (before 0.2 %)"));
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
}

PLAIN_TEST(time_alone_is_a_bake)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_releases(w, GOOD);
	assert_int_equal(current(w), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(world_state(w), DEPLOY_BAKING);
		world_due(w, TIMER_BAKE);
		assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
	}
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

BAKE_TEST(wrong_twice_in_a_row_is_rolled_back)
{
	bakes(w, HEALTHY);
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_non_null(world_says(w, "errors 4.1 % (before 0.2 %, wrong once)"));
	looks(w, HEALTHY);
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_non_null(world_says(w, "errors 4.1 % > 1 %, before 0.2 %"));
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "Rolled back: staging"));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
}

BAKE_TEST(wrong_at_the_end_is_looked_at_once_more)
{
	bakes(w, HEALTHY);
	for (int i = 0; i < 3; i++)
		looks(w, HEALTHY);
	looks(w, WRONG);
	assert_int_equal(row(w)->left_ms, 0);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(row(w)->left_ms, 0);
}

/* It is live for all that, and has not passed. */
BAKE_TEST(whoever_says_at_a_wrong_end_that_it_is_live_has_not_seen_it_pass)
{
	bakes(w, HEALTHY);
	for (int i = 0; i < 3; i++)
		looks(w, HEALTHY);
	looks(w, WRONG);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_true(row(w)->is_cut);
}

BAKE_TEST(an_answer_that_is_missing_between_two_wrong_ones_is_none)
{
	bakes(w, HEALTHY);
	looks(w, WRONG);
	looks(w, UNKNOWN);
	assert_non_null(world_says(w, "not known: timed out"));
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

BAKE_TEST(what_was_wrong_before_does_not_count)
{
	bakes(w, WRONG);
	for (int i = 0; i < 4; i++)
		looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* Neither rolled back, nor live. */
static void
is_prolonged_and_then_paused(struct world *w, enum said said)
{
	size_t rings;

	bakes(w, HEALTHY);
	for (int i = 0; i < 4; i++)
		looks(w, said);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_true(row(w)->is_prolonged);
	assert_non_null(world_says(w, "prolonged once"));
	for (int i = 0; i < 3; i++)
		looks(w, said);
	rings = world_rings(w);
	looks(w, said);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_int_equal(world_rings(w), rings + 2); /* with who asked, and in the team's */
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

BAKE_TEST(no_answer_is_not_healthy)
{
	is_prolonged_and_then_paused(w, UNKNOWN);
	assert_non_null(world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, "));
	assert_non_null(world_says(w, "timed out"));
	assert_int_equal(
	    world_audited(w, "deploy_paused", "\"detail\":\"health not known: timed out\""), 1);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, "), "Live now"));
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
}

/* Who may deploy says "live" where an answer is wanting, and not where a person said "wait". */
BAKE_TEST(a_pause_by_a_person_behind_one_for_want_of_an_answer_is_theirs)
{
	is_prolonged_and_then_paused(w, UNKNOWN);
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_answers(w, WORLD_ADMIN, "/pause staging", "🟡 Paused: staging.");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	looks(w, UNKNOWN);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_ADMIN, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

BAKE_TEST(no_data_is_not_healthy)
{
	is_prolonged_and_then_paused(w, ABSENT);
}

BAKE_TEST(known_behind_a_prolongation_is_live)
{
	bakes(w, HEALTHY);
	for (int i = 0; i < 4; i++)
		looks(w, UNKNOWN);
	for (int i = 0; i < 4; i++)
		looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* The bake is in its row: a start neither forgets it nor begins it anew. */
BAKE_TEST(a_restart_goes_on_with_what_is_left)
{
	int64_t began;

	bakes(w, HEALTHY);
	looks(w, HEALTHY);
	looks(w, HEALTHY);
	began = row(w)->began_at;
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(row(w)->began_at, began);
	is_left(w, 60);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

BAKE_TEST(a_restart_in_the_middle_of_a_look_asks_again)
{
	bakes(w, HEALTHY);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 1);
	world_restart(w);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 1);
	says(w, HEALTHY);
	is_left(w, 90);
}

BAKE_TEST(what_is_paused_stays_so_over_a_restart)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

/* While the server is away nobody looks. */
BAKE_TEST(time_that_nobody_saw_is_not_counted)
{
	bakes(w, HEALTHY);
	w->aid.at += 24 * 3600 * INT64_C(1000);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(row(w)->left_ms, 60000);
	w->aid.at -= 48 * 3600 * INT64_C(1000);
	looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

BAKE_TEST(a_person_pauses_and_goes_on)
{
	struct world_message *message;

	bakes(w, HEALTHY);
	looks(w, HEALTHY);
	world_answers(w, WORLD_ADMIN, "/pause staging", "🟡 Paused: staging.");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	message = world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, ");
	assert_non_null(strstr(world_plain(message), "🟡 Paused: staging, by @ada\n"));
	assert_string_equal(
	    world_labels(message), "▶️ Go on | ↩️ Roll back | 🖐 Leave it | 📄 Log");
	world_answers(w, WORLD_ADMIN, "/pause staging",
	    "🟡 Paused already: staging\npaused: by @ada, since ");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "Go on"));
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(row(w)->length_ms, 120000);
	assert_true(row(w)->left_ms <= 90000);
	world_answers(w, WORLD_ADMIN, "/resume staging", "Not paused: staging");
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"paused\""), 1);
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"resumed\""), 1);
	for (int i = 0; i < 3; i++)
		looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

BAKE_TEST(a_pause_before_its_script_has_ended_takes_the_place_of_its_bake)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, HEALTHY);
	world_answers(w, WORLD_ADMIN, "/pause staging",
	    "🟡 Pausing: staging when its script has ended well.");
	world_run_releases(w, GOOD);
	assert_null(
	    world_says(w, "not known: by")); /* who paused it is no answer that is wanting */
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "Paused: staging, by @ada"));
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(row(w)->length_ms, 120000);
	assert_int_equal(row(w)->left_ms, 120000);
}

BAKE_TEST(whoever_may_deploy_may_say_that_it_is_live)
{
	char button[LIMIT_BUTTON_ID];

	bakes(w, HEALTHY);
	text_set(button,
	    world_button(world_says_in(w, WORLD_GROUP, "🟡 Baking: staging"), "Live now"));
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, button);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"live\""), 1);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"live\""), 1);
}

BAKE_TEST(a_rollback_of_what_bakes_is_at_once)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

BAKE_TEST(a_rollback_of_what_is_paused_is_at_once)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, "), "Roll back"));
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

/* What runs there is not what is on record: it is said, and people may go on. */
BAKE_TEST(what_is_left_is_not_live_and_what_runs_is_not_known)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, "), "Leave it"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "left as it is by @ada: bbbbbbb runs there, and its bake"));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_true(world_environment(w, "staging").unknown_since != 0);
	assert_int_equal(world_active(w, "staging").id, 0);
}

BAKE_TEST(who_has_no_right_pauses_nothing)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_STRANGER, "/pause staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	(void)world_text(w, WORLD_STRANGER, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

static int
answers(struct world *w, int64_t person, const char *answer)
{
	char path[40], body[40];

	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, world_newest(w, "staging").id);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"%s\"}", answer);
	return token_aid_ask(w, person, API_ANSWER, path, body);
}

/* 77 may deploy, and 78 look. */
#define BY_API \
	"ROLE_PUSHER_IDS=77", "ROLE_PUSHER_MAY=deploy:staging, status:staging", \
	    "ROLE_LOOKER_IDS=78", "ROLE_LOOKER_MAY=status:staging"

WORLD_TEST_OF(what_its_buttons_do_is_done_over_the_api_too, BAKES, ASKS, BY_API)
{
	bakes(w, HEALTHY);
	assert_int_equal(answers(w, WORLD_STRANGER, "live"), 404);
	assert_int_equal(answers(w, 78, "live"), 403);
	assert_int_equal(answers(w, 77, "leave"), 409);	       /* it is not paused */
	assert_int_equal(answers(w, WORLD_ADMIN, "yes"), 409); /* it has no question */
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(answers(w, 77, "live"), 200);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_audited(w, "bake_answered", "telegram:77"), 1);
	assert_int_equal(answers(w, 77, "live"), 409);
}

WORLD_TEST_OF(what_is_paused_is_left_over_the_api_too, BAKES, ASKS, BY_API)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	assert_int_equal(answers(w, 77, "live"), 409);
	assert_int_equal(answers(w, 77, "leave"), 403);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_int_equal(answers(w, WORLD_ADMIN, "leave"), 200);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").unknown_since != 0);
}

/* The environment is busy, and a push is not what ends it. */
BAKE_TEST(whoever_comes_later_waits)
{
	bakes(w, HEALTHY);
	world_push_is_at(w, COMMIT_C);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	assert_int_equal(world_active(w, "staging").state, DEPLOY_BAKING);
}

/* The first release has nothing to roll back to. */
BAKE_TEST(wrong_without_a_release_before_is_down)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	says(w, UNKNOWN);
	world_run_releases(w, GOOD);
	looks(w, WRONG);
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").is_down);
	assert_int_equal(current(w), 0);
}

/* What it says before a release counts for five minutes. */
BAKE_TEST(it_is_asked_again_where_the_answer_is_old)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 1);
	w->aid.at += 6 * 60000;
	says(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* A person's rollback brings back what was live: its gate has no bake. */
BAKE_TEST(a_rollback_does_not_bake)
{
	bakes(w, HEALTHY);
	for (int i = 0; i < 4; i++)
		looks(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	world_rolls_back(w, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_OF(it_bakes_behind_its_health_gate, BAKES, STAGING_URL)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}

WORLD_TEST_OF(what_is_unhealthy_does_not_bake, BAKES, STAGING_URL)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_run_releases(w, GOOD);
	world_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}
