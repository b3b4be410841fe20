/* row_promotion.c - what only a promotion has: whose live release it brings.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_promotion.h"

#include "store/store_inside.h"

void
row_promotion_add(struct tx *tx, const struct deployment *work, const struct promotion *promotion)
{
	(void)tx_run(tx,
	    "INSERT INTO promotion (work, environment, is_open, from_environment, image, since,"
	    " release, seen_release) VALUES ($1, $2, 1, $3, $4, $5, $6, $7)",
	    DB_I64(work->id), DB_TEXT(work->environment), DB_TEXT(promotion->from),
	    DB_TEXT(promotion->image), DB_I64(promotion->since), DB_I64(promotion->release),
	    DB_I64(promotion->seen)); /* sticky */
	store_names_add(&tx->store->stale, work->environment);
}

TX_READER(read_promotion, struct promotion, TX_TEXT(from), TX_TEXT(image), TX_I64(since),
    TX_I64(release), TX_I64(seen))

struct promotion *
row_promotion_get(struct tx *tx, int64_t work, struct promotion *ret)
{
	*ret = tx_first(tx, struct promotion, read_promotion,
	    "SELECT from_environment, image, since, release, seen_release FROM promotion"
	    " WHERE work = $1",
	    DB_I64(work));
	return ret;
}

void
row_promotion_see(struct tx *tx, int64_t work, int64_t release)
{
	(void)tx_run(tx, "UPDATE promotion SET seen_release = $2 WHERE work = $1", DB_I64(work),
	    DB_I64(release)); /* sticky */
}

void
row_promotion_close(struct tx *tx, const struct deployment *work)
{
	if (tx_changes(tx, "UPDATE promotion SET is_open = 0 WHERE work = $1 AND is_open = 1",
		DB_I64(work->id)) > 0)
		store_names_add(&tx->store->stale, work->environment);
}

TX_READER(read_image, struct promotion_image, TX_TEXT(digest))

size_t
row_promotion_list_open(
    struct tx *tx, const char *environment, struct promotion_image ret[ROW_PROMOTIONS_OPEN])
{
	return tx_read(tx, read_image, ret, ROW_PROMOTIONS_OPEN,
	    "SELECT image FROM promotion WHERE environment = $1 AND is_open = 1"
	    " GROUP BY image ORDER BY MAX(work) DESC LIMIT $2",
	    DB_TEXT(environment), DB_I64(ROW_PROMOTIONS_OPEN));
}

int64_t
row_promotion_live_ms(struct tx *tx, const struct release *release)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(COALESCE((SELECT n.at FROM release n"
	    "  WHERE n.environment = $1 AND n.id > r.id ORDER BY n.id LIMIT 1), $4) - r.at), 0)"
	    " FROM release r WHERE r.environment = $1 AND r.commit_id = $2 AND r.image = $3"
	    " AND r.left_by = 0",
	    DB_TEXT(release->environment), DB_TEXT(release->commit), DB_TEXT(release->image),
	    DB_I64(tx->at));
}
