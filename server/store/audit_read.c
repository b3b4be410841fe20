/* audit_read.c - walks the rows page by page, or the files; nothing is written.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_read.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_lines.h"
#include "store/store_foreign.h"
#include "store/store_inside.h"

#define PAGE 200 /* entries read at once */

/* A value of a line that is compared: longer ones fit nothing. */
#define VALUE 256
#define LIST  1024 /* of names */

static const char *
value_of(const struct audit_fields *fields, const char *key, char out[VALUE])
{
	return audit_field_text(audit_fields_get(fields, key), out, VALUE);
}

/* Is it this word, or all? */
static bool
is_word(const char *text, size_t size, const char *word, bool is_by_name)
{
	return (size == strlen(word) && memcmp(text, word, size) == 0) ||
	    (!is_by_name && size == 1 && text[0] == '*');
}

/* "cider, shop": is it one of them? */
static bool
is_in_list(const char *list, const char *word)
{
	while (list[0] != '\0') {
		size_t size = strcspn(list, ",");

		if (is_word(list, size, word, true))
			return true;
		list += size;
		list += strspn(list, ", ");
	}
	return false;
}

/* What it is about; the first version has that in the name of the environment alone.  A reload
 * names those whose files changed. */
static bool
is_of_application(const struct audit_fields *fields, const char *application, bool is_by_name)
{
	char value[VALUE], list[LIST];
	const char *slash;

	(void)value_of(fields, "application", value);
	if (is_word(value, strlen(value), application, is_by_name))
		return true;
	slash = strchr(value_of(fields, "environment", value), '/');
	return (slash != NULL &&
		   is_word(value, (size_t)(slash - value), application, is_by_name)) ||
	    is_in_list(
		audit_field_text(audit_fields_get(fields, "applications"), list, sizeof(list)),
		application);
}

/* environment: "production", or with its application. */
static bool
is_of_environment(const struct audit_fields *fields, const char *environment, bool is_by_name)
{
	char value[VALUE];
	const char *slash = strchr(value_of(fields, "environment", value), '/');
	const char *name = slash == NULL ? value : slash + 1, *asked = strchr(environment, '/');
	char application[VALUE];

	if (asked == NULL)
		return is_word(name, strlen(name), environment, is_by_name);
	(void)snprintf(
	    application, sizeof(application), "%.*s", (int)(asked - environment), environment);
	return slash != NULL && is_word(name, strlen(name), asked + 1, is_by_name) &&
	    is_word(value, (size_t)(slash - value), application, is_by_name);
}

static bool
is_of_deployment(const struct audit_fields *fields, int64_t deployment)
{
	int64_t number;

	return audit_field_number(audit_fields_get(fields, "deployment"), &number) &&
	    number == deployment;
}

/* The first version has github:login(7) where the second has github:7. */
static bool
is_of_person(const struct audit_fields *fields, const char *person)
{
	char user[VALUE], old[VALUE];
	const char *open;

	/* A user of the machine may stand for a person; "telegram" alone is a refused source. */
	if (strcmp(value_of(fields, "user_id", user), person) == 0 ||
	    (strchr(person, ':') != NULL &&
		strcmp(value_of(fields, "principal", old), person) == 0))
		return true;
	open = strrchr(user, '(');
	return text_starts(user, "github:") && open != NULL && text_starts(person, "github:") &&
	    snprintf(old, sizeof(old), "(%s)", person + strlen("github:")) < (int)sizeof(old) &&
	    strcmp(open, old) == 0;
}

static bool
is_within(const struct audit_fields *fields, const struct audit_filter *filter)
{
	char at[VALUE], edge[TEXT_TIME_SIZE];

	(void)value_of(fields, "timestamp", at);
	return (filter->from == 0 || strcmp(at, text_time_ms(edge, filter->from)) >= 0) &&
	    (filter->to == 0 || strcmp(at, text_time_ms(edge, filter->to)) < 0);
}

