/* Goal: after a restart or new settings nothing hangs, and it is in the audit.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/db.h"
#include "lib/text.h"
#include "store/store_inside.h"

/* As a crash does it: what was handed out is forgotten, and handed out again. */
static void
crash(struct world *w)
{
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	store_aid_reopen(&w->aid);
	world_restart(w);
}

WORLD_TEST_OF(a_crash_forgets_nothing, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	crash(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_true(world_peek(w, EFFECT_RUN)->is_recovered);
	assert_int_equal(world_active(w, "staging").state, DEPLOY_RUNNING);
	world_run_ends(w, GOOD);
	crash(w);
	assert_int_equal(world_count(w, EFFECT_PROBE), 1);
	world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

/* A database that was restored beside the folders of later runs. */
WORLD_TEST_OF(a_run_has_no_number_that_has_a_folder, STAGING_URL)
{
	struct event *event;

	event = store_aid_event(&w->aid, EVENT_STARTED);
	event->u.started.highest_run = 41;
	(void)world_decide(w, event);
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(world_active(w, "staging").run, 42);
	event = store_aid_event(&w->aid, EVENT_STARTED);
	event->u.started.highest_run = 7; /* those behind it were removed since */
	(void)world_decide(w, event);
	world_run_ends(w, GOOD);
}

/* Hosts and clusters refuse a lower number than that of a run since the copy was made. */
WORLD_TEST_OF(behind_a_restore_no_run_has_a_number_that_a_host_knows, "CLIENTS=acme",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free")
{
	world_restored(w);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_true(world_peek(w, EFFECT_RUN)->u.run.run > 100000);
}

/* A folder's name had used up all numbers, before such folders were passed over. */
WORLD_TEST_OF(numbers_that_are_used_up_are_corrected_by_a_start, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_rewrite(w, "UPDATE counter SET value = 9223372036854775807 WHERE name = 'run';");
	world_restart(w);
	world_deploy_starts(w, COMMIT_B);
	assert_int_equal(world_active(w, "staging").run, 2);
	world_run_ends(w, GOOD);
}

/* Of versions that sent the audit to collectors, and second factors as pictures; a body that is
 * none is no reason to stop.  What such a picture may have shown counts no more. */
WORLD_TEST(what_was_open_of_kinds_that_have_gone_ends_at_the_start)
{
	size_t timers = world_count(w, EFFECT_TIMER);

	world_rewrite(w,
	    "INSERT INTO effect (id, kind, subject, body, due, at) VALUES"
	    " (97, 'forward', 0, '{\"to\":\"syslog\",\"first\":1,\"last\":2,\"place\":\"syslog a:1\"}', 0, 1),"
	    " (98, 'forward', 0, '', 0, 1), (99, 'wait', 0, '{\"wait\":\"forward\",\"name\":\"\"}', 9, 1);"
	    "INSERT INTO effect (id, kind, subject, body, lane, due, at) VALUES"
	    " (100, 'picture', 0, '{\"person\":33,\"made_at\":5}', 'picture 33', 0, 1);"
	    "INSERT INTO effect (id, kind, subject, body, due, at) VALUES"
	    " (101, 'wait', 0, '{\"wait\":\"picture\",\"name\":\"33\",\"round\":777}', 9, 1);"
	    "INSERT INTO factor (person, sealed, made_at, made_by, enrolled_at) VALUES"
	    " (33, '', 5, 33, 0), (34, '', 5, 34, 0), (3, '', 5, 33, 0);"
	    "INSERT INTO audit_forward VALUES ('syslog a:1', 1, 1, 1, 0, '');");
	crash(w);
	assert_int_equal(world_count(w, EFFECT_TIMER), timers);
	world_rewrite(w,
	    "CREATE TEMP TABLE t (a INTEGER CHECK (a = 1)); INSERT INTO t SELECT 1 + count(*) FROM"
	    " effect WHERE kind IN ('forward', 'picture') OR body LIKE '%forward%' OR"
	    " body LIKE '%picture%';"
	    "INSERT INTO t SELECT count(*) - 1 FROM factor;"
	    "INSERT INTO t SELECT sent + is_out FROM audit_forward; DROP TABLE t;");
}

WORLD_TEST(a_question_survives_a_crash_with_its_buttons_and_deadline)
{
	char confirm[LIMIT_BUTTON_ID];

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	crash(w);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)text_copy(confirm, sizeof(confirm), world_button(world_last(w), "Deploy to"));
	crash(w);
	assert_int_equal(world_count(w, EFFECT_TIMER), 2);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, confirm);
	crash(w); /* confirmed, and git has not answered */
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_int_equal(world_count(w, EFFECT_TIMER), 1);
}

WORLD_TEST_OF(an_active_deployment_without_an_open_effect_is_given_up, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_rewrite(w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	world_restart(w);
	assert_int_equal(world_active(w, "staging").id, 0);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_FAILED);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_non_null(world_says(w, "it was not running when deploybot started"));
}

WORLD_TEST_OF(what_is_given_up_over_a_release_rolls_back_to_it, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, GOOD);
	world_rewrite(w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	world_restart(w);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_ROLLED_BACK);
}

