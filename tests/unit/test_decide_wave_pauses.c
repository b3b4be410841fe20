/* Goal: between two waves everything is looked at again, and what is paused waits for a word.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "bake_aid.h"
#include "waves_aid.h"

WAVES_TEST(a_wave_that_is_stopped_is_paused_and_goes_on_with_the_hosts_that_are_left)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "Paused: staging, stopped in wave 2 of 2: by @ada"));
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	world_text(w, WORLD_OTHER_ADMIN, "/lock staging for an audit");
	world_answers(w, WORLD_ADMIN, "/resume staging",
	    "🟡 Stays paused: staging: its message says what keeps it.");
	world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(w, "2/2", "h3:22\n");
	waves_say(w, "h3 began, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_NONE);
	assert_non_null(world_says(w, "live on 3 of 3 hosts"));
}

/* Of hosts that are not reached yet nothing counts that is of earlier work. */
WAVES_TEST(what_is_not_known_of_later_waves_fails_no_earlier_one)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h3 began, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	world_rewrite(w, "UPDATE host SET state = 'unknown' WHERE name <> 'h1:22'");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h2:22\n");
	waves_say(w, "h2 began, h2 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h3:22\n= " COMMIT_B "\nh1:22\n");
}

WORLD_TEST_OF(a_wave_that_is_stopped_is_reminded_of, HOSTS, "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	waves_come_to_2(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_due(w, TIMER_NAG);
	assert_non_null(world_says(w, "Still paused: staging"));
	assert_non_null(world_says(w, "for 15 min, nobody has seen it"));
}

/* Regression: a timer was left of each pause, and what fired behind the last reminder went on. */
WORLD_TEST_OF(what_is_paused_twice_waits_for_one_reminder, HOSTS, "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	size_t n = 0;

	waves_come_to_2(w);
	for (int i = 0; i < 2; i++) {
		world_text(w, WORLD_ADMIN, "/cancel staging");
		world_run_ends(w, TOUCHED);
		assert_int_equal(world_state(w), DEPLOY_PAUSED);
		if (i == 0)
			world_text(w, WORLD_ADMIN, "/resume staging");
		w->aid.at += 60000;
	}
	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_NAG;
	assert_int_equal(n, 1);
}

WAVES_TEST(a_wave_that_is_lost_is_paused)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .lost = true });
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "interrupted in wave 2 of 2"));
	world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\n");
}

WAVES_TEST(a_pause_takes_the_place_of_the_next_wave)
{
	waves_begin(w);
	world_text(w, WORLD_ADMIN, "/pause staging");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "Paused: staging, by @ada"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WORLD_TEST_OF(with_ask_each_wave_but_the_last_waits_for_a_word, HOSTS, "STAGING_WAVE_PAUSE=ask")
{
	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(
	    w, "Paused: staging, asks for wave 2 of 2, which begins when somebody says so"));
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Paused: "), "Go on"));
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_OF(with_ask_a_bake_ends_in_a_pause_and_its_rollback_is_of_touched_hosts, HOSTS,
    "STAGING_WAVE_PAUSE=ask", "STAGING_BAKE=1m")
{
	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_text(w, WORLD_ADMIN, "/rollback staging");
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\n");
}

WORLD_TEST_OF(the_canary_is_in_the_first_wave, HOSTS, "STAGING_CANARY=h3", "STAGING_FAILURES_MAX=1")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	waves_ordered(w, "1/2", "h3:22\n");
	waves_say(w, "h3 ok");
	world_run_releases(w, GOOD);
	waves_ordered(w, "2/2", "h1:22\nh2:22\n");
	waves_say(w, "h1 ok, h2 failed");
	world_run_releases(w, GOOD);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h2:22\n= " COMMIT_B "\nh3:22\n");
}

WAVES_TEST(a_barrier_that_came_between_two_waves_pauses_once)
{
	waves_begin(w);
	waves_say(w, "h1 ok");
	world_rewrite(w, "UPDATE work SET barrier = 'drops a column' WHERE state = 'RUNNING'");
	world_restart(w);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "Paused: staging, a barrier"));
	world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

static void
opa_says(struct world *w, enum opa_verdict verdict, const char *reason)
{
	struct effect *effect = world_must_take(w, EFFECT_OPA);

	effect->result->u.opa_said = (struct opa_answer){ .verdict = verdict, .decision = "d-1" };
	(void)text_copy(effect->result->u.opa_said.reason, LIMIT_LINE, reason);
	world_report(w, effect);
}

