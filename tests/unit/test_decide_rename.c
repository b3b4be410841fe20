/* Goal: an application that was renamed goes on with its history; nothing is deployed meanwhile.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <unistd.h>

#include "decide/audit/decide_rename.h"
#include "decide_aid.h"
#include "lib/file.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_left_host.h"
#include "store/row_rename.h"
#include "store/store_inside.h"

static void
take(struct world *w, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/apps/%s.env", w->aid.folder, name);
	assert_int_equal(unlink(path), 0);
}

static bool
has_state_file(struct world *w, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/environments/%s.json", w->aid.folder, name);
	return access(path, F_OK) == 0;
}

/* The settings as the files have them now, none of the main file of one application; client: of
 * acme, the environment that its host is. */
static void
read_with(struct world *w, const char *client)
{
	struct event *event;
	char directory[256], environment[64];

	(void)snprintf(directory, sizeof(directory), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	(void)snprintf(environment, sizeof(environment), "CLIENT_ACME_ENVIRONMENT=%s", client);
	world_settings(w, "GITHUB_REPOSITORY=", directory,
	    client[0] != '\0' ? "CLIENTS=acme" : NULL, "CLIENT_ACME_HOST=local",
	    "CLIENT_ACME_ACTIONS=disk-free", environment, NULL);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
}

static void
read_anew(struct world *w)
{
	read_with(w, "");
}

#define SHOP "REPOSITORY_URL=/repo\nDEPLOY_TRANSPORT=local\nSTAGING_PORT=1\nPRODUCTION_PORT=2\n"

static void
deploy(struct world *w, const char *text, const char *commit)
{
	world_asks(w, WORLD_ADMIN, text, commit);
}

static void
go_live(struct world *w, const char *text, const char *commit)
{
	deploy(w, text, commit);
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
}

WORLD_TEST(history_and_what_is_live_go_to_the_new_name)
{
	go_live(w, "/deploy staging", COMMIT_A);
	go_live(w, "/deploy staging " COMMIT_B, COMMIT_B);
	(void)world_audited(w, "", NULL);
	assert_true(has_state_file(w, "staging"));
	world_application_file(w, "shop", SHOP "RENAMED_FROM=.\n");
	read_anew(w);
	assert_string_equal(world_environment(w, "shop/staging").current.commit, COMMIT_B);
	assert_string_equal(world_environment(w, "shop/staging").previous.commit, COMMIT_A);
	assert_int_equal(world_environment(w, "staging").current.id, 0);
	assert_int_equal(world_newest(w, "shop/staging").id, 2);
	assert_int_equal(world_newest(w, "staging").id, 0);
	assert_int_equal(world_audited(w, "environment_renamed", "\"from\":\"staging\""), 1);
	assert_true(has_state_file(w, "shop.staging")); /* written behind the decisions */
	assert_false(has_state_file(w, "staging"));
	/* once: what is there stays, whatever the file goes on saying */
	read_anew(w);
	assert_int_equal(
	    world_audited(w, "environment_renamed", ""), 1); /* not that both have one */
	/* and another name once more */
	take(w, "shop");
	world_application_file(w, "store", SHOP "RENAMED_FROM=shop\n");
	read_anew(w);
	assert_string_equal(world_environment(w, "store/staging").current.commit, COMMIT_B);
}

/* --- what its forge has said --- */

static void
note_forge(struct tx *tx, void *arg)
{
	static const char *const statements[] = {
		"INSERT INTO pipeline_run SELECT $1, 'acme/shop', '1', 'ci.yml', 'c', 'main', '', '',"
		" i, 1, 1, 2, 'failure', 1, 1, 1 FROM (SELECT 7 AS i UNION ALL SELECT 8) AS n",
		"INSERT INTO pipeline_red (id, chat, application, repository_id, file, branch, run, attempt,"
		" message, since, failures, details) VALUES (1, 1, $1, '1', 'ci.yml', 'main', 7, 1, 1, 1, 1, '')",
		"INSERT INTO forge_hook (id, application, repository, number, looked_at)"
		" VALUES (1, $1, 'acme/shop', 5, 1)",
	};

	for (size_t i = 0; i < COUNT(statements); i++)
		(void)tx_run(tx, statements[i], DB_TEXT((const char *)arg));
	store_aid_count_rows_of(tx);
}

static void
note_newer(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx,
	    "INSERT INTO pipeline_run SELECT 'store', repository, repository_id, file, commit_id,"
	    " branch, 'newer', actor, run, number, attempt, rank, conclusion, counts, at, seen_at"
	    " FROM pipeline_run WHERE run = 7");
	(void)tx_run(tx,
	    "INSERT INTO forge_hook (id, application, repository, number, looked_at)"
	    " VALUES (99, 'store', 'acme/shop', 6, 2)");
	(void)tx_run(tx,
	    "INSERT INTO undelivered SELECT id, 'guid', 1, 1, 0, 0, '', 0, 0 FROM forge_hook"
	    " WHERE number = 5");
	store_aid_count_rows_of(tx);
}

