/* command_pending.c - /pending [environment or application]: what awaits approvals or a review.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/work/decide_action.h"
#include "decide/approval/decide_approval.h"
#include "decide/approval/decide_needs.h"
#include "decide/approval/decide_pending.h"
#include "decide/decide_page.h"
#include "decide/approval/decide_ready.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_approval.h"

#define PAGE	3 /* works, with up to three buttons each, and those to other pages */
#define REVIEWS 5

struct pending {
	struct tx *tx;
	const struct update *update;
	struct chat_text *text;
	struct buttons *buttons;
};

static void
add_button(struct pending *p, const char *action, int64_t work, const char *label)
{
	struct button_row row = {
		.request = request_about(action, "work", work),
		.chat = p->update->address.chat,
	};

	row_button_show(p->tx, &row, label, p->buttons); /* of this list: it goes with its page */
}

/* Of a request: its line with a ts of now. */
static void
add_line(struct pending *p, const struct deployment *work)
{
	char line[APPROVE_LINE_SIZE], label[LIMIT_BUTTON];

	if (!decide_ready_line(p->tx, work, line))
		return;
	text_setf(label, "📋 Copy the line of #%" PRId64, work->id);
	buttons_add_copy(p->buttons, label, line);
}

static void
add_work(struct pending *p, struct deployment *work)
{
	const char *why_not = decide_pending_why_not(p->tx, work, p->update->person);
	struct decide_needs needs;
	char label[LIMIT_BUTTON], touches[DECIDE_TOUCHES];

	(void)decide_needs_look(p->tx, work, &needs);
	chat_text_add(p->text, "\n\n❓ #%" PRId64 " " MARK_BOLD "%s" MARK_BOLD ": ", work->id,
	    deployment_target_here(work));
	chat_deployment_work(p->text, "", work);
	chat_text_outside(p->text,
	    decide_action_touches(p->tx, work, touches)[0] != '\0' ? "\n    " : "", touches);
	chat_text_ago(p->text, ", asked ", work->requested_at, p->tx->at);
	chat_text_add(p->text, "\n    approved %zu of %d", needs.n, needs.needs.approvals);
	chat_text_outside(p->text, needs.n > 0 ? ": " : "", work->approvers);
	if (why_not != NULL) {
		chat_text_add(p->text, "; %s", why_not);
		return;
	}
	if (row_approval_is_of(p->tx, work->id, p->update->person)) {
		text_setf(label, "🙅 Withdraw my approval of #%" PRId64, work->id);
		add_button(p, "unapprove", work->id, label);
		return;
	}
	decide_approval_seen(p->tx, p->update, work);
	text_setf(label, "✅ Approve #%" PRId64, work->id);
	add_button(p, "approve", work->id, label);
	text_setf(label, "👎 Reject #%" PRId64 " …", work->id);
	add_button(p, "reject", work->id, label);
	add_line(p, work);
}

/* What began as an emergency awaits somebody's look. */
static void
add_reviews(struct tx *tx, const struct decide_scope *scope, struct chat_text *text)
{
	struct deployment reviews[REVIEWS];
	size_t n = decide_pending_reviews(tx, scope, reviews, REVIEWS);

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(reviews[i].environment, reviews[i - 1].environment) != 0)
			chat_text_add(
			    text, "\n\n" MARK_BOLD "%s" MARK_BOLD ":", reviews[i].environment);
		chat_emergency_line(text, &reviews[i], tx->at);
	}
	if (n == REVIEWS)
		chat_text_add(text, "\nMore may be in " MARK_CODE "/status" MARK_CODE ".");
}

void
command_pending(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct pending pending = { tx, update, &text, &message.buttons };
	int64_t ids[DECIDE_PENDING_MAX], page, pages;
	size_t n, first;

	if (!decide_scope_seen(tx, update, request, &scope))
		return;
	n = decide_pending_list(tx, &scope, request->target[0] == '\0', ids);
	first = decide_page(request, n, PAGE, &page, &pages);
	chat_text_add(&text,
	    n == 0 ? "Nothing awaits an approval." : MARK_BOLD "Awaiting approval" MARK_BOLD);
	for (size_t i = first; i < n && i < first + PAGE; i++) {
		struct deployment work;

		row_deployment_get(tx, ids[i], &work);
		add_work(&pending, &work);
	}
	add_reviews(tx, &scope, &text);
	decide_page_buttons(tx, update, request, page, pages, &message.buttons);
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
