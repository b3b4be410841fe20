/* Goal: a database of any release is understood, brought up to date, or refused in words.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "schema_aid.h"

#include "deployment/deployment.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/db_upkeep.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define TEXT_MAX   65536
#define MIGRATIONS "tests/fixtures/migrations.txt"

/* What each released version left, by its own code: see tests/fixtures/README.md. */
static const struct {
	const char *name;
	int64_t version;
} released[] = { { "0.1.0", 1 }, { "8e78ade", 2 }, { "3adc366", 4 }, { "eab7e636", 9 },
	{ "6565c431", 11 } };

/* --- databases beside the store's --- */

/* The tables that a released version made, by the text that its database has of them. */
static struct db *
make_released(struct store_aid *aid, size_t i)
{
	struct db *db = schema_aid_empty(aid, released[i].name);
	char path[160];
	char *schema;

	(void)snprintf(path, sizeof(path), "tests/fixtures/%s/schema.sql", released[i].name);
	schema = store_aid_read(path);
	if (!db_script(db, schema, &aid->err))
		fail_msg("%s: %s", path, aid->err.text);
	free(schema);
	assert_int_equal(schema_aid_version(aid, db), released[i].version);
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

SCHEMA_TEST(a_database_of_a_newer_version_is_refused)
{
	struct db *db = schema_aid_open(aid);

	assert_true(db_set_user_version(db, 1000, &aid->err));
	db_close(db);
	assert_null(store_open(&aid->config, &aid->err));
	assert_int_equal(aid->err.code, ERR_CONFIG);
	assert_non_null(strstr(aid->err.text, "1000"));
}

SCHEMA_TEST(an_upgraded_database_has_the_schema_of_a_fresh_one)
{
	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *upgraded = make_upgraded(aid, i), *fresh;
		char name[32];

		(void)snprintf(name, sizeof(name), "fresh-%zu", i);
		fresh = schema_aid_fresh(aid, name, store_schema_newest());
		assert_int_equal(schema_aid_version(aid, upgraded), schema_aid_version(aid, fresh));
		expect_no_row(aid, upgraded, "PRAGMA integrity_check", "ok");
		expect_no_row(aid, upgraded, "PRAGMA foreign_key_check", NULL);
		schema_aid_expect_same(aid, upgraded, fresh, released[i].name);
	}
}

/* A released migration makes what it made then, to the letter. */
SCHEMA_TEST(released_migrations_are_frozen)
{
	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *then = make_released(aid, i), *now;
		char why[120], name[32];

		(void)snprintf(name, sizeof(name), "now-%zu", i);
		(void)snprintf(why, sizeof(why),
		    "migration %lld was edited after its release (%s): write another one",
		    (long long)released[i].version, released[i].name);
		now = schema_aid_fresh(aid, name, released[i].version);
		schema_aid_expect_same(aid, then, now, why);
	}
}

/* Of its statements, each with its NUL. */
static void
digest_of(struct store_aid *aid, int64_t version, char out[CRYPTO_SHA256_HEX])
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(&aid->err);
	uint8_t digest[CRYPTO_SHA256_SIZE];

	assert_non_null(hash);
	for (const char *const *sql = store_schema_sql(version); *sql != NULL; sql++)
		assert_true(crypto_sha256_add(hash, *sql, strlen(*sql) + 1, &aid->err));
	assert_true(crypto_sha256_finish(hash, digest, &aid->err));
	text_hex(out, digest, sizeof(digest));
}

/* Whatever main has, released or not: a database that has it never runs it again. */
SCHEMA_TEST(every_migration_is_frozen)
{
	char *list = store_aid_read(MIGRATIONS), digest[CRYPTO_SHA256_HEX], line[128];

	for (int64_t version = 1; version <= store_schema_newest(); version++) {
		digest_of(aid, version, digest);
		(void)snprintf(line, sizeof(line), "\n%lld ", (long long)version);
		if (strstr(list, line) == NULL)
			fail_msg("migration %lld is new: add the line \"%s%s\" to " MIGRATIONS,
			    (long long)version, line + 1, digest);
		(void)snprintf(line, sizeof(line), "\n%lld %s\n", (long long)version, digest);
		if (strstr(list, line) == NULL)
			fail_msg("migration %lld was edited, and databases that have it never run "
				 "it again: put it back as it was, and write migration %lld",
			    (long long)version, (long long)store_schema_newest() + 1);
	}
	free(list);
}

