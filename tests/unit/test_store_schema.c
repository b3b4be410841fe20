/* Goal: a database of any release is understood, brought up to date, or refused in words.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "deployment/deployment.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/file.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"

#define TEXT_MAX 65536

/* What each released version left, by its own code: see tests/fixtures/README.md. */
static const struct {
	const char *name;
	int64_t version;
} released[] = { { "0.1.0", 1 }, { "8e78ade", 2 } };

static int
setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_close(aid.store);
	aid.store = NULL;
	*state = &aid;
	return 0;
}

static int
teardown(void **state)
{
	store_aid_close(*state);
	return 0;
}

static struct db *
open_database(struct store_aid *aid)
{
	struct db *db = db_open(aid->path, 0, &aid->err);

	assert_non_null(db);
	return db;
}

static int64_t
version_of(struct store_aid *aid, struct db *db)
{
	int64_t version = 0;

	assert_true(db_user_version(db, &version, &aid->err));
	return version;
}

/* --- databases beside the store's --- */

/* A new and empty one; its name goes with the folder. */
static struct db *
make_empty(struct store_aid *aid, const char *name)
{
	char path[160];
	struct db *db;

	(void)snprintf(path, sizeof(path), "%s/%s", aid->folder, name);
	assert_int_not_equal(access(path, F_OK), 0);
	db = db_open(path, 0, &aid->err);
	assert_non_null(db);
	return db;
}

static struct db *
make_fresh(struct store_aid *aid, const char *name, int64_t version)
{
	struct db *db = make_empty(aid, name);

	if (!store_schema_migrate(db, NULL, version, &aid->err))
		fail_msg("%s", aid->err.text);
	return db;
}

/* The tables that a released version made, by the text that its database has of them. */
static struct db *
make_released(struct store_aid *aid, size_t i)
{
	struct db *db = make_empty(aid, released[i].name);
	char path[160];
	char *schema;

	(void)snprintf(path, sizeof(path), "tests/fixtures/%s/schema.sql", released[i].name);
	schema = store_aid_read(path);
	if (!db_script(db, schema, &aid->err))
		fail_msg("%s: %s", path, aid->err.text);
	free(schema);
	assert_int_equal(version_of(aid, db), released[i].version);
	return db;
}

static struct db *
make_upgraded(struct store_aid *aid, size_t i)
{
	struct db *db = make_released(aid, i);

	if (!store_schema_migrate(db, NULL, store_schema_newest(), &aid->err))
		fail_msg("%s: %s", released[i].name, aid->err.text);
	return db;
}

/* sqlite_master, row by row, in an order that upgrades do not change; the caller frees it. */
static char *
schema_of(struct store_aid *aid, struct db *db)
{
	struct db_rows rows = { 0 };
	struct buf text;
	char *copy;

	buf_init(&text, TEXT_MAX);
	assert_true(db_query(&rows, db, &aid->err,
	    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
	    " ORDER BY type, name"));
	while (db_next(&rows))
		for (int c = 0; c < 4; c++)
			buf_addf(&text, "%s%s", db_col_text(&rows, c), c < 3 ? "|" : "\n");
	assert_true(db_rows_end(&rows, &aid->err));
	copy = strdup(buf_text(&text));
	assert_non_null(copy);
	assert_false(buf_failed(&text));
	buf_done(&text);
	return copy;
}

static void
expect_same_schema(struct store_aid *aid, struct db *one, struct db *other, const char *why)
{
	char *left = schema_of(aid, one), *right = schema_of(aid, other);

	if (strcmp(left, right) != 0)
		fail_msg("%s:\n%s\nand\n%s", why, left, right);
	free(left);
	free(right);
	db_close(one);
	db_close(other);
}

static void
expect_no_row(struct store_aid *aid, struct db *db, const char *pragma, const char *unless)
{
	struct db_rows rows = { 0 };

	assert_true(db_query(&rows, db, &aid->err, pragma));
	while (db_next(&rows))
		if (unless == NULL || strcmp(db_col_text(&rows, 0), unless) != 0)
			fail_msg("%s: %s", pragma, db_col_text(&rows, 0));
	assert_true(db_rows_end(&rows, &aid->err));
}

