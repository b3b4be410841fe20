/* row_audit.c - the audit's rows; audit_chain.c knows how a line looks.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_audit.h"

#include <stdio.h>

#include "lib/db_upkeep.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/leader_fence.h"
#include "store/row_witness.h"
#include "store/store_inside.h"
#include "types/delivery.h"
#include "types/principal.h"

#define META_MAX  16  /* pairs */
#define META_NAME 160 /* a name of META_WORD bytes, behind META_MAX times "meta_" */
#define META_WORD 64

#define RANGE_PAGE 64 /* entries read at once */

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
		text_setf(longer, "meta_%s", out);
		(void)text_copy(out, META_NAME, longer);
	}
}

/* --- people --- */

/* Who sent what is decided on; NULL: nobody. */
static const struct update *
sender_of(const struct tx *tx)
{
	if (tx->event->kind == EVENT_UPDATE)
		return tx->event->u.update;
	return tx->event->kind == EVENT_API ? &tx->event->u.api->from : NULL;
}

/* By the console's page, which their name says too. */
static bool
is_page(const struct update *sender)
{
	return sender != NULL && sender->is_page;
}

/* What a user of the machine is called is not the name of the person whom they stand for. */
static bool
is_local(const struct update *sender)
{
	return sender != NULL && sender->local[0] != '\0';
}

/* Bytes of "gitlab:", where that is a forge's word; 0: it is of none. */
static size_t
forge_size(const char *user)
{
	size_t size = strcspn(user, ":");

	for (enum delivery_forge forge = 0; forge < DELIVERY_FORGE_COUNT; forge++) {
		const char *word = delivery_forge_word(forge);

		if (user[size] == ':' && strlen(word) == size && strncmp(user, word, size) == 0)
			return size + 1;
	}
	return 0;
}

/* "gitlab:login(7)" is 7 of gitlab, whose name is login; all others stay.  A login may have
 * brackets itself: the last are ours. */
static void
split_user(const char *user, char id[PRINCIPAL_TEXT], char name[PRINCIPAL_NAME])
{
	const char *open = strrchr(user, '(');
	size_t size = strlen(user), before = forge_size(user);

	name[0] = '\0';
	(void)text_copy(id, PRINCIPAL_TEXT, user);
	if (before == 0 || open == NULL || open < user + before || !text_ends(user, ")") ||
	    strcmp(open, "(0)") == 0) /* the forge has not said who: the name is all there is */
		return;
	(void)snprintf(id, PRINCIPAL_TEXT, "%.*s%.*s", (int)before, user,
	    (int)(user + size - 2 - open), open + 1);
	(void)snprintf(
	    name, PRINCIPAL_NAME, "%.*s", (int)(open - user - (ptrdiff_t)before), user + before);
}

/* Rewritten only when it is another one: most entries are of people who are known. */
static void
note_name(struct tx *tx, const char *id, const char *name)
{
	if (name != NULL && name[0] != '\0')
		(void)tx_say(tx,
		    "INSERT INTO person_name (who, name, at) VALUES ($1, $2, $3)"
		    " ON CONFLICT (who) DO UPDATE SET name = $2, at = $3"
		    " WHERE person_name.name <> $2",
		    DB_TEXT(id), DB_TEXT(name), DB_I64(tx->at)); /* sticky */
}

static bool
is_in_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c & 0x80) != 0;
}

/* As a word of its own. */
static const char *
find_name(const char *text, const char *start, const char *name, size_t size)
{
	const char *at = start;

	while ((at = strstr(at, name)) != NULL) {
		if ((at == text || !is_in_word(at[-1]) || !is_in_word(name[0])) &&
		    (!is_in_word(at[size]) || !is_in_word(name[size - 1])))
			return at;
		at++;
	}
	return NULL;
}

