/* handle_secret_used.c - somebody proved themselves with a secret's previous value.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"
#include "store/row_secret.h"

void
handle_secret_used(struct tx *tx, const struct event *event)
{
	const struct secret_used *used = &event->u.secret_used;

	row_secret_used(tx, used->application, used->name);
}
