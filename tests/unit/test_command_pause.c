/* Goal: whoever meets what is paused, or stops it, reads where it stands and the ways out.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "bake_aid.h"
#include "waves_aid.h"

static void
press(struct world *w, int64_t person, const char *head, const char *label)
{
	(void)world_press(
	    w, person, WORLD_GROUP, world_button(world_says_in(w, WORLD_GROUP, head), label));
}

static void
paused_before_2(struct world *w)
{
	waves_begin(w);
	world_text(w, WORLD_ADMIN, "/pause staging");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

WAVES_TEST(a_second_pause_says_who_paused_it_where_and_how_it_goes_on)
{
	paused_before_2(w);
	world_answers_last(w, WORLD_OTHER_ADMIN, "/pause staging",
	    "🟡 Paused already: staging\nwave 2 of 2: 0 of its 2 hosts, 1 of all 3\npaused: by @ada, since ");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "\n/resume staging goes on, /rollback staging rolls it back"));
	assert_non_null(strstr(world_labels(world_last(w)), "▶️ Go on"));
	assert_null(world_says(w, "<ENV>"));
}

WAVES_TEST(the_last_wave_is_not_paused_and_says_so)
{
	waves_come_to_2(w);
	world_answers_last(w, WORLD_ADMIN, "/pause staging",
	    "⛔ Not paused: staging: wave 2 of 2 is the last, and nothing follows that could be paused; /cancel staging stops it.");
	world_run_releases(w, GOOD);
}

WORLD_TEST(what_neither_bakes_nor_goes_in_waves_is_not_paused)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_answers_last(w, WORLD_ADMIN, "/pause staging",
	    "⛔ Not paused: staging: nothing follows its script that could be paused; /cancel staging stops it.");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_answers_last(
	    w, WORLD_ADMIN, "/pause staging", "⛔ Not paused: staging: it is stopping.");
}

/* A rule has it that it asks nothing, as [Roll back] does. */
WORLD_TEST_OF(a_cancel_of_what_bakes_says_what_it_rolls_back_to_and_blocks, "STAGING_BAKE=2m")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	world_answers_last(w, WORLD_ADMIN, "/cancel staging",
	    "⏳ Stopping: staging rolls back to aaaaaaa.\nbbbbbbb ");
	assert_non_null(strstr(world_plain(world_last(w)),
	    " is blocked then: a push does not deploy it again; /deploy staging bbbbbbb asks first."));
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

WAVES_TEST(hosts_that_a_cancel_has_cut_in_their_switch_are_named)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_null(world_says(w, "cut in the middle"));
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says_in(
	    w, WORLD_GROUP, "h3: touched, ran aaaaaaa before; cut in the middle of its switch"));
	assert_null(world_says(w, "h2: touched"));
	/* What a cut switch has left is not counted as what ran before. */
	world_answers_last(w, WORLD_ADMIN, "/status staging", "bbbbbbb on 2 of 3, touched on 1");
	world_answers_last(w, WORLD_ADMIN, "/hosts staging failed", "Hosts: staging: 1 failed");
	assert_non_null(strstr(world_plain(world_last(w)), "h3: touched, ran aaaaaaa before"));
	world_answers_last(w, WORLD_ADMIN, "/hosts staging old", "Hosts: staging: ");
	assert_non_null(strstr(world_plain(world_last(w)), "h3: touched, ran aaaaaaa before"));
}

/* What may run either is not said to run nothing. */
WAVES_TEST(where_a_switch_was_cut_nothing_is_said_of_what_it_left)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	press(w, WORLD_ADMIN, "Paused: ", "Leave it");
	assert_non_null(world_says(w, "left as it is by @ada: bbbbbbb on 2 of 3, touched on 1"));
	assert_null(world_says(w, "the others nothing"));
}

WAVES_TEST(where_each_switch_was_cut_no_host_is_said_to_run_it)
{
	waves_begin(w);
	waves_say(w, "h1 began");
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	world_rewrite(w, "DELETE FROM host WHERE name <> 'h1:22'");
	press(w, WORLD_ADMIN, "Paused: ", "Leave it");
	assert_non_null(
	    world_says(w, "left as it is by @ada: what any of its hosts runs is not known"));
}

/* While its run goes on it is no failure. */
WAVES_TEST(a_host_that_is_being_switched_has_not_failed)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began");
	world_answers_last(w, WORLD_ADMIN, "/hosts staging failed", "Hosts: staging: 0 failed");
}

static void
change(struct tx *tx, UNUSED void *arg)
{
	row_environment_set_known(tx, "staging");
}

