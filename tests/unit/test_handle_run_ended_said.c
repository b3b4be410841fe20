/* Goal: how a run ended is said: each reason, the step, the log, and nothing that only some may read.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_audit.h"
#include "store/store_inside.h"

WORLD_TEST_BARE(an_end_that_failed_is_said_once_more_so_that_the_phone_rings)
{
	size_t said;

	world_b_over_a(w, STAGING_URL);
	said = w->n_screen;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(
	    w->n_screen, said + 2); /* where it was asked for, and in the team's chat */
}

/* Why the release failed was lost: the message spoke of its rollback alone. */
TEST(behind_a_failed_rollback_both_reasons_are_said)
{
	struct run_ended away = TOUCHED;
	struct world w;

	(void)text_copy(away.detail, sizeof(away.detail), "No route to host");
	world_b_over_a(&w, STAGING_URL);
	world_run_is_probed(&w, "HTTP 500");
	world_run_ends(&w, away);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(
	    &w, "\nunhealthy: HTTP 500; the rollback: exit 1: No route to host\n✗ health check\n"));
	assert_false(
	    world_says_in(&w, WORLD_TEAM, "unhealthy: HTTP 500; the rollback: exit 1: No route")
		->is_silent);
	assert_int_equal(
	    world_audited(&w, "auto_rollback_failed", "HTTP 500; the rollback: exit 1: No"), 1);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(world_says(&w, "(HTTP 500)")); /* its block: of the commit */
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/cancel staging");
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, away);
	assert_non_null(world_says(&w, "by @bob; the rollback: exit 1: No route to host"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_is_probed(&w, "HTTP 500");
	world_run_ends(&w, FOLDER_GONE);
	assert_non_null(world_says(&w, "unhealthy: HTTP 500; the rollback: its folder is not"));
	world_close(&w);
}

/* A document of an unhealthy release ended with exit 0, and did not say what was wrong. */
WORLD_TEST_BARE(the_log_of_an_unhealthy_release_begins_with_what_its_health_said)
{
	const struct effect *document;

	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "start");
	world_run_is_probed(w, "HTTP 500");
	assert_non_null(world_says(w, "\n✗ health check\n↩️ rolling back to aaaaaaa"));
	world_run_is_probed(w, NULL);
	assert_non_null(world_says(w, "\nunhealthy: HTTP 500\n✗ health check\n"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Rolled back"), "📄 Log"));
	document = world_peek(w, EFFECT_DOCUMENT);
	assert_non_null(document);
	assert_non_null(
	    strstr(document->u.document.head, ", exit 0\nhttp://127.0.0.1:1/health: HTTP 500"));
}

/* The step in which the script failed stays marked, whatever its rollback has for steps. */
TEST(the_failed_step_is_marked_while_it_is_rolled_back_and_after)
{
	struct world w;

	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "build");
	world_run_step(&w, 1, "release");
	world_run_step(&w, 2, "start h1");
	world_run_ends(&w, TOUCHED);
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "switch");
	assert_non_null(world_says(&w, "\n✗ start h1\n▸ switch"));
	world_run_is_probed(&w, NULL);
	assert_non_null(world_says(&w, "\nscript failed: exit 1\n✗ start h1\n"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "start h1");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/cancel staging");
	world_run_ends(&w, TOUCHED);
	world_run_is_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_null(world_says(&w, "✗ start")); /* it was stopped */
	world_close(&w);
}

/* Regression: a script's last line was cut where it has the words that we put between the two. */
WORLD_TEST_BARE(words_of_a_script_are_not_taken_for_ours)
{
	struct run_ended failed = TOUCHED;

	(void)text_copy(failed.detail, sizeof(failed.detail), "restore; the rollback: by hand");
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, failed);
	world_run_ends(w, failed);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w,
	    "script failed: restore; the rollback: by hand; the rollback: exit 1: restore; the rollback: by hand\n"));
	world_answers(
	    w, WORLD_ADMIN, "/status", "(script failed: exit 1: restore; the rollback: by hand)");
	assert_int_equal(world_audited(w, "auto_rollback_failed",
			     "by hand; the rollback: exit 1: restore; the rollback: by hand\""),
	    1);
}

