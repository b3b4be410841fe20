/* decide_due.c - the one timer of a kind that looks at what ends next.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_due.h"

#include "store/row_effect.h"

#define HOUR_MS (3600 * INT64_C(1000))

void
decide_due(struct tx *tx, enum timer_kind kind, int64_t at)
{
	int64_t before, timer = row_effect_find_timer(tx, kind, &before);

	if (at > tx->at + HOUR_MS)
		at = tx->at + HOUR_MS;
	if (timer != 0 && before <= at && before > tx->at)
		return;
	row_effect_withdraw(tx, timer);
	(void)row_effect_timer(tx, kind, "", 0, at);
}
