/* decide_binding.c - scripts and settings are those that were shown, or work is decided on again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_binding.h"
#include "decide/queue/decide_previous.h"

#include <inttypes.h>

#include "decide/decide_reply.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_zone.h"
#include "lib/text.h"
#include "store/row_binding.h"
#include "store/row_block.h"
#include "store/row_effect.h"
#include "store/row_question.h"

#define SOMETHING "what ships it" /* where nothing has a name */
#define UNKNOWN	  "they could not be looked at then"

static void
set_list(struct tx *tx, struct deployment *deployment, const char *list)
{
	(void)row_binding_digest(deployment, list, deployment->binding);
	row_binding_set(tx, deployment->id, list);
}

void
decide_bind(
    struct tx *tx, struct deployment *deployment, struct question *question, const char *list)
{
	static_assert(LIMIT_DIGEST == FINGERPRINT_DIGEST, "a digest fits");
	question->differing[0] = '\0';
	question->n_changed = 0;
	question->not_before = 0;
	if (list != NULL && !deployment_is_gate(deployment)) /* the runner is not to ship it */
		set_list(tx, deployment, list);
}

bool
decide_is_answered_for(const struct deployment *deployment)
{
	return deployment->confirmed_by != 0 || deployment->approvers[0] != '\0';
}

static void
bind_shown(struct tx *tx, struct deployment *deployment, struct question *question,
    const struct git_answer *answer)
{
	struct promotion promotion;

	decide_bind(tx, deployment, question, answer != NULL ? answer->binding : NULL);
	if (decide_promotion_of(tx, deployment, &promotion)->image[0] != '\0')
		text_set(question->shown_image, promotion.image);
	else if (answer != NULL && answer->image[0] != '\0')
		(void)text_copy(question->shown_image, LIMIT_IMAGE, answer->image);
}

void
decide_bind_question(struct tx *tx, struct deployment *deployment,
    const struct environment *environment, const struct git_answer *answer)
{
	struct question question;
	struct block own = { .number = 0 };

	row_question_get(tx, deployment->id, &question);
	(void)row_block_find(tx, deployment->environment, deployment->commit, &own);
	(void)decide_live(tx, deployment, environment, question.shown_live);
	question.shown_at = tx->at;
	question.shown_own = own.number;
	question.shown_block = question.compared_block;
	question.seen_by[0] = '\0';
	if (deployment->confirmed_by == 0)
		question.is_unconfirmed = false;
	bind_shown(tx, deployment, &question, answer);
	decide_promotion_shown(tx, deployment);
	decide_zone_warn(tx, deployment, question.warning);
	row_question_set(tx, deployment->id, &question);
}

void
decide_bind_found(struct tx *tx, struct deployment *deployment, int64_t shown_block,
    const struct git_answer *answer)
{
	struct question question;

	row_question_get(tx, deployment->id, &question);
	bind_shown(tx, deployment, &question, answer);
	question.shown_block = shown_block;
	row_question_set(tx, deployment->id, &question);
}

void
decide_bind_image(
    struct tx *tx, const struct deployment *deployment, const struct git_answer *answer)
{
	struct question question;

	row_question_get(tx, deployment->id, &question);
	if (git_image_is_digest(question.shown_image) || !git_image_is_digest(answer->image))
		return;
	(void)text_copy(question.shown_image, LIMIT_IMAGE, answer->image);
	row_question_set(tx, deployment->id, &question);
}

const char *
decide_bound_image(struct tx *tx, const struct deployment *deployment, char out[LIMIT_IMAGE])
{
	struct promotion promotion;
	struct question shown;

	/* What one of its waves has brought is what the next one brings. */
	if (deployment->program == PROGRAM_ROLLBACK ||
	    (deployment->waves > 0 && deployment->target_changed))
		return deployment->image;
	if (decide_promotion_of(tx, deployment, &promotion)->image[0] != '\0') {
		(void)text_copy(out, LIMIT_IMAGE, promotion.image);
		return out;
	}
	if (!decide_is_answered_for(deployment))
		return "";
	row_question_get(tx, deployment->id, &shown);
	(void)text_copy(out, LIMIT_IMAGE, shown.shown_image);
	return git_image_is_digest(out) ? out : "";
}

static void
name_differing(struct tx *tx, const struct deployment *deployment, const char *list,
    char ret_names[LIMIT_LINE / 2])
{
	char stored[FINGERPRINT_LIST_MAX];

	if (deployment->binding[0] == '\0') {
		(void)text_copy(ret_names, LIMIT_LINE / 2, UNKNOWN);
		return;
	}
	(void)fingerprint_differing(
	    row_binding_get(tx, deployment->id, stored), list, ret_names, LIMIT_LINE / 2);
	if (ret_names[0] == '\0')
		(void)text_copy(ret_names, LIMIT_LINE / 2, SOMETHING);
}

bool
decide_binding_differs(struct tx *tx, const struct deployment *deployment,
    const struct question *shown, const char *list, char ret_names[LIMIT_LINE / 2])
{
	char digest[FINGERPRINT_DIGEST];

	(void)text_copy(ret_names, LIMIT_LINE / 2, shown->differing);
	if (shown->differing[0] == '\0' && list != NULL && deployment->binding[0] != '\0' &&
	    strcmp(row_binding_digest(deployment, list, digest), deployment->binding) != 0)
		name_differing(tx, deployment, list, ret_names);
	return ret_names[0] != '\0';
}

/* --- changed ---------------------------------------------------------------------------------- */

static void
audit(struct tx *tx, const struct deployment *deployment, const char *names)
{
	decide_audit_request(tx, deployment, 0, AUDIT_CODE_DEPLOY_REQUESTED, "settings changed",
	    (const char *const[]){ "reason", names, "binding", deployment->binding, NULL });
}

void
decide_rebind(
    struct tx *tx, struct deployment *deployment, struct question *question, const char *list)
{
	char names[LIMIT_LINE / 2];

	name_differing(tx, deployment, list, names);
	if (decide_is_answered_for(deployment))
		text_set(question->differing, names);
	else
		text_setf(deployment->note,
		    "the settings changed (%.150s): it goes by those of now", names);
	set_list(tx, deployment, list);
	audit(tx, deployment, names);
}

void
decide_binding_wait(struct tx *tx, int64_t work, struct question *question, int64_t ms)
{
	char name[24];

	text_setf(name, "%" PRId64, work);
	question->not_before = tx->at + ms;
	(void)row_effect_timer(tx, TIMER_CHANGED, name, 0, question->not_before);
}

void
decide_binding_changed(struct tx *tx, struct deployment *deployment, const char *list)
{
	struct question question;

	row_question_get(tx, deployment->id, &question);
	question.n_changed++;
	if (list != NULL)
		decide_rebind(tx, deployment, &question, list);
	if (list == NULL ||
	    (question.n_changed >= DECIDE_CHANGES_MAX && !decide_is_answered_for(deployment)))
		decide_binding_wait(tx, deployment->id, &question, DECIDE_TOO_OFTEN_MS);
	row_question_set(tx, deployment->id, &question);
}
