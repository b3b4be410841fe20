/* Goal: each kind of effect waits, is withdrawn and is counted as its row in effect.def says.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lane_aid.h"

#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_run.h"
#include "store/store_inside.h"
#include "lib/clean.h"

/* --- toasts --- */

static void
act_toast(struct tx *tx, void *arg)
{
	row_effect_toast(
	    tx, &(struct chat_address){ .chat = 1 }, arg, true, "Hello %s", (char *)arg);
}

LANE_TEST(a_toast_that_is_old_at_its_turn_is_dropped)
{
	struct effect *effect;
	char first[] = "first", second[] = "second", third[] = "third";

	store_aid_act(aid, act_toast, first);
	store_aid_act(aid, act_toast, second);
	aid->at += 50000;
	store_aid_act(aid, act_toast, third);
	effect = store_aid_take(aid, EFFECT_TOAST);
	assert_string_equal(effect->u.toast.callback, "first");
	assert_string_equal(effect->u.toast.text, "Hello first");
	assert_true(effect->u.toast.is_alert);
	aid->at += 10001;
	(void)store_aid_report(aid, effect);
	effect = store_aid_take(aid, EFFECT_TOAST);
	assert_string_equal(effect->u.toast.callback, "third");
	(void)store_aid_report(aid, effect);
	assert_int_equal(store_aid_count(aid, EFFECT_TOAST), 0);
}

/* The program may have been away for days. */
LANE_TEST(what_was_out_and_is_old_at_the_start_is_dropped)
{
	struct effect *effect;
	char first[] = "first", second[] = "second";

	store_aid_act(aid, act_toast, first);
	aid->at += 30000;
	store_aid_act(aid, act_toast, second);
	effect_free(store_aid_take(aid, EFFECT_TOAST));
	aid->at += 30001;
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_TOAST);
	assert_string_equal(effect->u.toast.callback, "second");
	effect_free(effect);
	assert_int_equal(store_aid_count(aid, EFFECT_TOAST), 0);
}

static void
act_long_toast(struct tx *tx, void *arg)
{
	char text[1000];

	(void)arg;
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x8f\xb3\0", 4);
	row_effect_toast(tx, &(struct chat_address){ .chat = 1 }, "c", false, "%s", text);
}

LANE_TEST(a_toast_is_cut_between_characters)
{
	struct effect *effect;

	store_aid_act(aid, act_long_toast, NULL);
	effect = store_aid_take(aid, EFFECT_TOAST);
	assert_int_equal(strlen(effect->u.toast.text), 3 * LIMIT_TOAST);
	assert_true(clean_is_utf8(effect->u.toast.text, strlen(effect->u.toast.text)));
	effect_free(effect);
}

/* --- withdrawing --- */

static void
act_wait(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_effect_timer(tx, TIMER_QUESTION, "abc", 7, tx->at + 1000);
	(void)row_effect_timer(tx, TIMER_POLL, "", 0, tx->at + 1000);
	assert_int_equal(row_effect_timer_of(tx, TIMER_QUESTION, 7), *(int64_t *)arg);
	assert_true(row_effect_has_timer(tx, TIMER_POLL));
	assert_false(row_effect_has_timer(tx, TIMER_DAILY));
	assert_false(row_effect_has_timer(tx, TIMER_QUESTION)); /* there may be many */
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 7), *(int64_t *)arg);
}

static void
act_withdraw(struct tx *tx, void *arg)
{
	row_effect_withdraw(tx, *(int64_t *)arg);
	row_effect_withdraw(tx, *(int64_t *)arg);
	row_effect_withdraw(tx, 0);
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 7), 0);
}

LANE_TEST(what_is_withdrawn_is_told_once_and_its_result_finds_nothing)
{
	struct outcome *outcome;
	struct effect *effect;
	int64_t id = 0;

	store_aid_act(aid, act_wait, &id);
	effect = store_aid_take(aid, EFFECT_TIMER);
	assert_int_equal(effect->id, id);
	assert_int_equal(effect->due, aid->at + 1000);
	assert_string_equal(effect->u.timer.name, "abc");
	store_aid_act(aid, act_withdraw, &id);
	outcome = store_aid_take_outcome(aid, OUTCOME_WITHDRAW);
	assert_int_equal(outcome->withdraw, id);
	outcome_free(outcome);
	assert_null(store_aid_take_outcome(aid, OUTCOME_WITHDRAW));
	assert_int_equal(store_aid_report(aid, effect).status, 200);
}

static void
act_withdraw_send(struct tx *tx, void *arg)
{
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_SEND_MESSAGE, *(int64_t *)arg));
	assert_int_not_equal(row_effect_find(tx, EFFECT_SEND_MESSAGE, *(int64_t *)arg), 0);
}

