/* Goal: a release comes to its hosts in waves, and only hosts that were touched go back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid_inside.h"
#include "waves_aid.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

/* --- from wave to wave --- */

WORLD_TEST_OF(with_one_wave_no_row_is_written, "STAGING_HOST=h1,h2,h3")
{
	world_deploy_starts(w, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN)->u.run.hosts);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.wave, "");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(waves_count(w), 0);
}

WAVES_TEST(each_wave_is_a_run_and_the_last_is_live)
{
	waves_come_to_2(w);
	assert_string_equal(waves_live(w), COMMIT_A);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_A);
	assert_non_null(world_says(w, "wave 2 of 2: 0 of its 2 hosts, 1 of all 3"));
	waves_say(w, "h2 began, h3 began, h2 ok");
	waves_is(w, 3, HOST_IS_TOUCHED, COMMIT_A);
	world_due(w, TIMER_WAVES);
	assert_non_null(world_says(w, "wave 2 of 2: 1 of its 2 hosts, 2 of all 3"));
	waves_say(w, "h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(waves_live(w), COMMIT_B);
	assert_non_null(world_says(w, "live on 3 of 3 hosts"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WAVES_TEST(a_restart_goes_on_with_the_wave_in_hand)
{
	waves_come_to_2(w);
	(void)world_run_starts(w);
	waves_say(w, "h2 began, h2 ok");
	world_rewrite(w, ""); /* what is handed out is read from the database once more */
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 began, h2 ok, h3 began, h3 ok"); /* all of them once more */
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_B);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WAVES_TEST(what_one_wave_has_built_the_next_one_brings)
{
	static const char image[] =
	    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	waves_begin(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, "");
	(void)world_run_starts(w);
	world_run_ships(w, 0, "release", image);
	waves_say(w, "h1 began, h1 ok");
	world_run_ends(w, GOOD);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, image);
}

WAVES_TEST(a_run_counts_only_hosts_that_it_was_ordered_to)
{
	int64_t first;

	waves_begin(w);
	first = waves_run(w);
	waves_say(w, "h1 began, h1 ok, h2 began, h9 ok");
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_A);
	world_run_releases(w, GOOD);
	waves_say(w, "h2 began, h2 ok");
	waves_say_of(w, first, "h2 failed: late");
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_B);
}

/* --- what was shown --- */

#define CONFIRMED "STAGING_CONFIRM=true"

static void
yes(struct world *w, const char *part)
{
	struct world_message *asked = world_says(w, part);

	assert_non_null(asked);
	(void)world_press(w, WORLD_ADMIN, asked->chat, world_button(asked, "Deploy to"));
	world_git_same(w);
}

WORLD_TEST_OF(the_plan_that_was_shown_is_the_one_that_runs, HOSTS, CONFIRMED)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_non_null(world_says(w, "\n2 waves: h1; then 2 hosts"));
	yes(w, "2 waves: h1");
	waves_ordered(w, "1/2", "h1:22\n");
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	world_rewrite(w, "UPDATE host SET state = 'failed', failed_at = 1 WHERE name = 'h3:22'");
	world_restart(w);
	yes(w, "2 waves: h1; then 2 hosts");
	waves_ordered(w, "1/2", "= " COMMIT_B "\nh1:22\n");
}

WORLD_TEST_OF(waves_that_changed_since_are_asked_about_anew, HOSTS, CONFIRMED)
{
	w->settings = "STAGING_WAVES=4e07408562bedb8b";
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_non_null(world_says(w, "2 waves: h1; then 2 hosts"));
	world_settings(w, "STAGING_HOST=h1,h2,h3", "STAGING_WAVES=2, 100%", CONFIRMED, NULL);
	world_settings_read(w);
	w->settings = "STAGING_WAVES=bbbbbbbbbbbbbbbb";
	yes(w, "2 waves: h1; then 2 hosts");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_non_null(world_says(w, "changed since it was approved: STAGING_WAVES"));
	yes(w, "2 waves: h1, h2; then 1 host");
	waves_ordered(w, "1/2", "h1:22\nh2:22\n");
}

WORLD_TEST_OF(approvals_are_of_the_waves_that_were_shown, HOSTS, "STAGING_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_non_null(world_says_in(w, WORLD_TEAM, "2 waves: h1; then 2 hosts"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 1");
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved 1 of 2: @bob"));
	world_rewrite(w, "UPDATE wave_plan SET hosts = 'h3:22\nh1:22 h2:22'");
	(void)world_text(w, 44, "/approve 1");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved 1 of 2: @eve"));
}

