/* store_ids.c - which number a new row gets: the next one of a counter.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/column.h"
#include "lib/crypto.h"
#include "lib/db_post.h"
#include "lib/text.h"
#include "store/store_inside.h"

static const char *const words[] = { STORE_IDS(COLUMN_SECOND) };

/* A constant, so that it is prepared once: -1 for those that stay as they are. */
#define GIVEN_ONE(name, word, column, table) " UNION ALL SELECT '" word "', ?"
#define GIVEN				     STORE_IDS(GIVEN_ONE)

bool
store_ids_read(struct db *db, struct store_ids *ret, struct err *err)
{
	struct db_rows rows = { 0 };

	*ret = (struct store_ids){ 0 };
	if (!db_query(&rows, db, err, "SELECT name, value FROM counter"))
		return false;
	while (db_next(&rows)) {
		size_t i = text_index(db_col_text(&rows, 0), words, COUNT(words));

		if (i < COUNT(words))
			ret->last[i] = db_col_i64(&rows, 1);
	}
	return db_rows_end(&rows, err);
}

bool
store_ids_set(struct db *db, const char *word, int64_t value, struct err *err)
{
	return db_run(db, err,
	    "INSERT INTO counter (name, value) VALUES ($1, $2)"
	    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	    DB_TEXT(word), DB_I64(value));
}

bool
store_ids_write(
    struct db *db, const struct store_ids *before, const struct store_ids *now, struct err *err)
{
	static const char write[] =
	    "INSERT INTO counter (name, value) SELECT name, value FROM"
	    " (SELECT '' AS name, -1 AS value" GIVEN
	    ") AS given WHERE value >= 0 ON CONFLICT (name) DO UPDATE SET value = excluded.value";
	struct db_value values[STORE_ID_COUNT];

	if (memcmp(before, now, sizeof(*now)) == 0)
		return true;
	for (size_t i = 0; i < COUNT(values); i++)
		values[i] = DB_I64(now->last[i] == before->last[i] ? -1 : now->last[i]);
	return db_post_sql(db, err, &(const struct db_sql){ write, values, COUNT(values) });
}

bool
store_ids_installation(struct db *db, char ret[LIMIT_INSTALLATION], struct err *err)
{
	static const char *const halves[] = { "installation 1", "installation 2" };
	int64_t drawn[COUNT(halves)], kept[COUNT(halves)] = { 0 };
	bool ok = crypto_random(drawn, sizeof(drawn), err) && db_begin(db, err);

	if (!ok)
		return false;
	for (size_t i = 0; ok && i < COUNT(halves); i++)
		ok = db_run(db, err,
			 "INSERT INTO counter (name, value) VALUES ($1, $2)"
			 " ON CONFLICT (name) DO NOTHING",
			 DB_TEXT(halves[i]), DB_I64(drawn[i])) &&
		    db_one_i64(&kept[i], db, err, "SELECT value FROM counter WHERE name = $1",
			DB_TEXT(halves[i]));
	ok = ok && db_commit(db, err);
	if (!ok)
		db_rollback(db);
	(void)snprintf(ret, LIMIT_INSTALLATION, "%016" PRIx64 "%016" PRIx64, (uint64_t)kept[0],
	    (uint64_t)kept[1]);
	return ok;
}

int64_t
tx_next_id(struct tx *tx, enum store_id id)
{
	int64_t *last = &tx->store->mark.ids.last[id];

	if (*last == INT64_MAX)
		tx_fail(tx, ERR_CONFIG, "the numbers of %s are used up", words[id]);
	return tx->failed ? 0 : ++*last;
}