/* --- versions --- */

static void
a_database_of_a_newer_version_is_refused(void **state)
{
	struct store_aid *aid = *state;
	struct db *db = open_database(aid);

	assert_true(db_set_user_version(db, 1000, &aid->err));
	db_close(db);
	assert_null(store_open(&aid->config, &aid->err));
	assert_int_equal(aid->err.code, ERR_CONFIG);
	assert_non_null(strstr(aid->err.text, "1000"));
}

static void
an_upgraded_database_has_the_schema_of_a_fresh_one(void **state)
{
	struct store_aid *aid = *state;

	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *upgraded = make_upgraded(aid, i), *fresh;
		char name[32];

		(void)snprintf(name, sizeof(name), "fresh-%zu", i);
		fresh = make_fresh(aid, name, store_schema_newest());
		assert_int_equal(version_of(aid, upgraded), version_of(aid, fresh));
		expect_no_row(aid, upgraded, "PRAGMA integrity_check", "ok");
		expect_no_row(aid, upgraded, "PRAGMA foreign_key_check", NULL);
		expect_same_schema(aid, upgraded, fresh, released[i].name);
	}
}

/* A released migration makes what it made then, to the letter. */
static void
released_migrations_are_frozen(void **state)
{
	struct store_aid *aid = *state;

	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *then = make_released(aid, i), *now;
		char why[120], name[32];

		(void)snprintf(name, sizeof(name), "now-%zu", i);
		(void)snprintf(why, sizeof(why),
		    "migration %lld was edited after its release (%s): write another one",
		    (long long)released[i].version, released[i].name);
		now = make_fresh(aid, name, released[i].version);
		expect_same_schema(aid, then, now, why);
	}
}

/* --- what a migration makes of rows --- */

static void
add_history(struct store_aid *aid, struct db *db)
{
	/* A, B; back to A; forward to B again, as it was then; C; C once more fails: B is back. */
	static const struct {
		const char *environment, *program, *state, *commit, *previous, *released;
	} rows[] = {
		{ "staging", "deploy", "LIVE", "aaaa", "", "aaaa" },
		{ "production", "deploy", "LIVE", "aaaa", "", "aaaa" },
		{ "staging", "deploy", "LIVE", "bbbb", "aaaa", "bbbb" },
		{ "staging", "rollback", "LIVE", "aaaa", "bbbb", "aaaa" },
		{ "staging", "rollback", "LIVE", "bbbb", "aaaa", "bbbb" },
		{ "staging", "deploy", "LIVE", "cccc", "bbbb", "cccc" },
		{ "staging", "deploy", "ROLLED_BACK", "cccc", "bbbb", "bbbb" },
		{ "staging", "deploy", "ROLLED_BACK", "dddd", "bbbb", NULL },
		{ "production", "deploy", "LIVE", "bbbb", "aaaa", "bbbb" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(db_run(db, &aid->err,
		    "INSERT INTO deployment VALUES ($1, $2, $3, 'chat', $4, 'NONE', $5, '', '', '',"
		    " '', 0, 0, $6, '', 11, '@ada', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', 1, 2, $7)",
		    DB_I64(i + 1), DB_TEXT(rows[i].environment), DB_TEXT(rows[i].program),
		    DB_TEXT(rows[i].state), DB_TEXT(rows[i].commit), DB_TEXT(rows[i].previous),
		    DB_I64(1000 + i)));
		if (rows[i].released != NULL)
			assert_true(db_run(db, &aid->err,
			    "INSERT INTO release (environment, commit_id, image, at, deployment,"
			    " released_by, subject) VALUES ($1, $2, '', 3, $3, '@ada', '')",
			    DB_TEXT(rows[i].environment), DB_TEXT(rows[i].released),
			    DB_I64(i + 1)));
	}
	assert_true(db_script(db,
	    "INSERT INTO environment (name, current_release, previous_release, held_commit,"
	    " seen_commit, is_down, is_unacknowledged) VALUES ('staging', 7, 6, 'dddd', '', 0, 1),"
	    " ('production', 8, 2, 'bbbb', '', 0, 0), ('demo', 0, 0, '', '', 0, 0);",
	    &aid->err));
}

static void
expect_rows(struct store_aid *aid, struct db *db, const char *sql, const char *expected)
{
	struct db_rows rows = { 0 };
	struct buf text;

	buf_init(&text, TEXT_MAX);
	assert_true(db_query(&rows, db, &aid->err, sql));
	while (db_next(&rows))
		buf_addf(&text, "%s\n", db_col_text(&rows, 0));
	assert_true(db_rows_end(&rows, &aid->err));
	assert_string_equal(buf_text(&text), expected);
	buf_done(&text);
}

static void
releases_and_blocks_of_before_are_numbered_left_and_listed(void **state)
{
	struct store_aid *aid = *state;

	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *db = make_released(aid, i);

		add_history(aid, db);
		if (!store_schema_migrate(db, NULL, store_schema_newest(), &aid->err))
			fail_msg("%s: %s", released[i].name, aid->err.text);
		expect_rows(aid, db,
		    "SELECT id || ' ' || environment || ' ' || number || ' of ' || origin || ' by '"
		    " || left_by FROM release ORDER BY id",
		    "1 staging 1 of 1 by 0\n"
		    "2 production 1 of 2 by 0\n"
		    "3 staging 2 of 3 by 4\n"
		    "4 staging 3 of 1 by 5\n"
		    "5 staging 4 of 3 by 7\n"
		    "6 staging 5 of 6 by 7\n"
		    "7 staging 6 of 3 by 0\n"
		    "8 production 2 of 8 by 0\n");
		expect_rows(aid, db,
		    "SELECT COUNT(*) FROM release WHERE renumbered_at BETWEEN"
		    " strftime('%s', 'now') * 1000 - 600000 AND strftime('%s', 'now') * 1000",
		    "8\n");
		expect_rows(aid, db,
		    "SELECT environment || ' ' || commit_id || ' ' || blocked_by || ' ' || at || ' '"
		    " || why FROM block",
		    "staging dddd deploybot 1007 \n"); /* what is live is never blocked */
		expect_rows(aid, db, "SELECT DISTINCT held_commit FROM environment", "\n");
		db_close(db);
	}
}

