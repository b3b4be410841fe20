/* Goal: what other rows name of the audit is an entry, or it is said which is missing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_heads.h"

#include <inttypes.h>

#include "store/audit_verify.h"
#include "store/row_audit.h"
#include "store/row_audit_line.h"
#include "store/row_message.h"
#include "store/row_witness.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

#define SAID_MAX 8

struct said {
	struct audit_heads_found found;
	size_t n, n_newer;
	char text[SAID_MAX][640], key[SAID_MAX][AUDIT_HEADS_KEY];
	int looks; /* that is_over allows */
	struct err err;
};

/* --- a log of ten entries, of which rows name some --- */

static void
act_entry(struct tx *tx, UNUSED void *arg)
{
	row_audit_add(
	    tx, &(struct audit_entry){ .code = AUDIT_CODE_DENIED, .user = "telegram:1" }, NULL);
}

static void
act_restored(struct tx *tx, void *arg)
{
	static const char *const yes[] = { "restored", "yes", NULL };

	(void)arg;
	row_audit_add(
	    tx, &(struct audit_entry){ .code = AUDIT_CODE_SERVER_STARTED, .user = "system" }, yes);
}

static void
act_message(struct tx *tx, UNUSED void *arg)
{
	row_message_names_head(
	    tx, row_message_add(tx, &(struct message){ .address.chat = 1, .head = "x" }));
}

static void
act_line(struct tx *tx, void *arg)
{
	struct audit_line_row line = { .at = tx->at };

	(void)arg;
	line.seq = row_audit_newest(tx, line.head);
	row_audit_line_add(tx, &line);
}

static void
entries(struct store_aid *aid, int n)
{
	for (int i = 0; i < n; i++)
		store_aid_act(aid, act_entry, NULL);
}

/* As somebody does it by hand, while no server runs. */
static void
by_hand(struct store_aid *aid, const char *sql)
{
	CLEANUP(db_closep) struct db *db = db_open(aid->path, 0, &aid->err);

	assert_non_null(db);
	assert_true(db_script(db, sql, &aid->err));
}

static void
take(void *ctx, const char *key, bool is_newer, const char *text)
{
	struct said *said = ctx;

	assert_true(said->n < SAID_MAX);
	said->n_newer += is_newer;
	assert_true(snprintf(said->key[said->n], AUDIT_HEADS_KEY, "%s", key) < AUDIT_HEADS_KEY);
	assert_true(snprintf(said->text[said->n], sizeof(said->text[0]), "%s", text) <
	    (int)sizeof(said->text[0]));
	said->n++;
}

static struct said
look(struct store_aid *aid)
{
	const struct audit_source source = { .database = aid->path };
	struct said said = { 0 };

	if (!audit_heads_read(&source, take, NULL, &said, &said.found, &said.err))
		fail_msg("%s", said.err.text);
	assert_int_equal(said.found.missing + said.found.newer, said.n);
	assert_int_equal(said.found.newer, said.n_newer);
	return said;
}

static void
has(const struct said *said, const char *part)
{
	for (size_t i = 0; i < said->n; i++)
		if (strstr(said->text[i], part) != NULL)
			return;
	fail_msg("nothing says \"%s\" but \"%s\"", part, said->n == 0 ? "" : said->text[0]);
}

static char head_of_10[LIMIT_AUDIT_HEAD];

static void
act_head(struct tx *tx, void *arg)
{
	row_audit_head_of(tx, 10, arg);
}

static void
written(struct store_aid *aid)
{
	entries(aid, 10);
	store_aid_act(aid, act_message, NULL);
	store_aid_act(aid, act_head, head_of_10);
}

/* --- tests --- */

STORE_TEST(what_is_whole_misses_nothing)
{
	struct said said;

	assert_int_equal(look(aid).found.named, 0);
	written(aid);
	store_aid_act(aid, act_line, NULL);
	entries(aid, 3);
	said = look(aid);
	assert_int_equal(said.found.named, 2);
	assert_int_equal(said.n, 0);
}

