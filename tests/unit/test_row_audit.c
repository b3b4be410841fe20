/* Goal: an entry stands with its decision, its core cannot be overridden, and the file follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_audit.h"

#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "store/audit_chain.h"
#include "store/audit_verify.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

static void
act_add(struct tx *tx, void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DENIED,
		.user = arg,
		.environment = "staging",
		.outcome = "denied",
	    },
	    NULL);
}

static void
add(struct store_aid *aid, int n)
{
	char user[32];

	for (int i = 0; i < n; i++) {
		(void)snprintf(user, sizeof(user), "telegram:%d", i);
		store_aid_act(aid, act_add, user);
	}
}

static char *
exported(struct store_aid *aid)
{
	assert_false(store_project(aid->store, &aid->outcomes));
	return store_aid_read(aid->audit_path);
}

/* The database and the file agree, and there are n entries. */
static void
verified(struct store_aid *aid, int64_t n)
{
	struct audit_verified found;
	struct err err;

	if (!audit_verify(aid->path, aid->audit_path, &found, &err))
		fail_msg("%s", err.text);
	assert_int_equal(found.entries, n);
	assert_int_equal(found.behind, 0);
	assert_int_equal(found.first, 1);
}

/* --- entries --- */

static void
act_override(struct tx *tx, UNUSED void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DEPLOY_STARTED,
		.user = "telegram:11",
		.outcome = "ok",
		.deployment = 7,
	    },
	    (const char *const[]){ "user_id", "root", "seq", "1", "hash", "0", "timestamp", "x",
		"reason", "a\"b\n\xff", "reason", "twice", "meta_seq", "y", "none", NULL, NULL });
}

STORE_TEST(core_fields_cannot_be_overridden_by_metadata)
{
	struct json *json;
	char *text;

	store_aid_act(aid, act_override, NULL);
	text = exported(aid);
	json = json_decode(text, strlen(text), NULL); /* refuses a key that is there twice */
	assert_non_null(json);
	assert_string_equal(json_get_str(json, "user_id"), "telegram:11");
	assert_string_equal(json_get_str(json, "meta_user_id"), "root");
	assert_int_equal(json_get_i64_or(json, "seq", 0), 1);
	assert_string_equal(json_get_str(json, "meta_seq"), "1");
	assert_string_equal(json_get_str(json, "meta_meta_seq"), "y");
	assert_string_equal(json_get_str(json, "meta_hash"), "0");
	assert_string_equal(json_get_str(json, "meta_reason"), "twice");
	assert_true(json_holds_null(json_get(json, "none")));
	assert_int_equal(json_get_i64_or(json, "deployment", 0), 7);
	assert_int_equal(strlen(json_get_str(json, "hash")), 64);
	json_free(json);
	free(text);
	verified(aid, 1);
}

static void
act_endless_meta(struct tx *tx, void *arg)
{
	const char *meta[65];

	for (size_t i = 0; i < 64; i += 2) {
		meta[i] = "name";
		meta[i + 1] = arg;
	}
	meta[64] = NULL;
	row_audit_add(tx, &(struct audit_entry){ .code = AUDIT_CODE_DENIED }, meta);
}

STORE_TEST(metadata_is_cut_before_a_line_is_too_long)
{
	char value[5000], *text;

	memset(value, '\x01', sizeof(value) - 1); /* six bytes each when escaped */
	value[sizeof(value) - 1] = '\0';
	store_aid_act(aid, act_endless_meta, value);
	memset(value, 'x', sizeof(value) - 1);
	store_aid_act(aid, act_endless_meta, value);
	text = exported(aid);
	assert_true(strlen(text) < (size_t)2 * AUDIT_LINE_MAX);
	free(text);
	verified(aid, 2);
}

static char head_inside[LIMIT_AUDIT_HEAD];

static void
act_fails_after_entry(struct tx *tx, void *arg)
{
	act_add(tx, arg);
	(void)row_audit_newest(tx, head_inside);
	tx_fail(tx, ERR_INVALID, "a bug");
}

static void
act_head(struct tx *tx, void *arg)
{
	(void)row_audit_newest(tx, arg);
}

