/* Goal: whatever a run, a gate or a person does, each deployment ends once, truthfully told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define STAGING_URL "STAGING_HEALTH_URL=http://127.0.0.1:1/health"
#define GOOD	    ((struct run_ended){ .gate_opened = true, .released = true })
#define UNTOUCHED \
	((struct run_ended){ .gate_opened = true, .exit_status = 65, .detail = "no such file" })
#define TOUCHED ((struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 })
#define LOST	((struct run_ended){ .gate_opened = true, .lost = true })
#define ENDED \
	((struct run_ended){ .gate_opened = true, \
	    .ended_on_request = true, \
	    .exit_status = -1, \
	    .signal_number = 15 })
#define ENDED_TOUCHED \
	((struct run_ended){ .gate_opened = true, \
	    .ended_on_request = true, \
	    .released = true, \
	    .exit_status = -1, \
	    .signal_number = 15 })
#define SHUT ((struct run_ended){ 0 })

/* A is live, B has begun. */
static void
b_over_a(struct world *w, const char *url)
{
	world_open(w, url, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	world_deploy_starts(w, COMMIT_B);
}

static enum deploy_state
state_of(struct world *w)
{
	return world_newest(w, "staging").state;
}

/* --- scripts that fail --- */

static void
a_script_that_fails_untouched_takes_nothing_back(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "build");
	world_run_ends(&w, UNTOUCHED);
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(
	    world_says_in(&w, WORLD_GROUP, "staging still runs aaaaaaa; nothing was touched"));
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "staging still runs aaaaaaa; nothing was touched"));
	assert_non_null(world_says(&w, "exit 65: no such file"));
	assert_string_equal(world_environment(&w, "staging").held_commit, "");
	assert_int_equal(world_active(&w, "staging").id, 0);
	assert_int_equal(world_audited(&w, "deploy_failed", COMMIT_B), 1);
	assert_string_equal(w.tallied, "failed");
	world_close(&w);
}

static void
an_end_that_failed_is_said_once_more_so_that_the_phone_rings(void **state)
{
	struct world w;
	size_t said;

	(void)state;
	b_over_a(&w, STAGING_URL);
	said = w.n_screen;
	world_run_ends(&w, UNTOUCHED);
	assert_int_equal(w.n_screen, said + 2); /* where it was asked for, and in the team's chat */
	world_close(&w);
}

static void
a_script_that_fails_after_release_is_taken_back(void **state)
{
	const struct effect *run, *probe;
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, TOUCHED);
	run = world_peek(&w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	assert_int_equal(world_run_starts(&w), 200);
	assert_non_null(world_says(&w, "↩️ going back to aaaaaaa"));
	world_run_ends(&w, GOOD);
	probe = world_peek(&w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, COMMIT_A);
	world_probed(&w, NULL);
	assert_int_equal(state_of(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(&w, "staging is NOT running bbbbbbb; it runs aaaaaaa again"));
	assert_string_equal(world_environment(&w, "staging").held_commit, COMMIT_B);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	assert_true(world_environment(&w, "staging").is_unacknowledged);
	assert_int_equal(world_audited(&w, "rollback_started", NULL), 1);
	assert_int_equal(world_audited(&w, "auto_rollback_completed", NULL), 1);
	assert_string_equal(w.tallied, "rolled_back");
	world_close(&w);
}

static void
a_release_that_is_not_healthy_is_taken_back(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(state_of(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(&w, "unhealthy: HTTP 500"));
	world_close(&w);
}

static void
a_rollback_that_fails_too_is_down(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, UNTOUCHED);
	assert_int_equal(state_of(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "staging is DOWN: neither bbbbbbb nor aaaaaaa is healthy"));
	assert_true(world_environment(&w, "staging").is_down);
	assert_int_equal(world_audited(&w, "auto_rollback_failed", "alert"), 1);
	assert_int_equal(world_active(&w, "staging").id, 0);
	world_close(&w);
}

/* It said "neither is healthy", of a rollback that nobody had tried. */
static void
a_rollback_that_could_not_begin_is_told_so(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, (struct run_ended){ .refused = true, .detail = "no space left" });
	assert_int_equal(state_of(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "staging may be DOWN: going back from bbbbbbb to aaaaaaa"));
	assert_non_null(world_says(&w, "the rollback could not be started: no space left"));
	assert_null(world_says(&w, "neither"));
	assert_true(world_environment(&w, "staging").is_down);
	world_close(&w);
}

static void
a_rollback_that_is_not_healthy_is_down(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed(&w, "no answer");
	assert_int_equal(state_of(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "HTTP 500; after going back: no answer"));
	world_close(&w);
}

