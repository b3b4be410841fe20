/* Goal: a deployment's row is what was written, and busy is an index, not a promise.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_deployment.h"

#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_environment.h"
#include "store/row_retention.h"
#include "store/row_run.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

static int64_t
add(struct tx *tx, const char *environment, enum deploy_state state)
{
	struct deployment d = { .state = state, .requested_by = 11 };

	(void)text_copy(d.environment, sizeof(d.environment), environment);
	row_deployment_add(tx, &d);
	return d.id;
}

static void
act_round_trip(struct tx *tx, void *arg)
{
	struct deployment got,
	    d = {
		    .environment = "staging",
		    .program = PROGRAM_ROLLBACK,
		    .trigger = TRIGGER_POLL,
		    .state = DEPLOY_QUEUED,
		    .why = DEPLOY_WHY_UNHEALTHY,
		    .commit = "1a2b3c4d",
		    .ref = "feature/x",
		    .subject = "Make the button 'blue'",
		    .author = "Ann Ö",
		    .is_force_push = true,
		    .is_off_branch = true,
		    .previous = "9f8e",
		    .requested_by = 7000000011,
		    .requester = "@ada",
		    .confirmed_by = 7000000012,
		    .cancelled_by = 7000000013,
		    .address = { -100, 3 },
		    .place = 7,
		    .waits_for = "host:db1:22/srv/shop",
		    .wait.is_asked_anew = true,
		    .message = 4,
		    .also_message = 5,
		    .run = 6,
		    .attempts = 2,
		    .target_changed = true,
		    .cannot_roll_back = true,
		    .urls = "http://a/,http://b/",
		    .detail = "it broke",
		    .requested_at = 1,
		    .answered_at = 1,
		    .started_at = 2,
		    .ended_at = 3,
	    };

	(void)arg;
	row_deployment_add(tx, &d);
	row_deployment_get(tx, d.id, &got);
	assert_memory_equal(&got, &d, sizeof(d));
	d.attempts = 3;
	d.ended_at = 99;
	(void)text_copy(d.detail, sizeof(d.detail), "other");
	d.state = DEPLOY_LIVE; /* not written by save */
	row_deployment_save(tx, &d);
	row_deployment_get(tx, d.id, &got);
	assert_int_equal(got.state, DEPLOY_QUEUED);
	assert_int_equal(got.attempts, 3);
	assert_int_equal(got.ended_at, 99);
	assert_string_equal(got.detail, "other");
	row_deployment_set_state(tx, &d, DEPLOY_FAILED, DEPLOY_WHY_SCRIPT);
	row_deployment_get(tx, d.id, &got);
	assert_int_equal(got.state, DEPLOY_FAILED);
	assert_int_equal(got.why, DEPLOY_WHY_SCRIPT);
	assert_int_equal(row_deployment_get(tx, d.id + 1, &(struct deployment){ 0 })->id, 0);
	store_aid_count_rows_of(tx); /* its place was not drawn */
}

TEST_WITH(a_row_gives_back_what_was_written, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_round_trip, NULL);
}

static void
act_two_active(struct tx *tx, void *arg)
{
	(void)add(tx, "staging", DEPLOY_RUNNING);
	(void)add(tx, arg, DEPLOY_VERIFYING_ROLLBACK);
}

/* The later of them is first, by its place. */
static void
act_two_people_queued(struct tx *tx, void *arg)
{
	struct deployment d = { .environment = "qa", .state = DEPLOY_QUEUED };

	(void)arg;
	for (d.place = 9; d.place > 7; d.place--)
		row_deployment_add(tx, &d);
	assert_int_equal(row_deployment_queued(tx, "qa", &(struct deployment){ 0 })->place, 8);
	store_aid_count_rows_of(tx);
}

static void
act_two_pushes_queued(struct tx *tx, void *arg)
{
	struct deployment d = {
		.trigger = TRIGGER_PUSH, .requester = "github:ada(7)", .state = DEPLOY_QUEUED
	};

	(void)text_copy(d.environment, sizeof(d.environment), "staging");
	row_deployment_add(tx, &d);
	d.trigger = TRIGGER_POLL;
	(void)text_copy(d.environment, sizeof(d.environment), arg);
	row_deployment_add(tx, &d);
}

