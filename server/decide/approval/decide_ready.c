/* decide_ready.c - the message with a ready line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_ready.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "decide/work/decide_action.h"
#include "decide/approval/decide_needs.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_nonce.h"
#include "store/row_shown.h"

bool
decide_ready_line(struct tx *tx, const struct deployment *work, char ret[APPROVE_LINE_SIZE])
{
	struct approve_line line = { .ts = tx->at / 1000 };

	ret[0] = '\0';
	row_nonce_of(tx, work->id, line.nonce);
	if (line.nonce[0] == '\0')
		return false;
	text_set(line.action, work->action);
	text_set(line.client, work->client);
	approve_line_print(&line, ret);
	return true;
}

static void
draw_nonce(struct tx *tx, const struct deployment *work)
{
	char id[LIMIT_BUTTON_ID], nonce[ROW_NONCE_SIZE];

	tx_draw_id(tx, id);
	text_set(nonce, id); /* its first 64 bits */
	row_nonce_request(tx, nonce, work->id);
}

static void
add_button(struct tx *tx, int64_t chat, const char *action, const struct deployment *work,
    const char *label, struct buttons *buttons)
{
	const struct request request = request_about(action, "work", work->id);

	row_button_show_for(tx, &request, chat, 0, label, buttons);
}

static void
add_buttons(struct tx *tx, int64_t chat, const struct deployment *work, const char *line,
    struct buttons *buttons)
{
	char label[LIMIT_BUTTON];

	buttons_add_copy(buttons, "📋 Copy the line", line);
	if (decide_needs_may_in(tx, work, chat))
		add_button(
		    tx, chat, "approve", work, chat_deployment_approve(work, label), buttons);
	add_button(tx, chat, "line", work, "🔄 New line", buttons);
}

/* A chat has one line of each request, and a request so many that all are closed at its end. */
static void
leave_lines(struct tx *tx, int64_t chat, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_LINE, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = { 0 };
		struct chat_text text = CHAT_TEXT_EMPTY;

		row_message_get(tx, rows[i], &message);
		if (message.address.chat != chat && (i > 0 || n < COUNT(rows)))
			continue;
		chat_first(&text, FIRST_TO_BE_APPROVED, deployment_target_here(work));
		chat_text_code(&text, " ", work->action);
		chat_text_add(&text,
		    "\n#%" PRId64 ": a newer line was made; " MARK_CODE "/pending" MARK_CODE
		    " shows it, too.",
		    work->id);
		free(message.head);
		message.head = chat_text_take(&text);
		message.buttons.n = 0;
		row_message_change(tx, rows[i], &message);
		row_shown_drop(tx, rows[i]);
	}
}

void
decide_ready_send(struct tx *tx, const struct chat_address *address, const struct deployment *work)
{
	struct message message = { .address = *address, .is_silent = true, .is_answer = true };
	char line[APPROVE_LINE_SIZE], touches[DECIDE_TOUCHES];
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t row;

	if (!decide_ready_line(tx, work, line)) {
		draw_nonce(tx, work);
		if (!decide_ready_line(tx, work, line))
			return; /* the tx has failed */
	}
	chat_first(&text, FIRST_TO_BE_APPROVED, deployment_target_here(work));
	chat_text_code(&text, " ", work->action);
	chat_text_some(&text, " ", work->argument);
	chat_text_outside(&text, "\n", decide_action_touches(tx, work, touches));
	chat_text_add(&text, "\n#%" PRId64, work->id);
	chat_text_outside(&text, ", requested by ", work->requester);
	chat_text_code(&text,
	    decide_needs_may_in(tx, work, address->chat) ?
		"\nPress Approve, or reply to this message within 5 minutes with\n" :
		"\nWho may approve it presses Approve, or sends within 5 minutes\n",
	    line);
	add_buttons(tx, address->chat, work, line, &message.buttons);
	row = decide_send_as(tx, &message, &text);
	if (row == 0)
		return;
	leave_lines(tx, address->chat, work);
	row_shown_add(tx, work->id, row, SHOWN_LINE);
}
