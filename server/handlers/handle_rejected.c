/* handle_rejected.c - requests that were refused unread, reported once a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_stranger.h"

/* Whoever was refused at that webhook. */
static enum audit_code
code_of(const char *source)
{
	if (strcmp(source, REJECTED_LOCAL) == 0)
		return AUDIT_CODE_DENIED_LOCAL;
	if (strcmp(source, REJECTED_API) == 0)
		return AUDIT_CODE_TOKEN_REFUSED;
	return AUDIT_CODE_WEBHOOK_REJECTED;
}

void
handle_rejected(struct tx *tx, const struct event *event)
{
	const struct rejected *rejected = &event->u.rejected;
	char count[24], input[192];
	bool has_client = rejected->client[0] != '\0';
	const char *const meta[] = { "reason", rejected->reason, "count", count,
		has_client ? "client" : NULL, rejected->client, NULL };

	text_setf(count, "%" PRId64, rejected->count);
	/* source and reason are words of ours */
	text_setf(input, "%s%s%s: %s", rejected->source,
	    rejected->application[0] != '\0' ? "/" : "", rejected->application, rejected->reason);
	row_stranger_audit(tx, input, rejected->count, rejected->client,
	    &(struct audit_entry){
		.code = code_of(rejected->source),
		.user = rejected->source,
		.application = rejected->application,
		.outcome = "denied",
	    },
	    meta);
}
