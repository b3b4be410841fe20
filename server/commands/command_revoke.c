/* command_revoke.c - /revoke <number or name>: what was lent is revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_loan_list.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_loan.h"

#define LATELY_MS (70 * INT64_C(60000)) /* the longest _TTL, and ten minutes */

static void
say_other(struct tx *tx, const struct update *update, int64_t number)
{
	decide_answer_no(tx, update);
	if (!decide_may_begin(tx, update, POLICY_CANCEL, ""))
		return;
	(void)decide_sendf(tx, &update->address,
	    "#%" PRId64 " is no secret that was lent: " MARK_CODE "/show %" PRId64 MARK_CODE
	    " says what it is.",
	    number, number);
}

static void
end(struct tx *tx, const struct update *update, struct deployment *work)
{
	if (decide_loan_is_theirs(tx, update->person, work) ||
	    decide_may(tx, update, POLICY_CANCEL, work->environment))
		decide_loan_revoke(tx, update, work);
}

/* --- by its name --- */

static void
offer(struct tx *tx, const struct update *update, const struct decide_loans_found *found,
    struct chat_text *text)
{
	struct message message = { 0 };
	char name[DECIDE_LOAN_NAME], label[LIMIT_BUTTON];
	struct deployment work;

	decide_answer_no(tx, update);
	for (size_t i = 0; i < found->n && i < DECIDE_LOANS_FOUND; i++) {
		const struct request one = request_about("revoke", "work", found->number[i]);

		row_deployment_get(tx, found->number[i], &work);
		text_setf(label, "✋ %.59s", decide_loan_name(&work, name));
		decide_once_button(tx, update, &one, label, &message.buttons);
	}
	(void)decide_send_keyboard(tx, update, NULL, &message, text);
}

/* The only one; and what was meant may be another: one that is being revoked, or that of theirs
 * which has ended just now. */
static bool
is_meant(struct tx *tx, int64_t person, const struct decide_loans_found *found)
{
	struct deployment work;

	if (found->n != 1 || found->ending != 0)
		return false;
	row_deployment_get(tx, found->number[0], &work);
	return work.requested_by == person ||
	    !row_loan_was_of(tx, &work, person, tx->at - LATELY_MS);
}

static void
say_none(struct tx *tx, const struct update *update, const char *name)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!decide_may_begin(tx, update, POLICY_CANCEL, ""))
		return;
	decide_answer_no(tx, update);
	chat_text_add(&text, "There is no secret lent now");
	if (name[0] != '\0')
		chat_text_outside(&text, " by the name ", name);
	chat_text_add(&text,
	    " that you may revoke: " MARK_CODE "/secrets" MARK_CODE
	    " lists what is lent and asked for.");
	(void)decide_send(tx, &update->address, &text);
}

/* name "": all that they may revoke are shown. */
static void
revoke_by_name(struct tx *tx, const struct update *update, const char *name)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct decide_loans_found found;
	struct deployment work;

	chat_text_add(&text, "❓ " MARK_BOLD "/revoke" MARK_BOLD ": which? One at a time.");
	decide_loan_find(tx, update->person, name, &found, &text);
	if (found.n > 0 && (name[0] == '\0' || !is_meant(tx, update->person, &found))) {
		offer(tx, update, &found, &text);
		return;
	}
	buf_done(&text.buf);
	if (found.n + (found.ending != 0) == 0)
		say_none(tx, update, name);
	else /* what is being revoked says so */
		end(tx, update,
		    row_deployment_get(tx, found.n > 0 ? found.number[0] : found.ending, &work));
}

void
command_revoke(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;
	char rest[LIMIT_REF];
	int64_t number = decide_work(tx, update, request, rest, &work);

	if (number == 0)
		revoke_by_name(tx, update, request_text(request, "number"));
	else if (work.id == 0 || !deployment_is_loan(&work))
		say_other(tx, update, number);
	else
		end(tx, update, &work);
}