static int64_t
count_in(struct world *w, const char *sql)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	assert_true(db_query(&rows, w->aid.store->db, &err, sql) && db_next(&rows));
	return db_col_i64(&rows, 0);
}

/* Of each table that has them; a right that has ended stays ended under both names, a principal's
 * number is its name's for ever, and what was set in a file of before says which file that was. */
static void
find_rows_of(struct world *w, const char *name, char table[64])
{
	CLEANUP(db_rows_close) struct db_rows tables = { 0 };
	char sql[256];
	struct err err;

	table[0] = '\0';
	assert_true(db_query(&tables, w->aid.store->db, &err,
	    database_aid_sql("SELECT t.name FROM (%s) AS t WHERE instr(t.line, '(application)') > 0"
			     " AND t.name NOT IN ('audit', 'ended', 'setting', 'secret')")));
	while (db_next(&tables)) {
		(void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s WHERE application = '%s'",
		    db_col_text(&tables, 0), name);
		if (count_in(w, sql) != 0)
			(void)text_copy(table, 64, db_col_text(&tables, 0));
	}
}

WORLD_TEST(what_its_forge_has_said_goes_to_the_new_name)
{
	char table[64];

	world_application_file(w, "shop", SHOP);
	read_anew(w);
	go_live(w, "/deploy shop/staging", COMMIT_A);
	world_act(w, note_forge, "shop");
	take(w, "shop");
	world_application_file(w, "store", SHOP "RENAMED_FROM=shop\n");
	world_act(w, note_newer, NULL);
	read_anew(w);
	find_rows_of(w, "shop", table);
	assert_string_equal(table, "");
	assert_int_equal(
	    count_in(w, "SELECT COUNT(*) FROM pipeline_run WHERE application = 'store'"), 2);
	assert_int_equal(count_in(w, "SELECT COUNT(*) FROM pipeline_run WHERE title = 'newer'"), 1);
	assert_int_equal(
	    count_in(w, "SELECT COUNT(*) FROM pipeline_red WHERE application = 'store'"), 1);
	assert_int_equal(count_in(w, "SELECT SUM(number) FROM forge_hook"), 6);
	assert_int_equal(count_in(w, "SELECT COUNT(*) FROM undelivered"), 0);
}

/* One that gets a file of its own. */
WORLD_TEST(what_the_main_files_forge_has_said_goes_to_the_file_that_takes_its_place)
{
	world_act(w, note_forge, "");
	world_application_file(w, "shop", SHOP "RENAMED_FROM=.\n");
	read_anew(w);
	assert_int_equal(
	    count_in(w, "SELECT COUNT(*) FROM pipeline_run WHERE application = 'shop'"), 2);
	assert_int_equal(
	    count_in(w, "SELECT COUNT(*) FROM forge_hook WHERE application = 'shop'"), 1);
}

