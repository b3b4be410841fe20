/* decide_due.h - the one timer of a kind that looks at what ends next.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/effect.h"

/* It is due then, or where it is due sooner stays; in an hour at the latest, so that a clock that
 * is set forward or back costs no more.  kind: a ONE of TIMERS. */
void decide_due(struct tx *tx, enum timer_kind kind, int64_t at);
