/* Goal: a lane keeps order with one out at a time, and says the newest, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lane_aid.h"

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/store_inside.h"

static void
act_change(struct tx *tx, void *arg)
{
	const struct text *text = arg;
	char head[64];

	(void)text_copy(head, sizeof(head), text->head);
	row_message_change(tx, text->id, &(struct message){ .head = head });
}

static void
change(struct store_aid *aid, int64_t id, const char *head)
{
	store_aid_act(aid, act_change, &(struct text){ .id = id, .head = head });
}

LANE_TEST(only_the_head_of_a_lane_is_out_and_its_result_hands_out_the_next)
{
	(void)lane_aid_add(aid, 1, "one");
	(void)lane_aid_add(aid, 1, "two");
	(void)lane_aid_add(aid, 1, "three");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 1);
	lane_aid_said(aid, "one");
	lane_aid_said(aid, "two");
	lane_aid_said(aid, "three");
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
act_supergroup(struct tx *tx, UNUSED void *arg)
{
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
LANE_TEST(an_edit_that_becomes_an_answer_goes_behind_the_one_that_is_out)
{
	struct text text = { .id = lane_aid_add(aid, 1, "running") };
	struct effect *out;

	lane_aid_said(aid, "running");
	change(aid, text.id, "a step");
	out = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_non_null(out);
	store_aid_act(aid, act_look_and_change, &text);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
	(void)store_aid_report(aid, out);
	lane_aid_said(aid, "a step, seen");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

LANE_TEST(an_answer_does_not_wait_for_what_is_edited_or_new)
{
	int64_t id = lane_aid_add(aid, 1, "running"), answer;

	lane_aid_said(aid, "running");
	change(aid, id, "a step");
	(void)lane_aid_add(aid, 1, "a question");
	store_aid_act(aid, act_answer, &answer);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 3);
	change(aid, answer, "answer, later");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 3);
	lane_aid_said(aid, "a step");
	lane_aid_said(aid, "a question");
	store_aid_act(aid, act_supergroup, NULL);
	lane_aid_said(aid, "answer");
	lane_aid_said(aid, "answer, later");
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
LANE_TEST(an_alarm_waits_for_nothing_else)
{
	int64_t alarm;

	(void)lane_aid_add(aid, 1, "running");
	(void)lane_aid_add(aid, 1, "a question");
	store_aid_act(aid, act_alarm, &alarm);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 2);
	store_aid_act(aid, act_supergroup, NULL);
	lane_aid_said(aid, "running");
	change(aid, alarm, "failed, and looked at");
	lane_aid_said(aid, "failed");
	lane_aid_said(aid, "a question");
	lane_aid_said(aid, "failed, and looked at");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

/* Found by the simulation (SEED=649124337): each of two stands in the lane of the other. */
LANE_TEST(what_changes_places_is_sent_once)
{
	int64_t two, three;

	(void)lane_aid_add(aid, 1, "one");
	two = lane_aid_add(aid, 1, "two");
	three = lane_aid_add(aid, 1, "three");
	assert_true(db_run(aid->store->db, &aid->err,
	    "UPDATE effect SET lane = lane || ':held' WHERE kind = 'say' AND subject = $1",
	    DB_I64(two)));
	assert_true(db_run(aid->store->db, &aid->err,
	    "UPDATE message SET held_until = 1 WHERE id = $1", DB_I64(three)));
	lane_aid_said(aid, "one");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 2);
	lane_aid_said(aid, "two");
	lane_aid_said(aid, "three");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

LANE_TEST(chats_do_not_wait_for_each_other)
{
	(void)lane_aid_add(aid, 1, "one");
	(void)lane_aid_add(aid, 2, "two");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 2);
}

LANE_TEST(edits_that_wait_are_said_once_with_the_newest_text)
{
	int64_t id = lane_aid_add(aid, 1, "0 %");
	char head[16];

	for (int i = 1; i <= 100; i++) {
		(void)snprintf(head, sizeof(head), "%d %%", i);
		change(aid, id, head);
	}
	lane_aid_said(aid, "0 %");
	lane_aid_said(aid, "100 %");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

LANE_TEST(a_change_that_is_none_is_not_said)
{
	int64_t id = lane_aid_add(aid, 1, "same");

	lane_aid_said(aid, "same");
	change(aid, id, "same");
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 0);
}

LANE_TEST(a_sent_message_is_edited_by_its_remote_id)
{
	int64_t id = lane_aid_add(aid, 1, "new");
	struct effect *effect;

	lane_aid_said(aid, "new");
	change(aid, id, "changed");
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_int_equal(effect->u.send_message.message.remote_id, 1000 + id);
	assert_int_equal(effect->subject, id);
	effect_free(effect);
}