/* --- today's tables against the frozen CHECKs and indexes --- */

static void
expect_taken(
    struct store_aid *aid, struct db *db, const char *what, const char *word, const char *sql)
{
	if (!db_run(db, &aid->err, sql, DB_TEXT(word)))
		fail_msg("the frozen CHECK of %s refuses %s: a new migration %lld has to make the "
			 "table anew (%s)",
		    what, word, (long long)store_schema_newest() + 1, aid->err.text);
	assert_true(db_run(db, &aid->err, "DELETE FROM run"));
	assert_true(db_run(db, &aid->err, "DELETE FROM deployment WHERE id <> 1"));
}

#define ADD_DEPLOYMENT(program, cause, state, why) \
	"INSERT INTO deployment (environment, program, cause, state, why, commit_id, image, ref," \
	" subject, author, is_forced, is_foreign, previous, previous_image, asked_by, asker," \
	" chat, thread, message, also_message, run, attempts, is_touched, has_no_way_back, urls," \
	" detail, note, requested_at, started_at, ended_at) VALUES ('qa', " program ", " cause \
	", " state ", " why ", '', '', '', '', '', 0, 0, '', '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0," \
	" '', '', '', 0, 0, 0)"
#define ADD_RUN \
	"INSERT INTO run (deployment, program, pid, start_time, boot, ordered_at, started_at," \
	" ended_at, exit_status, signal_number, duration_ms, detail, is_purged)" \
	" VALUES (1, $1, 0, 0, '', 0, 0, 0, 0, 0, 0, '', 0)"