/* --- what a migration makes of rows --- */

/* A, B; back to A; forward to B again, as it was then; C; C once more fails: B is back. */
static const struct {
	const char *environment, *program, *state, *commit, *previous, *released;
} history[] = {
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

static void
add_deployments(struct store_aid *aid, struct db *db)
{
	for (size_t i = 0; i < COUNT(history); i++)
		assert_true(db_run(db, &aid->err,
		    "INSERT INTO deployment (id, environment, program, cause, state, why,"
		    " commit_id, image, ref, subject, author, is_forced, is_foreign, previous,"
		    " previous_image, asked_by, asker, chat, thread, message, also_message, run,"
		    " attempts, is_touched, has_no_way_back, urls, detail, note, requested_at,"
		    " started_at, ended_at) VALUES ($1, $2, $3, 'chat', $4, 'NONE', $5, '', '', '',"
		    " '', 0, 0, $6, '', 11, '@ada', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', 1, 2, $7)",
		    DB_I64(i + 1), DB_TEXT(history[i].environment), DB_TEXT(history[i].program),
		    DB_TEXT(history[i].state), DB_TEXT(history[i].commit),
		    DB_TEXT(history[i].previous), DB_I64(1000 + i)));
}

SCHEMA_TEST(a_button_of_before_stands_for_the_same_request)
{
	static const struct {
		const char *id, *request;
	} rows[] = {
		{ "aa", "-1 0 confirm work/5 answer=yes 1 71 0" },
		{ "bb", "-1 0 confirm work/5 answer=no 1 71 9" },
		{ "cc", "-1 0 cancel work/6  0 0 0" },
		{ "dd", "-2 0 log run/31  0 0 0" },
		{ "ee", "-1 0 looked staging  0 0 0" },
	};
	struct db *db = schema_aid_fresh(aid, "buttons", 4);

	assert_true(db_script(db,
	    "INSERT INTO question (id, verb, deployment, run, chat, asker, wait, closed_at,"
	    " environment) VALUES ('aa', 'CONFIRM', 5, 0, -1, 11, 71, 0, ''),"
	    " ('bb', 'DECLINE', 5, 0, -1, 11, 71, 9, ''), ('cc', 'CANCEL', 6, 0, -1, 0, 0, 0, ''),"
	    " ('dd', 'LOG', 6, 31, -2, 0, 0, 0, ''), ('ee', 'LOOKED', 0, 0, -1, 0, 0, 0, 'staging');",
	    &aid->err));
	assert_true(store_schema_migrate(db, NULL, 5, &aid->err));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct db_rows found = { 0 };

		assert_true(db_query(&found, db, &aid->err,
		    "SELECT chat || ' ' || person || ' ' || action || ' ' || target || ' ' ||"
		    " arguments || ' ' || is_once || ' ' || timer || ' ' || closed_at"
		    " FROM button WHERE id = $1",
		    DB_TEXT(rows[i].id)));
		assert_true(db_next(&found));
		assert_string_equal(db_col_text(&found, 0), rows[i].request);
		assert_true(db_rows_end(&found, &aid->err));
	}
	db_close(db);
}

