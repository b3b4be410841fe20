/* handle_fault.c - the handler of a result failed: what hung on it must still end, or come again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/work/decide_forge_answer.h"
#include "decide/git/decide_announced.h"
#include "decide/queue/decide_ci_news.h"
#include "decide/queue/decide_opa_said.h"
#include "decide/work/decide_bake_said.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_pipeline.h"
#include "decide/work/decide_cloudflare.h"
#include "decide/work/decide_drain.h"
#include "decide/work/decide_end.h"
#include "decide/git/decide_poll.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_unknown.h"
#include "decide/who/decide_login.h"
#include "decide/audit/decide_witness.h"
#include "handlers/handlers.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_dedupe.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_approval.h"

/* Until it is tried again: it may well fail again, and each time costs a line in the log. */
#define LATER_MS       (60 * INT64_C(1000))
#define DAILY_LATER_MS (3600 * INT64_C(1000))

/* In chats, where its words are nobody's: they stand in the log. */
#define OWN_DATABASE "deploybot's own database failed: an admin finds why in its log"

static void
fault_run(struct tx *tx, const struct fault *fault)
{
	struct deployment deployment;

	row_deployment_get(tx, fault->subject, &deployment);
	if (tx->effect != NULL && tx->effect->kind == EFFECT_RUN &&
	    tx->effect->u.run.program == PROGRAM_DRAIN) {
		decide_drain_give_up(tx, &deployment, tx->effect->u.run.run, fault->reason);
		return;
	}
	if (fault->kind == EFFECT_GIT_QUERY && deployment.state != DEPLOY_REQUESTED &&
	    deployment.state != DEPLOY_QUEUED &&
	    (deployment.state != DEPLOY_AWAITING_CONFIRMATION || deployment.confirmed_by == 0))
		return;
	if (fault->folder_gone) {
		decide_unknown_left(tx, &deployment, fault->reason);
		decide_ends_unknown(tx, &deployment, fault->reason);
		return;
	}
	decide_give_up(tx, &deployment, fault->reason);
}

/* Whoever asked for the status sees that none comes, not "checking health …" for ever. */
static void
end_status(struct tx *tx, int64_t id, const char *reason)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_outside(&text, "The status is not available: ", reason);
	decide_change(tx, id, NULL, &text);
}

/* What stands in the chat is not said again: it would come each minute. */
static void
fault_send_message(struct tx *tx, const struct fault *fault)
{
	if (fault->remote_id != 0)
		row_message_sent(tx, fault->subject, fault->chat, fault->remote_id);
	else
		(void)row_effect_timer(tx, TIMER_SEND, "", fault->subject, tx->at + LATER_MS);
}

static void
ask_later(struct tx *tx, int64_t deployment)
{
	struct deployment asked;

	row_deployment_get(tx, deployment, &asked);
	if (asked.state == DEPLOY_AWAITING_APPROVAL)
		row_approval_set_timer(tx, deployment,
		    row_effect_timer(tx, TIMER_APPROVAL, "", deployment, tx->at + LATER_MS),
		    row_approval_request(tx, deployment, &(struct approval_request){ 0 })
			->is_reminded);
	else if (deployment_is_asked(&asked))
		(void)row_effect_timer(tx, TIMER_QUESTION, "", deployment, tx->at + LATER_MS);
}

/* As it was, for its next try. */
static void
again(struct tx *tx, const struct effect *timer, int64_t later_ms)
{
	CLEANUP(freep) struct effect *next = mem_copy(timer, effect_size(timer->kind));

	next->due = tx->at + later_ms;
	(void)row_effect_order(tx, next);
}

#define ONE				     true
#define MANY				     false
#define TIMER(name, word, longest_s, is_one) [TIMER_##name] = (is_one),
static const bool is_one[] = { TIMERS(TIMER) };
#undef TIMER
#undef ONE
#undef MANY

/* One of each kind of which there is one, where there is none. */
static void
put_back(struct tx *tx)
{
	struct effect timer = { .kind = EFFECT_TIMER };

	for (enum timer_kind kind = 0; kind < TIMER_KIND_COUNT; kind++) {
		timer.u.timer.kind = kind;
		if (is_one[kind] && kind != TIMER_POLL && !row_effect_has_timer(tx, kind))
			again(tx, &timer, kind == TIMER_DAILY ? DAILY_LATER_MS : LATER_MS);
	}
	decide_poll_later(tx);
}

