/* handle_rejected.c - requests that were refused unread, reported once a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "handlers/handlers.h"
#include "store/row_stranger.h"

void
handle_rejected(struct tx *tx, const struct event *event)
{
	const struct rejected *rejected = &event->u.rejected;
	char count[24], input[sizeof(rejected->source) + 2 + sizeof(rejected->reason)];

	(void)snprintf(count, sizeof(count), "%" PRId64, rejected->count);
	/* source and reason are words of ours */
	(void)snprintf(input, sizeof(input), "%s: %s", rejected->source, rejected->reason);
	row_stranger_audit(tx, input, rejected->count, rejected->client,
	    &(struct audit_entry){
		.action = "webhook_rejected",
		.user = rejected->source,
		.outcome = "denied",
		.severity = "warning",
	    },
	    (const char *const[]){ "reason", rejected->reason, "count", count,
		rejected->client[0] == '\0' ? NULL : "client", rejected->client, NULL });
}
