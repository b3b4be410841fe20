/* decide_tell_ring.c - the messages about a deployment that ring, or answer who asked alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell_inside.h"

#include <stdlib.h>

#include "chat/chat_text.h"
#include "decide/decide_nag.h"
#include "decide/decide_tell.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_shown.h"

/* It was not sent yet, and says what it has come to: then it rings when it is. */
static bool
rings_itself(struct tx *tx, const struct chat_deployment *about, const struct message *now)
{
	const struct deployment *work = about->deployment;

	return now->remote_id == 0 &&
	    (row_effect_ring(tx, now->id, work->id, chat_deployment_is_alarm(work->state)) ||
		now->rings_for == work->id);
}

static void
drop_buttons(struct tx *tx, int64_t row)
{
	CLEANUP(message_done) struct message message = row_message_get(tx, row);

	message.buttons.n = 0;
	if (message.head != NULL) /* else gone by age */
		row_message_change(tx, row, &message);
}

/* What can be pressed stands once: below the line that rang last, and below neither the story nor
 * the line before. */
static void
move_buttons(struct tx *tx, const struct chat_deployment *about, int64_t story, int64_t before,
    const struct message *now)
{
	CLEANUP(message_done) struct message message = { 0 };

	if (deploy_flow_class(about->deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	decide_tell_render(tx, about, now->address.chat, &message);
	message.address = now->address;
	row_message_change(tx, story, &message);
	if (before > story)
		drop_buttons(tx, before);
}

/* An edit makes no sound, so what rings is a message of its own; where the one before was not sent
 * yet, because its chat has had its messages of a minute or Telegram does not answer, that one says
 * the end alone.  A team reads both: there the story stands once, in the message that is edited,
 * and this is its first line with the buttons.
 * Both are rows of one decision: after a crash each is sent, in whatever order, and neither needs
 * the other to be understood. */
static void
ring_in(struct tx *tx, const struct chat_deployment *about, int64_t story, int64_t reply_to)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };
	int64_t row = story, before;

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	if (!decide_tell_may_ring(tx, about->deployment, now.address.chat) ||
	    rings_itself(tx, about, &now))
		return;
	message.head = chat_deployment_ring(about, now.address.chat < 0);
	message.address = now.address;
	message.reply_to = reply_to;
	message.reply_row = reply_to != 0 ? 0 : row;
	message.rings_for = about->deployment->id;
	message.is_alarm = chat_deployment_is_alarm(about->deployment->state);
	message.buttons = decide_tell_alarm_buttons(tx, about->deployment, now.address.chat);
	before = row_message_newest_ring(tx, about->deployment->id, now.address.chat);
	row = row_message_unsent_ring(tx, about->deployment->id, now.address.chat);
	if (row != 0)
		row_message_change(tx, row, &message);
	else
		row = row_message_add(tx, &message);
	if (about->deployment->state == DEPLOY_ROLLING_BACK)
		row_shown_add(tx, about->deployment->id, row, SHOWN_ROLLING);
	if (decide_nag_is_open(tx, about->deployment))
		decide_nag_shown(tx, about->deployment->id, row);
	move_buttons(tx, about, story, before == row ? 0 : before, &now);
}

/* The line that rang when it began to be rolled back says how that ended: an alarm that goes on
 * for ever is none. */
static void
tell_rolled(struct tx *tx, const struct chat_deployment *about)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, about->deployment->id, SHOWN_ROLLING, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = row_message_get(tx, rows[i]);
		struct chat_text text = CHAT_TEXT_EMPTY;

		if (message.head == NULL)
			continue; /* gone by age */
		chat_deployment_rolled(&text, about);
		free(message.head);
		message.head = chat_text_take(&text);
		row_message_change(tx, rows[i], &message);
	}
	row_shown_clear(tx, about->deployment->id, SHOWN_ROLLING);
}

/* The team is notified of what is bad; of the rest who asked. */
void
decide_ring(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t after_s = settings != NULL ? settings->notify_after_seconds : 0;
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	if (deployment->state == DEPLOY_ROLLED_BACK || deployment->state == DEPLOY_ROLLBACK_FAILED)
		tell_rolled(tx, &about);
	if (deployment->state == DEPLOY_EXPIRED && deployment->why == DEPLOY_WHY_UNAPPROVED)
		decide_tell_expired(tx, &about);
	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    !chat_deployment_rings(deployment, after_s * 1000, tx->at))
		return;
	ring_in(tx, &about, deployment->message, deployment->request);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL &&
	    deployment->state != DEPLOY_LIVE && deployment->state != DEPLOY_REFUSED &&
	    deployment->state != DEPLOY_EXPIRED && deployment->state != DEPLOY_CANCELLED)
		ring_in(tx, &about, deployment->also_message, 0);
}

/* To who asked alone: a reply to the request.  Takes the text. */
static void
reply_requester(
    struct tx *tx, const struct deployment *deployment, bool rings, struct chat_text *text)
{
	CLEANUP(message_done) struct message message = { .address = deployment->address };

	message.is_silent =
	    !rings || !decide_tell_may_ring(tx, deployment, deployment->address.chat);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	message.reply_to = deployment->request;
	message.head = chat_text_take(text);
	(void)row_message_add(tx, &message);
}

/* It rings where the wait was long. */
void
decide_tell_turn(struct tx *tx, const struct deployment *deployment, bool is_next)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t patience_ms = settings != NULL ? settings->notify_after_seconds * INT64_C(1000) : 0;
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_deployment_turn(&text, deployment, is_next);
	reply_requester(tx, deployment, tx->at - deployment->queued_at > patience_ms, &text);
}

void
decide_tell_given(struct tx *tx, const struct deployment *from, const struct deployment *to)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_deployment_given(&text, from, "your place went to ", to->requester);
	reply_requester(tx, from, false, &text);
	chat_deployment_given(&text, to, "you have the place of ", from->requester);
	reply_requester(tx, to, true, &text);
}
