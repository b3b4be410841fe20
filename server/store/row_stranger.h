/* row_stranger.h - what anybody can repeat: the first is an audit entry, the rest is counted.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_audit.h"

#define ROW_STRANGER_EVERY_MS INT64_C(3600000)
#define ROW_STRANGER_INPUT    320 /* bytes of `input` with the NUL */

/*
 * Something happened `n` times that who has no role, or not that, can bring about as often as they
 * like.  The first of its kind is audited at once (entry, meta); what comes after it is counted in
 * the kind's row, which becomes one entry an hour, with the count, `last` (whoever came last),
 * `who` (each of them once, the first 480 bytes) and how many of the count were by others than
 * those, and goes after an hour without any.  `input` names the kind: a few words of ours, with a
 * role also who it was and the environment of the settings, never what came, so that there are as
 * many rows as there are such words.
 */
void row_stranger_audit(struct tx *tx, const char *input, int64_t n, const char *last,
    const struct audit_entry *entry, const char *const *meta);

/* TIMER_STRANGERS fired: writes the entries that are due. */
void row_stranger_due(struct tx *tx);

/* Sees that the timer is there while something is counted. */
void row_stranger_wait(struct tx *tx);
