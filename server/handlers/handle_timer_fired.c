/* handle_timer_fired.c - a deadline came.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_access.h"
#include "decide/git/decide_announced.h"
#include "decide/approval/decide_approval.h"
#include "decide/audit/decide_audit_line.h"
#include "decide/decide_chat.h"
#include "decide/work/decide_bake_said.h"
#include "decide/work/decide_cloudflare.h"
#include "decide/work/decide_deployment.h"
#include "decide/approval/decide_emergency.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_upload.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/audit/decide_logs.h"
#include "decide/tell/decide_nag.h"
#include "decide/factor/decide_pad.h"
#include "decide/tell/decide_pin.h"
#include "decide/git/decide_poll.h"
#include "decide/git/decide_redelivery.h"
#include "decide/audit/decide_rename.h"
#include "decide/who/decide_manifest.h"
#include "decide/who/decide_session.h"
#include "decide/work/decide_waves.h"
#include "decide/queue/decide_unsynced.h"
#include "decide/audit/decide_witness.h"
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
	struct deployment deployment;

	row_deployment_get(tx, id, &deployment);
	if (deployment_is_asked(&deployment))
		(void)decide_step(tx, &deployment, DEPLOY_ON_EXPIRE, NULL);
}

static void
tidy(struct tx *tx)
{
	bool more = decide_logs_keep(tx);

	more |= decide_logs_total(tx);
	more |= decide_upload_retain(tx);
	more |= row_retention_clear(tx);
	(void)row_effect_timer(tx, TIMER_DAILY, "", 0, tx->at + (more ? SOON_MS : DAY_MS));
}

static void
access_ends(struct tx *tx)
{
	decide_access(tx);
	decide_sessions_look(tx); /* what ends with a role is recorded with it */
}

/* Of a zone; builds between 0.1.0 and 0.2.0 began work at Cloudflare so. */
static void
cloudflare_due(struct tx *tx, int64_t work)
{
	if (work != 0)
		decide_cloudflare_begin(tx, work);
	else
		decide_cloudflare_due(tx, tx->effect->u.timer.name);
}

/* What each kind is for, by its name in TIMERS: one without a line here does not compile. */
#define DUE_QUESTION   .of_subject = expire
#define DUE_APPROVAL   .of_subject = decide_approval_due
#define DUE_POLL       .of_all = decide_poll
#define DUE_DAILY      .of_all = tidy
#define DUE_SEND       .of_subject = row_effect_send
#define DUE_PIN	       .of_name = decide_pin_due, .least = INT64_MIN
#define DUE_PAD	       .of_name = decide_pad_due, .least = 1
#define DUE_WITNESS    .of_all = decide_witness_due
#define DUE_AUDIT_LINE .of_all = decide_audit_line_due
#define DUE_STRANGERS  .of_all = row_stranger_due
#define DUE_RENAME     .of_all = decide_rename
#define DUE_REDELIVERY .of_all = decide_redelivery_due
#define DUE_BAKE       .of_subject = decide_bake_due
#define DUE_WAVES      .of_subject = decide_waves_due
#define DUE_PUSH       .of_all = decide_announced_again
#define DUE_ACCESS     .of_all = access_ends
#define DUE_SESSIONS   .of_all = decide_sessions_look
#define DUE_MANIFESTS  .of_all = decide_manifests_due
#define DUE_LEAVE      .of_name = decide_chat_leave, .least = INT64_MIN
#define DUE_HOLDS      .of_all = decide_holds_look
#define DUE_CLOUDFLARE .of_subject = cloudflare_due
#define DUE_GATE       .of_name = decide_gate_due, .least = 1
#define DUE_LOAN       .of_name = decide_loan_due, .least = 1
#define DUE_CHANGED    .of_name = decide_unsynced_look, .least = 1
#define DUE_REVIEW     .of_name = decide_emergency_due, .least = 1
#define DUE_NAG	       .of_name = decide_nag_due, .least = 1

/* One of the three. */
static const struct due {
	void (*of_all)(struct tx *tx);
	void (*of_subject)(struct tx *tx, int64_t subject);
	/* A chat, a person, or work that has other timers; `least`: such an id. */
	void (*of_name)(struct tx *tx, int64_t id);
	int64_t least;
} dues[TIMER_KIND_COUNT] = {
#define TIMER(name, ...) [TIMER_##name] = { DUE_##name },
	TIMERS(TIMER)
#undef TIMER
};

void
handle_timer_fired(struct tx *tx, UNUSED const struct event *event)
{
	const struct due *due = &dues[tx->effect->u.timer.kind];
	int64_t id;

	if (due->of_all != NULL)
		due->of_all(tx);
	else if (due->of_subject != NULL)
		due->of_subject(tx, tx->effect->subject);
	else if (text_to_i64(tx->effect->u.timer.name, due->least, INT64_MAX, &id, NULL))
		due->of_name(tx, id);
}
