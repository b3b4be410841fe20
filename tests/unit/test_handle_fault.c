/* Goal: a result whose handler fails ends what hung on it, and what comes by itself comes again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "store/row_effect.h"
#include "store/row_grant_use.h"
#include "store/row_message.h"
#include "store/store_inside.h"

static void
fails(struct tx *tx, UNUSED const struct event *event)
{
	tx_fail(tx, ERR_INVALID, "a bug");
}

WORLD_TEST_OF(a_result_that_cannot_be_handled_ends_what_hung_on_it, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	w->aid.handlers[EVENT_RUN_ENDED] = fails;
	world_run_ends(w, GOOD);
	assert_int_equal(world_active(w, "staging").id, 0);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_FAILED);
	assert_non_null(world_says(w, "interrupted: a bug"));
}

WORLD_TEST_OF(the_run_of_what_was_given_up_is_over, "RUN_LOGS_KEEP=1")
{
	struct event *late;

	world_deploy_starts(w, COMMIT_A);
	world_rewrite(w, "DELETE FROM effect WHERE kind IN ('run', 'probe');");
	world_restart(w);
	late = store_aid_event(&w->aid, EVENT_RUN_STARTED);
	late->u.run_started.run = 1;
	assert_int_equal(world_decide(w, late).status, 409);
	world_deploy_goes_live(w, COMMIT_B);
	world_due(w, TIMER_DAILY);
	assert_int_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.run, 1);
}

WORLD_TEST_OF(a_probe_that_cannot_be_handled_goes_back, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, GOOD);
	w->aid.handlers[EVENT_PROBED] = fails;
	world_probed(w, NULL);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_ROLLING_BACK);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST(an_answer_that_cannot_be_handled_refuses_the_request)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	w->aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
}

WORLD_TEST(a_confirmed_question_whose_answer_cannot_be_handled_ends)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
	w->aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST_OF(a_poll_that_cannot_be_handled_does_not_end_the_polling, "POLL_REPOSITORY_SECONDS=60")
{
	world_due(w, TIMER_POLL);
	w->aid.handlers[EVENT_GIT_ANSWERED] = fails;
	world_git_heads(w, COMMIT_A, COMMIT_B);
	world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
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
WORLD_TEST(what_strangers_repeated_is_counted_through_restart_and_fault)
{
	for (int i = 0; i < 8; i++)
		(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	world_rewrite(w, "DELETE FROM effect WHERE kind = 'wait';");
	world_restart(w);
	(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	comes_due_again(w, TIMER_STRANGERS);
	assert_int_equal(world_audited(w, "\"count\":\"8\"", "telegram: command"), 1);
	world_due(w, TIMER_STRANGERS);
	assert_int_equal(world_audited(w, "telegram: command", NULL), 1);
}

WORLD_TEST(a_question_whose_deadline_cannot_be_handled_expires_later)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	comes_due_again(w, TIMER_QUESTION);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
}

WORLD_TEST_OF(
    a_round_that_cannot_be_handled_is_no_end_of_retention_or_polling, "POLL_REPOSITORY_SECONDS=60")
{
	comes_due_again(w, TIMER_DAILY);
	comes_due_again(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
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

	wait->left = row_effect_timer_of(tx, wait->kind, wait->subject) != 0;
}

/* Those of work that is over, and that a push announced which is known, need not come again. */
TEST(a_timer_of_each_kind_whose_handler_fails_comes_again)
{
	for (enum timer_kind kind = 0; kind < TIMER_KIND_COUNT; kind++) {
		struct wait wait = { .kind = kind };
		struct world w;

		world_open(&w, "POLL_REPOSITORY_SECONDS=60", "CONFIRM=true", NULL);
		world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_A);
		wait.subject = kind == TIMER_QUESTION ? world_newest(&w, "production").id : 0;
		if (kind == TIMER_APPROVAL || kind == TIMER_CLOUDFLARE || kind == TIMER_PUSH) {
			world_close(&w);
			continue;
		}
		world_rewrite(&w, "DELETE FROM effect WHERE kind = 'wait';");
		world_act(&w, begin_wait, &wait);
		w.aid.handlers[EVENT_TIMER_FIRED] = fails;
		world_due(&w, kind);
		world_act(&w, count_left, &wait);
		assert_int_equal(wait.left, 1);
		world_close(&w);
	}
}

