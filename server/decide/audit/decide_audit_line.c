/* decide_audit_line.c - the day's line of the audit, and whom it goes to.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_audit_line.h"

#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_audit_line.h"
#include "store/row_effect.h"
#include "store/row_message.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define DAY    10 /* letters of "2026-11-23" */

void
decide_audit_line_note(struct tx *tx, int64_t message)
{
	row_message_names_head(tx, message);
	if (row_effect_timer_due(tx, TIMER_AUDIT_LINE, 0) == 0)
		(void)row_effect_timer(tx, TIMER_AUDIT_LINE, "", 0, (tx->at / DAY_MS + 1) * DAY_MS);
}

static void
send_line(struct tx *tx, int64_t chat, const struct audit_line_row *line)
{
	struct message silent = { .address = { .chat = chat }, .is_silent = true };
	struct chat_text text = CHAT_TEXT_EMPTY;
	char time[TEXT_TIME_SIZE];

	chat_text_add(&text,
	    "Audit log of %.*s: entry %" PRId64 ", audit %s. While " MARK_CODE
	    "deploybot audit verify" MARK_CODE
	    " finds these digits, nothing before them was changed.",
	    DAY, text_time(time, line->at), line->seq, line->head);
	row_message_names_head(tx, decide_send_as(tx, &silent, &text));
}

void
decide_audit_line_due(struct tx *tx)
{
	struct audit_line_row line = { 0 };
	int64_t behind = row_audit_line_newest(tx), chats[ROW_MESSAGE_CHATS];
	int64_t after = INT64_MIN;
	size_t n;

	line.seq = row_audit_newest(tx, line.head);
	line.at = row_audit_at(tx, line.seq);
	do {
		n = row_message_named_in(tx, behind, after, chats);
		for (size_t i = 0; i < n; i++)
			send_line(tx, after = chats[i], &line);
		if (n > 0)
			row_audit_line_add(tx, &line);
	} while (n == ROW_MESSAGE_CHATS);
}