/* Whatever length the two have, each is there, and no letter is cut in two. */
TEST(long_reasons_leave_room_for_each_other)
{
	struct deployment work = { .why = DEPLOY_WHY_SCRIPT };
	char release[LIMIT_LINE], line[LIMIT_LINE];

	(void)memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (size_t n = 0; n < LIMIT_LINE - 2; n += 7) {
		size_t used = 0;

		while (used + 2 <= n) /* of two bytes each */
			used += (size_t)snprintf(work.detail + used, 3, "ü");
		work.detail[used] = '\0';
		deployment_add_rollback_failure(&work, ROLLBACK_BEHIND, line);
		assert_non_null(strstr(work.detail, ROLLBACK_BEHIND "xxxxxxxxxx"));
		(void)deployment_release_failure(&work, release);
		assert_int_equal(strlen(release) % 2, 0);
		assert_true(strlen(release) >= (used < 100 ? used : 100));
	}
}

/* Goal: an application may say in the log whose order failed: not to a whole group. */
TEST(what_an_application_may_have_said_is_shown_in_private_alone)
{
	struct run_ended failed = FAILED_BEFORE_RELEASE;
	struct world w;

	(void)text_copy(failed.tail, sizeof(failed.tail), "npm ERR! 1\nno such file");
	world_b_over_a(&w, NULL);
	world_run_ends(&w, failed);
	assert_non_null(world_says_in(&w, WORLD_GROUP, "npm ERR! 1\nno such file"));
	world_close(&w);
	for (int is_private = 0; is_private < 2; is_private++) {
		int64_t chat = is_private ? WORLD_ADMIN : WORLD_GROUP;

		world_open(&w, NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		(void)world_text_in(&w, WORLD_ADMIN, chat, "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_B });
		failed = TOUCHED;
		(void)text_copy(failed.tail, sizeof(failed.tail), "order of Mina\nfailed");
		(void)world_run_starts(&w);
		world_run_ends(&w, failed);
		world_run_ends(&w, GOOD); /* its rollback */
		assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
		assert_int_equal(
		    world_says_in(&w, chat, "order of Mina\nfailed") != NULL, is_private);
		assert_null(world_says_in(&w, WORLD_TEAM, "order of Mina"));
		world_close(&w);
	}
}

WORLD_TEST_BARE(an_unhealthy_release_names_the_url_without_what_may_be_a_token)
{
	world_b_over_a(w, "STAGING_HEALTH_URL=http://127.0.0.1:9/health?token=t");
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, NULL);
	assert_non_null(world_says(w, "http://127.0.0.1:9/health: HTTP 500\n"));
	assert_null(world_says(w, "token"));
}

static void
act_names_are_entries(struct tx *tx, void *arg)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	char head[LIMIT_AUDIT_HEAD];
	int *n = arg;

	assert_true(tx_query(
	    &rows, tx, "SELECT chat, audit_head, audit_seq FROM message WHERE audit_head <> ''"));
	for (; db_next(&rows); (*n)++) {
		row_audit_head_of(tx, db_col_i64(&rows, 2), head);
		assert_string_equal(db_col_text(&rows, 1), head);
	}
	assert_true(tx_end(tx, &rows));
}

/* Not in its text: nobody reads that on a phone. */
WORLD_TEST_BARE(every_final_message_names_the_audits_head)
{
	int named = 0;

	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_null(
	    strstr(world_plain(world_says_in(w, WORLD_GROUP, "still runs aaaaaaa\n")), "audit"));
	world_act(w, act_names_are_entries, &named);
	assert_true(named >= 2); /* A's end, and B's */
}

static void
act_witness(struct tx *tx, void *arg)
{
	char head[LIMIT_AUDIT_HEAD];

	(void)row_audit_newest(tx, head);
	*(bool *)arg =
	    tx_number(tx, "SELECT COUNT(*) FROM witness WHERE head = $1", DB_TEXT(head)) == 1;
}

static bool
is_witnessed(struct world *w)
{
	bool is = false;

	world_act(w, act_witness, &is);
	return is;
}

/* The chat is a witness of a head that it was sent, once Telegram has said so, and of no other. */
WORLD_TEST_BARE(the_chat_is_a_witness_of_what_telegram_confirmed)
{
	store_handler *sent;

	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_true(is_witnessed(w));
	(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	assert_false(is_witnessed(w));
	world_deploy_starts(w, COMMIT_C);
	sent = w->aid.handlers[EVENT_MESSAGE_SENT];
	w->aid.handlers[EVENT_MESSAGE_SENT] = NULL; /* nobody has confirmed it */
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_false(is_witnessed(w));
	w->aid.handlers[EVENT_MESSAGE_SENT] = sent;
}

/* Not of the state: what was cancelled while it was checked has failed in no step. */
WORLD_TEST_OF(the_step_that_failed_or_was_killed_is_crossed_out, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_step(w, 0, "fetch");
	world_run_step(w, 1, "build");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_non_null(strstr(world_plain(world_says(w, "✓ fetch")), "✗ build"));
	world_deploy_starts(w, COMMIT_A);
	world_run_step(w, 0, "build");
	world_answers(w, WORLD_ADMIN, "/cancel staging", "▸ build");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .exit_status = -1, .signal_number = 15 });
	assert_non_null(world_says(w, "✗ build"));
	assert_null(world_says(w, "▸ build"));
	world_deploy_starts(w, COMMIT_B);
	world_run_releases(w, GOOD);
	world_probed(w, "HTTP 500");
	assert_null(world_says(w, "✗ release"));
	assert_non_null(world_says(w, "✓ release"));
}

