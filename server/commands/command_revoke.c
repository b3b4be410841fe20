/* command_revoke.c - /revoke <number or name>: what was lent is revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_loan_say.h"
#include "store/row_deployment.h"

static void
say_which(struct tx *tx, const struct update *update, int64_t number)
{
	decide_answer_no(tx, update);
	if (!decide_may_begin(tx, update, POLICY_CANCEL, ""))
		return;
	if (number == 0)
		(void)decide_sendf(tx, &update->address,
		    "Which one? " MARK_CODE "/revoke 12" MARK_CODE
		    " revokes what #12 was lent: the number stands in its message.");
	else
		(void)decide_sendf(tx, &update->address,
		    "#%" PRId64 " is no secret that was lent: " MARK_CODE "/show %" PRId64 MARK_CODE
		    " says what it is.",
		    number, number);
}

/* Whoever has it may give it up. */
static bool
is_own(struct tx *tx, const struct update *update, const struct deployment *work)
{
	return work->requested_by == update->person && !decide_is_stranger(tx, update->person);
}

/* What was typed is answered where it was typed: the work's own message may be elsewhere. */
static void
end(struct tx *tx, const struct update *update, struct deployment *work)
{
	bool is_open = deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL;

	if (!is_own(tx, update, work) && !decide_may(tx, update, POLICY_CANCEL, work->environment))
		return;
	decide_loan_revoke(tx, update, work);
	if (is_open && (update->kind != UPDATE_PRESS || decide_is_answered(update)))
		(void)decide_send_firstf(tx, &update->address, FIRST_CANCELS, work->environment,
		    "secret %s.", work->argument);
}

/* --- by its name --- */

static void
offer(struct tx *tx, const struct update *update, const int64_t *found, size_t n,
    struct chat_text *text)
{
	struct message message = { 0 };
	char label[LIMIT_BUTTON];
	struct deployment work;

	decide_answer_no(tx, update);
	for (size_t i = 0; i < n; i++) {
		const struct request one = request_about("revoke", "work", found[i]);

		row_deployment_get(tx, found[i], &work);
		(void)snprintf(label, sizeof(label), "✋ #%" PRId64 " %.20s %.20s", work.id,
		    work.argument, work.environment); /* cut is fine */
		decide_once_button(tx, update, &one, label, &message.buttons);
	}
	(void)decide_send_keyboard(tx, update, NULL, &message, text);
}

static void
revoke_by_name(struct tx *tx, const struct update *update, const char *name)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t found[DECIDE_LOANS_FOUND];
	struct deployment work;
	size_t n;

	chat_text_add(&text, "❓ " MARK_BOLD "/revoke" MARK_BOLD ": which? One at a time.");
	n = decide_loan_find(tx, update->person, name, found, &text);
	if (n > 1) {
		offer(tx, update, found, n, &text);
		return;
	}
	buf_clear(&text.buf);
	if (n == 1) {
		end(tx, update, row_deployment_get(tx, found[0], &work));
	} else if (decide_may_begin(tx, update, POLICY_CANCEL, "")) {
		decide_answer_no(tx, update);
		chat_text_outside(&text, "No secret is lent now by the name ", name);
		chat_text_add(&text,
		    " that you may revoke: " MARK_CODE "/secrets" MARK_CODE
		    " lists what is lent and asked for.");
		(void)decide_send(tx, &update->address, &text);
	}
	buf_done(&text.buf);
}

void
command_revoke(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;
	char rest[LIMIT_REF], name[LIMIT_REF];
	int64_t number = decide_work(tx, update, request, rest, &work);

	if (number == 0 && request_get(request, "number", name)[0] != '\0')
		revoke_by_name(tx, update, name);
	else if (work.id == 0 || !deployment_is_loan(&work))
		say_which(tx, update, number);
	else
		end(tx, update, &work);
}
