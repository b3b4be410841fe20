/* row_audit.c - the audit's rows; audit_chain.c knows how a line looks.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_audit.h"

#include <stdio.h>

#include "lib/json.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define META_MAX   16  /* pairs */
#define META_NAME  160 /* a name of META_WORD bytes, behind META_MAX times "meta_" */
#define META_WORD  64
#define META_VALUE 512 /* bytes: enough for a reason, and a line stays below AUDIT_LINE_MAX */

/* --- metadata --- */

struct names {
	size_t n;
	char at[META_MAX][META_NAME];
};

static bool
is_taken(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->at[i], name) == 0)
			return true;
	return audit_chain_is_core(name);
}

/* The name, behind as many "meta_" as make it its own. */
static void
own_name(struct names *names, const char *name, char out[META_NAME])
{
	char longer[META_NAME + 8];

	(void)text_copy(out, META_WORD, name);
	while (is_taken(names, out)) {
		(void)snprintf(longer, sizeof(longer), "meta_%s", out);
		(void)text_copy(out, META_NAME, longer);
	}
}

static void
write_meta(const char *const *meta, struct buf *out)
{
	struct names names = { 0 };
	struct json_out json;

	json_out_init(&json, out);
	json_out_object(&json);
	for (; meta != NULL && meta[0] != NULL && names.n < META_MAX; meta += 2) {
		char *name = names.at[names.n];

		own_name(&names, meta[0], name);
		names.n++;
		json_out_key(&json, name);
		if (meta[1] == NULL)
			json_out_null(&json);
		else
			json_out_strn(
			    &json, meta[1], text_cut(meta[1], strlen(meta[1]), META_VALUE));
	}
	json_out_end(&json);
}

/* --- writing --- */

static struct db_value
text_or_null(const char *text)
{
	return DB_TEXT(text == NULL || text[0] == '\0' ? NULL : text);
}

static void
insert(struct tx *tx, const struct audit_line *line)
{
	struct audit_chain next = tx->store->mark.audit;
	const struct audit_chain before = next;
	struct buf text;

	buf_init(&text, AUDIT_LINE_MAX);
	if (!tx->failed && !audit_chain_write(&next, line, &text, &tx->err))
		tx->failed = true;
	buf_done(&text);
	if (!tx_run(tx,
		"INSERT INTO audit (seq, at, user_id, action, environment, commit_id, outcome,"
		" severity, deployment, meta, prev, hash)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		DB_I64(next.seq), DB_I64(line->at), DB_TEXT(line->user_id), DB_TEXT(line->action),
		text_or_null(line->environment), text_or_null(line->commit), DB_TEXT(line->outcome),
		DB_TEXT(line->severity), DB_I64(line->deployment), DB_TEXT(line->meta),
		DB_BLOB(before.hash, sizeof(before.hash)), DB_BLOB(next.hash, sizeof(next.hash))))
		return;
	tx->store->mark.audit = next;
	tx_count_metric(tx, INCREMENT_AUDIT, "", "", "", 1);
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

void
row_audit_add(struct tx *tx, const struct audit_entry *entry, const char *const *meta)
{
	struct buf text;
	struct err why;

	buf_init(&text, AUDIT_LINE_MAX / 2);
	write_meta(meta, &text);
	if (!buf_check(&text, &why) && why.code == ERR_LIMIT) { /* the entry matters more */
		buf_clear(&text);
		write_meta((const char *const[]){ "meta", "too long", NULL }, &text);
	}
	tx_check(tx, &text);
	insert(tx,
	    &(struct audit_line){
		.at = tx->at,
		.user_id = or_empty(entry->user),
		.action = entry->action,
		.environment = entry->environment,
		.commit = entry->commit,
		.outcome = or_empty(entry->outcome),
		.severity = or_empty(entry->severity),
		.deployment = entry->deployment,
		.meta = buf_text(&text),
	    });
	buf_done(&text);
}

void
row_audit_head(struct tx *tx, char ret_short[LIMIT_AUDIT_HEAD])
{
	audit_chain_short(&tx->store->mark.audit, ret_short);
}

/* --- reading, outside a decision --- */

bool
store_audit_head(struct db *db, struct audit_chain *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct audit_chain head = { 0 };
	const void *hash;
	size_t size;

	if (!db_query(&rows, db, err, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"))
		return false;
	if (db_next(&rows)) {
		head.seq = db_col_i64(&rows, 0);
		hash = db_col_blob(&rows, 1, &size);
		assert(size == sizeof(head.hash)); /* the table's CHECK */
		memcpy(head.hash, hash, size);
	}
	if (!db_rows_end(&rows, err))
		return false;
	*ret = head;
	return true;
}

/* Writes the row's line from what the row says, hash and all: what was changed in it shows. */
static bool
write_row(const struct db_rows *rows, struct buf *out, struct err *err)
{
	struct audit_chain head = { .seq = db_col_i64(rows, 0) - 1 };
	size_t size;
	const void *prev = db_col_blob(rows, 10, &size);

	assert(size == sizeof(head.hash)); /* the table's CHECK */
	memcpy(head.hash, prev, size);
	return audit_chain_write(&head,
	    &(struct audit_line){
		.at = db_col_i64(rows, 1),
		.user_id = db_col_text(rows, 2),
		.action = db_col_text(rows, 3),
		.environment = db_col_text(rows, 4),
		.commit = db_col_text(rows, 5),
		.outcome = db_col_text(rows, 6),
		.severity = db_col_text(rows, 7),
		.deployment = db_col_i64(rows, 8),
		.meta = db_col_text(rows, 9),
	    },
	    out, err);
}

bool
store_audit_lines(
    struct db *db, int64_t from, int64_t max, struct buf *out, int64_t *ret_last, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t last = from - 1;

	if (!db_query(&rows, db, err,
		"SELECT seq, at, user_id, action, environment, commit_id, outcome, severity,"
		" deployment, meta, prev FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2",
		DB_I64(from), DB_I64(max)))
		return false;
	while (db_next(&rows)) {
		if (!write_row(&rows, out, err))
			return false;
		buf_addc(out, '\n');
		last = db_col_i64(&rows, 0);
	}
	if (!db_rows_end(&rows, err) || !buf_check(out, err))
		return false;
	*ret_last = last;
	return true;
}
