/* decide_bake_buttons.c - what a person may press about a release that bakes, or is paused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_bake_buttons.h"

#include "chat/chat_deployment.h"
#include "decide/who/decide_allowed.h"
#include "lib/text.h"
#include "store/row_button.h"

static bool
may_in(struct tx *tx, enum policy_action action, const struct deployment *work, int64_t chat)
{
	return chat < 0 || decide_is_allowed(tx, chat, action, work->environment);
}

static void
add(struct tx *tx, const struct request *request, int64_t chat, const char *word,
    const char *commit, struct buttons *buttons)
{
	char label[LIMIT_BUTTON];

	text_setf(label, "%s%s%s", word, commit[0] != '\0' ? " " : "", commit);
	row_button_show_for(tx, request, chat, 0, label, buttons);
}

/* commit: what it is about, where that is not what the message is about; "": it is. */
static void
add_ends(struct tx *tx, const struct deployment *work, int64_t chat, const char *commit,
    struct buttons *buttons)
{
	const struct request live = request_about("live", "work", work->id);
	const struct request back = request_of("rollback", work->environment);
	const struct request resume = request_of("resume", work->environment);
	const struct request pause = request_of("pause", work->environment);

	if (work->state == DEPLOY_BAKING && may_in(tx, POLICY_DEPLOY, work, chat))
		add(tx, &live, chat, "✅ Live now", commit, buttons);
	if (!may_in(tx, POLICY_ROLLBACK, work, chat))
		return;
	if (work->state == DEPLOY_PAUSED)
		add(tx, &resume, chat, "▶️ Go on", commit, buttons);
	else if (commit[0] == '\0')
		add(tx, &pause, chat, "⏸ Pause", commit, buttons);
	if (deployment_can_roll_back(work))
		add(tx, &back, chat, CHAT_ROLL_BACK, commit, buttons);
}

void
decide_bake_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	const struct request stay = request_about("stay", "work", work->id);

	add_ends(tx, work, chat, "", buttons);
	if (work->state == DEPLOY_PAUSED && may_in(tx, POLICY_ROLLBACK, work, chat))
		add(tx, &stay, chat, "🖐 Leave it", "", buttons);
}

void
decide_bake_end_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	add_ends(tx, work, chat, commit_name_here(COMMIT_OF(work)), buttons);
}
