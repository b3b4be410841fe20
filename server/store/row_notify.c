/* row_notify.c - who else is notified of deployments: what waits, what was not sent, and who is off.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_notify.h"

#include "lib/text.h"
#include "store/store_inside.h"
#include "types/notify.h"

#define FAMILY "NOTIFY_"

TX_READER(read_notify, struct notify_row, TX_TEXT(name), TX_I64(off_since), TX_TEXT(off_why),
    TX_I64(unsent))

struct notify_row *
row_notify_get(struct tx *tx, const char *name, struct notify_row *ret)
{
	*ret = tx_first(tx, struct notify_row, read_notify,
	    "SELECT name, off_since, off_why, unsent FROM notify WHERE name = $1", DB_TEXT(name));
	text_set(ret->name, name);
	return ret;
}

void
row_notify_why_off(struct db *db, const char *name, char ret[LIMIT_LINE])
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	ret[0] = '\0';
	if (db != NULL &&
	    db_query(&rows, db, NULL,
		"SELECT off_why FROM notify WHERE name = $1 AND off_since <> 0", DB_TEXT(name)) &&
	    db_next(&rows))
		(void)text_copy(ret, LIMIT_LINE, db_col_text(&rows, 0));
}

void
row_notify_set(struct tx *tx, const struct notify_row *row)
{
	(void)tx_run(tx,
	    "INSERT INTO notify (name, off_since, off_why, unsent) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (name) DO UPDATE SET off_since = $2, off_why = $3, unsent = $4",
	    DB_TEXT(row->name), DB_I64(row->off_since), DB_TEXT(row->off_why),
	    DB_I64(row->unsent)); /* sticky */
}

size_t
row_notify_list_off(struct tx *tx, struct notify_row *ret, size_t max)
{
	return tx_read(tx, read_notify, ret, max,
	    "SELECT name, off_since, off_why, unsent FROM notify WHERE off_since <> 0"
	    " ORDER BY name LIMIT 32");
}

int64_t
row_notify_waiting(struct tx *tx, const char *name)
{
	char lane[STORE_LANE];

	store_lane_of_environment(lane, EFFECT_NOTIFY, name);
	return tx_number(tx, "SELECT COUNT(*) FROM effect WHERE lane = $1", DB_TEXT(lane));
}

int64_t
row_notify_before(struct tx *tx, const char *name, int64_t id)
{
	char lane[STORE_LANE];

	store_lane_of_environment(lane, EFFECT_NOTIFY, name);
	return tx_number(tx, "SELECT COALESCE(MAX(id), 0) FROM effect WHERE lane = $1 AND id < $2",
	    DB_TEXT(lane), DB_I64(id));
}

void
row_notify_drop(struct tx *tx, int64_t id)
{
	(void)tx_run(tx, "DELETE FROM effect WHERE id = $1", DB_I64(id)); /* sticky */
}

/* NOTIFY_STATUS_PAGE_URL is a setting of status-page, and may be one of status. */
static bool
may_be_of(const char *setting, const char *name)
{
	const char *rest = setting + sizeof(FAMILY) - 1;

	if (!text_starts(setting, FAMILY))
		return false;
	for (; *name != '\0'; name++, rest++)
		if (*rest != (*name == '-' ? '_' : *name >= 'a' ? *name - 'a' + 'A' : *name))
			return false;
	return *rest == '_';
}

void
row_notify_changed(struct tx *tx, const char *setting)
{
	struct notify_row off[NOTIFY_MAX];
	size_t n = text_starts(setting, FAMILY) ? row_notify_list_off(tx, off, NOTIFY_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		if (may_be_of(setting, off[i].name)) {
			off[i].off_since = 0;
			off[i].off_why[0] = '\0';
			row_notify_set(tx, &off[i]);
		}
}