static void
no_word_of_today_is_refused_by_a_frozen_check(void **state)
{
	static const char *const programs[] = { "deploy", "rollback" };
	static const char *const causes[] = {
#define T(name, word) word,
		TRIGGERS(T)
#undef T
	};
	static const char *const whys[] = {
#define W(name, row, word) row,
		DEPLOY_WHYS(W)
#undef W
	};
	struct store_aid *aid = *state;
	struct db *db = make_fresh(aid, "today", store_schema_newest());

	assert_int_equal(PROGRAM_ROLLBACK + 1, COUNT(programs));
	assert_true(
	    db_run(db, &aid->err, ADD_DEPLOYMENT("'deploy'", "'chat'", "'LIVE'", "'NONE'")));
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		expect_taken(aid, db, "state", deploy_flow_name((enum deploy_state)s),
		    ADD_DEPLOYMENT("'deploy'", "'chat'", "$1", "'NONE'"));
	for (size_t w = 0; w < COUNT(whys); w++)
		expect_taken(
		    aid, db, "why", whys[w], ADD_DEPLOYMENT("'deploy'", "'chat'", "'LIVE'", "$1"));
	for (size_t c = 0; c < COUNT(causes); c++)
		expect_taken(aid, db, "cause", causes[c],
		    ADD_DEPLOYMENT("'deploy'", "$1", "'LIVE'", "'NONE'"));
	for (size_t p = 0; p < COUNT(programs); p++) {
		expect_taken(aid, db, "program", programs[p],
		    ADD_DEPLOYMENT("$1", "'chat'", "'LIVE'", "'NONE'"));
		expect_taken(aid, db, "a run's program", programs[p], ADD_RUN);
	}
	assert_false(db_run(db, &aid->err, /* or nothing of the above says anything */
	    ADD_DEPLOYMENT("'deploy'", "'chat'", "$1", "'NONE'"), DB_TEXT("NOWHERE")));
	db_close(db);
}

static void
expect_where(
    struct store_aid *aid, struct db *db, const char *of, const char *index, const char *wanted)
{
	struct db_rows rows = { 0 };
	const char *where;

	assert_true(db_query(&rows, db, &aid->err,
	    "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = $1", DB_TEXT(index)));
	if (!db_next(&rows))
		fail_msg("%s: there is no index %s", of, index);
	where = strstr(db_col_text(&rows, 0), " WHERE ");
	if (where == NULL || strcmp(where + strlen(" WHERE "), wanted) != 0)
		fail_msg("%s: index %s has%s, and today's states need %s: a new migration %lld has "
			 "to drop and make it",
		    of, index, where == NULL ? " no WHERE" : where, wanted,
		    (long long)store_schema_newest() + 1);
	db_rows_close(&rows);
}

static void
expect_indexes(struct store_aid *aid, struct db *db, const char *of)
{
	struct buf queued;

	buf_init(&queued, 1024);
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		if (deploy_flow_class((enum deploy_state)s) == DEPLOY_CLASS_QUEUED)
			buf_addf(&queued, "%sstate = '%s'", queued.size == 0 ? "" : " OR ",
			    deploy_flow_name((enum deploy_state)s));
	expect_where(aid, db, of, "deployment_active", STORE_IS_ACTIVE);
	expect_where(aid, db, of, "deployment_queued", buf_text(&queued));
	expect_where(aid, db, of, "deployment_open", STORE_IS_OPEN);
	expect_where(aid, db, of, "deployment_live", "state = 'LIVE' AND program = 'deploy'");
	expect_where(aid, db, of, "deployment_ended", STORE_HAS_RUN);
	buf_done(&queued);
	db_close(db);
}

/* A state that is active today is none of a frozen index: its environment would not be busy. */
static void
partial_indexes_are_those_of_todays_states(void **state)
{
	struct store_aid *aid = *state;

	expect_indexes(aid, make_fresh(aid, "fresh", store_schema_newest()), "a fresh database");
	for (size_t i = 0; i < COUNT(released); i++)
		expect_indexes(aid, make_upgraded(aid, i), released[i].name);
}

/* --- the copy before a migration --- */

/* The store's database as that version made it. */
static void
become(struct store_aid *aid, int64_t version)
{
	struct db *db;

	assert_int_equal(unlink(aid->path), 0); /* it was closed: nothing is beside it */
	db = open_database(aid);
	assert_true(store_schema_migrate(db, NULL, version, &aid->err));
	db_close(db);
}

static char *
copy_name(struct store_aid *aid, const char *suffix)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s%s", aid->path, suffix);
	return path;
}

static bool
is_copied(struct store_aid *aid, const char *suffix)
{
	return access(copy_name(aid, suffix), F_OK) == 0;
}

