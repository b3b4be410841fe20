/* store_inside.h - what the files of this room share; nobody else includes it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What stands in memory beside the rows is of two kinds.  `mark` is restored with a savepoint and
 * with the transaction.  All else is only ever too careful (a lane looked at in vain, a file
 * written again) and need not be restored.
 */
#pragma once

#include "deployment/deployment.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/db.h"
#include "store/audit_chain.h"
#include "store/audit_segment.h"
#include "store/store.h"
#include "store/store_ids.h"
#include "store/store_names.h"

/* A deployment's class as SQL has it: the same text in the partial indexes and in the queries that
 * are to use them.  Not IN (...): SQLite fills a tree of its own with such a list each time it
 * runs a statement that looks at it, and that is most of an UPDATE.  '' is no state of a row. */
#define STORE_ACTIVE_OPEN(row)
#define STORE_ACTIVE_QUEUED(row)
#define STORE_ACTIVE_ACTIVE(row) " OR state = '" row "'"
#define STORE_ACTIVE_FINAL(row)
#define STORE_ASKING_OPEN(row) " OR state = '" row "'"
#define STORE_ASKING_QUEUED(row)
#define STORE_ASKING_ACTIVE(row)
#define STORE_ASKING_FINAL(row)
#define STORE_FINAL_OPEN(row)
#define STORE_FINAL_QUEUED(row)
#define STORE_FINAL_ACTIVE(row)
#define STORE_FINAL_FINAL(row)			  " AND state <> '" row "'"
#define STORE_WORD_ACTIVE(name, row, word, class) STORE_ACTIVE_##class(row)
#define STORE_WORD_ASKING(name, row, word, class) STORE_ASKING_##class(row)
#define STORE_WORD_FINAL(name, row, word, class)  STORE_FINAL_##class(row)
/* It keeps its environment busy; a pipeline and a loan go on beside that. */
#define STORE_IS_IN_PROGRESS "(state = ''" DEPLOY_STATES(STORE_WORD_ACTIVE) ")"
#define STORE_IS_ACTIVE \
	STORE_IS_IN_PROGRESS " AND action <> 'run-pipeline' AND action <> 'lend-secret'"
#define STORE_IS_PIPELINE    STORE_IS_IN_PROGRESS " AND action = 'run-pipeline'"
#define STORE_IS_ASKING				  "(state = ''" DEPLOY_STATES(STORE_WORD_ASKING) ")"
#define STORE_IS_OPEN				  "(state <> ''" DEPLOY_STATES(STORE_WORD_FINAL) ")"
/* A branch that moved set it off, and nobody asked for it. */
#define STORE_PUSH_REQUEST(word)
#define STORE_PUSH_PUSH(word)		  " OR cause = '" word "'"
#define STORE_WORD_PUSH(name, word, by)	  STORE_PUSH_##by(word)
#define STORE_IS_PUSH			  "(cause = ''" TRIGGERS(STORE_WORD_PUSH) ")"
/* In its queue: behind rollbacks and emergencies. */
#define STORE_STANDS_BEHIND "(program <> 'rollback' AND emergency = '')"
/* Work that changes what is live: an action does not. */
#define STORE_CHANGES_RELEASE "(program = 'deploy' OR program = 'rollback')"
/* Such work ran and is over: the other ends are of those that never began. */
#define STORE_HAS_RUN \
	"(state = 'LIVE' OR state = 'FAILED' OR state = 'ROLLED_BACK'" \
	" OR state = 'ROLLBACK_FAILED') AND " STORE_CHANGES_RELEASE

/* It brings what is live there to hosts that lag (promotion_is_own()). */
#define STORE_IS_TO_HOSTS \
	"EXISTS (SELECT 1 FROM promotion WHERE promotion.work = work.id" \
	" AND promotion.from_environment = work.environment)"

/* Of a run: it ended by itself before its release began. */
#define STORE_RUN_CHANGED_NOTHING \
	"signal_number = 0 AND (exit_status = -1 OR (exit_status > 0 AND NOT EXISTS" \
	" (SELECT 1 FROM run_step WHERE run_step.run = run.id AND name = 'release')))"

