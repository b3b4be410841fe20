/* Goal: what a release has replaced is drained behind the gate, and that keeps nobody waiting.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_drain.h"
#include "store/row_run.h"

#define DRAINS ((struct run_ended){ .gate_opened = true, .released = true, .drains = true })
#define CUT \
	((struct run_ended){ .gate_opened = true, .exit_status = 75, .detail = "h1: out of time" })
#define DRAINED ((struct run_ended){ .gate_opened = true })
#define LOST	((struct run_ended){ .gate_opened = true, .lost = true, .exit_status = -1 })
#define NEVER	((struct run_ended){ .exit_status = -1 })

/* That run is what the aid looks at next. */
static const struct effect_run *
front(struct world *w, enum program program)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect->kind != EFFECT_RUN || effect->u.run.program != program)
			continue;
		w->open[i] = w->open[0];
		w->open[0] = effect;
		return &effect->u.run;
	}
	return NULL;
}

/* B over A, of which A drains. */
static void
open_draining(struct world *w)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, DRAINS);
	assert_null(world_peek(w, EFFECT_RUN)); /* the gate is still to come */
	world_probed(w, NULL);
	assert_non_null(front(w, PROGRAM_DRAIN));
}

WORLD_TEST_BARE(a_release_is_live_and_what_it_replaced_is_drained_behind_it)
{
	const struct effect_run *drain;

	open_draining(w);
	drain = front(w, PROGRAM_DRAIN);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(drain->deployment, world_newest(w, "staging").id);
	assert_int_not_equal(drain->run, world_newest(w, "staging").run);
	assert_string_equal(drain->commit, COMMIT_B);
	assert_int_equal(drain->deadline_s, LIMIT_DRAIN_S);
	assert_int_equal(drain->message.id, 0); /* its output is nobody's message */
	assert_int_equal(world_audited(w, "drain_started", NULL), 1);
	world_answers(w, WORLD_ADMIN, "/status staging", "💧 draining aaaaaaa since ");
	world_run_plays(w, DRAINED);
	assert_int_equal(world_audited(w, "drain_completed", "info"), 1);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_null(strstr(world_plain(world_last(w)), "draining"));
}

WORLD_TEST_BARE(a_script_that_leaves_nothing_has_no_drain)
{
	world_b_over_a(w, STAGING_URL);
	world_run_is_probed(w, NULL);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Removing what is old is work of its own: what may still be rolled back pushes nothing out. */
WORLD_TEST_BARE(what_is_old_is_removed_behind_the_gate_and_in_silence)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 2, "clean-later");
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN)); /* the gate is still to come */
	world_probed(w, NULL);
	assert_non_null(front(w, PROGRAM_DRAIN));
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_audited(w, "drain_started", NULL), 0);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_null(strstr(world_plain(world_last(w)), "draining"));
	world_run_plays(w, CUT);
	assert_string_equal(world_newest(w, "staging").note, "");
	assert_int_equal(world_audited(w, "drain_cut", NULL), 0);
	assert_null(world_peek(w, EFFECT_RUN)); /* the next deployment's continues it */
}

WORLD_TEST_BARE(behind_what_was_rolled_back_nothing_is_removed)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 2, "clean-later");
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_null(front(w, PROGRAM_DRAIN));
}

WORLD_TEST_BARE(what_was_rolled_back_is_drained_too)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, DRAINS);
	world_probed(w, "HTTP 500");
	assert_null(front(w, PROGRAM_DRAIN));
	world_run_ends(w, DRAINS);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(front(w, PROGRAM_DRAIN));
	assert_string_equal(front(w, PROGRAM_DRAIN)->commit, COMMIT_A);
	world_answers(w, WORLD_ADMIN, "/status staging", "💧 draining bbbbbbb since ");
	world_run_ends(w, CUT);
	assert_non_null(world_says(w,
	    "the rolled-back release may still run: stopping it was cut off (exit 75: h1: out of time); the next release ends it"));
}

WORLD_TEST_BARE(a_drain_that_is_cut_is_a_warning_and_no_failure)
{
	open_draining(w);
	world_run_ends(w, CUT);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_string_equal(world_blocked(w, "staging"), "");
	assert_false(world_environment(w, "staging").is_down);
	assert_non_null(world_says(w,
	    "the old release may still run: stopping it was cut off (exit 75: h1: out of time); the next release ends it"));
	assert_int_equal(world_audited(w, "drain_cut", "medium"), 1);
}

/* Its folder may be on another machine: as nothing of what is live changes, nobody has to look. */
WORLD_TEST_BARE(a_drain_without_its_folder_puts_nothing_in_doubt)
{
	open_draining(w);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "drain_cut", "medium"), 1);
}