static void
act_all_classes(struct tx *tx, UNUSED void *arg)
{
	(void)add(tx, "staging", DEPLOY_QUEUED);
	(void)add(tx, "staging", DEPLOY_STOPPING);
	(void)add(tx, "staging", DEPLOY_REQUESTED);
	(void)add(tx, "staging", DEPLOY_REQUESTED);
	(void)add(tx, "staging", DEPLOY_LIVE);
	(void)add(tx, "staging", DEPLOY_FAILED);
	assert_int_equal(row_deployment_count_open(tx, 11), 4);
	assert_int_equal(row_deployment_count_open(tx, 12), 0);
	assert_int_equal(row_deployment_active(tx, "staging", &(struct deployment){ 0 })->state,
	    DEPLOY_STOPPING);
	assert_int_equal(
	    row_deployment_queued(tx, "staging", &(struct deployment){ 0 })->state, DEPLOY_QUEUED);
	assert_int_equal(row_deployment_active(tx, "production", &(struct deployment){ 0 })->id, 0);
}

STORE_TEST(an_environment_has_one_active_deployment_and_one_queued_push)
{
	char staging[] = "staging", production[] = "production";

	assert_false(store_aid_try(aid, act_two_active, staging));
	assert_int_equal(aid->err.code, ERR_BUSY);
	assert_false(store_aid_try(aid, act_two_pushes_queued, staging));
	assert_true(store_aid_try(aid, act_two_active, production));
	assert_true(store_aid_try(aid, act_two_pushes_queued, production));
	assert_true(store_aid_try(aid, act_two_people_queued, NULL));
}

TEST_WITH(classes_of_states_are_told_apart, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_all_classes, NULL);
}

static void
act_push_question(struct tx *tx, void *arg)
{
	struct deployment chat = { .environment = "production",
		.trigger = TRIGGER_CHAT,
		.state = DEPLOY_AWAITING_CONFIRMATION };
	struct deployment push = { .environment = "production",
		.trigger = TRIGGER_PUSH,
		.state = DEPLOY_AWAITING_CONFIRMATION };

	(void)arg;
	row_deployment_add(tx, &push);
	row_deployment_add(tx, &chat);
	assert_int_equal(
	    row_deployment_push_question(tx, "production", &(struct deployment){ 0 })->id, push.id);
	row_deployment_set_state(tx, &push, DEPLOY_SUPERSEDED, DEPLOY_WHY_NONE);
	assert_int_equal(
	    row_deployment_push_question(tx, "production", &(struct deployment){ 0 })->id, 0);
}

TEST_WITH(a_question_after_a_push_is_not_one_from_the_chat, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_push_question, NULL);
}

static void
act_list(struct tx *tx, void *arg)
{
	struct deployment list[3],
	    started = { .environment = "staging", .state = DEPLOY_LIVE, .started_at = 5 };

	(void)arg;
	(void)add(tx, "staging", DEPLOY_EXPIRED);
	row_deployment_add(tx, &started);
	(void)add(tx, "staging", DEPLOY_REFUSED);
	row_deployment_add(tx, &started);
	assert_int_equal(row_deployment_list(tx, "staging", list, 3), 3);
	assert_int_equal(list[0].id, started.id);
	assert_int_equal(list[1].state, DEPLOY_REFUSED);
	assert_int_equal(row_deployment_list(tx, "staging", list, 1), 1);
}

TEST_WITH(history_is_what_started_or_was_refused_newest_first, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_list, NULL);
}

static void
act_run(struct tx *tx, void *arg)
{
	int64_t deployment = add(tx, "staging", DEPLOY_RUNNING);
	int64_t run = row_run_add(tx, deployment, PROGRAM_DEPLOY, RUNNER_LOCAL);
	struct run_step step = { .run = run, .n = 0, .name = "build", .at = 10 };
	struct step steps[4];

	(void)arg;
	assert_true(row_run_is_open(tx, run));
	assert_int_equal(row_deployment_of_run(tx, run, &(struct deployment){ 0 })->id, deployment);
	assert_int_equal(row_deployment_of_run(tx, run + 1, &(struct deployment){ 0 })->id, 0);
	assert_true(row_step_add(tx, &step));
	assert_false(row_step_add(tx, &step));
	step = (struct run_step){ .run = run, .n = 1, .name = "release", .at = 20 };
	assert_true(row_step_add(tx, &step));
	assert_int_equal(row_step_list(tx, run, steps, 4), 2);
	assert_string_equal(steps[1].name, "release");
	assert_int_equal(steps[1].at, 20);
	row_run_started(tx, &(struct run_started){ .run = run, .pid = 77, .boot = "b" });
	row_run_ended(tx, &(struct run_ended){ .run = run, .exit_status = 1 });
	assert_false(row_run_is_open(tx, run));
	assert_false(row_run_is_open(tx, run + 1));
}

