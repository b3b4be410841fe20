/* row_hook.c - calls of hooks, tokens of jobs, and what each was answered, for a day.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_hook.h"

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/text.h"
#include "store/store_inside.h"
#include "types/hook.h"

#define KEY (HOOK_KEY_MAX + 16)

/* Under which key it stands. */
static const char *
key_of(const struct hook_use *use, char out[KEY])
{
	char hex[2 * CRYPTO_SHA256_SIZE + 1];

	text_hex(hex, use->digest, CRYPTO_SHA256_SIZE);
	if (use->key[0] != '\0')
		(void)snprintf(out, KEY, "key %s", use->key);
	else
		(void)snprintf(out, KEY, "body %s", hex);
	return out;
}

struct found {
	struct hook_answer answer;
	const struct hook_use *use;
};

static void
read_found(const struct db_rows *rows, void *out)
{
	struct found *found = out;
	size_t size;
	const void *digest = db_col_blob(rows, 2, &size);

	found->answer.status = (int)db_col_i64(rows, 0);
	found->answer.work = db_col_i64(rows, 1);
	text_set(found->answer.said, db_col_text(rows, 3));
	found->answer.is_other = size != CRYPTO_SHA256_SIZE ||
	    memcmp(digest, found->use->digest, CRYPTO_SHA256_SIZE) != 0;
}

struct hook_answer
row_hook_find(struct tx *tx, const struct hook_use *use)
{
	int64_t for_ms = use->key[0] != '\0' ? ROW_HOOK_KEY_MS : ROW_HOOK_BODY_MS;
	struct found found = { .use = use };
	char key[KEY];

	(void)tx_read(tx, read_found, &found, 1,
	    "SELECT status, work, digest, said FROM hook_call WHERE hook = $1 AND key = $2"
	    " AND at > $3 AND at < $4",
	    DB_TEXT(use->id), DB_TEXT(key_of(use, key)), DB_I64(tx->at - for_ms),
	    DB_I64(tx->at + for_ms));
	return found.answer;
}

void
row_hook_note(struct tx *tx, const struct hook_use *use)
{
	const struct answer *answer = &tx->answer;
	char said[ROW_HOOK_SAID] = "";
	char key[KEY];

	if (!use->is_quiet && answer->work == 0 && answer->text != NULL)
		text_set(said, answer->text);

	(void)tx_run(tx,
	    "INSERT INTO hook_call (hook, key, digest, status, work, at, said)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hook, key) DO UPDATE"
	    " SET digest = $3, status = $4, work = $5, at = $6, said = $7",
	    DB_TEXT(use->id), DB_TEXT(key_of(use, key)), DB_BLOB(use->digest, CRYPTO_SHA256_SIZE),
	    DB_I64(answer->status), DB_I64(answer->work), DB_I64(tx->at),
	    DB_TEXT(said)); /* sticky */
}

bool
row_hook_is_full(struct tx *tx, const char *id, int64_t most, int64_t kept_ms)
{
	static const char count[] =
	    "SELECT COUNT(*) FROM (SELECT 1 FROM hook_call WHERE hook = $1 LIMIT $2) AS calls";

	if (tx_number(tx, count, DB_TEXT(id), DB_I64(most)) < most)
		return false;
	(void)tx_run(tx, "DELETE FROM hook_call WHERE hook = $1 AND at < $2", DB_TEXT(id),
	    DB_I64(tx->at - kept_ms)); /* sticky */
	return tx_number(tx, count, DB_TEXT(id), DB_I64(most)) >= most;
}

void
row_hook_rename(struct tx *tx, const char *from, const char *to)
{
	/* A call that the new name has had with that key is in the way. */
	(void)tx_run(tx,
	    "DELETE FROM hook_call WHERE EXISTS (SELECT 1 FROM hook_call AS old WHERE"
	    " old.hook > $1 || '/' AND old.hook < $1 || '0' AND old.key = hook_call.key"
	    " AND hook_call.hook = $2 || substr(old.hook, length($1) + 1)) AND $1 <> $2",
	    DB_TEXT(from), DB_TEXT(to)); /* sticky */
	(void)tx_run(tx,
	    "UPDATE hook_call SET hook = $2 || substr(hook, length($1) + 1)"
	    " WHERE hook > $1 || '/' AND hook < $1 || '0'",
	    DB_TEXT(from), DB_TEXT(to)); /* sticky; '0' is behind '/' */
}

bool
row_hook_clear(struct tx *tx, int64_t max)
{
	return tx_changes(tx,
		   "DELETE FROM hook_call WHERE (hook, key) IN"
		   " (SELECT hook, key FROM hook_call INDEXED BY hook_call_at WHERE at < $1"
		   " ORDER BY at LIMIT $2)",
		   DB_I64(tx->at - ROW_HOOK_KEY_MS), DB_I64(max)) == max;
}