/* --- failures --- */

WAVES_TEST(a_failure_in_wave_2_brings_back_the_touched_hosts_alone)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 failed: no space left");
	waves_is(w, 2, HOST_IS_FAILED, COMMIT_A);
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\n");
	assert_non_null(world_says(w, "0 of 2 touched hosts are rolled back"));
	waves_say(w, "h1 began, h2 began, h1 ok, h2 failed: does not answer");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_A);
	assert_string_equal(waves_live(w), COMMIT_A);
	assert_non_null(world_says(w, "1 of 2 touched hosts are rolled back"));
	assert_non_null(world_says(w, "h2: unknown, should run aaaaaaa; does not answer"));
}

WAVES_TEST(a_host_that_left_the_settings_keeps_no_other_from_going_back)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began");
	world_settings(w, "STAGING_HOST=h1,h3", "STAGING_WAVES=1, 100%", NULL);
	world_settings_read(w);
	waves_say(w, "h2 failed: no space left");
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\n");
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
	assert_non_null(world_says(w, "h2: unknown, should run aaaaaaa; it left the settings"));
}

WAVES_TEST(a_host_that_has_the_release_and_left_the_settings_is_to_go_back)
{
	waves_come_to_2(w);
	world_settings(w, "STAGING_HOST=h2,h3", "STAGING_WAVES=1, 100%", NULL);
	world_settings_read(w);
	waves_say(w, "h2 began, h2 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_ordered(w, "", "= " COMMIT_A "\nh2:22\n");
	waves_is(w, 1, HOST_IS_UNKNOWN, COMMIT_A);
}

/* h1 has B, which is live nowhere; a release to it goes back to B, to the others to A. */
WAVES_TEST(each_host_goes_back_to_what_it_ran)
{
	waves_come_to_2(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Paused: "), "Leave it"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy")); /* in doubt */
	world_git_same(w);
	waves_ordered(w, "1/2", "= " COMMIT_B "\nh1:22\n");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h2 began, h2 failed, h3 began, h3 failed");
	world_run_releases(w, TOUCHED);
	waves_ordered(w, "", "= " COMMIT_A "\nh2:22\nh3:22\n= " COMMIT_B "\nh1:22\n");
	waves_say(w, "h1 ok, h2 ok, h3 ok");
	world_run_ends(w, GOOD);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_A);
}

/* A rollback that is repeated has brought back nothing yet that did not say so. */
WAVES_TEST(what_a_rollback_that_died_has_reached_is_not_known)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 began");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .lost = true });
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\n");
	waves_is(w, 1, HOST_IS_UNKNOWN, COMMIT_A);
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
	waves_say(w, "h1 ok, h2 ok");
	world_run_plays(w, GOOD);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
}

/* What broke a release in its last wave does not do so the next time, where all have gone back. */
WAVES_TEST(who_broke_a_release_that_was_rolled_back_goes_first_and_is_named)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began, h3 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 ok, h2 ok, h3 ok");
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "1 host failed; FAILURES_MAX allows 0: h3: no space left"));
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "= " COMMIT_A "\nh1:22\nh3:22\n");
	waves_say(w, "h1 ok, h3 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h2 ok");
	world_run_releases(w, GOOD);
	assert_string_equal(waves_live(w), COMMIT_C);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_D);
	waves_ordered(w, "1/2", "= " COMMIT_C "\nh1:22\n");
}

WORLD_TEST_OF(
    tolerated_failures_are_live_and_go_first_the_next_time, HOSTS, "STAGING_FAILURES_MAX=34%")
{
	waves_come_to_2(w);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.failures_max, 1);
	waves_say(w, "h2 began, h3 began, h2 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts, 1 failed"));
	assert_non_null(world_says(w, "h3: failed, runs aaaaaaa; no space left"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h3:22\n= " COMMIT_B "\nh1:22\n");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.failures_max, 1);
	waves_say(w, "h1 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	waves_ordered(w, "2/2", "= " COMMIT_B "\nh2:22\n");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.failures_max, 0);
}

WAVES_TEST(more_failures_than_may_are_rolled_back_whatever_the_script_says)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h3 began, h2 ok, h3 failed");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\nh3:22\n");
}

WORLD_TEST_OF(a_wave_that_no_host_has_survived_is_no_success, HOSTS, "STAGING_FAILURES_MAX=1")
{
	waves_begin(w);
	waves_say(w, "h1 failed: does not answer");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_FAILED); /* nothing was touched */
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	waves_is(w, 1, HOST_IS_FAILED, COMMIT_A);
}

