/* secret_note.c - that somebody came with the previous value of a secret.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/text.h"
#include "types/event.h"
#include "types/secret.h"

void
secret_note_used(const struct secret *secret, secret_submit *submit, void *ctx)
{
	struct event *event = event_new(EVENT_SECRET_USED);
	struct secret_used *used;

	used = &event->u.secret_used;
	text_set(used->application, secret->application);
	text_set(used->name, secret->name); /* both of the same size */
	if (!submit(ctx, event))
		event_free(event);
}
