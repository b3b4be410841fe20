/* tx.c - sticky statements, opaque ids, metric increments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/tx.h"

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/db_post.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

void
tx_begin(struct tx *tx, struct store *store, const struct event *event)
{
	*tx = (struct tx){
		.store = store,
		.db = store->db,
		.event = event,
		.settings = event->context.settings,
		.at = event->context.at,
		.audit_from = store->mark.audit_seen,
		.answer = { .status = 200 },
	};
}

void
tx_fail(struct tx *tx, enum err_code code, const char *fmt, ...)
{
	char text[sizeof(tx->err.text)];
	va_list args;

	if (tx->failed)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* cut: it is a sentence for people */
	va_end(args);
	tx->failed = true;
	(void)err_set(&tx->err, code, "%s", text);
}

void
tx_fail_with(struct tx *tx, const struct err *err)
{
	if (tx->failed)
		return;
	tx->failed = true;
	tx->err = *err;
}

/* --- statements --- */

bool
tx_run_sql(struct tx *tx, const struct db_sql *sql)
{
	tx->has_done = true;
	return tx_say_sql(tx, sql);
}

bool
tx_say_sql(struct tx *tx, const struct db_sql *sql)
{
	tx->failed = tx->failed || !db_post_sql(tx->db, &tx->err, sql);
	return !tx->failed;
}

int64_t
tx_changed(struct tx *tx)
{
	tx->failed = tx->failed || !db_settle(tx->db, &tx->err);
	return tx->failed ? 0 : db_changes(tx->db);
}

bool
tx_query_sql(struct db_rows *rows, struct tx *tx, const struct db_sql *sql)
{
	tx->failed = tx->failed || !db_query_sql(rows, tx->db, &tx->err, sql);
	tx->has_done = tx->has_done || db_rows_writes(rows);
	return !tx->failed;
}

bool
tx_end(struct tx *tx, struct db_rows *rows)
{
	if (rows->db != NULL && !db_rows_end(rows, tx->failed ? NULL : &tx->err))
		tx->failed = true;
	return !tx->failed;
}

size_t
tx_read_sql(
    struct tx *tx, tx_read_row *read, void *ret, size_t size, size_t max, const struct db_sql *sql)
{
	struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query_sql(&rows, tx, sql))
		return 0;
	for (; n < max && db_next(&rows); n++)
		read(&rows, (char *)ret + n * size);
	return tx_end(tx, &rows) ? n : 0;
}

void *
tx_first_sql(struct tx *tx, tx_read_row *read, void *ret, size_t size, const struct db_sql *sql)
{
	if (tx_read_sql(tx, read, ret, size, 1, sql) == 0) /* sticky */
		memset(
		    ret, 0, size); /* behind the statement: it may have asked by what stood there */
	return ret;
}

const char *
tx_first_text_sql(struct tx *tx, char *out, size_t room, const struct db_sql *sql)
{
	struct db_rows rows = { 0 };

	out[0] = '\0';
	if (tx_query_sql(&rows, tx, sql) && db_next(&rows))
		tx_text(&rows, 0, out, room);
	(void)tx_end(tx, &rows); /* sticky */
	return out;
}

void
tx_i64(const struct db_rows *rows, int column, int64_t *ret)
{
	*ret = db_col_i64(rows, column);
}

void
tx_read_number(const struct db_rows *rows, void *ret)
{
	tx_i64(rows, 0, ret);
}

void
tx_read_environment(const struct db_rows *rows, void *ret)
{
	tx_text(rows, 0, ret, LIMIT_ENVIRONMENT);
}

int64_t
tx_number_sql(struct tx *tx, const struct db_sql *sql)
{
	int64_t number = 0;

	return tx_read_sql(tx, tx_read_number, &number, sizeof(number), 1, sql) == 1 ? number : 0;
}

void
tx_check(struct tx *tx, const struct buf *buf)
{
	tx->failed = tx->failed || !buf_check(buf, &tx->err);
}

void
tx_text(const struct db_rows *rows, int column, char *out, size_t room)
{
	const char *text = db_col_text(rows, column);

	(void)text_copy(out, room, text == NULL ? "" : text); /* was cut when it was written */
}

/* --- what a decision draws and hands out --- */

