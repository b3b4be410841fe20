/* Goal: a lane keeps order with one out at a time, and says the newest, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_effect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_message.h"
#include "store/row_run.h"
#include "store/store_inside.h"
#include "tests/unit/is_utf8.h"
#include "tests/unit/store_aid.h"

static void
on_said(struct tx *tx, const struct event *event)
{
	const struct message_sent *said = &event->u.message_sent;

	if (said->new_chat != 0) {
		row_message_move_chat(tx, said->chat, said->new_chat);
		row_effect_send(tx, said->message);
	} else if (said->remote_id != 0) {
		row_message_sent(tx, said->message, said->chat, said->remote_id);
	}
}

static store_handler *const handlers[EVENT_KIND_COUNT] = { [EVENT_MESSAGE_SENT] = on_said };

static int
setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, handlers, NULL, NULL);
	store_aid_forget(&aid);
	*state = &aid;
	return 0;
}

/* --- saying --- */

struct text {
	int64_t id;
	int64_t chat;
	const char *head;
};

static void
act_add(struct tx *tx, void *arg)
{
	struct text *text = arg;
	char head[64];

	(void)text_copy(head, sizeof(head), text->head);
	text->id =
	    row_message_add(tx, &(struct message){ .address.chat = text->chat, .head = head });
}

static void
act_change(struct tx *tx, void *arg)
{
	const struct text *text = arg;
	char head[64];

	(void)text_copy(head, sizeof(head), text->head);
	row_message_change(tx, text->id, &(struct message){ .head = head });
}

static int64_t
add(struct store_aid *aid, int64_t chat, const char *head)
{
	struct text text = { .chat = chat, .head = head };

	store_aid_act(aid, act_add, &text);
	return text.id;
}

static void
change(struct store_aid *aid, int64_t id, const char *head)
{
	store_aid_act(aid, act_change, &(struct text){ .id = id, .head = head });
}

/* Behind what may have been sent, when nobody knows whether it was. */
#define TWICE_TEXT \
	"Sent again after a restart of deploybot: if it stands here twice, only this one is kept up to date."
#define TWICE "\n" MARK_ITALIC TWICE_TEXT MARK_ITALIC

/* Takes the SEND_MESSAGE that must be out, checks its text, reports it as sent. */
static void
said(struct store_aid *aid, const char *head)
{
	struct effect *effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);

	assert_non_null(effect);
	assert_string_equal(effect->u.send_message.message.head, head);
	effect->result->u.message_sent.message = effect->u.send_message.message.id;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	effect->result->u.message_sent.remote_id = 1000 + effect->u.send_message.message.id;
	(void)store_aid_report(aid, effect);
}

static void
only_the_head_of_a_lane_is_out_and_its_result_hands_out_the_next(void **state)
{
	struct store_aid *aid = *state;

	(void)add(aid, 1, "one");
	(void)add(aid, 1, "two");
	(void)add(aid, 1, "three");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 1);
	said(aid, "one");
	said(aid, "two");
	said(aid, "three");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
act_answer(struct tx *tx, void *arg)
{
	char head[] = "answer";

	*(int64_t *)arg = row_message_add(
	    tx, &(struct message){ .address.chat = 1, .head = head, .is_answer = true });
}

static void
act_supergroup(struct tx *tx, void *arg)
{
	(void)arg;
	row_message_move_chat(tx, 1, -1);
}

/* Two lanes for a chat: that of answers moves with it too. */
static void
act_look_and_change(struct tx *tx, void *arg)
{
	const struct text *text = arg;
	char head[] = "a step, seen";

	row_message_is_looked_at(tx, text->id);
	row_message_change(tx, text->id, &(struct message){ .head = head });
}

/* Found by the simulation (SEED=298): the edit that was out came last, with a text of before. */
static void
an_edit_that_becomes_an_answer_goes_behind_the_one_that_is_out(void **state)
{
	struct store_aid *aid = *state;
	struct text text = { .id = add(aid, 1, "running") };
	struct effect *out;

	said(aid, "running");
	change(aid, text.id, "a step");
	out = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_non_null(out);
	store_aid_act(aid, act_look_and_change, &text);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
	(void)store_aid_report(aid, out);
	said(aid, "a step, seen");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
an_answer_does_not_wait_for_what_is_edited_or_new(void **state)
{
	struct store_aid *aid = *state;
	int64_t id = add(aid, 1, "running"), answer;

	said(aid, "running");
	change(aid, id, "a step");
	(void)add(aid, 1, "a question");
	store_aid_act(aid, act_answer, &answer);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 3);
	change(aid, answer, "answer, later");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 3);
	said(aid, "a step");
	said(aid, "a question");
	store_aid_act(aid, act_supergroup, NULL);
	said(aid, "answer");
	said(aid, "answer, later");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
