/* handle_settings.c - settings were read anew, or refused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_access.h"
#include "decide/factor/decide_factor.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/approval/decide_approval.h"
#include "decide/work/decide_hosts.h"
#include "decide/work/decide_left.h"
#include "decide/work/decide_loan_end.h"
#include "decide/tell/decide_pin.h"
#include "decide/git/decide_poll.h"
#include "decide/git/decide_redelivery.h"
#include "decide/audit/decide_rename.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"
#include "decide/audit/decide_settings.h"
#include "decide/work/decide_unknown.h"
#include "decide/queue/decide_unsynced.h"
#include "decide/audit/decide_witness.h"
#include "handlers/handlers.h"
#include "lib/clean.h"
#include "store/row_environment.h"
#include "store/row_queue.h"

static void
audit(struct tx *tx, const struct settings_read *read)
{
	const char *facts[] = { read->accepted ? "changed" : "error", read->changed,
		"needs_restart", read->restart[0] != '\0' ? "yes" : "no", NULL, NULL, NULL, NULL,
		NULL };
	size_t n = 4;

	decide_audit_fact(facts, &n, "applications", read->applications);
	decide_audit_fact(facts, &n, "refused_file", read->refused);
	decide_audit(tx,
	    read->accepted && read->refused[0] == '\0' ? AUDIT_CODE_SETTINGS_RELOADED :
							 AUDIT_CODE_SETTINGS_REFUSED,
	    "system", NULL, read->accepted ? "ok" : "refused", facts);
}

/* Whoever took a leaver's id out believes that it holds. */
static void
tell_admins(struct tx *tx, const struct settings_read *read)
{
	const char *said = read->accepted ? read->refused : read->changed;
	char why[LIMIT_LINE];

	(void)clean_line(why, sizeof(why), said, strlen(said)); /* what was typed stands in it */
	if (!read->accepted && read->is_news)
		decide_factor_tell(tx, 0,
		    "❌ Settings refused: %s\nWhat was in force before stays in force, also whatever this change was to end.\n"
		    "On the server " MARK_CODE "deploybot check-config" MARK_CODE
		    " names each wrong line.",
		    why);
	else if (read->refused[0] != '\0')
		decide_factor_tell(tx, 0,
		    "❌ Settings refused: %s\nThis application stays as it was before, also whatever this change was to end.",
		    why);
	else if (read->is_valid_again)
		decide_factor_tell(tx, 0, "✅ Settings are valid again, and in force%s%s%s.",
		    read->restart[0] != '\0' ? " but for " : "", read->restart,
		    read->restart[0] != '\0' ? ", which need a restart" : "");
}

void
handle_settings(struct tx *tx, const struct event *event)
{
	const struct settings_read *read = &event->u.settings_read;
	char name[LIMIT_ENVIRONMENT] = "";

	audit(tx, read);
	tell_admins(tx, read);
	if (read->accepted) {
		decide_settings_reloaded(tx, read->is_cut);
		decide_rename_all(tx);
		decide_hosts_look(tx);
		decide_approvals_look(tx);
		decide_loans_look(tx);
	}
	decide_poll_later(tx);
	decide_redelivery_begin(tx);
	decide_access(tx);
	decide_factor_look(tx);
	decide_sessions_look(tx);
	decide_holds_look(tx);
	decide_witness_begin(tx);
	if (read->accepted) {
		decide_unsynced_look_all(tx);
		decide_pins_look(tx);
	}
	/* What is queued in an environment that has left the settings ends. */
	while (read->accepted && row_environment_next(tx, name)) {
		row_queue_look(tx, name);
		decide_left_look(tx, name);
		decide_unknown_again(tx, name);
	}
}
