/* lane_aid.c - messages that are sent through a chat's lane, in a store.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lane_aid.h"

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_message.h"

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

int
lane_aid_setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, handlers, NULL, NULL);
	store_aid_forget(&aid);
	*state = &aid;
	return 0;
}

static void
act_add(struct tx *tx, void *arg)
{
	struct text *text = arg;
	char head[64];

	(void)text_copy(head, sizeof(head), text->head);
	text->id =
	    row_message_add(tx, &(struct message){ .address.chat = text->chat, .head = head });
}

int64_t
lane_aid_add(struct store_aid *aid, int64_t chat, const char *head)
{
	struct text text = { .chat = chat, .head = head };

	store_aid_act(aid, act_add, &text);
	return text.id;
}

void
lane_aid_said(struct store_aid *aid, const char *head)
{
	struct effect *effect = store_aid_take(aid, EFFECT_SEND_MESSAGE);

	assert_non_null(effect);
	assert_string_equal(effect->u.send_message.message.head, head);
	effect->result->u.message_sent.message = effect->u.send_message.message.id;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	effect->result->u.message_sent.remote_id = 1000 + effect->u.send_message.message.id;
	(void)store_aid_report(aid, effect);
}
