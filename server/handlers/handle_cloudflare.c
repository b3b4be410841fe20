/* handle_cloudflare.c - Cloudflare has answered, or has not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_cloudflare.h"
#include "handlers/handlers.h"

void
handle_cloudflare_got(struct tx *tx, const struct event *event)
{
	decide_cloudflare_got(
	    tx, tx->effect->u.cloudflare.zone, tx->effect->id, &event->u.cloudflare);
}

void
handle_cloudflare_was_set(struct tx *tx, const struct event *event)
{
	decide_cloudflare_was_set(
	    tx, tx->effect->u.cloudflare.zone, tx->effect->id, &event->u.cloudflare);
}
