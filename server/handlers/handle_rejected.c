/* handle_rejected.c - requests that were refused unread, reported once a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "handlers/handlers.h"
#include "store/row_audit.h"

void
handle_rejected(struct tx *tx, const struct event *event)
{
	const struct rejected *rejected = &event->u.rejected;
	char count[24];

	(void)snprintf(count, sizeof(count), "%" PRId64, rejected->count);
	row_audit_add(tx,
	    &(struct audit_entry){
		.action = "webhook_rejected",
		.user = rejected->source,
		.outcome = "denied",
		.severity = "warning",
	    },
	    (const char *const[]){ "reason", rejected->reason, "count", count,
		rejected->client[0] == '\0' ? NULL : "client", rejected->client, NULL });
}
