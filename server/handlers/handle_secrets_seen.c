/* handle_secrets_seen.c - which secrets are in force: since when each is, for the metrics.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_settings.h"
#include "handlers/handlers.h"

void
handle_secrets_seen(struct tx *tx, const struct event *event)
{
	int64_t oldest = decide_settings_secrets(tx, &event->u.secrets_seen);

	tx_count_metric(
	    tx, INCREMENT_SECRET_OLDEST, "", "", "", oldest == 0 ? 0 : (double)oldest / 1000);
}
