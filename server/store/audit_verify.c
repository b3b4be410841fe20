/* audit_verify.c - walks the rows' chain with the file beside it, line by line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define PAGE		  200 /* entries read at once */
#define AUDIT_WITNESS_MIN 8   /* digits */

/* The log's files in their order, the newest up to the size it had when it was opened: what comes
 * later is not judged. */
struct file_lines {
	const char *path; /* of the newest */
	struct audit_segments closed;
	size_t n_read; /* files that were begun */
	FILE *newest;  /* NULL: there is none, or it is the stream */
	int64_t newest_size;
	FILE *stream; /* what is read; NULL: none */
	char name[PATH_MAX];
	int64_t first; /* as its name says; 0: it does not */
	int64_t left;
	int64_t number;
	char line[AUDIT_LINE_MAX + 1];
	size_t size;
};

/* One that a server closes in this moment is the newest and the last closed one: read once. */
static void
drop_doubled(struct file_lines *f, const struct stat *newest)
{
	char path[PATH_MAX];
	struct stat st;

	if (f->closed.n == 0)
		return;
	audit_segment_path(f->path, f->closed.first[f->closed.n - 1], path);
	if (stat(path, &st) == 0 && st.st_dev == newest->st_dev && st.st_ino == newest->st_ino)
		f->closed.n--;
}

