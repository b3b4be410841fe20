/* decide_cloudflare_tell.c - what chats read of a zone, and its line in /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_cloudflare_inside.h"

#include "chat/chat_cloudflare.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "store/row_button.h"
#include "store/row_message.h"

#define HOUR_MS	  (3600 * INT64_C(1000))
#define SHOWN_MAX 16

static struct chat_cloudflare
facts_of(const struct tx *tx, const struct cloudflare_row *row)
{
	return (struct chat_cloudflare){ .target = row->target,
		.old = row->old,
		.by = row->by,
		.detail = row->detail,
		.at = row->at,
		.until = row->until,
		.now = tx->at,
		.clock = decide_clock(tx, "") };
}

/* Where it was asked for; not in private with whom it is no business of any more, who could do
 * nothing about it. */
static struct chat_address
address_of(struct tx *tx, const struct cloudflare_row *row)
{
	int64_t chat = row->address.chat;

	if (chat > 0 && !decide_is_allowed_do(tx, chat, "cf-normal", row->target))
		return (struct chat_address){ .chat = decide_chat_of(tx, row->target) };
	return row->address;
}

static void
add_button(struct tx *tx, const struct cloudflare_row *row, int64_t chat, const char *answer,
    const char *label, struct buttons *buttons)
{
	struct button_row button = { .request = request_of("zone", row->target), .chat = chat };

	request_add(&button.request, "answer", answer);
	row_button_show(tx, &button, label, buttons);
}

/* In a message that notifies: it is not looked for. */
static void
say(struct tx *tx, const struct cloudflare_row *row, bool is_alarm, struct chat_text *text)
{
	CLEANUP(message_done)
	struct message message = { .address = address_of(tx, row), .is_alarm = is_alarm };
	int64_t chat = message.address.chat;

	message.head = chat_text_take(text);
	if (row->phase == CLOUDFLARE_IS_STUCK) {
		add_button(tx, row, chat, "again", "🔁 Restore again", &message.buttons);
		add_button(tx, row, chat, "by-hand", "☑️ Done by hand", &message.buttons);
	}
	row_button_set_message(tx, &message.buttons, row_message_add(tx, &message));
}

void
decide_cloudflare_tell_restored(struct tx *tx, const struct cloudflare_row *row)
{
	struct chat_cloudflare facts = facts_of(tx, row);
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_cloudflare_restored(&text, &facts);
	say(tx, row, false, &text);
}

void
decide_cloudflare_tell_left(struct tx *tx, const struct cloudflare_row *row, const char *level)
{
	struct chat_cloudflare facts = facts_of(tx, row);
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_cloudflare_left(&text, &facts, level);
	say(tx, row, false, &text);
}

void
decide_cloudflare_tell_failing(struct tx *tx, struct cloudflare_row *row)
{
	struct chat_cloudflare facts = facts_of(tx, row);
	bool is_stuck = row->phase == CLOUDFLARE_IS_STUCK;
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (row->notified_at != 0 && tx->at - row->notified_at < HOUR_MS)
		return;
	row->notified_at = tx->at;
	if (is_stuck)
		chat_cloudflare_stuck(&text, &facts);
	else
		chat_cloudflare_failed(&text, &facts);
	say(tx, row, true, &text);
}

void
decide_cloudflare_status(struct tx *tx, int64_t person, struct chat_text *text)
{
	struct cloudflare_row rows[SHOWN_MAX];
	size_t n = row_cloudflare_list(tx, rows, COUNT(rows));

	for (size_t i = 0; i < n; i++) {
		struct chat_cloudflare facts = facts_of(tx, &rows[i]);

		if (rows[i].phase == CLOUDFLARE_IS_ASKING ||
		    !decide_sees(tx, person, rows[i].target))
			continue;
		chat_text_add(text, "\n");
		chat_cloudflare_status(text, &facts, rows[i].failed_at != 0);
	}
}