act_alarm(struct tx *tx, void *arg)
{
	char head[] = "failed";

	*(int64_t *)arg = row_message_add(
	    tx, &(struct message){ .address.chat = 1, .head = head, .is_alarm = true });
}

/* A lane of its own, which moves too. */
static void
an_alarm_waits_for_nothing_else(void **state)
{
	struct store_aid *aid = *state;
	int64_t alarm;

	(void)add(aid, 1, "running");
	(void)add(aid, 1, "a question");
	store_aid_act(aid, act_alarm, &alarm);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 2);
	store_aid_act(aid, act_supergroup, NULL);
	said(aid, "running");
	change(aid, alarm, "failed, and looked at");
	said(aid, "failed");
	said(aid, "a question");
	said(aid, "failed, and looked at");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
chats_do_not_wait_for_each_other(void **state)
{
	struct store_aid *aid = *state;

	(void)add(aid, 1, "one");
	(void)add(aid, 2, "two");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 2);
}

static void
edits_that_wait_are_said_once_with_the_newest_text(void **state)
{
	struct store_aid *aid = *state;
	int64_t id = add(aid, 1, "0 %");
	char head[16];

	for (int i = 1; i <= 100; i++) {
		(void)snprintf(head, sizeof(head), "%d %%", i);
		change(aid, id, head);
	}
	said(aid, "0 %");
	said(aid, "100 %");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
a_change_that_is_none_is_not_said(void **state)
{
	struct store_aid *aid = *state;
	int64_t id = add(aid, 1, "same");

	said(aid, "same");
	change(aid, id, "same");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

static void
a_sent_message_is_edited_by_its_remote_id(void **state)
{
	struct store_aid *aid = *state;
	int64_t id = add(aid, 1, "new");
	struct effect *effect;

	said(aid, "new");
	change(aid, id, "changed");
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_int_equal(effect->u.send_message.message.remote_id, 1000 + id);
	assert_int_equal(effect->subject, id);
	effect_free(effect);
}

static void
after_a_restart_only_heads_are_out_again(void **state)
{
	struct store_aid *aid = *state;
	struct effect *effect;
	int64_t id = add(aid, 1, "one");

	(void)add(aid, 1, "two");
	change(aid, id, "one, later");
	store_aid_reopen(aid);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 1);
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_true(effect->is_recovered);
	assert_string_equal(effect->u.send_message.message.head, "one, later" TWICE);
	(void)store_aid_report(aid, effect);
	said(aid, "two");
	said(aid, "one, later" TWICE); /* its edit stood behind the head */
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

/* --- a chat that moved --- */

struct wanted {
	int64_t chat;
	int64_t run;
	int64_t id; /* of its effect */
};

static void
act_document(struct tx *tx, void *arg)
{
	struct effect *effect = effect_new(EFFECT_DOCUMENT);
	struct wanted *wanted = arg;

	effect->u.document.address.chat = wanted->chat;
	effect->u.document.address.thread = 5;
	effect->u.document.run = wanted->run;
	wanted->id = row_effect_add(tx, effect);
}

static int64_t
want(struct store_aid *aid, int64_t chat, int64_t run)
{
	struct wanted wanted = { .chat = chat, .run = run };

	store_aid_act(aid, act_document, &wanted);
	return wanted.id;
}

static void
a_log_that_is_open_in_a_chat_is_not_queued_again(void **state)
{
	struct store_aid *aid = *state;
	int64_t first = want(aid, -1, 3);
	int64_t waiting = want(aid, -1, 4);

	assert_int_equal(want(aid, -1, 3), first);     /* while it is out */
	assert_int_equal(want(aid, -1, 4), waiting);   /* while it waits */
	assert_int_not_equal(want(aid, -2, 3), first); /* another chat */
	assert_int_equal(store_aid_count(aid, EFFECT_DOCUMENT), 2);
	(void)store_aid_report(aid, store_aid_take(aid, EFFECT_DOCUMENT));
	assert_true(want(aid, -1, 3) > waiting); /* it was sent: once more */
}

static void
what_waits_moves_with_its_chat(void **state)
{
	struct store_aid *aid = *state;
	struct effect *effect;

	(void)add(aid, -1, "one");
	(void)add(aid, -1, "two");
	(void)add(aid, -100, "three");
	(void)want(aid, -1, 3);
	(void)want(aid, -1, 4);
	effect_free(store_aid_take(aid, EFFECT_DOCUMENT)); /* out, in the old chat */

	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_string_equal(effect->u.send_message.message.head, "one");
	effect->result->u.message_sent.message = effect->u.send_message.message.id;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	effect->result->u.message_sent.new_chat = -100;
	(void)store_aid_report(aid, effect);
	/* "three" is out in the lane that the others came to: they wait for it. */
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_string_equal(effect->u.send_message.message.head, "three");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
	(void)store_aid_report(aid, effect);
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_string_equal(effect->u.send_message.message.head, "two");
	assert_int_equal(effect->u.send_message.message.address.chat, -100);
	(void)store_aid_report(aid, effect);
	said(aid, "one");
	/* The second document still waits for the first. */
	assert_int_equal(store_aid_count(aid, EFFECT_DOCUMENT), 0);
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_DOCUMENT);
	assert_int_equal(effect->u.document.address.chat, -100);
	assert_int_equal(effect->u.document.address.thread, 0);
	effect_free(effect);
}

static void
act_move(struct tx *tx, void *arg)
{
	(void)arg;
	row_message_move_chat(tx, -1, -100);
}

static void
act_remote_id(struct tx *tx, void *arg)
{
	struct message message = row_message_get(tx, 1);

	*(int64_t *)arg = message.remote_id;
	assert_int_equal(message.address.chat, -100);
	message_done(&message);
}

/* Its id would be that of another message there. */
static void
an_id_of_the_chat_that_moved_is_not_kept(void **state)
{
	struct store_aid *aid = *state;
	struct effect *effect;
	int64_t remote_id = -1;

	(void)add(aid, -1, "one");
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	effect->result->u.message_sent.message = effect->u.send_message.message.id;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	effect->result->u.message_sent.remote_id = 506;
	store_aid_act(aid, act_move, NULL);
	(void)store_aid_report(aid, effect);
	store_aid_act(aid, act_remote_id, &remote_id);
	assert_int_equal(remote_id, 0);
}

/* --- toasts --- */

static void
act_toast(struct tx *tx, void *arg)
{
	row_effect_toast(
	    tx, &(struct chat_address){ .chat = 1 }, arg, true, "Hello %s", (char *)arg);
}

static void
a_toast_that_is_old_at_its_turn_is_dropped(void **state)
{
	struct store_aid *aid = *state;
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

static void
act_long_toast(struct tx *tx, void *arg)
{
	char text[1000];

	(void)arg;
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x8f\xb3\0", 4);
	row_effect_toast(tx, &(struct chat_address){ .chat = 1 }, "c", false, "%s", text);
}

static void
a_toast_is_cut_between_characters(void **state)
{
	struct store_aid *aid = *state;
	struct effect *effect;

	store_aid_act(aid, act_long_toast, NULL);
	effect = store_aid_take(aid, EFFECT_TOAST);
	assert_int_equal(strlen(effect->u.toast.text), 3 * LIMIT_TOAST);
	assert_true(is_utf8(effect->u.toast.text, strlen(effect->u.toast.text)));
	effect_free(effect);
}

/* --- withdrawing --- */

static void
act_wait(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_effect_timer(tx, TIMER_QUESTION, "abc", 7, tx->at + 1000);
	(void)row_effect_timer(tx, TIMER_POLL, "", 0, tx->at + 1000);
	assert_int_equal(row_effect_count_timers(tx, TIMER_QUESTION), 1);
	assert_int_equal(row_effect_count_timers(tx, TIMER_DAILY), 0);
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

static void
what_is_withdrawn_is_told_once_and_its_result_finds_nothing(void **state)
{
	struct store_aid *aid = *state;
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

static void
what_may_have_been_said_cannot_be_withdrawn(void **state)
{
	struct store_aid *aid = *state;
	int64_t id = add(aid, 1, "one");

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
	effect->u.run.run = row_run_add(tx, deployment.id, PROGRAM_DEPLOY);
	(void)row_effect_add(tx, effect);
	deployment.message =
	    row_message_add(tx, &(struct message){ .address.chat = 9, .head = first });
	row_deployment_save(tx, &deployment);
	row_message_change(
	    tx, deployment.message, &(struct message){ .head = second, .live_run = 1 });
}

static void
a_run_comes_with_its_message_as_the_decision_left_it(void **state)
{
	struct store_aid *aid = *state;
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

static void
an_open_run_says_when_it_was_started(void **state)
{
	struct store_aid *aid = *state;
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

static void
a_flood_of_pushes_is_the_question_in_progress_and_one_for_the_newest(void **state)
{
	struct store_aid *aid = *state;
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
	[EFFECT_PICTURE] = { "picture:9", true, false },
	[EFFECT_DELETE_MESSAGE] = { "", false, false },
	[EFFECT_PIN_MESSAGE] = { "", false, false },
	[EFFECT_PURGE_RUN] = { "", false, false },
	[EFFECT_LEAVE_CHAT] = { "", false, false },
	[EFFECT_CLOUDFLARE_GET] = { "", false, true },
	[EFFECT_CLOUDFLARE_SET] = { "", false, false },
	[EFFECT_WITNESS] = { "", false, false },
	[EFFECT_FORWARD] = { "", false, false },
	[EFFECT_TIMER] = { "", false, true },
};
_Static_assert(COUNT(kinds) == EFFECT_KIND_COUNT, "each kind says what it does");

static int64_t
add_kind(struct tx *tx, enum effect_kind kind)
{
	struct effect *effect = effect_new(kind);

	assert_non_null(effect);
	if (kind == EFFECT_SEND_MESSAGE)
		effect->u.send_message.message.address.chat = 9;
	else if (kind == EFFECT_TOAST)
		effect->u.toast.chat = 9;
	else if (kind == EFFECT_PICTURE)
		effect->u.picture.person = 9;
	else if (kind == EFFECT_DOCUMENT)
		effect->u.document.address.chat = 9;
	else if (kind == EFFECT_GIT_QUERY)
		(void)text_copy(effect->u.git_query.environment, LIMIT_ENVIRONMENT, "staging");
	return row_effect_add(tx, effect);
}

static void
act_on_each_kind(struct tx *tx, void *arg)
{
	(void)arg;
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

static void
each_kind_has_the_lane_the_count_and_the_withdrawal_of_its_row(void **state)
{
	struct store_aid *aid = *state;

	store_aid_act(aid, act_on_each_kind, NULL);
	/* That message has no row: its turn came, and it was dropped. */
	assert_int_equal(aid->store->mark.n_outbox, 3);
}

static void
act_spoil(struct tx *tx, void *arg)
{
	(void)arg;
	(void)add_kind(tx, EFFECT_GIT_QUERY);
	(void)add_kind(tx, EFFECT_DOCUMENT);
	(void)add_kind(tx, EFFECT_TOAST);
	(void)tx_run(tx, "UPDATE effect SET body = '' WHERE kind IN ('ask', 'document')");
}

/* A dropped question was taken off the count of messages, which then stood at -1. */
static void
only_messages_that_are_dropped_are_taken_off_their_count(void **state)
{
	struct store_aid *aid = *state;

	store_aid_act(aid, act_spoil, NULL);
	store_aid_reopen(aid);
	assert_int_equal(aid->store->mark.n_outbox, 1); /* the toast */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_aid_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_flood_of_pushes_is_the_question_in_progress_and_one_for_the_newest, setup,
		    store_aid_teardown),
		TEST(only_the_head_of_a_lane_is_out_and_its_result_hands_out_the_next),
		TEST(an_edit_that_becomes_an_answer_goes_behind_the_one_that_is_out),
		TEST(an_answer_does_not_wait_for_what_is_edited_or_new),
		TEST(an_alarm_waits_for_nothing_else),
		TEST(chats_do_not_wait_for_each_other),
		TEST(edits_that_wait_are_said_once_with_the_newest_text),
		TEST(a_change_that_is_none_is_not_said),
		TEST(a_sent_message_is_edited_by_its_remote_id),
		TEST(after_a_restart_only_heads_are_out_again),
		TEST(a_log_that_is_open_in_a_chat_is_not_queued_again),
		TEST(what_waits_moves_with_its_chat),
		TEST(an_id_of_the_chat_that_moved_is_not_kept),
		TEST(a_toast_that_is_old_at_its_turn_is_dropped),
		TEST(a_toast_is_cut_between_characters),
		TEST(what_is_withdrawn_is_told_once_and_its_result_finds_nothing),
		TEST(what_may_have_been_said_cannot_be_withdrawn),
		TEST(a_run_comes_with_its_message_as_the_decision_left_it),
		TEST(an_open_run_says_when_it_was_started),
		TEST(each_kind_has_the_lane_the_count_and_the_withdrawal_of_its_row),
		TEST(only_messages_that_are_dropped_are_taken_off_their_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
