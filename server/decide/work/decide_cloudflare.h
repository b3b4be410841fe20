/* decide_cloudflare.h - a zone is under attack until its time has come, and then as it was.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What the level was is in the zone's row before another is ordered.  While that row is there,
 * another "under attack" only moves its end.  Restoring is deploybot's own: no lock, freeze,
 * approval or limit holds it, and it does not occupy its target.  Before it restores it looks: what
 * somebody else has set meanwhile stays.
 */
#pragma once

#include "chat/chat_text.h"
#include "store/row_cloudflare.h"
#include "store/row_deployment.h"
#include "types/update.h"

/* What decide_executor.h calls when an action of the executor "cloudflare" is running: its zone is
 * asked about, or its end is moved.  The work ends when what it is for is known to be done, or not.
 * Builds between 0.1.0 and 0.2.0 began it by a timer, which may still be open. */
void decide_cloudflare_begin(struct tx *tx, int64_t work);

/* A call has ended. */
void decide_cloudflare_got(
    struct tx *tx, const char *zone, int64_t effect, const struct cloudflare_answer *answer);
void decide_cloudflare_was_set(
    struct tx *tx, const char *zone, int64_t effect, const struct cloudflare_answer *answer);

/* The handler of an answer or of its timer failed: the zone is looked at then, as at its end. */
void decide_cloudflare_fault(struct tx *tx, const char *zone, int64_t at);

/* TIMER_CLOUDFLARE has fired. */
void decide_cloudflare_due(struct tx *tx, const char *zone);

/* A person says of one that is stuck: it is tried again, or was done by hand.  False: it is not
 * stuck. */
bool decide_cloudflare_answer(
    struct tx *tx, const struct update *update, const char *target, bool is_again);

/* Lines of /status about those targets that this person sees. */
void decide_cloudflare_status(struct tx *tx, int64_t person, struct chat_text *text);