/* A row that cannot be read says nothing of its kind: then all that can be found is put back.  Of
 * which there is one, it looks at all of its kind; of many each comes again. */
static void
fault_timer(struct tx *tx, const struct fault *fault)
{
	const struct effect *timer = tx->effect;
	enum timer_kind kind;

	if (timer == NULL) {
		if (fault->subject != 0)
			ask_later(tx, fault->subject);
		put_back(tx);
		return;
	}
	kind = timer->u.timer.kind;
	if (kind == TIMER_QUESTION || kind == TIMER_APPROVAL)
		ask_later(tx, fault->subject);
	else if (kind == TIMER_PUSH)
		decide_announced_later(tx, &timer->u.timer, tx->at + LATER_MS);
	else if (kind == TIMER_CLOUDFLARE && fault->subject != 0)
		fault_run(tx, fault);
	else if (kind == TIMER_CLOUDFLARE)
		decide_cloudflare_fault(tx, timer->u.timer.name, tx->at + LATER_MS);
	else if (is_one[kind])
		put_back(tx);
	else
		again(tx, timer, LATER_MS);
}

/* Where nothing polls, nobody else will look at that branch before the next push. */
static void
say_push_lost(struct tx *tx, const struct effect_git_query *query, const char *reason)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, query->environment);
	char source[DECIDE_SOURCE];
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (query->kind != GIT_QUERY_COMMITS || settings == NULL ||
	    settings->of->poll_repository_seconds != 0)
		return;
	if (query->push.delivery[0] != '\0')
		row_dedupe_give_up(tx,
		    decide_announced_source(
			delivery_forge_of(query->push.forge), query->push.hook, source),
		    query->push.delivery);
	chat_first(&text, FIRST_PUSH_LOST, settings->name);
	chat_text_outside(&text, ": git's answer could not be handled: ", reason);
	chat_text_add(&text,
	    "\nNothing asks again by itself: " MARK_CODE "/deploy %s" MARK_CODE
	    " deploys the branch's newest commit; or redeliver it at GitHub.",
	    settings->name);
	decide_send_team(tx, settings->name, &text);
}

static void
fault_git_query(struct tx *tx, const struct fault *fault)
{
	if (fault->subject != 0) {
		fault_run(tx, fault);
		return;
	}
	if (tx->effect != NULL)
		say_push_lost(tx, &tx->effect->u.git_query, fault->reason);
	decide_poll_later(tx);
}

#define fault_fetch_file fault_git_query

static void
fault_probe(struct tx *tx, const struct fault *fault)
{
	if (fault->subject != 0)
		fault_run(tx, fault);
	else if (tx->effect != NULL && tx->effect->u.probe.message != 0)
		end_status(tx, tx->effect->u.probe.message, fault->reason);
}

/* What became of it is looked at a minute later. */
static void
fault_cloudflare(struct tx *tx, const struct fault *fault)
{
	if (tx->effect != NULL)
		decide_cloudflare_fault(tx, tx->effect->u.cloudflare.zone, tx->at + LATER_MS);
	if (fault->subject != 0)
		fault_run(tx, fault);
}
#define fault_cloudflare_get fault_cloudflare
#define fault_cloudflare_set fault_cloudflare

/* It is asked again. */
static void
fault_github_runs(struct tx *tx, const struct fault *fault)
{
	struct github_runs_read nothing = { .retry_after_s = LATER_MS / 1000 };

	text_set(nothing.why, fault->reason);
	if (fault->subject != 0)
		decide_ci_read(tx, fault->subject, &nothing);
}