static bool
open_lines(struct file_lines *f, const char *path, struct err *err)
{
	struct stat st;

	f->path = path;
	if (path == NULL)
		return true;
	f->newest = fopen(path, "re");
	if (f->newest == NULL && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (f->newest != NULL && fstat(fileno(f->newest), &st) != 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (!audit_segments_list(path, &f->closed, err)) {
		if (f->newest == NULL && err->code != ERR_NOMEM)
			err->code = ERR_NONE; /* no folder either: nothing is there */
		return err->code == ERR_NONE;
	}
	if (f->newest != NULL) {
		f->newest_size = st.st_size;
		drop_doubled(f, &st);
	}
	return true;
}

static void
close_stream(struct file_lines *f)
{
	if (f->stream != NULL)
		(void)fclose(f->stream);
	f->stream = NULL;
}

static void
close_lines(struct file_lines *f)
{
	close_stream(f);
	if (f->newest != NULL)
		(void)fclose(f->newest);
	audit_segments_done(&f->closed);
}

/* The next file; false: there is none, or *err. */
static bool
next_file(struct file_lines *f, struct err *err)
{
	struct stat st;

	close_stream(f);
	f->number = 0;
	f->first = 0;
	if (f->n_read < f->closed.n) {
		f->first = f->closed.first[f->n_read++];
		audit_segment_path(f->path, f->first, f->name);
		f->stream = fopen(f->name, "re");
		if (f->stream == NULL || fstat(fileno(f->stream), &st) != 0)
			return err_errno(err, ERR_IO, errno, "%s", f->name);
		f->left = st.st_size;
		return true;
	}
	if (f->newest == NULL)
		return false;
	(void)text_copy(f->name, sizeof(f->name), f->path);
	f->stream = f->newest;
	f->newest = NULL;
	f->left = f->newest_size;
	return true;
}

static bool
check_name(const struct file_lines *f, struct err *err)
{
	int64_t seq;

	if (f->first == 0 || f->number > 1 || !audit_chain_seq(f->line, f->size, &seq) ||
	    seq == f->first)
		return true;
	return err_set(err, ERR_INVALID,
	    "%s line 1: it is entry %" PRId64 ": the file's name says another", f->name, seq);
}

/* The next line into f->line; false at the end, or with *err (code not ERR_NONE). */
static bool
next_line(struct file_lines *f, struct err *err)
{
	int c;

	f->size = 0;
	while (f->left == 0)
		if (!next_file(f, err))
			return false;
	f->number++;
	while (f->left > 0 && (c = getc_unlocked(f->stream)) != EOF) {
		f->left--;
		if (c == '\n')
			return check_name(f, err);
		if (f->size == AUDIT_LINE_MAX)
			return err_set(err, ERR_INVALID, "%s line %" PRId64 ": it is too long",
			    f->name, f->number);
		f->line[f->size++] = (char)c;
	}
	return err_set(err, ERR_INVALID, "%s line %" PRId64 ": it is cut off", f->name, f->number);
}

/* One walk over the rows. */
struct walk {
	struct audit_chain chain;
	struct audit_chain head; /* of the rows, before the file was opened */
	int64_t exported;	 /* the newest entry that the file has */
	struct file_lines file;
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

/* The row's line against the chain, then against the file's where that has this entry. */
static bool
walk_row(struct walk *w, const char *line, size_t size, struct err *err)
{
	if (!audit_chain_check(&w->chain, line, size, err))
		return err_wrap(err, "the database");
	if (w->chain.seq == w->head.seq &&
	    memcmp(w->chain.hash, w->head.hash, sizeof(w->head.hash)) != 0)
		return err_set(
		    err, ERR_INVALID, "the database: entry %" PRId64 " was changed", w->chain.seq);
	look_for_witnesses(w);
	if (w->chain.seq == w->found.first - 1)
		audit_chain_short(&w->chain, w->found.before);
	if (!w->file_waits || w->chain.seq < w->found.first)
		return true;
	if (w->file.size != size || memcmp(w->file.line, line, size) != 0)
		return err_set(err, ERR_INVALID,
		    "%s line %" PRId64 ": it is not entry %" PRId64 " as the database has it",
		    w->file.name, w->file.number, w->chain.seq);
	w->exported = w->chain.seq;
	return read_file_line(w, err);
}

static bool
walk_page(struct walk *w, const struct buf *page, struct err *err)
{
	const char *at = page->data;
	const char *end = at + page->size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		assert(newline != NULL);
		if (!walk_row(w, at, (size_t)(newline - at), err))
			return false;
		at = newline + 1;
	}
	return true;
}

static bool
walk_rows(struct walk *w, struct db *db, struct err *err)
{
	int64_t last = 0;
	struct buf page;
	bool ok;

	buf_init(&page, (size_t)PAGE * (AUDIT_LINE_MAX + 1));
	do {
		int64_t from = last + 1;

		buf_clear(&page);
		ok = store_audit_lines(db, from, PAGE, &page, &last, err) &&
		    walk_page(w, &page, err);
		if (last < from)
			break;
	} while (ok);
	buf_done(&page);
	return ok;
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

/* Did Telegram confirm a message with the newest head?  No database of before has the table. */
static bool
read_witness(struct db *db, struct audit_verified *found, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows tables = { 0 }, rows = { 0 };

	if (!db_query(&tables, db, err, "SELECT 1 FROM sqlite_master WHERE name = 'witness'"))
		return false;
	if (!db_next(&tables))
		return db_rows_end(&tables, err);
	if (!db_query(
		&rows, db, err, "SELECT 1 FROM witness WHERE head = $1", DB_TEXT(found->head)))
		return false;
	found->is_witnessed = db_next(&rows);
	return db_rows_end(&rows, err);
}

static bool
read_outside(struct db *db, struct audit_verified *found, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows tables = { 0 };

	if (!db_query(&tables, db, err, "SELECT 1 FROM sqlite_master WHERE name = 'audit_witness'"))
		return false;
	if (!db_next(&tables))
		return db_rows_end(&tables, err);
	return db_one_i64(
	    &found->outside, db, err, "SELECT coalesce(max(confirmed), 0) FROM audit_witness");
}

/* The head, then the file, then the rows: what the file has was committed before it was written,
 * and what was committed before the file was opened should stand there. */
static bool
walk(struct walk *w, const char *database, const char *path, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY, err);

	if (db == NULL || !store_audit_head(db, &w->head, err) ||
	    !open_lines(&w->file, path, err) || !read_file_line(w, err))
		return false;
	w->found.first = 1;
	if (w->file_waits && !audit_chain_seq(w->file.line, w->file.size, &w->found.first))
		return err_set(err, ERR_INVALID, "%s line 1: it is no entry", w->file.name);
	if (!walk_rows(w, db, err) || !check_ends(w, err))
		return false;
	audit_chain_short(&w->chain, w->found.head);
	return read_witness(db, &w->found, err) && read_outside(db, &w->found, err);
}

bool
audit_verify(const char *database, const char *file, struct audit_verified *ret, struct err *err)
{
	return audit_verify_witnesses(database, file, NULL, 0, ret, err);
}

bool
audit_verify_witnesses(const char *database, const char *file, struct audit_witness *witnesses,
    size_t n, struct audit_verified *ret, struct err *err)
{
	struct walk *w = calloc(1, sizeof(*w));
	bool ok;

	if (w == NULL)
		return err_set(err, ERR_NOMEM, "no memory to check the audit log");
	w->witnesses = witnesses;
	w->n_witnesses = n;
	for (size_t i = 0; i < n; i++)
		witnesses[i].seq = 0;
	ok = walk(w, database, file, err);
	close_lines(&w->file);
	if (ok) {
		w->found.entries = w->chain.seq;
		w->found.behind = w->head.seq > w->exported ? w->head.seq - w->exported : 0;
		*ret = w->found;
	}
	free(w);
	return ok;
}
