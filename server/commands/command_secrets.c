/* command_secrets.c - /secrets: what of Vault's one may ask for, what each needs, and what is lent.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_loan_list.h"
#include "types/loan.h"
#include "types/settings.h"

#define SHOWN	  40
#define MINUTE_MS INT64_C(60000)

static void
add_line(struct tx *tx, const struct loan *loan, struct chat_text *text)
{
	chat_text_code(text, "\n", loan->id);
	chat_text_outside(text, " of ", loan->target);
	chat_text_add(text, ", for %" PRId64 " min", loan->ttl_ms / MINUTE_MS);
	if (policy_needs_factor(tx->settings, POLICY_SECRET, loan->name, loan->target))
		chat_text_add(text, ", with your code");
	if (loan->approvals > 0)
		chat_text_add(text, ", after %d approval%s", loan->approvals,
		    loan->approvals == 1 ? "" : "s");
}

void
command_secrets(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	const struct principal who = decide_principal(tx, update->person);
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct loan loan;
	size_t n = 0;

	if (!decide_is_allowed_somewhere(tx, update->person, POLICY_CANCEL) &&
	    !decide_may_somewhere(tx, update, POLICY_SECRET, ""))
		return;
	if (!update->is_private && !decide_is_answered(update)) {
		chat_text_add(&text, "🔐 /secrets works in our private chat only.");
		(void)decide_send(tx, &update->address, &text);
		return;
	}
	chat_text_add(&text,
	    "You may ask for these, by " MARK_CODE "/get_secret <name>" MARK_CODE " in private:");
	for (size_t at = 0; loan_next(tx->settings, &at, &loan);) {
		if (policy_decide_secret(tx->settings, who, loan.name, loan.target, tx->at)
			.verdict != POLICY_ALLOW)
			continue;
		if (n++ < SHOWN)
			add_line(tx, &loan, &text);
	}
	if (n > SHOWN)
		chat_text_add(&text, "\nand %zu more", n - SHOWN);
	if (n == 0) {
		buf_done(&text.buf);
		text = (struct chat_text)CHAT_TEXT_EMPTY;
		chat_text_add(&text,
		    "There is no secret that you may ask for. " MARK_CODE "/whoami" MARK_CODE
		    " says what you may; SECRET_<NAME>_PATH in the settings names one.");
	}
	decide_loan_list(tx, update->person, &text);
	(void)decide_send(tx, &update->address, &text);
}