LANE_TEST(after_a_restart_only_heads_are_out_again)
{
	struct effect *effect;
	int64_t id = lane_aid_add(aid, 1, "one");

	(void)lane_aid_add(aid, 1, "two");
	change(aid, id, "one, later");
	store_aid_reopen(aid);
	assert_int_equal(store_aid_count(aid, EFFECT_SEND_MESSAGE), 1);
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_true(effect->is_recovered);
	assert_string_equal(effect->u.send_message.message.head, "one, later" TWICE);
	(void)store_aid_report(aid, effect);
	lane_aid_said(aid, "two");
	lane_aid_said(aid, "one, later" TWICE); /* its edit stood behind the head */
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

LANE_TEST(a_log_that_is_open_in_a_chat_is_not_queued_again)
{
	int64_t first = want(aid, -1, 3);
	int64_t waiting = want(aid, -1, 4);

	assert_int_equal(want(aid, -1, 3), first);     /* while it is out */
	assert_int_equal(want(aid, -1, 4), waiting);   /* while it waits */
	assert_int_not_equal(want(aid, -2, 3), first); /* another chat */
	assert_int_equal(store_aid_count(aid, EFFECT_DOCUMENT), 2);
	(void)store_aid_report(aid, store_aid_take(aid, EFFECT_DOCUMENT));
	assert_true(want(aid, -1, 3) > waiting); /* it was sent: once more */
}

LANE_TEST(what_waits_moves_with_its_chat)
{
	struct effect *effect;

	(void)lane_aid_add(aid, -1, "one");
	(void)lane_aid_add(aid, -1, "two");
	(void)lane_aid_add(aid, -100, "three");
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
	lane_aid_said(aid, "one");
	/* The second document still waits for the first. */
	assert_int_equal(store_aid_count(aid, EFFECT_DOCUMENT), 0);
	store_aid_reopen(aid);
	effect = store_aid_take(aid, EFFECT_DOCUMENT);
	assert_int_equal(effect->u.document.address.chat, -100);
	assert_int_equal(effect->u.document.address.thread, 0);
	effect_free(effect);
}

static void
act_move(struct tx *tx, UNUSED void *arg)
{
	row_message_move_chat(tx, -1, -100);
}

static void
act_remote_id(struct tx *tx, void *arg)
{
	struct message message;

	row_message_get(tx, 1, &message);
	*(int64_t *)arg = message.remote_id;
	assert_int_equal(message.address.chat, -100);
	message_done(&message);
}

/* Its id would be that of another message there. */
LANE_TEST(an_id_of_the_chat_that_moved_is_not_kept)
{
	struct effect *effect;
	int64_t remote_id = -1;

	(void)lane_aid_add(aid, -1, "one");
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	effect->result->u.message_sent.message = effect->u.send_message.message.id;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	effect->result->u.message_sent.remote_id = 506;
	store_aid_act(aid, act_move, NULL);
	(void)store_aid_report(aid, effect);
	store_aid_act(aid, act_remote_id, &remote_id);
	assert_int_equal(remote_id, 0);
}

static void
act_renew(struct tx *tx, void *arg)
{
	char head[] = "failed";

	row_message_renew(tx, *(int64_t *)arg, &(struct message){ .head = head, .is_alarm = true });
}

/* Found by the simulation (SEED=20198): behind a restart the older send came last, as an edit of
 * the message itself, which was deleted as if it were the copy before. */
LANE_TEST(a_late_edit_of_what_was_sent_anew_deletes_nothing)
{
	int64_t id = lane_aid_add(aid, 1, "running");
	struct effect *late = store_aid_take(aid, EFFECT_SEND_MESSAGE);

	assert_non_null(late);
	store_aid_act(aid, act_renew, &id);
	lane_aid_said(aid, "failed");
	late->result->u.message_sent.message = id;
	late->result->u.message_sent.chat = 1;
	late->result->u.message_sent.remote_id = 1000 + id;
	(void)store_aid_report(aid, late);
	assert_int_equal(store_aid_count(aid, EFFECT_DELETE_MESSAGE), 0);
}

static void
act_is_behind(struct tx *tx, void *arg)
{
	(void)tx_run(tx, "UPDATE message SET remote_id = 510, anew = 1000000 WHERE id = $1",
	    DB_I64(*(int64_t *)arg));
}

/* Found by the simulation (SEED=47122): a power cut left the older send behind the newer one, and
 * it said what came next.  Somebody had deleted the message: it was sent, and taken for a copy. */
LANE_TEST(what_waited_and_says_what_is_now_is_no_copy)
{
	int64_t id;
	struct effect *effect;

	(void)lane_aid_add(aid, 1, "another");
	id = lane_aid_add(aid, 1, "asking git");
	store_aid_act(aid, act_is_behind, &id);
	change(aid, id, "refused");
	lane_aid_said(aid, "another");
	effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);
	assert_string_equal(effect->u.send_message.message.head, "refused");
	effect->result->u.message_sent.message = id;
	effect->result->u.message_sent.chat = 1;
	effect->result->u.message_sent.remote_id = 518;
	(void)store_aid_report(aid, effect);
	assert_int_equal(store_aid_count(aid, EFFECT_DELETE_MESSAGE), 0);
}

struct sent {
	int64_t row, remote_id;
};

static void
act_sent(struct tx *tx, void *arg)
{
	const struct sent *sent = arg;

	row_message_sent(tx, sent->row, 5, sent->remote_id);
}

/* A person deleted it, and what stood in two lanes was sent anew twice. */
LANE_TEST(of_two_copies_the_newer_one_stays_and_says_what_is_so_now)
{
	struct sent sent = { lane_aid_add(aid, 5, "one"), 2010 };
	int64_t remote_id = 0;
	struct effect *gone;

	lane_aid_said(aid, "one");
	store_aid_act(aid, act_sent, &(struct sent){ sent.row, 2011 });
	store_aid_act(aid, act_sent, &sent);
	gone = store_aid_take(aid, EFFECT_DELETE_MESSAGE);
	assert_non_null(gone);
	assert_int_equal(gone->u.delete_message.remote_id, 2010);
	effect_free(gone);
	assert_true(db_one_i64(&remote_id, aid->store->db, &aid->err,
	    "SELECT remote_id FROM message WHERE id = $1", DB_I64(sent.row)));
	assert_int_equal(remote_id, 2011);
	lane_aid_said(aid, "one");
}
