/* command_choose.c - [Choose…] of a push that asks in several environments: one of its questions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/git/decide_git.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"

#define EACH	10
#define LOOK_MS (600 * INT64_C(1000))

/* Git is asked what would change there: the question comes below, with its answer. */
static void
open_one(struct tx *tx, const struct update *update, int64_t id)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	if (!decide_is_allowed(tx, update->person, POLICY_CONFIRM, work.environment)) {
		decide_deny(tx, update, POLICY_CONFIRM, work.environment, "confirm",
		    "the question after a push needs the grant confirm");
		return;
	}
	if (work.state != DEPLOY_AWAITING_CONFIRMATION || !decide_tell_batch_has(tx, &work)) {
		decide_expired(tx, update);
		return;
	}
	decide_query_commit(tx, &work, work.commit, update->name);
	decide_toastf(
	    tx, update, false, "%s: asking git; the question comes below.", work.environment);
}

/* Those that they may answer. */
static void
list(struct tx *tx, const struct update *update, const struct request *request, int64_t row)
{
	int64_t works[DECIDE_TELL_BATCH_MAX], page, pages;
	size_t all = decide_tell_batch_list(tx, row, works), n = 0, first;
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	for (size_t i = 0; i < all; i++)
		if (decide_is_allowed(tx, update->person, POLICY_CONFIRM,
			row_deployment_get(tx, works[i], &(struct deployment){ 0 })->environment))
			works[n++] = works[i];
	if (n == 0 && all > 0)
		decide_deny(tx, update, POLICY_CONFIRM, "", "confirm",
		    "the question after a push needs the grant confirm");
	else if (n == 0)
		decide_expired(tx, update);
	if (n == 0)
		return;
	first = decide_page(request, n, EACH, &page, &pages);
	for (size_t i = first; i < n && i < first + EACH; i++) {
		const struct request one = request_about("choose", "work", works[i]);

		decide_own_button(tx, update, &one, LOOK_MS,
		    row_deployment_get(tx, works[i], &(struct deployment){ 0 })->environment,
		    &message.buttons);
	}
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	chat_text_commit(&text, "❓ Deploy ",
	    row_deployment_get(tx, works[0], &(struct deployment){ 0 })->commit);
	chat_text_add(&text, " where? Each is asked about by itself.");
	(void)decide_send_keyboard(
	    tx, update, request_get_number(request, "page") != 0 ? request : NULL, &message, &text);
}

void
command_choose(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t work = request_number(request, "work");

	if (!decide_may(tx, update, POLICY_TALK, ""))
		return;
	if (work != 0)
		open_one(tx, update, work);
	else
		list(tx, update, request, request_number(request, "push"));
}
