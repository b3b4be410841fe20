/* Goal: whatever a run or a gate does, each deployment ends once, truthfully told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "decide/decide_end.h"

#include "lib/text.h"
#include "store/audit_verify.h"

#define LOST ((struct run_ended){ .gate_opened = true, .lost = true })
#define SHUT ((struct run_ended){ 0 })

/* --- scripts that fail --- */

static void
a_script_that_fails_untouched_rolls_nothing_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "build");
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(&w, WORLD_GROUP, "staging still runs aaaaaaa"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "staging still runs aaaaaaa"));
	assert_non_null(world_says(&w, "exit 65: no such file"));
	assert_string_equal(world_blocked(&w, "staging"), "");
	assert_int_equal(world_active(&w, "staging").id, 0);
	assert_int_equal(world_audited(&w, "deploy_failed", COMMIT_B), 1);
	assert_string_equal(w.tallied, "failed");
	world_close(&w);
}

/* Goal: that is the status of the run, whatever its script said last. */
static void
what_could_not_be_reached_is_known_by_its_status(void **state)
{
	static const struct {
		int status;
		const char *last;
		const char *says;
	} rows[] = {
		{ 69, "h1 is away", "was not replaced; whether it still runs is not known" },
		{ 1, "exit 69", "staging still runs aaaaaaa" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_ended ended = FAILED_BEFORE_RELEASE;
		struct world w;

		ended.exit_status = rows[i].status;
		(void)text_copy(ended.detail, sizeof(ended.detail), rows[i].last);
		world_b_over_a(&w, STAGING_URL);
		world_run_ends(&w, ended);
		assert_non_null(world_says(&w, rows[i].says));
		world_close(&w);
	}
}

/* Regression: the block of a commit named what went wrong with its rollback. */
static void
a_block_says_what_was_wrong_with_its_commit(void **state)
{
	struct run_ended boom = TOUCHED, away = TOUCHED;
	struct world w;

	(void)state;
	(void)text_copy(boom.detail, sizeof(boom.detail), "boom");
	(void)text_copy(away.detail, sizeof(away.detail), "No route to host");
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, boom);
	world_run_ends(&w, away);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(world_says(&w, "(script failed: exit 1: boom)"));
	world_close(&w);
}

static void
an_end_that_failed_is_said_once_more_so_that_the_phone_rings(void **state)
{
	struct world w;
	size_t said;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	said = w.n_screen;
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(w.n_screen, said + 2); /* where it was asked for, and in the team's chat */
	world_close(&w);
}

static void
a_script_that_fails_after_release_is_rolled_back(void **state)
{
	const struct effect *run, *probe;
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, TOUCHED);
	run = world_peek(&w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	assert_int_equal(world_run_starts(&w), 200);
	assert_non_null(world_says(&w, "↩️ rolling back to aaaaaaa"));
	world_run_ends(&w, GOOD);
	probe = world_peek(&w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, COMMIT_A);
	/* The gate of a rollback is that of a release, with a deadline of its own. */
	assert_int_equal(probe->u.probe.plan.successes, 2);
	assert_int_equal(probe->u.probe.plan.failures, 10);
	assert_int_equal(probe->u.probe.plan.interval_s, 10);
	assert_int_equal(probe->u.probe.plan.timeout_s, 5);
	assert_int_equal(probe->u.probe.plan.deadline_s, 300);
	assert_in_range(probe->u.probe.plan.until, w.aid.at + 299000, w.aid.at + 300000);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(&w, "staging is NOT running bbbbbbb; it runs aaaaaaa again"));
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	assert_true(world_environment(&w, "staging").is_unacknowledged);
	assert_int_equal(world_audited(&w, "rollback_started", NULL), 1);
	assert_int_equal(world_audited(&w, "auto_rollback_completed", NULL), 1);
	assert_string_equal(w.tallied, "rolled_back");
	world_close(&w);
}

/* A rollback began beside a deployment that was alive, below "everything it had started was
 * ended". */