LANE_TEST(what_may_have_been_said_cannot_be_withdrawn)
{
	int64_t id = lane_aid_add(aid, 1, "one");

	store_aid_act(aid, act_withdraw_send, &id);
	assert_null(store_aid_take_outcome(aid, OUTCOME_WITHDRAW));
}

/* --- runs --- */

static void
act_run(struct tx *tx, void *arg)
{
	struct deployment deployment = { .environment = "staging", .state = DEPLOY_RUNNING };
	struct effect *effect = effect_new(EFFECT_RUN);
	char first[] = "first";
	char second[] = "second";

	(void)arg;
	row_deployment_add(tx, &deployment);
	effect->subject = deployment.id;
	effect->u.run.deployment = deployment.id;
	effect->u.run.run = row_run_add(tx, deployment.id, PROGRAM_DEPLOY, RUNNER_LOCAL);
	(void)row_effect_add(tx, effect);
	deployment.message =
	    row_message_add(tx, &(struct message){ .address.chat = 9, .head = first });
	row_deployment_save(tx, &deployment);
	row_message_change(
	    tx, deployment.message, &(struct message){ .head = second, .live_run = 1 });
}

LANE_TEST(a_run_comes_with_its_message_as_the_decision_left_it)
{
	struct effect *effect;

	store_aid_act(aid, act_run, NULL);
	effect = store_aid_take(aid, EFFECT_RUN);
	assert_string_equal(effect->u.run.message.head, "second");
	assert_int_equal(effect->u.run.message.address.chat, 9);
	assert_int_equal(effect->u.run.message.live_run, 1);
	effect_free(effect);
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_RUN);
	assert_true(effect->is_recovered);
	assert_string_equal(effect->u.run.message.head, "second" TWICE);
	effect_free(effect);
}

static void
act_start(struct tx *tx, void *arg)
{
	row_run_started(tx, &(struct run_started){ .run = *(int64_t *)arg, .pid = 4711 });
}

LANE_TEST(an_open_run_says_when_it_was_started)
{
	struct effect *effect;
	int64_t run;

	store_aid_act(aid, act_run, NULL);
	effect = store_aid_take(aid, EFFECT_RUN);
	run = effect->u.run.run;
	assert_int_equal(effect->u.run.started_at, 0);
	effect_free(effect);
	store_aid_act(aid, act_start, &run);
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_RUN);
	assert_int_equal(effect->u.run.run, run);
	assert_true(effect->u.run.started_at > 0);
	effect_free(effect);
}

/* --- asking git for the head of a branch --- */

static void
act_ask(struct tx *tx, void *arg)
{
	struct effect *effect = effect_new(EFFECT_GIT_QUERY);

	(void)text_copy(effect->u.git_query.environment, LIMIT_ENVIRONMENT, "staging");
	(void)text_copy(effect->u.git_query.requested_by, LIMIT_PERSON, arg);
	(void)row_effect_add(tx, effect);
}

static void
asked_for(struct store_aid *aid, const char *who)
{
	struct effect *effect = store_aid_take(aid, EFFECT_GIT_QUERY);

	if (who == NULL) {
		assert_null(effect);
		return;
	}
	assert_non_null(effect);
	assert_string_equal(effect->u.git_query.requested_by, who);
	(void)store_aid_report(aid, effect);
}

LANE_TEST(a_flood_of_pushes_is_the_question_in_progress_and_one_for_the_newest)
{
	char who[24];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(who, sizeof(who), "push %d", i);
		store_aid_act(aid, act_ask, who);
	}
	asked_for(aid, "push 0");
	asked_for(aid, "push 9");
	asked_for(aid, NULL);
}

/* --- each kind, as its row in effect.def says --- */