STORE_TEST(an_entry_of_a_decision_that_was_not_kept_is_not_in_the_chain)
{
	char before[LIMIT_AUDIT_HEAD], after[LIMIT_AUDIT_HEAD], user[] = "telegram:11";

	add(aid, 1);
	store_aid_act(aid, act_head, before);
	assert_false(store_aid_try(aid, act_fails_after_entry, user));
	store_aid_act(aid, act_head, after);
	assert_string_equal(before, after);
	assert_string_not_equal(head_inside, after);
	add(aid, 1);
	free(exported(aid));
	verified(aid, 2);
}

/* --- the file --- */

STORE_TEST(the_file_grows_with_the_rows_and_is_completed_after_a_restart)
{
	add(aid, 3);
	free(exported(aid));
	verified(aid, 3);
	add(aid, 40); /* the program ends before it writes them */
	store_aid_reopen(aid);
	free(exported(aid));
	verified(aid, 43);
	add(aid, 1);
	free(exported(aid));
	verified(aid, 44);
}

STORE_TEST(a_file_that_is_gone_is_written_anew)
{
	add(aid, 20);
	free(exported(aid));
	assert_int_equal(unlink(aid->audit_path), 0);
	add(aid, 1);
	free(exported(aid));
	verified(aid, 21);
}

STORE_TEST(a_tail_of_any_length_that_is_missing_is_appended)
{
	char *text, *again;
	size_t size;

	add(aid, 4);
	text = exported(aid);
	size = strlen(text);
	for (size_t cut = 0; cut < size; cut += 13) {
		assert_int_equal(truncate(aid->audit_path, (off_t)cut), 0);
		store_aid_reopen(aid);
		again = exported(aid);
		assert_string_equal(again, text);
		free(again);
	}
	free(text);
}

STORE_TEST(a_file_cut_off_while_we_run_is_noticed_and_completed)
{
	add(aid, 4);
	free(exported(aid));
	assert_int_equal(truncate(aid->audit_path, 700), 0);
	add(aid, 1);
	free(exported(aid));
	verified(aid, 5);
}

STORE_TEST(a_tail_that_differs_is_an_alarm_and_stays_as_it_is)
{
	char *text, *now;
	size_t size;

	add(aid, 4);
	text = exported(aid);
	size = strlen(text);
	text[size - 100] ^= 1;
	assert_true(file_write(aid->audit_path, text, size, 0600, NULL));
	store_aid_reopen(aid);
	add(aid, 1);
	store_aid_forget(aid);
	assert_true(store_project(aid->store, &aid->outcomes));
	assert_true(store_project(aid->store, &aid->outcomes));
	assert_int_equal(store_aid_count_outcomes(aid, OUTCOME_METRIC), 2);
	now = store_aid_read(aid->audit_path);
	assert_string_equal(now, text);
	free(now);
	/* Whoever looked into it puts the file away, and it is written anew. */
	assert_int_equal(unlink(aid->audit_path), 0);
	free(exported(aid));
	verified(aid, 5);
	free(text);
}

/* Power went behind a write and before its flush. */
STORE_TEST(a_tail_with_holes_is_written_again)
{
	char *text, *holed, *again;
	size_t size;

	add(aid, 4);
	text = exported(aid);
	size = strlen(text);
	holed = malloc(size);
	assert_non_null(holed);
	for (size_t at = 0; at < size; at += 97) {
		for (size_t n = 1; n <= size - at; n = n * 3 + 1) {
			memcpy(holed, text, size);
			memset(holed + at, '\0', n);
			assert_true(file_write(aid->audit_path, holed, size, 0600, NULL));
			store_aid_reopen(aid);
			again = exported(aid);
			assert_string_equal(again, text);
			free(again);
		}
	}
	free(holed);
	free(text);
}