static void
a_run_that_could_not_be_swept_is_left_to_a_person(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "release");
	world_run_ends(&w,
	    (struct run_ended){
		.gate_opened = true, .lost = true, .unswept = true, .released = true });
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, "it was cut off: some of it may still be at work"));
	assert_null(world_says(&w, "was ended"));
	assert_int_not_equal(world_environment(&w, "staging").unknown_since, 0);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "Nothing is started there by itself"));
	world_close(&w);
}

static void
a_large_log_goes_when_a_newer_run_of_its_environment_has_ended(void **state)
{
	struct run_ended large = TOUCHED;
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	large.log_size = INT64_C(11) << 30; /* above RUN_LOGS_TOTAL */
	world_run_ends(&w, large);
	assert_null(world_peek(&w, EFFECT_PURGE_RUN)); /* it is the newest that has ended */
	world_run_ends(&w, GOOD);
	assert_non_null(world_peek(&w, EFFECT_PURGE_RUN));
	assert_int_equal(world_peek(&w, EFFECT_PURGE_RUN)->u.purge_run.run, 2);
	world_close(&w);
}

static void
a_release_that_is_not_healthy_is_rolled_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(&w, "unhealthy: HTTP 500"));
	world_close(&w);
}

static void
a_rollback_that_fails_too_is_down(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_step(&w, 0, "release");
	world_run_ends(&w,
	    (struct run_ended){ .gate_opened = true, .exit_status = 1, .detail = "no such image" });
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w,
	    "staging may be DOWN: the rollback from bbbbbbb to aaaaaaa failed: what runs is not known"));
	assert_non_null(
	    world_says(&w, "script failed: exit 1; the rollback: exit 1: no such image"));
	assert_true(world_environment(&w, "staging").is_down);
	assert_int_equal(world_audited(&w, "auto_rollback_failed", "critical"), 1);
	assert_int_equal(world_active(&w, "staging").id, 0);
	(void)world_text(&w, WORLD_ADMIN, "/status staging"); /* what a phone shows of it */
	assert_non_null(world_says(&w, "🔥 staging may be DOWN; last live: aaaaaaa"));
	world_probed(&w, "HTTP 500");
	assert_non_null(world_says(&w, "🔥 staging is DOWN; last live: aaaaaaa"));
	assert_null(strstr(world_plain(world_last(&w)), "may be")); /* in the same breath */
	world_close(&w);
}

/* It said "neither is healthy", of a rollback that nobody had tried. */
static void
a_rollback_that_could_not_begin_is_told_so(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, (struct run_ended){ .refused = true, .detail = "no space left" });
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w,
	    "staging may be DOWN: bbbbbbb failed, what it left is not known: rolling back to aaaaaaa did not begin to change anything"));
	assert_non_null(world_says(&w, "the rollback: could not be started: no space left"));
	assert_null(world_says(&w, "neither"));
	assert_true(world_environment(&w, "staging").is_down);
	world_close(&w);
}

/* What its end and its step `release` say, and nothing else that it printed, tells one that changed
 * the target from one that did not. */
static void
whether_a_rollback_began_is_read_off_its_end(void **state)
{
#define SENTENCE "could not be started: or so it printed"
	static const struct {
		struct run_ended ended;
		bool began;
	} cases[] = {
		{ { .gate_opened = true, .exec_errno = 2, .detail = "No such file" }, false },
		{ { .gate_opened = true, .exit_status = 65, .detail = SENTENCE }, false },
		{ { .gate_opened = true, .exit_status = 65, .released = true, .detail = SENTENCE },
		    true },
		{ { .gate_opened = true,
		      .exit_status = -1,
		      .signal_number = 9,
		      .detail = SENTENCE },
		    true },
		{ { .gate_opened = true,
		      .timed_out = true,
		      .signal_number = 15,
		      .detail = SENTENCE },
		    true },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		world_b_over_a(&w, STAGING_URL);
		world_run_ends(&w, TOUCHED);
		if (cases[i].ended.released)
			world_run_step(&w, 0, "release");
		world_run_ends(&w, cases[i].ended);
		assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
		assert_int_equal(
		    world_says(&w, "did not begin to change anything") == NULL, cases[i].began);
		assert_int_equal(world_says(&w, "what runs is not known") != NULL, cases[i].began);
		world_close(&w);
	}
}

