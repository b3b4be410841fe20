/* row_hold.c - locks and freezes that somebody began, until they end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_hold.h"

#include "store/store_inside.h"

#define COLUMNS \
	"id, kind, target, person, by_name, reason, at, until_at, chat, thread, request," \
	" asked_at, asked_chat, asked_thread"
#define IS_ON "(until_at = 0 OR until_at > $1)"

static enum hold_kind
kind_of(const char *word)
{
	return strcmp(word, hold_kinds[HOLD_LOCK].word) == 0 ? HOLD_LOCK : HOLD_FREEZE;
}

/* Of one that holds several nobody learns more than that. */
static void
say(struct tx *tx, const char *target)
{
	tx_news(tx, strchr(target, '*') != NULL ? "" : target, 0);
}

TX_READER(read_hold, struct hold, TX_I64(id), TX_WORD(kind, kind_of), TX_TEXT(target),
    TX_I64(person), TX_TEXT(by), TX_TEXT(reason), TX_I64(at), TX_I64(until), TX_I64(address.chat),
    TX_I64(address.thread), TX_I64(request), TX_I64(asked_at), TX_I64(asked.chat),
    TX_I64(asked.thread))

/* The first row; id 0: there is none. */
#define find(tx, ...) \
	tx_first(tx, struct hold, read_hold, "SELECT " COLUMNS " FROM hold " __VA_ARGS__)

void
row_hold_add(struct tx *tx, struct hold *hold)
{
	(void)tx_run(tx, "DELETE FROM hold WHERE kind = $1 AND target = $2 AND person = $3",
	    DB_TEXT(hold_kinds[hold->kind].word), DB_TEXT(hold->target), DB_I64(hold->person));
	hold->id = tx_next_id(tx, STORE_ID_HOLD);
	if (!tx_run(tx,
		"INSERT INTO hold (kind, target, person, by_name, reason, at, until_at, chat,"
		" thread, request, asked_at, asked_chat, asked_thread, id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
		DB_TEXT(hold_kinds[hold->kind].word), DB_TEXT(hold->target), DB_I64(hold->person),
		DB_TEXT(hold->by), DB_TEXT(hold->reason), DB_I64(hold->at), DB_I64(hold->until),
		DB_I64(hold->address.chat), DB_I64(hold->address.thread), DB_I64(hold->request),
		DB_I64(hold->asked_at), DB_I64(hold->asked.chat), DB_I64(hold->asked.thread),
		DB_I64(hold->id)))
		hold->id = 0;
	say(tx, hold->target);
}

struct hold
row_hold_get(struct tx *tx, int64_t id)
{
	return find(tx, "WHERE id = $1", DB_I64(id));
}

void
row_hold_list(struct tx *tx, const char *environment, struct holds *ret)
{
	char targets[HOLD_TARGETS][LIMIT_ENVIRONMENT];

	hold_targets(environment, targets);
	ret->n = tx_read(tx, read_hold, ret->at, HOLDS_MAX,
	    "SELECT " COLUMNS " FROM hold INDEXED BY hold_target WHERE target IN ($2, $3, $4)"
	    " AND " IS_ON " ORDER BY kind <> 'lock', until_at <> 0, until_at DESC, id",
	    DB_I64(tx->at), DB_TEXT(targets[0]), DB_TEXT(targets[1]), DB_TEXT(targets[2]));
}

struct hold
row_hold_next(struct tx *tx, int64_t after)
{
	return find(tx, "WHERE id > $1 ORDER BY id LIMIT 1", DB_I64(after));
}

int64_t
row_hold_newest(struct tx *tx)
{
	return find(tx, "ORDER BY id DESC LIMIT 1").id;
}

void
row_hold_asked(struct tx *tx, int64_t id, const struct chat_address *requester)
{
	(void)tx_run(tx,
	    "UPDATE hold SET asked_at = $2, asked_chat = $3, asked_thread = $4 WHERE id = $1",
	    DB_I64(id), DB_I64(tx->at), DB_I64(requester->chat),
	    DB_I64(requester->thread)); /* sticky */
}

void
row_hold_remove(struct tx *tx, int64_t id)
{
	say(tx, row_hold_get(tx, id).target);
	(void)tx_run(tx, "DELETE FROM hold WHERE id = $1", DB_I64(id)); /* sticky */
}