TEST_WITH(a_step_reported_twice_is_one, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_run, NULL);
}

/* A live deployment whose "build" took build_ms and whose "release" took the rest. */
static void
live(struct tx *tx, int64_t build_ms, int64_t whole_ms)
{
	struct deployment d = { .environment = "staging",
		.state = DEPLOY_LIVE,
		.started_at = tx->at - whole_ms,
		.ended_at = tx->at };

	row_deployment_add(tx, &d);
	d.run = row_run_add(tx, d.id, PROGRAM_DEPLOY, RUNNER_LOCAL);
	row_deployment_save(tx, &d);
	(void)row_step_add(tx, &(struct run_step){ d.run, 0, "build", d.started_at, "" });
	(void)row_step_add(
	    tx, &(struct run_step){ d.run, 1, "release", d.started_at + build_ms, "" });
	row_run_ended(tx, &(struct run_ended){ .run = d.run });
}

static void
act_estimate(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(row_step_estimate(tx, "staging", ""), 0);
	live(tx, 999999, 9999999); /* the sixth from the end: forgotten */
	live(tx, 100, 1000);
	live(tx, 200, 2000);
	live(tx, 5000, 60000);
	live(tx, 300, 3000);
	live(tx, 400, 4000);
	assert_int_equal(row_step_estimate(tx, "staging", ""), 3000);
	assert_int_equal(row_step_estimate(tx, "staging", "build"), 300);
	assert_int_equal(row_step_estimate(tx, "staging", "release"), 2700);
	assert_int_equal(row_step_estimate(tx, "staging", "test"), 0);
	assert_int_equal(row_step_estimate(tx, "production", ""), 0);
}

TEST_WITH(the_estimate_is_the_median_of_the_last_five, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_estimate, NULL);
}

/* Its server did not lead for a minute behind it. */
static void
act_late(struct tx *tx, UNUSED void *arg)
{
	int64_t run, began = tx->at;

	live(tx, 100, 1000);
	run = tx_number(tx, "SELECT MAX(id) FROM run");
	(void)tx_run(
	    tx, "UPDATE run SET started_at = $1 WHERE id = $2", DB_I64(began - 1000), DB_I64(run));
	(void)tx_run(tx, "UPDATE work SET ended_at = ended_at + 60000");
	tx->at += 60000;
	row_run_ended(tx, &(struct run_ended){ .run = run, .duration_ms = 700 });
	assert_int_equal(row_run_times(tx, run).ended_at, began - 300);
	assert_int_equal(row_step_estimate(tx, "staging", ""), 700);
	assert_int_equal(row_step_estimate(tx, "staging", "release"), 600);
}

TEST_WITH(what_was_learned_late_of_an_end_is_not_estimated, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_late, NULL);
}

static void
act_purge(struct tx *tx, void *arg)
{
	int64_t staging = add(tx, "staging", DEPLOY_FAILED);
	int64_t production = add(tx, "production", DEPLOY_FAILED);
	struct button_row log = { 0 };
	int64_t runs[6], gone[8], other;

	(void)arg;
	for (size_t i = 0; i < COUNT(runs); i++) {
		runs[i] = row_run_add(tx, staging, PROGRAM_DEPLOY, RUNNER_LOCAL);
		if (i != 1)
			row_run_ended(tx, &(struct run_ended){ .run = runs[i] });
	}
	log.request = request_about("log", "run", runs[0]);
	row_button_add(tx, &log);
	other = row_run_add(tx, production, PROGRAM_DEPLOY, RUNNER_LOCAL);
	row_run_ended(tx, &(struct run_ended){ .run = other });
	assert_int_equal(row_retention_purge_runs(tx, 2, gone, 2), 2);
	assert_int_equal(gone[0], runs[0]);
	assert_int_equal(gone[1], runs[2]); /* runs[1] is still going */
	assert_string_equal(row_button_get(tx, log.id).id, "");
	assert_int_equal(row_retention_purge_runs(tx, 2, gone, 8), 1);
	assert_int_equal(gone[0], runs[3]);
	assert_int_equal(row_retention_purge_runs(tx, 2, gone, 8), 0);
}

TEST_WITH(logs_beyond_those_kept_go_by_environment_with_their_buttons, store_aid_setup,
    store_aid_teardown)
{
	store_aid_act(*state, act_purge, NULL);
}