/* Why the release failed was lost: the message spoke of its rollback alone. */
static void
behind_a_failed_rollback_both_reasons_are_said(void **state)
{
	struct run_ended away = TOUCHED;
	struct world_message *rang;
	struct world w;

	(void)state;
	(void)text_copy(away.detail, sizeof(away.detail), "No route to host");
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, away);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(
	    &w, "\nunhealthy: HTTP 500; the rollback: exit 1: No route to host\n✗ health check\n"));
	rang =
	    world_says_in(&w, WORLD_TEAM, "(unhealthy: HTTP 500; the rollback: exit 1: No route");
	assert_non_null(rang);
	assert_int_equal(
	    world_audited(&w, "auto_rollback_failed", "HTTP 500; the rollback: exit 1: No"), 1);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	assert_non_null(world_says(&w, "(unhealthy: HTTP 500)")); /* its block: of the commit */
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/cancel staging");
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, away);
	assert_non_null(world_says(&w, "by @bob; the rollback: exit 1: No route to host"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, FOLDER_GONE);
	assert_non_null(world_says(&w, "unhealthy: HTTP 500; the rollback: its folder is not"));
	world_close(&w);
}

/* A document of an unhealthy release ended with exit 0, and did not say what was wrong. */
static void
the_log_of_an_unhealthy_release_begins_with_what_its_health_said(void **state)
{
	const struct effect *document;
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "start");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_non_null(world_says(&w, "\n✗ health check\n↩️ rolling back to aaaaaaa"));
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "\nunhealthy: HTTP 500\n✗ health check\n"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(&w, WORLD_GROUP, "Rolled back"), "📄 Log"));
	document = world_peek(&w, EFFECT_DOCUMENT);
	assert_non_null(document);
	assert_non_null(
	    strstr(document->u.document.head, ", exit 0\nhttp://127.0.0.1:1/health: HTTP 500"));
	world_close(&w);
}

/* The step in which the script failed stays marked, whatever its rollback has for steps. */
static void
the_failed_step_is_marked_while_it_is_rolled_back_and_after(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "build");
	world_run_step(&w, 1, "release");
	world_run_step(&w, 2, "start h1");
	world_run_ends(&w, TOUCHED);
	(void)world_run_starts(&w);
	world_run_step(&w, 0, "switch");
	assert_non_null(world_says(&w, "\n✗ start h1\n▸ switch"));
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "\nscript failed: exit 1\n✗ start h1\n"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "start h1");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/cancel staging");
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_null(world_says(&w, "✗ start")); /* it was stopped */
	world_close(&w);
}

/* Whatever length the two have, each is there, and no letter is cut in two. */
static void
long_reasons_leave_room_for_each_other(void **state)
{
	struct deployment work = { .why = DEPLOY_WHY_SCRIPT };
	char release[LIMIT_LINE], line[LIMIT_LINE];

	(void)state;
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

static void
a_rollback_that_is_not_healthy_is_down(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed(&w, "no answer");
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "\nunhealthy: HTTP 500; after the rollback: no answer"));
	world_close(&w);
}

static void
nothing_to_go_back_to_is_failed_and_not_known_to_be_well(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "staging may be broken: its state is unknown"));
	assert_non_null(world_says(&w, "Last known release: none"));
	world_close(&w);
}

/* --- what ran before deploybot --- */

static void
a_first_release_that_fails_is_rolled_back_to_what_ran_before_deploybot(void **state)
{
	const struct effect *run, *probe;
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_B);
	world_run_step(&w, 0, "previous target:before-12");
	world_run_step(&w, 1, "release");
	world_run_ends(&w, TOUCHED);
	run = world_peek(&w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, "target:before-12");
	assert_string_equal(run->u.run.image, "");
	assert_string_equal(run->u.run.previous, COMMIT_B);
	assert_int_equal(world_run_starts(&w), 200);
	assert_non_null(world_says(&w, "↩️ rolling back to what ran before deploybot"));
	world_run_ends(&w, GOOD);
	probe = world_peek(&w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, "");
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(
	    &w, "staging is NOT running bbbbbbb; it is back to what ran before deploybot"));
	assert_int_equal(world_environment(&w, "staging").current.id, 0);
	assert_int_equal(world_environment(&w, "staging").previous.id, 0);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	assert_int_equal(world_audited(&w, "auto_rollback_completed", "target:before-12"), 1);
	world_close(&w);
}

