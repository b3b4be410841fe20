/* perform_lend_message.c - what a person was lent is sent to them, and is in no row.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_text.h"
#include "clients/loan_shelf.h"
#include "effects/perform_inside.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram.h"
#include "types/loan.h"

struct lending {
	struct effect *effect;
	struct message message;
};

static void
finish(struct lending *lending, const struct message_sent *sent, const char *why)
{
	struct effect *effect = lending->effect;
	struct vault_said *said = &effect->result->u.vault_said;

	if (lending->message.head != NULL)
		crypto_wipe(lending->message.head, strlen(lending->message.head));
	message_done(&lending->message);
	crypto_wipe(lending, sizeof(*lending));
	free(lending);
	said->message = sent != NULL ? sent->remote_id : 0;
	said->is_done = why[0] == '\0' && said->message != 0;
	text_set(said->why, why); /* cut is fine */
	perform_report(effect);
}

static void
on_said(void *ctx, const struct message_sent *said)
{
	struct lending *lending = ctx;

	finish(lending, said,
	    said == NULL ? "deploybot was stopped while it was sent: ask again" : said->failure);
}

static bool
find_loan(const struct effect *effect, struct loan *ret)
{
	for (size_t at = 0; loan_next(effect->settings, &at, ret);)
		if (strcmp(ret->id, effect->u.vault.name) == 0)
			return true;
	return false;
}

/* The words around the command are few, for that fills half the screen of a phone.  No mark is in
 * the line: it has settings and a token, which is letters and dots. */
static void
write_command(
    const struct effect *effect, const struct loan *loan, const char *token, struct chat_text *text)
{
	const struct settings_vault *vault = &effect->settings->vault;
	CLEANUP(buf_wipe) struct buf line = buf_make(LOAN_SHELL_MAX);
	char command[LOAN_COMMAND], target[LIMIT_ENVIRONMENT + LIMIT_LINE];

	loan_command(loan, command);
	buf_reserve(&line);
	loan_shell(&line,
	    &(struct loan_shell){ .address = vault->address,
		.name_space = vault->name_space,
		.token = token,
		.command = command });
	text_setf(target, "%s of %s", loan->name, loan->target);
	chat_text_outside(text, "🔐 ", target);
	chat_text_add(text, ": once, 2 min\n" MARK_PRE);
	buf_fail_like(&text->buf, &line);
	buf_adds(&text->buf, buf_text(&line));
	chat_text_add(
	    text, MARK_PRE "\nNot valid? Somebody has it: /revoke %" PRId64, effect->subject);
}

void
perform_lend_message(struct perform *perform, struct effect *effect)
{
	struct lending *lending = mem_new(1, sizeof(*lending));
	struct chat_text text = CHAT_TEXT_EMPTY;
	char token[VAULT_TOKEN_MAX + 1];
	struct loan loan;

	lending->effect = effect;
	lending->message.address.chat = effect->u.vault.chat;
	if (!find_loan(effect, &loan) || !loan_shelf_take(perform->loans, effect->subject, token)) {
		finish(lending, NULL, "what was lent is gone: ask again");
		return;
	}
	buf_reserve(&text.buf);
	write_command(effect, &loan, token, &text);
	buttons_add_copy(&lending->message.buttons, "📋 Copy the wrapping token", token);
	crypto_wipe(token, sizeof(token));
	lending->message.head = chat_text_take(&text);
	if (lending->message.head == NULL)
		finish(lending, NULL, "the message is too long");
	else
		telegram_message_send(
		    telegram_sender(perform->telegram), &lending->message, on_said, lending);
}

/* It may have been sent, and nobody would delete that one: it is revoked. */
void
recover_lend_message(UNUSED struct perform *perform, struct effect *effect)
{
	(void)text_copy(effect->result->u.vault_said.why, LIMIT_LINE,
	    "deploybot was restarted while it was sent: ask again"); /* it fits */
	perform_report(effect);
}
