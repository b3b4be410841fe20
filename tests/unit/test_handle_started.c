/* Goal: after a restart, a fault or new settings nothing hangs, and it is in the audit.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/db.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_grant_use.h"
#include "store/row_message.h"
#include "store/store_inside.h"

static void
restart(struct world *w)
{
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

/* As a crash does it: what was handed out is forgotten, and handed out again. */
static void
crash(struct world *w)
{
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	store_aid_reopen(&w->aid);
	restart(w);
}

static void
a_crash_forgets_nothing(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	crash(&w);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_true(world_peek(&w, EFFECT_RUN)->is_recovered);
	assert_int_equal(world_active(&w, "staging").state, DEPLOY_RUNNING);
	world_run_ends(&w, GOOD);
	crash(&w);
	assert_int_equal(world_count(&w, EFFECT_PROBE), 1);
	world_probed(&w, NULL);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	world_close(&w);
}

/* A database that was restored beside the folders of later runs. */
static void
a_run_has_no_number_that_has_a_folder(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	event = store_aid_event(&w.aid, EVENT_STARTED);
	event->u.started.highest_run = 41;
	(void)world_decide(&w, event);
	world_deploy_starts(&w, COMMIT_A);
	assert_int_equal(world_active(&w, "staging").run, 42);
	event = store_aid_event(&w.aid, EVENT_STARTED);
	event->u.started.highest_run = 7; /* those behind it were removed since */
	(void)world_decide(&w, event);
	world_run_ends(&w, GOOD);
	world_close(&w);
}

/* Rows were mended by hand: the effect is gone, and nobody will answer it. */
static void
drop_effects(struct world *w, const char *sql)
{
	struct db *db;
	struct err err;

	store_close(w->aid.store);
	w->aid.store = NULL;
	db = db_open(w->aid.path, 0, &err);
	assert_non_null(db);
	assert_true(db_script(db, sql, &err));
	db_close(db);
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	w->aid.store = store_open(&w->aid.config, &w->aid.err);
	assert_non_null(w->aid.store);
	assert_true(store_recover(w->aid.store, w->aid.settings, &w->aid.outcomes, &w->aid.err));
}

/* A folder's name had used up all numbers, before such folders were passed over. */
static void
numbers_that_are_used_up_are_corrected_by_a_start(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	drop_effects(
	    &w, "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'run';");
	restart(&w);
	world_deploy_starts(&w, COMMIT_B);
	assert_int_equal(world_active(&w, "staging").run, 2);
	world_run_ends(&w, GOOD);
	world_close(&w);
}

static void
a_question_survives_a_crash_with_its_buttons_and_deadline(void **state)
{
	char confirm[LIMIT_BUTTON_ID];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	crash(&w);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)text_copy(confirm, sizeof(confirm), world_button(world_last(&w), "Deploy to"));
	crash(&w);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 2);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, confirm);
	crash(&w); /* confirmed, and git has not answered */
	world_git_same(&w);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1);
	world_close(&w);
}

static void
an_active_deployment_without_an_open_effect_is_given_up(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	drop_effects(&w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	restart(&w);
	assert_int_equal(world_active(&w, "staging").id, 0);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_FAILED);
	assert_int_equal(world_newest(&w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_non_null(world_says(&w, "it was not running when deploybot started"));
	world_close(&w);
}

static void
what_is_given_up_over_a_release_rolls_back_to_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	world_run_ends(&w, GOOD);
	drop_effects(&w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	restart(&w);
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_ROLLED_BACK);
	world_close(&w);
}

static void
a_request_that_nobody_will_answer_is_refused_at_the_start(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	restart(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REQUESTED);
	drop_effects(&w, "DELETE FROM effect WHERE kind = 'ask';");
	restart(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REFUSED);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	restart(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
	drop_effects(&w, "DELETE FROM effect WHERE kind = 'wait';");
	restart(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REFUSED);
	assert_non_null(world_says(&w, "it was not running"));
	world_close(&w);
}

static void
what_waited_starts_when_nothing_is_active(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)world_decide(&w, world_push(&w, "develop"));
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	drop_effects(&w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	restart(&w);
	assert_string_equal(world_active(&w, "staging").commit, COMMIT_B);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	world_close(&w);
}

static void
the_daily_round_is_there_once_and_comes_again(void **state)
{
	struct world w;
	int64_t due;

	(void)state;
	world_open(&w, NULL);
	restart(&w);
	restart(&w);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1);
	due = world_peek(&w, EFFECT_TIMER)->due;
	world_due(&w, TIMER_DAILY);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1);
	assert_true(world_peek(&w, EFFECT_TIMER)->due >= due + 86400 * 1000);
	world_close(&w);
}

