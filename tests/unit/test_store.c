/* Goal: one transaction decides a batch; what fails alone stays alone; what failed comes again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "deliver_aid.h"

#include "lib/file.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_message.h"

static void
count_effects(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_effect_find(tx, EFFECT_GIT_QUERY, 7);
}

static int64_t
open_query(struct store_aid *aid)
{
	int64_t id = 0;

	store_aid_act(aid, count_effects, &id);
	return id;
}

/* --- events and effects --- */

DELIVER_TEST(an_effect_is_a_row_before_it_is_handed_out_and_its_result_deletes_it)
{
	struct effect *effect;
	struct answer answer = store_aid_decide(aid, deliver_aid_event(aid, "a", "ada"));

	assert_int_equal(answer.status, 202);
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	assert_non_null(effect);
	assert_int_equal(open_query(aid), effect->id);
	assert_ptr_equal(effect->settings, aid->settings);
	assert_false(effect->is_recovered);
	(void)store_aid_report(aid, effect);
	assert_string_equal(deliver_aid.requested_by, "ada");
	assert_int_equal(open_query(aid), 0);
	assert_int_equal(store_aid_count(aid, EFFECT_TIMER), 1);
}

DELIVER_TEST(a_second_result_of_an_effect_changes_nothing)
{
	struct event *again;
	struct effect *effect;

	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "ada"));
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	again = store_aid_event(aid, EVENT_GIT_ANSWERED);
	again->effect = effect->id;
	(void)store_aid_report(aid, effect);
	assert_int_equal(store_aid_decide(aid, again).status, 200);
	assert_int_equal(deliver_aid.ended, 1);
	assert_int_equal(store_aid_count(aid, EFFECT_TIMER), 1);
}

DELIVER_TEST(what_was_noted_once_is_a_duplicate_even_after_a_restart)
{
	assert_false(store_aid_decide(aid, deliver_aid_event(aid, "a", "x")).is_duplicate);
	assert_true(store_aid_decide(aid, deliver_aid_event(aid, "a", "x")).is_duplicate);
	store_aid_reopen(aid);
	assert_true(store_aid_decide(aid, deliver_aid_event(aid, "a", "x")).is_duplicate);
}

DELIVER_TEST(open_effects_are_handed_out_again_after_a_restart)
{
	struct effect *effect;

	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "ada"));
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	assert_non_null(effect);
	assert_true(effect->is_recovered);
	assert_ptr_equal(effect->settings, aid->settings);
	assert_int_equal(effect->subject, 7);
	(void)store_aid_report(aid, effect);
	store_aid_reopen(aid);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 0);
}

DELIVER_TEST(no_id_of_an_effect_is_ever_used_again)
{
	struct effect *first, *second;
	int64_t id;

	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "x"));
	first = store_aid_take(aid, EFFECT_GIT_QUERY);
	id = first->id;
	first->result->u.git_answered.exit_status =
	    99; /* closed by the fault, nothing new is ordered */
	(void)store_aid_report(aid, first);
	store_aid_reopen(aid);
	(void)store_aid_decide(aid, deliver_aid_event(aid, "b", "x"));
	second = store_aid_take(aid, EFFECT_GIT_QUERY);
	assert_true(second->id > id);
	effect_free(second);
}

/* --- failures --- */

DELIVER_TEST(a_handler_that_fails_alone_leaves_nothing_and_harms_nobody)
{
	struct queue_list events = { 0 };

	queue_list_add(&events, &deliver_aid_event(aid, "a", "x")->link);
	queue_list_add(&events, &deliver_aid_event(aid, "b", "bug")->link);
	queue_list_add(&events, &deliver_aid_event(aid, "c", "x")->link);
	assert_true(store_batch(aid->store, &events, &aid->outcomes, &aid->err));
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 2);
	/* b was rolled back, its note too */
	assert_false(store_aid_decide(aid, deliver_aid_event(aid, "b", "x")).is_duplicate);
	assert_true(store_aid_decide(aid, deliver_aid_event(aid, "c", "x")).is_duplicate);
}

DELIVER_TEST(a_handlers_bug_is_audited_and_answered_by_who_it_was)
{
	struct event *update = store_aid_event(aid, EVENT_UPDATE);

	assert_int_equal(store_aid_decide(aid, deliver_aid_event(aid, "b", "bug")).status, 500);
	assert_int_equal(store_aid_count_outcomes(aid, OUTCOME_METRIC), 2); /* commit and audit */
	update->source = SOURCE_NONE;
	update->u.update = calloc(1, sizeof(*update->u.update));
	aid->handlers[EVENT_UPDATE] = NULL;
	assert_int_equal(store_aid_decide(aid, update).status, 200);
}

static void
always_fails(struct tx *tx, UNUSED const struct event *event)
{
	tx_fail(tx, ERR_INVALID, "a bug");
}

