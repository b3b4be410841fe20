/* row_secret.c - since when each secret has its value, and when the one before it was used last.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_secret.h"

#include "lib/array.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define DAY_MS	  (24 * 3600 * INT64_C(1000))
#define KEPT_DAYS 400
#define GONE_MAX  1024 /* that are in force, looked at for those that went */

/* --- which are in force --- */

/* Whom differences are told. */
struct look {
	row_secret_differs *differs;
	void *ctx;
};

static void
tell_nobody(UNUSED void *ctx, UNUSED const char *application, UNUSED const char *name)
{
}

/* Is it in force already? */
static bool
is_known(struct tx *tx, const struct secret_seen *secret)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM secret WHERE application = $1 AND name = $2 AND mark = $3"
		   " AND gone_at = 0",
		   DB_TEXT(secret->application), DB_TEXT(secret->name), DB_TEXT(secret->mark)) > 0;
}

/* One that was there before is as old as it was then. */
static void
see(struct tx *tx, const struct secrets_seen *seen, const struct secret_seen *secret,
    const struct look *look)
{
	/* The rows of another key stay what they are called by where they stand. */
	(void)tx_run(tx,
	    "UPDATE secret SET mark = $3, key = $4"
	    " WHERE application = $1 AND name = $2 AND gone_at = 0 AND key <> $4",
	    DB_TEXT(secret->application), DB_TEXT(secret->name), DB_TEXT(secret->mark),
	    DB_TEXT(seen->key)); /* sticky */
	if (!is_known(tx, secret))
		look->differs(look->ctx, secret->application, secret->name);
	(void)tx_run(tx,
	    "UPDATE secret SET gone_at = $4"
	    " WHERE application = $1 AND name = $2 AND gone_at = 0 AND mark <> $3",
	    DB_TEXT(secret->application), DB_TEXT(secret->name), DB_TEXT(secret->mark),
	    DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "INSERT INTO secret (application, name, mark, key, seen_at, looked_at)"
	    " VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (application, name, mark)"
	    " DO UPDATE SET gone_at = 0, looked_at = $5",
	    DB_TEXT(secret->application), DB_TEXT(secret->name), DB_TEXT(secret->mark),
	    DB_TEXT(seen->key), DB_I64(tx->at)); /* sticky */
}

struct named {
	char application[ENVIRONMENT_NAME_MAX];
	char name[SETTING_NAME_MAX];
};

TX_READER(read_named, struct named, TX_TEXT(application), TX_TEXT(name))

static bool
is_seen(const struct secrets_seen *seen, const struct named *named)
{
	for (size_t i = 0; i < seen->count; i++)
		if (strcmp(seen->list[i].application, named->application) == 0 &&
		    strcmp(seen->list[i].name, named->name) == 0)
			return true;
	return false;
}

/* Those that no file has any more. */
static void
tell_gone(struct tx *tx, const struct secrets_seen *seen, const struct look *look)
{
	CLEANUP(freep) struct named *named = mem_new(GONE_MAX, sizeof(*named));
	size_t n;

	n = tx_read(tx, read_named, named, GONE_MAX,
	    "SELECT application, name FROM secret WHERE gone_at = 0 ORDER BY application, name");
	for (size_t i = 0; i < n; i++)
		if (!is_seen(seen, &named[i]))
			look->differs(look->ctx, named[i].application, named[i].name);
}

int64_t
row_secret_see(
    struct tx *tx, const struct secrets_seen *seen, row_secret_differs *differs, void *ctx)
{
	bool is_first = tx_number(tx, "SELECT COUNT(*) FROM secret") == 0;
	const struct look look = { is_first ? tell_nobody : differs, ctx };

	for (size_t i = 0; i < seen->count; i++)
		see(tx, seen, &seen->list[i], &look);
	tell_gone(tx, seen, &look);
	(void)tx_run(tx, "UPDATE secret SET gone_at = $1 WHERE gone_at = 0 AND looked_at <> $1",
	    DB_I64(tx->at)); /* sticky */
	return tx_number(tx,
	    "SELECT COALESCE(MIN(seen_at), 0) FROM secret WHERE gone_at = 0"
	    " AND name NOT LIKE '%\\_PREVIOUS' ESCAPE '\\'");
}

bool
row_secret_clear(struct tx *tx, int64_t max)
{
	return tx_changes(tx,
		   "DELETE FROM secret WHERE (application, name, mark) IN"
		   " (SELECT application, name, mark FROM secret"
		   " WHERE gone_at <> 0 AND gone_at < $1 LIMIT $2)",
		   DB_I64(tx->at - KEPT_DAYS * DAY_MS), DB_I64(max)) == max;
}

/* --- the previous value --- */

static void
say_used(struct tx *tx, const char *application, const char *name)
{
	tx_log(tx, LOG_LEVEL_WARNING,
	    "%s%s%s_PREVIOUS was used: somebody still has the secret that %s had before; change it there, then take _PREVIOUS out (deploybot secrets check)",
	    application, application[0] != '\0' ? ": " : "", name, name);
}

void
row_secret_used(struct tx *tx, const char *application, const char *name)
{
	char previous[SETTING_NAME_MAX + 16];

	text_setf(previous, "%s" SECRET_PREVIOUS, name);
	tx_count_metric(tx, INCREMENT_SECRET_PREVIOUS, application, name, "", 1);
	if (!tx_run(tx,
		"UPDATE secret SET used_at = $3, uses = uses + 1"
		" WHERE application = $1 AND name = $2 AND gone_at = 0",
		DB_TEXT(application), DB_TEXT(previous), DB_I64(tx->at)))
		return;
	if (tx_changes(tx,
		"UPDATE secret SET said_at = $3 WHERE application = $1 AND name = $2"
		" AND gone_at = 0 AND (said_at <= $4 OR said_at > $3)",
		DB_TEXT(application), DB_TEXT(previous), DB_I64(tx->at),
		DB_I64(tx->at - ROW_SECRET_SAID_MS)) > 0)
		say_used(tx, application, name);
}

/* --- for the command line --- */

static void
add(struct secret_age **ages, size_t *n, const struct db_rows *rows)
{
	struct secret_age *added = array_add(ages, n, sizeof(*added));

	text_set(added->application, db_col_text(rows, 0));
	text_set(added->name, db_col_text(rows, 1)); /* as it went in */
	added->seen_at = db_col_i64(rows, 2);
	added->used_at = db_col_i64(rows, 3);
	added->uses = db_col_i64(rows, 4);
}

struct secret_age *
row_secret_list(const char *database, size_t *ret_count, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY, err);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct secret_age *ages = NULL;
	size_t n = 0;
	bool good = db != NULL &&
	    db_query(&rows, db, err,
		"SELECT application, name, seen_at, used_at, uses FROM secret WHERE gone_at = 0"
		" ORDER BY application, name");

	while (good && db_next(&rows))
		add(&ages, &n, &rows);
	if (good && db_rows_end(&rows, err)) {
		*ret_count = n;
		return ages != NULL ? ages : mem_new(1, sizeof(*ages));
	}
	free(ages);
	return NULL;
}