/* The kinds of effects that have a column, as SQL: (kind = ''" OR ... OR ... ")". */
#define STORE_OR_true(word) " OR kind = '" word "'"
#define STORE_OR_false(word)

struct store_mark {
	struct audit_chain audit; /* the chain's head */
	int64_t audit_seen;	  /* up to that entry a handler has seen what is written */
	int64_t n_outbox;	  /* open effects of the outbox (effect.def) */
	struct store_ids ids;
};

/* What was handed out of a lane and has no result yet. */
struct lane_head {
	int64_t id;
	char lane[STORE_LANE];
	bool is_new;  /* handed out by the transaction in progress */
	bool is_gone; /* closed by it */
};

struct lanes {
	size_t n_heads;
	struct lane_head *heads;
	struct store_names touched; /* all: lanes were renamed, or one could not be noted */
};

struct poison;

struct store {
	struct db *db;
	struct store_config config;
	char *path;
	char *audit_path;
	char *environments_path;
	struct settings *settings; /* of the newest event */
	int64_t at;		   /* of the newest event */
	struct store_mark mark;
	struct lanes lanes;
	struct poison *poison;
	bool is_recovered; /* what was open is out */
	int64_t log_last;  /* of the log that was moved away at this start; 0: none was */

	/* Projections. */
	int64_t exported_seq;	      /* newest entry known to stand in the audit file */
	int64_t exported_size;	      /* the file's size then; -1: compare it first */
	int64_t exported_first;	      /* its first entry; 0: it is empty */
	char exported_day[AUDIT_DAY]; /* the day of that entry */
	bool audit_refused;	      /* logged already */
	bool environments_refused;
	struct store_names stale; /* whose state files are to be written */

	/* Gauges. */
	struct store_names changed; /* rows that they are made of */
	int64_t pruned_at; /* wall ms: closed files of the audit log were looked at; 0: not yet */
	bool are_tokens_stale;	    /* the loop has others, or none yet */
	bool are_peers_stale;	    /* the same */
	bool is_outside_changed;    /* a row of who gets the audit outside was */
	struct gauges gauges;	    /* as last handed out, without the environments */

	/* Closed files of the audit log that may go, once an entry says so: from the first entry of
	 * the oldest to the last one of the newest; 0: none. */
	int64_t removable_first, removable;
};

/* --- store.c --- */

/* Time and settings of the newest event; both may be missing in it. */
void store_remember(struct store *store, struct settings *settings, int64_t at);

/* --- store_schema.c --- */

int64_t store_schema_newest(void);

/* The statements of the migration to that version, NULL behind the last. */
const char *const *store_schema_sql(int64_t version);

/* Brings the database to that version, or refuses one that is newer.  A new one is made by
 * store_schema.sql, which is what all migrations make: test_store_schema_new compares it with them,
 * and writes it anew where SCHEMA_SQL names it.  copy_of: its path, where it is copied beside
 * itself before the first migration; NULL: no copy. */
bool store_schema_migrate(struct db *db, const char *copy_of, int64_t to, struct err *err) MUST_USE;

/* --- store_copy.c --- */

/* Copies the database `path` to `path`.v<version>, checked and on disk; of these the newest two are
 * kept.  False: *err says what to do, and the older copies are as they were. */
bool store_copy_make(const char *path, int64_t version, struct err *err) MUST_USE;

/* --- store_lane.c --- */

/* Messages of a chat have seven lanes: no alarm and no answer waits for the others, what is new for
 * no edit, an edit that takes buttons away for none that does not, and nobody for what is held
 * back, or for what is pinned and waits until the chat is quiet. */
enum store_lane_part {
	STORE_LANE_REST,
	STORE_LANE_EDITS,
	STORE_LANE_ANSWERS,
	STORE_LANE_ALARMS,
	STORE_LANE_CLOSING,
	STORE_LANE_HELD,
	STORE_LANE_PINNED,
	STORE_LANE_PARTS,
};

/* A kind's lane of that chat; of that environment. */
void store_lane_of_chat(
    char out[STORE_LANE], enum effect_kind kind, enum store_lane_part part, int64_t chat);
