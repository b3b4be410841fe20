/* handle_settings.c - settings were read anew, or refused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_deployment.h"
#include "decide/decide_push.h"
#include "decide/decide_unknown.h"
#include "handlers/handlers.h"
#include "store/row_audit.h"
#include "store/row_environment.h"

void
handle_settings(struct tx *tx, const struct event *event)
{
	const struct settings_read *read = &event->u.settings_read;
	char name[LIMIT_ENVIRONMENT] = "";

	row_audit_add(tx,
	    &(struct audit_entry){
		.action = "settings_reloaded",
		.user = "system",
		.outcome = read->accepted ? "ok" : "refused",
		.severity = read->accepted ? "info" : "warning",
	    },
	    (const char *const[]){ read->accepted ? "changed" : "error", read->changed,
		"needs_restart", read->needs_restart ? "yes" : "no", NULL });
	decide_poll_later(tx);
	/* What is queued in an environment that has left the settings ends. */
	while (read->accepted && row_environment_next(tx, name)) {
		decide_next(tx, name);
		decide_unknown_again(tx, name);
	}
}