/* As if there were no answer: what GitHub has taken it says when it is answered again. */
static void
fault_forge(struct tx *tx, const struct fault *fault)
{
	struct forge_said nothing = { .verdict = FORGE_SAYS_NOTHING,
		.retry_after_s = LATER_MS / 1000 };

	text_set(nothing.why, fault->reason);
	if (tx->effect != NULL && tx->effect->kind == EFFECT_FORGE_ANSWER)
		decide_forge_answered(tx, &nothing);
	else if (tx->effect != NULL && tx->effect->u.forge.is_gates)
		decide_gate_stopped(tx, &nothing);
	else if (tx->effect != NULL)
		decide_pipeline_said(tx, &nothing);
}
#define fault_forge_answer fault_forge
#define fault_forge_start  fault_forge
#define fault_forge_stop   fault_forge
#define fault_forge_look   fault_forge

/* What was made is not known, and ends at Vault in time; what was to be revoked is tried anew. */
static void
fault_vault(struct tx *tx, const struct fault *fault)
{
	struct vault_said nothing = { .is_unsure = true };

	text_set(nothing.why, fault->reason);
	if (tx->effect != NULL)
		decide_loan_said(tx, &nothing);
}
#define fault_vault_lend   fault_vault
#define fault_vault_revoke fault_vault
#define fault_vault_look   fault_vault
#define fault_lend_message fault_vault

/* As if it had not answered. */
static void
fault_opa(struct tx *tx, const struct fault *fault)
{
	struct opa_answer silent = { .verdict = OPA_SILENT, .decision = "none" };

	text_set(silent.reason, fault->reason);
	decide_opa_said(tx, fault->subject, &silent);
}

/* As if Prometheus had not answered. */
static void
fault_prom_query(struct tx *tx, const struct fault *fault)
{
	struct bake_look nothing = { .n = 0 };

	text_set(nothing.why, fault->reason);
	decide_bake_said(tx, fault->subject, &nothing);
}

static void
fault_delete_message(struct tx *tx, const struct fault *fault)
{
	if (tx->effect != NULL && tx->effect->subject != 0)
		decide_tell_copy_stays(tx, &tx->effect->u.delete_message, fault->reason);
	else if (tx->effect != NULL)
		decide_login_deleted(tx, &tx->effect->u.delete_message, fault->reason);
}

/* What became of it is not known. */
static void
fault_witness(struct tx *tx, const struct fault *fault)
{
	struct witness_answer unknown = { .verdict = WITNESS_UNKNOWN };

	text_set(unknown.detail, fault->reason);
	if (tx->effect != NULL)
		decide_witness_answered(tx, &tx->effect->u.witness, &unknown);
}

static void
fault_application_log(struct tx *tx, const struct fault *fault)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (tx->effect == NULL)
		return;
	chat_first(&text, FIRST_NO_LOG, tx->effect->u.application_log.environment);
	chat_text_outside(&text, "the answer could not be handled: ", fault->reason);
	(void)decide_send(tx, &tx->effect->u.application_log.address, &text);
}

/* Nothing hangs on the results of these. */
static void
ignore(UNUSED struct tx *tx, UNUSED const struct fault *fault)
{
}
#define fault_notify		ignore /* the next one goes */
#define fault_forge_report	ignore /* what comes next is reported too */
#define fault_github_failure	ignore /* the message has the run's page */
#define fault_github_deliveries ignore /* it is looked at again in five minutes */
#define fault_pin_message	ignore /* the next look tries it again */
#define fault_stop_run		ignore
#define fault_toast		ignore
#define fault_document		ignore
#define fault_purge_run		ignore
#define fault_purge_upload	ignore
#define fault_sign_certificate	ignore /* the host asks once more */
#define fault_leave_chat	ignore

static void (*const faults[])(struct tx *tx, const struct fault *fault) = {
#define EFFECT(upper, lower, ...) [EFFECT_##upper] = fault_##lower,
#include "types/effect.def"
};

void
handle_fault(struct tx *tx, const struct event *event)
{
	const struct fault *fault = &event->u.fault;
	struct fault said = *fault;

	assert((size_t)fault->kind < COUNT(faults));
	if (fault->is_of_database)
		text_set(said.reason, OWN_DATABASE);
	tx_log(tx, LOG_LEVEL_ERROR, "the result of %s (of %" PRId64 ") could not be handled: %s",
	    effect_name((enum effect_kind)fault->kind), fault->subject, fault->reason);
	faults[fault->kind](tx, &said);
}
