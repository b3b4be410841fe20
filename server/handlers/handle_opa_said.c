/* handle_opa_said.c - OPA has answered, or could not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_opa_said.h"
#include "handlers/handlers.h"

void
handle_opa_said(struct tx *tx, const struct event *event)
{
	decide_opa_said(tx, tx->effect->subject, &event->u.opa_said);
}
