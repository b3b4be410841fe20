/* Goal: a run whose runner is disconnected is guessed about by nobody, and abandoned by people.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/text.h"

static void
runner_is(struct world *w, enum event_kind kind, const char *name)
{
	struct event *event = store_aid_event(&w->aid, kind);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), name);
	(void)world_decide(w, event);
}

/* B is being deployed over A, and the runner is disconnected. */
static void
disconnected_at_work(struct world *w)
{
	world_b_over_a(w, NULL);
	runner_is(w, EVENT_RUNNER_GONE, "local");
}

static void
press_abandon(struct world *w, int64_t person)
{
	(void)world_press(w, person, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "❓ Abandon"), "Abandon #"));
}

WORLD_TEST_BARE(its_message_says_since_when_its_runner_is_disconnected)
{
	disconnected_at_work(w);
	assert_non_null(world_says(w, "⚠️ its runner is disconnected since "));
	world_answers(w, WORLD_ADMIN, "/status staging", ", its runner is disconnected since ");
	runner_is(w, EVENT_RUNNER_GONE, "local"); /* since when stays as it is */
	runner_is(w, EVENT_RUNNER_HELLO, "local");
	assert_null(strstr(world_plain(world_says(w, "⏳ Deploying staging")), "disconnected"));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

WORLD_TEST_BARE(another_runner_concerns_nothing_here)
{
	world_b_over_a(w, NULL);
	runner_is(w, EVENT_RUNNER_GONE, "build-1");
	assert_null(world_says(w, "disconnected"));
	world_answers(w, WORLD_ADMIN, "/abandon 2",
	    "is connected and is waited for. /cancel staging stops it");
}

WORLD_TEST_BARE(what_may_go_on_is_named_and_asked_before_it_is_abandoned)
{
	disconnected_at_work(w);
	world_answers(w, WORLD_ADMIN, "/abandon #2", "❓ Abandon staging? #2 bbbbbbb");
	assert_non_null(strstr(world_plain(world_last(w)), "may go on: this stops nothing"));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	world_answers(w, WORLD_ADMIN, "/abandon 2 yes", "❓ Abandon staging?"); /* in a chat a word
										  * is no press */
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	press_abandon(w, WORLD_ADMIN);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "abandoned by @ada while its runner was disconnected"));
	assert_non_null(world_says(w, "State unknown: staging"));
	world_answers(w, WORLD_ADMIN, "/show 2", ", not known how it ended (run ");
	assert_int_equal(world_audited(w, "run_abandoned", "telegram:11"), 1);
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0); /* it has passed its gate */
}

WORLD_TEST_BARE(what_its_runner_says_of_it_later_changes_nothing)
{
	struct effect *run;

	disconnected_at_work(w);
	(void)world_text(w, WORLD_ADMIN, "/abandon 2");
	press_abandon(w, WORLD_ADMIN);
	runner_is(w, EVENT_RUNNER_HELLO, "local");
	run = world_take(w, EFFECT_RUN);
	run->result->u.run_ended = GOOD;
	run->result->u.run_ended.run = run->u.run.run;
	(void)store_aid_report(&w->aid, run);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_count(w, EFFECT_PROBE), 0);
	assert_null(world_peek(w, EFFECT_RUN));
	world_answers(w, WORLD_ADMIN, "/status staging", "unknown");
}

/* Ordered, and nobody knows whether its script was begun: it never passes its gate. */
WORLD_TEST_BARE(what_was_not_seen_at_its_gate_is_called_off)
{
	world_open(w, NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	runner_is(w, EVENT_RUNNER_GONE, "local");
	(void)world_text(w, WORLD_ADMIN, "/abandon 1");
	press_abandon(w, WORLD_ADMIN);
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 1);
	assert_int_equal(
	    world_peek(w, EFFECT_STOP_RUN)->u.stop_run.run, world_peek(w, EFFECT_RUN)->u.run.run);
	assert_int_not_equal(world_run_starts(w), 200);
}

/* /cancel stops nothing there, and says who can end it. */
WORLD_TEST_BARE(what_nobody_can_stop_is_said_of_cancel_too)
{
	disconnected_at_work(w);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_answers(w, WORLD_ADMIN, "/cancel staging", "/abandon 2");
}

WORLD_TEST_BARE(a_press_behind_its_return_abandons_nothing)
{
	disconnected_at_work(w);
	(void)world_text(w, WORLD_ADMIN, "/abandon 2");
	runner_is(w, EVENT_RUNNER_HELLO, "local");
	press_abandon(w, WORLD_ADMIN);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

WORLD_TEST_BARE(who_may_cancel_may_not_abandon)
{
	disconnected_at_work(w);
	(void)world_text(w, WORLD_STAGING_USER, "/abandon 2");
	assert_null(world_says(w, "❓ Abandon"));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	(void)world_text(w, WORLD_ADMIN, "/abandon 2");
	press_abandon(w, WORLD_STAGING_USER);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_string_equal(w->toast, "⛔ Only who asked may press this.");
}

WORLD_TEST_BARE(what_has_no_run_cannot_be_abandoned)
{
	disconnected_at_work(w);
	world_answers(w, WORLD_ADMIN, "/abandon", "Which one? /abandon needs the number");
	world_answers(w, WORLD_ADMIN, "/abandon 77", "There is no deployment of that number");
	world_answers(w, WORLD_ADMIN, "/abandon 1", "⛔ Not abandoned: staging: #1 has no run");
}

/* Its next deployment is asked for as any is, where nobody knows what runs. */
WORLD_TEST_BARE(what_is_queued_waits_until_somebody_has_looked)
{
	disconnected_at_work(w);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/abandon 2");
	press_abandon(w, WORLD_ADMIN);
	assert_int_equal(world_count(w, EFFECT_RUN), 1); /* that of the abandoned one */
}