void store_lane_of_polls(char out[STORE_LANE], const char *environment);
void store_lane_of_environment(char out[STORE_LANE], enum effect_kind kind, const char *name);
/* The one that the effect stands in; "": none. */
void store_lane_of(char out[STORE_LANE], const struct effect *effect);
void store_lane_touch(struct store *store, const char *lane);
void store_lane_touch_all(struct store *store);
bool store_lane_is_handed(const struct store *store, int64_t id);

/* Inside the transaction: hands out the head of each lane that has none out. */
bool store_lane_advance(struct store *store, struct queue_list *out, struct err *err) MUST_USE;

/* The transaction is durable, or is not and never happened. */
void store_lane_close(struct store *store, bool committed);

/* At start: every open effect, marked is_recovered. */
bool store_lane_recover(struct store *store, struct queue_list *out, struct err *err) MUST_USE;
void store_lane_done(struct store *store);

/* Reads into each RUN its message and when it was started, as both stand at the end of the
 * transaction. */
bool store_lane_fill_runs(struct store *store, struct queue_list *out, struct err *err) MUST_USE;

/* --- store_message.c --- */

/* False with *ret all zero: there is no such row (ERR_MISSING), or SQL failed. */
bool store_message_load(struct db *db, int64_t id, struct message *ret, struct err *err) MUST_USE;

/* The same as its chat is to show it: with what stands below what was decided. */
bool store_message_show(struct db *db, int64_t id, struct message *ret, struct err *err) MUST_USE;

/* At a start: what was in hand for the first time may have been sent, and Telegram says neither
 * whether nor as what.  It is sent, and says from then on that it may stand there twice. */
bool store_message_mark_twice(struct db *db, struct err *err) MUST_USE;

/* The same of one message. */
bool store_message_mark(struct db *db, int64_t id, struct err *err) MUST_USE;

/* --- row_audit.c --- */

bool store_audit_head(struct db *db, struct audit_chain *ret, struct err *err) MUST_USE;

/* Appends the lines of entries from..(from + max - 1), each with its newline; returns the last
 * seq in *ret_last (from - 1: none). */
bool store_audit_lines(struct db *db, int64_t from, int64_t max, struct buf *out, int64_t *ret_last,
    struct err *err) MUST_USE;

/* --- row_host.c --- */

/* Which hosts a run is for, or a probe by a template: its hosts, made anew.  is_back: in groups
 * by what each ran before; else behind those of which nothing is known, by what each should run. */
bool store_host_lines(
    struct store *store, struct effect *effect, bool is_back, struct err *err) MUST_USE;

/* --- row_witness.c --- */

/* Up to which entry the witness of the newest settings has confirmed; 0: nothing, or none. */
bool store_witness_confirmed(
    struct store *store, int64_t *ret, int64_t *ret_removed, struct err *err) MUST_USE;

/* What waits for it. */
bool store_witness_waiting(struct store *store, struct gauges *ret, struct err *err) MUST_USE;

/* --- store_gauges.c --- */

/* Inside the transaction; appends gauges and tokens when they changed. */
bool store_gauges_add(struct store *store, struct queue_list *out, struct err *err) MUST_USE;

/* --- store_poison.c --- */

struct poison *store_poison_open(const char *path, struct err *err) MUST_USE;
void store_poison_close(struct poison *poison); /* takes NULL, as the others */
/* The key ended the program three times, whatever ended it between, or thirty in a row for want of
 * memory: quarantine its event. */
bool store_poison_is(const struct poison *poison, const char *key);
bool store_poison_is_empty(const struct poison *poison);
/* It was decided on or quarantined, and that is on disk: its count ends. */
void store_poison_forget(struct poison *poison, const char *key);
void store_poison_enter(struct poison *poison, const char *key);
void store_poison_leave(struct poison *poison);

/* --- tx.c --- */

void tx_begin(struct tx *tx, struct store *store, const struct event *event);
struct outcome *tx_outcome(struct tx *tx, enum outcome_kind kind);
/* A number that no decision stands behind. */
void store_count_metric(struct queue_list *out, enum metric_increment_kind kind, double value);

/* A line for the log, as tx_log() keeps it. */
struct tx_line {
	struct queue_link link;
	enum log_level level;
	char text[LIMIT_LINE + 128];
};
void tx_free_lines(struct queue_list *list);

