/* audit_heads.c - gathers what rows name, asks for each entry by its number, or walks back to it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_heads.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/array.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define PAGE   1000 /* entries read at once, where only heads are known */
#define PREFIX 8    /* digits: 0.1.0 named so many */
#define PLACE  64
#define TEXT   400
#define DATE   10 /* of a time's text */

enum by { BY_MESSAGE, BY_CHAT, BY_LINE, BY_WITNESS, BY_COLLECTOR, BY_END };

/* A row that names an entry which is not there, or not found yet. */
struct named {
	enum by by;
	int64_t id;		       /* of the message's row */
	char place[PLACE];	       /* a witness or collector */
	int64_t at;		       /* wall ms: it is not older; 0: not known */
	char head[2 * AUDIT_HASH + 1]; /* "": its number alone is named */
	int64_t seq;		       /* 0: its head alone is named */
	bool is_found;
	bool is_other;	  /* the number has an entry, with another head */
	int64_t restored; /* not 0: newer than the copy that this start was with */
};

struct look {
	struct db *db;
	bool (*is_over)(void *ctx);
	void *ctx;
	int64_t newest; /* entry */
	struct named *named;
	size_t n, room;
	int64_t n_rows;
};

/* Statements give: a number, a name, when, the head, the entry, and the hash that it has. */
static const struct source {
	enum by by;
	const char *table, *has, *lacks; /* columns: databases of before may lack them */
	const char *sql;
} sources[] = {
	{ BY_MESSAGE, "message", "audit_seq", NULL,
	    "SELECT m.id, '', m.at, m.audit_head, m.audit_seq, a.hash FROM message m"
	    " LEFT JOIN audit a ON a.seq = m.audit_seq WHERE m.audit_head <> '' ORDER BY m.id DESC" },
	{ BY_MESSAGE, "message", "audit_head", "audit_seq",
	    "SELECT id, '', at, audit_head, 0, NULL FROM message WHERE audit_head <> ''"
	    " ORDER BY id DESC" },
	{ BY_CHAT, "witness", "seq", NULL,
	    "SELECT 0, '', 0, w.head, w.seq, a.hash FROM witness w"
	    " LEFT JOIN audit a ON a.seq = w.seq" },
	{ BY_CHAT, "witness", "head", "seq", "SELECT 0, '', 0, head, 0, NULL FROM witness" },
	{ BY_LINE, "audit_line", "seq", NULL,
	    "SELECT 0, '', l.at, l.head, l.seq, a.hash FROM audit_line l"
	    " LEFT JOIN audit a ON a.seq = l.seq ORDER BY l.seq DESC" },
	{ BY_WITNESS, "audit_witness", "head", NULL,
	    "SELECT 0, w.place, w.confirmed_at, w.head, w.confirmed, a.hash FROM audit_witness w"
	    " LEFT JOIN audit a ON a.seq = w.confirmed WHERE w.confirmed > 0" },
	{ BY_COLLECTOR, "audit_forward", "sent", NULL,
	    "SELECT 0, f.place, f.tried_at, '', f.sent, a.hash FROM audit_forward f"
	    " LEFT JOIN audit a ON a.seq = f.sent WHERE f.sent > 0" },
	{ BY_END, "audit_end", "seq", NULL,
	    "SELECT 0, '', 0, e.head, e.seq, a.hash FROM audit_end e"
	    " LEFT JOIN audit a ON a.seq = e.seq WHERE e.seq > 0" },
};

/* --- what is named --- */

/* Does the entry that it leads to have that head? */
static bool
is_there(const struct db_rows *rows, const char *head)
{
	char hex[2 * AUDIT_HASH + 1];
	const void *hash;
	size_t size;

	if (db_col_is_null(rows, 5))
		return false;
	hash = db_col_blob(rows, 5, &size);
	assert(size == AUDIT_HASH); /* the table's CHECK */
	text_hex(hex, hash, size);
	return text_starts(hex, head);
}

