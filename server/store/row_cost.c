/* row_cost.c - what each person has asked for in 24 hours, in tenths, an hour a row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_cost.h"

#include "store/store_inside.h"

#define HOUR_MS	 (3600 * INT64_C(1000))
#define KEPT_FOR 24		/* hours behind its own */
#define LEFT_FOR (4 * KEPT_FOR) /* in the table: a clock that was ahead by days is set back */

static int64_t
hour_of(const struct tx *tx)
{
	return tx->at / HOUR_MS;
}

void
row_cost_add(struct tx *tx, int64_t person, int64_t tenths)
{
	(void)tx_run(tx, "DELETE FROM cost WHERE person = $1 AND hour < $2", DB_I64(person),
	    DB_I64(hour_of(tx) - LEFT_FOR));
	(void)tx_say(tx,
	    "INSERT INTO cost (person, hour, tenths) VALUES ($1, $2, $3)"
	    " ON CONFLICT (person, hour) DO UPDATE SET tenths = cost.tenths + $3",
	    DB_I64(person), DB_I64(hour_of(tx)), DB_I64(tenths)); /* both sticky */
}

/* Hours to come are of a clock that was set back. */
int64_t
row_cost_day(struct tx *tx, int64_t person)
{
	return tx_number(tx,
	    "SELECT COALESCE(SUM(tenths), 0) FROM cost WHERE person = $1"
	    " AND hour BETWEEN $2 AND $3",
	    DB_I64(person), DB_I64(hour_of(tx) - KEPT_FOR), DB_I64(hour_of(tx)));
}

int64_t
row_cost_below_at(struct tx *tx, int64_t person, int64_t tenths)
{
	int64_t hour = tx_number(tx,
	    "SELECT MIN(hour) FROM cost o WHERE person = $1 AND hour BETWEEN $2 AND $3"
	    " AND (SELECT COALESCE(SUM(tenths), 0) FROM cost WHERE person = $1"
	    "  AND hour > o.hour AND hour <= $3) < $4",
	    DB_I64(person), DB_I64(hour_of(tx) - KEPT_FOR), DB_I64(hour_of(tx)), DB_I64(tenths));

	return (hour + KEPT_FOR + 1) * HOUR_MS;
}