/* What is not live on record, be it what is on its way there, and what may be anything. */
WAVES_TEST(a_gauge_counts_the_hosts_that_do_not_run_what_is_live)
{
	const struct environment_gauge *staging = NULL;
	struct outcome *outcome;

	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 ok, h3 began");
	store_aid_forget(&w->aid);
	store_aid_act(&w->aid, change, NULL);
	outcome = store_aid_take_outcome(&w->aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	for (size_t i = 0; i < outcome->gauges->n_environments; i++)
		if (strcmp(outcome->gauges->environment[i].name, "staging") == 0)
			staging = &outcome->gauges->environment[i];
	assert_non_null(staging);
	assert_int_equal(staging->hosts[HOST_IS_CURRENT], 2);
	assert_int_equal(staging->hosts_behind, 3);
	outcome_free(outcome);
}

/* Its first release has none before it to go back to. */
WAVES_TEST(a_pause_names_no_way_back_where_there_is_none)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_text(w, WORLD_ADMIN, "/pause staging");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "It serves, and is not live: /resume staging goes on, /cancel staging gives it up"));
	assert_null(world_says_in(w, WORLD_GROUP, "/rollback staging rolls it back"));
}

WAVES_TEST(what_is_paused_is_no_deployment_in_progress_to_who_asks_for_it_again)
{
	paused_before_2(w);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_B);
	assert_non_null(world_says(w,
	    "it is paused there (by @ada): /resume staging goes on, /rollback staging rolls it back"));
	assert_null(world_says(w, "it is being deployed already"));
	press(w, WORLD_OTHER_ADMIN, "Not deployed: staging", "Go on");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
}

WAVES_TEST(what_waits_for_something_paused_says_so_until_it_goes_on)
{
	paused_before_2(w);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_C);
	assert_non_null(world_says_in(w, WORLD_GROUP, "; it is paused\nwave 2 of 2: 0 of its 2"));
	assert_non_null(world_says_in(
	    w, WORLD_GROUP, "\n/resume staging goes on, /rollback staging rolls it back"));
	press(w, WORLD_OTHER_ADMIN, "Queued: ", "Go on bbbbbbb");
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	assert_null(world_says_in(w, WORLD_GROUP, "; it is paused"));
	assert_null(strstr(world_labels(world_says_in(w, WORLD_GROUP, "Queued: ")), "Go on"));
}

WORLD_TEST_OF(a_question_over_what_is_paused_has_the_ways_out, HOSTS, "STAGING_CONFIRM=true")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	press(w, WORLD_ADMIN, "Deploy to ", "Deploy");
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git(w, (struct world_git){ .commit = COMMIT_B });
	world_text(w, WORLD_ADMIN, "/pause staging");
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_non_null(strstr(world_plain(world_last(w)),
	    "is paused: bbbbbbb (/resume staging goes on, /rollback staging rolls it back); this waits"));
	assert_non_null(strstr(world_labels(world_last(w)), "▶️ Go on bbbbbbb"));
}

WAVES_TEST(status_says_who_paused_it_where_and_since_when)
{
	paused_before_2(w);
	world_answers_last(w, WORLD_OTHER_ADMIN, "/status staging",
	    "\nwave 2 of 2: 0 of its 2 hosts, 1 of all 3\npaused: by @ada, since ");
	assert_null(strstr(world_plain(world_last(w)), "paused bbbbbbb ("));
	assert_non_null(
	    strstr(world_labels(world_last(w)), "▶️ Go on staging | ↩️ Roll back staging"));
	(void)world_press(
	    w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(w), "Go on staging"));
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	world_answers_last(w, WORLD_OTHER_ADMIN, "/status staging", "in progress bbbbbbb");
	assert_null(strstr(world_labels(world_last(w)), "Go on"));
}

WAVES_TEST(a_second_press_on_go_on_says_that_it_goes_on_already)
{
	char button[LIMIT_BUTTON_ID];

	paused_before_2(w);
	text_set(button, world_button(world_says_in(w, WORLD_GROUP, "Paused: "), "Go on"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_string_equal(w->toast, "It goes on.");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, button);
	assert_string_equal(
	    w->toast, "Not paused: staging: it goes on already: it is in progress.");
	assert_null(world_says(w, "Not paused: "));
	world_run_starts(w);
	world_answers_last(w, WORLD_ADMIN, "/resume staging",
	    "Not paused: staging: it goes on already, its run began ");
}

WAVES_TEST(who_resumes_the_queue_reads_that_hosts_run_different_releases)
{
	waves_come_to_2(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	press(w, WORLD_ADMIN, "Paused: ", "Leave it");
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	world_answers_last(w, WORLD_ADMIN, "/status staging", "⚠️ staging: 2 of 3 run aaaaaaa");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "⚠️ What runs in staging is not what is live on record, says deploybot on "));
	assert_null(world_says(w, "not known what runs"));
	press(w, WORLD_ADMIN, "Left as it is: staging", "Resume queue");
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
	assert_non_null(world_says(w,
	    "deployments go on.\n⚠️ its hosts run different releases: aaaaaaa on 2 of 3, bbbbbbb on 1"));
}
