/* handle_prom_said.c - Prometheus has answered, or could not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_bake_said.h"
#include "handlers/handlers.h"

void
handle_prom_said(struct tx *tx, const struct event *event)
{
	decide_bake_said(tx, tx->effect->subject, &event->u.prom_said);
}
