/* handle_rejected.c - requests that were refused unread, reported once a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "handlers/handlers.h"
#include "store/row_stranger.h"

void
handle_rejected(struct tx *tx, const struct event *event)
{
	const struct rejected *rejected = &event->u.rejected;
	char count[24], input[128];
	const char *meta[] = { "reason", rejected->reason, "count", count, NULL, NULL, NULL, NULL,
		NULL };
	size_t n = 4;

	(void)snprintf(count, sizeof(count), "%" PRId64, rejected->count);
	/* source and reason are words of ours */
	(void)snprintf(input, sizeof(input), "%s%s%s: %s", rejected->source,
	    rejected->application[0] != '\0' ? "/" : "", rejected->application, rejected->reason);
	if (rejected->application[0] != '\0') {
		meta[n++] = "application";
		meta[n++] = rejected->application;
	}
	if (rejected->client[0] != '\0') {
		meta[n++] = "client";
		meta[n++] = rejected->client;
	}
	row_stranger_audit(tx, input, rejected->count, rejected->client,
	    &(struct audit_entry){
		.action =
		    strcmp(rejected->source, REJECTED_LOCAL) == 0 ? "denied" : "webhook_rejected",
		.user = rejected->source,
		.outcome = "denied",
		.severity = "warning",
	    },
	    meta);
}
