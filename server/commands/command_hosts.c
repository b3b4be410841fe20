/* command_hosts.c - /hosts [environment] [failed or old]: what each of its hosts runs.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_first.h"
#include "chat/chat_hosts.h"
#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/view/decide_view_hosts.h"
#include "store/row_host_list.h"
#include "types/settings.h"

#define PAGE 20

void
command_hosts(struct tx *tx, const struct update *update, const struct request *request)
{
	struct message as = { .address = update->address };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct host list[PAGE];
	struct host_filter which;
	const struct environment_settings *settings;
	const char *name;
	int64_t page, pages, all;
	size_t first, n;

	settings = decide_where(tx, update, POLICY_STATUS, request);
	if (settings == NULL)
		return;
	name = settings->name;
	if (!decide_view_hosts_filter(tx, request_text(request, "state"), name, &which)) {
		(void)decide_send_firstf(tx, &update->address, FIRST_HOSTS, name,
		    ": " MARK_CODE "/hosts %s" MARK_CODE " shows all, behind it " MARK_CODE
		    "failed" MARK_CODE " or " MARK_CODE "old" MARK_CODE,
		    name);
		return;
	}
	all = row_host_count_list(tx, &which);
	first = decide_page(request, (size_t)all, PAGE, &page, &pages);
	n = row_host_list(tx, &which, (int64_t)first, list, PAGE);
	chat_first(&text, FIRST_HOSTS, name);
	chat_text_add(&text, ": %" PRId64 " %s%s", all, which.is_bad ? "failed or unknown " : "",
	    all == 1 ? "host" : "hosts");
	if (which.other_than[0] != '\0')
		chat_text_commit(&text, " not on the live release, ", which.other_than);
	else if (strcmp(request_text(request, "state"), "old") == 0)
		chat_text_add(&text, ", and no release is live there");
	if (all == 0 && !which.is_bad && which.other_than[0] == '\0')
		chat_text_add(
		    &text, "; they are noted from the first deployment in waves on (<ENV>_WAVES)");
	for (size_t i = 0; i < n; i++)
		chat_host(&text, "\n", &list[i]);
	decide_page_buttons(tx, update, request, page, pages, &as.buttons);
	(void)decide_send_keyboard(tx, update, request, &as, &text);
}
