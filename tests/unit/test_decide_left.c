/* Goal: a dead host keeps no bad release on the others; what it has itself is said until one came.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#define HOSTS "STAGING_HOST=h1,10.77.0.12:2222,h3"
#define URLS  "STAGING_HEALTH_URL=http://h1:1/health,http://10.77.0.12:1/health"
#define DEAD  "unreachable 10.77.0.12"
#define CUT   ((struct run_ended){ .gate_opened = true, .exit_status = 69 })

/* B is bad, and a rollback to A came to nothing, as one did not answer; what is said then. */
static struct world_message *
rollback_fails(struct world *w, const char *step)
{
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_rollback_asks(w, "/rollback staging")->buttons.at[0].id);
	world_run_step(w, 0, step);
	world_run_ends(w, CUT);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	return world_last(w);
}

static void
open_with_b_over_a(struct world *w)
{
	world_open(w, HOSTS, URLS, NULL);
	world_two_go_live(w, COMMIT_A, COMMIT_B);
}

/* Its question, once it was pressed. */
static struct world_message *
press_without(struct world *w, const struct world_message *failed, const char *label)
{
	(void)world_press(w, WORLD_ADMIN, failed->chat, world_button(failed, label));
	return world_last(w);
}

/* The same with a yes: what was ordered. */
static const char *
starts_without(struct world *w, const struct world_message *failed, const char *label)
{
	struct world_message *question = press_without(w, failed, label);

	(void)world_press(w, WORLD_ADMIN, question->chat, question->buttons.at[0].id);
	assert_non_null(world_peek(w, EFFECT_RUN));
	return world_peek(w, EFFECT_RUN)->u.run.without;
}

/* It leaves out that one, or nobody (NULL), and is live. */
static void
goes_live_without(struct world *w, const char *step)
{
	if (step != NULL)
		world_run_step(w, 0, step);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

static const char *
status_of(struct world *w)
{
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL); /* its own look at health */
	return world_plain(world_last(w));
}

WORLD_TEST_BARE(who_does_not_answer_is_asked_about_by_name_and_ordered)
{
	struct world_message *failed, *question;

	open_with_b_over_a(w);
	failed = rollback_fails(w, DEAD);
	assert_non_null(strstr(world_labels(failed), "🔁 Without 10.77.0.12"));
	(void)world_press(w, WORLD_STRANGER, failed->chat, world_button(failed, "Without"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	question = press_without(w, failed, "Without");
	assert_non_null(strstr(world_plain(question),
	    "\n⚠️ without 10.77.0.12, where no answer comes then either: what is there stays until a release reaches it\n"));
	assert_int_equal(world_audited(w, "\"without\":\"10.77.0.12\"", "deploy_requested"), 1);
	(void)world_press(w, WORLD_ADMIN, question->chat, question->buttons.at[0].id);
	world_restart(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.without, "10.77.0.12");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_audited(w, "\"without\":\"10.77.0.12\"", "rollback_started"), 1);
}

WORLD_TEST_BARE(no_other_work_leaves_anybody_out)
{
	open_with_b_over_a(w);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_rollback_asks(w, "/rollback staging")->buttons.at[0].id);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.without, "");
	world_run_step(w, 0, "release");
	world_run_step(w, 1, DEAD);
	world_run_ends(w, TOUCHED); /* it changed something: what runs is not that simple */
	assert_null(strstr(world_labels(world_last(w)), "Without"));
}

WORLD_TEST_BARE(the_drain_behind_it_leaves_out_the_same)
{
	open_with_b_over_a(w);
	assert_string_equal(starts_without(w, rollback_fails(w, DEAD), "Without"), "10.77.0.12");
	world_run_step(w, 0, DEAD);
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .drains = true });
	world_probed(w, NULL);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_DRAIN);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.without, "10.77.0.12");
}