/* As db_post and db_query, but sticky. */
#define tx_run(tx, ...) tx_run_sql(tx, DB_SQL(__VA_ARGS__))
bool tx_run_sql(struct tx *tx, const struct db_sql *sql);
/* How many rows the statement changed, or the one before; 0 once the tx has failed. */
#define tx_changes(tx, ...) (tx_run(tx, __VA_ARGS__) ? tx_changed(tx) : 0)
/* As tx_run, of what only says or counts something: a decision that writes nothing else has done
 * nothing, and needs no second factor (tx_try.h). */
#define tx_say(tx, ...) tx_say_sql(tx, DB_SQL(__VA_ARGS__))
bool tx_say_sql(struct tx *tx, const struct db_sql *sql);
#define tx_query(rows, tx, ...) tx_query_sql(rows, tx, DB_SQL(__VA_ARGS__))
bool tx_query_sql(struct db_rows *rows, struct tx *tx, const struct db_sql *sql);
/* Ends the query; its failure is the tx's. */
bool tx_end(struct tx *tx, struct db_rows *rows);

/* Reads `max` rows at the most into an array; returns how many, 0 once the tx has failed. */
typedef void tx_read_row(const struct db_rows *rows, void *ret);
#define tx_read(tx, read, ret, max, ...) \
	tx_read_sql(tx, read, ret, sizeof(*(ret)), max, DB_SQL(__VA_ARGS__))
size_t tx_read_sql(struct tx *tx, tx_read_row *read, void *ret, size_t size, size_t max,
    const struct db_sql *sql);

/* Rows of one column: an int64_t; the name of an environment, a char[LIMIT_ENVIRONMENT]. */
tx_read_row tx_read_number, tx_read_environment;

/* The first row as a struct; all zero where there is none. */
#define tx_first(tx, type, read, ...) \
	(*(type *)tx_first_sql(tx, read, &(type){ 0 }, sizeof(type), DB_SQL(__VA_ARGS__)))
/* Of a struct above 1 KB, which is never copied: into *ret, which it gives. */
#define tx_first_to(tx, read, ret, ...) \
	tx_first_sql(tx, read, ret, sizeof(*(ret)), DB_SQL(__VA_ARGS__))
void *tx_first_sql(
    struct tx *tx, tx_read_row *read, void *ret, size_t size, const struct db_sql *sql);

/* The first row's text, cut to fit; "" where there is none. */
#define tx_first_text(tx, out, room, ...) \
	tx_first_text_sql(tx, out, room, DB_SQL(__VA_ARGS__))
const char *tx_first_text_sql(struct tx *tx, char *out, size_t room, const struct db_sql *sql);

/* A tx_read_row: fields of a struct in the order of the statement's columns; the others are 0. */
#define TX_READER(name, type, ...) \
	static void name(const struct db_rows *rows, void *out) \
	{ \
		type *ret = out; \
		int n = 0; \
		*ret = (type){ 0 }; \
		__VA_ARGS__; \
	}
#define TX_I64(field)	      tx_i64(rows, n++, &ret->field)
/* Or an enum. */
#define TX_INT(field)	      (ret->field = (__typeof__(ret->field))db_col_i64(rows, n++))
#define TX_FLAG(field)	      (ret->field = db_col_i64(rows, n++) != 0)
#define TX_TEXT(field)	      tx_text(rows, n++, ret->field, sizeof(ret->field))
#define TX_WORD(field, parse) (ret->field = parse(db_col_text(rows, n++)))
#define TX_SOURCE(field)      TX_WORD(field, commit_source_of) /* no other is written */

/* The number in the first row's first column; 0 where there is none. */
#define tx_number(tx, ...) tx_number_sql(tx, DB_SQL(__VA_ARGS__))
int64_t tx_number_sql(struct tx *tx, const struct db_sql *sql);

/* The MAC of data in hex; what is looked up by it takes as long whatever the data is. */
bool tx_mac(struct tx *tx, const void *key, size_t key_size, const void *data, size_t size,
    char ret[CRYPTO_SHA256_HEX]);

/* Copies a text column, cut to fit; NULL is "". */
void tx_text(const struct db_rows *rows, int column, char *out, size_t room);
/* By a pointer, or a person's id would be cut in a field of another type. */
void tx_i64(const struct db_rows *rows, int column, int64_t *ret);
