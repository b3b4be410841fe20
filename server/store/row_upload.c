/* row_upload.c - archives that somebody sent and that are kept.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_upload.h"

#include "store/store_inside.h"

/* What it takes here: its bytes and those of its tree. */
#define COLUMNS "SELECT u.digest, u.file, u.size + u.unpacked, u.at FROM upload u"
/* By whom: some work in progress, or a release that can be gone back to. */
#define NEEDED(digest) \
	"(EXISTS (SELECT 1 FROM work w WHERE w.source = 'upload' AND w.commit_id = " digest \
	"  AND w.ended_at = 0) OR EXISTS (SELECT 1 FROM release r WHERE r.source = 'upload'" \
	"  AND r.commit_id = " digest " AND r.removed_at = 0))"

TX_READER(read_upload, struct upload_row, TX_TEXT(digest), TX_TEXT(file), TX_I64(size), TX_I64(at))

void
row_upload_put(struct tx *tx, const struct upload_row *upload)
{
	(void)tx_run(tx,
	    "INSERT INTO upload (digest, file, size, at) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (digest) DO UPDATE SET at = $4,"
	    " file = CASE WHEN $2 = '' THEN upload.file ELSE $2 END",
	    DB_TEXT(upload->digest), DB_TEXT(upload->file), DB_I64(upload->size),
	    DB_I64(tx->at)); /* sticky */
}

struct upload_row
row_upload_get(struct tx *tx, const char *digest)
{
	struct upload_row found;

	(void)tx_first_to(
	    tx, read_upload, &found, COLUMNS " WHERE u.digest = $1", DB_TEXT(digest)); /* sticky */
	return found;
}

void
row_upload_unpacked(struct tx *tx, const char *digest, int64_t bytes)
{
	(void)tx_run(tx, "UPDATE upload SET unpacked = $2 WHERE digest = $1", DB_TEXT(digest),
	    DB_I64(bytes)); /* sticky */
}

void
row_upload_drop(struct tx *tx, const char *digest)
{
	(void)tx_run(tx, "DELETE FROM upload WHERE digest = $1", DB_TEXT(digest)); /* sticky */
}

bool
row_upload_is_needed(struct tx *tx, const char *digest)
{
	return tx_number(
		   tx, "SELECT CASE WHEN " NEEDED("$1") " THEN 1 ELSE 0 END", DB_TEXT(digest)) != 0;
}

size_t
row_upload_list_unneeded(struct tx *tx, int64_t before, struct upload_row *ret, size_t max)
{
	return tx_read(tx, read_upload, ret, max,
	    COLUMNS
	    " WHERE u.at < $1 AND NOT " NEEDED("u.digest") " ORDER BY u.at, u.digest LIMIT $2",
	    DB_I64(before), DB_I64(max));
}

int64_t
row_upload_total(struct tx *tx)
{
	return tx_number(tx, "SELECT COALESCE(SUM(size + unpacked), 0) FROM upload");
}

int64_t
row_upload_asked_at(struct tx *tx, int64_t person, int64_t since, int n)
{
	return tx_number(tx,
	    "SELECT requested_at FROM work WHERE source = 'upload' AND requested_by = $1"
	    " AND requested_at > $2 AND (commit_id <> '' OR ended_at = 0)"
	    " ORDER BY requested_at DESC LIMIT 1 OFFSET $3",
	    DB_I64(person), DB_I64(since), DB_I64(n - 1));
}