static struct run_ended
stopped_by(int signal_number)
{
	return (struct run_ended){ .gate_opened = true,
		.ended_on_request = true,
		.exit_status = signal_number != 0 ? -1 : 143,
		.signal_number = signal_number };
}

/* Regression: of a script without traps that a /cancel ended behind its start it was said that
 * nothing was changed.  One with a trap has tidied, and exits. */
TEST(of_a_start_that_any_signal_ended_it_is_not_known_what_it_left)
{
	static const int signals[] = { 15, 11, 9, 0 };

	for (size_t i = 0; i < COUNT(signals); i++) {
		char said[64];
		struct world w;

		world_open(&w, STAGING_URL, NULL);
		world_starts_over(&w, COMMIT_A, COMMIT_B);
		world_run_step(&w, 0, "start");
		(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
		world_run_ends(&w, stopped_by(signals[i]));
		(void)snprintf(said, sizeof(said), ", then killed by signal %d", signals[i]);
		assert_non_null(world_says(&w, "Stopped: staging"));
		if (signals[i] == 0) {
			assert_non_null(world_says(&w, "Stopped: staging, nothing was changed"));
			assert_null(world_says(&w, "killed by"));
		} else {
			assert_non_null(
			    world_says(&w, "Stopped: staging, what it left is not known"));
			assert_non_null(world_says(&w, said));
			assert_non_null(world_says(&w, "what was started there may run on"));
			assert_null(world_says(&w, "nothing was changed"));
		}
		world_close(&w);
	}
}

/* B is live no more, nor is A: its rollback failed. */
static void
rollback_fails(struct world *w, struct run_ended ended)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, TOUCHED);
	world_run_releases(w, ended);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w, "🔥 Rollback failed: staging, may be DOWN:"));
	assert_null(world_says(w, "🩺"));
}

/* It said "may be DOWN" of what a look at its health URL would have known. */
TEST(behind_a_rollback_that_failed_it_says_what_a_probe_saw)
{
	static const struct run_ended ends[] = {
		{ .gate_opened = true, .released = true, .exit_status = 1 },
		{ .gate_opened = true, .timed_out = true, .signal_number = 15 }
	};
	struct world w;

	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct effect_probe *probe;
		size_t rings;

		rollback_fails(&w, ends[i]);
		rings = world_rings(&w);
		probe = &world_peek_look(&w)->u.probe;
		assert_int_equal(probe->plan.successes, 1);
		assert_true(probe->plan.failures <= 3 && probe->plan.deadline_s < 10);
		assert_string_equal(probe->targets[0].commit, ""); /* nobody knows which runs */
		world_looked(&w, "HTTP 500");
		assert_non_null(world_says(&w, "🔥 DOWN: staging, rollback failed:"));
		assert_non_null(world_says(&w, "staging is DOWN: "));
		assert_non_null(
		    world_says(&w, "known\n🩺 answers unhealthy: HTTP 500, checked "));
		assert_null(world_says(&w, "one before")); /* that A is back is not known */
		assert_int_equal(world_rings(&w), rings);
		world_close(&w);
	}
	rollback_fails(&w, ends[0]);
	world_looked(&w, NULL);
	assert_non_null(world_says(&w, "🔥 Rollback failed: staging, may be DOWN:"));
	assert_non_null(world_says(&w,
	    "staging may be DOWN: the rollback from bbbbbbb to aaaaaaa failed: what runs is not known\n🩺 answers healthy, checked "));
	assert_true(world_environment(&w, "staging").is_down);
	world_close(&w);
}

/* What answers may be that of what has begun since. */
WORLD_TEST_BARE(what_a_probe_saw_of_another_deployment_is_not_said)
{
	rollback_fails(w, TOUCHED);
	world_deploy_starts(w, "cccccccccccccccccccccccccccccccccccccccc");
	world_looked(w, "HTTP 500");
	assert_null(world_says(w, "🩺"));
}
