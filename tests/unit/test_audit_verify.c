/* Goal: any line or row changed, removed, added or cut off is noticed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_verify.h"

#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_nth.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/audit_chain.h"
#include "unit.h"

#define ENTRIES 450 /* more than two pages */
#define FIRST	300 /* of the first version; then the second begins */

struct world {
	char folder[64];
	char database[96];
	char file[96];
	struct buf text; /* all lines */
	struct audit_verified found;
	struct err err;
};

/* As the store's own table, which this test must not depend on the whole of. */
static const char table[] =
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, user_id TEXT NOT NULL,"
    " action TEXT NOT NULL, environment TEXT, commit_id TEXT, outcome TEXT NOT NULL,"
    " severity TEXT NOT NULL, deployment INTEGER NOT NULL, meta TEXT NOT NULL,"
    " prev BLOB NOT NULL CHECK (length(prev) = 32), hash BLOB NOT NULL CHECK (length(hash) = 32),"
    " version INTEGER NOT NULL, code TEXT NOT NULL, principal TEXT NOT NULL, violation_type TEXT,"
    " application TEXT, need TEXT, factor TEXT) STRICT;";

static void
add_entry(struct world *w, struct db *db, struct audit_chain *chain)
{
	struct audit_chain before = *chain;
	struct audit_line line = { .at = 1000 * chain->seq,
		.user_id = "telegram:1",
		.action = "denied",
		.outcome = "denied",
		.severity = "info",
		.meta = "{\"a\":\"b\"}",
		.version = chain->seq < FIRST ? 1 : AUDIT_VERSION,
		.code = "denied",
		.principal = "telegram" };

	assert_true(audit_chain_write(chain, &line, &w->text, &w->err));
	buf_addc(&w->text, '\n');
	assert_true(db_run(db, &w->err,
	    "INSERT INTO audit VALUES ($1,$2,$3,$4,NULL,NULL,$5,$6,0,$7,$8,$9,"
	    "$10,$11,$12,NULL,NULL,NULL,NULL)",
	    DB_I64(chain->seq), DB_I64(line.at), DB_TEXT(line.user_id), DB_TEXT(line.action),
	    DB_TEXT(line.outcome), DB_TEXT(line.severity), DB_TEXT(line.meta),
	    DB_BLOB(before.hash, sizeof(before.hash)), DB_BLOB(chain->hash, sizeof(chain->hash)),
	    DB_I64(line.version), DB_TEXT(line.code), DB_TEXT(line.principal)));
}

static void
write_file(struct world *w, const char *text, size_t size)
{
	assert_true(file_write(w->file, text, size, 0600, &w->err));
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct audit_chain chain = { 0 };
	struct db *db;

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit_verify.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->database, sizeof(w->database), "%s/db", w->folder);
	(void)snprintf(w->file, sizeof(w->file), "%s/log", w->folder);
	buf_init(&w->text, 1 << 20);
	db = db_open(w->database, 0, &w->err);
	assert_non_null(db);
	assert_true(db_script(db, table, &w->err));
	assert_true(db_begin(db, &w->err));
	for (int i = 0; i < ENTRIES; i++)
		add_entry(w, db, &chain);
	assert_true(db_commit(db, &w->err));
	db_close(db);
	write_file(w, buf_text(&w->text), w->text.size);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	char path[128];

	for (int i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", i == 3 ? w->file : w->database,
		    i == 1     ? "-wal" :
			i == 2 ? "-shm" :
				 "");
		(void)unlink(path);
	}
	(void)rmdir(w->folder);
	buf_done(&w->text);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static bool
verify(struct world *w)
{
	return audit_verify(w->database, w->file, &w->found, &w->err);
}

static void
sql(struct world *w, const char *text)
{
	struct db *db = db_open(w->database, 0, &w->err);

	assert_non_null(db);
	assert_true(db_script(db, text, &w->err));
	db_close(db);
}