WORLD_TEST(nothing_is_renamed_while_it_runs)
{
	deploy(w, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	world_push_is_at(w, COMMIT_B); /* queued behind it */
	world_application_file(w, "shop", SHOP "RENAMED_FROM=.\n");
	read_anew(w);
	read_anew(w);
	assert_int_equal(world_newest(w, "shop/staging").id, 0);
	world_answers(
	    w, WORLD_ADMIN, "/deploy shop/staging", "work under the old name has not ended yet");
	world_answers(w, WORLD_ADMIN, "/status shop/staging", "staging has no release yet");
	assert_non_null(world_says(w, "in progress aaaaaaa"));
	assert_non_null(world_says(w, "renamed: it is shop/staging when this has ended"));
	world_answers(w, WORLD_ADMIN, "/queue",
	    "staging: renamed: it is shop/staging when this has ended\n▶️ #1 ");
	world_run_ends(w, GOOD);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	world_due(w, TIMER_RENAME);
	assert_string_equal(world_environment(w, "shop/staging").current.commit, COMMIT_A);
	assert_int_equal(world_newest(w, "shop/staging").id, 2);
	world_git(w, (struct world_git){ .commit = COMMIT_B }); /* beside what is live by now */
	assert_int_equal(world_count(w, EFFECT_RUN), 1); /* ... which goes on under the new name */
}

TEST(what_runs_under_an_old_name_is_cancelled_by_either)
{
	static const char *const typed[] = { "/cancel staging", "/cancel shop/staging",
		"/cancel shop staging" };

	for (size_t i = 0; i < COUNT(typed); i++) {
		struct world w;

		world_open(&w, NULL);
		deploy(&w, "/deploy staging", COMMIT_A);
		(void)world_run_starts(&w);
		world_application_file(&w, "shop", SHOP "RENAMED_FROM=.\n");
		read_anew(&w);
		/* A staging user's grant has the new name as it had the old one. */
		(void)world_text(&w, WORLD_STRANGER, typed[i]);
		assert_int_equal(world_count(&w, EFFECT_STOP_RUN), 0);
		(void)world_text(&w, WORLD_STAGING_USER, typed[i]);
		assert_non_null(world_says(&w, "Stopping: staging \"Make it blue\" aaaaaaa"));
		assert_int_equal(world_count(&w, EFFECT_STOP_RUN), 1);
		world_close(&w);
	}
}

WORLD_TEST(what_runs_of_a_removed_application_is_seen_and_cancelled)
{
	world_application_file(w, "blog", SHOP);
	world_application_file(w, "shop",
	    "REPOSITORY_URL=/other\nDEPLOY_TRANSPORT=local\nSTAGING_PORT=3\n"
	    "ENVIRONMENTS=staging\n");
	read_anew(w);
	deploy(w, "/deploy blog/production", COMMIT_A);
	world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to blog/production?"), "Deploy to"));
	world_git_same(w);
	(void)world_run_starts(w);
	take(w, "blog");
	read_anew(w);
	world_answers(
	    w, WORLD_ADMIN, "/queue", "blog/production: not in the settings any more\n▶️ #1 ");
	world_answers(w, WORLD_ADMIN, "/status blog/production", "in progress aaaaaaa");
	world_answers(
	    w, WORLD_ADMIN, "/status", "⏳ in progress aaaaaaa; not in the settings any more");
	(void)world_text(w, WORLD_STAGING_USER, "/cancel blog/production");
	world_answers(w, WORLD_ADMIN, "/deploy blog/production", "No \"blog/production\".");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0);
	world_answers(w, WORLD_ADMIN, "/cancel blog production",
	    "Stopping: blog/production \"Make it blue\" aaaaaaa");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 1);
	world_run_ends(w,
	    (struct run_ended){ .gate_opened = true, .ended_on_request = true, .exit_status = -1 });
	world_answers(w, WORLD_ADMIN, "/queue", "Nothing is in progress");
}

WORLD_TEST(a_name_with_a_history_of_its_own_takes_no_other)
{
	go_live(w, "/deploy staging", COMMIT_A);
	world_application_file(w, "shop", SHOP);
	read_anew(w);
	go_live(w, "/deploy shop/staging", COMMIT_B);
	world_application_file(w, "shop", SHOP "RENAMED_FROM=.\n");
	read_anew(w);
	assert_string_equal(world_environment(w, "shop/staging").current.commit, COMMIT_B);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_audited(w, "settings_reloaded", ""), 2); /* nothing has failed */
	assert_int_equal(world_audited(w, "environment_renamed", "both have a history"), 1);
}