static bool
fits(const struct audit_fields *fields, const struct audit_filter *filter)
{
	char value[VALUE];
	enum audit_severity severity;

	if (!is_within(fields, filter) ||
	    (filter->application != NULL &&
		!is_of_application(fields, filter->application, filter->is_by_name)) ||
	    (filter->environment != NULL &&
		!is_of_environment(fields, filter->environment, filter->is_by_name)) ||
	    (filter->deployment != 0 && !is_of_deployment(fields, filter->deployment)) ||
	    (filter->person != NULL && !is_of_person(fields, filter->person)) ||
	    (filter->code != NULL && strcmp(value_of(fields, "code", value), filter->code) != 0 &&
		strcmp(value_of(fields, "action", value), filter->code) != 0))
		return false;
	severity = audit_severity_of(value_of(fields, "severity", value));
	return filter->at_least == 0 ||
	    (severity != AUDIT_SEVERITY_COUNT && severity >= filter->at_least);
}

static bool
name_of(struct db *db, const char *who, char *out, size_t room, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, db, err, "SELECT name FROM person_name WHERE who = $1", DB_TEXT(who)))
		return false;
	if (db_next(&rows))
		(void)text_copy(out, room, db_col_text(&rows, 0));
	return db_rows_end(&rows, err);
}

/* --- reading --- */

struct reading {
	struct db *db;
	const struct audit_filter *filter;
	audit_read_line *each;
	void *ctx;
	struct audit_chain last; /* line of the files; seq 0: none yet */
	bool in_any_order;
	int64_t has_names; /* 0: a database of before */
	bool is_over;
};

/* False: it is over, or has failed. */
static bool
read_line(void *ctx, const char *line, size_t size, struct err *err)
{
	struct reading *r = ctx;
	struct audit_fields fields = { 0 };
	char user[VALUE], name[VALUE] = "";

	if (!audit_fields_read(&fields, line, size))
		return err_set(err, ERR_INVALID,
		    "an entry is no audit line: deploybot audit verify says which");
	if (!fits(&fields, r->filter))
		return true;
	if (r->has_names != 0 &&
	    !name_of(r->db, value_of(&fields, "user_id", user), name, sizeof(name), err))
		return false;
	r->is_over = !r->each(r->ctx, line, size, &fields, name);
	return !r->is_over;
}

/* No entry before it is of that time or later. */
static bool
first_of(struct reading *r, int64_t *ret, struct err *err)
{
	*ret = r->filter->first;
	return r->filter->from == 0 ||
	    db_one_i64(ret, r->db, err,
		"SELECT COALESCE((SELECT seq FROM audit WHERE seq >= $1 AND at >= $2"
		" ORDER BY seq LIMIT 1), $3)",
		DB_I64(*ret), DB_I64(r->filter->from), DB_I64(INT64_MAX));
}

bool
audit_read_rows(struct db *db, int64_t from, audit_read_row *each, void *ctx, struct err *err)
{
	CLEANUP(buf_done) struct buf page = buf_make((size_t)PAGE * (AUDIT_LINE_MAX + 1));
	int64_t last = from - 1;

	do {
		from = last + 1;
		buf_clear(&page);
		if (!store_audit_lines(db, from, PAGE, &page, &last, err))
			return false;
		for (const char *at = page.data, *next; at < page.data + page.size; at = next + 1) {
			next = memchr(at, '\n', (size_t)(page.data + page.size - at));
			assert(next != NULL);
			if (!each(ctx, at, (size_t)(next - at), err))
				return false;
		}
	} while (last >= from);
	return true;
}

static bool
read_database(struct reading *r, struct err *err)
{
	int64_t from;

	return db_has(r->db, "person_name", NULL, &r->has_names, err) && first_of(r, &from, err) &&
	    audit_read_rows(r->db, from, read_line, r, err);
}

/* --- from the log's files --- */

static bool
refuse_line(const struct audit_lines *lines, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID,
	    "%s line %" PRId64 ": %s: deploybot audit verify says more", lines->name, lines->number,
	    why);
}

/* Is it what it says, and behind the one before? */
static bool
check_file_line(struct reading *r, const struct audit_lines *lines, const struct audit_claim *claim,
    struct err *err)
{
	char why[96];

