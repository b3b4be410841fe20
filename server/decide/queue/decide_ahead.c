/* decide_ahead.c - what was in progress has ended: who was told to wait for it reads that.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_ahead.h"

#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "decide/question/decide_standing.h"
#include "decide/git/decide_git.h"
#include "store/row_deployment.h"
#include "store/row_message.h"

/* What git said of it stands in its text alone: that stays. */
static void
note_in(struct tx *tx, const struct deployment *ended, int64_t row)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, row, &message);
	if (message.head == NULL || !chat_deployment_ahead_ended(&text, message.head, ended))
		return;
	free(message.head);
	message.head = chat_text_take(&text);
	row_message_change(tx, row, &message);
}

void
decide_ahead_ended(struct tx *tx, const struct deployment *ended)
{
	int64_t rows[DECIDE_STANDING_ROWS], id = 0;

	while (!tx->failed && (id = row_deployment_next_asked(tx, ended->environment, id)) != 0) {
		struct deployment work;
		size_t n;

		row_deployment_get(tx, id, &work);
		n = decide_standing_list(tx, &work, rows);
		for (size_t i = 0; i < n; i++)
			if (rows[i] != 0)
				note_in(tx, ended, rows[i]);
		if (work.state == DEPLOY_AWAITING_APPROVAL)
			decide_query_blocked(tx, &work);
	}
}