DELIVER_TEST(an_update_that_no_handler_can_take_does_not_block_its_chat)
{
	struct event *update = store_aid_event(aid, EVENT_UPDATE);

	update->u.update = calloc(1, sizeof(*update->u.update));
	aid->handlers[EVENT_UPDATE] = always_fails;
	assert_int_equal(store_aid_decide(aid, update).status, 200);
	(void)store_project(aid->store, &aid->outcomes);
	char *audit = store_aid_read(aid->audit_path);
	assert_non_null(strstr(audit, "\"action\":\"webhook_rejected\""));
	assert_non_null(strstr(audit, "\"outcome\":\"put aside\""));
	free(audit);
}

DELIVER_TEST(a_full_disk_is_told_as_503_and_nothing_is_kept)
{
	assert_int_equal(store_aid_decide(aid, deliver_aid_event(aid, "a", "full")).status, 503);
	assert_false(store_aid_decide(aid, deliver_aid_event(aid, "a", "x")).is_duplicate);
}

DELIVER_TEST(a_result_whose_handler_fails_is_closed_by_a_fault)
{
	struct effect *effect;

	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "x"));
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	effect->result->u.git_answered.exit_status = 99;
	assert_int_equal(store_aid_report(aid, effect).status, 200);
	assert_int_equal(deliver_aid.faulted, 1);
	assert_int_equal(deliver_aid.last_fault.kind, EFFECT_GIT_QUERY);
	assert_int_equal(deliver_aid.last_fault.subject, 7);
	assert_string_equal(deliver_aid.last_fault.reason, "cannot read the answer");
	assert_int_equal(open_query(aid), 0);
	assert_int_equal(store_aid_count(aid, EFFECT_TIMER), 0);
}

DELIVER_TEST(a_fault_that_fails_too_still_closes_the_effect)
{
	struct effect *effect;

	aid->handlers[EVENT_FAULT] = always_fails;
	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "x"));
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	effect->result->u.git_answered.exit_status = 99;
	assert_int_equal(store_aid_report(aid, effect).status, 200);
	assert_int_equal(open_query(aid), 0);
}

static int answered_status[4];

static void
note_status(void *ctx, const struct answer *answer)
{
	*(int *)ctx = answer->status;
}

/* Calls every answer that came. */
static void
answer_all(struct store_aid *aid)
{
	struct outcome *outcome;

	while ((outcome = store_aid_take_outcome(aid, OUTCOME_ANSWER)) != NULL) {
		outcome->done(outcome->done_ctx, &outcome->answer);
		outcome_free(outcome);
	}
}

DELIVER_TEST(a_batch_that_the_disk_refuses_keeps_results_and_turns_away_the_rest)
{
	struct queue_list events = { 0 };
	struct event *outside;
	struct effect *effect;
	struct event *result;

	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "x"));
	effect = store_aid_take(aid, EFFECT_GIT_QUERY);
	result = TAKE(effect->result);
	effect_free(effect);
	result->context.at = aid->at;
	result->u.git_answered.exit_status = 28; /* the first time the disk is full */
	outside = deliver_aid_event(aid, "b", "x");
	outside->done = note_status;
	outside->done_ctx = &answered_status[0];
	queue_list_add(&events, &outside->link);
	queue_list_add(&events, &result->link);

	assert_false(store_batch(aid->store, &events, &aid->outcomes, &aid->err));
	assert_int_equal(aid->err.code, ERR_FULL);
	assert_int_equal(events.length, 1);
	assert_ptr_equal(events.first, &result->link);
	answer_all(aid);
	assert_int_equal(answered_status[0], 503);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 0);

	assert_true(store_batch(aid->store, &events, &aid->outcomes, &aid->err));
	assert_int_equal(events.length, 0);
	assert_int_equal(store_aid_count(aid, EFFECT_TIMER), 1);
	assert_false(store_aid_decide(aid, deliver_aid_event(aid, "b", "x")).is_duplicate);
}

DELIVER_TEST(what_was_not_kept_is_not_in_the_log)
{
	char path[128], *text;
	FILE *log;

	(void)snprintf(path, sizeof(path), "%s/log", aid->folder);
	log = fopen(path, "we");
	assert_non_null(log);
	log_to(fileno(log));
	(void)store_aid_decide(aid, deliver_aid_event(aid, "kept", "x"));
	(void)store_aid_decide(aid, deliver_aid_event(aid, "undone", "bug"));
	(void)store_aid_decide(aid, deliver_aid_event(aid, "refused", "full"));
	assert_false(deliver_aid_commits(aid, deliver_aid_event(aid, "unsaved", "x")));
	log_to(-1);
	assert_int_equal(fclose(log), 0);
	text = store_aid_read(path);
	assert_non_null(strstr(text, "looked at kept"));
	assert_non_null(strstr(text, "decided on kept"));
	assert_null(strstr(text, "undone"));
	assert_null(strstr(text, "refused"));
	assert_null(strstr(text, "unsaved"));
	free(text);
}