WAVES_TEST(what_a_run_without_a_folder_did_is_not_known)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began");
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(
	    world_says(w, "Paused: staging, lost in wave 2 of 2: what it did there is not known"));
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	assert_int_equal(waves_host(w, 3)->state, HOST_IS_UNKNOWN);
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(w, "2/2", "h3:22\n");
	waves_say(w, "h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

static void
is_abandoned(struct world *w)
{
	struct event *gone;
	char line[32];

	gone = store_aid_event(&w->aid, EVENT_RUNNER_GONE);
	text_set(gone->u.runner.name, "local");
	(void)world_decide(w, gone);
	text_setf(line, "/abandon %d", (int)world_newest(w, "staging").id);
	world_text(w, WORLD_ADMIN, line);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "❓ Abandon"), "Abandon #"));
}

WAVES_TEST(of_a_run_that_is_abandoned_no_host_is_known)
{
	waves_come_to_2(w);
	is_abandoned(w);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_FAILED);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
}

static void
host_left(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "UPDATE host SET left_at = $1 WHERE name = 'h3:22'", DB_I64(tx->at));
}

#define TOLERANT HOSTS, "STAGING_FAILURES_MAX=34%", "STAGING_ROLLBACK_NAG_MINUTES=15"

static void
is_live_without_h3(struct world *w)
{
	waves_come_to_2(w);
	waves_say(w, "h2 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_OF(tolerated_hosts_are_named_until_they_have_left_the_settings, TOLERANT)
{
	is_live_without_h3(w);
	world_due(w, TIMER_NAG);
	assert_non_null(world_says(w, "🟡 Failed hosts: staging, for 15 min\n"));
	assert_non_null(
	    world_says(w, "these hosts failed:\nh3: failed, runs aaaaaaa; no space left\n/deploy"));
	assert_string_equal(waves_live(w), COMMIT_B);
	world_answers(w, WORLD_ADMIN, "/status staging", "hosts: bbbbbbb on 2 of 3, aaaaaaa on 1");
	assert_null(strstr(world_plain(world_last(w)), "nobody has seen"));
	assert_null(strstr(world_plain(world_last(w)), "Seen"));
	world_due(w, TIMER_NAG);
	assert_int_equal(world_environment(w, "staging").n_nags, 2);
	world_act(w, host_left, NULL);
	world_due(w, TIMER_NAG);
	assert_int_equal(world_environment(w, "staging").unseen_work, 0);
}

WORLD_TEST_OF(tolerated_hosts_are_named_until_they_run_the_release, TOLERANT)
{
	is_live_without_h3(w);
	world_due(w, TIMER_NAG);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h3:22\n= " COMMIT_B "\nh1:22\n");
	waves_say(w, "h1 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_not_equal(world_environment(w, "staging").unseen_work, 0);
	waves_say(w, "h2 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_environment(w, "staging").unseen_work, 0);
	assert_non_null(world_says(w, "Over: staging, a release is live since"));
}

static size_t
reminders_of(const struct world *w, int64_t work)
{
	char name[24];
	size_t n = 0;

	(void)snprintf(name, sizeof(name), "%" PRId64, work);
	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_NAG &&
		    strcmp(w->open[i]->u.timer.name, name) == 0;
	return n;
}

/* A deployment that failed since is reminded of alone, until that is seen. */
WORLD_TEST_OF(tolerated_hosts_are_named_again_when_what_failed_since_is_seen, TOLERANT)
{
	int64_t live;

	is_live_without_h3(w);
	live = world_newest(w, "staging").id;
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_say(w, "h1 began, h1 failed: no memory, h3 failed: does not answer");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	world_due(w, TIMER_NAG);
	assert_null(world_says(w, "Failed hosts: "));
	for (size_t i = 0; i < w->n_screen; i++)
		if (world_button(&w->screen[i], "Seen")[0] != '\0')
			(void)world_press(
			    w, WORLD_ADMIN, w->screen[i].chat, world_button(&w->screen[i], "Seen"));
	assert_int_equal(reminders_of(w, live), 1);
	for (int i = 0; i < 2; i++) /* one is of what was seen */
		world_due(w, TIMER_NAG);
	assert_non_null(
	    world_says(w, "these hosts failed:\nh3: failed, runs aaaaaaa; does not answer"));
}

WAVES_TEST(a_migration_that_is_cut_is_the_end_of_its_waves)
{
	waves_begin(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .migration = true, .exit_status = -1, .signal_number = 15 });
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_FAILED);
	assert_string_equal(waves_live(w), COMMIT_A);
	assert_string_not_equal(world_newest(w, "staging").migration, "");
}

WAVES_TEST(a_wave_that_is_being_stopped_and_has_no_folder_is_paused)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_text(w, WORLD_ADMIN, "/rollback staging");
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\nh3:22\n");
}

/* --- beside waves --- */

WAVES_TEST(a_persons_rollback_is_one_run_for_all_and_rows_say_so)
{
	waves_come_to_2(w);
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll"));
	assert_null(world_peek(w, EFFECT_RUN)->u.run.hosts);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	for (int i = 1; i <= 3; i++)
		waves_is(w, i, HOST_IS_CURRENT, COMMIT_A);
}

WORLD_TEST_OF(what_drains_is_ended_on_hosts_with_the_release_alone, HOSTS, "STAGING_FAILURES_MAX=1")
{
	waves_come_to_2(w);
	waves_say(w, "h2 ok, h3 failed");
	world_run_releases(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .drains = true });
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	waves_ordered(w, "", "h1:22\nh2:22\n");
}

