/* command_agents.c - /agents: which hosts have an agent, and which of them are connected.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_agents.h"

void
command_agents(struct tx *tx, const struct update *update, const struct request *request)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t page, pages;

	if (!decide_may_as(tx, update, POLICY_ADMIN, POLICY_ALL, "agents"))
		return;
	if (tx->settings->link.address == NULL) {
		chat_text_add(&text, "There are no agents: LINK_ADDRESS is not set.");
	} else if (!update->is_private && !decide_is_answered(update)) {
		decide_answer_no(tx, update);
		chat_text_add(&text, "⛔ /agents works in our private chat only.");
	} else {
		decide_agents_show(tx, request, &text, &page, &pages);
		decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	}
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