/* The value, with the sender's id wherever it has their name. */
static void
write_value(const struct update *sender, const char *value, struct json_out *json)
{
	const char *name = sender != NULL ? sender->name : "", *from = value, *at;
	size_t size = strlen(name);
	char who[PRINCIPAL_TEXT];
	CLEANUP(buf_done) struct buf text = buf_make((size_t)4 * META_VALUE);

	while (size > 0 && (at = find_name(value, from, name, size)) != NULL) {
		struct principal principal = principal_of_person(sender->person);

		buf_add(&text, from, (size_t)(at - from));
		buf_adds(&text, principal_text(&principal, who));
		from = at + size;
	}
	buf_add(&text, from, text_cut(from, strlen(from), META_VALUE));
	json_out_strn(json, buf_text(&text), text_cut(buf_text(&text), text.size, META_VALUE));
	buf_fail_like(json->buf, &text);
}

/* Returns the name of who acted, or NULL. */
static const char *
write_meta(const struct update *sender, const char *const *meta, enum commit_source source,
    const char *late, struct buf *out)
{
	struct names names = { 0 };
	const char *name_of_user = NULL;
	struct json_out json = json_out_begin(out, '{');

	for (; meta != NULL && meta[0] != NULL && names.n < META_MAX; meta += 2) {
		char *name = names.at[names.n];

		if (strcmp(meta[0], "name") == 0) {
			name_of_user = meta[1];
			continue;
		}
		own_name(&names, meta[0], name);
		names.n++;
		json_out_key(&json, name);
		if (meta[1] == NULL)
			json_out_str(&json, NULL);
		else
			write_value(sender, meta[1], &json);
	}
	if (source != SOURCE_GIT) {
		char name[META_NAME];

		own_name(&names, "source", name);
		json_put_str(&json, name, commit_source_word(source));
	}
	if (is_page(sender)) {
		char name[META_NAME];

		own_name(&names, "by", name);
		json_put_str(&json, name, "the page");
	}
	if (late[0] != '\0') {
		char name[META_NAME];

		own_name(&names, "without_witness", name);
		json_put_str(&json, name, late);
	}
	json_out_end(&json);
	return name_of_user;
}

/* --- writing --- */

static struct db_value
text_or_null(const char *text)
{
	return DB_TEXT(text == NULL || text[0] == '\0' ? NULL : text);
}

/* The number is another server's, which the fence has let in: this one goes no further. */
static void
note_taken(struct tx *tx)
{
	struct leader_fence *fence = tx->store->config.fence;

	if (fence != NULL && tx->err.code == ERR_BUSY)
		fence->is_deposed = true;
}

static void
insert(struct tx *tx, const struct audit_line *line)
{
	struct audit_chain next = tx->store->mark.audit;
	const struct audit_chain before = next;
	CLEANUP(buf_done) struct buf text = buf_make(AUDIT_LINE_MAX);

	tx->failed = tx->failed || !audit_chain_write(&next, line, &text, &tx->err);
	if (!tx_say(tx,
		"INSERT INTO audit (seq, at, user_id, action, environment, commit_id, outcome,"
		" severity, deployment, meta, prev, hash, version, code, principal,"
		" violation_type, application, need, factor)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
		" $17, $18, $19)",
		DB_I64(next.seq), DB_I64(line->at), DB_TEXT(line->user_id), DB_TEXT(line->action),
		text_or_null(line->environment), text_or_null(line->commit), DB_TEXT(line->outcome),
		DB_TEXT(line->severity), DB_I64(line->deployment), DB_TEXT(line->meta),
		DB_BLOB(before.hash, sizeof(before.hash)), DB_BLOB(next.hash, sizeof(next.hash)),
		DB_I64(line->version), DB_TEXT(line->code), DB_TEXT(line->principal),
		text_or_null(line->violation), text_or_null(line->application),
		text_or_null(line->need), text_or_null(line->factor))) {
		note_taken(tx);
		return;
	}
	tx->store->mark.audit = next;
	tx_count_metric(tx, INCREMENT_AUDIT, "", "", "", 1);
}

