/* command_history.c - /history [environment or application]: the latest deployments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/decide_where.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define SHOWN_OF_ONE  10
#define SHOWN_OF_EACH 3
#define PAGE	      5 /* environments of several applications */

static void
add_history(struct tx *tx, struct chat_text *text, const char *environment, size_t most)
{
	struct deployment latest[SHOWN_OF_ONE];
	size_t n = row_deployment_list(tx, environment, latest, most);

	chat_text_add(text, MARK_BOLD "%s" MARK_BOLD "\n", environment);
	if (n == 0)
		chat_text_add(text, "no deployments yet\n");
	for (size_t i = 0; i < n; i++) {
		int64_t release =
		    latest[i].state == DEPLOY_LIVE ? row_release_number(tx, &latest[i]) : 0;

		chat_deployment_line(text, &latest[i], release, tx->at);
		chat_text_add(text, "\n");
	}
}

void
command_history(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	CLEANUP(message_done) struct message message = { 0 };
	int64_t page, pages;
	struct chat_text text;
	size_t first, each;

	if (!decide_scope(tx, update, POLICY_HISTORY, request->target, &scope))
		return;
	each = scope.is_wide ? PAGE : scope.n;
	first = decide_page(request, scope.n, each, &page, &pages);
	chat_text_init(&text);
	for (size_t i = first; i < scope.n && i < first + each; i++)
		add_history(
		    tx, &text, scope.at[i]->name, scope.n == 1 ? SHOWN_OF_ONE : SHOWN_OF_EACH);
	message.head = chat_text_take(&text);
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	(void)decide_send_keyboard(tx, update, request, &message);
}