WORLD_TEST_BARE(a_drain_that_did_not_run_or_was_lost_is_ordered_three_times)
{
	int64_t first;

	open_draining(w);
	first = front(w, PROGRAM_DRAIN)->run;
	world_run_ends(w, NEVER);
	assert_non_null(front(w, PROGRAM_DRAIN));
	assert_int_not_equal(front(w, PROGRAM_DRAIN)->run, first);
	world_run_ends(w, LOST);
	assert_non_null(front(w, PROGRAM_DRAIN));
	world_run_ends(w, LOST);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "drain_cut", "medium"), 1);
	assert_non_null(world_says(w, "it was cut off"));
}

WORLD_TEST_OF(the_environment_is_free_while_it_drains, STAGING_URL, "RUNS_MAX=1")
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, DRAINS);
	world_probed(w, NULL);
	assert_non_null(front(w, PROGRAM_DRAIN));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_non_null(front(w, PROGRAM_DEPLOY));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* Where nobody is asked it stands in the message, until the target changes. */
WORLD_TEST_BARE(what_needs_its_port_says_that_open_connections_will_be_closed)
{
	open_draining(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_non_null(world_says(w, "⏳ Deploying staging \"Make it blue\" ccccccc"));
	assert_non_null(world_says(w, "still draining since "));
	assert_non_null(world_says(w, ": open connections will be closed"));
	assert_non_null(front(w, PROGRAM_DEPLOY));
	world_run_step(w, 0, "release");
	assert_null(world_says(w, "open connections will be closed"));
}

WORLD_TEST_OF(a_question_says_so_and_that_of_a_rollback_to_what_drains_does_not, STAGING_URL)
{
	world_two_go_live(w, COMMIT_C, COMMIT_A);
	world_deploy_starts(w, COMMIT_B);
	world_run_ends(w, DRAINS);
	world_probed(w, NULL);
	(void)world_rollback_asks(w, "/rollback staging");
	assert_non_null(strstr(world_plain(world_last(w)), "bbbbbbb → aaaaaaa"));
	assert_null(strstr(world_plain(world_last(w)), "draining"));
	world_answers_last(w, WORLD_ADMIN, "/rollback staging 1", "bbbbbbb → ccccccc");
	assert_non_null(strstr(world_plain(world_last(w)), "still draining since "));
}

WORLD_TEST_BARE(the_next_release_ends_the_drain_of_the_one_before)
{
	int64_t first;

	open_draining(w);
	first = front(w, PROGRAM_DRAIN)->run;
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_non_null(front(w, PROGRAM_DEPLOY));
	world_run_ends(w, DRAINS);
	assert_null(world_peek(w, EFFECT_STOP_RUN)); /* it may be rolled back still */
	world_probed(w, NULL);
	assert_non_null(world_peek(w, EFFECT_STOP_RUN));
	assert_int_equal(world_peek(w, EFFECT_STOP_RUN)->u.stop_run.run, first);
	while (front(w, PROGRAM_DRAIN)->run != first) /* the older one, to be ended */
		w->open[0]->u.run.program = PROGRAM_COUNT + 1;
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .ended_on_request = true, .exit_status = 143 });
	assert_int_equal(world_audited(w, "drain_cut", NULL), 0);
	assert_int_equal(world_audited(w, "drain_completed", "stopped"), 1);
}

static void
order_many(struct tx *tx, void *arg)
{
	for (int i = 0; i < ROW_DRAINS_MAX; i++)
		(void)row_run_add(tx, *(const int64_t *)arg, PROGRAM_DRAIN, RUNNER_LOCAL);
}

WORLD_TEST_BARE(drains_are_bounded_and_one_more_is_a_warning)
{
	int64_t deployment;

	world_b_over_a(w, STAGING_URL);
	deployment = world_newest(w, "staging").id - 1;
	world_act(w, order_many, &deployment);
	world_run_ends(w, DRAINS);
	world_probed(w, NULL);
	assert_null(front(w, PROGRAM_DRAIN));
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w,
	    "stopping it did not begin (too many drains are in progress); the next release ends it"));
	assert_null(world_says(w, "was cut"));
}

static void
note(struct tx *tx, void *arg)
{
	struct deployment deployment;

	row_deployment_get(tx, *(const int64_t *)arg, &deployment);
	(void)text_copy(deployment.note, sizeof(deployment.note), "a newer commit waits: ccccccc");
	row_deployment_save(tx, &deployment);
}

WORLD_TEST_BARE(what_is_noted_of_a_deployment_stays_when_its_drain_is_cut)
{
	int64_t deployment;

	open_draining(w);
	deployment = world_newest(w, "staging").id;
	world_act(w, note, &deployment);
	world_run_ends(w, CUT);
	assert_non_null(world_says(w,
	    "a newer commit waits: ccccccc; the old release may still run: stopping it was cut off (exit 75: h1: out of time)"));
}