static void
a_copy_is_made_before_a_migration_and_at_no_other_start(void **state)
{
	struct store_aid *aid = *state;
	struct stat st;
	struct db *db;

	assert_false(is_copied(aid, ".v1") || is_copied(aid, ".v2")); /* it was made anew */
	become(aid, 1);
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	assert_int_equal(stat(copy_name(aid, ".v1"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db = db_open(copy_name(aid, ".v1"), 0, &aid->err);
	assert_non_null(db);
	assert_int_equal(version_of(aid, db), 1);
	db_close(db);
	db = open_database(aid);
	assert_int_equal(version_of(aid, db), store_schema_newest());
	db_close(db);
	assert_int_equal(unlink(copy_name(aid, ".v1")), 0);
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	assert_false(is_copied(aid, ".v1") || is_copied(aid, ".v2"));
}

static void
without_a_copy_nothing_is_migrated_unless_that_was_said(void **state)
{
	struct store_aid *aid = *state;
	struct db *db;

	become(aid, 1);
	assert_int_equal(mkdir(copy_name(aid, ".v1"), 0700), 0); /* no file gets this name */
	assert_null(store_open(&aid->config, &aid->err));
	assert_non_null(strstr(aid->err.text, "--no-copy"));
	assert_false(is_copied(aid, ".v1.new") || is_copied(aid, ".v1.new.partial"));
	assert_int_equal(rmdir(copy_name(aid, ".v1")), 0);
	assert_int_equal(mkdir(copy_name(aid, ".v1.new.partial"), 0700), 0); /* nor is it begun */
	assert_null(store_open(&aid->config, &aid->err));
	db = open_database(aid);
	assert_int_equal(version_of(aid, db), 1);
	db_close(db);
	aid->config.no_copy = true;
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	db = open_database(aid);
	assert_int_equal(version_of(aid, db), store_schema_newest());
	db_close(db);
	assert_false(is_copied(aid, ".v1"));
}

/* The newest two by version; an older one of the same version is replaced, whatever a killed start
 * left on the way is too, and files that are called otherwise stay. */
static void
of_the_copies_the_last_two_are_kept(void **state)
{
	static const char *const before[] = { ".v2", ".v3", ".v4", ".v5", ".v5.new", ".v7",
		".v3x" };
	struct store_aid *aid = *state;
	struct stat st;

	for (size_t i = 0; i < COUNT(before); i++)
		assert_true(file_write(copy_name(aid, before[i]), "older", 5, 0600, &aid->err));
	assert_true(store_copy_make(aid->path, 5, &aid->err));
	assert_int_equal(stat(copy_name(aid, ".v5"), &st), 0);
	assert_true(st.st_size > 4096);
	assert_true(is_copied(aid, ".v4") && is_copied(aid, ".v7") && is_copied(aid, ".v3x"));
	assert_false(is_copied(aid, ".v2") || is_copied(aid, ".v3") || is_copied(aid, ".v5.new"));
}

/* Of another user, or a folder: room on the disk would not help. */
static void
what_is_in_the_way_of_a_copy_is_named(void **state)
{
	struct store_aid *aid = *state;

	assert_int_equal(mkdir(copy_name(aid, ".v5.new"), 0700), 0);
	assert_false(store_copy_make(aid->path, 5, &aid->err));
	assert_non_null(strstr(aid->err.text, "upgrade: remove what is in its way, or start"));
	assert_non_null(strstr(aid->err.text, ".v5.new is a folder"));
	assert_int_equal(rmdir(copy_name(aid, ".v5.new")), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_database_of_a_newer_version_is_refused),
		TEST(an_upgraded_database_has_the_schema_of_a_fresh_one),
		TEST(released_migrations_are_frozen),
		TEST(releases_and_blocks_of_before_are_numbered_left_and_listed),
		TEST(no_word_of_today_is_refused_by_a_frozen_check),
		TEST(partial_indexes_are_those_of_todays_states),
		TEST(a_copy_is_made_before_a_migration_and_at_no_other_start),
		TEST(without_a_copy_nothing_is_migrated_unless_that_was_said),
		TEST(of_the_copies_the_last_two_are_kept),
		TEST(what_is_in_the_way_of_a_copy_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
