/* Goal: the own runner of another server is one that is disconnected, and its runs are never ours.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/db.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_effect.h"
#include "store/row_run.h"
#include "store/row_runner.h"

#define DATABASE "DATABASE_URL=postgres://bot@h/d"
#define SERVER_TEST(name) \
	WORLD_TEST_OF(name, DATABASE, "SERVER_NAME=server-b", "REGISTRY_URL=r.example.org")

static void
runner_is(struct world *w, enum event_kind kind, const char *name)
{
	struct event *event = store_aid_event(&w->aid, kind);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), name);
	(void)world_decide(w, event);
}

/* That server starts with the database as it is. */
static void
leads(struct world *w, const char *server)
{
	world_settings(w, DATABASE, server, "REGISTRY_URL=r.example.org", NULL);
	world_rewrite(w, "DELETE FROM runner WHERE name = ''");
	world_restart(w);
}

static int64_t
count(struct world *w, const char *runner)
{
	struct db *db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	int64_t n;

	assert_non_null(db);
	assert_true(db_one_i64(
	    &n, db, &w->aid.err, "SELECT COUNT(*) FROM run WHERE runner = $1", DB_TEXT(runner)));
	db_close(db);
	return n;
}

static void
order(struct world *w)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, RUNNER_LOCAL);
}

SERVER_TEST(a_runner_is_local_to_its_own_server_and_has_that_ones_name_in_rows)
{
	order(w);
	assert_int_equal(count(w, "server-b"), 1);
	assert_int_equal(count(w, RUNNER_LOCAL), 0);
	(void)world_run_starts(w);
	leads(w, "SERVER_NAME=server-b");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, RUNNER_LOCAL);
	assert_null(world_says(w, "disconnected"));
	runner_is(w, EVENT_RUNNER_GONE, RUNNER_LOCAL);
	assert_non_null(world_says(w, "⚠️ its runner is disconnected since "));
	runner_is(w, EVENT_RUNNER_HELLO, RUNNER_LOCAL);
	assert_null(strstr(world_plain(world_says(w, "⏳ Deploying staging")), "disconnected"));
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	world_answers(w, WORLD_ADMIN, "/show 1", "deploy script: started ");
}

WORLD_TEST(on_sqlite_it_is_local_in_rows_too)
{
	order(w);
	assert_int_equal(count(w, RUNNER_LOCAL), 1);
}

#define WAY ": start server-b, hand over to it, or /abandon 1"

SERVER_TEST(a_run_of_another_servers_runner_is_waited_for_until_that_server_leads_again)
{
	order(w);
	(void)world_run_starts(w);
	leads(w, "SERVER_NAME=server-a");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, "server-b");
	assert_non_null(world_says(w, "⚠️ its runner server-b is disconnected since "));
	assert_non_null(world_says(w, WAY));
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	runner_is(w, EVENT_RUNNER_HELLO, RUNNER_LOCAL); /* ours says nothing of it */
	world_answers(w, WORLD_ADMIN, "/status staging", ", its runner server-b is disconnected");
	assert_non_null(strstr(world_plain(world_last(w)), WAY));
	world_answers(w, WORLD_ADMIN, "/show 1", WAY);
	world_answers(w, WORLD_ADMIN, "/abandon 1", "❓ Abandon staging? #1 aaaaaaa");
	leads(w, "SERVER_NAME=server-b");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, RUNNER_LOCAL);
	runner_is(w, EVENT_RUNNER_HELLO, RUNNER_LOCAL);
	assert_null(strstr(world_plain(world_says(w, "⏳ Deploying staging")), "disconnected"));
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

SERVER_TEST(a_take_over_audits_nothing_that_is_each_machines_own)
{
	world_restart(w);
	world_settings(w, DATABASE, "SERVER_NAME=server-a", "API_SERVER_PORT=8181",
	    "AUDIT_LOG_PATH=/tmp/other/audit.log", "REGISTRY_URL=r.example.org", "LOG_LEVEL=debug",
	    NULL);
	world_restart(w);
	assert_int_equal(world_audited(w, "settings_changed", "SERVER_NAME"), 0);
	assert_int_equal(world_audited(w, "settings_changed", "API_SERVER_PORT"), 0);
	assert_int_equal(world_audited(w, "settings_changed", "AUDIT_LOG_PATH"), 0);
	assert_int_equal(world_audited(w, "settings_changed", "LOG_LEVEL"), 1);
	world_settings(w, DATABASE, "SERVER_NAME=server-a", "API_SERVER_PORT=8282",
	    "AUDIT_LOG_PATH=/tmp/other/audit.log", "REGISTRY_URL=r.example.org", "LOG_LEVEL=debug",
	    NULL);
	world_restart(w);
	assert_int_equal(world_audited(w, "settings_changed", "API_SERVER_PORT"), 1);
}

/* As recover_run() reports it. */
SERVER_TEST(a_run_that_another_server_never_let_go_is_begun_anew_here)
{
	order(w);
	leads(w, "SERVER_NAME=server-a");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, "server-b");
	for (int n = 1; n < 3; n++) {
		world_run_ends(w, (struct run_ended){ .detail = "the server server-b stopped" });
		assert_int_equal(world_state(w), DEPLOY_RUNNING);
		assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.runner, RUNNER_LOCAL);
		assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.run, n + 1);
		assert_int_equal(count(w, "server-a"), n);
	}
}

SERVER_TEST(a_log_is_at_the_server_whose_runner_had_the_run)
{
	order(w);
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	leads(w, "SERVER_NAME=server-a");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Live: staging"), "Log"));
	if (strstr(w->toast, "at the server server-b: STATE_DIRECTORY/runs/1/log there") == NULL)
		fail_msg("%s", w->toast);
}

static void
ask_for_it(struct tx *tx, UNUSED void *arg)
{
	struct effect purge = { .kind = EFFECT_PURGE_RUN, .u.purge_run.run = 1 };

	assert_string_equal(row_runner_of(tx, 1, purge.u.purge_run.runner), RUNNER_LOCAL);
	(void)row_effect_order(tx, &purge);
}

SERVER_TEST(a_folder_is_purged_where_it_is)
{
	order(w);
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	world_act(w, ask_for_it, NULL);
	assert_string_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.runner, RUNNER_LOCAL);
	leads(w, "SERVER_NAME=server-a");
	assert_string_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.runner, "server-b");
	leads(w, "SERVER_NAME=server-b");
	assert_string_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.runner, RUNNER_LOCAL);
}
