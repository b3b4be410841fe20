/* handle_timer_fired.c - a deadline came.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_access.h"
#include "decide/decide_announced.h"
#include "decide/decide_approval.h"
#include "decide/decide_audit_line.h"
#include "decide/decide_chat.h"
#include "decide/decide_cloudflare.h"
#include "decide/decide_deployment.h"
#include "decide/decide_emergency.h"
#include "decide/decide_forward.h"
#include "decide/decide_hold_change.h"
#include "decide/decide_logs.h"
#include "decide/decide_nag.h"
#include "decide/decide_pad.h"
#include "decide/decide_picture.h"
#include "decide/decide_pin.h"
#include "decide/decide_poll.h"
#include "decide/decide_rename.h"
#include "decide/decide_session.h"
#include "decide/decide_unsynced.h"
#include "decide/decide_witness.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_retention.h"
#include "store/row_stranger.h"

#define DAY_MS	(24 * 3600 * INT64_C(1000))
#define SOON_MS (60 * INT64_C(1000))

static void
expire(struct tx *tx, int64_t id)
{
	struct deployment deployment = row_deployment_get(tx, id);

	if (deployment_is_asked(&deployment))
		(void)decide_step(tx, &deployment, DEPLOY_ON_EXPIRE, NULL);
}

static void
tidy(struct tx *tx)
{
	bool more = decide_logs_keep(tx);

	more |= decide_logs_total(tx);
	more |= row_retention_clear(tx);
	(void)row_effect_timer(tx, TIMER_DAILY, "", 0, tx->at + (more ? SOON_MS : DAY_MS));
}

/* A chat's, or of some work or person that is no subject: other timers of it may be open. */
static void
look_at(struct tx *tx, void (*look)(struct tx *tx, int64_t id), int64_t least)
{
	int64_t id;

	if (text_to_i64(tx->effect->u.timer.name, least, INT64_MAX, &id, NULL))
		look(tx, id);
}

static void
drop_picture(struct tx *tx, const struct effect_timer *timer)
{
	int64_t person;

	if (text_to_i64(timer->name, 1, INT64_MAX, &person, NULL))
		decide_picture_drop(tx, person, timer->round);
}

void
handle_timer_fired(struct tx *tx, UNUSED const struct event *event)
{
	switch (tx->effect->u.timer.kind) {
	case TIMER_QUESTION:
		expire(tx, tx->effect->subject);
		break;
	case TIMER_APPROVAL:
		decide_approval_due(tx, tx->effect->subject);
		break;
	case TIMER_POLL:
		decide_poll(tx);
		break;
	case TIMER_DAILY:
		tidy(tx);
		break;
	case TIMER_SEND:
		row_effect_send(tx, tx->effect->subject);
		break;
	case TIMER_PICTURE:
		drop_picture(tx, &tx->effect->u.timer);
		break;
	case TIMER_PIN:
		look_at(tx, decide_pin_due, INT64_MIN);
		break;
	case TIMER_PAD:
		look_at(tx, decide_pad_due, 1);
		break;
	case TIMER_WITNESS:
		decide_witness_due(tx);
		break;
	case TIMER_FORWARD:
		decide_forward_due(tx);
		break;
	case TIMER_AUDIT_LINE:
		decide_audit_line_due(tx);
		break;
	case TIMER_STRANGERS:
		row_stranger_due(tx);
		break;
	case TIMER_RENAME:
		decide_rename(tx);
		break;
	case TIMER_PUSH:
		decide_announced_again(tx);
		break;
	case TIMER_ACCESS:
		decide_access(tx);
		decide_sessions_look(tx); /* what ends with a role is recorded with it */
		break;
	case TIMER_SESSIONS:
		decide_sessions_look(tx);
		break;
	case TIMER_LEAVE:
		look_at(tx, decide_chat_leave, INT64_MIN);
		break;
	case TIMER_HOLDS:
		decide_holds_look(tx);
		break;
	case TIMER_CLOUDFLARE:
		if (tx->effect->subject != 0)
			decide_cloudflare_begin(tx, tx->effect->subject);
		else
			decide_cloudflare_due(tx, tx->effect->u.timer.name);
		break;
	case TIMER_CHANGED:
		look_at(tx, decide_unsynced_look, 1);
		break;
	case TIMER_REVIEW:
		look_at(tx, decide_emergency_due, 1);
		break;
	case TIMER_NAG:
		look_at(tx, decide_nag_due, 1);
		break;
	case TIMER_KIND_COUNT:
		break;
	}
}
