/* decide_bake_buttons.c - what a person may press about a release that bakes, or is paused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_bake_buttons.h"

#include <stdio.h>

#include "chat/chat_deployment.h"
#include "decide/who/decide_allowed.h"
#include "store/row_bake.h"
#include "store/row_button.h"
#include "store/row_host_list.h"

bool
decide_bake_can_be_cut(struct tx *tx, const struct deployment *work)
{
	struct bake row;

	return work->state == DEPLOY_BAKING ||
	    (work->state == DEPLOY_PAUSED && row_bake_get(tx, work->id, &row)->is_prolonged &&
		row.left_ms == 0);
}

const struct chat_bake *
decide_bake_of(struct tx *tx, int64_t work, struct chat_bake *ret)
{
	(void)row_bake_get(tx, work, &ret->is);
	ret->n = row_bake_list(tx, work, ret->values);
	return ret;
}

const struct chat_paused *
decide_bake_paused(struct tx *tx, const struct deployment *work, struct chat_paused *ret)
{
	if (work->state != DEPLOY_PAUSED)
		return NULL;
	(void)row_bake_get(tx, work->id, &ret->bake);
	ret->hosts = work->waves > 0 ? row_host_count(tx, work) : (struct host_counts){ 0 };
	return ret;
}

struct request
decide_bake_request(const char *action, const struct deployment *work)
{
	struct request request = request_of(action, work->environment);

	request_add_number(&request, DECIDE_BAKE, work->id);
	return request;
}

static bool
may_in(struct tx *tx, enum policy_action action, const struct deployment *work, int64_t chat)
{
	return chat < 0 || decide_is_allowed(tx, chat, action, work->environment);
}

/* commit: what it is about, where that is not what the message is about; "": it is. */
static const char *
label(const char *word, const char *commit, char ret[LIMIT_BUTTON])
{
	(void)snprintf(
	    ret, LIMIT_BUTTON, "%s%s%s", word, commit[0] != '\0' ? " " : "", commit); /* it fits */
	return ret;
}

static void
add_ends(struct tx *tx, const struct deployment *work, int64_t chat, const char *commit,
    struct buttons *buttons)
{
	bool is_paused = work->state == DEPLOY_PAUSED;
	const struct request live = request_about("live", "work", work->id);
	const struct request back = decide_bake_request("rollback", work);
	const struct request turn = decide_bake_request(is_paused ? "resume" : "pause", work);
	char text[LIMIT_BUTTON];

	if (decide_bake_can_be_cut(tx, work) && may_in(tx, POLICY_DEPLOY, work, chat))
		row_button_show_for(tx, &live, chat, 0,
		    label(work->wave < work->waves ? "✅ Next wave" : "✅ Live now", commit, text),
		    buttons);
	if (!may_in(tx, POLICY_ROLLBACK, work, chat))
		return;
	if (is_paused || commit[0] == '\0')
		row_button_show_for(tx, &turn, chat, 0,
		    label(is_paused ? DECIDE_GO_ON : "⏸ Pause", commit, text), buttons);
	if (deployment_can_roll_back(work))
		row_button_show_for(
		    tx, &back, chat, 0, label(CHAT_ROLL_BACK, commit, text), buttons);
}

void
decide_bake_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	const struct request stay = request_about("stay", "work", work->id);

	add_ends(tx, work, chat, "", buttons);
	if (work->state == DEPLOY_PAUSED && may_in(tx, POLICY_ROLLBACK, work, chat))
		row_button_show_for(tx, &stay, chat, 0, "🖐 Leave it", buttons);
}

void
decide_bake_end_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	add_ends(tx, work, chat, commit_name_here(COMMIT_OF(work)), buttons);
}
