/* decide_tell_ring.c - the messages about a deployment that ring, or answer who asked alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include "chat/chat_text.h"
#include "decide/tell/decide_tell.h"
#include "store/row_message.h"
#include "store/row_pipeline.h"

/* An edit makes no sound: what rings is sent anew, and says all. */
static void
ring_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message now = { 0 };
	const struct decide_tell_ring ring = {
		.is_alarm = chat_deployment_is_alarm(deployment->state), .counts = true
	};

	if (row == 0)
		return;
	row_message_get(tx, row, &now);
	if (decide_tell_may_ring(tx, deployment, now.address.chat))
		decide_tell_anew(tx, about, row, &ring);
}

bool
decide_tell_rings(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t after_s = settings != NULL ? settings->notify_after_seconds : 0;

	return chat_deployment_rings(deployment, after_s * 1000, tx->at);
}

/* That its CI has failed rang there by itself: nobody asked for it. */
static bool
has_rung(struct tx *tx, const struct deployment *deployment)
{
	return deployment->why == DEPLOY_WHY_CI && !deployment_is_by_request(deployment) &&
	    row_pipeline_says_red(tx, deployment->address.chat, deployment->commit);
}

/* The team is notified of what is bad; of the rest who asked. */
void
decide_ring(struct tx *tx, const struct deployment *deployment)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	if (deployment->state == DEPLOY_EXPIRED && deployment->why == DEPLOY_WHY_UNAPPROVED)
		decide_tell_expired(tx, &about);
	decide_tell_rolled_back(tx, &about);
	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    deployment->state == DEPLOY_AWAITING_APPROVAL || !decide_tell_rings(tx, deployment) ||
	    has_rung(tx, deployment))
		return;
	ring_in(tx, &about, deployment->message);
	if ((deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL &&
		deployment->state != DEPLOY_PAUSED) ||
	    deployment->state == DEPLOY_LIVE || deployment->state == DEPLOY_DONE ||
	    deployment->state == DEPLOY_REFUSED || deployment->state == DEPLOY_EXPIRED ||
	    deployment->state == DEPLOY_CANCELLED)
		return;
	ring_in(tx, &about, deployment->also_message);
	decide_tell_ring_people(tx, &about);
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
	reply_requester(tx, deployment, tx->at - deployment->wait.queued_at > patience_ms, &text);
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