/* An editor, or a copy, is half through: what waits is not ended for that. */
static void
meet(struct tx *tx, void *arg)
{
	struct block old = { .commit = COMMIT_A, .why = "old" }, new = old, found;
	struct left_host left[LEFT_HOSTS_SHOWN];

	(void)arg;
	(void)text_copy(new.why, sizeof(new.why), "new");
	row_block_add(tx, "shop/staging", &new);
	row_block_add(tx, "staging", &old);
	row_left_host_set(tx, "shop/staging", "h1,h2", COMMIT_B);
	row_left_host_set(tx, "staging", "h2,h3", COMMIT_A);
	row_rename(tx, "staging", "shop/staging");
	assert_true(row_block_find(tx, "shop/staging", COMMIT_A, &found));
	assert_string_equal(found.why, "old");
	assert_int_equal(row_left_host_list(tx, "shop/staging", left), 3);
	assert_string_equal(left[0].commit, COMMIT_B);
	assert_string_equal(left[1].commit, COMMIT_A);
	row_rename(tx, "shop/staging", "shop/staging"); /* loses nothing */
	assert_true(row_block_find(tx, "shop/staging", COMMIT_A, NULL));
	assert_int_equal(row_left_host_list(tx, "shop/staging", left), 3);
}

WORLD_TEST(of_what_both_names_have_that_of_the_renamed_one_stays)
{
	world_act(w, meet, NULL);
}

WORLD_TEST(what_is_queued_waits_for_a_file_that_cannot_be_read)
{
	world_application_file(w, "shop", SHOP "GITHUB_REPOSITORY=acme/shop\n");
	world_application_file(w, "web", SHOP "STAGING_PORT=3\nPRODUCTION_PORT=4\n");
	read_anew(w);
	deploy(w, "/deploy shop/staging", COMMIT_A);
	(void)world_run_starts(w);
	world_push_is_at(w, COMMIT_B);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_QUEUED);
	world_application_file(w, "shop", "REPOSITORY_UR");
	read_anew(w);
	world_run_ends(w, GOOD);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_QUEUED);
	take(w, "shop");
	read_anew(w);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_REFUSED);
}

/* It awaits approval, and the file that says how many have to approve it is half written. */
static void
awaits_its_file(struct world *w, const char *commit)
{
	world_application_file(w, "shop", SHOP "STAGING_APPROVALS=1\n");
	read_anew(w);
	deploy(w, "/deploy shop/staging", commit);
	world_application_file(w, "shop", "REPOSITORY_UR");
	read_anew(w);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_AWAITING_APPROVAL);
}

static void
approve(struct world *w)
{
	world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "approval"), "Approve"));
}

WORLD_TEST(what_awaits_approval_waits_for_a_file_that_cannot_be_read)
{
	world_application_file(w, "web", SHOP "STAGING_PORT=3\nPRODUCTION_PORT=4\n");
	awaits_its_file(w, COMMIT_A);
	approve(w);
	assert_non_null(strstr(w->toast, "file cannot be read now"));
	world_application_file(w, "shop", SHOP "STAGING_APPROVALS=1\n");
	read_anew(w);
	assert_null(world_peek(w, EFFECT_RUN));
	approve(w);
	world_run_ends(w, GOOD);
	awaits_its_file(w, COMMIT_B); /* and ends when it would */
	world_due(w, TIMER_APPROVAL);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_AWAITING_APPROVAL);
	world_due(w, TIMER_APPROVAL);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_EXPIRED);
	awaits_its_file(w, COMMIT_C);
	take(w, "shop");
	read_anew(w);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_REFUSED);
}

/* ... nor while git's answer to the one in front comes meanwhile. */
WORLD_TEST(an_answer_of_git_ends_nothing_whose_file_cannot_be_read)
{
	world_application_file(w, "shop", SHOP "GITHUB_REPOSITORY=acme/shop\n");
	world_application_file(w, "web", SHOP "STAGING_PORT=3\nPRODUCTION_PORT=4\n");
	read_anew(w);
	deploy(w, "/deploy shop/staging", COMMIT_A);
	(void)world_run_starts(w);
	world_push_is_at(w, COMMIT_B);
	world_run_ends(w, GOOD);
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY)); /* how B and what is live are related */
	world_application_file(w, "shop", "REPOSITORY_UR");
	read_anew(w);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_QUEUED);
	world_application_file(w, "shop", SHOP "GITHUB_REPOSITORY=acme/shop\n");
	read_anew(w);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_RUNNING);
}

#define SHOP_OF SHOP "GITHUB_REPOSITORY=acme/shop\nPOLL_REPOSITORY_SECONDS=60\n"

