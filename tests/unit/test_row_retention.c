/* Goal: old goes and what is needed stays.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_retention.h"

#include "store/row_button.h"
#include "store/row_dedupe.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_rate_limit.h"
#include "store/row_run.h"
#include "store/row_shown.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

#define DAY INT64_C(86400000)

static int64_t kept_message, kept_copy, old_message;
static struct button_row open_button, closed_button, expired_button;

static void
act_before(struct tx *tx, void *arg)
{
	struct deployment deployment = { .environment = "staging", .state = DEPLOY_LIVE };
	struct effect *effect;

	(void)arg;
	assert_true(row_dedupe_add(tx, "github", "old", NULL));
	deployment.message =
	    row_message_add(tx, &(struct message){ .address.chat = 1, .head = "x" });
	kept_message = deployment.message;
	row_deployment_add(tx, &deployment);
	kept_copy = row_message_add(tx, &(struct message){ .address.chat = 3, .head = "x" });
	row_shown_add(tx, deployment.id, kept_copy, SHOWN_TEAM);
	old_message = row_message_add(tx, &(struct message){ .address.chat = 2, .head = "x" });
	effect = effect_new(EFFECT_TIMER);
	effect->u.timer.kind = TIMER_QUESTION;
	effect->subject = 5;
	open_button = (struct button_row){
		.request = request_about("confirm", "work", 5), .person = 11, .chat = 1
	};
	open_button.timer = row_effect_add(tx, effect);
	row_button_add(tx, &open_button);
	closed_button = (struct button_row){ .request = request_about("cancel", "work", 6) };
	row_button_add(tx, &closed_button);
	assert_string_not_equal(open_button.id, closed_button.id);
	row_button_close(tx, "cancel", closed_button.request.target);
	expired_button = closed_button;
	expired_button.expires_at = tx->at;
	row_button_add(tx, &expired_button);
	assert_true(row_rate_limit_take(tx, 1, 1000, "x"));
}

static void
act_retain(struct tx *tx, UNUSED void *arg)
{
	assert_false(row_retention_clear(tx));
}

static void
act_kept(struct tx *tx, void *arg)
{
	struct button_row got = row_button_get(tx, open_button.id);
	struct message message;

	row_message_get(tx, old_message, &message);
	assert_memory_equal(&got, &open_button, sizeof(got));
	assert_int_equal(message.id != 0, *(bool *)arg);
	message_done(&message);
	row_message_get(tx, kept_message, &message);
	assert_int_equal(message.id, kept_message);
	message_done(&message);
	row_message_get(tx, kept_copy, &message);
	assert_int_equal(message.id, kept_copy);
	message_done(&message);
	assert_int_equal(row_button_get(tx, closed_button.id).id[0] != '\0', *(bool *)arg);
	assert_int_equal(row_button_get(tx, expired_button.id).id[0] != '\0', *(bool *)arg);
	assert_false(row_dedupe_add(tx, "github", "old", NULL));
}

static void
act_inbox_is_old(struct tx *tx, UNUSED void *arg)
{
	assert_true(row_dedupe_add(tx, "github", "old", NULL));
}

STORE_TEST(retention_removes_what_is_old_and_nothing_that_is_needed)
{
	bool is_there = true;

	store_aid_act(aid, act_before, NULL);
	for (struct effect *say; (say = store_aid_take(aid, EFFECT_SEND_MESSAGE)) != NULL;)
		(void)store_aid_report(aid, say);
	aid->at += DAY - 1;
	store_aid_act(aid, act_retain, NULL);
	store_aid_act(aid, act_kept, &is_there);
	aid->at += 2;
	store_aid_act(aid, act_retain, NULL);
	is_there = false;
	store_aid_act(aid, act_kept, &is_there);
	aid->at += 90 * DAY;
	store_aid_act(aid, act_retain, NULL);
	store_aid_act(aid, act_inbox_is_old, NULL);
}

static void
act_update(struct tx *tx, void *arg)
{
	assert_int_equal(row_dedupe_add(tx, "telegram", "7", NULL), *(bool *)arg);
	assert_int_equal(row_dedupe_add(tx, "github", "7", NULL), tx->at == STORE_AID_AT);
}

/* Anybody may write to the bot: what they sent is kept as long as it may come again. */
STORE_TEST(updates_are_known_for_two_days)
{
	bool is_new = true;

	store_aid_act(aid, act_update, &is_new);
	aid->at += 2 * DAY;
	store_aid_act(aid, act_retain, NULL);
	is_new = false;
	store_aid_act(aid, act_update, &is_new);
	aid->at += 1;
	store_aid_act(aid, act_retain, NULL);
	is_new = true;
	store_aid_act(aid, act_update, &is_new);
}

