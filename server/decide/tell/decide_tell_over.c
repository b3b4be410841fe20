/* decide_tell_over.c - an environment is not down any more: who was notified of that reads so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include "decide/decide_limit.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_tell.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_shown.h"

#define DOWN_MAX   8 /* works that left it down one behind the other; older ones stay as they are */
#define OTHERS_MAX 8

/* The end that is said by itself, to whom this would say it once more. */
static bool
is_said_in(struct tx *tx, const struct deployment *end, int64_t chat)
{
	return (chat == end->address.chat && (chat > 0 || decide_tell_rings(tx, end))) ||
	    end->state != DEPLOY_LIVE;
}

/* As its alarm has rung, and as soon: an edit makes no sound. */
static void
ring_in(
    struct tx *tx, const struct chat_deployment *about, int64_t row, const struct deployment *end)
{
	CLEANUP(message_done) struct message now = { 0 };
	int64_t chat;
	struct decide_tell_ring how = { .is_alarm = true };

	row_message_get(tx, row, &now);
	chat = now.address.chat;
	if (now.id == 0 || row_message_count_rings(tx, about->deployment->id, chat) == 0 ||
	    is_said_in(tx, end, chat))
		return;
	how.is_silent = !decide_may_ring_chat(tx, chat);
	decide_tell_anew(tx, about, row, &how);
}

static void
ring(struct tx *tx, const struct deployment *work, const struct deployment *end)
{
	int64_t rows[2 + OTHERS_MAX + ROW_SHOWN_MAX] = { work->message, work->also_message };
	size_t n = 2 + row_button_list_messages(tx, work->id, rows + 2, OTHERS_MAX);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, work, NULL, &shown);

	n += row_shown_list(tx, work->id, SHOWN_TEAM, rows + n);
	for (size_t i = 0; i < n; i++)
		ring_in(tx, &about, rows[i], end);
}

void
decide_tell_over(
    struct tx *tx, const struct deployment *deployment, const struct environment *before)
{
	int64_t works[DOWN_MAX];
	size_t n = 0;

	decide_nag_live(tx, deployment);
	if (environment_is_in_doubt(before))
		n = row_deployment_list_down(
		    tx, deployment->environment, before->current.at, works, DOWN_MAX);
	for (size_t i = 0; i < n; i++) {
		struct deployment work;

		row_deployment_get(tx, works[i], &work);
		if (work.message == 0)
			continue;
		decide_tell(tx, &work, NULL);
		if (i == 0)
			ring(tx, &work, deployment);
		row_shown_clear(tx, work.id, SHOWN_TEAM);
	}
}
