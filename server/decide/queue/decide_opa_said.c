/* decide_opa_said.c - OPA has answered, or could not: its work goes on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_opa_said.h"

#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "decide/git/decide_git.h"
#include "decide/queue/decide_opa.h"
#include "decide/queue/decide_previous.h"
#include "decide/queue/decide_queue.h"
#include "decide/question/decide_question.h"
#include "decide/question/decide_shown.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_waves.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runner/protocol.h"
#include "store/row_binding.h"
#include "store/row_environment.h"

static void
refuse(struct tx *tx, struct deployment *work, const struct opa_row *row)
{
	work->why = DEPLOY_WHY_REFUSED;
	(void)decide_opa_no(row, work->detail);
	if (deployment_is_gate(work))
		decide_gate_refused(tx, work);
	(void)decide_step(tx, work, DEPLOY_ON_REFUSE, NULL);
}

/* Somebody asked for the commit of that push while OPA was asked: one question is enough. */
static bool
is_shared(struct tx *tx, struct deployment *push, bool is_to_ask, const struct git_answer *answer)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, push->environment);

	if (settings == NULL || (!is_to_ask && settings->approvals == 0) ||
	    !decide_share_with_push(tx, push->environment, answer))
		return false;
	push->why = DEPLOY_WHY_ELSEWHERE;
	text_set(push->detail, "asked about already");
	(void)decide_step(tx, push, DEPLOY_ON_SUPERSEDE, NULL);
	return true;
}

/* As it was when OPA was asked; git is asked again where something else is live by now. */
static void
proceed(struct tx *tx, struct deployment *work, bool is_to_ask, const struct git_answer *answer)
{
	char base[LIMIT_COMMIT];
	struct environment now;

	row_environment_get(tx, work->environment, &now);
	if (answer != NULL && deployment_asks_git(work) &&
	    strcmp(answer->base, decide_git_base(tx, work, &now, base)) != 0)
		decide_query_commit(tx, work,
		    deployment_is_by_request(work) ? work->ref : work->commit, work->requester);
	else if (answer != NULL && deployment_is_by_request(work) && !deployment_is_gate(work) &&
	    decide_share_question(tx, work, answer))
		return; /* somebody was faster */
	else if (answer != NULL && !deployment_is_by_request(work) &&
	    is_shared(tx, work, is_to_ask, answer))
		return;
	else if (is_to_ask)
		decide_ask(tx, work, answer);
	else
		decide_enqueue(tx, work, DEPLOY_ON_CLEAR, answer);
}

static void
proceed_request(struct tx *tx, struct deployment *work, const struct opa_row *row, const char *git)
{
	CLEANUP(freep) struct git_answer *answer = mem_new(1, sizeof(*answer));
	char list[FINGERPRINT_LIST_MAX];
	struct opa_row now;
	bool is_answered = git[0] != '\0' && git_answer_decode(git, 0, answer, NULL);

	if (row->verdict == OPA_NO && decide_opa(tx, work, &now) == OPA_NO) {
		refuse(tx, work, row);
		return;
	}
	answer->text = git;
	answer->binding = row_binding_get(tx, work->id, list)[0] != '\0' ? list : NULL;
	proceed(tx, work, row->is_to_ask, is_answered ? answer : NULL);
}

/* Whoever is asked, and who waits, reads that there was no answer, until there is one. */
static void
note(struct tx *tx, struct deployment *work, struct opa_row *row)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (row->verdict == OPA_SILENT && work->state == DEPLOY_QUEUED)
		chat_text_since(&text, "waits for OPA since ", &clock, row->since, tx->at);
	else if (row->verdict == OPA_SILENT)
		chat_text_add(&text, "OPA has not answered: it is asked again before this starts");
	if (row->verdict == OPA_SILENT || row->is_noted)
		text_set(work->note, buf_text(&text.buf)); /* it fits */
	row->is_noted = row->verdict == OPA_SILENT;
	buf_done(&text.buf);
	row_deployment_save(tx, work);
}

void
decide_opa_said(struct tx *tx, int64_t id, const struct opa_answer *answer)
{
	static const char *const words[] = {
		[OPA_YES] = "yes", [OPA_NO] = "no", [OPA_SILENT] = "none"
	};
	CLEANUP(freep) char *git = mem_new(1, PROTOCOL_ANSWER_MAX + 1);
	struct deployment work;
	struct opa_row row;

	row_deployment_get(tx, id, &work);
	if (row_opa_get(tx, id, &row)->work == 0 ||
	    (work.state != DEPLOY_REQUESTED && work.state != DEPLOY_QUEUED &&
		!deployment_is_baking(&work)))
		return; /* it has begun or ended meanwhile */
	tx_count_metric(tx, INCREMENT_OPA,
	    answer->is_undefined ? "undefined" : words[answer->verdict], "", "", 1);
	if (answer->verdict == OPA_SILENT || answer->is_undefined)
		tx_log(tx, LOG_LEVEL_WARNING, "deployment %" PRId64 ": OPA %s: %s", id,
		    answer->is_undefined ? "decides nothing" : "does not answer", answer->reason);
	(void)row_opa_git(tx, id, git, PROTOCOL_ANSWER_MAX + 1);
	row.verdict = answer->verdict;
	text_set(row.reason, answer->reason);
	text_set(row.decision, answer->decision);
	if (work.state == DEPLOY_QUEUED) {
		row.tries = answer->verdict == OPA_SILENT ? row.tries + 1 : 0;
		row.since = answer->verdict == OPA_SILENT ? row.since : 0;
	}
	if (!deployment_is_baking(&work))
		note(tx, &work, &row);
	row_opa_set(tx, &row);
	if (deployment_is_baking(&work))
		decide_waves_judged(tx, &work);
	else if (work.state == DEPLOY_REQUESTED)
		proceed_request(tx, &work, &row, git);
	else
		decide_queue(tx, work.environment);
}