STORE_TEST(lines_that_the_database_does_not_have_are_an_alarm)
{
	FILE *file;

	add(aid, 2);
	free(exported(aid));
	file = fopen(aid->audit_path, "ae");
	assert_non_null(file);
	assert_true(fputs("{\"mine\":true}\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	store_aid_reopen(aid);
	assert_true(store_project(aid->store, &aid->outcomes));
}

STORE_TEST(a_long_file_is_compared_by_its_tail)
{
	add(aid, 300); /* some 90 KB: more than the tail that is read */
	free(exported(aid));
	add(aid, 2);
	store_aid_reopen(aid);
	free(exported(aid));
	verified(aid, 302);
}

/* --- files that are closed --- */

#define DAY_MS (24 * 60 * 60 * INT64_C(1000))

static int
segments(struct store_aid *aid, int64_t ret_first[8])
{
	struct audit_segments closed;
	int n;

	assert_true(audit_segments_list(aid->audit_path, &closed, NULL));
	n = (int)closed.n;
	assert_in_range(n, 0, 8);
	for (int i = 0; i < n; i++)
		ret_first[i] = closed.first[i];
	audit_segments_done(&closed);
	return n;
}

STORE_TEST(a_new_day_and_a_full_file_close_it)
{
	int64_t first[8];

	add(aid, 3);
	free(exported(aid));
	assert_int_equal(segments(aid, first), 0);
	aid->at += DAY_MS;
	add(aid, 2);
	free(exported(aid));
	assert_int_equal(segments(aid, first), 1);
	assert_int_equal(first[0], 1);
	verified(aid, 5);
	aid->at -= 2 * DAY_MS; /* a clock that was set back ends no day */
	add(aid, 1);
	free(exported(aid));
	assert_int_equal(segments(aid, first), 1);
	aid->store->config.audit_size = 4096;
	add(aid, 10);
	free(exported(aid));
	assert_in_range(segments(aid, first), 2, 4);
	assert_int_equal(first[1], 4);
	verified(aid, 16);
}

/* What kill -9 may leave: closed and no other, another with nothing or a part of its first line. */
STORE_TEST(a_start_goes_on_behind_what_is_closed)
{
	char *before, *after, first_line[] = "{\"action\":\"denied\",\"co";
	int64_t first[8];

	add(aid, 3);
	free(exported(aid));
	aid->at += DAY_MS;
	add(aid, 2);
	before = exported(aid);
	for (int kind = 0; kind < 3; kind++) {
		assert_int_equal(unlink(aid->audit_path), 0);
		if (kind > 0)
			assert_true(file_write(aid->audit_path, first_line,
			    kind == 1 ? 0 : strlen(first_line), 0600, NULL));
		store_aid_reopen(aid);
		after = exported(aid);
		assert_string_equal(after, before);
		assert_int_equal(segments(aid, first), 1);
		verified(aid, 5);
		free(after);
	}
	free(before);
}

/* The day's first entries were lost with the power: the file of before is the newest again. */
STORE_TEST(what_is_closed_has_its_day_after_a_restart)
{
	int64_t first[8];

	add(aid, 3);
	free(exported(aid));
	aid->at += DAY_MS;
	add(aid, 2); /* the program ends before it writes them */
	store_aid_reopen(aid);
	free(exported(aid));
	assert_int_equal(segments(aid, first), 1);
	verified(aid, 5);
	add(aid, 1);
	free(exported(aid));
	assert_int_equal(segments(aid, first), 1);
	verified(aid, 6);
}

STORE_TEST(a_file_of_the_name_is_not_overwritten)
{
	char path[PATH_MAX], *text;

	audit_segment_path(aid->audit_path, 1, path);
	add(aid, 3);
	free(exported(aid));
	assert_true(file_write(path, "evidence", 8, 0600, NULL));
	aid->at += DAY_MS;
	add(aid, 1);
	assert_true(store_project(aid->store, &aid->outcomes));
	text = file_read(path, 64, NULL, NULL);
	assert_string_equal(text, "evidence");
	free(text);
	assert_int_equal(unlink(path), 0);
	free(exported(aid));
	verified(aid, 4);
}

STORE_TEST(closed_files_that_were_swapped_renamed_or_removed_are_noticed)
{
	char one[PATH_MAX], two[PATH_MAX], other[PATH_MAX];
	struct audit_verified found;
	struct err err;

	for (int day = 0; day < 3; day++, aid->at += DAY_MS) {
		add(aid, 2);
		free(exported(aid));
	}
	audit_segment_path(aid->audit_path, 1, one);
	audit_segment_path(aid->audit_path, 3, two);
	audit_segment_path(aid->audit_path, 9, other);
	verified(aid, 6);
	assert_int_equal(rename(two, other), 0); /* out of its order, or with another number */
	assert_false(audit_verify(aid->path, aid->audit_path, &found, &err));
	assert_int_equal(rename(one, two), 0);
	assert_int_equal(rename(other, one), 0);
	assert_false(audit_verify(aid->path, aid->audit_path, &found, &err));
	assert_non_null(strstr(err.text, "the file's name says another"));
	assert_int_equal(rename(one, other), 0);
	assert_int_equal(rename(two, one), 0); /* now the middle is gone */
	assert_int_equal(unlink(other), 0);
	assert_false(audit_verify(aid->path, aid->audit_path, &found, &err));
	assert_int_equal(unlink(one), 0);
	assert_true(audit_verify(aid->path, aid->audit_path, &found, &err));
	assert_int_equal(found.first, 5);
}

/* --- people --- */

static void
act_names(struct tx *tx, UNUSED void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DEPLOY_REQUESTED,
		.user = "github:octo(7)",
		.outcome = "ok",
	    },
	    (const char *const[]){ "reason", "x", "name", "Octo Cat", NULL });
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DEPLOY_REQUESTED,
		.user = "telegram:11",
		.outcome = "ok",
	    },
	    (const char *const[]){ "name", "Ada", NULL });
}