static void
the_folders_of_old_runs_are_removed_by_the_daily_round(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "RUN_LOGS_KEEP=2", NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_goes_live(&w, COMMIT_C);
	world_due(&w, TIMER_DAILY);
	assert_int_equal(world_count(&w, EFFECT_PURGE_RUN), 1);
	assert_int_equal(world_peek(&w, EFFECT_PURGE_RUN)->u.purge_run.run, 1);
	world_close(&w);
}

static void
a_poll_is_armed_by_start_and_by_new_settings_once(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1);
	world_settings(&w, "POLL_REPOSITORY_SECONDS=60", NULL);
	for (int i = 0; i < 2; i++) {
		event = store_aid_event(&w.aid, EVENT_SETTINGS);
		event->u.settings_read.accepted = true;
		(void)world_decide(&w, event);
	}
	restart(&w);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 2);
	world_close(&w);
}

/* --- faults --- */

static void
fails(struct tx *tx, const struct event *event)
{
	(void)event;
	tx_fail(tx, ERR_INVALID, "a bug");
}

static void
a_result_that_cannot_be_handled_ends_what_hung_on_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	w.aid.handlers[EVENT_RUN_ENDED] = fails;
	world_run_ends(&w, GOOD);
	assert_int_equal(world_active(&w, "staging").id, 0);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_FAILED);
	assert_non_null(world_says(&w, "interrupted: a bug"));
	world_close(&w);
}

static void
the_run_of_what_was_given_up_is_over(void **state)
{
	struct event *late;
	struct world w;

	(void)state;
	world_open(&w, "RUN_LOGS_KEEP=1", NULL);
	world_deploy_starts(&w, COMMIT_A);
	drop_effects(&w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	restart(&w);
	late = store_aid_event(&w.aid, EVENT_RUN_STARTED);
	late->u.run_started.run = 1;
	assert_int_equal(world_decide(&w, late).status, 409);
	world_deploy_goes_live(&w, COMMIT_B);
	world_due(&w, TIMER_DAILY);
	assert_int_equal(world_peek(&w, EFFECT_PURGE_RUN)->u.purge_run.run, 1);
	world_close(&w);
}

static void
a_probe_that_cannot_be_handled_goes_back(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	world_run_ends(&w, GOOD);
	w.aid.handlers[EVENT_PROBED] = fails;
	world_probed(&w, NULL);
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_ROLLING_BACK);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	world_close(&w);
}

static void
an_answer_that_cannot_be_handled_refuses_the_request(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	w.aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_REFUSED);
	world_close(&w);
}

static void
a_confirmed_question_whose_answer_cannot_be_handled_ends(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(&w), "Deploy to"));
	w.aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git_same(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REFUSED);
	assert_int_equal(world_count(&w, EFFECT_RUN), 0);
	world_close(&w);
}

static void
a_poll_that_cannot_be_handled_does_not_end_the_polling(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "POLL_REPOSITORY_SECONDS=60", NULL);
	world_due(&w, TIMER_POLL);
	w.aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git_heads(&w, COMMIT_A, COMMIT_B);
	world_due(&w, TIMER_POLL);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 1);
	world_close(&w);
}

/* Its handler fails when it comes due, and works when it comes again. */
static void
comes_due_again(struct world *w, enum timer_kind kind)
{
	store_handler *was = w->aid.handlers[EVENT_TIMER_FIRED];

	w->aid.handlers[EVENT_TIMER_FIRED] = fails;
	world_due(w, kind);
	w->aid.handlers[EVENT_TIMER_FIRED] = was;
	world_due(w, kind);
}