static const struct {
	const char *lane; /* "": none */
	bool is_counted;  /* a message: the gauge of the outbox */
	bool can_go;	  /* withdrawn */
} kinds[] = {
	[EFFECT_RUN] = { "", false, false },
	[EFFECT_STOP_RUN] = { "", false, false },
	[EFFECT_GIT_QUERY] = { "ask:staging", false, true },
	[EFFECT_APPLICATION_LOG] = { "", false, true },
	[EFFECT_PROBE] = { "", false, true },
	[EFFECT_SEND_MESSAGE] = { "say:9", true, false },
	[EFFECT_TOAST] = { "toast:9", true, false },
	[EFFECT_DOCUMENT] = { "document:9", true, false },
	[EFFECT_DELETE_MESSAGE] = { "", false, false },
	[EFFECT_PIN_MESSAGE] = { "", false, false },
	[EFFECT_PURGE_RUN] = { "", false, false },
	[EFFECT_FETCH_FILE] = { "", false, false },
	[EFFECT_PURGE_UPLOAD] = { "", false, false },
	[EFFECT_LEAVE_CHAT] = { "", false, false },
	[EFFECT_CLOUDFLARE_GET] = { "", false, true },
	[EFFECT_CLOUDFLARE_SET] = { "", false, false },
	[EFFECT_GITHUB_RUNS] = { "", false, true },
	[EFFECT_GITHUB_FAILURE] = { "", false, true },
	[EFFECT_OPA] = { "", false, true },
	[EFFECT_PROM_QUERY] = { "", false, true },
	[EFFECT_GITHUB_DELIVERIES] = { "", false, true },
	[EFFECT_FORGE_ANSWER] = { "", false, true },
	[EFFECT_FORGE_START] = { "", false, false },
	[EFFECT_FORGE_STOP] = { "", false, true },
	[EFFECT_FORGE_LOOK] = { "", false, true },
	[EFFECT_FORGE_REPORT] = { "forge_report:staging", false, false },
	[EFFECT_VAULT_LEND] = { "", false, false },
	[EFFECT_VAULT_REVOKE] = { "", false, false },
	[EFFECT_VAULT_LOOK] = { "", false, true },
	[EFFECT_LEND_MESSAGE] = { "lend_message:9", true, false },
	[EFFECT_SIGN_CERTIFICATE] = { "", false, false },
	[EFFECT_NOTIFY] = { "notify:status-page", false, false },
	[EFFECT_WITNESS] = { "", false, false },
	[EFFECT_TIMER] = { "", false, true },
};

static int64_t
add_kind(struct tx *tx, enum effect_kind kind)
{
	struct effect *effect = effect_new(kind);

	assert_non_null(effect);
	if (kind == EFFECT_SEND_MESSAGE)
		effect->u.send_message.message.address.chat = 9;
	else if (kind == EFFECT_TOAST)
		effect->u.toast.chat = 9;
	else if (kind == EFFECT_LEND_MESSAGE)
		effect->u.vault.chat = 9;
	else if (kind == EFFECT_NOTIFY)
		text_set(effect->u.notify.name, "status-page");
	else if (kind == EFFECT_DOCUMENT)
		effect->u.document.address.chat = 9;
	else if (kind == EFFECT_FORGE_REPORT)
		(void)text_copy(effect->u.forge_report.environment, LIMIT_ENVIRONMENT, "staging");
	else if (kind == EFFECT_GIT_QUERY)
		(void)text_copy(effect->u.git_query.environment, LIMIT_ENVIRONMENT, "staging");
	return row_effect_add(tx, effect);
}

static void
act_on_each_kind(struct tx *tx, UNUSED void *arg)
{
	for (int kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		int64_t before = tx->store->mark.n_outbox;
		int64_t id = add_kind(tx, (enum effect_kind)kind);

		if (tx->store->mark.n_outbox - before != kinds[kind].is_counted)
			fail_msg("%s: is it counted? its row in `kinds`",
			    effect_name((enum effect_kind)kind));
		assert_int_equal(
		    tx_number(tx,
			"SELECT COUNT(*) FROM effect WHERE id = $1 AND COALESCE(lane, '') = $2",
			DB_I64(id), DB_TEXT(kinds[kind].lane)),
		    1);
		row_effect_withdraw(tx, id);
		assert_int_equal(
		    tx_number(tx, "SELECT COUNT(*) FROM effect WHERE id = $1", DB_I64(id)),
		    !kinds[kind].can_go);
	}
}

LANE_TEST(each_kind_has_the_lane_the_count_and_the_withdrawal_of_its_row)
{
	store_aid_act(aid, act_on_each_kind, NULL);
	/* That message has no row: its turn came, and it was dropped. */
	assert_int_equal(aid->store->mark.n_outbox, 3);
}

static void
act_spoil(struct tx *tx, UNUSED void *arg)
{
	(void)add_kind(tx, EFFECT_GIT_QUERY);
	(void)add_kind(tx, EFFECT_DOCUMENT);
	(void)add_kind(tx, EFFECT_TOAST);
	(void)tx_run(tx, "UPDATE effect SET body = '' WHERE kind IN ('ask', 'document')");
}

/* A dropped question was taken off the count of messages, which then stood at -1. */
LANE_TEST(only_messages_that_are_dropped_are_taken_off_their_count)
{
	store_aid_act(aid, act_spoil, NULL);
	store_aid_reopen(aid);
	assert_int_equal(aid->store->mark.n_outbox, 1); /* the toast */
}