static void
nothing_to_go_back_to_is_failed_and_not_known_to_be_well(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "staging is NOT known to be well"));
	assert_non_null(world_says(&w, "Last known release: none"));
	world_close(&w);
}

static void
a_script_that_says_no_rollback_has_no_way_back(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "no-rollback");
	world_run_step(&w, 1, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "Last known release: aaaaaaa"));
	world_close(&w);
}

static void
what_ran_out_of_time_says_so(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.deadline_s, 600);
	world_run_ends(&w,
	    (struct run_ended){ .gate_opened = true,
		.released = true,
		.timed_out = true,
		.exit_status = -1,
		.signal_number = 9 });
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "timed out: killed by signal 9"));
	world_close(&w);
}

/* --- cancel --- */

static void
a_cancel_asks_for_the_end_and_decides_nothing(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_STAGING_USER, "/cancel staging");
	assert_int_equal(world_count(&w, EFFECT_END), 1);
	assert_int_equal(
	    world_peek(&w, EFFECT_END)->u.end.run, world_peek(&w, EFFECT_RUN)->u.run.run);
	assert_int_equal(state_of(&w), DEPLOY_STOPPING);
	(void)store_aid_report(&w.aid, world_take(&w, EFFECT_END));
	assert_int_equal(state_of(&w), DEPLOY_STOPPING);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "staging is stopping: that cannot be cancelled"));
	assert_int_equal(world_count(&w, EFFECT_END), 0);

	world_run_ends(&w, ENDED);
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "staging still runs aaaaaaa; nothing was touched"));
	assert_non_null(world_says(&w, "cancelled: by @cy"));
	assert_int_equal(world_audited(&w, "cancel_requested", "telegram:33"), 1);
	assert_int_equal(world_audited(&w, "cancel_requested", "telegram:11"), 1);
	world_close(&w);
}

static void
what_was_cancelled_after_release_is_taken_back(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(&w, ENDED_TOUCHED);
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "staging is rolling back: that cannot be cancelled"));
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(state_of(&w), DEPLOY_ROLLED_BACK);
	assert_int_equal(world_newest(&w, "staging").why, DEPLOY_WHY_CANCELLED);
	world_close(&w);
}

static void
what_succeeds_before_its_end_is_asked_for_is_taken_back_all_the_same(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(&w, GOOD);
	assert_int_equal(state_of(&w), DEPLOY_ROLLING_BACK);
	assert_int_equal(world_count(&w, EFFECT_PROBE), 0);
	world_close(&w);
}

static void
a_cancel_while_verifying_drops_the_probe_and_goes_back(void **state)
{
	struct effect *probe;
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	probe = world_take(&w, EFFECT_PROBE);
	assert_non_null(probe);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(w.withdrawn, probe->id);
	assert_int_equal(state_of(&w), DEPLOY_ROLLING_BACK);

	/* Its result comes all the same: it finds nothing. */
	probe->result->u.probed.n = 1;
	probe->result->u.probed.findings = calloc(1, sizeof(struct probe_finding));
	probe->result->u.probed.findings[0].well = true;
	(void)store_aid_report(&w.aid, probe);
	assert_int_equal(state_of(&w), DEPLOY_ROLLING_BACK);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	world_close(&w);
}

static void
a_cancel_while_verifying_without_a_way_back_is_not_called_untouched(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	world_run_ends(
	    &w, (struct run_ended){ .gate_opened = true }); /* never said `==> release` */
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_null(world_says(&w, "nothing was touched"));
	assert_int_equal(world_count(&w, EFFECT_PROBE), 0);
	world_close(&w);
}

static void
a_run_ended_before_its_gate_opened_never_begins(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_run_starts(&w), 409);
	world_run_ends(&w, (struct run_ended){ .ended_on_request = true });
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_int_equal(world_count(&w, EFFECT_RUN), 0);
	world_close(&w);
}

static void
nothing_under_way_is_said_to_whoever_cancels(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "Nothing is under way in staging."));
	world_close(&w);
}

/* --- a rollback that a person asks for --- */

static void
a_persons_rollback_asks_with_one_button_and_goes_live(void **state)
{
	struct world_message *question;
	const struct effect *run;
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	question = world_last(&w);
	assert_non_null(strstr(world_plain(question), "Roll back staging?\nbbbbbbb → aaaaaaa"));
	assert_int_equal(question->buttons.n, 1);
	assert_null(world_peek(&w, EFFECT_RUN));

	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, question->buttons.at[0].question);
	run = world_peek(&w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "staging is running: that cannot be cancelled"));
	assert_string_equal(
	    world_button(world_says_in(&w, WORLD_GROUP, "↩️ staging ←"), "Cancel"), "");
	assert_null(world_peek(&w, EFFECT_END));

	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(state_of(&w), DEPLOY_LIVE);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_environment(&w, "staging").held_commit, "");
	assert_non_null(world_says(&w, "release 3, rolled back"));
	assert_int_equal(world_audited(&w, "rollback_started", "telegram:11"), 1);
	assert_int_equal(world_audited(&w, "rollback_completed", NULL), 1);
	world_close(&w);
}