WORLD_TEST_BARE(the_one_left_out_is_not_probed_and_named_until_a_release_reaches_it)
{
	open_with_b_over_a(w);
	assert_string_equal(starts_without(w, rollback_fails(w, DEAD), "Without"), "10.77.0.12");
	world_run_step(w, 0, DEAD);
	world_run_ends(w, GOOD);
	assert_int_equal(world_peek(w, EFFECT_PROBE)->u.probe.n, 1);
	assert_string_equal(
	    world_peek(w, EFFECT_PROBE)->u.probe.targets[0].url, "http://h1:1/health");
	world_probed(w, NULL);
	world_restart(w);
	assert_non_null(strstr(status_of(w), "\n⚠️ 10.77.0.12 still has bbbbbbb, left out "));
	world_deploy_starts(w, COMMIT_C);
	assert_non_null(strstr(status_of(w), "10.77.0.12 still has bbbbbbb"));
	world_run_is_probed(w, NULL);
	assert_null(strstr(status_of(w), "still has"));
}

WORLD_TEST_BARE(who_answers_again_is_rolled_back_and_probed_as_all)
{
	open_with_b_over_a(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	world_run_ends(w, GOOD);
	assert_int_equal(world_peek(w, EFFECT_PROBE)->u.probe.n, 2);
	world_probed(w, NULL);
	assert_null(strstr(status_of(w), "still has"));
}

/* Regression: a host that a run's output named was left out, also where nobody had agreed to it. */
WORLD_TEST_BARE(no_word_of_a_script_alone_leaves_a_host_out)
{
	open_with_b_over_a(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	world_run_step(w, 0, "unreachable h1");
	world_run_ends(w, GOOD);
	assert_int_equal(world_peek(w, EFFECT_PROBE)->u.probe.n, 2);
	world_probed(w, NULL);
	assert_null(strstr(status_of(w), "still has"));
}

WORLD_TEST_BARE(a_second_dead_one_is_asked_about_with_the_first)
{
	struct world_message *failed;

	open_with_b_over_a(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	world_run_step(w, 0, DEAD);
	world_run_step(w, 1, "unreachable h3");
	world_run_ends(w, CUT);
	failed = world_last(w);
	assert_string_equal(starts_without(w, failed, "Without"), "10.77.0.12,h3");
	goes_live_without(w, DEAD); /* the other one is there again */
	assert_non_null(strstr(status_of(w), "10.77.0.12 still has bbbbbbb"));
	assert_null(strstr(status_of(w), "h3 still has"));
}

#define EC2  "ec2-203-0-113-25.eu-central-1.compute.amazonaws.com" /* longer than a step's name */
#define EC2B "ec2-203-0-113-26.eu-central-1.compute.amazonaws.com"

/* A step's name is cut to 47 bytes: there was no button for it. */
WORLD_TEST_OF(a_host_with_a_long_name_is_left_out_too, "STAGING_HOST=" EC2 ":22," EC2B ":2222",
    "STAGING_HEALTH_URL=http://" EC2 ":1/health,http://" EC2B ":1/health")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	assert_string_equal(
	    starts_without(w,
		rollback_fails(w, "unreachable ec2-203-0-113-26.eu-central-1.compute"), "Without"),
	    EC2B);
	goes_live_without(w, "unreachable ec2-203-0-113-26.eu-central-1.compute");
	assert_non_null(strstr(status_of(w), EC2B " still has bbbbbbb"));
}

/* Two begin so: which one it is, nobody knows. */
WORLD_TEST_OF(what_several_begin_with_is_none_of_them,
    "STAGING_HOST=webs.eu-central-1.compute.example.com,webs.eu-central-1.compute.example.cz",
    "STAGING_HEALTH_URL=http://webs.eu-central-1.compute.example.com:1/health")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	assert_string_equal(
	    starts_without(
		w, rollback_fails(w, "unreachable webs.eu-central-1.compute.example.c"), "Without"),
	    "webs.eu-central-1.compute.example.c");
}

WORLD_TEST_OF(what_it_has_stays_what_it_had_first_and_goes_with_its_setting, HOSTS)
{
	struct world_message *failed;
	struct event *event;

	world_three_go_live(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	world_run_step(w, 0, DEAD);
	world_run_ends(w, GOOD);
	failed = rollback_fails(w, DEAD);
	(void)starts_without(w, failed, "Without");
	world_run_step(w, 0, DEAD);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_non_null(strstr(status_of(w), "10.77.0.12 still has ccccccc"));
	world_settings(w, "STAGING_HOST=h1,h3", NULL);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_null(strstr(status_of(w), "still has"));
}

/* A release that reached all of them, and was rolled back on all of them. */
WORLD_TEST_BARE(an_automatic_rollback_has_reached_it_too)
{
	open_with_b_over_a(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	goes_live_without(w, DEAD);
	world_deploy_starts(w, COMMIT_C);
	world_run_releases(w, TOUCHED);
	assert_non_null(strstr(status_of(w), "still has bbbbbbb"));
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_null(strstr(status_of(w), "still has"));
}

/* C is bad on all hosts, and is not rolled back, as one is dead. */
static void
fails_to_roll_back(struct world *w)
{
	world_deploy_starts(w, COMMIT_C);
	world_run_is_probed(w, "HTTP 500");
	world_run_step(w, 0, DEAD);
	world_run_ends(w, CUT);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
}

/* Regression: it was offered once a rollback by hand had failed as well. */
WORLD_TEST_BARE(who_stops_an_automatic_rollback_is_asked_about_below_that)
{
	const struct effect_run *run;

	open_with_b_over_a(w);
	fails_to_roll_back(w);
	assert_string_equal(
	    starts_without(w, world_says(w, "Rollback failed: "), "Without"), "10.77.0.12");
	run = &world_peek(w, EFFECT_RUN)->u.run;
	assert_int_equal(run->program, PROGRAM_ROLLBACK);
	assert_string_equal(run->commit, COMMIT_B);
	goes_live_without(w, DEAD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
}

WORLD_TEST_BARE(an_automatic_rollback_that_changed_something_leaves_nobody_out)
{
	open_with_b_over_a(w);
	world_deploy_starts(w, COMMIT_C);
	world_run_is_probed(w, "HTTP 500");
	world_run_step(w, 0, "release");
	world_run_step(w, 1, DEAD);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_null(strstr(world_labels(world_says(w, "Rollback failed: ")), "Without"));
}

#define NOT_KNOWN "\n⚠️ 10.77.0.12: what it has is not known, left out"

/* Regression: it was said to have the last live release, and had the bad one. */
WORLD_TEST_BARE(what_one_has_that_is_left_out_of_an_environment_in_doubt_is_not_known)
{
	open_with_b_over_a(w);
	fails_to_roll_back(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	goes_live_without(w, DEAD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_non_null(strstr(world_plain(world_says(w, "Rolled back: ")), NOT_KNOWN "\n"));
	assert_non_null(strstr(world_plain(world_says(w, "Over: ")), NOT_KNOWN "\n"));
	assert_non_null(strstr(status_of(w), NOT_KNOWN " "));
	assert_null(strstr(status_of(w), "still has"));
}

/* The bad release may have reached it, or not. */
WORLD_TEST_BARE(what_one_had_that_was_left_out_is_not_known_once_a_release_has_failed_there)
{
	open_with_b_over_a(w);
	(void)starts_without(w, rollback_fails(w, DEAD), "Without");
	goes_live_without(w, DEAD);
	assert_non_null(strstr(world_plain(world_says(w, "Rolled back: ")),
	    "\n⚠️ 10.77.0.12 still has bbbbbbb, left out\n"));
	fails_to_roll_back(w);
	assert_non_null(strstr(status_of(w), NOT_KNOWN " "));
}