/* One line for each security event: what a collector of logs searches. */
static void
log_violation(struct tx *tx, const struct audit_line *line)
{
	if (line->violation == NULL)
		return;
	tx_log(tx, LOG_LEVEL_WARNING,
	    "security violation_type=%s user_id=%s code=%s severity=%s entry=%lld", line->violation,
	    line->user_id, line->code, line->severity, (long long)tx->store->mark.audit.seq);
}

/* A user of the machine may stand for a person, who is user_id then. */
void
row_audit_principal(const struct tx *tx, const char *user, char out[PRINCIPAL_TEXT])
{
	const struct update *sender = sender_of(tx);
	struct principal who =
	    sender != NULL ? principal_of_person(sender->person) : (struct principal){ 0 };
	char text[PRINCIPAL_TEXT];

	(void)snprintf(out, PRINCIPAL_TEXT, "%.*s", (int)strcspn(user, ":"), user);
	if (is_local(sender) && strcmp(principal_text(&who, text), user) == 0)
		(void)snprintf(out, PRINCIPAL_TEXT, "local:%s", sender->local);
}

static void
add_line(struct tx *tx, const struct audit_entry *entry, const char *user, const char *meta)
{
	const struct audit_code_row *row = &audit_code_rows[entry->code];
	enum audit_severity severity =
	    entry->at_least > row->severity ? entry->at_least : row->severity;
	const char *slash = entry->environment == NULL ? NULL : strchr(entry->environment, '/');
	char application[LIMIT_ENVIRONMENT] = "", principal[PRINCIPAL_TEXT], factor[PRINCIPAL_TEXT];
	struct principal proven = principal_of_person(tx->factor_of);
	struct audit_line line = {
		.at = tx->at,
		.user_id = user,
		.action = row->action,
		.environment = entry->environment,
		.commit = entry->commit,
		.outcome = entry->outcome == NULL ? "" : entry->outcome,
		.severity = audit_severity_word(severity),
		.deployment = entry->deployment,
		.meta = meta,
		.version = AUDIT_VERSION,
		.code = row->code,
		.principal = principal,
		.violation = row->violation,
		.application = entry->application != NULL ? entry->application : application,
		.need = row->need,
	};

	if (slash != NULL)
		text_setf(
		    application, "%.*s", (int)(slash - entry->environment), entry->environment);
	row_audit_principal(tx, user, principal);
	if (entry->principal != NULL)
		line.principal = entry->principal;
	if (tx->factor_of != 0 && strcmp(principal_text(&proven, factor), user) == 0)
		line.factor = "totp";
	insert(tx, &line);
	log_violation(tx, &line);
}

void
row_audit_add(struct tx *tx, const struct audit_entry *entry, const char *const *meta)
{
	const struct update *sender = sender_of(tx);
	char user[PRINCIPAL_TEXT], login[PRINCIPAL_NAME], late[TEXT_DURATION_SIZE] = "";
	CLEANUP(buf_done) struct buf text = buf_make(AUDIT_LINE_MAX / 2);
	const char *name;
	struct err why;

	split_user(entry->user == NULL ? "" : entry->user, user, login);
	if (row_witness_is_late(tx))
		(void)text_age(late, row_witness_lag(tx));
	name = write_meta(sender, meta, entry->source, late, &text);
	if (!buf_check(&text, &why) && why.code == ERR_LIMIT) { /* the entry matters more */
		buf_clear(&text);
		(void)write_meta(NULL, (const char *const[]){ "meta", "too long", NULL },
		    entry->source, late, &text);
	}
	tx_check(tx, &text);
	note_name(tx, user,
	    login[0] != '\0'			    ? login :
		is_local(sender) || is_page(sender) ? NULL :
						      name);
	add_line(tx, entry, user, buf_text(&text));
}