static void
act_push(struct tx *tx, void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DEPLOY_REQUESTED,
		.user = arg,
		.outcome = "ok",
	    },
	    (const char *const[]){ NULL });
}

/* What stands in the chain of who pushed, and what apart from it. */
STORE_TEST(a_login_of_any_forge_stands_apart_from_the_chain)
{
	static const struct {
		const char *user, *id, *name; /* name NULL: none is known */
	} cases[] = {
		{ "gitlab:joon(4)", "gitlab:4", "joon" },
		{ "gitea:j(o)n(7)", "gitea:7", "j(o)n" },
		{ "bitbucket:joon(3712)", "bitbucket:3712", "joon" },
		{ "bitbucket:joon(0)", "bitbucket:joon(0)", NULL }, /* else all were one */
		{ "gitlab:(4)", "gitlab:4", NULL },
		{ "gitlabs:joon(4)", "gitlabs:joon(4)", NULL },
		{ "local:joon(4)", "local:joon(4)", NULL },
	};
	char user[64], wanted[96];
	int64_t n;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text;

		(void)snprintf(user, sizeof(user), "%s", cases[i].user);
		store_aid_act(aid, act_push, user);
		text = exported(aid);
		(void)snprintf(wanted, sizeof(wanted), "\"user_id\":\"%s\"", cases[i].id);
		if (strstr(text, wanted) == NULL)
			fail_msg("%s: no %s in %s", cases[i].user, wanted, text);
		free(text);
		assert_true(db_one_i64(&n, aid->store->db, NULL,
		    "SELECT COUNT(*) FROM person_name WHERE who = $1 AND name = $2",
		    DB_TEXT(cases[i].id), DB_TEXT(cases[i].name == NULL ? "" : cases[i].name)));
		assert_int_equal(n, cases[i].name != NULL);
	}
}

STORE_TEST(names_stand_apart_from_the_chain)
{
	char *text;
	int64_t n;

	store_aid_act(aid, act_names, NULL);
	text = exported(aid);
	assert_null(strstr(text, "octo"));
	assert_null(strstr(text, "Ada"));
	assert_null(strstr(text, "Cat"));
	assert_non_null(strstr(text, "\"user_id\":\"github:7\""));
	assert_true(db_one_i64(&n, aid->store->db, NULL,
	    "SELECT COUNT(*) FROM person_name WHERE (who = 'github:7' AND name = 'octo')"
	    " OR (who = 'telegram:11' AND name = 'Ada')"));
	assert_int_equal(n, 2);
	verified(aid, 2);
	free(text);
}
