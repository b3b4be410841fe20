/* command_history.c - /history [environment or application]: the latest deployments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/git/decide_history.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_run.h"

#define SHOWN_OF_ONE  5 /* two buttons each; two more lead to the other pages */
#define SHOWN_OF_EACH 3
#define PAGE	      5	 /* environments of several applications */
#define PAGES_OF_ONE  20 /* what is older is shown by its number */
#define LOOK_MS	      (24 * 3600 * INT64_C(1000))

/* What was done there beside deployments; all that there is at a client. */
static void
add_actions(
    struct tx *tx, struct chat_text *text, int64_t person, const char *environment, size_t most)
{
	struct deployment latest[SHOWN_OF_EACH];
	size_t n = row_deployment_list_actions(tx, environment, "", latest, most);

	if (n > 0 && environment_client(environment) == NULL)
		chat_text_add(text, "Actions:\n");
	for (size_t i = 0; i < n; i++) {
		const struct chat_history is = decide_history(tx, &latest[i]);

		decide_hide(tx, person, &latest[i]);
		chat_deployment_line(text, &latest[i], &is);
		chat_text_add(text, "\n");
	}
	if (n == 0 && environment_client(environment) != NULL)
		chat_text_add(text, "nothing was done there yet\n");
}

/* The list that is shown, in *ret; returns how many. */
static size_t
add_history(struct tx *tx, struct chat_text *text, const char *name, size_t first, size_t most,
    struct deployment ret[SHOWN_OF_ONE])
{
	size_t n = row_deployment_list_behind(tx, name, first, ret, most);

	chat_text_add(text, MARK_BOLD "%s" MARK_BOLD "\n", name);
	if (n == 0 && environment_client(name) == NULL)
		chat_text_add(text, "no deployments yet\n");
	for (size_t i = 0; i < n; i++) {
		struct chat_history is = decide_history(tx, &ret[i]);

		chat_deployment_line(text, &ret[i], &is);
		chat_text_add(text, "\n");
	}
	return n;
}

/* Of each what /show says, and its log, where that is there and they may read it. */
static void
add_show_buttons(struct tx *tx, const struct update *update, const char *name,
    const struct deployment list[], size_t n, struct buttons *buttons)
{
	bool may_read = decide_is_allowed(tx, update->person, POLICY_LOG, name);

	for (size_t i = 0; i < n && !decide_is_answered(update); i++) {
		int64_t run = may_read ? row_run_newest(tx, list[i].id, list[i].program) : 0;
		const struct request show = request_about("show", "work", list[i].id);
		const struct request log = request_about("log", "run", run);
		char label[LIMIT_BUTTON];

		text_setf(label, "🔎 Show #%" PRId64, list[i].id);
		decide_own_button(tx, update, &show, LOOK_MS, label, buttons);
		text_setf(label, "📄 Log of #%" PRId64, list[i].id);
		if (run != 0)
			decide_own_button(tx, update, &log, LOOK_MS, label, buttons);
	}
}

/* A page of one environment's. */
static void
show_one(struct tx *tx, const struct update *update, const struct request *request,
    const char *name, struct chat_text *text, struct buttons *buttons)
{
	size_t all = row_deployment_count_list(tx, name, (size_t)SHOWN_OF_ONE * PAGES_OF_ONE);
	struct deployment list[SHOWN_OF_ONE];
	int64_t page, pages;
	size_t first = decide_page(request, all, SHOWN_OF_ONE, &page, &pages);
	size_t n = add_history(tx, text, name, first, SHOWN_OF_ONE, list);

	if (page == 1)
		add_actions(tx, text, update->person, name, SHOWN_OF_EACH);
	add_show_buttons(tx, update, name, list, n, buttons);
	decide_page_buttons(tx, update, request, page, pages, buttons);
}

/* Of several those in which something was done, actions and gates too. */
static void
leave_done(struct tx *tx, struct decide_scope *scope)
{
	struct deployment any;
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++)
		if (row_deployment_count_list(tx, scope->at[i]->name, 1) > 0 ||
		    row_deployment_list_actions(tx, scope->at[i]->name, "", &any, 1) > 0)
			scope->at[n++] = scope->at[i];
	scope->n = n;
}

/* Some of each; a button leads to all of one. */
static void
show_several(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *scope, struct chat_text *text, struct buttons *buttons)
{
	struct deployment list[SHOWN_OF_ONE];
	size_t first, each = scope->is_wide ? PAGE : scope->n;
	int64_t page, pages;

	first = decide_page(request, scope->n, each, &page, &pages);
	for (size_t i = first; i < scope->n && i < first + each; i++) {
		const char *name = scope->at[i]->name;
		const struct request one = request_of("history", name);

		if (add_history(tx, text, name, 0, SHOWN_OF_EACH, list) == 0)
			add_actions(tx, text, update->person, name, SHOWN_OF_EACH);
		if (i < first + PAGE && !decide_is_answered(update))
			decide_own_button(tx, update, &one, LOOK_MS, name, buttons);
	}
	decide_page_buttons(tx, update, request, page, pages, buttons);
}

void
command_history(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!decide_scope(tx, update, POLICY_HISTORY, request, &scope))
		return;
	if (scope.n > 1)
		leave_done(tx, &scope);
	if (scope.n == 0)
		chat_text_add(&text, "No deployments yet.");
	else if (scope.n == 1)
		show_one(tx, update, request, scope.at[0]->name, &text, &message.buttons);
	else
		show_several(tx, update, request, &scope, &text, &message.buttons);
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
