/* row_exempt.c - what only an emergency has, or who may start in a freeze: what it goes past.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_exempt.h"

#include "store/store_inside.h"

TX_READER(read_exempt, struct exempt, TX_I64(hold), TX_INT(n_reminders))

struct exempt
row_exempt_get(struct tx *tx, int64_t work)
{
	return tx_first(tx, struct exempt, read_exempt,
	    "SELECT excepted_hold, n_reminders FROM exempt WHERE work = $1", DB_I64(work));
}

void
row_exempt_set(struct tx *tx, int64_t work, const struct exempt *exempt)
{
	(void)tx_run(tx,
	    "INSERT INTO exempt (work, excepted_hold, n_reminders) VALUES ($1, $2, $3)"
	    " ON CONFLICT (work) DO UPDATE SET excepted_hold = $2, n_reminders = $3",
	    DB_I64(work), DB_I64(exempt->hold), DB_I64(exempt->n_reminders)); /* sticky */
}

void
row_exempt_set_passed(struct tx *tx, int64_t work, const char *lines)
{
	(void)tx_run(tx,
	    "INSERT INTO exempt (work, passed) VALUES ($1, $2)"
	    " ON CONFLICT (work) DO UPDATE SET passed = $2",
	    DB_I64(work), DB_TEXT(lines)); /* sticky */
}

const char *
row_exempt_passed(struct tx *tx, int64_t work, char ret[LIMIT_PASSED])
{
	return tx_first_text(
	    tx, ret, LIMIT_PASSED, "SELECT passed FROM exempt WHERE work = $1", DB_I64(work));
}
