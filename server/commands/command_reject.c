/* command_reject.c - /reject <number> [reason]: one of those who let some work start says no.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/approval/decide_approval.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_message.h"

static void
add_choice(struct tx *tx, const struct update *update, const struct deployment *work,
    const char *name, const char *label, struct buttons *buttons)
{
	struct button_row row = {
		.request = request_about("reject", "work", work->id),
		.chat = update->address.chat,
		.person = update->person,
		.expires_at = tx->at + 600 * INT64_C(1000),
	};
	char shown[LIMIT_BUTTON];

	request_add(&row.request, name, label);
	text_setf(shown, "%s%s", strcmp(name, "reason") == 0 ? "👎 Reject: " : "", label);
	row_button_show(tx, &row, shown, buttons);
}

static void
keep(struct tx *tx, int64_t question, const struct deployment *work)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_button_close_keyboard(tx, question);
	chat_first(&text, FIRST_NOT_REJECTED, deployment_target_here(work));
	chat_text_add(&text, "#%lld stays as it is.", (long long)work->id);
	decide_change(tx, question, NULL, &text);
}

/* Three that are pressed, any other as a reply. */
static void
ask_why(struct tx *tx, const struct update *update, const struct deployment *work)
{
	CLEANUP(message_done) struct message message = { .address = update->address };
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t row;

	chat_first(&text, FIRST_NOT_REJECTED_YET, deployment_target_here(work));
	chat_text_add(&text, "#%lld", (long long)work->id);
	chat_text_outside(&text, ", ", update->name);
	chat_text_add(
	    &text, ": press a reason, or reply to this message with yours, within 10 minutes.");
	message.head = chat_text_take(&text);
	add_choice(tx, update, work, "reason", "Not tonight", &message.buttons);
	add_choice(tx, update, work, "reason",
	    deployment_is_action(work) ? "Wrong action" : "Wrong commit", &message.buttons);
	add_choice(tx, update, work, "reason", "Needs a review first", &message.buttons);
	add_choice(tx, update, work, "keep", "↩️ Keep it", &message.buttons);
	message.is_answer = message.is_silent = true; /* who pressed looks at it */
	row = row_message_add(tx, &message);
	row_button_set_message(tx, &message.buttons, row);
	decide_toastf(tx, update, false, "Not rejected yet: press a reason below.");
}

/* The message that asked for a reason says what became of it; its buttons are gone. */
static void
leave_question(struct tx *tx, int64_t row, const struct deployment *work)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_button_close_keyboard(tx, row);
	chat_first(&text, work->why == DEPLOY_WHY_REJECTED ? FIRST_REJECTED : FIRST_ANSWERED,
	    deployment_target_here(work));
	chat_text_add(&text, "%s#%lld%s%s", work->why == DEPLOY_WHY_REJECTED ? " " : "",
	    (long long)work->id, work->why == DEPLOY_WHY_REJECTED ? "" : " is ",
	    work->why == DEPLOY_WHY_REJECTED ? "" : deploy_flow_word(work->state));
	if (work->why == DEPLOY_WHY_REJECTED)
		chat_text_outside(&text, ": ", work->detail);
	decide_change(tx, row, NULL, &text);
}

void
command_reject(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF], reason[LIMIT_REF];
	struct deployment work;

	decide_approval_work(tx, update, request, rest, &work);
	if (work.id == 0)
		return;
	if (update->kind == UPDATE_PRESS && request_get(request, "keep", reason)[0] != '\0') {
		keep(tx, request->message, &work);
		decide_toastf(tx, update, false, "Not rejected.");
		return;
	}
	(void)request_get(request, "reason", reason);
	if (update->kind == UPDATE_PRESS && reason[0] == '\0') {
		if (!decide_may_approve(tx, update, &work))
			return;
		decide_approval_seen(tx, update, &work);
		ask_why(tx, update, &work);
		return;
	}
	decide_reject(tx, update, &work, reason[0] != '\0' ? reason : rest);
	if (request->message != 0)
		leave_question(tx, request->message, &work);
}
