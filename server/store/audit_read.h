/* audit_read.h - entries of the audit in their order, filtered, beside a running server.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "store/audit_field.h"
#include "types/audit_code.h"

/* What is zero or NULL is not asked for. */
struct audit_filter {
	int64_t first;	/* entry */
	int64_t from;	/* wall ms */
	int64_t to;	/* wall ms; what is of then is not meant */
	const char *application; /* it is about that one, or about all */
	const char *environment; /* "production", of any application, or "shop/production" */
	bool is_by_name; /* what is about all does not fit */
	int64_t deployment;
	const char *person;	/* user_id */
	const char *code;	/* or action */
	enum audit_severity at_least;
};

/* Where entries are read: the rows, or where `database` is NULL the log's files.  Neither is
 * changed. */
struct audit_source {
	const char *database;
	bool is_copy;	 /* of it: nobody has it open */
	const char *log; /* the path of the newest file */
	const char *server; /* whose that is, of several with one database; NULL: the only one's */
	bool in_any_order; /* a log that does not verify is read all the same */
};

/* One entry's line, without its newline; name: of its user, "" where none is known.  False ends
 * the reading. */
typedef bool audit_read_line(
    void *ctx, const char *line, size_t size, const struct audit_fields *fields, const char *name);

/* Its database, which is only read.  NULL: *err says why. */
struct db *audit_read_open(const struct audit_source *source, struct err *err) MUST_USE;

/* Each line from that entry on, without its newline, until `each` returns false; false then too. */
typedef bool audit_read_row(void *ctx, const char *line, size_t size, struct err *err);
bool audit_read_rows(struct db *db, int64_t from, audit_read_row *each, void *ctx,
    struct err *err) MUST_USE;

/* Those that fit, the oldest first, a page of rows in memory at a time.  Of the files a line that
 * is not what it says, or does not follow the one before it, ends it with ERR_INVALID. */
bool audit_read(const struct audit_source *source, const struct audit_filter *filter,
    audit_read_line *each, void *ctx, struct err *err) MUST_USE;

/* Is there an entry that names that application, and that environment?  What is not asked for is
 * NULL; what is about all names none. */
bool audit_read_has(const struct audit_source *source, const char *application,
    const char *environment, bool *ret, struct err *err) MUST_USE;

/* The newest entry's number; 0: there is none. */
bool audit_read_newest(
    const struct audit_source *source, int64_t *ret, struct err *err) MUST_USE;