static void
a_first_release_that_is_not_healthy_either(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_B);
	world_run_step(&w, 0, "previous target:before-12");
	world_run_step(&w, 1, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(
	    &w, "staging is DOWN: what ran before deploybot is back, and is not healthy either"));
	world_close(&w);
}

/* A script's word never takes the place of the release that the database knows. */
static void
what_ran_before_deploybot_is_never_taken_for_the_current_release(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_A); /* the same again: there is nothing before it */
	world_run_step(&w, 0, "previous target:before-12");
	world_run_step(&w, 1, "release");
	assert_string_equal(world_newest(&w, "staging").previous, "");
	world_run_ends(&w, TOUCHED);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	world_close(&w);
}

static void
a_word_for_what_ran_before_deploybot_is_checked_and_comes_before_the_release(void **state)
{
	static const char *const odd[] = { "previous target:", "previous target:-x",
		"previous target:a b", "previous target:../x", ("previous " COMMIT_A),
		"previous target:a2345678901234567890123456789012" };
	struct world w;
	int n = 0;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_B);
	for (size_t i = 0; i < COUNT(odd); i++)
		world_run_step(&w, n++, odd[i]);
	world_run_step(&w, n++, "release");
	world_run_step(&w, n++, "previous target:late");
	assert_string_equal(world_newest(&w, "staging").previous, "");
	world_run_ends(&w, TOUCHED);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	world_close(&w);
}

static void
a_script_that_says_no_rollback_cannot_roll_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "no-rollback");
	world_run_step(&w, 1, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "Last known release: aaaaaaa"));
	world_close(&w);
}

static void
migrates_and_goes_live(struct world *w, const char *commit)
{
	world_deploy_starts(w, commit);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrated");
	world_run_step(w, 2, "release");
	world_run_ends(w, GOOD);
	world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
}

static const char *
status_of_staging(struct world *w)
{
	struct world_message *message;

	(void)world_text(w, WORLD_ADMIN, "/status staging");
	message = world_last(w);
	world_probed(w, NULL);
	return world_plain(message);
}

#define BEHIND "\n⚠️ the migration of bbbbbbb failed; the database may be half migrated"

/* What was live serves on: nothing is rolled back, and no push does it again. */
static void
what_ends_behind_its_migration_is_blocked_and_not_rolled_back(void **state)
{
	struct world w;
	const char *status;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "migrate");
	assert_null(strstr(status_of_staging(&w), "the migration of")); /* it is at work */
	world_run_step(&w, 1, "migrate-failed 1");
	world_run_ends(
	    &w, (struct run_ended){ .gate_opened = true, .migration = true, .exit_status = 70 });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w,
	    "staging: the migration failed (exit 1); aaaaaaa still serves; the database may be half migrated"));
	assert_null(world_says(&w, "nothing was changed"));
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	assert_false(world_environment(&w, "staging").is_unacknowledged);
	assert_false(world_environment(&w, "staging").is_down);
	status = status_of_staging(&w);
	assert_non_null(strstr(status,
	    "\nblocked: bbbbbbb: its deployment failed, just now (script failed: exit 70)"));
	assert_null(strstr(status, "rolled back"));
	assert_non_null(strstr(status, BEHIND));
	migrates_and_goes_live(&w, COMMIT_C); /* nothing waits for it */
	assert_null(strstr(status_of_staging(&w), "the migration of"));
	world_close(&w);
}

/* The record alone knows of it: the server was away. */
static void
a_migration_of_which_only_the_record_tells_may_be_at_work(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w,
	    (struct run_ended){ .gate_opened = true,
		.migration = true,
		.timed_out = true,
		.exit_status = -1,
		.signal_number = 9 });
	assert_non_null(world_says(&w, "the migration was cut; it may still be running"));
	assert_null(world_says(&w, "nothing was changed"));
	world_close(&w);
}

static void
a_rollback_behind_a_migration_says_on_what_the_earlier_release_serves(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "migrate");
	world_run_step(&w, 1, "migrated");
	world_run_step(&w, 2, "release");
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_ROLLED_BACK);
	assert_non_null(
	    world_says(&w, "the migration ran; aaaaaaa now serves on the migrated database"));
	world_close(&w);
}