void
tx_draw(struct tx *tx, void *ret, size_t size)
{
	uint8_t seed[sizeof(tx->event->context.random) + sizeof(tx->draws)];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct err err;

	assert(size <= sizeof(hash));
	memset(ret, 0, size);
	memcpy(seed, tx->event->context.random, sizeof(tx->event->context.random));
	memcpy(seed + sizeof(tx->event->context.random), &tx->draws, sizeof(tx->draws));
	tx->draws++;
	if (!crypto_sha256(seed, sizeof(seed), hash, &err)) {
		tx_fail(tx, err.code, "%s", err.text);
		return;
	}
	memcpy(ret, hash, size);
	crypto_wipe(hash, sizeof(hash));
}

bool
tx_mac(struct tx *tx, const void *key, size_t key_size, const void *data, size_t size,
    char ret[CRYPTO_SHA256_HEX])
{
	uint8_t mac[CRYPTO_SHA256_SIZE];

	tx->failed = tx->failed || !crypto_hmac(key, key_size, data, size, mac, &tx->err);
	if (!tx->failed)
		text_hex(ret, mac, sizeof(mac));
	return !tx->failed;
}

void
tx_draw_id(struct tx *tx, char ret_id[LIMIT_BUTTON_ID])
{
	uint8_t drawn[(LIMIT_BUTTON_ID - 1) / 2];

	ret_id[0] = '\0';
	tx_draw(tx, drawn, sizeof(drawn));
	if (!tx->failed)
		text_hex(ret_id, drawn, sizeof(drawn));
}

struct outcome *
tx_outcome(struct tx *tx, enum outcome_kind kind)
{
	struct outcome *outcome;

	if (tx->failed)
		return NULL;
	outcome = outcome_new(kind);
	queue_list_add(&tx->outcomes, &outcome->link);
	return outcome;
}

void
tx_count_metric(struct tx *tx, enum metric_increment_kind kind, const char *label_1,
    const char *label_2, const char *label_3, double value)
{
	const char *const labels[] = { label_1, label_2, label_3 };
	struct outcome *outcome = tx_outcome(tx, OUTCOME_METRIC);

	if (outcome == NULL)
		return;
	outcome->increment.kind = kind;
	outcome->increment.value = value;
	for (size_t i = 0; i < COUNT(labels); i++)
		(void)text_copy(outcome->increment.label[i], sizeof(outcome->increment.label[i]),
		    labels[i] == NULL ? "" : labels[i]); /* names are shorter than their limit */
}

/* One decision writes the row of some work several times. */
static bool
is_news(const struct tx *tx, int64_t work)
{
	for (const struct queue_link *l = tx->outcomes.first; work != 0 && l != NULL; l = l->next) {
		const struct outcome *outcome = QUEUE_ITEM(l, struct outcome, link);

		if (outcome->kind == OUTCOME_NEWS && outcome->news.work == work)
			return false;
	}
	return true;
}

void
tx_news(struct tx *tx, const char *environment, int64_t work)
{
	struct outcome *outcome = is_news(tx, work) ? tx_outcome(tx, OUTCOME_NEWS) : NULL;

	if (outcome == NULL)
		return;
	outcome->news.work = work;
	text_set(outcome->news.environment, environment); /* fits: it is one */
}

void
store_count_metric(struct queue_list *out, enum metric_increment_kind kind, double value)
{
	struct outcome *outcome = outcome_new(OUTCOME_METRIC);

	outcome->increment.kind = kind;
	outcome->increment.value = value;
	queue_list_add(out, &outcome->link);
}

void
tx_log(struct tx *tx, enum log_level level, const char *fmt, ...)
{
	struct tx_line *line;
	va_list args;

	if (tx->failed || !log_wants(level))
		return;
	line = mem_alloc(sizeof(*line));
	line->level = level;
	va_start(args, fmt);
	(void)vsnprintf(line->text, sizeof(line->text), fmt, args); /* cut: it is for people */
	va_end(args);
	queue_list_add(&tx->lines, &line->link);
}

void
tx_free_lines(struct queue_list *list)
{
	struct queue_link *link;

	while ((link = queue_list_take(list)) != NULL)
		free(QUEUE_ITEM(link, struct tx_line, link));
}