WORLD_TEST(a_request_that_nobody_will_answer_is_refused_at_the_start)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_restart(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REQUESTED);
	world_rewrite(w, "DELETE FROM effect WHERE kind = 'ask';");
	world_restart(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_restart(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
	world_rewrite(w, "DELETE FROM effect WHERE kind = 'wait';");
	world_restart(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_non_null(world_says(w, "it was not running"));
}

WORLD_TEST(what_waited_starts_when_nothing_is_active)
{
	world_deploy_starts(w, COMMIT_A);
	world_push_is_at(w, COMMIT_B);
	world_rewrite(w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	world_restart(w);
	assert_string_equal(world_active(w, "staging").commit, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

WORLD_TEST(the_daily_round_is_there_once_and_comes_again)
{
	int64_t due;

	world_restart(w);
	world_restart(w);
	assert_int_equal(world_count(w, EFFECT_TIMER), 1);
	due = world_peek(w, EFFECT_TIMER)->due;
	world_due(w, TIMER_DAILY);
	assert_int_equal(world_count(w, EFFECT_TIMER), 1);
	assert_true(world_peek(w, EFFECT_TIMER)->due >= due + 86400 * 1000);
}

WORLD_TEST_OF(the_folders_of_old_runs_are_removed_by_the_daily_round, "RUN_LOGS_KEEP=2")
{
	world_three_go_live(w);
	world_due(w, TIMER_DAILY);
	assert_int_equal(world_count(w, EFFECT_PURGE_RUN), 1);
	assert_int_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.run, 1);
}

WORLD_TEST(a_poll_is_armed_by_start_and_by_new_settings_once)
{
	struct event *event;

	assert_int_equal(world_count(w, EFFECT_TIMER), 1);
	world_settings(w, "POLL_REPOSITORY_SECONDS=60", NULL);
	for (int i = 0; i < 2; i++) {
		event = store_aid_event(&w->aid, EVENT_SETTINGS);
		event->u.settings_read.accepted = true;
		(void)world_decide(w, event);
	}
	world_restart(w);
	assert_int_equal(world_count(w, EFFECT_TIMER), 2);
}

/* --- what else is in the audit --- */

WORLD_TEST(settings_that_were_read_anew_or_refused_are_audited)
{
	struct event *event;

	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL");
	(void)world_decide(w, event);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL: \"x\" is none");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "settings_reloaded", "\"ok\""), 1);
	assert_int_equal(world_audited(w, "settings_reloaded", "\"refused\""), 1);
}

WORLD_TEST_OF(
    a_start_is_audited_and_what_the_settings_were_before_it, STAGING_URL, "DEPLOY_USER=one")
{
	assert_int_equal(world_audited(w, "server_started", "\"restored\":\"no\""), 1);
	assert_int_equal(world_audited(w, "settings_changed", ""), 0); /* nothing to compare with */
	world_restart(w);
	assert_int_equal(world_audited(w, "server_started", ""), 2);
	assert_int_equal(world_audited(w, "settings_changed", ""), 0);

	/* While nothing ran somebody made themselves an admin, and changed two other things. */
	world_settings(w, "ADMIN_TELEGRAM_IDS=11,666", "DEPLOY_USER=two", NULL);
	world_restart(w);
	assert_int_equal(world_audited(w, "settings_changed", ""), 2);
	assert_int_equal(world_audited(w, "\"changed\":\"ADMIN_TELEGRAM_IDS\"",
			     "\"was\":\"11,22\",\"when\":\"start\""),
	    1);
	assert_int_equal(world_audited(w, "\"severity\":\"high\"", "\"is\":\"11,666\""), 1);
	assert_int_equal(world_audited(w, "\"severity\":\"low\"",
			     "\"changed\":\"DEPLOY_USER, STAGING_HEALTH_URL"),
	    1);
	world_restart(w);
	assert_int_equal(world_audited(w, "settings_changed", ""), 2);
	world_settings(w, "DEPLOY_USER=two", NULL);
	world_restart(w);
	assert_int_equal(world_audited(w, "\"is\":\"11,22\"", "\"was\":\"11,666\""), 1);
}

WORLD_TEST_OF(a_reload_audits_who_may_what_with_its_old_and_its_new_value, "ROLE_OPS_IDS=7",
    "ROLE_OPS_MAY=status:*")
{
	struct event *event;

	world_settings(w, "ROLE_OPS_IDS=7", "ROLE_OPS_MAY=deploy:*", "LOG_LEVEL=debug", NULL);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL, ROLE_OPS_MAY");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "settings_changed", ""), 1);
	assert_int_equal(world_audited(w, "\"changed\":\"ROLE_OPS_MAY\"",
			     "\"was\":\"status:*\",\"when\":\"reload\""),
	    1);
	assert_int_equal(world_audited(w, "\"severity\":\"high\"", "\"is\":\"deploy:*\""), 1);
	world_restart(w);
	assert_int_equal(world_audited(w, "settings_changed", ""), 1);

	/* What its own entry has no room for is named. */
	world_settings(w, "ROLE_OPS_IDS=7", "ROLE_OPS_MAY=deploy:*", NULL);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = event->u.settings_read.is_cut = true;
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "settings_changed", "\"changed\":\"LOG_LEVEL\""), 1);
}

