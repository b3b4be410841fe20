/* audit_verify.c - walks the rows' chain with the file beside it, line by line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_verify.h"

#include <inttypes.h>
#include <strings.h>

#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_lines.h"
#include "store/store_inside.h"

#define AUDIT_WITNESS_MIN 8 /* digits */

/* The next line into f->line; false at the end, or with *err (code not ERR_NONE). */
static bool
next_line(struct audit_lines *f, struct err *err)
{
	int64_t seq;

	switch (audit_lines_next(f, err)) {
	case AUDIT_LINES_END:
	case AUDIT_LINES_FAILED:
		return false;
	case AUDIT_LINES_LONG:
		return err_set(
		    err, ERR_INVALID, "%s line %" PRId64 ": it is too long", f->name, f->number);
	case AUDIT_LINES_CUT:
		return err_set(
		    err, ERR_INVALID, "%s line %" PRId64 ": it is cut off", f->name, f->number);
	case AUDIT_LINES_LINE:
		break;
	}
	if (!audit_chain_seq(f->line, f->size, &seq) || audit_lines_fits_name(f, seq))
		return true;
	return err_set(err, ERR_INVALID,
	    "%s line 1: it is entry %" PRId64 ": the file's name says another", f->name, seq);
}

/* One walk over the rows. */
struct walk {
	struct audit_chain chain;
	struct audit_chain head; /* of the rows, before the file was opened */
	int64_t exported;	 /* the newest entry that the file has */
	struct audit_lines file;
	struct audit_witness *witnesses;
	size_t n_witnesses;
	bool file_waits; /* file.line holds a line that is not compared yet */
	struct audit_verified found;
};

static bool
read_file_line(struct walk *w, struct err *err)
{
	err->code = ERR_NONE;
	w->file_waits = next_line(&w->file, err);
	return w->file_waits || err->code == ERR_NONE;
}

bool
audit_witness_is_one(const char *digits)
{
	size_t size = strlen(digits);

	return size >= AUDIT_WITNESS_MIN && size <= (size_t)2 * AUDIT_HASH &&
	    strspn(digits, "0123456789abcdefABCDEF") == size;
}

/* The entry's hash against what people kept of the chat. */
static void
look_for_witnesses(struct walk *w)
{
	char hex[2 * AUDIT_HASH + 1];

	if (w->n_witnesses == 0)
		return;
	text_hex(hex, w->chain.hash, AUDIT_HASH);
	for (size_t i = 0; i < w->n_witnesses; i++)
		if (strncasecmp(hex, w->witnesses[i].digits, strlen(w->witnesses[i].digits)) == 0)
			w->witnesses[i].seq = w->chain.seq;
}

/* Is it the start of a server whose database is a copy? */
static void
look_for_restored(struct walk *w, const char *line, size_t size)
{
	static const char started[] = "\"action\":\"server_started\"",
			  yes[] = "\"restored\":\"yes\"";

	if (memmem(line, size, started, sizeof(started) - 1) != NULL &&
	    memmem(line, size, yes, sizeof(yes) - 1) != NULL)
		w->found.restored = w->chain.seq;
}

/* Where a copy took the database's place the log of before stands beside it. */
static bool
refuse_line(const struct walk *w, struct err *err)
{
	if (w->chain.seq != w->found.restored)
		return err_set(err, ERR_INVALID,
		    "%s line %" PRId64 ": it is not entry %" PRId64 " as the database has it",
		    w->file.name, w->file.number, w->chain.seq);
	return err_set(err, ERR_INVALID,
	    "%s line %" PRId64 ": it is newer than the copy started with --restored (entry %" PRId64
	    "): move that log away",
	    w->file.name, w->file.number, w->chain.seq);
}

/* The row's line against the chain, then against the file's where that has this entry. */
static bool
walk_row(void *ctx, const char *line, size_t size, struct err *err)
{
	struct walk *w = ctx;

	if (!audit_chain_check(&w->chain, line, size, err))
		return err_wrap(err, "the database");
	if (w->chain.seq == w->head.seq &&
	    memcmp(w->chain.hash, w->head.hash, sizeof(w->head.hash)) != 0)
		return err_set(
		    err, ERR_INVALID, "the database: entry %" PRId64 " was changed", w->chain.seq);
	look_for_witnesses(w);
	look_for_restored(w, line, size);
	if (w->chain.seq == w->found.first - 1)
		audit_chain_short(&w->chain, w->found.before);
	if (!w->file_waits || w->chain.seq < w->found.first)
		return true;
	if (w->file.size != size || memcmp(w->file.line, line, size) != 0)
		return refuse_line(w, err);
	w->exported = w->chain.seq;
	return read_file_line(w, err);
}