/* Neither a restart nor a lost timer nor a fault of its handler loses what was counted. */
static void
what_strangers_repeated_is_counted_through_restart_and_fault(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (int i = 0; i < 8; i++)
		(void)world_text(&w, WORLD_STRANGER, "/deploy staging");
	drop_effects(&w, "DELETE FROM effect WHERE kind = 'wait';");
	restart(&w);
	(void)world_text(&w, WORLD_STRANGER, "/deploy staging");
	comes_due_again(&w, TIMER_STRANGERS);
	assert_int_equal(world_audited(&w, "\"count\":\"8\"", "telegram: command"), 1);
	world_due(&w, TIMER_STRANGERS);
	assert_int_equal(world_audited(&w, "telegram: command", NULL), 1);
	world_close(&w);
}

static void
a_question_whose_deadline_cannot_be_handled_expires_later(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	comes_due_again(&w, TIMER_QUESTION);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
	world_close(&w);
}

static void
a_round_that_cannot_be_handled_is_no_end_of_retention_or_polling(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "POLL_REPOSITORY_SECONDS=60", NULL);
	comes_due_again(&w, TIMER_DAILY);
	comes_due_again(&w, TIMER_POLL);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 1);
	world_close(&w);
}

struct wait {
	enum timer_kind kind;
	int64_t subject;
	int64_t left;
};

static void
begin_wait(struct tx *tx, void *arg)
{
	const struct wait *wait = arg;

	(void)row_effect_timer(tx, wait->kind, "123456789", wait->subject, tx->at + 1000);
}

static void
count_left(struct tx *tx, void *arg)
{
	struct wait *wait = arg;

	wait->left = row_effect_count_timers(tx, wait->kind);
}

/* Those of work that is over, and that a push announced which is known, need not come again. */
static void
a_timer_of_each_kind_whose_handler_fails_comes_again(void **state)
{
	for (enum timer_kind kind = 0; kind < TIMER_KIND_COUNT; kind++) {
		struct wait wait = { .kind = kind };
		struct world w;

		(void)state;
		world_open(&w, "POLL_REPOSITORY_SECONDS=60", "CONFIRM=true", NULL);
		(void)world_text(&w, WORLD_ADMIN, "/deploy production");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		wait.subject = kind == TIMER_QUESTION ? world_newest(&w, "production").id : 0;
		if (kind == TIMER_APPROVAL || kind == TIMER_CLOUDFLARE || kind == TIMER_PUSH) {
			world_close(&w);
			continue;
		}
		drop_effects(&w, "DELETE FROM effect WHERE kind = 'wait';");
		world_act(&w, begin_wait, &wait);
		w.aid.handlers[EVENT_TIMER_FIRED] = fails;
		world_due(&w, kind);
		world_act(&w, count_left, &wait);
		assert_int_equal(wait.left, 1);
		world_close(&w);
	}
}

static void
a_status_that_cannot_be_handled_is_told_as_such(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/status staging");
	w.aid.handlers[EVENT_PROBED] = fails;
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "The status is not available: a bug"));
	world_close(&w);
}

static void
breaks(struct tx *tx, const struct event *event)
{
	(void)event;
	(void)tx_run(tx, "INSERT INTO run (id, deployment) VALUES (NULL, NULL)");
}

/* Goal: who asks in a chat reads no SQL; the log has it. */
static void
a_fault_of_the_own_database_is_called_one(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	w.aid.handlers[EVENT_RUN_ENDED] = breaks;
	world_run_ends(&w, GOOD);
	assert_non_null(world_says(&w, "interrupted: deploybot's own database failed"));
	assert_null(world_says(&w, "INSERT"));
	world_close(&w);
}

/* As a corrupt page does it: no failure that may pass, and the table is there for FAULT. */
static void
make_unreadable(struct tx *tx, const char *move, const char *unreadable)
{
	assert_true(tx_run(tx, move));
	assert_true(tx_run(tx, unreadable));
}