/* shop becomes store, while its staging, which is frozen, is rolled back from B to A. */
static void
rename_amid_a_rollback(struct world *w)
{
	world_application_file(w, "shop", SHOP_OF);
	read_anew(w);
	go_live(w, "/deploy shop/staging", COMMIT_A);
	go_live(w, "/deploy shop/staging " COMMIT_B, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/freeze shop/staging 3d B is broken");
	world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback shop/staging"), "Roll back"));
	(void)world_run_starts(w);
	take(w, "shop");
	world_application_file(w, "store", SHOP_OF "RENAMED_FROM=shop\n");
	read_anew(w);
}

static void
announce(struct world *w, const char *commit)
{
	struct event *event = world_push(w, "develop");

	(void)text_copy(event->u.delivery.after, sizeof(event->u.delivery.after), commit);
	(void)world_decide(w, event);
}

/* It is, with all that is known of it, and the push is looked up. */
static void
is_renamed_behind_it(struct world *w)
{
	assert_int_equal(world_newest(w, "store/staging").id, 0);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	world_run_ends(w, GOOD);
	world_due(w, TIMER_RENAME);
	assert_string_equal(world_environment(w, "store/staging").current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, "store/staging"), COMMIT_B);
	world_due(w, TIMER_PUSH);
}

/* C was pushed before B was rolled back, and has it. */
static void
has_what_is_blocked(struct world *w)
{
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "contains bbbbbbb, rolled back meanwhile"));
}

WORLD_TEST(a_push_while_an_application_is_renamed_waits_for_that)
{
	rename_amid_a_rollback(w);
	announce(w, COMMIT_C);
	is_renamed_behind_it(w);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "store/staging \"Make it blue\" ccccccc"));
	(void)world_text(w, WORLD_ADMIN, "/unfreeze store/staging");
	has_what_is_blocked(w);
}

/* ... also where git does not show it before. */
WORLD_TEST(a_push_that_git_shows_behind_a_rename_came_when_it_was_announced)
{
	rename_amid_a_rollback(w);
	announce(w, COMMIT_C);
	is_renamed_behind_it(w);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .lacks_after = true });
	(void)world_text(w, WORLD_ADMIN, "/unfreeze store/staging");
	world_due(w, TIMER_PUSH);
	has_what_is_blocked(w);
}

/* Both files were there for a moment, and git was asked for both. */
WORLD_TEST(what_git_says_of_a_new_name_waits_for_its_rows)
{
	rename_amid_a_rollback(w);
	world_application_file(w, "store", SHOP_OF);
	read_anew(w);
	announce(w, COMMIT_C);
	world_application_file(w, "store", SHOP_OF "RENAMED_FROM=shop\n");
	read_anew(w);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	is_renamed_behind_it(w);
}

/* Polling shows it before B is blocked. */
WORLD_TEST(what_is_polled_while_an_application_is_renamed_waits_for_that)
{
	world_application_file(w, "shop", SHOP_OF);
	read_anew(w);
	world_polled(w, COMMIT_B, COMMIT_A);
	rename_amid_a_rollback(w);
	for (int i = 0; i < 3; i++) {
		world_polled(w, i == 0 ? COMMIT_B : COMMIT_C, COMMIT_A);
	}
	is_renamed_behind_it(w);
	(void)world_text(w, WORLD_ADMIN, "/unfreeze store/staging");
	has_what_is_blocked(w);
}

/* Nor does an action on a machine that is that environment make the first work of the new name. */
WORLD_TEST(no_action_is_done_where_rows_are_to_be_renamed)
{
	rename_amid_a_rollback(w);
	read_with(w, "store/staging");
	world_answers(w, WORLD_ADMIN, "/do disk-free acme", "its application was renamed");
	announce(w, COMMIT_C);
	is_renamed_behind_it(w);
}

/* Two are one target: the one named later, unless it alone is live there. */
WORLD_TEST(who_alone_is_live_keeps_a_shared_target)
{
	world_application_file(w, "web", SHOP);
	read_anew(w);
	go_live(w, "/deploy web/staging", COMMIT_A);
	world_application_file(w, "shop", SHOP);
	read_anew(w);
	world_answers(w, WORLD_ADMIN, "/deploy shop/staging",
	    "web/staging shares a port of this machine with shop/staging");
	go_live(w, "/deploy web/staging " COMMIT_B, COMMIT_B);
	assert_string_equal(world_environment(w, "web/staging").current.commit, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/deploy web/production"); /* neither is live: the later */
	assert_non_null(
	    world_says(w, "web/production shares a port of this machine with shop/production"));
}