/* It said "runs bbbbbbb already": the release before was of the same commit. */
static void
a_rollback_after_the_same_commit_twice_goes_to_another_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	assert_non_null(
	    strstr(world_plain(world_last(&w)), "Roll back staging?\nbbbbbbb → aaaaaaa"));
	world_close(&w);
}

static void
a_persons_rollback_that_fails_has_no_way_back_of_its_own(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_last(&w)->buttons.at[0].question);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_int_equal(world_audited(&w, "rollback_failed", NULL), 1);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_B);
	world_close(&w);
}

static void
a_rollback_to_what_is_not_there_lists_what_is(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	assert_non_null(world_says(&w, "staging has no earlier release to go back to."));
	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 77");
	assert_non_null(world_says(&w, "staging has no release 77. There are:\n• 1 aaaaaaa"));
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging aaaaaaa1");
	assert_non_null(world_says(&w, "staging runs aaaaaaa already."));
	assert_int_equal(world_count(&w, EFFECT_WAIT), 1);
	world_close(&w);
}

/* After DOWN nobody knows what runs: the release that was healthy last is the way out. */
static void
from_down_a_rollback_goes_to_the_last_that_was_healthy(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, UNTOUCHED);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_last(&w)->buttons.at[0].question);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_false(world_environment(&w, "staging").is_down);
	world_close(&w);
}

/* --- keepers and gates --- */

static void
a_gate_that_stays_shut_is_tried_three_times(void **state)
{
	int64_t first, second;
	struct world w;
	size_t said;

	(void)state;
	b_over_a(&w, STAGING_URL);
	said = w.n_screen;
	first = world_peek(&w, EFFECT_RUN)->u.run.run;
	world_run_ends(&w, SHUT);
	second = world_peek(&w, EFFECT_RUN)->u.run.run;
	assert_true(second > first);
	world_run_ends(&w, SHUT);
	assert_int_equal(state_of(&w), DEPLOY_RUNNING);
	assert_int_equal(w.n_screen, said); /* the same messages, not a new one for each */
	world_run_ends(&w, SHUT);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(state_of(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "not started: the script was never let go"));
	world_close(&w);
}

static void
a_lost_keeper_stops_and_then_is_taken_back(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_lost(&w);
	assert_int_equal(state_of(&w), DEPLOY_STOPPING);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1); /* nothing is started beside it */
	world_run_ends(&w, LOST);
	assert_int_equal(state_of(&w), DEPLOY_ROLLING_BACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "interrupted: its keeper was killed"));
	world_close(&w);
}

/* Power went: the row says that it was let go, the record no longer does. */
static void
a_run_that_was_let_go_and_lost_is_taken_back_whatever_its_record_says(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, (struct run_ended){ .lost = true });
	assert_int_equal(state_of(&w), DEPLOY_ROLLING_BACK);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_close(&w);
}

static void
a_run_that_was_lost_before_it_was_seen_begins_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	world_run_ends(&w, (struct run_ended){ .lost = true });
	assert_int_equal(state_of(&w), DEPLOY_RUNNING);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_close(&w);
}

static void
a_keeper_of_another_release_is_said_in_the_chat(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, NULL);
	world_run_deaf(&w);
	assert_int_equal(state_of(&w), DEPLOY_RUNNING);
	assert_non_null(world_says(&w, "started by another release of deploybot"));
	world_run_ends(&w, GOOD);
	assert_int_equal(state_of(&w), DEPLOY_LIVE);
	world_close(&w);
}

static void
a_rollback_that_is_lost_is_run_again_to_the_same_release(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_lost(&w);
	world_run_ends(&w, LOST);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(&w, LOST);
	world_run_ends(&w, LOST);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(state_of(&w), DEPLOY_ROLLBACK_FAILED);
	world_close(&w);
}

static void
a_result_whose_effect_is_closed_changes_nothing(void **state)
{
	struct event *again;
	struct world w;
	int64_t effect, run;

	(void)state;
	b_over_a(&w, STAGING_URL);
	effect = world_peek(&w, EFFECT_RUN)->id;
	run = world_peek(&w, EFFECT_RUN)->u.run.run;
	world_run_ends(&w, GOOD);
	again = store_aid_event(&w.aid, EVENT_RUN_ENDED);
	again->effect = effect;
	again->u.run_ended = TOUCHED;
	again->u.run_ended.run = run;
	(void)world_decide(&w, again);
	assert_int_equal(state_of(&w), DEPLOY_VERIFYING);
	world_probed(&w, NULL);
	assert_int_equal(state_of(&w), DEPLOY_LIVE);
	world_close(&w);
}