size_t
row_audit_list(struct tx *tx, int64_t deployment, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT seq FROM audit WHERE deployment = $1 AND deployment <> 0 ORDER BY seq LIMIT $2",
	    DB_I64(deployment), DB_I64(max));
}

TX_READER(read_shown, struct audit_shown, TX_I64(seq), TX_I64(at), TX_TEXT(code), TX_TEXT(user),
    TX_TEXT(name), TX_TEXT(environment), TX_TEXT(outcome))

#define SHOWN \
	"SELECT a.seq, a.at, CASE a.code WHEN '' THEN a.action ELSE a.code END, a.user_id," \
	" coalesce(p.name, ''), coalesce(a.environment, ''), a.outcome FROM audit a" \
	" LEFT JOIN person_name p ON p.who = a.user_id WHERE "

size_t
row_audit_list_newest(
    struct tx *tx, const char *environment, int64_t before, struct audit_shown ret[], size_t max)
{
	int64_t end = before == 0 ? INT64_MAX : before;

	if (environment[0] == '\0')
		return tx_read(tx, read_shown, ret, max,
		    SHOWN "a.seq < $1 ORDER BY a.seq DESC LIMIT $2", DB_I64(end), DB_I64(max));
	return tx_read(tx, read_shown, ret, max,
	    SHOWN "a.seq < $1 AND a.environment = $3 ORDER BY a.seq DESC LIMIT $2", DB_I64(end),
	    DB_I64(max), DB_TEXT(environment));
}

size_t
row_audit_list_after(struct tx *tx, int64_t after, struct audit_shown ret[], size_t max)
{
	return tx_read(tx, read_shown, ret, max, SHOWN "a.seq > $1 ORDER BY a.seq LIMIT $2",
	    DB_I64(after), DB_I64(max));
}

int64_t
row_audit_at(struct tx *tx, int64_t seq)
{
	return tx_number(tx, "SELECT at FROM audit WHERE seq = $1", DB_I64(seq));
}

bool
row_audit_is_written(const struct tx *tx)
{
	return tx->store->mark.audit.seq > tx->audit_from;
}

bool
row_audit_has_code(struct tx *tx, int64_t work, int64_t person)
{
	struct principal who = principal_of_person(person);
	char user[PRINCIPAL_TEXT];

	return tx_number(tx,
		   "SELECT COUNT(*) FROM audit INDEXED BY audit_deployment"
		   " WHERE deployment = $1 AND deployment <> 0 AND user_id = $2 AND factor IS NOT NULL",
		   DB_I64(work), DB_TEXT(principal_text(&who, user))) > 0;
}

int64_t
row_audit_newest(const struct tx *tx, char ret_head[LIMIT_AUDIT_HEAD])
{
	if (ret_head != NULL)
		audit_chain_short(&tx->store->mark.audit, ret_head);
	return tx->store->mark.audit.seq;
}

/* --- reading, outside a decision --- */

static void
read_hash(const struct db_rows *rows, int column, uint8_t ret[AUDIT_HASH])
{
	size_t size;
	const void *hash = db_col_blob(rows, column, &size);

	assert(size == AUDIT_HASH); /* the table's CHECK */
	memcpy(ret, hash, size);
}

bool
store_audit_head(struct db *db, struct audit_chain *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct audit_chain head = { 0 };
	int64_t is_now;

	if (!db_has(db, "audit", "version", &is_now, err) ||
	    !db_query(&rows, db, err,
		is_now != 0 ? "SELECT seq, hash, version FROM audit ORDER BY seq DESC LIMIT 1" :
			      "SELECT seq, hash, 1 FROM audit ORDER BY seq DESC LIMIT 1"))
		return false;
	if (db_next(&rows)) {
		head.seq = db_col_i64(&rows, 0);
		read_hash(&rows, 1, head.hash);
		head.version = db_col_i64(&rows, 2);
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

	read_hash(rows, 10, head.hash);
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
		.version = db_col_i64(rows, 11),
		.code = db_col_text(rows, 12),
		.principal = db_col_text(rows, 13),
		.violation = db_col_text(rows, 14),
		.application = db_col_text(rows, 15),
		.need = db_col_text(rows, 16),
		.factor = db_col_text(rows, 17),
	    },
	    out, err);
}