/* Whom a job's token lets in, who issues it and for whom, and what a deployment waits for. */
WORLD_TEST(what_lets_a_workflow_in_is_audited_with_its_value)
{
	static const char *const rows[][2] = { { "WORKFLOW_SHIP_MAY", "deploy:production" },
		{ "WORKFLOW_SHIP_IS", "github 7 ship.yml@refs/heads/main" },
		{ "PUBLIC_URL", "https://bot.example.org" },
		{ "GITHUB_TOKEN_ISSUER", "https://ghes.example.org/_services/token" },
		{ "GITLAB_URL", "https://gitlab.example.org" },
		{ "PRODUCTION_REQUIRE_CI", "ci.yml" }, { "PRODUCTION_GATE_REVIEWER", "true" } };
	char sets[COUNT(rows)][LIMIT_LINE], says[LIMIT_LINE];

	for (size_t i = 0; i < COUNT(rows); i++)
		(void)snprintf(sets[i], sizeof(sets[i]), "%s=%s", rows[i][0], rows[i][1]);
	world_settings(w, sets[0], sets[1], sets[2], sets[3], sets[4], sets[5], sets[6],
	    "ENABLE_API_SERVER=true", "GITHUB_REPOSITORY=acme/shop",
	    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", NULL);
	world_restart(w);
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(says, sizeof(says), "\"is\":\"%s\"", rows[i][1]);
		assert_int_equal(world_audited(w, says, rows[i][0]), 1);
	}
}