static void
breaks_as_a_message_is_read(struct tx *tx, const struct event *event)
{
	(void)event;
	make_unreadable(tx, "ALTER TABLE message RENAME TO gone",
	    "CREATE VIEW message AS SELECT * FROM gone WHERE length(zeroblob(1 << 40))");
	struct message message = row_message_get(tx, 1);

	message_done(&message);
}

static void
breaks_as_uses_are_read(struct tx *tx, const struct event *event)
{
	size_t n;

	(void)event;
	make_unreadable(tx, "ALTER TABLE grant_use RENAME TO gone",
	    "CREATE VIEW grant_use AS SELECT * FROM gone WHERE length(zeroblob(1 << 40))");
	free(row_grant_use_list(tx, &n));
}

/* Regression: SQL went to the chat, as what was read by others than tx_* had lost whose fault it
 * was. */
static void
a_row_that_cannot_be_read_is_the_own_databases_fault(void **state)
{
	store_handler *const handlers[] = { breaks_as_a_message_is_read, breaks_as_uses_are_read };

	(void)state;
	for (size_t i = 0; i < COUNT(handlers); i++) {
		struct world w;

		world_b_over_a(&w, STAGING_URL);
		w.aid.handlers[EVENT_RUN_ENDED] = handlers[i];
		world_run_ends(&w, GOOD);
		assert_non_null(world_says(&w, "interrupted: deploybot's own database failed"));
		assert_null(world_says(&w, "SELECT"));
		world_close(&w);
	}
}

static void
says_database(struct tx *tx, const struct event *event)
{
	(void)event;
	tx_fail(tx, ERR_INVALID, "database: bye");
}

/* Goal: whose fault it is goes by where it came from, not by how its words begin. */
static void
a_fault_that_only_names_a_database_is_said(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	w.aid.handlers[EVENT_RUN_ENDED] = says_database;
	world_run_ends(&w, GOOD);
	assert_non_null(world_says(&w, "interrupted: database: bye"));
	world_close(&w);
}

static void
a_message_whose_result_is_lost_is_said_again_unless_it_stands_in_the_chat(void **state)
{
	struct world_message *message;
	struct event *fault;
	struct world w;
	int64_t sends;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/whoami");
	message = world_last(&w);
	sends = message->sends;
	for (int64_t remote = 0; remote < 2; remote++) {
		size_t waits = world_count(&w, EFFECT_TIMER);

		fault = store_aid_event(&w.aid, EVENT_FAULT);
		fault->u.fault = (struct fault){ .kind = EFFECT_SEND_MESSAGE,
			.subject = message->row,
			.remote_id = remote,
			.reason = "a bug" };
		(void)world_decide(&w, fault);
		assert_int_equal(world_count(&w, EFFECT_TIMER), waits + (remote == 0 ? 1 : 0));
		if (remote == 0)
			world_due(&w, TIMER_SEND);
		assert_int_equal(message->sends, sends + 1);
	}
	world_close(&w);
}

/* --- what else is in the audit --- */

static void
settings_that_were_read_anew_or_refused_are_audited(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	event = store_aid_event(&w.aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL");
	(void)world_decide(&w, event);
	event = store_aid_event(&w.aid, EVENT_SETTINGS);
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL: \"x\" is none");
	(void)world_decide(&w, event);
	assert_int_equal(world_audited(&w, "settings_reloaded", "\"ok\""), 1);
	assert_int_equal(world_audited(&w, "settings_reloaded", "\"refused\""), 1);
	world_close(&w);
}