/* Its record has it from its supervisor's draft: that it was seen at its gate counts for less. */
static void
what_is_lost_in_its_migration_is_not_rolled_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "migrate");
	world_run_ends(&w,
	    (struct run_ended){
		.gate_opened = true, .lost = true, .migration = true, .exit_status = -1 });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w,
	    "staging: the migration was cut; it may still be running; aaaaaaa was not replaced, whether it serves is not known; the database may be half migrated"));
	assert_non_null(
	    world_says(&w, "it was cut off; all it had started on deploybot's machine"));
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	world_close(&w);
}

static void
give_up(struct tx *tx, UNUSED void *arg)
{
	struct deployment active = row_deployment_active(tx, "staging");

	decide_give_up(tx, &active, "its result could not be handled");
}

static void
what_is_given_up_in_its_migration_is_not_rolled_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "migrate");
	world_run_step(&w, 1, "migrated");
	world_act(&w, give_up, NULL);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(
	    world_says(&w, "the migration ran; aaaaaaa still serves on the migrated database"));
	world_close(&w);
}

/* It said nothing of the database, neither in its question nor in its end. */
static void
a_persons_rollback_past_a_migration_says_on_what_the_earlier_release_serves(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	migrates_and_goes_live(&w, COMMIT_A);
	migrates_and_goes_live(&w, COMMIT_B);
	migrates_and_goes_live(&w, COMMIT_C);
	(void)world_rollback_asks(&w, "/rollback staging");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ the migration of ccccccc ran; bbbbbbb would serve on the migrated database"));
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ the migration of ccccccc ran, after 1 earlier migration that began since that release; aaaaaaa would serve on the migrated database"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(&w), "Roll back"));
	(void)world_run_starts(&w);
	assert_null(strstr(world_plain(world_says(&w, "Rolling back staging")), "the migration"));
	world_run_step(&w, 0, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w,
	    "aaaaaaa by @ada\n⚠️ the database was NOT rolled back: the migration of ccccccc ran, after 1 earlier migration that began since that release; aaaaaaa now serves on the migrated database"));

	/* Forward to what migrated last: the database is that release's. */
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 3");
	assert_non_null(strstr(world_plain(world_last(&w)), "Roll forward staging?"));
	assert_null(strstr(world_plain(world_last(&w)), "the migration"));
	world_close(&w);
}

/* A hook before it has stopped it: what was released runs, well or not. */
static void
a_rollback_that_ends_before_it_changed_anything_has_not_started(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w,
	    "staging may be DOWN: bbbbbbb failed, what it left is not known: rolling back to aaaaaaa did not begin to change anything"));
	world_close(&w);
}

static void
what_ran_out_of_time_says_so(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.deadline_s, 600);
	world_run_ends(&w,
	    (struct run_ended){ .gate_opened = true,
		.released = true,
		.timed_out = true,
		.exit_status = -1,
		.signal_number = 9 });
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "timed out: killed by signal 9"));
	world_close(&w);
}

/* --- supervisors and gates --- */

static void
a_gate_that_stays_shut_is_tried_three_times(void **state)
{
	int64_t first, second;
	struct world w;
	size_t said;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	said = w.n_screen;
	first = world_peek(&w, EFFECT_RUN)->u.run.run;
	world_run_ends(&w, SHUT);
	second = world_peek(&w, EFFECT_RUN)->u.run.run;
	assert_true(second > first);
	world_run_ends(&w, SHUT);
	assert_int_equal(world_state(&w), DEPLOY_RUNNING);
	assert_int_equal(w.n_screen, said); /* the same messages, not a new one for each */
	world_run_ends(&w, SHUT);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_non_null(world_says(&w, "not started: the script was not started"));
	world_close(&w);
}

static void
a_lost_supervisor_stops_and_then_is_rolled_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_lost(&w);
	assert_int_equal(world_state(&w), DEPLOY_STOPPING);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1); /* nothing is started beside it */
	world_run_ends(&w, LOST);
	assert_int_equal(world_state(&w), DEPLOY_ROLLING_BACK);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "interrupted: it was cut off"));
	world_close(&w);
}

