/* row_rate_limit.c - token buckets that a restart does not fill.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_rate_limit.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/store_inside.h"

static bool
set_full_at(struct tx *tx, const char *who, int64_t full_at)
{
	return tx_say(tx,
	    "INSERT INTO bucket (who, full_at) VALUES ($1, $2)"
	    " ON CONFLICT (who) DO UPDATE SET full_at = $2",
	    DB_TEXT(who), DB_I64(full_at));
}

/* full_at says when all tokens are back: one number is the whole bucket. */
static bool
take(struct tx *tx, const char *who, int burst, int64_t every_ms)
{
	const int64_t empty = tx->at + burst * every_ms;
	int64_t full_at = tx_number(tx, "SELECT full_at FROM bucket WHERE who = $1", DB_TEXT(who));

	if (full_at > empty) { /* the clock was set back: that costs one emptied bucket */
		(void)set_full_at(tx, who, empty); /* sticky */
		return false;
	}
	if (full_at < tx->at)
		full_at = tx->at;
	return full_at + every_ms <= empty && set_full_at(tx, who, full_at + every_ms);
}

bool
row_rate_limit_take(struct tx *tx, int burst, int64_t every_ms, const char *who, ...)
{
	char name[ROW_RATE_LIMIT_WHO];
	va_list args;

	va_start(args, who);
	(void)vsnprintf(name, sizeof(name), who, args);
	va_end(args);
	return take(tx, name, burst, every_ms);
}