static bool
check_ends(const struct walk *w, struct err *err)
{
	if (w->chain.seq < w->head.seq)
		return err_set(err, ERR_INVALID,
		    "the database: entries behind %" PRId64 " are missing", w->chain.seq);
	if (w->file_waits)
		return err_set(err, ERR_INVALID,
		    "%s line %" PRId64 ": the database has no such entry (its newest is %" PRId64
		    ")",
		    w->file.name, w->file.number, w->chain.seq);
	return true;
}

/* No database of before has the table. */
static bool
read_line_sent(struct db *db, struct audit_verified *found, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t has;

	if (!db_has(db, "audit_line", NULL, &has, err))
		return false;
	if (has == 0)
		return true;
	if (!db_query(
		&rows, db, err, "SELECT seq, at, head FROM audit_line ORDER BY seq DESC LIMIT 1"))
		return false;
	if (db_next(&rows)) {
		found->line = db_col_i64(&rows, 0);
		found->line_at = db_col_i64(&rows, 1);
		(void)text_copy(found->line_head, sizeof(found->line_head), db_col_text(&rows, 2));
	}
	return db_rows_end(&rows, err);
}

static bool
read_outside(struct db *db, struct audit_verified *found, struct err *err)
{
	int64_t has;

	return db_has(db, "audit_witness", NULL, &has, err) &&
	    (has == 0 ||
		db_one_i64(&found->outside, db, err,
		    "SELECT coalesce(max(confirmed), 0) FROM audit_witness"));
}

/* The head, then the file, then the rows, all of one moment: what the file has was committed before
 * it was written, and what was committed before the file was opened should stand there. */
static bool
walk(struct walk *w, const struct audit_source *source, struct err *err)
{
	CLEANUP(db_closep) struct db *db = audit_read_open(source, err);

	if (db == NULL || !store_audit_head(db, &w->head, err) ||
	    !audit_lines_open(&w->file, source->log, err) || !db_snapshot(db, err) ||
	    !read_file_line(w, err))
		return false;
	w->found.first = 1;
	if (w->file_waits && !audit_chain_seq(w->file.line, w->file.size, &w->found.first))
		return err_set(err, ERR_INVALID, "%s line 1: it is no entry", w->file.name);
	if (!audit_read_rows(db, 1, walk_row, w, err) || !check_ends(w, err))
		return false;
	audit_chain_short(&w->chain, w->found.head);
	if (source->server != NULL &&
	    !db_one_i64(&w->found.other_leads, db, err,
		"SELECT COUNT(*) FROM leader WHERE holder <> $1 AND holder <> ''",
		DB_TEXT(source->server)))
		return false;
	return read_line_sent(db, &w->found, err) && read_outside(db, &w->found, err) &&
	    audit_heads_look(db, NULL, NULL, NULL, &w->found.heads, err);
}

bool
audit_verify_rows(struct db *db, struct audit_chain *ret_head, struct err *err)
{
	CLEANUP(freep) struct walk *w = mem_new(1, sizeof(*w));

	if (!store_audit_head(db, &w->head, err) || !audit_read_rows(db, 1, walk_row, w, err) ||
	    !check_ends(w, err))
		return false;
	*ret_head = w->chain;
	return true;
}

bool
audit_verify(const char *database, const char *file, struct audit_verified *ret, struct err *err)
{
	const struct audit_source source = { .database = database, .log = file };

	return audit_verify_witnesses(&source, NULL, 0, ret, err);
}

bool
audit_verify_witnesses(const struct audit_source *source, struct audit_witness *witnesses, size_t n,
    struct audit_verified *ret, struct err *err)
{
	CLEANUP(freep) struct walk *w = mem_new(1, sizeof(*w));
	bool ok;

	w->witnesses = witnesses;
	w->n_witnesses = n;
	for (size_t i = 0; i < n; i++)
		witnesses[i].seq = 0;
	ok = walk(w, source, err);
	audit_lines_close(&w->file);
	if (ok) {
		w->found.entries = w->chain.seq;
		w->found.behind = w->head.seq > w->exported ? w->head.seq - w->exported : 0;
		*ret = w->found;
	}
	return ok;
}