SCENE_TEST(what_was_left_alone_is_well)
{
	assert_true(verify(w));
	assert_int_equal(w->found.entries, ENTRIES);
	assert_int_equal(w->found.first, 1);
	assert_int_equal(w->found.behind, 0);
	assert_int_equal(strlen(w->found.head), 16);
}

/* The offset of the n-th line, from 0. */
static size_t
line_at(const struct world *w, int n)
{
	const char *at = w->text.data;

	while (n-- > 0)
		at = strchr(at, '\n') + 1;
	return (size_t)(at - w->text.data);
}

/* Whoever kept digits of the chat finds their entry; another chain has none that fits. */
SCENE_TEST(a_witness_is_found_by_16_digits_and_by_8_of_old_messages)
{
	const char *hash = strstr(w->text.data + line_at(w, 299), ",\"hash\":\"") + 9;
	const struct audit_source source = { .database = w->database, .log = w->file };
	char sixteen[17], eight[9];
	struct audit_witness witnesses[3] = { { .digits = sixteen }, { .digits = eight },
		{ .digits = "0123456789abcdef" } };

	(void)snprintf(sixteen, sizeof(sixteen), "%.16s", hash);
	(void)snprintf(eight, sizeof(eight), "%.8s", hash);
	for (char *c = eight; *c != '\0'; c++) /* as a person may type it */
		*c = (char)toupper((unsigned char)*c);
	assert_true(
	    audit_verify_witnesses(&source, witnesses, COUNT(witnesses), &w->found, &w->err));
	assert_int_equal(witnesses[0].seq, 300);
	assert_int_equal(witnesses[1].seq, 300);
	assert_int_equal(witnesses[2].seq, 0);
}

