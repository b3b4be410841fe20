/* row_block.c - commits that no push deploys, because they were rolled back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_block.h"

#include "store/store_inside.h"

#define BLOCK "commit_id, blocked_by, at, why, number, source"

TX_READER(read_block, struct block, TX_TEXT(commit), TX_TEXT(by), TX_I64(at), TX_TEXT(why),
    TX_I64(number), TX_SOURCE(source))

void
row_block_add(struct tx *tx, const char *environment, const struct block *block)
{
	(void)tx_run(tx,
	    "INSERT INTO block (id, environment, " BLOCK ") SELECT $6, $1, $2, $3, $4, $5, $6, $7"
	    " WHERE $2 NOT IN (SELECT r.commit_id FROM environment e JOIN release r"
	    " ON r.id = e.current_release WHERE e.name = $1)"
	    " ON CONFLICT (environment, commit_id) DO UPDATE SET blocked_by = excluded.blocked_by,"
	    " at = excluded.at, why = excluded.why, number = excluded.number,"
	    " source = excluded.source",
	    DB_TEXT(environment), DB_TEXT(block->commit), DB_TEXT(block->by), DB_I64(block->at),
	    DB_TEXT(block->why), DB_I64(tx_next_id(tx, STORE_ID_BLOCK)),
	    DB_TEXT(commit_source_word(block->source))); /* sticky */
}

int64_t
row_block_newest(struct tx *tx, const char *environment)
{
	return tx_number(tx, "SELECT COALESCE(MAX(number), 0) FROM block WHERE environment = $1",
	    DB_TEXT(environment));
}

bool
row_block_find(struct tx *tx, const char *environment, const char *commit, struct block *ret)
{
	struct block block;

	return tx_read(tx, read_block, ret == NULL ? &block : ret, 1,
		   "SELECT " BLOCK " FROM block WHERE environment = $1 AND commit_id = $2",
		   DB_TEXT(environment), DB_TEXT(commit)) > 0;
}

size_t
row_block_list(
    struct tx *tx, const char *environment, struct block *ret, size_t max, int64_t *ret_all)
{
	size_t n = tx_read(tx, read_block, ret, max,
	    "SELECT " BLOCK " FROM block WHERE environment = $1 ORDER BY number DESC LIMIT $2",
	    DB_TEXT(environment), DB_I64(max));

	if (ret_all != NULL)
		*ret_all = n < max ?
		    (int64_t)n :
		    tx_number(tx, "SELECT COUNT(*) FROM block WHERE environment = $1",
			DB_TEXT(environment));
	return n;
}

void
row_block_free(struct tx *tx, const char *environment, const char *commit)
{
	(void)tx_run(tx, "DELETE FROM block WHERE environment = $1 AND commit_id = $2",
	    DB_TEXT(environment), DB_TEXT(commit)); /* sticky */
}

#define REJECTED_AMONG 20 /* rows that are looked at: the latest */

size_t
row_block_list_rejected(struct tx *tx, const char *environment, struct block *ret, size_t max)
{
	return tx_read(tx, read_block, ret, max,
	    "SELECT commit_id, '', ended_at, detail, 0, source FROM (SELECT * FROM work INDEXED BY work_changes"
	    " WHERE environment = $1 AND " STORE_CHANGES_RELEASE " ORDER BY id DESC LIMIT $2)"
	    " AS newest WHERE why = 'REJECTED' AND program = 'deploy' AND ended_at > (SELECT"
	    " COALESCE(MAX(r.at), 0) FROM environment e JOIN release r ON r.id = e.current_release"
	    " WHERE e.name = $1) ORDER BY id DESC LIMIT $3",
	    DB_TEXT(environment), DB_I64(REJECTED_AMONG), DB_I64(max));
}

void
row_block_contain(struct tx *tx, int64_t deployment, const char *commit, bool is_unsure)
{
	(void)tx_run(tx,
	    "INSERT INTO contained (deployment, commit_id, is_unsure) VALUES ($1, $2, $3)"
	    " ON CONFLICT (deployment, commit_id) DO UPDATE"
	    " SET is_unsure = contained.is_unsure * excluded.is_unsure",
	    DB_I64(deployment), DB_TEXT(commit), DB_I64(is_unsure)); /* sticky */
}

