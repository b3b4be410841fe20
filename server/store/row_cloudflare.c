/* row_cloudflare.c - the rows of zones.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_cloudflare.h"

#include "lib/column.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define COLUMNS \
	"zone, target, phase, old, set_to, at, until_at, work, by_name, chat, thread, effect," \
	" timer, tries, failed_at, told_at, detail"

static const char *const phases[] = { CLOUDFLARE_PHASES(COLUMN_SECOND) };

static enum cloudflare_phase
phase_of(const char *word)
{
	return (enum cloudflare_phase)text_index(word, phases, CLOUDFLARE_PHASE_COUNT);
}

TX_READER(read_row, struct cloudflare_row, TX_TEXT(zone), TX_TEXT(target), TX_WORD(phase, phase_of),
    TX_TEXT(old), TX_TEXT(set), TX_I64(at), TX_I64(until), TX_I64(work), TX_TEXT(by),
    TX_I64(address.chat), TX_I64(address.thread), TX_I64(effect), TX_I64(timer), TX_I64(tries),
    TX_I64(failed_at), TX_I64(notified_at), TX_TEXT(detail))

struct cloudflare_row
row_cloudflare_get(struct tx *tx, const char *zone)
{
	return tx_first(tx, struct cloudflare_row, read_row,
	    "SELECT " COLUMNS " FROM cloudflare_zone WHERE zone = $1", DB_TEXT(zone));
}

struct cloudflare_row
row_cloudflare_of(struct tx *tx, const char *target)
{
	return tx_first(tx, struct cloudflare_row, read_row,
	    "SELECT " COLUMNS " FROM cloudflare_zone WHERE target = $1", DB_TEXT(target));
}

bool
row_cloudflare_is_awaited(struct tx *tx, int64_t work)
{
	return tx_number(tx, "SELECT COUNT(*) FROM cloudflare_zone WHERE work = $1", DB_I64(work)) >
	    0;
}

void
row_cloudflare_save(struct tx *tx, const struct cloudflare_row *row)
{
	assert(row->phase < CLOUDFLARE_PHASE_COUNT);
	(void)tx_run(tx,
	    "INSERT INTO cloudflare_zone (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
	    " $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (zone) DO UPDATE SET"
	    " target = $2, phase = $3, old = $4, set_to = $5, at = $6, until_at = $7, work = $8,"
	    " by_name = $9, chat = $10, thread = $11, effect = $12, timer = $13, tries = $14,"
	    " failed_at = $15, told_at = $16, detail = $17",
	    DB_TEXT(row->zone), DB_TEXT(row->target), DB_TEXT(phases[row->phase]),
	    DB_TEXT(row->old), DB_TEXT(row->set), DB_I64(row->at), DB_I64(row->until),
	    DB_I64(row->work), DB_TEXT(row->by), DB_I64(row->address.chat),
	    DB_I64(row->address.thread), DB_I64(row->effect), DB_I64(row->timer),
	    DB_I64(row->tries), DB_I64(row->failed_at), DB_I64(row->notified_at),
	    DB_TEXT(row->detail)); /* sticky */
}

void
row_cloudflare_remove(struct tx *tx, const char *zone)
{
	(void)tx_run(tx, "DELETE FROM cloudflare_zone WHERE zone = $1", DB_TEXT(zone)); /* sticky */
}

size_t
row_cloudflare_list(struct tx *tx, struct cloudflare_row *ret, size_t max)
{
	return tx_read(tx, read_row, ret, max,
	    "SELECT " COLUMNS " FROM cloudflare_zone ORDER BY target LIMIT $1", DB_I64(max));
}
