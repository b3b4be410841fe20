/* Goal: a cancel stops what can be stopped, takes back what was touched, and decides nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define ENDED \
	((struct run_ended){ .gate_opened = true, \
	    .ended_on_request = true, \
	    .exit_status = -1, \
	    .signal_number = 15 })
#define ENDED_TARGET_CHANGED \
	((struct run_ended){ .gate_opened = true, \
	    .ended_on_request = true, \
	    .released = true, \
	    .exit_status = -1, \
	    .signal_number = 15 })

WORLD_TEST_BARE(a_cancel_asks_for_the_end_and_decides_nothing)
{
	world_b_over_a(w, STAGING_URL);
	(void)world_text(w, WORLD_STAGING_USER, "/cancel staging");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 1);
	assert_int_equal(
	    world_peek(w, EFFECT_STOP_RUN)->u.stop_run.run, world_peek(w, EFFECT_RUN)->u.run.run);
	assert_int_equal(world_state(w), DEPLOY_STOPPING);
	(void)store_aid_report(&w->aid, world_take(w, EFFECT_STOP_RUN));
	assert_int_equal(world_state(w), DEPLOY_STOPPING);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	world_answers(w, WORLD_ADMIN, "/cancel staging",
	    "Not cancelled: staging is stopping, which ends by itself");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0);

	world_run_ends(w, ENDED);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "staging still runs aaaaaaa"));
	assert_non_null(world_says(w, "\nbbbbbbb was stopped\n"));
	assert_null(world_says(w, "bbbbbbb \"Make it blue\" failed")); /* it was wanted */
	assert_int_equal(world_audited(w, "cancel_requested", "telegram:33"), 1);
	assert_int_equal(world_audited(w, "cancel_requested", "telegram:11"), 1);
}

WORLD_TEST_BARE(what_was_cancelled_after_release_is_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, ENDED_TARGET_CHANGED);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_answers(w, WORLD_ADMIN, "/cancel staging",
	    "Not cancelled: staging is rolling back, which ends by itself");
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_CANCELLED);
}

WORLD_TEST_BARE(what_succeeds_before_its_end_is_asked_for_is_rolled_back_all_the_same)
{
	world_b_over_a(w, STAGING_URL);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_int_equal(world_count(w, EFFECT_PROBE), 0);
}

WORLD_TEST_BARE(a_cancel_while_verifying_drops_the_probe_and_goes_back)
{
	struct effect *probe;

	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, GOOD);
	probe = world_take(w, EFFECT_PROBE);
	assert_non_null(probe);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(w->withdrawn, probe->id);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);

	/* Its result comes all the same: it finds nothing. */
	probe->result->u.probed.n = 1;
	probe->result->u.probed.findings = calloc(1, sizeof(struct probe_finding));
	probe->result->u.probed.findings[0].is_healthy = true;
	(void)store_aid_report(&w->aid, probe);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_OF(a_cancel_while_verifying_without_a_rollback_is_not_called_unchanged, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_ends(w, (struct run_ended){ .gate_opened = true }); /* never said `==> release` */
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_null(world_says(w, "nothing was changed"));
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_non_null(world_peek_look(w)); /* of what it left */
}

WORLD_TEST_OF(a_run_ended_before_its_gate_opened_never_begins, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_run_starts(w), 409);
	world_run_ends(w, (struct run_ended){ .ended_on_request = true });
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST(nothing_in_progress_is_said_to_whoever_cancels)
{
	world_answers(w, WORLD_ADMIN, "/cancel staging",
	    "Nothing to stop: staging: no deployment is in progress or queued.");
}

/* What runs when it is pressed is another: that goes on. */
WORLD_TEST_OF(without_a_name_what_runs_is_offered_and_that_alone_is_cancelled, STAGING_URL)
{
	struct world_message *message;
	char old[LIMIT_BUTTON_ID];

	(void)world_text(w, WORLD_ADMIN, "/cancel");
	assert_string_equal(world_plain(world_last(w)), "Nothing to cancel.");
	world_deploy_starts(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/cancel");
	message = world_last(w);
	assert_string_equal(world_plain(message),
	    "❓ /cancel: which?\nstaging in progress: aaaaaaa \"Make it blue\" · @ada");
	assert_int_equal(message->buttons.n, 1);
	(void)text_copy(old, sizeof(old), world_button(message, "staging aaaaaaa"));
	world_run_is_probed(w, NULL);
	world_deploy_starts(w, COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, old);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0);

	(void)world_text(w, WORLD_STAGING_USER, "/cancel");
	message = world_last(w);
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_GROUP, world_button(message, "staging bbbbbbb"));
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 1);
	assert_string_equal(world_plain(message), "@cy: /cancel staging");
	assert_int_equal(message->buttons.n, 0);
}

WORLD_TEST_BARE(a_cancel_button_of_what_has_ended_is_expired)
{
	char id[LIMIT_BUTTON_ID];

	world_b_over_a(w, STAGING_URL);
	(void)text_copy(id, sizeof(id),
	    world_button(world_says_in(w, WORLD_GROUP, "⏳ Deploying staging"), "Stop"));
	world_run_is_probed(w, NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}
