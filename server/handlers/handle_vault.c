/* handle_vault.c - what Vault, or the chat, says of a loan.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"
#include "handlers/handlers.h"

void
handle_vault_said(struct tx *tx, const struct event *event)
{
	decide_loan_said(tx, &event->u.vault_said);
}