static void
add_history(struct store_aid *aid, struct db *db)
{
	add_deployments(aid, db);
	for (size_t i = 0; i < COUNT(history); i++)
		if (history[i].released != NULL)
			assert_true(db_run(db, &aid->err,
			    "INSERT INTO release (environment, commit_id, image, at, deployment,"
			    " released_by, subject) VALUES ($1, $2, '', 3, $3, '@ada', '')",
			    DB_TEXT(history[i].environment), DB_TEXT(history[i].released),
			    DB_I64(i + 1)));
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

/* Regression: a line of before stayed "rolling back to" for ever. */
TEST_WITH(what_rang_before_a_migration_says_how_its_rollback_ends_or_goes, schema_aid_setup,
    schema_aid_teardown)
{
	struct store_aid *aid = *state;
	struct db *db = schema_aid_fresh(aid, "rings", 3);

	add_deployments(aid, db);
	assert_true(store_schema_migrate(db, NULL, 8, &aid->err));
	assert_true(db_script(db,
	    "UPDATE work SET state = 'VERIFYING_ROLLBACK' WHERE id = 2;"
	    "INSERT INTO message (id, chat, thread, remote_id, head, foot, buttons, live_run,"
	    " live_since, live_estimate_ms, at, rings_for) VALUES"
	    " (21, -1, 0, 5, 'asked', '', '', 0, 0, 0, 1, 2),"
	    " (22, -1, 0, 6, 'rolling', '', '', 0, 0, 0, 2, 2),"
	    " (23, -2, 0, 7, 'rolling', '', '', 0, 0, 0, 2, 2),"
	    " (24, -2, 0, 8, 'ended', '', '', 0, 0, 0, 3, 1);",
	    &aid->err));
	assert_true(store_schema_migrate(db, NULL, 9, &aid->err));
	expect_rows(aid, db, "SELECT work || ' ' || message || ' ' || why FROM work_shown",
	    "2 22 rolling\n2 23 rolling\n");
	/* Since then it is the work's own message, which is sent anew: those lines go. */
	assert_true(
	    db_script(db, "INSERT INTO private_chat (person, at) VALUES (11, 5)", &aid->err));
	assert_true(store_schema_migrate(db, NULL, 10, &aid->err));
	expect_rows(aid, db, "SELECT COUNT(*) FROM work_shown", "0\n");
	expect_rows(aid, db, "SELECT subject || body FROM effect WHERE kind = 'delete' ORDER BY id",
	    "22{\"person\":-1,\"message\":6,\"made_at\":0}\n"
	    "23{\"person\":-2,\"message\":7,\"made_at\":0}\n");
	expect_rows(aid, db, "SELECT id || ' ' || rings FROM message ORDER BY id",
	    "21 1\n22 1\n23 1\n24 1\n");
	expect_rows(aid, db, "SELECT refused_at FROM private_chat", "0\n");
	db_close(db);
}

#define TOKEN_NUMBER(id) "-(1099511627776 + " #id ")"
#define WORK_10(id, state, by, confirmed, ended) \
	"INSERT INTO work (id, environment, program, cause, state, why, commit_id, image, ref," \
	" subject, author, is_forced, is_foreign, previous, previous_image, requested_by," \
	" requester, chat, thread, message, also_message, run, attempts, is_touched," \
	" has_no_way_back, urls, detail, note, requested_at, started_at, ended_at, confirmed_by)" \
	" VALUES (" #id ", 'e" #id "', 'deploy', 'chat', '" state "', '', '', '', '', '', '', 0," \
	" 0, '', '', " by ", '', 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', 0, 0, " ended ", " confirmed \
	");"

/* What waits is asked for by a token, or by an account that has logged in with one, now or before:
 * its maker has asked for it, too. */
SCHEMA_TEST(what_waits_at_an_upgrade_keeps_the_tokens_it_was_asked_for_by)
{
	struct db *db = schema_aid_fresh(aid, "tokens", 9);

	assert_true(db_script(db,
	    "INSERT INTO token (id, name, mac, role, made_at, made_by, by_name, expires_at, person,"
	    " revoked_at) VALUES (3, 'ci', 'a', 'lead', 1, 11, '@ada', 9, 0, 0),"
	    " (4, 'login', 'b', 'lead', 1, 11, '@ada', 9, 99, 5),"
	    " (5, 'other', 'c', 'lead', 1, 22, '@bob', 9, 98, 0);" WORK_10(1, "AWAITING_APPROVAL",
		TOKEN_NUMBER(3), "0", "0") WORK_10(2, "AWAITING_APPROVAL", "99", "0", "0")
		WORK_10(3, "AWAITING_APPROVAL", "33", "98", "0") WORK_10(4, "LIVE", "99", "99", "7")
		    WORK_10(5, "LIVE", "99", "0", "7") WORK_10(6, "AWAITING_CONFIRMATION", "33",
			"0", "0") WORK_10(7, "AWAITING_CONFIRMATION", "0", "0",
			"0") "UPDATE work SET emergency = 'down' WHERE id = 5;"
			     "INSERT INTO question_requester VALUES (6, 98, 0), (6, 44, 0);",
	    &aid->err));
	assert_true(store_schema_migrate(db, NULL, 10, &aid->err));
	expect_rows(aid, db, "SELECT work || ' ' || act || ' ' || token FROM press ORDER BY work",
	    "1 request 3\n2 request 4\n3 confirm 5\n5 request 4\n6 request 5\n");
	db_close(db);
}

/* What is open is compared with what was shown before the upgrade, by it and by nothing else. */
SCHEMA_TEST(what_is_open_at_an_upgrade_keeps_what_was_shown)
{
	struct db *db = schema_aid_fresh(aid, "shown", 15);

	assert_true(db_script(db,
	    WORK_10(1, "AWAITING_CONFIRMATION", "11", "0", "0") WORK_10(2, "AWAITING_APPROVAL",
		"11", "0", "0") WORK_10(3, "LIVE", "11", "0", "7") WORK_10(4, "QUEUED", "11", "0",
		"0") "UPDATE work SET shown_live = 'a', shown_at = 1, shown_blocked = 2,"
		     " shown_block = 3, compared_block = 4, warning = 'w', shown_image = 'i',"
		     " differing = 'd', n_changed = 5, not_before = 6, is_unconfirmed = 1,"
		     " seen_by = '@bob' WHERE id = 1;"
		     "UPDATE work SET program = 'action', action = 'restart-web', executor = 'ssh',"
		     " is_requested = 1, shown_settings = 's', shown_touches = 't' WHERE id = 2;"
		     "UPDATE work SET exception = 'x', excepted_hold = 8 WHERE id = 4;"
		     "UPDATE work SET emergency = 'e', passed = 'p', n_reminders = 9 WHERE id = 3;",
	    &aid->err));
	assert_true(store_schema_migrate(db, NULL, 16, &aid->err));
	expect_rows(aid, db,
	    "SELECT work || shown_live || shown_at || shown_blocked || shown_block"
	    " || compared_block || warning || shown_image || differing || n_changed || not_before"
	    " || is_unconfirmed || seen_by FROM question WHERE shown_at <> 0",
	    "1a1234wid561@bob\n");
	expect_rows(aid, db,
	    "SELECT work || executor || is_requested || shown_settings || shown_touches"
	    " FROM work_action",
	    "2ssh1st\n");
	expect_rows(aid, db,
	    "SELECT work || ' ' || excepted_hold || passed || n_reminders FROM exempt ORDER BY work",
	    "3 0p9\n4 80\n");
	db_close(db);
}

SCHEMA_TEST(releases_and_blocks_of_before_are_numbered_left_and_listed)
{
	for (size_t i = 0; i < COUNT(released) && released[i].version < 4; i++) {
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

/* A new word would need the table made anew. */
SCHEMA_TEST(words_of_work_and_runs_have_no_check)
{
	struct db *db = schema_aid_fresh(aid, "today", store_schema_newest());

	expect_rows(aid, db,
	    "SELECT COUNT(*) || ' ' || SUM(sql LIKE '%CHECK%') FROM sqlite_master"
	    " WHERE name IN ('work', 'run')",
	    "2 0\n");
	db_close(db);
}

/* What SQLite had given last is not what is there. */
SCHEMA_TEST(numbers_go_on_behind_those_that_sqlite_gave)
{
	struct db *db = schema_aid_fresh(aid, "numbered", 29);

	assert_true(db_script(db,
	    "INSERT INTO effect (id, kind, subject, body, due, at) VALUES (7, 'say', 1, '', 0, 0);"
	    "DELETE FROM effect;"
	    "INSERT INTO principal VALUES (3, 'root', '', 'admin');"
	    "INSERT INTO inbox (seq, source, id, at) VALUES (5, 'github', 'a', 1);"
	    "INSERT INTO past VALUES (6, 1, 'abc', '');"
	    "INSERT INTO forge_hook (id, application, repository, number, looked_at)"
	    " VALUES (4, '', 'acme/shop', 0, 0);"
	    "INSERT INTO block (id, environment, commit_id, blocked_by, at, why, number)"
	    " VALUES (2, 'staging', 'abc', '', 0, '', 2);",
	    &aid->err));
	if (!store_schema_migrate(db, NULL, 30, &aid->err))
		fail_msg("%s", aid->err.text);
	expect_rows(aid, db,
	    "SELECT name || ' ' || value FROM counter WHERE name NOT IN ('logs', 'nonce')",
	    "block 2\neffect 7\nforge_hook 4\ninbox 5\npast 6\nplace 0\nprincipal 3\n");
	db_close(db);
}

/* What was numbered stays so, and no number is given twice, the highest having gone. */
TEST_WITH(work_and_runs_keep_their_numbers, schema_aid_setup, schema_aid_teardown)
{
	struct store_aid *aid = *state;

	/* Later ones have made both tables anew themselves. */
	for (size_t i = 0; i < COUNT(released) && released[i].version < 5; i++) {
		struct db *db = make_released(aid, i);

		add_deployments(aid, db);
		assert_true(db_script(db,
		    "INSERT INTO run (id, deployment, program, pid, start_time, boot, ordered_at,"
		    " started_at, ended_at, exit_status, signal_number, duration_ms, detail,"
		    " is_purged) VALUES (40, 4, 'rollback', 1, 2, 'b', 3, 4, 5, 6, 7, 8, 'd', 1),"
		    " (44, 9, 'deploy', 0, 0, '', 0, 0, 0, 0, 0, 0, '', 0);"
		    "DELETE FROM run WHERE id = 44; DELETE FROM deployment WHERE id = 9;"
		    "UPDATE deployment SET asked_by = 0, asker = 'github:ada(7)', cause = 'push'"
		    " WHERE id = 1;"
		    "UPDATE deployment SET state = 'QUEUED' WHERE id IN (2, 3);",
		    &aid->err));
		if (!store_schema_migrate(db, NULL, store_schema_newest(), &aid->err))
			fail_msg("%s: %s", released[i].name, aid->err.text);
		expect_rows(aid, db,
		    "SELECT id || application || ' ' || program || ' ' || state || ' ' || place ||"
		    " ' ' || requester || ' ' ||"
		    " (answered_at = requested_at) FROM work WHERE id < 5 ORDER BY id",
		    "1 deploy LIVE 0 github:ada(7) 1\n"
		    "2 deploy QUEUED 1 @ada 1\n"
		    "3 deploy QUEUED 2 @ada 1\n"
		    "4 rollback LIVE 0 @ada 1\n");
		expect_rows(aid, db,
		    "SELECT id || ' of ' || deployment || ' ' || program || ' ' || started_at"
		    " || exit_status || is_purged || log_size FROM run",
		    "40 of 4 rollback 4610\n");
		expect_rows(aid, db,
		    "SELECT name || ' ' || value FROM counter WHERE name NOT IN ('effect',"
		    " 'message', 'release', 'inbox')",
		    "block 0\nforge_hook 0\nlogs 0\nnonce 0\npast 0\nplace 2\nrun 44\n"
		    "work 9\n");
		expect_no_row(aid, db, "PRAGMA foreign_key_check", NULL);
		assert_false(db_run(db, &aid->err, "DELETE FROM work WHERE id = 4"));
		db_close(db);
	}
}

/* Two columns would contradict each other one day. */
TEST_WITH(the_application_is_made_of_the_environment, schema_aid_setup, schema_aid_teardown)
{
	struct store_aid *aid = *state;
	struct db *db = schema_aid_fresh(aid, "today", store_schema_newest());

	assert_true(db_script(db,
	    "INSERT INTO work (environment, program, cause, state, why, commit_id, image, ref,"
	    " subject, author, is_forced, is_foreign, previous, previous_image, requested_by,"
	    " requester, chat, thread, message, also_message, run, attempts, is_touched,"
	    " has_no_way_back, urls, detail, note, requested_at, started_at, ended_at)"
	    " SELECT name, '', '', '', '', '', '', '', '', '', 0, 0, '', '', 0, '', 0, 0, 0, 0, 0,"
	    " 0, 0, 0, '', '', '', 0, 0, 0 FROM (SELECT 'shop/staging' AS name UNION ALL"
	    " SELECT 'staging');",
	    &aid->err));
	expect_rows(
	    aid, db, "SELECT '<' || application || '>' FROM work ORDER BY id", "<shop>\n<>\n");
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
	char push[160];

	buf_init(&queued, 1024);
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		if (deploy_flow_class((enum deploy_state)s) == DEPLOY_CLASS_QUEUED)
			buf_addf(&queued, "%sstate = '%s'", queued.size == 0 ? "" : " OR ",
			    deploy_flow_name((enum deploy_state)s));
	expect_where(aid, db, of, "work_active", STORE_IS_ACTIVE);
	expect_where(aid, db, of, "work_pipelines", STORE_IS_PIPELINE);
	expect_where(aid, db, of, "work_queued", buf_text(&queued));
	(void)snprintf(push, sizeof(push), "%s AND " STORE_IS_PUSH, buf_text(&queued));
	expect_where(aid, db, of, "work_waiting_push", push);
	expect_where(aid, db, of, "work_open", STORE_IS_OPEN);
	expect_where(aid, db, of, "work_asking", STORE_IS_ASKING);
	expect_where(aid, db, of, "work_changes", STORE_CHANGES_RELEASE);
	expect_where(aid, db, of, "work_live", "state = 'LIVE' AND program = 'deploy'");
	expect_where(aid, db, of, "work_ended", STORE_HAS_RUN);
	buf_done(&queued);
	db_close(db);
}

/* A state that is active today is none of a frozen index: its environment would not be busy. */
SCHEMA_TEST(partial_indexes_are_those_of_todays_states)
{
	expect_indexes(
	    aid, schema_aid_fresh(aid, "fresh", store_schema_newest()), "a fresh database");
	for (size_t i = 0; i < COUNT(released); i++)
		expect_indexes(aid, make_upgraded(aid, i), released[i].name);
}

SCHEMA_TEST(an_upgrade_that_fails_in_its_midst_changes_nothing)
{
	for (size_t i = 0; i < COUNT(released); i++) {
		struct db *db = make_released(aid, i);
		bool has_work = released[i].version >= 5;
		char *before, *after;

		/* A migration finds its table or column there already. */
		assert_true(db_script(db,
		    has_work ? "ALTER TABLE work ADD COLUMN looked TEXT" :
			       "CREATE TABLE counter (x)",
		    &aid->err));
		before = schema_aid_text(aid, db);
		assert_false(store_schema_migrate(db, NULL, store_schema_newest(), &aid->err));
		assert_non_null(
		    strstr(aid->err.text, has_work ? "migration 13: " : "migration 5: "));
		assert_int_equal(schema_aid_version(aid, db), released[i].version);
		after = schema_aid_text(aid, db);
		assert_string_equal(after, before);
		free(before);
		free(after);
		db_close(db);
	}
}