/* No hash is computed for it: the chain that is left is sound. */
STORE_TEST(a_cut_end_is_missed_by_the_message_that_names_it)
{
	struct audit_verified verified;
	struct said said;
	char want[160];

	written(aid);
	by_hand(aid, "DELETE FROM audit WHERE seq > 9;");
	assert_true(audit_verify(aid->path, NULL, &verified, &aid->err));
	assert_int_equal(verified.heads.missing, 1);
	said = look(aid);
	assert_int_equal(said.n, 1);
	(void)snprintf(want, sizeof(want),
	    "message #1 was sent with the head %s, which no entry has: it was entry 10 (the newest is 9)",
	    head_of_10);
	assert_string_equal(said.text[0], want);
}

/* The server goes on from the cut, and the numbers are given a second time. */
STORE_TEST(a_cut_that_was_written_on_from_is_seen_as_well)
{
	struct said said;

	written(aid);
	store_aid_forget(aid);
	by_hand(aid, "DELETE FROM audit WHERE seq > 8;");
	store_aid_reopen(aid);
	aid->at += 1; /* else they are the same entries */
	entries(aid, 5);
	said = look(aid);
	assert_int_equal(said.n, 1);
	has(&said, "message #1 was sent with the head ");
	has(&said, ": it was entry 10 (that number is another one's now)");
}

/* A message of before this version names a head alone, one of 0.1.0 half of it. */
STORE_TEST(heads_without_a_number_are_looked_for_in_all_of_the_log)
{
	struct said said;

	written(aid);
	entries(aid, 1500);
	store_aid_act(aid, act_message, NULL);
	by_hand(aid,
	    "UPDATE message SET audit_seq = 0;"
	    "INSERT INTO witness (id, head) SELECT 1, audit_head FROM message WHERE id = 2;"
	    "UPDATE message SET audit_head = substr(audit_head, 1, 8) WHERE id = 1;");
	assert_int_equal(look(aid).n, 0);
	by_hand(aid, "DELETE FROM audit WHERE seq > 10;");
	said = look(aid);
	assert_int_equal(said.n, 2);
	has(&said, "message #2 was sent with the head ");
	has(&said, "the newest end that Telegram took was sent with the head ");
	by_hand(aid, "DELETE FROM audit WHERE seq > 9;");
	assert_int_equal(look(aid).n, 3);
}

/* Whoever cuts has to find all of them. */
STORE_TEST(each_row_that_names_an_entry_misses_it)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
#define HEAD "lower(substr(hex(hash), 1, 16))"
		{ "INSERT INTO audit_line (seq, head, at) SELECT seq, " HEAD ", 1767225600000"
		  " FROM audit WHERE seq = 10;",
		    "the chats' line of 2026-01-01 was sent with the head " },
		{ "INSERT INTO witness (id, head, seq) SELECT 1, " HEAD ", seq"
		  " FROM audit WHERE seq = 10;",
		    "the newest end that Telegram took was sent with the head " },
		{ "INSERT INTO audit_witness (place, confirmed, head, confirmed_at, ordered_at,"
		  " last, last_head, tries, failing_since, is_late, detail) SELECT 's3 acme', seq,"
		  " " HEAD ", 5, 0, 0, '', 0, 0, 0, ''"
		  " FROM audit WHERE seq = 10;",
		    "the witness s3 acme has confirmed the head " },
		{ "INSERT INTO audit_forward (place, sent, tried_at, is_out, tries, detail)"
		  " VALUES ('syslog logs:6514', 10, 5, 0, 0, '');",
		    "entry 10 was sent to syslog logs:6514, and is not there" },
		{ "INSERT INTO audit_end (id, seq, head) SELECT 1, seq, " HEAD
		  " FROM audit WHERE seq = 10;",
		    "the server ended with the head " },
	};

	entries(aid, 10);
	for (size_t i = 0; i < COUNT(rows); i++) {
		by_hand(aid, rows[i].name);
		assert_int_equal(look(aid).n, 0);
	}
	by_hand(aid, "DELETE FROM audit WHERE seq = 10;");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct said said = look(aid);

		assert_int_equal(said.n, COUNT(rows));
		has(&said, rows[i].says);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(said.key[i], said.key[j]);
	}
}