static void
a_start_is_audited_and_what_the_settings_were_before_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, "DEPLOY_USER=one", NULL);
	assert_int_equal(world_audited(&w, "server_started", "\"restored\":\"no\""), 1);
	assert_int_equal(
	    world_audited(&w, "settings_changed", ""), 0); /* nothing to compare with */
	restart(&w);
	assert_int_equal(world_audited(&w, "server_started", ""), 2);
	assert_int_equal(world_audited(&w, "settings_changed", ""), 0);

	/* While nothing ran somebody made themselves an admin, and changed two other things. */
	world_settings(&w, "ADMIN_TELEGRAM_IDS=11,666", "DEPLOY_USER=two", NULL);
	restart(&w);
	assert_int_equal(world_audited(&w, "settings_changed", ""), 2);
	assert_int_equal(world_audited(&w, "\"changed\":\"ADMIN_TELEGRAM_IDS\"",
			     "\"was\":\"11,22\",\"when\":\"start\""),
	    1);
	assert_int_equal(world_audited(&w, "\"severity\":\"high\"", "\"is\":\"11,666\""), 1);
	assert_int_equal(world_audited(&w, "\"severity\":\"low\"",
			     "\"changed\":\"DEPLOY_USER, STAGING_HEALTH_URL"),
	    1);
	restart(&w);
	assert_int_equal(world_audited(&w, "settings_changed", ""), 2);
	world_settings(&w, "DEPLOY_USER=two", NULL);
	restart(&w);
	assert_int_equal(world_audited(&w, "\"is\":\"11,22\"", "\"was\":\"11,666\""), 1);
	world_close(&w);
}

static void
a_reload_audits_who_may_what_with_its_old_and_its_new_value(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, "ROLE_OPS_IDS=7", "ROLE_OPS_MAY=status:*", NULL);
	world_settings(&w, "ROLE_OPS_IDS=7", "ROLE_OPS_MAY=deploy:*", "LOG_LEVEL=debug", NULL);
	event = store_aid_event(&w.aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)text_copy(event->u.settings_read.changed, LIMIT_LINE, "LOG_LEVEL, ROLE_OPS_MAY");
	(void)world_decide(&w, event);
	assert_int_equal(world_audited(&w, "settings_changed", ""), 1);
	assert_int_equal(world_audited(&w, "\"changed\":\"ROLE_OPS_MAY\"",
			     "\"was\":\"status:*\",\"when\":\"reload\""),
	    1);
	assert_int_equal(world_audited(&w, "\"severity\":\"high\"", "\"is\":\"deploy:*\""), 1);
	restart(&w);
	assert_int_equal(world_audited(&w, "settings_changed", ""), 1);

	/* What its own entry has no room for is named. */
	world_settings(&w, "ROLE_OPS_IDS=7", "ROLE_OPS_MAY=deploy:*", NULL);
	event = store_aid_event(&w.aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = event->u.settings_read.is_cut = true;
	(void)world_decide(&w, event);
	assert_int_equal(world_audited(&w, "settings_changed", "\"changed\":\"LOG_LEVEL\""), 1);
	world_close(&w);
}

static void
a_start_on_a_copy_says_behind_which_entry_the_log_goes_on(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	event = store_aid_event(&w.aid, EVENT_STARTED);
	event->u.started.is_restored = true;
	(void)world_decide(&w, event);
	assert_int_equal(world_audited(&w, "\"last\":\"1\"", "\"restored\":\"yes\""), 1);
	world_close(&w);
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

static void
a_secret_that_is_another_one_is_named_and_nothing_of_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	see_secret(&w, "TELEGRAM_BOT_TOKEN", "11aa", "k1");
	see_secret(&w, "TELEGRAM_BOT_TOKEN", "11aa", "k1");
	assert_int_equal(world_audited(&w, "settings_changed", ""), 0);
	see_secret(&w, "TELEGRAM_BOT_TOKEN", "22bb", "k1");
	assert_int_equal(
	    world_audited(&w, "\"changed\":\"TELEGRAM_BOT_TOKEN\"", "\"when\":\"secret\""), 1);
	assert_int_equal(world_audited(&w, "settings_changed", "22bb"), 0);
	see_secret(&w, "TELEGRAM_BOT_TOKEN", "33cc", "k2"); /* the marks' key was lost */
	assert_int_equal(world_audited(&w, "settings_changed", ""), 1);
	see_secret(&w, "CLOUDFLARE_API_TOKEN", "44dd", "k2");
	assert_int_equal(world_audited(&w, "settings_changed",
			     "\"changed\":\"CLOUDFLARE_API_TOKEN, TELEGRAM_BOT_TOKEN\""),
	    1);
	world_close(&w);
}