void
row_block_contain_others(
    struct tx *tx, const struct deployment *deployment, int64_t newest, const char *asked)
{
	(void)tx_run(tx,
	    "INSERT INTO contained (deployment, commit_id, is_unsure) SELECT $1, commit_id, 1"
	    " FROM block WHERE environment = $2 AND commit_id <> $3 AND number <= $4"
	    " AND source = 'git'"
	    " AND $5 NOT LIKE '%' || commit_id || '%' ON CONFLICT (deployment, commit_id) DO NOTHING",
	    DB_I64(deployment->id), DB_TEXT(deployment->environment), DB_TEXT(deployment->commit),
	    DB_I64(newest), DB_TEXT(asked)); /* sticky */
}

bool
row_block_is_contained(struct tx *tx, int64_t deployment, struct block *ret)
{
	int64_t n = 0;

	if (tx_read(tx, tx_read_number, &n, 1,
		"SELECT is_unsure FROM contained WHERE deployment = $1 AND commit_id = $2",
		DB_I64(deployment), DB_TEXT(ret->commit)) == 0)
		return false;
	ret->is_unsure = n != 0;
	return true;
}

size_t
row_block_list_contained(
    struct tx *tx, const struct deployment *deployment, struct block *ret, size_t max)
{
	size_t n = tx_read(tx, read_block, ret, max,
	    "SELECT " BLOCK
	    " FROM block WHERE environment = $1 AND commit_id <> $2 AND commit_id IN"
	    " (SELECT commit_id FROM contained WHERE deployment = $3) ORDER BY number DESC LIMIT $4",
	    DB_TEXT(deployment->environment), DB_TEXT(deployment->commit), DB_I64(deployment->id),
	    DB_I64(max));

	for (size_t i = 0; i < n; i++)
		(void)row_block_is_contained(tx, deployment->id, &ret[i]);
	return n;
}

/* The newest; is_unshown: behind those that were shown, of its commit and of what that contains. */
static bool
find_contained(
    struct tx *tx, const struct deployment *deployment, bool is_unshown, struct block *ret)
{
	if (!deployment_brings_commit(deployment) ||
	    tx_read(tx, read_block, ret, 1,
		"SELECT " BLOCK " FROM block WHERE environment = $1 AND (commit_id = $2"
		" OR commit_id IN (SELECT c.commit_id FROM contained c WHERE c.deployment = $3))"
		" AND number > COALESCE((SELECT CASE WHEN commit_id = $2 THEN q.shown_blocked"
		" ELSE q.shown_block END FROM question q WHERE q.work = $3 AND $4 <> 0), 0)"
		" ORDER BY number DESC LIMIT 1",
		DB_TEXT(deployment->environment), DB_TEXT(deployment->commit),
		DB_I64(deployment->id), DB_I64(is_unshown)) == 0)
		return false;
	(void)row_block_is_contained(tx, deployment->id, ret);
	return true;
}

bool
row_block_find_contained(struct tx *tx, const struct deployment *deployment, struct block *ret)
{
	return find_contained(tx, deployment, false, ret);
}

bool
row_block_find_unshown(struct tx *tx, const struct deployment *deployment, struct block *ret)
{
	return find_contained(tx, deployment, true, ret);
}

void
row_block_free_contained(struct tx *tx, const struct deployment *deployment)
{
	(void)tx_run(tx,
	    "DELETE FROM block WHERE environment = $1 AND number <= COALESCE("
	    "(SELECT shown_block FROM question WHERE work = $2), 0) AND commit_id IN"
	    " (SELECT commit_id FROM contained WHERE deployment = $2 AND is_unsure = 0)",
	    DB_TEXT(deployment->environment), DB_I64(deployment->id)); /* sticky */
}

void
row_block_forget_contained(struct tx *tx, int64_t deployment)
{
	(void)tx_run(
	    tx, "DELETE FROM contained WHERE deployment = $1", DB_I64(deployment)); /* sticky */
}