WORLD_TEST_OF(a_status_that_cannot_be_handled_is_told_as_such, STAGING_URL)
{
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	w->aid.handlers[EVENT_PROBED] = fails;
	world_probed(w, NULL);
	assert_non_null(world_says(w, "The status is not available: a bug"));
}

static void
breaks(struct tx *tx, UNUSED const struct event *event)
{
	(void)tx_run(tx, "INSERT INTO run (id, deployment) VALUES (NULL, NULL)");
}

/* Goal: who asks in a chat reads no SQL; the log has it. */
WORLD_TEST_BARE(a_fault_of_the_own_database_is_called_one)
{
	world_b_over_a(w, STAGING_URL);
	w->aid.handlers[EVENT_RUN_ENDED] = breaks;
	world_run_ends(w, GOOD);
	assert_non_null(world_says(w, "interrupted: deploybot's own database failed"));
	assert_null(world_says(w, "INSERT"));
}

#define TOO_BIG "length(zeroblob(1073741824)) > 0" /* as it is read, not as it is made */

/* As a corrupt page does it: no failure that may pass, and the table is there for FAULT. */
static void
make_unreadable(struct tx *tx, const char *move, const char *unreadable)
{
	assert_true(tx_run(tx, move));
	assert_true(tx_run(tx, unreadable));
}

static void
breaks_as_a_message_is_read(struct tx *tx, UNUSED const struct event *event)
{
	make_unreadable(tx, "ALTER TABLE message RENAME TO gone",
	    "CREATE VIEW message AS SELECT * FROM gone WHERE " TOO_BIG);
	struct message message;

	row_message_get(tx, 1, &message);
	message_done(&message);
}

static void
breaks_as_uses_are_read(struct tx *tx, const struct event *event)
{
	size_t n;

	(void)event;
	make_unreadable(tx, "ALTER TABLE grant_use RENAME TO gone",
	    "CREATE VIEW grant_use AS SELECT * FROM gone WHERE " TOO_BIG);
	free(row_grant_use_list(tx, &n));
}

/* Regression: SQL went to the chat, as what was read by others than tx_* had lost whose fault it
 * was. */
TEST(a_row_that_cannot_be_read_is_the_own_databases_fault)
{
	store_handler *const handlers[] = { breaks_as_a_message_is_read, breaks_as_uses_are_read };

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
says_database(struct tx *tx, UNUSED const struct event *event)
{
	tx_fail(tx, ERR_INVALID, "database: bye");
}

/* Goal: whose fault it is goes by where it came from, not by how its words begin. */
WORLD_TEST_BARE(a_fault_that_only_names_a_database_is_said)
{
	world_b_over_a(w, STAGING_URL);
	w->aid.handlers[EVENT_RUN_ENDED] = says_database;
	world_run_ends(w, GOOD);
	assert_non_null(world_says(w, "interrupted: database: bye"));
}

WORLD_TEST(a_message_whose_result_is_lost_is_said_again_unless_it_stands_in_the_chat)
{
	struct world_message *message;
	struct event *fault;
	int64_t sends;

	(void)world_text(w, WORLD_ADMIN, "/whoami");
	message = world_last(w);
	sends = message->sends;
	for (int64_t remote = 0; remote < 2; remote++) {
		size_t waits = world_count(w, EFFECT_TIMER);

		fault = store_aid_event(&w->aid, EVENT_FAULT);
		fault->u.fault = (struct fault){ .kind = EFFECT_SEND_MESSAGE,
			.subject = message->row,
			.remote_id = remote,
			.reason = "a bug" };
		(void)world_decide(w, fault);
		assert_int_equal(world_count(w, EFFECT_TIMER), waits + (remote == 0 ? 1 : 0));
		if (remote == 0)
			world_due(w, TIMER_SEND);
		assert_int_equal(message->sends, sends + 1);
	}
}