WORLD_TEST_OF(opa_is_asked_about_each_further_wave, HOSTS, "STAGING_BAKE=2m",
    "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	opa_says(w, OPA_YES, "");
	opa_says(w, OPA_YES, "");
	waves_ordered(w, "1/2", "h1:22\n");
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	for (int i = 0; i < 4; i++)
		world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_BAKING); /* until it has answered */
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	opa_says(w, OPA_NO, "not on Fridays");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "Paused: staging, OPA: not on Fridays"));
	world_moment(w);
	world_rewrite(w, "UPDATE opa SET at = 1");
	world_restart(w);
	world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	opa_says(w, OPA_SILENT, "no route to host");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "OPA does not answer: no route to host"));
	world_text(w, WORLD_ADMIN, "/resume staging");
	opa_says(w, OPA_YES, "");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WORLD_TEST_OF(a_wave_behind_a_bake_takes_a_slot, HOSTS, "STAGING_BAKE=1m", "RUNS_MAX=1",
    "PRODUCTION_CONFIRM=false", "PRODUCTION_HEALTH_URL=")
{
	int64_t other;

	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	other = world_newest(w, "production").id;
	assert_int_equal(world_deployment(w, other).state, DEPLOY_RUNNING);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(world_says(w, "the next one waits for a slot"));
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	world_run_releases(w, GOOD);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0); /* the slot is the wave's */
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	world_due(w, TIMER_BAKE);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
}

/* What is left of its bake is not waited for, once somebody has ended that. */
WORLD_TEST_OF(a_word_for_the_next_wave_waits_for_its_slot_alone, HOSTS, "STAGING_BAKE=9m",
    "RUNS_MAX=1", "PRODUCTION_CONFIRM=false", "PRODUCTION_HEALTH_URL=")
{
	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_text(w, WORLD_ADMIN, "/live staging");
	assert_non_null(world_says(w, "the next wave begins as soon as it may"));
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WORLD_TEST_OF(a_pause_holds_though_the_bake_has_left_the_settings, "STAGING_BAKE=5m")
{
	world_deploy_starts(w, COMMIT_A);
	world_text(w, WORLD_ADMIN, "/pause staging");
	world_settings(w, NULL);
	world_settings_read(w);
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_text(w, WORLD_ADMIN, "/resume staging");
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WAVES_TEST(a_lock_between_two_waves_pauses_with_its_sentence)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_text(w, WORLD_OTHER_ADMIN, "/lock staging for an audit");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w,
	    "Paused: staging, a lock or a freeze holds its environment now; wave 2 of 2 does not begin"));
	world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	world_answers(w, WORLD_ADMIN, "/resume staging",
	    "🟡 Going on: staging: it goes on with its waves.");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WAVES_TEST(settings_that_changed_between_two_waves_pause)
{
	waves_come_to_2(w);
	w->settings = "KEEP_RELEASES=4e07408562bedb8b STAGING_HOST=5555555555555555"
		      " pre-deploy/10-migrate=6588117f7b516232";
	world_run_refused(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w,
	    "changed since it was shown: STAGING_HOST. Wave 2 did not begin: set it back, or roll back"));
}

#define STRAY	"h3 unknown: it runs " COMMIT_A
#define REFUSED ((struct run_ended){ .gate_opened = true, .exit_status = 70 })

static void
b_is_live_and_c_comes_to_2(struct world *w)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h3 began, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "= " COMMIT_B "\nh1:22\n");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	waves_ordered(w, "2/2", "= " COMMIT_B "\nh2:22\nh3:22\n");
}

/* What somebody has done there nobody has looked at yet: it is not replaced. */
WAVES_TEST(a_host_that_does_not_run_what_was_released_there_pauses)
{
	b_is_live_and_c_comes_to_2(w);
	waves_say(w, STRAY);
	world_restart(w); /* go proves the same text */
	waves_ordered(w, "2/2", "= " COMMIT_B "\nh2:22\nh3:22\n");
	world_run_ends(w, REFUSED);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_non_null(world_says(w,
	    "Paused: staging, hosts differ: 1 of wave 2 of 2 does not run what deploybot released there"));
	assert_non_null(world_says(w, "h3: unknown, should run bbbbbbb; it runs aaaaaaa"));
	assert_int_equal(
	    world_audited(w, "deploy_paused", "hosts differ: 1 of wave 2 of 2 does not run"), 1);
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_B);
	world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(w, "2/2", "h3:22\n= " COMMIT_B "\nh2:22\n");
	waves_say(w, "h2 began, h3 began, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_C);
}

/* A connection that broke in the middle of a switch is a failure of the release. */
WAVES_TEST(what_a_wave_has_broken_itself_is_no_stranger_s)
{
	b_is_live_and_c_comes_to_2(w);
	waves_say(w, "h3 began, h3 unknown: the connection broke");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_B "\nh1:22\nh3:22\n");
}

/* Only what the work has touched goes back. */
WAVES_TEST(what_does_not_run_what_was_released_there_is_not_rolled_back)
{
	b_is_live_and_c_comes_to_2(w);
	waves_say(w, STRAY);
	world_run_ends(w, REFUSED);
	world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_B "\nh1:22\n");
}

