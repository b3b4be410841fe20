/* Goal: what the audit log's files end with is known, and whether a database still has it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/db.h"
#include "store/audit_end.h"
#include "store/row_audit.h"
#include "store/store_inside.h"
#include "store/store_move.h"
#include "tests/unit/store_aid.h"
#include "tests/unit/unit.h"

static void
act_audit(struct tx *tx, void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DENIED, .user = arg, .environment = "staging", .outcome = "no" },
	    NULL);
}

/* Three entries, in the database and in the log. */
static void
write_three(struct store_aid *aid)
{
	char *text;

	for (int i = 0; i < 3; i++)
		store_aid_act(aid, act_audit, (char[]){ "telegram:1" });
	assert_false(store_project(aid->store, &aid->outcomes));
	text = store_aid_read(aid->audit_path);
	assert_non_null(strstr(text, "\"seq\":3"));
	free(text);
}

static void
append(struct store_aid *aid, const char *text)
{
	FILE *file = fopen(aid->audit_path, "ae");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int64_t
end_of(struct store_aid *aid)
{
	struct audit_chain end;

	if (!audit_end_read(aid->audit_path, &end, &aid->err))
		fail_msg("%s", aid->err.text);
	return end.seq;
}

STORE_TEST(the_last_whole_line_counts)
{
	char *text;

	assert_int_equal(end_of(aid), 0);
	write_three(aid);
	assert_int_equal(end_of(aid), 3);
	text = store_aid_read(aid->audit_path);
	text[strlen(text) / 6] = '\0'; /* within the first line */
	append(aid, text);
	free(text);
	assert_int_equal(end_of(aid), 3);
}

STORE_TEST(what_was_closed_counts_where_nothing_is_newer)
{
	char closed[128];

	write_three(aid);
	(void)snprintf(closed, sizeof(closed), "%s.1", aid->audit_path);
	assert_int_equal(rename(aid->audit_path, closed), 0);
	assert_int_equal(end_of(aid), 3);
	append(aid, "");
	assert_int_equal(end_of(aid), 3);
}

/* It proves nothing of the database, and its difference is said when more is written. */
STORE_TEST(a_line_that_was_edited_does_not_count)
{
	char *text, *at;

	write_three(aid);
	text = store_aid_read(aid->audit_path);
	for (at = text; strstr(at + 1, "telegram:1") != NULL;)
		at = strstr(at + 1, "telegram:1");
	at[strlen("telegram:")] = '2';
	assert_int_equal(unlink(aid->audit_path), 0);
	append(aid, text);
	free(text);
	assert_int_equal(end_of(aid), 2); /* the one before it does */
}

static bool
has(struct store_aid *aid, const struct audit_chain *end, int64_t newest)
{
	int64_t last;
	bool is_in;

	if (!audit_end_is_in(aid->store->db, end, &is_in, &last, &aid->err))
		fail_msg("%s", aid->err.text);
	assert_int_equal(last, newest);
	return is_in;
}

STORE_TEST(a_database_has_it_by_its_number_and_its_hash)
{
	struct audit_chain end;

	write_three(aid);
	assert_true(audit_end_read(aid->audit_path, &end, &aid->err));
	assert_true(has(aid, &end, 3));
	store_aid_act(aid, act_audit, (char[]){ "telegram:1" });
	assert_true(has(aid, &end, 4));
	end.hash[31] ^= 1;
	assert_false(has(aid, &end, 4)); /* it went on another way */
	end.seq = 5;
	assert_false(has(aid, &end, 4));
	assert_true(has(aid, &(struct audit_chain){ 0 }, 4)); /* there is no log */
}

/* As a promotion without the last commits leaves it, for whoever starts it saying so. */
STORE_TEST(a_log_that_knows_more_is_moved_away_and_kept)
{
	char *text, *kept, pattern[128];
	glob_t found;

	write_three(aid);
	text = store_aid_read(aid->audit_path);
	assert_true(db_run(aid->store->db, &aid->err, "DELETE FROM audit WHERE seq = 3"));
	aid->config.is_restored = true;
	store_aid_reopen(aid);
	assert_int_equal(aid->store->log_last, 3);
	assert_true(store_move_check(aid->store->db, false, true, &aid->err));
	/* Until it has decided. */
	assert_false(store_move_check(aid->store->db, false, false, &aid->err));
	assert_int_equal(end_of(aid), 0);
	(void)snprintf(pattern, sizeof(pattern), "%s/before-*/audit.log", aid->folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	kept = store_aid_read(found.gl_pathv[0]);
	globfree(&found);
	assert_string_equal(kept, text);
	free(kept);
	free(text);
	write_three(aid); /* from the first entry on */
}

/* A machine that is made anew may have no such folder yet: that is said when the log is written. */
STORE_TEST(a_log_that_cannot_be_read_ends_no_start)
{
	write_three(aid);
	(void)snprintf(aid->audit_path, sizeof(aid->audit_path), "%s/none/audit.log", aid->folder);
	aid->config.is_restored = true;
	store_aid_reopen(aid);
	assert_int_equal(aid->store->log_last, 0);
}