WORLD_TEST(a_start_on_a_copy_says_behind_which_entry_the_log_goes_on)
{
	struct event *event;

	event = store_aid_event(&w->aid, EVENT_STARTED);
	event->u.started.is_restored = true;
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "\"last\":\"1\"", "\"restored\":\"yes\""), 1);
}

/* A secret's mark, as serve_secrets.c makes it. */
static void
see_secret(struct world *w, const char *name, const char *mark, const char *key)
{
	struct event *event = store_aid_event(&w->aid, EVENT_SECRETS_SEEN);
	struct secrets_seen *seen = &event->u.secrets_seen;

	seen->list = calloc(1, sizeof(*seen->list));
	assert_non_null(seen->list);
	seen->count = 1;
	(void)text_copy(seen->list->name, sizeof(seen->list->name), name);
	(void)text_copy(seen->list->mark, sizeof(seen->list->mark), mark);
	(void)text_copy(seen->key, sizeof(seen->key), key);
	(void)world_decide(w, event);
}

WORLD_TEST(a_secret_that_is_another_one_is_named_and_nothing_of_it)
{
	see_secret(w, "TELEGRAM_BOT_TOKEN", "m-11aa", "k1");
	see_secret(w, "TELEGRAM_BOT_TOKEN", "m-11aa", "k1");
	assert_int_equal(world_audited(w, "settings_changed", ""), 0);
	see_secret(w, "TELEGRAM_BOT_TOKEN", "m-22bb", "k1");
	assert_int_equal(
	    world_audited(w, "\"changed\":\"TELEGRAM_BOT_TOKEN\"", "\"when\":\"secret\""), 1);
	assert_int_equal(world_audited(w, "settings_changed", "m-22bb"), 0);
	see_secret(w, "TELEGRAM_BOT_TOKEN", "m-33cc", "k2"); /* the marks' key was lost */
	assert_int_equal(world_audited(w, "settings_changed", ""), 1);
	see_secret(w, "CLOUDFLARE_API_TOKEN", "m-44dd", "k2");
	assert_int_equal(world_audited(w, "settings_changed",
			     "\"changed\":\"CLOUDFLARE_API_TOKEN, TELEGRAM_BOT_TOKEN\""),
	    1);
}

WORLD_TEST(what_was_refused_at_the_door_is_audited_with_its_count)
{
	struct event *event;

	event = store_aid_event(&w->aid, EVENT_REJECTED);
	event->u.rejected.count = 1234;
	(void)text_copy(event->u.rejected.source, sizeof(event->u.rejected.source), "github");
	(void)text_copy(
	    event->u.rejected.reason, sizeof(event->u.rejected.reason), "wrong signature");
	(void)world_decide(w, event);
	event = store_aid_event(&w->aid, EVENT_REJECTED);
	event->u.rejected = (struct rejected){ "github", "signature", "shop", "203.0.113.9", 1 };
	(void)world_decide(w, event); /* not one with what came to another webhook */
	assert_int_equal(world_audited(w, "webhook_rejected", "\"application\":\"shop\""), 1);
	assert_int_equal(world_audited(w, "webhook_rejected", "\"1234\""), 1);
	assert_int_equal(world_audited(w, "webhook_rejected", "wrong signature"), 1);
}

WORLD_TEST_OF(admins_learn_once_of_a_setting_that_has_gone, STAGING_URL)
{
	static const char told[] = "Settings without effect: AUDIT_TIMESTAMP_URL\n";
	struct world_message *message;

	assert_null(world_says(w, "Settings without effect"));
	for (int i = 0; i < 2; i++) { /* taken out and put in again it is news again */
		world_settings(w, STAGING_URL, "AUDIT_TIMESTAMP_URL=https://x/", NULL);
		world_restart(w);
		message = world_says_in(w, WORLD_ADMIN, told);
		assert_non_null(message);
		assert_non_null(strstr(message->text, "deploybot check-config"));
		message->text[0] = '\0';
		world_restart(w);
		assert_null(world_says_in(w, WORLD_ADMIN, told));
		world_settings(w, STAGING_URL, NULL);
		world_restart(w);
	}
}