/* What is ordered to hosts with that program; "": nothing. */
static const char *
hosts_of(struct world *w, enum program program)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_RUN && w->open[i]->u.run.program == program)
			return w->open[i]->u.run.hosts;
	return "";
}

WAVES_TEST(each_wave_drains_its_own_hosts)
{
	const struct run_ended drains = { .gate_opened = true, .released = true, .drains = true };

	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, drains);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_string_equal(hosts_of(w, PROGRAM_DRAIN), "h1:22\n");
	assert_string_equal(hosts_of(w, PROGRAM_DEPLOY), "h2:22\nh3:22\n");
	world_run_ends(w, GOOD); /* the drain */
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, drains);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(hosts_of(w, PROGRAM_DRAIN), "h2:22\nh3:22\n");
}

WAVES_TEST(a_drain_goes_on_with_what_the_one_before_has_left)
{
	const struct run_ended drains = { .gate_opened = true, .released = true, .drains = true };

	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, drains);
	world_run_ends(w, TOUCHED); /* the drain */
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, drains);
	assert_string_equal(hosts_of(w, PROGRAM_DRAIN), "h1:22\nh2:22\nh3:22\n");
}

WORLD_TEST_OF(the_gate_of_a_wave_takes_both_releases_and_the_last_one_its_own, HOSTS, STAGING_URL)
{
	waves_begin(w);
	waves_say(w, "h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING);
	assert_string_equal(world_peek(w, EFFECT_PROBE)->u.probe.targets[0].commit, "");
	world_probed(w, NULL);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_string_equal(world_peek(w, EFFECT_PROBE)->u.probe.targets[0].commit, COMMIT_B);
	world_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\nh3:22\n");
}

#define OF_EACH "STAGING_HEALTH_URL=http://{host}:8080/healthz"

/* These hosts are asked at their own URLs, and those of `bad` answer 500. */
static void
hosts_probed(struct world *w, const char *names, const char *bad)
{
	struct effect *effect = world_must_take(w, EFFECT_PROBE);
	struct probed *probed = &effect->result->u.probed;

	assert_int_equal(effect->u.probe.n, 1);
	assert_string_equal(effect->u.probe.targets[0].url, "http://{host}:8080/healthz");
	assert_string_equal(effect->u.probe.hosts, names);
	probed->hosts = TAKE(effect->u.probe.hosts);
	probed->findings = mem_new(8, sizeof(*probed->findings));
	for (const char *at = names; *at != '\0'; at = strchr(at, ' ') + 1) {
		struct probe_finding *finding = &probed->findings[probed->n++];
		char name[8];

		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ":"), at);
		finding->is_healthy = strstr(bad, name) == NULL;
		text_set(finding->detail, finding->is_healthy ? "" : "HTTP 500");
	}
	world_report(w, effect);
}