/* It said "may be DOWN", of what was looked at: the word of the release stood for its rollback. */
static void
behind_a_lost_release_the_rollback_is_told_by_its_own_end(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_lost(&w);
	world_run_ends(&w, LOST);
	world_run_ends(&w, GOOD);
	world_probed(&w, "connection refused");
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "🔥 DOWN: staging \"Make it blue\"\n"));
	assert_non_null(world_says(&w, "staging is DOWN: aaaaaaa is back, and is not healthy"));
	assert_non_null(world_says(&w, "; after the rollback: connection refused"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(
	    &w, LOST); /* the rollback itself, at each try: nobody knows how far it came */
	world_run_ends(&w, LOST);
	world_run_ends(&w, LOST);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "🔥 May be DOWN: staging "));
	world_close(&w);
}

/* Goal: an application may say in the log whose order failed: not to a whole group. */
static void
what_an_application_may_have_said_is_shown_in_private_alone(void **state)
{
	struct run_ended failed = FAILED_BEFORE_RELEASE;
	struct world w;

	(void)state;
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

static void
an_unhealthy_release_names_the_url_without_what_may_be_a_token(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, "STAGING_HEALTH_URL=http://127.0.0.1:9/health?token=t");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_non_null(world_says(&w, "http://127.0.0.1:9/health: HTTP 500\n"));
	assert_null(world_says(&w, "token"));
	world_close(&w);
}

/* Goal: one press does it once more, where nothing was touched and it was not stopped. */
static void
what_touched_nothing_may_be_tried_again(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, NULL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(&w, WORLD_GROUP, "❌ Failed"), "Try again"));
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_B);
	world_close(&w);
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_B);
	world_run_ends(&w, TOUCHED);
	assert_string_equal(
	    world_button(world_says_in(&w, WORLD_GROUP, "❌ May be broken"), "Try again"), "");
	world_close(&w);
}

/* Power went: the row says that it was let go, the record no longer does. */
static void
a_run_that_was_let_go_and_lost_is_rolled_back_whatever_its_record_says(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, (struct run_ended){ .lost = true });
	assert_int_equal(world_state(&w), DEPLOY_ROLLING_BACK);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_close(&w);
}

static void
a_run_that_was_lost_before_it_was_seen_begins_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	world_run_ends(&w, (struct run_ended){ .lost = true });
	assert_int_equal(world_state(&w), DEPLOY_RUNNING);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_close(&w);
}

static void
a_supervisor_of_another_release_is_said_in_the_chat(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, NULL);
	world_run_incompatible(&w);
	assert_int_equal(world_state(&w), DEPLOY_RUNNING);
	assert_non_null(world_says(&w, "started by another version of deploybot"));
	world_run_ends(&w, GOOD);
	assert_int_equal(world_state(&w), DEPLOY_LIVE);
	world_close(&w);
}

static void
a_rollback_that_is_lost_is_run_again_to_the_same_release(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_lost(&w);
	world_run_ends(&w, LOST);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(&w, LOST);
	world_run_ends(&w, LOST);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	world_close(&w);
}

static void
a_result_whose_effect_is_closed_changes_nothing(void **state)
{
	struct event *again;
	struct world w;
	int64_t effect, run;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	effect = world_peek(&w, EFFECT_RUN)->id;
	run = world_peek(&w, EFFECT_RUN)->u.run.run;
	world_run_ends(&w, GOOD);
	again = store_aid_event(&w.aid, EVENT_RUN_ENDED);
	again->effect = effect;
	again->u.run_ended = TOUCHED;
	again->u.run_ended.run = run;
	(void)world_decide(&w, again);
	assert_int_equal(world_state(&w), DEPLOY_VERIFYING);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_LIVE);
	world_close(&w);
}

static void
what_a_deployment_needs_to_end_is_what_it_started_with(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_settings(&w, "STAGING_HEALTH_URL=http://127.0.0.1:1/other", NULL);
	world_run_ends(&w, GOOD);
	assert_string_equal(
	    world_peek(&w, EFFECT_PROBE)->u.probe.targets[0].url, "http://127.0.0.1:1/health");
	world_close(&w);
}