/* No release is live on all of its hosts until one is brought there, the one on record too. */
WAVES_TEST(left_as_it_is_the_environment_is_mixed_and_said_to_be)
{
	waves_come_to_2(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Paused: "), "Leave it"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "🟡 Left as it is: staging "));
	assert_non_null(
	    world_says(w, "left as it is by @ada: h1 runs bbbbbbb, the others aaaaaaa\n"));
	assert_null(world_says(w, "State unknown"));
	assert_null(world_says(w, "May be DOWN"));
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	assert_null(world_says(w, "is live again"));
	assert_string_equal(waves_live(w), COMMIT_A);
	(void)world_rollback_asks(w, "/rollback staging aaaaaaa");
}

WAVES_TEST(where_no_host_was_touched_a_cancel_rolls_nothing_back)
{
	waves_begin(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST_OF(each_wave_bakes_and_a_restart_forgets_neither, HOSTS, "STAGING_BAKE=1m")
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_restart(w);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_string_equal(waves_live(w), COMMIT_A);
	world_due(w, TIMER_BAKE);
	world_due(w, TIMER_BAKE);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* --- what the audit has of it --- */

WAVES_TEST(the_audit_has_the_start_of_each_wave_with_its_hosts)
{
	waves_come_to_2(w);
	assert_int_equal(world_audited(w, "\"code\":\"deploy_started\"", "\"wave\":\"1/2\""), 1);
	assert_int_equal(world_audited(w, "\"code\":\"wave_started\"", "\"wave\":\"2/2\""), 1);
	assert_int_equal(world_audited(w, "\"code\":\"wave_started\"", "\"hosts\":\"2\""), 1);
	assert_int_equal(world_audited(w, "deploy_paused", NULL), 0);
}

WAVES_TEST(the_audit_has_why_a_wave_does_not_begin_and_why_it_still_does_not)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_text(w, WORLD_OTHER_ADMIN, "/lock staging for an audit");
	world_run_releases(w, GOOD);
	assert_int_equal(world_audited(w, "deploy_paused", "\"detail\":\"a lock or a freeze"), 1);
	assert_int_equal(world_audited(w, "deploy_paused", "\"wave\":\"2/2\""), 1);
	assert_int_equal(world_audited(w, "deploy_paused", "\"hosts\":\"2\""), 1);
	world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_audited(w, "deploy_paused", "a lock or a freeze"), 2);
	assert_int_equal(world_audited(w, "wave_started", NULL), 0);
	world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_audited(w, "wave_started", "\"wave\":\"2/2\""), 1);
}

/* Who wanted it stands there by their id. */
WAVES_TEST(the_audit_has_each_wave_that_was_stopped_lost_or_paused_and_no_name)
{
	waves_begin(w);
	world_text(w, WORLD_ADMIN, "/pause staging");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_audited(w, "deploy_paused", "\"wave\":\"2/2\""), 1);
	world_text(w, WORLD_ADMIN, "/resume staging");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_audited(w, "deploy_paused", "\"cancelled_by\":\"telegram:11\""), 1);
	world_text(w, WORLD_ADMIN, "/resume staging");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .lost = true });
	assert_int_equal(world_audited(w, "deploy_paused", "interrupted in wave 2 of 2"), 1);
	assert_int_equal(world_audited(w, "deploy_paused", NULL), 3);
	assert_int_equal(world_audited(w, "deploy_paused", "@ada"), 0);
}

/* --- what it was begun by --- */

static void
approved(struct world *w)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 1");
	waves_ordered(w, "1/2", "h1:22\n");
	waves_say(w, "h1 began, h1 ok");
}

WORLD_TEST_OF(what_others_approved_goes_on_to_its_end, HOSTS, "STAGING_APPROVALS=1")
{
	approved(w);
	world_run_releases(w, GOOD);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

/* Whoever says that it goes on gives no approval by that. */
WORLD_TEST_OF(who_may_approve_no_more_lets_no_further_wave_begin, HOSTS, "STAGING_APPROVALS=1")
{
	approved(w);
	world_settings(w, HOSTS, "STAGING_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11", NULL);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(
	    w, "Paused: staging, it needs 1 approval, and 0 count now: who gave the others"));
	assert_int_equal(world_audited(w, "deploy_paused", "it needs 1 approval, and 0 count"), 1);
	world_answers(w, WORLD_ADMIN, "/resume staging",
	    "🟡 Stays paused: staging: its message says what keeps it.");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	world_settings(w, HOSTS, "STAGING_APPROVALS=1", NULL);
	world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

/* --- what Prometheus is asked --- */

static const char *
asked_about(struct world *w)
{
	const char *hosts = world_peek(w, EFFECT_PROM_QUERY)->u.prom_query.hosts;

	return hosts != NULL ? hosts : "nothing";
}

WORLD_TEST_OF(what_bakes_is_asked_about_on_the_hosts_that_it_has_touched, HOSTS, BAKES, ASKS)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_string_equal(asked_about(w), ""); /* before: of all */
	says(w, HEALTHY);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	assert_string_equal(asked_about(w), "h1:22");
	says(w, HEALTHY);
	for (int i = 0; i < 3; i++)
		looks(w, HEALTHY);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	world_due(w, TIMER_BAKE);
	assert_string_equal(asked_about(w), "h1:22,h2:22,h3:22");
}