TEST_WITH(digits_are_8_to_64_and_hexadecimal, set_up, tear_down)
{
	assert_true(audit_witness_is_one("36fec200"));
	assert_true(audit_witness_is_one("36FEC2005dd1a0b4"));
	assert_false(audit_witness_is_one("36fec20"));
	assert_false(audit_witness_is_one(""));
	assert_false(audit_witness_is_one("36fec200 "));
	assert_false(audit_witness_is_one("36fec20g"));
	assert_false(audit_witness_is_one(
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"));
}

/* A database of before has no such table. */
SCENE_TEST(the_newest_line_that_chats_were_sent_is_found)
{
	assert_true(verify(w));
	assert_int_equal(w->found.line, 0);
	sql(w,
	    "CREATE TABLE audit_line (seq INTEGER PRIMARY KEY, head TEXT NOT NULL,"
	    " at INTEGER NOT NULL) STRICT;");
	assert_true(verify(w));
	assert_int_equal(w->found.line, 0);
	sql(w, "INSERT INTO audit_line VALUES (7, '0123456789abcdef', 5), (9, 'fedcba', 6);");
	assert_true(verify(w));
	assert_int_equal(w->found.line, 9);
	assert_int_equal(w->found.line_at, 6);
	assert_string_equal(w->found.line_head, "fedcba");
	assert_int_equal(w->found.heads.missing, 2);
}

SCENE_TEST(a_changed_byte_anywhere_in_a_line_is_noticed)
{
	size_t from = line_at(w, 300), to = line_at(w, 301);

	for (size_t at = from; at < to; at += 7) {
		char was = w->text.data[at];

		w->text.data[at] = was == 'x' ? 'y' : 'x';
		write_file(w, w->text.data, w->text.size);
		assert_false(verify(w));
		assert_non_null(strstr(w->err.text, "line 301"));
		w->text.data[at] = was;
	}
}

SCENE_TEST(a_line_removed_doubled_or_added_is_noticed)
{
	size_t from = line_at(w, 5), to = line_at(w, 6);
	struct buf other;

	buf_init(&other, 1 << 20);
	buf_add(&other, w->text.data, from);
	buf_add(&other, w->text.data + to, w->text.size - to);
	write_file(w, other.data, other.size);
	assert_false(verify(w));
	assert_non_null(strstr(w->err.text, "line 6"));

	buf_clear(&other);
	buf_add(&other, w->text.data, to);
	buf_add(&other, w->text.data + from, w->text.size - from);
	write_file(w, other.data, other.size);
	assert_false(verify(w));
	assert_non_null(strstr(w->err.text, "line 7"));

	buf_clear(&other);
	buf_add(&other, w->text.data, w->text.size);
	buf_add(&other, w->text.data + from, to - from);
	write_file(w, other.data, other.size);
	assert_false(verify(w));
	assert_non_null(strstr(w->err.text, "has no such entry"));
	buf_done(&other);
}

SCENE_TEST(a_file_cut_at_either_end_is_told)
{
	for (int k = 1; k < 5; k++) {
		write_file(w, w->text.data, line_at(w, ENTRIES - k));
		assert_true(verify(w));
		assert_int_equal(w->found.behind, k);
	}
	write_file(w, w->text.data, w->text.size - 1);
	assert_false(verify(w));
	assert_non_null(strstr(w->err.text, "cut off"));
	write_file(w, w->text.data + line_at(w, 3), w->text.size - line_at(w, 3));
	assert_true(verify(w));
	assert_int_equal(w->found.first, 4);
	assert_int_equal(w->found.behind, 0);
	write_file(w, "", 0);
	assert_true(verify(w));
	assert_int_equal(w->found.behind, ENTRIES);
	(void)unlink(w->file);
	assert_true(verify(w));
	assert_int_equal(w->found.behind, ENTRIES);
}

TEST_WITH(a_row_changed_or_removed_is_noticed, set_up, tear_down)
{
	static const char *const attacks[] = {
		"UPDATE audit SET user_id = 'telegram:2' WHERE seq = 7",
		"UPDATE audit SET outcome = 'allowed' WHERE seq = 450",
		"UPDATE audit SET hash = zeroblob(32) WHERE seq = 450",
		"UPDATE audit SET prev = zeroblob(32) WHERE seq = 9",
		"DELETE FROM audit WHERE seq = 200",
		"DELETE FROM audit WHERE seq = 450",
		"DELETE FROM audit WHERE seq = 1",
	};

	for (size_t i = 0; i < COUNT(attacks); i++) {
		struct world *w = *state;

		sql(w, attacks[i]);
		if (verify(w))
			fail_msg("not noticed: %s", attacks[i]);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
	}
}

SCENE_TEST(a_database_that_is_not_there_is_not_made)
{
	(void)unlink(w->database);
	assert_false(verify(w));
	assert_int_equal(access(w->database, F_OK), -1);
}

/* The disk's error, not a line that is cut off: nobody has changed anything. */
SCENE_TEST(a_file_that_cannot_be_read_is_no_broken_chain)
{
	(void)unlink(w->file);
	assert_int_equal(mkdir(w->file, 0700), 0); /* opened as a file is, and read as no file */
	assert_false(verify(w));
	assert_int_equal(w->err.code, ERR_IO);
	assert_null(strstr(w->err.text, " line "));
	assert_int_equal(rmdir(w->file), 0);
}

/* It once said "line 1: it is no entry", which sends an operator after somebody who forged it. */
SCENE_TEST(a_database_that_fails_is_no_broken_chain)
{
	static const enum fail_what whats[] = { FAIL_STEP, FAIL_PREPARE, FAIL_BIND };

	for (size_t i = 0; i < COUNT(whats); i++) {
		bool is_met = true;

		for (unsigned n = 1; is_met; n++) {
			bool ok;

			w->err = (struct err){ 0 };
			fail_nth(whats[i], n);
			ok = verify(w);
			is_met = fail_nth_met();
			if (ok || !is_met)
				assert_true(ok);
			else if (w->err.code != ERR_IO || strstr(w->err.text, " line ") != NULL)
				fail_msg("%s %u: %s", fail_what_name(whats[i]), n, w->err.text);
		}
	}
}