static void
every_final_message_carries_the_audits_head(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_non_null(
	    strstr(world_plain(world_says_in(&w, WORLD_GROUP, "still runs aaaaaaa\n")), "audit "));
	(void)world_audited(&w, "", NULL);
	for (size_t i = 0; i < w.n_screen; i++) {
		const char *at = strstr(world_plain(&w.screen[i]), "audit ");
		char head[LIMIT_AUDIT_HEAD] = "";

		if (at == NULL)
			continue;
		(void)text_copy(head, sizeof(head), at + 6);
		assert_int_equal(strspn(head, "0123456789abcdef"), 16);
		if (strstr(w.audit, head) == NULL)
			fail_msg("audit head %s is not in the chain", head);
	}
	world_close(&w);
}

/* What `audit verify` says of the chat. */
static bool
is_witnessed(struct world *w)
{
	struct audit_verified found;
	struct err err;

	if (!audit_verify(w->aid.path, NULL, &found, &err))
		fail_msg("%s", err.text);
	return found.is_witnessed;
}

/* The chat is a witness of a head that it was sent, once Telegram has said so, and of no other. */
static void
the_chat_is_a_witness_of_what_telegram_confirmed(void **state)
{
	store_handler *sent;
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_true(is_witnessed(&w));
	(void)world_text(&w, WORLD_STRANGER, "/deploy staging");
	assert_false(is_witnessed(&w));
	world_deploy_starts(&w, COMMIT_C);
	sent = w.aid.handlers[EVENT_MESSAGE_SENT];
	w.aid.handlers[EVENT_MESSAGE_SENT] = NULL; /* nobody has confirmed it */
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_false(is_witnessed(&w));
	w.aid.handlers[EVENT_MESSAGE_SENT] = sent;
	world_close(&w);
}

/* --- its folder is gone --- */