/* What came behind the newest message is named by a stop in order; no start takes that away. */
STORE_TEST(what_was_cut_behind_a_stop_is_seen_after_the_start)
{
	struct said said;

	written(aid);
	entries(aid, 2);
	assert_true(store_end(aid->store, NULL, 0, &aid->err));
	assert_int_equal(look(aid).found.named, 2);
	assert_int_equal(look(aid).n, 0);
	store_aid_forget(aid);
	by_hand(aid, "DELETE FROM audit WHERE seq > 10;");
	store_aid_reopen(aid);
	aid->at += 1;
	for (int i = 0; i < 3; i++) {
		said = look(aid);
		assert_int_equal(said.n, 1);
		has(&said, "the server ended with the head ");
		has(&said, ", which no entry has: it was entry 12");
		entries(aid, 1);
	}
	assert_true(store_end(aid->store, NULL, 0, &aid->err));
	assert_int_equal(look(aid).n, 0);
}

/* Hashes that are computed anew make a sound chain, and none of what was named. */
STORE_TEST(an_end_that_was_written_anew_is_another_one)
{
	struct audit_verified verified;
	struct said said;

	written(aid);
	store_aid_forget(aid);
	by_hand(aid, "DELETE FROM audit WHERE seq > 9;");
	store_aid_reopen(aid);
	aid->at += 1;
	entries(aid, 1);
	assert_true(audit_verify(aid->path, NULL, &verified, &aid->err));
	said = look(aid);
	assert_int_equal(said.n, 1);
	has(&said, ": it was entry 10 (that number is another one's now)");
}

/* What is older than a start with --restored, and behind the copy's end, is of the log that went on
 * without the copy; what came after that start is not. */
STORE_TEST(behind_a_copy_it_is_named_as_newer)
{
	struct said said;

	written(aid);
	store_aid_forget(aid);
	by_hand(aid, "DELETE FROM audit WHERE seq > 7;");
	store_aid_reopen(aid);
	aid->at += 1000;
	store_aid_act(aid, act_restored, NULL);
	aid->at += 1000;
	entries(aid, 4);
	store_aid_act(aid, act_message, NULL);
	said = look(aid);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.n_newer, 1);
	has(&said, ": it is newer than the copy started with --restored (entry 8)");
	by_hand(aid, "DELETE FROM audit WHERE seq > 10;");
	said = look(aid);
	assert_int_equal(said.found.newer, 1);
	assert_int_equal(said.found.missing, 1);
	has(&said, "message #2 was sent with the head ");
	/* A copy that ends behind it has it. */
	by_hand(aid, "UPDATE message SET audit_seq = 5 WHERE id = 1;");
	assert_int_equal(look(aid).found.missing, 2);
}

static bool
is_over(void *ctx)
{
	return --((struct said *)ctx)->looks < 0;
}

STORE_TEST(whoever_ends_waits_for_a_page_at_most)
{
	const struct audit_source source = { .database = aid->path };
	struct said said = { .looks = 1 };

	written(aid);
	entries(aid, 2500);
	by_hand(aid, "UPDATE message SET audit_seq = 0, audit_head = '0123456789abcdef';");
	assert_false(audit_heads_read(&source, take, is_over, &said, &said.found, &said.err));
	assert_int_equal(said.err.code, ERR_BUSY);
	said.looks = 10;
	assert_true(audit_heads_read(&source, take, is_over, &said, &said.found, &said.err));
	assert_int_equal(said.looks, 10 - 4); /* the last page is empty */
	assert_int_equal(said.n, 1);
}

/* A database of before has neither tables nor columns. */
STORE_TEST(what_a_database_of_before_names_is_compared)
{
	written(aid);
	by_hand(aid,
	    "DROP INDEX message_audit; ALTER TABLE message DROP COLUMN audit_seq;"
	    "ALTER TABLE witness DROP COLUMN seq; DROP TABLE audit_line; DROP TABLE audit_end;"
	    "DROP TABLE audit_forward; DROP TABLE audit_witness;");
	assert_int_equal(look(aid).n, 0);
	by_hand(aid, "INSERT INTO witness VALUES (1, '0123456789abcdef');");
	assert_int_equal(look(aid).n, 1);
	by_hand(aid, "DELETE FROM audit WHERE seq > 9;");
	assert_int_equal(look(aid).n, 2);
}

STORE_TEST(what_cannot_be_read_is_said)
{
	const struct audit_source source = { .database = aid->path };
	struct said said = { 0 };

	written(aid);
	by_hand(aid, "DROP TABLE audit;");
	assert_false(audit_heads_read(&source, take, NULL, &said, &said.found, &said.err));
}