static void
take_row(struct look *l, enum by by, const struct db_rows *rows)
{
	const char *head = db_col_text(rows, 3);
	struct named *named;

	l->n_rows++;
	if (is_there(rows, head))
		return;
	array_reserve(&l->named, l->n, &l->room, 64, sizeof(*l->named));
	named = &l->named[l->n++];
	*named = (struct named){
		.by = by,
		.id = db_col_i64(rows, 0),
		.at = db_col_i64(rows, 2),
		.seq = db_col_i64(rows, 4),
		.is_other = !db_col_is_null(rows, 5),
	};
	(void)text_copy(named->place, sizeof(named->place), db_col_text(rows, 1));
	(void)text_copy(named->head, sizeof(named->head), head);
}

static bool
gather(struct look *l, const struct source *source, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t has, lacks = 0;

	if (!db_has(l->db, source->table, source->has, &has, err) ||
	    (source->lacks != NULL && !db_has(l->db, source->table, source->lacks, &lacks, err)))
		return false;
	if (has == 0 || lacks != 0)
		return true;
	if (!db_query(&rows, l->db, err, source->sql))
		return false;
	while (db_next(&rows))
		take_row(l, source->by, &rows);
	return db_rows_end(&rows, err);
}

/* --- heads without a number: rows of before --- */

static int
compare_heads(const void *a, const void *b)
{
	const struct named *const *left = a, *const *right = b;

	return strcmp((*left)->head, (*right)->head);
}

/* Those that are looked for, by their digits; returns how many. */
static size_t
sort_heads(struct look *l, struct named **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->named[i].seq == 0)
			ret[n++] = &l->named[i];
	qsort(ret, n, sizeof(struct named *), compare_heads);
	return n;
}

/* Marks each that this hash begins with; returns how many are found by that. */
static size_t
match(struct named **heads, size_t n, const void *hash)
{
	char hex[2 * AUDIT_HASH + 1];
	size_t low = 0, high = n, found = 0;

	text_hex(hex, hash, AUDIT_HASH);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(heads[middle]->head, hex, PREFIX) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && strncmp(heads[low]->head, hex, PREFIX) == 0; low++)
		if (!heads[low]->is_found && text_starts(hex, heads[low]->head)) {
			heads[low]->is_found = true;
			found++;
		}
	return found;
}

/* *at: the entry that was read last, 0: there are no more.  Returns how many were found. */
static bool
match_page(
    struct look *l, struct named **heads, size_t n, int64_t *at, size_t *found, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t before = *at;
	const void *hash;
	size_t size;

	*at = 0;
	if (!db_query(&rows, l->db, err,
		"SELECT seq, hash FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
		DB_I64(before), DB_I64(PAGE)))
		return false;
	while (db_next(&rows)) {
		*at = db_col_i64(&rows, 0);
		hash = db_col_blob(&rows, 1, &size);
		*found += match(heads, n, hash);
	}
	return db_rows_end(&rows, err);
}

static bool
walk_back(struct look *l, struct err *err)
{
	CLEANUP(freep) struct named **heads = mem_new(l->n + 1, sizeof(struct named *));
	size_t n, found = 0;
	int64_t at = INT64_MAX;

	n = sort_heads(l, heads);
	while (found < n && at != 0) {
		if (l->is_over != NULL && l->is_over(l->ctx))
			return err_set(err, ERR_BUSY, "the program ends");
		if (!match_page(l, heads, n, &at, &found, err))
			return false;
	}
	return true;
}

/* --- a copy --- */

/* Of starts with --restored: all that is named behind the copy's end, and is older than the start,
 * is of the log that went on without the copy. */
static void
take_restored(struct look *l, int64_t seq, int64_t at)
{
	for (size_t i = 0; i < l->n; i++) {
		struct named *named = &l->named[i];

		if (!named->is_found && named->restored == 0 && named->at != 0 && named->at <= at &&
		    (named->seq == 0 || named->seq >= seq))
			named->restored = seq;
	}
}