static void
a_started_run_without_a_folder_fails_and_nothing_is_begun_for_it(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "build");
	world_run_ends(&w, FOLDER_GONE);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_int_equal(world_newest(&w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_null(world_peek(&w, EFFECT_RUN)); /* neither again, nor a rollback */
	assert_non_null(world_says_in(&w, WORLD_GROUP, "what it left is not known"));
	assert_null(world_says(&w, "nothing was changed"));
	world_close(&w);
}

static void
a_cancelled_run_without_a_folder_is_not_rolled_back(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(&w), DEPLOY_STOPPING);
	world_run_ends(&w, FOLDER_GONE);
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_int_equal(world_newest(&w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
a_rollback_without_a_folder_is_down_and_not_run_again(void **state)
{
	struct environment environment;
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, TOUCHED);
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, FOLDER_GONE);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_null(world_peek(&w, EFFECT_RUN));
	environment = world_environment(&w, "staging");
	assert_true(environment.is_down);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	assert_int_equal(world_newest(&w, "staging").why, DEPLOY_WHY_SCRIPT); /* of all this */
	assert_non_null(
	    world_says(&w, "staging may be DOWN: what rolling back from bbbbbbb to aaaaaaa"));
	world_close(&w);
}

/* Not of the state: what was cancelled while it was checked has failed in no step. */
static void
the_step_that_failed_or_was_killed_is_crossed_out(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_starts(&w, COMMIT_A);
	world_run_step(&w, 0, "fetch");
	world_run_step(&w, 1, "build");
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_non_null(strstr(world_plain(world_says(&w, "✓ fetch")), "✗ build"));
	world_deploy_starts(&w, COMMIT_A);
	world_run_step(&w, 0, "build");
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "▸ build"));
	world_run_ends(
	    &w, (struct run_ended){ .gate_opened = true, .exit_status = -1, .signal_number = 15 });
	assert_non_null(world_says(&w, "✗ build"));
	assert_null(world_says(&w, "▸ build"));
	world_deploy_starts(&w, COMMIT_B);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_says(&w, "✗ release"));
	assert_non_null(world_says(&w, "✓ release"));
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_that_fails_untouched_rolls_nothing_back),
		cmocka_unit_test(what_could_not_be_reached_is_known_by_its_status),
		cmocka_unit_test(a_block_says_what_was_wrong_with_its_commit),
		cmocka_unit_test(an_end_that_failed_is_said_once_more_so_that_the_phone_rings),
		cmocka_unit_test(a_script_that_fails_after_release_is_rolled_back),
		cmocka_unit_test(a_run_that_could_not_be_swept_is_left_to_a_person),
		cmocka_unit_test(a_large_log_goes_when_a_newer_run_of_its_environment_has_ended),
		cmocka_unit_test(a_release_that_is_not_healthy_is_rolled_back),
		cmocka_unit_test(a_rollback_that_fails_too_is_down),
		cmocka_unit_test(a_rollback_that_could_not_begin_is_told_so),
		cmocka_unit_test(whether_a_rollback_began_is_read_off_its_end),
		cmocka_unit_test(behind_a_failed_rollback_both_reasons_are_said),
		cmocka_unit_test(long_reasons_leave_room_for_each_other),
		cmocka_unit_test(the_log_of_an_unhealthy_release_begins_with_what_its_health_said),
		cmocka_unit_test(the_failed_step_is_marked_while_it_is_rolled_back_and_after),
		cmocka_unit_test(a_rollback_that_is_not_healthy_is_down),
		cmocka_unit_test(nothing_to_go_back_to_is_failed_and_not_known_to_be_well),
		cmocka_unit_test(
		    a_first_release_that_fails_is_rolled_back_to_what_ran_before_deploybot),
		cmocka_unit_test(a_first_release_that_is_not_healthy_either),
		cmocka_unit_test(what_ran_before_deploybot_is_never_taken_for_the_current_release),
		cmocka_unit_test(
		    a_word_for_what_ran_before_deploybot_is_checked_and_comes_before_the_release),
		cmocka_unit_test(a_script_that_says_no_rollback_cannot_roll_back),
		cmocka_unit_test(what_ends_behind_its_migration_is_blocked_and_not_rolled_back),
		cmocka_unit_test(a_migration_of_which_only_the_record_tells_may_be_at_work),
		cmocka_unit_test(
		    a_rollback_behind_a_migration_says_on_what_the_earlier_release_serves),
		cmocka_unit_test(what_is_lost_in_its_migration_is_not_rolled_back),
		cmocka_unit_test(what_is_given_up_in_its_migration_is_not_rolled_back),
		cmocka_unit_test(
		    a_persons_rollback_past_a_migration_says_on_what_the_earlier_release_serves),
		cmocka_unit_test(a_rollback_that_ends_before_it_changed_anything_has_not_started),
		cmocka_unit_test(what_ran_out_of_time_says_so),
		cmocka_unit_test(a_gate_that_stays_shut_is_tried_three_times),
		cmocka_unit_test(a_lost_supervisor_stops_and_then_is_rolled_back),
		cmocka_unit_test(behind_a_lost_release_the_rollback_is_told_by_its_own_end),
		cmocka_unit_test(
		    a_run_that_was_let_go_and_lost_is_rolled_back_whatever_its_record_says),
		cmocka_unit_test(a_run_that_was_lost_before_it_was_seen_begins_again),
		cmocka_unit_test(a_supervisor_of_another_release_is_said_in_the_chat),
		cmocka_unit_test(a_rollback_that_is_lost_is_run_again_to_the_same_release),
		cmocka_unit_test(a_result_whose_effect_is_closed_changes_nothing),
		cmocka_unit_test(what_a_deployment_needs_to_end_is_what_it_started_with),
		cmocka_unit_test(a_started_run_without_a_folder_fails_and_nothing_is_begun_for_it),
		cmocka_unit_test(a_cancelled_run_without_a_folder_is_not_rolled_back),
		cmocka_unit_test(a_rollback_without_a_folder_is_down_and_not_run_again),
		cmocka_unit_test(what_an_application_may_have_said_is_shown_in_private_alone),
		cmocka_unit_test(an_unhealthy_release_names_the_url_without_what_may_be_a_token),
		cmocka_unit_test(what_touched_nothing_may_be_tried_again),
		cmocka_unit_test(every_final_message_carries_the_audits_head),
		cmocka_unit_test(the_chat_is_a_witness_of_what_telegram_confirmed),
		cmocka_unit_test(the_step_that_failed_or_was_killed_is_crossed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
