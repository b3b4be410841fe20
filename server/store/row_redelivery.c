/* row_redelivery.c - webhooks at forges, and what could not be delivered by each.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_redelivery.h"

#include "store/store_inside.h"

#define KEPT_MS (3 * 24 * 3600 * INT64_C(1000)) /* GitHub has them as long, GitLab for a week */
#define COLUMNS "guid, delivery, at, is_ok, asks_branch, branch, tries, due"

TX_READER(read_missing, struct redelivery_missing, TX_I64(n), TX_I64(since))
TX_READER(
    read_hook, struct forge_hook, TX_I64(id), TX_I64(number), TX_I64(looked_at), TX_I64(off_until))
TX_READER(read_off, struct redelivery_off, TX_TEXT(repository), TX_I64(until))
TX_READER(read_one, struct redelivery, TX_TEXT(guid), TX_I64(id), TX_I64(at), TX_FLAG(is_ok),
    TX_FLAG(asks_branch), TX_TEXT(branch), TX_I64(tries), TX_I64(due))

struct forge_hook
row_redelivery_hook(struct tx *tx, const char *application, const char *repository, bool is_made)
{
	struct forge_hook hook = tx_first(tx, struct forge_hook, read_hook,
	    "SELECT id, number, looked_at, off_until FROM forge_hook"
	    " WHERE application = $1 AND repository = $2",
	    DB_TEXT(application), DB_TEXT(repository));

	if (is_made && hook.id == 0) {
		hook.id = tx_next_id(tx, STORE_ID_FORGE_HOOK);
		(void)tx_run(tx,
		    "INSERT INTO forge_hook (id, application, repository, number, looked_at)"
		    " VALUES ($1, $2, $3, 0, 0)",
		    DB_I64(hook.id), DB_TEXT(application), DB_TEXT(repository)); /* sticky */
	}
	return hook;
}

void
row_redelivery_save_hook(struct tx *tx, const struct forge_hook *hook)
{
	(void)tx_run(tx,
	    "UPDATE forge_hook SET number = $2, looked_at = $3, off_until = $4 WHERE id = $1",
	    DB_I64(hook->id), DB_I64(hook->number), DB_I64(hook->looked_at),
	    DB_I64(hook->off_until)); /* sticky */
}

void
row_redelivery_note(
    struct tx *tx, int64_t hook, const char *source, const struct redelivery *attempt)
{
	tx->store->is_outside_changed = true;
	(void)tx_run(tx,
	    "INSERT INTO undelivered (hook, " COLUMNS ") SELECT $1, $2, $3, $4, $5, $6, $10, 0, $7"
	    " WHERE $4 > $9 AND NOT EXISTS (SELECT 1 FROM inbox WHERE source = $8 AND id = $2)"
	    " ON CONFLICT (hook, guid) DO UPDATE SET delivery = MAX(undelivered.delivery,"
	    " excluded.delivery), at = MIN(undelivered.at, excluded.at),"
	    " is_ok = MAX(undelivered.is_ok, excluded.is_ok)",
	    DB_I64(hook), DB_TEXT(attempt->guid), DB_I64(attempt->id), DB_I64(attempt->at),
	    DB_I64(attempt->is_ok), DB_I64(attempt->asks_branch),
	    DB_I64(redelivery_due(0, attempt->at)), DB_TEXT(source), DB_I64(tx->at - KEPT_MS),
	    DB_TEXT(attempt->branch)); /* sticky */
}

size_t
row_redelivery_list(struct tx *tx, int64_t hook, struct redelivery ret[REDELIVERY_LIST])
{
	return tx_read(tx, read_one, ret, REDELIVERY_LIST,
	    "SELECT " COLUMNS " FROM undelivered WHERE hook = $1 ORDER BY at DESC LIMIT $2",
	    DB_I64(hook), DB_I64(REDELIVERY_LIST));
}

void
row_redelivery_save(struct tx *tx, int64_t hook, const struct redelivery *it)
{
	(void)tx_run(tx,
	    "UPDATE undelivered SET asks_branch = $3, branch = $4, tries = $5, due = $6, is_ok = $7"
	    " WHERE hook = $1 AND guid = $2",
	    DB_I64(hook), DB_TEXT(it->guid), DB_I64(it->asks_branch), DB_TEXT(it->branch),
	    DB_I64(it->tries), DB_I64(it->due), DB_I64(it->is_ok)); /* sticky */
}

int64_t
row_redelivery_came(struct tx *tx, int64_t hook, const char *guid, const char *branch)
{
	int64_t at = tx_number(tx,
	    "UPDATE undelivered SET is_ok = 1 WHERE hook = $1 AND guid = $2 AND is_ok = 0"
	    " RETURNING at",
	    DB_I64(hook),
	    DB_TEXT(guid)); /* it stays: its failure is listed by the next look, too */

	tx->store->is_outside_changed |= at != 0;
	/* No guid has a blank in it. */
	(void)tx_run(tx,
	    "INSERT INTO undelivered (hook, " COLUMNS
	    ") SELECT $1, 'came ' || $2, -1, $3, 1, 0, $2, 0, 0 WHERE $2 <> ''"
	    " ON CONFLICT (hook, guid) DO UPDATE SET at = MAX(undelivered.at, excluded.at)",
	    DB_I64(hook), DB_TEXT(branch), DB_I64(at != 0 ? at : tx->at)); /* sticky */
	return at;
}

void
row_redelivery_clear(struct tx *tx)
{
	tx->store->is_outside_changed = true;
	(void)tx_run(tx,
	    "DELETE FROM undelivered WHERE at < $1 OR (hook, guid) IN (SELECT hook, guid FROM"
	    " (SELECT hook, guid, ROW_NUMBER() OVER (PARTITION BY hook ORDER BY at DESC) AS place"
	    " FROM undelivered) AS numbered WHERE place > $2)",
	    DB_I64(tx->at - KEPT_MS), DB_I64(REDELIVERY_LIST)); /* sticky */
}

size_t
row_redelivery_off(struct tx *tx, struct redelivery_off ret[ROW_REDELIVERY_OFF])
{
	return tx_read(tx, read_off, ret, ROW_REDELIVERY_OFF,
	    "SELECT CASE WHEN substr(repository, 1, 7) = 'gitlab:' THEN substr(repository, 8)"
	    " ELSE repository END, off_until FROM forge_hook" /* no REPLACE: it has no case */
	    " WHERE off_until > $1 ORDER BY repository LIMIT $2",
	    DB_I64(tx->at), DB_I64(ROW_REDELIVERY_OFF));
}

void
row_redelivery_forget_off(struct tx *tx)
{
	(void)tx_run(tx, "UPDATE forge_hook SET off_until = 0 WHERE off_until <> 0"); /* sticky */
}

struct redelivery_missing
row_redelivery_missing(struct tx *tx)
{
	return tx_first(tx, struct redelivery_missing, read_missing,
	    "SELECT COUNT(*), COALESCE(MIN(at), 0) FROM undelivered WHERE is_ok = 0");
}