WORLD_TEST_OF(hosts_that_are_unhealthy_count_as_failed, HOSTS, OF_EACH, "STAGING_FAILURES_MAX=34%")
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING);
	assert_string_equal(world_peek(w, EFFECT_PROBE)->u.probe.targets[0].commit, COMMIT_B);
	hosts_probed(w, "h1:22 ", "");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 began, h2 ok, h3 began, h3 ok");
	world_run_releases(w, GOOD);
	hosts_probed(w, "h2:22 h3:22 ", "h3");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts, 1 failed"));
	assert_non_null(world_says(w, "h3: failed, runs bbbbbbb; unhealthy: HTTP 500"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h3:22\n= " COMMIT_B "\nh1:22\n");
}

/* B is live on h2 and h3 when h1 comes, where the first wave of C fails. */
WORLD_TEST_OF(what_came_where_nothing_ran_before_is_ended_named_and_not_asked_for_its_health,
    "STAGING_HOST=h2,h3", "STAGING_WAVES=1, 100%", OF_EACH)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	waves_say(w, "h2 began, h2 ok");
	world_run_releases(w, GOOD);
	hosts_probed(w, "h2:22 ", "");
	waves_say(w, "h3 began, h3 ok");
	world_run_releases(w, GOOD);
	hosts_probed(w, "h3:22 ", "");
	world_settings(w, HOSTS, OF_EACH, NULL);
	world_settings_read(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h1:22\n");
	waves_say(w, "h1 began, h1 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_ordered(w, "", "= none\nh1:22\n");
	waves_say(w, "h1 began, h1 ok");
	world_run_ends(w, GOOD);
	hosts_probed(w, "h2:22 h3:22 ", "");
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	waves_is(w, 1, HOST_IS_CURRENT, "");
	assert_non_null(world_says(w, "1 of 1 touched hosts are rolled back\nh1: runs nothing"));
	assert_string_equal(waves_live(w), COMMIT_B);
}

WORLD_TEST_OF(more_unhealthy_hosts_than_may_are_rolled_back, HOSTS, OF_EACH)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	hosts_probed(w, "h1:22 ", "");
	waves_say(w, "h2 began, h2 ok, h3 began, h3 ok");
	world_run_releases(w, GOOD);
	world_restart(w);
	hosts_probed(w, "h2:22 h3:22 ", "h3");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\nh3:22\n");
	waves_say(w, "h1 ok, h2 ok, h3 ok");
	world_run_ends(w, GOOD);
	hosts_probed(w, "h1:22 h2:22 h3:22 ", "");
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "h3 (1 of 2 hosts)"));
}

WORLD_TEST_OF(
    a_wave_whose_hosts_are_all_unhealthy_is_no_success, HOSTS, OF_EACH, "STAGING_FAILURES_MAX=1")
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	hosts_probed(w, "h1:22 ", "h1");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\n");
}

WAVES_TEST(without_waves_rows_go_when_nothing_is_in_progress)
{
	waves_come_to_2(w);
	world_settings(w, "STAGING_HOST=h1,h2,h3", NULL);
	world_settings_read(w);
	assert_int_equal(waves_count(w), 3);
	waves_say(w, "h2 ok, h3 ok");
	world_due(w, TIMER_WAVES); /* that of its message */
	assert_int_equal(waves_count(w), 3);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 3 of 3 hosts"));
	world_due(w, TIMER_WAVES);
	assert_int_equal(waves_count(w), 0);
}

WAVES_TEST(what_an_abandoned_run_says_of_its_hosts_behind_its_end_is_theirs)
{
	int64_t run;

	waves_come_to_2(w);
	run = waves_run(w);
	is_abandoned(w);
	waves_say_of(w, run, "h2 began, h3 began, h3 ok");
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_B);
}

WAVES_TEST(what_an_abandoned_rollback_says_of_its_hosts_is_of_what_it_brought_back)
{
	int64_t run;

	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 failed");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	run = waves_run(w);
	is_abandoned(w);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_ROLLBACK_FAILED);
	waves_say_of(w, run, "h1 began, h1 ok");
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
}

WAVES_TEST(hosts_are_listed_and_status_says_what_is_mixed)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 failed: no space left");
	world_answers(w, WORLD_ADMIN, "/hosts staging", "Hosts: staging: 3 hosts");
	assert_non_null(world_says(w, "h1: runs bbbbbbb"));
	assert_non_null(world_says(w, "h3: runs aaaaaaa"));
	world_answers(w, WORLD_ADMIN, "/hosts staging failed",
	    "Hosts: staging: 1 failed or unknown host\nh2: failed, runs aaaaaaa; no space left");
	world_answers(w, WORLD_ADMIN, "/hosts staging old",
	    "Hosts: staging: 1 host not on the live release, aaaaaaa\nh1: runs bbbbbbb");
	world_answers(w, WORLD_ADMIN, "/status staging", "hosts: aaaaaaa on 2 of 3, bbbbbbb on 1");
}
