/* decide_audit_line.h - one line a day: the newest entry of the audit, to who was told an end.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each message about an end names the audit's head of its moment in its row, not in its text.  When
 * the day (UTC) is over each chat that got one is sent the newest entry's number and digits: of
 * what stands in the database alone, that is what is known outside.
 */
#pragma once

#include "store/tx.h"

/* That row is an end, or as grave: it names the head, and its chat gets today's line. */
void decide_audit_line_note(struct tx *tx, int64_t message);

/* TIMER_AUDIT_LINE. */
void decide_audit_line_due(struct tx *tx);