static void
act_close(struct tx *tx, UNUSED void *arg)
{
	row_button_close_question(tx, 5);
	assert_false(row_button_get(tx, open_button.id).is_open);
	assert_int_equal(row_effect_timer_of(tx, TIMER_QUESTION, 5), 0);
}

STORE_TEST(closing_a_question_withdraws_its_deadline)
{
	struct outcome *outcome;

	store_aid_act(aid, act_before, NULL);
	store_aid_act(aid, act_close, NULL);
	outcome = store_aid_take_outcome(aid, OUTCOME_WITHDRAW);
	assert_non_null(outcome);
	assert_int_equal(outcome->withdraw, open_button.timer);
	outcome_free(outcome);
}

static void
add_run(struct tx *tx, const char *environment, int64_t log_size)
{
	struct deployment deployment = { .state = DEPLOY_LIVE };
	int64_t run;

	(void)snprintf(deployment.environment, sizeof(deployment.environment), "%s", environment);
	row_deployment_add(tx, &deployment);
	run = row_run_add(tx, deployment.id, PROGRAM_DEPLOY, RUNNER_LOCAL);
	if (log_size >= 0)
		row_run_ended(tx, &(struct run_ended){ .run = run, .log_size = log_size });
}

/* Runs 1 to 6. */
static void
act_runs(struct tx *tx, UNUSED void *arg)
{
	add_run(tx, "production", 50); /* the newest there */
	add_run(tx, "staging", 10);
	add_run(tx, "staging", 20);
	add_run(tx, "staging", 30);
	add_run(tx, "staging", -1); /* goes on */
	add_run(tx, "staging", 40); /* the newest */
}

static void
act_total(struct tx *tx, void *arg)
{
	int64_t runs[8];

	(void)arg;
	assert_int_equal(row_retention_purge_total(tx, 150, runs, COUNT(runs)), 0);
	assert_int_equal(row_retention_purge_total(tx, 149, runs, COUNT(runs)), 1);
	assert_int_equal(runs[0], 2);
	assert_int_equal(row_retention_purge_total(tx, 139, runs, COUNT(runs)), 1);
	assert_int_equal(runs[0], 3);
	assert_int_equal(row_retention_purge_total(tx, 0, runs, COUNT(runs)), 1);
	assert_int_equal(runs[0], 4);
	assert_int_equal(row_retention_purge_total(tx, 0, runs, COUNT(runs)), 0);
}

TEST_WITH(the_oldest_logs_go_until_all_together_have_the_size, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_runs, NULL);
	store_aid_act(*state, act_total, NULL);
}

static int64_t
add_run_of(struct tx *tx, enum program program)
{
	struct deployment work = {
		.environment = "staging", .program = program, .state = DEPLOY_FAILED
	};
	int64_t run;

	row_deployment_add(tx, &work);
	run = row_run_add(tx, work.id, program, RUNNER_LOCAL);
	row_run_ended(tx, &(struct run_ended){ .run = run, .log_size = 10 });
	return run;
}

/* disk-free runs every minute. */
static void
act_actions(struct tx *tx, void *arg)
{
	int64_t runs[8], first;

	(void)arg;
	(void)add_run_of(tx, PROGRAM_DEPLOY);
	first = add_run_of(tx, PROGRAM_ACTION);
	(void)add_run_of(tx, PROGRAM_ACTION);
	assert_int_equal(row_retention_purge_runs(tx, 1, runs, COUNT(runs)), 1);
	assert_int_equal(runs[0], first);
	assert_int_equal(row_retention_purge_total(tx, 0, runs, COUNT(runs)), 0);
}

/* Each deployment may have one behind it. */
static void
act_drains(struct tx *tx, void *arg)
{
	struct deployment work = {
		.environment = "staging", .program = PROGRAM_DEPLOY, .state = DEPLOY_LIVE
	};
	int64_t runs[8];

	(void)arg;
	row_deployment_add(tx, &work);
	for (int program = 0; program < PROGRAM_OF_RUNS; program++)
		if (program == PROGRAM_DEPLOY || program == PROGRAM_DRAIN)
			row_run_ended(tx,
			    &(struct run_ended){ .run = row_run_add(tx, work.id,
						     (enum program)program, RUNNER_LOCAL),
				.log_size = 10 });
	assert_int_equal(row_retention_purge_runs(tx, 1, runs, COUNT(runs)), 0);
	assert_int_equal(row_retention_purge_total(tx, 0, runs, COUNT(runs)), 0);
}

TEST_WITH(logs_of_drains_do_not_push_out_those_of_deployments, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_drains, NULL);
}

TEST_WITH(logs_of_actions_do_not_push_out_those_of_deployments, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_actions, NULL);
}
