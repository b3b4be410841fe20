/* decide_manifest.h - an agent says what it may be ordered, and admins learn that it changed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* That list is stored where the agent is enrolled and has said another one, or none, before.  It is
 * audited, and of a change all admins are notified: once a minute, of all that changed in it. */
void decide_manifest_said(struct tx *tx, const char *identity, const char *list);

/* TIMER_MANIFESTS. */
void decide_manifests_due(struct tx *tx);