#define FIRST_COLUMNS \
	"SELECT seq, at, user_id, action, environment, commit_id, outcome, severity," \
	" deployment, meta, prev,"
#define LATER_COLUMNS " version, code, principal, violation_type, application, need, factor"
#define IN_ORDER      " FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2"

bool
store_audit_lines(
    struct db *db, int64_t from, int64_t max, struct buf *out, int64_t *ret_last, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t last = from - 1, is_now;

	if (!db_has(db, "audit", "version", &is_now, err) ||
	    !db_query(&rows, db, err,
		is_now != 0 ? FIRST_COLUMNS LATER_COLUMNS IN_ORDER :
			      FIRST_COLUMNS " 1, '', '', NULL, NULL, NULL, NULL" IN_ORDER,
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

/* How many of the page's lines fit, and their bytes. */
static int64_t
count_lines(const struct buf *page, size_t room, size_t *ret_size)
{
	const char *at = buf_text(page), *end = at + page->size;
	int64_t n = 0;

	*ret_size = 0;
	while (at < end) {
		const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;

		if (*ret_size + (size_t)(next - at) > room)
			break;
		*ret_size += (size_t)(next - at);
		at = next;
		n++;
	}
	return n;
}

/* The 16 digits of an entry; zeroes where there is none.  False: SQL failed. */
static bool
head_of(struct db *db, int64_t seq, char ret_head[LIMIT_AUDIT_HEAD], struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct audit_chain head = { .seq = seq };

	if (!db_query(&rows, db, err, "SELECT hash FROM audit WHERE seq = $1", DB_I64(seq)))
		return false;
	if (db_next(&rows))
		read_hash(&rows, 0, head.hash);
	audit_chain_short(&head, ret_head);
	return db_rows_end(&rows, err);
}

/* *ret_last: up to which entry the lines from `from` on are at most size_max bytes; its digits.
 * 0: there is none.  False: SQL failed. */
static bool
range(struct db *db, int64_t from, size_t size_max, int64_t *ret_last,
    char ret_head[LIMIT_AUDIT_HEAD], struct err *err)
{
	int64_t last = from - 1, page_last = 0, fits = 0, whole = 0;
	size_t size = 0, used = 0;
	CLEANUP(buf_done) struct buf page = buf_make((size_t)RANGE_PAGE * (AUDIT_LINE_MAX + 1));
	bool ok;

	*ret_last = 0;
	assert(size_max > AUDIT_LINE_MAX);
	do {
		buf_clear(&page);
		ok = store_audit_lines(db, last + 1, RANGE_PAGE, &page, &page_last, err);
		whole = page_last - last;
		fits = ok ? count_lines(&page, size_max - used, &size) : 0;
		used += size;
		last += fits;
	} while (ok && fits == RANGE_PAGE && fits == whole);
	if (!ok || last < from)
		return ok;
	*ret_last = last;
	return head_of(db, last, ret_head, err);
}

int64_t
row_audit_range(struct tx *tx, int64_t from, size_t size_max, char ret_head[LIMIT_AUDIT_HEAD])
{
	int64_t last = 0;

	tx->failed = tx->failed || !range(tx->store->db, from, size_max, &last, ret_head, &tx->err);
	return tx->failed ? 0 : last;
}

void
row_audit_head_of(struct tx *tx, int64_t seq, char ret_head[LIMIT_AUDIT_HEAD])
{
	ret_head[0] = '\0';
	tx->failed = tx->failed || !head_of(tx->store->db, seq, ret_head, &tx->err);
}
