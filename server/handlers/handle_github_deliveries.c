/* handle_github_deliveries.c - GitHub has said what it could not deliver, or has not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_redelivery.h"
#include "handlers/handlers.h"

void
handle_github_deliveries_read(struct tx *tx, const struct event *event)
{
	decide_redelivery_read(tx, &event->u.github_deliveries_read);
}