DELIVER_TEST(while_a_commit_is_put_off_requests_are_answered_and_results_stay)
{
	struct event *outside = deliver_aid_event(aid, "a", "x");
	struct event *ours = store_aid_event(aid, EVENT_GIT_ANSWERED);
	struct queue_list events = { 0 };

	outside->done = note_status;
	outside->done_ctx = &answered_status[2];
	queue_list_add(&events, &outside->link);
	queue_list_add(&events, &ours->link);
	queue_list_add(&events, &deliver_aid_event(aid, "b", "x")->link); /* nobody waits for it */
	store_refuse(&events, &aid->outcomes);
	assert_int_equal(events.length, 1);
	assert_ptr_equal(queue_list_take(&events), &ours->link);
	event_free(ours);
	answer_all(aid);
	assert_int_equal(answered_status[2], 503);
	assert_int_equal(deliver_aid.delivered, 0);
}

DELIVER_TEST(a_commit_that_fails_on_disk_answers_503_and_the_store_recovers)
{
	struct event *event = deliver_aid_event(aid, "a", "x");

	event->done = note_status;
	event->done_ctx = &answered_status[1];
	assert_false(deliver_aid_commits(aid, event));
	answer_all(aid);
	assert_int_equal(answered_status[1], 503);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 0);
	assert_int_equal(store_aid_decide(aid, deliver_aid_event(aid, "a", "x")).status, 202);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 1);
}

/* --- decoding --- */

DELIVER_TEST(one_answer_stands_for_all_that_was_decoded_and_the_worst_of_it)
{
	struct answer answer = store_aid_decide(aid, deliver_aid_raw(aid, "a,b,c"));

	assert_int_equal(answer.status, 202);
	assert_int_equal(answer.offset, 42);
	assert_int_equal(store_aid_count(aid, EFFECT_GIT_QUERY), 3);
	answer = store_aid_decide(aid, deliver_aid_raw(aid, "a,b,c"));
	assert_true(answer.is_duplicate);
	answer = store_aid_decide(aid, deliver_aid_raw(aid, "a,d"));
	assert_false(answer.is_duplicate);
	answer = store_aid_decide(aid, deliver_aid_raw(aid, "e,f/full,g"));
	assert_int_equal(answer.status, 503);
	assert_int_equal(answer.offset, 0); /* it must come again */
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "e,f/x,g")).status, 202);
}

DELIVER_TEST(what_is_decoded_is_of_the_moment_of_what_it_came_in)
{
	struct event *event = deliver_aid_raw(aid, "a,b");
	struct event_context want = event->context, first;

	(void)text_copy(event->context.own_name, sizeof(event->context.own_name), "our_bot");
	assert_int_equal(store_aid_decide(aid, event).status, 202);
	assert_int_equal(deliver_aid.last_context.at, aid->at);
	assert_ptr_equal(deliver_aid.last_context.settings, aid->settings);
	assert_string_equal(deliver_aid.last_context.own_name, "our_bot");
	assert_memory_not_equal(deliver_aid.last_context.random, want.random, sizeof(want.random));
	first = deliver_aid.last_context;
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "c")).status, 202);
	assert_memory_not_equal(
	    deliver_aid.last_context.random, first.random, sizeof(first.random));
}

DELIVER_TEST(what_cannot_be_decoded_is_answered_as_the_decoder_says)
{
	assert_int_equal(store_aid_decide(aid, deliver_aid_raw(aid, "!")).status, 400);
	assert_int_equal(deliver_aid.delivered, 0);
}

/* --- opening --- */

DELIVER_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
	char *text;

	if (database_aid_is_server())
		skip(); /* it has no file */
	store_close(aid->store);
	aid->store = NULL;
	assert_true(
	    file_write(aid->path, "not a database, but it is somebody's\n", 37, 0600, &aid->err));
	assert_null(store_open(&aid->config, &aid->err));
	text = store_aid_read(aid->path);
	assert_string_equal(text, "not a database, but it is somebody's\n");
	free(text);
}

/* Deadlines and questions stand for hours: what the chat has not been told yet is what counts. */
DELIVER_TEST(gauges_come_when_they_change_and_only_then)
{
	struct outcome *outcome;

	store_aid_forget(aid);
	store_aid_act(aid, store_aid_act_send, NULL);
	outcome = store_aid_take_outcome(aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	assert_int_equal(outcome->gauges->outbox_pending, 1);
	assert_int_equal(outcome->gauges->n_environments, 2);
	outcome_free(outcome);
	(void)store_aid_decide(aid, deliver_aid_event(aid, "a", "x"));
	assert_null(store_aid_take_outcome(aid, OUTCOME_GAUGES));
}