static void
a_cancel_button_of_what_has_ended_is_expired(void **state)
{
	char id[LIMIT_QUESTION];
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	(void)text_copy(
	    id, sizeof(id), world_button(world_says_in(&w, WORLD_GROUP, "🚀 staging"), "Cancel"));
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_int_equal(state_of(&w), DEPLOY_LIVE);
	world_close(&w);
}

static void
what_a_deployment_needs_to_end_is_what_it_started_with(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_settings(&w, "STAGING_HEALTH_URL=http://127.0.0.1:1/other", NULL);
	world_run_ends(&w, GOOD);
	assert_string_equal(
	    world_peek(&w, EFFECT_PROBE)->u.probe.targets[0].url, "http://127.0.0.1:1/health");
	world_close(&w);
}

static void
every_final_message_carries_the_audits_head(void **state)
{
	struct world w;

	(void)state;
	b_over_a(&w, STAGING_URL);
	world_run_ends(&w, UNTOUCHED);
	assert_non_null(
	    strstr(world_plain(world_says_in(&w, WORLD_GROUP, "nothing was touched")), "audit "));
	(void)world_audited(&w, "", NULL);
	for (size_t i = 0; i < w.n_screen; i++) {
		const char *at = strstr(world_plain(&w.screen[i]), "audit ");
		char head[9] = "";

		if (at == NULL)
			continue;
		(void)text_copy(head, sizeof(head), at + 6);
		head[8] = '\0';
		if (strstr(w.audit, head) == NULL)
			fail_msg("audit head %s is not in the chain", head);
	}
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_that_fails_untouched_takes_nothing_back),
		cmocka_unit_test(an_end_that_failed_is_said_once_more_so_that_the_phone_rings),
		cmocka_unit_test(a_script_that_fails_after_release_is_taken_back),
		cmocka_unit_test(a_release_that_is_not_healthy_is_taken_back),
		cmocka_unit_test(a_rollback_that_fails_too_is_down),
		cmocka_unit_test(a_rollback_that_could_not_begin_is_told_so),
		cmocka_unit_test(a_rollback_that_is_not_healthy_is_down),
		cmocka_unit_test(nothing_to_go_back_to_is_failed_and_not_known_to_be_well),
		cmocka_unit_test(a_script_that_says_no_rollback_has_no_way_back),
		cmocka_unit_test(what_ran_out_of_time_says_so),
		cmocka_unit_test(a_cancel_asks_for_the_end_and_decides_nothing),
		cmocka_unit_test(what_was_cancelled_after_release_is_taken_back),
		cmocka_unit_test(
		    what_succeeds_before_its_end_is_asked_for_is_taken_back_all_the_same),
		cmocka_unit_test(a_cancel_while_verifying_drops_the_probe_and_goes_back),
		cmocka_unit_test(
		    a_cancel_while_verifying_without_a_way_back_is_not_called_untouched),
		cmocka_unit_test(a_run_ended_before_its_gate_opened_never_begins),
		cmocka_unit_test(nothing_under_way_is_said_to_whoever_cancels),
		cmocka_unit_test(a_persons_rollback_asks_with_one_button_and_goes_live),
		cmocka_unit_test(a_rollback_after_the_same_commit_twice_goes_to_another_one),
		cmocka_unit_test(a_persons_rollback_that_fails_has_no_way_back_of_its_own),
		cmocka_unit_test(a_rollback_to_what_is_not_there_lists_what_is),
		cmocka_unit_test(from_down_a_rollback_goes_to_the_last_that_was_healthy),
		cmocka_unit_test(a_gate_that_stays_shut_is_tried_three_times),
		cmocka_unit_test(a_lost_keeper_stops_and_then_is_taken_back),
		cmocka_unit_test(
		    a_run_that_was_let_go_and_lost_is_taken_back_whatever_its_record_says),
		cmocka_unit_test(a_run_that_was_lost_before_it_was_seen_begins_again),
		cmocka_unit_test(a_keeper_of_another_release_is_said_in_the_chat),
		cmocka_unit_test(a_rollback_that_is_lost_is_run_again_to_the_same_release),
		cmocka_unit_test(a_result_whose_effect_is_closed_changes_nothing),
		cmocka_unit_test(a_cancel_button_of_what_has_ended_is_expired),
		cmocka_unit_test(what_a_deployment_needs_to_end_is_what_it_started_with),
		cmocka_unit_test(every_final_message_carries_the_audits_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