static void
what_was_refused_at_the_door_is_audited_with_its_count(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	event = store_aid_event(&w.aid, EVENT_REJECTED);
	event->u.rejected.count = 1234;
	(void)text_copy(event->u.rejected.source, sizeof(event->u.rejected.source), "github");
	(void)text_copy(
	    event->u.rejected.reason, sizeof(event->u.rejected.reason), "wrong signature");
	(void)world_decide(&w, event);
	event = store_aid_event(&w.aid, EVENT_REJECTED);
	event->u.rejected = (struct rejected){ "github", "signature", "shop", "203.0.113.9", 1 };
	(void)world_decide(&w, event); /* not one with what came to another webhook */
	assert_int_equal(world_audited(&w, "webhook_rejected", "\"application\":\"shop\""), 1);
	assert_int_equal(world_audited(&w, "webhook_rejected", "\"1234\""), 1);
	assert_int_equal(world_audited(&w, "webhook_rejected", "wrong signature"), 1);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_forgets_nothing),
		cmocka_unit_test(a_run_has_no_number_that_has_a_folder),
		cmocka_unit_test(numbers_that_are_used_up_are_corrected_by_a_start),
		cmocka_unit_test(a_question_survives_a_crash_with_its_buttons_and_deadline),
		cmocka_unit_test(an_active_deployment_without_an_open_effect_is_given_up),
		cmocka_unit_test(what_is_given_up_over_a_release_rolls_back_to_it),
		cmocka_unit_test(a_request_that_nobody_will_answer_is_refused_at_the_start),
		cmocka_unit_test(what_waited_starts_when_nothing_is_active),
		cmocka_unit_test(the_daily_round_is_there_once_and_comes_again),
		cmocka_unit_test(the_folders_of_old_runs_are_removed_by_the_daily_round),
		cmocka_unit_test(a_poll_is_armed_by_start_and_by_new_settings_once),
		cmocka_unit_test(a_result_that_cannot_be_handled_ends_what_hung_on_it),
		cmocka_unit_test(the_run_of_what_was_given_up_is_over),
		cmocka_unit_test(a_probe_that_cannot_be_handled_goes_back),
		cmocka_unit_test(an_answer_that_cannot_be_handled_refuses_the_request),
		cmocka_unit_test(a_confirmed_question_whose_answer_cannot_be_handled_ends),
		cmocka_unit_test(a_poll_that_cannot_be_handled_does_not_end_the_polling),
		cmocka_unit_test(what_strangers_repeated_is_counted_through_restart_and_fault),
		cmocka_unit_test(a_timer_of_each_kind_whose_handler_fails_comes_again),
		cmocka_unit_test(a_question_whose_deadline_cannot_be_handled_expires_later),
		cmocka_unit_test(a_round_that_cannot_be_handled_is_no_end_of_retention_or_polling),
		cmocka_unit_test(a_status_that_cannot_be_handled_is_told_as_such),
		cmocka_unit_test(a_fault_of_the_own_database_is_called_one),
		cmocka_unit_test(a_row_that_cannot_be_read_is_the_own_databases_fault),
		cmocka_unit_test(a_fault_that_only_names_a_database_is_said),
		cmocka_unit_test(
		    a_message_whose_result_is_lost_is_said_again_unless_it_stands_in_the_chat),
		cmocka_unit_test(settings_that_were_read_anew_or_refused_are_audited),
		cmocka_unit_test(a_start_is_audited_and_what_the_settings_were_before_it),
		cmocka_unit_test(a_reload_audits_who_may_what_with_its_old_and_its_new_value),
		cmocka_unit_test(a_start_on_a_copy_says_behind_which_entry_the_log_goes_on),
		cmocka_unit_test(a_secret_that_is_another_one_is_named_and_nothing_of_it),
		cmocka_unit_test(what_was_refused_at_the_door_is_audited_with_its_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