	if (memcmp(claim->hash, claim->is.hash, AUDIT_HASH) != 0)
		return refuse_line(lines, "its hash is not that of what it says", err);
	if (r->last.seq != 0 && claim->is.seq != r->last.seq + 1) {
		(void)snprintf(why, sizeof(why), "behind entry %" PRId64 " stands entry %" PRId64,
		    r->last.seq, claim->is.seq);
		return refuse_line(lines, why, err);
	}
	if (r->last.seq != 0 && memcmp(claim->prev, r->last.hash, AUDIT_HASH) != 0)
		return refuse_line(lines, "it does not follow the line before it", err);
	r->last = claim->is;
	return true;
}

static bool
read_file_line(struct reading *r, const struct audit_lines *lines, struct err *err)
{
	struct audit_claim claim;

	if (!audit_chain_read(lines->line, lines->size, &claim, NULL))
		return refuse_line(lines, "it is no audit line", err);
	if (!r->in_any_order && !check_file_line(r, lines, &claim, err))
		return false;
	return claim.is.seq < r->filter->first || read_line(r, lines->line, lines->size, err);
}

static bool
read_lines(struct reading *r, struct audit_lines *lines, struct err *err)
{
	while (true)
		switch (audit_lines_next(lines, err)) {
		case AUDIT_LINES_LINE:
			if (!read_file_line(r, lines, err))
				return false;
			break;
		case AUDIT_LINES_END:
			return true;
		case AUDIT_LINES_LONG:
		case AUDIT_LINES_CUT:
			return refuse_line(lines, "it is cut off or too long", err);
		case AUDIT_LINES_FAILED:
			return false;
		}
}

static bool
read_files(struct reading *r, const char *log, struct err *err)
{
	CLEANUP(freep) struct audit_lines *lines = mem_new(1, sizeof(*lines));
	bool ok;

	ok = audit_lines_open(lines, log, err) && read_lines(r, lines, err);
	audit_lines_close(lines);
	return ok;
}

/* --- for all --- */

struct db *
audit_read_open(const struct audit_source *source, struct err *err)
{
	struct db *db =
	    db_open(source->database, source->is_copy ? DB_READ_ONLY | DB_COPY : DB_READ_ONLY, err);
	int64_t version = 1;
	bool ok = db != NULL &&
	    (!db_is_url(source->database) || store_foreign_check(db, &version, err)) &&
	    (version != 0 || err_set(err, ERR_CONFIG, STORE_FOREIGN_EMPTY));

	if (!ok)
		db_close(TAKE(db));
	return db;
}

bool
audit_read(const struct audit_source *source, const struct audit_filter *filter,
    audit_read_line *each, void *ctx, struct err *err)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct reading r = {
		.filter = filter, .each = each, .ctx = ctx, .in_any_order = source->in_any_order
	};

	if (source->database == NULL)
		return read_files(&r, source->log, err) || r.is_over;
	r.db = db = audit_read_open(source, err);
	return db != NULL && (read_database(&r, err) || r.is_over);
}

static bool
note_one(void *ctx, UNUSED const char *line, UNUSED size_t size,
    UNUSED const struct audit_fields *fields, UNUSED const char *name)
{
	*(bool *)ctx = true;
	return false;
}

bool
audit_read_has(const struct audit_source *source, const char *application, const char *environment,
    bool *ret, struct err *err)
{
	const struct audit_filter filter = {
		.application = application, .environment = environment, .is_by_name = true
	};

	*ret = false;
	return audit_read(source, &filter, note_one, ret, err);
}

static bool
note_number(void *ctx, UNUSED const char *line, UNUSED size_t size,
    const struct audit_fields *fields, UNUSED const char *name)
{
	return audit_field_number(audit_fields_get(fields, "seq"), ctx); /* it was read before */
}

bool
audit_read_newest(const struct audit_source *source, int64_t *ret, struct err *err)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct audit_chain head;

	*ret = 0;
	if (source->database == NULL)
		return audit_read(source, &(struct audit_filter){ 0 }, note_number, ret, err);
	db = audit_read_open(source, err);
	if (db == NULL || !store_audit_head(db, &head, err))
		return false;
	*ret = head.seq;
	return true;
}