static bool
find_restored(struct look *l, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, l->db, err,
		"SELECT seq, at FROM audit WHERE action = 'server_started'"
		" AND meta LIKE '%\"restored\":\"yes\"%' ORDER BY seq"))
		return false;
	while (db_next(&rows))
		take_restored(l, db_col_i64(&rows, 0), db_col_i64(&rows, 1));
	return db_rows_end(&rows, err);
}

/* --- what is said --- */

static void
write_named(const struct named *named, char out[TEXT])
{
	char time[TEXT_TIME_SIZE], was[48] = "";

	if (named->seq != 0)
		(void)snprintf(was, sizeof(was), ": it was entry %" PRId64, named->seq);
	(void)text_time(time, named->at);
	switch (named->by) {
	case BY_MESSAGE:
		(void)snprintf(out, TEXT,
		    "message #%" PRId64 " was sent with the head %s, which no entry has%s",
		    named->id, named->head, was);
		break;
	case BY_CHAT:
		(void)snprintf(out, TEXT,
		    "the newest end that Telegram took was sent with the head %s, which no entry has%s",
		    named->head, was);
		break;
	case BY_LINE:
		(void)snprintf(out, TEXT,
		    "the chats' line of %.*s was sent with the head %s, which no entry has%s", DATE,
		    time, named->head, was);
		break;
	case BY_WITNESS:
		(void)snprintf(out, TEXT,
		    "the witness %s has confirmed the head %s, which no entry has%s", named->place,
		    named->head, was);
		break;
	case BY_COLLECTOR:
		(void)snprintf(out, TEXT, "entry %" PRId64 " was sent to %s, and is not there",
		    named->seq, named->place);
		break;
	case BY_END:
		(void)snprintf(out, TEXT, "the server ended with the head %s, which no entry has%s",
		    named->head, was);
		break;
	}
}

static void
tell(const struct look *l, const struct named *named, audit_heads_fn *found)
{
	char key[AUDIT_HEADS_KEY], what[TEXT], text[TEXT + 128];

	write_named(named, what);
	if (named->restored != 0)
		(void)snprintf(text, sizeof(text),
		    "%s: it is newer than the copy started with --restored (entry %" PRId64 ")",
		    what, named->restored);
	else if (named->is_other)
		(void)snprintf(text, sizeof(text), "%s (that number is another one's now)", what);
	else
		(void)snprintf(
		    text, sizeof(text), "%s (the newest is %" PRId64 ")", what, l->newest);
	(void)snprintf(
	    key, sizeof(key), "%d/%" PRId64 "/%.16s", named->by, named->seq, named->head);
	found(l->ctx, key, named->restored != 0, text);
}

/* --- all of it --- */

static bool
look(struct look *l, struct err *err)
{
	struct audit_chain newest;

	if (!store_audit_head(l->db, &newest, err))
		return false;
	l->newest = newest.seq;
	for (size_t i = 0; i < COUNT(sources); i++)
		if (!gather(l, &sources[i], err))
			return false;
	return l->n == 0 || (walk_back(l, err) && find_restored(l, err));
}

bool
audit_heads_look(struct db *db, audit_heads_fn *found, bool (*is_over)(void *ctx), void *ctx,
    struct audit_heads_found *ret, struct err *err)
{
	struct look l = { .db = db, .is_over = is_over, .ctx = ctx };
	bool ok = look(&l, err);

	*ret = (struct audit_heads_found){ .named = l.n_rows };
	for (size_t i = 0; ok && i < l.n; i++) {
		if (l.named[i].is_found)
			continue;
		if (l.named[i].restored != 0)
			ret->newer++;
		else
			ret->missing++;
		if (found != NULL)
			tell(&l, &l.named[i], found);
	}
	free(l.named);
	return ok;
}

bool
audit_heads_read(const struct audit_source *source, audit_heads_fn *found,
    bool (*is_over)(void *ctx), void *ctx, struct audit_heads_found *ret, struct err *err)
{
	CLEANUP(db_closep) struct db *db = audit_read_open(source, err);

	return db != NULL && audit_heads_look(db, found, is_over, ctx, ret, err);
}
