/* decide_opa.c - what OPA says of some work as it is now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_opa.h"

#include <stdio.h>

#include "decide/approval/decide_needs.h"
#include "decide/decide_reply.h"
#include "decide/hold/decide_hold.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_promotion.h"
#include "lib/buf.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "policy/opa_input.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_question.h"

#define COUNTS_MS  INT64_C(60000)
#define ACTION_MAX (ACTION_NAME + ACTION_WORD)

#define PAUSES 7
static const int pauses_s[PAUSES] = { 0, 2, 5, 10, 20, 40, 60 };

/* --- what is asked --- */

/* The word of a grant.  An emergency is a deployment, and says so. */
static const char *
action_of(const struct deployment *work, char ret[ACTION_MAX])
{
	enum policy_action grant = deployment_is_upload(work) ? POLICY_UPLOAD :
	    deployment_is_emergency(work)		      ? POLICY_DEPLOY :
								deployment_grant(work);

	(void)snprintf(ret, ACTION_MAX, "%s%s%s", policy_action_word(grant),
	    grant == POLICY_DO || grant == POLICY_SECRET ? "." : "",
	    grant == POLICY_DO	       ? work->action :
		grant == POLICY_SECRET ? work->argument :
					 "");
	return ret;
}

/* Of that moment, and of what is true now. */
static void
write_input(struct tx *tx, const struct deployment *work, int64_t at, struct buf *out)
{
	struct policy_decision granted = decide_allowed_work(tx, work->requested_by, work);
	char action[ACTION_MAX], who[PRINCIPAL_TEXT];
	struct decide_needs needs;
	struct promotion promotion;
	const char *from = decide_promotion_of(tx, work, &promotion)->from;
	struct environment now;
	struct question shown;
	struct holds holds;

	if (promotion_is_own(&promotion, work->environment))
		from = ""; /* what is live comes from nowhere else */
	(void)decide_needs_look(tx, work, &needs);
	row_environment_get(tx, work->environment, &now);
	row_question_get(tx, work->id, &shown);
	decide_holds(tx, work->environment, &holds);
	opa_input_write(&(struct opa_input){ .is_start = work->state != DEPLOY_REQUESTED,
			    .action = action_of(work, action),
			    .target = deployment_target_here(work),
			    .who = decide_requester(tx, work, who),
			    .name = work->requester,
			    .grant = granted.grant != NULL ? granted.grant->text : "",
			    .source = commit_source_word(work->source),
			    .commit = work->commit,
			    .ref = work->ref,
			    .image = work->image[0] != '\0' ? work->image : shown.shown_image,
			    .promoted_from = from,
			    .live = now.current.commit,
			    .in_branch = !work->is_off_branch,
			    .is_emergency = deployment_is_emergency(work),
			    .is_frozen = hold_has(&holds, HOLD_FREEZE),
			    .approvals = needs.approval,
			    .n_approvals = needs.n,
			    .requested_at = work->requested_at,
			    .at = at },
	    out);
	tx_check(tx, out);
}

static void
order(struct tx *tx, const struct deployment *work, struct opa_row *row)
{
	CLEANUP(buf_done) struct buf input = buf_make(OPA_INPUT - 1);
	struct effect effect = { .kind = EFFECT_OPA, .subject = work->id };

	assert(row->tries >= 0);
	row->work = work->id;
	row->verdict = OPA_UNASKED;
	row->at = tx->at + pauses_s[row->tries < PAUSES ? row->tries : PAUSES - 1] * INT64_C(1000);
	write_input(tx, work, row->at, &input);
	(void)fingerprint_digest(buf_text(&input), row->digest);
	row_opa_set(tx, row);
	text_set(effect.u.opa.input, buf_text(&input)); /* it fits */
	effect.u.opa.not_before = row->at;
	(void)row_effect_order(tx, &effect);
}

/* --- what counts --- */

static bool
asks(const struct tx *tx, const struct deployment *work)
{
	return tx->settings->opa.url != NULL &&
	    !(deployment_is_action(work) && action_restores(action_row_of(work->action)));
}

static bool
counts(struct tx *tx, const struct deployment *work, const struct opa_row *row)
{
	CLEANUP(buf_done) struct buf input = buf_make(OPA_INPUT - 1);
	char digest[FINGERPRINT_DIGEST];

	if (tx->at < row->at || tx->at - row->at >= COUNTS_MS)
		return false;
	write_input(tx, work, row->at, &input);
	return strcmp(fingerprint_digest(buf_text(&input), digest), row->digest) == 0;
}

enum opa_verdict
decide_opa(struct tx *tx, const struct deployment *work, struct opa_row *ret)
{
	*ret = (struct opa_row){ .work = 0 };
	if (!asks(tx, work))
		return OPA_YES;
	row_opa_get(tx, work->id, ret);
	ret->work = work->id;
	if (ret->verdict == OPA_SILENT && deployment_stands_first(work))
		return counts(tx, work, ret) ? OPA_YES : OPA_UNASKED;
	if (ret->verdict == OPA_UNASKED || ret->verdict == OPA_SILENT || counts(tx, work, ret))
		return ret->verdict;
	return OPA_UNASKED;
}

bool
decide_opa_first(
    struct tx *tx, struct deployment *work, const struct git_answer *answer, bool is_to_ask)
{
	struct opa_row row;

	if (work->state != DEPLOY_REQUESTED || deployment_stands_first(work) ||
	    decide_opa(tx, work, &row) != OPA_UNASKED)
		return false;
	row.is_to_ask = is_to_ask;
	row_deployment_save(tx, work);
	order(tx, work, &row);
	if (answer != NULL && answer->text != NULL)
		row_opa_set_git(tx, work->id, answer->text);
	return true;
}

void
decide_opa_ask(struct tx *tx, const struct deployment *work)
{
	struct opa_row row;

	if (row_effect_find(tx, EFFECT_OPA, work->id) != 0)
		return;
	row_opa_get(tx, work->id, &row);
	row.since = row.since != 0 ? row.since : tx->at;
	order(tx, work, &row);
}

void
decide_opa_passed(struct tx *tx, const struct deployment *work, const struct opa_row *row)
{
	if (row->verdict == OPA_SILENT)
		decide_audit_request(tx, work, work->requested_by, AUDIT_CODE_OPA_MISSING,
		    deployment_is_rollback(work) ? "rollback" : "emergency",
		    (const char *const[]){ "reason", row->reason, NULL });
}

void
decide_opa_enter(struct tx *tx, const struct deployment *work)
{
	if (tx->settings->opa.url != NULL)
		row_effect_withdraw(tx, row_effect_find(tx, EFFECT_OPA, work->id));
}

const char *
decide_opa_no(const struct opa_row *row, char ret[LIMIT_LINE])
{
	(void)snprintf(ret, LIMIT_LINE, "OPA: %.250s", row->reason); /* cut is fine */
	return ret;
}
