/* store_ids.h - which number a new row gets: the next one of a counter.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * No engine numbers rows by itself: what a sequence has given stays given where a savepoint is
 * undone, and the same events would not make the same rows.  What each counter gave last stands in
 * store->mark while the server runs, and in `counter` with each commit: so a number is given again
 * only if nothing of what it was given to was kept.  Raw SQL that inserts such a row raises its
 * counter too.
 */
#pragma once

#include "lib/db.h"
#include "store/tx.h"

/* A counter: X(name, its word in `counter`, the column whose numbers it gives, of that table). */
#define STORE_IDS(X) \
	X(APPROVAL, "approval", "id", "approval") \
	X(BLOCK, "block", "number", "block") \
	X(EFFECT, "effect", "id", "effect") \
	X(FORGE_HOOK, "forge_hook", "id", "forge_hook") \
	X(HOLD, "hold", "id", "hold") \
	X(INBOX, "inbox", "seq", "inbox") \
	X(MESSAGE, "message", "id", "message") \
	X(PAST, "past", "id", "past") \
	X(PIPELINE_RED, "pipeline_red", "id", "pipeline_red") \
	X(PLACE, "place", "place", "work") \
	X(PRINCIPAL, "principal", "id", "principal") \
	X(RELEASE, "release", "id", "release") \
	X(RUN, "run", "id", "run") \
	X(TOKEN, "token", "id", "token") \
	X(WORK, "work", "id", "work")

#define STORE_IDS_NAME(name, word, column, table) STORE_ID_##name,
enum store_id { STORE_IDS(STORE_IDS_NAME) STORE_ID_COUNT };

struct store_ids {
	int64_t last[STORE_ID_COUNT]; /* that was given; 0: none */
};

bool store_ids_read(struct db *db, struct store_ids *ret, struct err *err) MUST_USE;

/* Inside the transaction, by one statement at most: writes each that is another than before it. */
bool store_ids_write(struct db *db, const struct store_ids *before, const struct store_ids *now,
    struct err *err) MUST_USE;

/* Sets a row of `counter`, which need not be there. */
bool store_ids_set(struct db *db, const char *word, int64_t value, struct err *err) MUST_USE;

/* Tells this installation from all others: 32 hex digits, drawn once, into two rows of `counter`.
 * Not inside a transaction. */
bool store_ids_installation(struct db *db, char ret[LIMIT_INSTALLATION], struct err *err) MUST_USE;

/* The next number; 0: the tx has failed. */
int64_t tx_next_id(struct tx *tx, enum store_id id);
