/* Goal: an end says what runs, what became of the database, what to do, and only what is known.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat_aid.h"

#include "chat/chat_deployment_inside.h"
#include "chat/chat_text.h"
#include "lib/text.h"
#include "unit.h"

/* It is told what serves, on which database, and what may be at work still: never that nothing was
 * changed. */
TEST(a_migration_is_never_passed_over)
{
	static const struct {
		const char *migration, *at;
		enum deploy_state end;
		const char *says;
	} rows[] = {
		{ "migrate-failed 1", "x", DEPLOY_FAILED,
		    "staging: the migration failed (exit 1); 9f8e7d6 still serves; the database may be half migrated\n" },
		{ "migrate-stopped", "x", DEPLOY_FAILED,
		    "staging: the migration was interrupted and stopped; 9f8e7d6 still serves; the database may be half migrated\n" },
		{ "migrate", "deploybot-migrate-staging on h1", DEPLOY_FAILED,
		    "staging: the migration was interrupted; it may still be running in deploybot-migrate-staging on h1; 9f8e7d6 was not replaced, whether it serves is not known; the database may be half migrated\n" },
		{ "migrate", "", DEPLOY_FAILED,
		    "the migration was interrupted; it may still be running; 9f8e7d6 was not replaced, whether" },
		{ "migrate", NULL, DEPLOY_FAILED,
		    "the migration was interrupted and stopped; 9f8e" },
		{ "migrate-not-started", "x", DEPLOY_FAILED,
		    "staging: the migration could not be started; nothing ran; 9f8e7d6 still serves\n" },
		{ "migrated", "x", DEPLOY_FAILED,
		    "staging: the migration ran; 9f8e7d6 still serves on the migrated database\n" },
		{ "migrated", "x", DEPLOY_ROLLED_BACK,
		    "❌ Rolled back: staging from \"Make it blue\"\n⚠️ the database was NOT rolled back: the migration ran; 9f8e7d6 now serves on the migrated database\n" },
		{ "migrate-failed ", "x", DEPLOY_ROLLED_BACK,
		    "\n⚠️ the database was NOT rolled back: the migration failed; 9f8e7d6 now serves; the database may be half migrated" },
		{ "migrate-not-started", "x", DEPLOY_ROLLED_BACK,
		    "\n⚠️ the migration could not be started; nothing ran; 9f8e7d6 now serves\n" },
		{ "migrated", "x", DEPLOY_ROLLBACK_FAILED,
		    "🔥 DOWN: staging, rollback failed: \"Make it blue\"\n⚠️ the database was NOT rolled back: the migration ran: the database is migrated\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = chat_sample(rows[i].end);
		struct chat_deployment what = chat_about(&deployment);

		(void)text_copy(deployment.migration, LIMIT_STEP, rows[i].migration);
		what.migration_at = rows[i].at;
		what.runbook = "https://wiki.example/down";
		chat_says(&what, rows[i].says);
		chat_says(&what, "\n📖 https://wiki.example/down\n");
		assert_null(strstr(chat_plain(&what), "nothing was changed"));
		if (rows[i].end == DEPLOY_FAILED)
			chat_says(&what,
			    "\n1. /status staging: does it answer?\n2. Log below: look at the database, what of it is there?"
			    "\n3. /deploy staging: a newer commit\n");
	}
}

/* Nothing was changed, which is known; what runs on a host that does not answer is not. */
TEST(what_could_not_be_reached_is_not_said_to_run)
{
	static const struct {
		bool is_unreachable;
		const char *detail;
		enum deploy_why why;
		const char *says;
	} rows[] = {
		{ true, "h1 is away", DEPLOY_WHY_SCRIPT,
		    "\nstaging: 9f8e7d6 was not replaced; whether it still runs is not known\n" },
		{ false, "exit 69: x", DEPLOY_WHY_SCRIPT, "\nstaging still runs 9f8e7d6\n" },
		{ true, "exit 69: x", DEPLOY_WHY_TIMED_OUT, "\nstaging still runs 9f8e7d6\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = chat_sample(DEPLOY_FAILED);
		struct chat_deployment what = chat_about(&deployment);

		deployment.why = rows[i].why;
		what.newest.is_unreachable = rows[i].is_unreachable;
		(void)text_copy(deployment.detail, LIMIT_LINE, rows[i].detail);
		chat_says(&what, rows[i].says);
	}
}

/* Whose script and which status says nothing to who reads that; whoever needs it has the log. */
TEST(why_a_script_failed_is_said_without_its_name_and_status)
{
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);

	deployment.why = DEPLOY_WHY_SCRIPT;
	(void)text_copy(deployment.detail, LIMIT_LINE,
	    "exit 65: deploy.sh: .deploybot/build failed with status 1");
	chat_says(&what, "\nscript failed: .deploybot/build failed with status 1\n");
	(void)text_copy(deployment.detail, LIMIT_LINE, "exit 70");
	chat_says(&what, "\nscript failed: exit 70\n");
	deployment.state = DEPLOY_ROLLED_BACK;
	(void)text_copy(deployment.detail, LIMIT_LINE, "exit 70: deploy.sh: no room");
	chat_says(&what, "\"Make it blue\" (no room)\n");
}

/* What was killed behind its start may have left what that began; it was said that nothing was
 * changed. */
TEST(what_a_killed_start_may_have_left_is_said)
{
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);
	struct step steps[] = { { .name = "start", .at = NOW - 1000 },
		{ .name = "hook pre-deploy", .at = NOW - 500 } };

	deployment.why = DEPLOY_WHY_SCRIPT;
	what.newest.is_killed = true;
	what.run_end = RUN_FAILED;
	what.steps = &steps[1];
	what.n_steps = 1;
	chat_says(&what, "\nstaging still runs 9f8e7d6\n");
	what.steps = steps;
	what.n_steps = COUNT(steps);
	chat_says(&what,
	    "\nstaging still runs 9f8e7d6; what was started there may run on, until the next deployment\n");
	assert_null(strstr(chat_plain(&what), "nothing was changed"));
	what.newest.is_killed = false;
	chat_says(&what, "nothing was changed");
	chat_says(&what, "\nstaging still runs 9f8e7d6\n");
}

/* None of what is said of a work claims that what is on record runs. */
static void
claims_nothing(const char *text)
{
	static const char *const claims[] = { "still runs", "still serves", "\nreplaces " };

	for (size_t i = 0; i < COUNT(claims); i++)
		if (strstr(text, claims[i]) != NULL)
			fail_msg("\"%s\" of what is in doubt:\n%s", claims[i], text);
}

static void
claims_nothing_of(const struct chat_deployment *what)
{
	claims_nothing(chat_plain(what));
}

/* "staging still runs 9f8e7d6" was said of what had failed half-way before, and did not. */
TEST(what_is_in_doubt_is_never_said_to_run)
{
	static const char *const migrations[] = { "", "migrate", "migrate-failed 1", "migrated" };

	for (int way = 0; way < DEPLOY_STATE_COUNT * 16; way++) {
		struct deployment work = chat_sample((enum deploy_state)(way / 16));
		struct chat_deployment what = chat_about(&work);
		struct environment environment = chat_there;
		struct barrier barrier = { .reason = "drops column price" };

		what.host = "h1";
		environment.is_down = (way & 1) != 0;
		environment.unknown_since = (way & 1) != 0 ? 0 : NOW - 5000;
		what.environment = &environment;
		work.target_changed = (way & 2) != 0;
		(void)text_copy(work.migration, LIMIT_STEP, migrations[way >> 2 & 3]);
		for (int why = 0; why < DEPLOY_WHY_COUNT; why++) {
			work.why = (enum deploy_why)why;
			what.barriers = &barrier;
			what.n_barriers = work.state == DEPLOY_FAILED && (why & 1) != 0;
			claims_nothing_of(&what);
			work.program = PROGRAM_ROLLBACK;
			claims_nothing_of(&what);
			work.program = PROGRAM_DEPLOY;
		}
	}
}

/* Its question said "replaces" as if nothing were wrong. */
TEST(a_question_says_what_is_in_doubt)
{
	struct deployment work = chat_sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = chat_about(&work);
	struct environment environment = chat_there;

	what.environment = &environment;
	what.host = "h1";
	chat_says(&what, "\nreplaces 9f8e7d6 (release 0, 1 h ago)");
	environment.is_down = true;
	chat_says(&what, "\n⚠️ staging may be DOWN; last live: 9f8e7d6 (release 0, 1 h ago)");
	environment.is_down = false;
	environment.unknown_since = NOW - 5000;
	chat_says(
	    &what, "\n⚠️ what runs in staging is not known; last known: 9f8e7d6 (release 0, ");
	environment.current.id = 0;
	chat_says(&what, "\n⚠️ what runs in staging is not known; no release yet\n");
	work.state = DEPLOY_FAILED;
	work.ended_at = NOW;
	chat_says(&what,
	    "\nwhat runs in staging is not known, as before: nothing was changed; no release yet\n");
	environment.is_down = true;
	environment.unknown_since = 0;
	environment.current = chat_there.current;
	chat_says(&what,
	    ", still may be DOWN: \"Make it blue\"\nstaging may be DOWN, as before: nothing was changed; last live: 9f8e7d6\n1. /logs staging: why?\n2. /rollback staging: asks first\n3. /deploy staging: with a fix\n");
	(void)text_copy(work.migration, LIMIT_STEP, "migrate-failed 1");
	chat_says(&what,
	    "\nstaging: the migration failed (exit 1); staging may be DOWN, as before; last live: 9f8e7d6; the database may be half migrated\n");
}

/* "This commit was script failed: …" */
TEST(what_failed_is_not_said_to_be_rejected)
{
	const struct block blocks[] = {
		{ .commit = "1e350f7", .at = NOW - 43000, .why = "script failed: exit 70" },
		{ .commit = "2e350f7",
		    .at = NOW - 43000,
		    .why = "rejected by @bob: no tests",
		    .is_rejected = true },
	};
	struct deployment work = chat_sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = chat_about(&work);

	what.contained = blocks;
	what.n_contained = COUNT(blocks);
	chat_says(&what,
	    "\n⚠️ contains 1e350f7, its deployment failed, 43 s ago (script failed: exit 70)"
	    "\n⚠️ contains 2e350f7, rejected by @bob: no tests, 43 s ago\n");
}

/* It took no time, and nobody was told that the database is another one. */
TEST(a_quick_migration_is_named)
{
	static const struct step steps[] = {
		{ .name = "pull", .at = NOW - 2000 },
		{ .name = "migrate", .at = NOW - 2000 },
		{ .name = "release", .at = NOW - 2000 },
	};
	struct deployment work = chat_sample(DEPLOY_LIVE);
	struct chat_deployment what = chat_about(&work);

	work.ended_at = NOW;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	chat_says(&what, "\n✓ migrate\n✓ release 2 s");
	assert_null(strstr(chat_plain(&what), "pull"));
}

/* It rings: whoever reads no more knows why and what to do; a migration's said the same thrice. */
TEST(what_may_be_down_says_why_and_what_to_do)
{
	struct deployment work = chat_sample(DEPLOY_ROLLBACK_FAILED);
	struct chat_deployment what = chat_about(&work);
	const char *line;

	work.why = DEPLOY_WHY_SCRIPT;
	(void)text_copy(work.detail, LIMIT_LINE, "exit 7");
	chat_says(&what, "script failed: exit 7");
	chat_says(&what, "\n1. /logs staging: why?\n2. ");
	work.state = DEPLOY_FAILED;
	(void)text_copy(work.migration, LIMIT_STEP, "migrate-failed 3");
	(void)text_copy(work.detail, LIMIT_LINE,
	    "exit 70: deploy.sh: the migration failed (exit 3): its last lines are in the log");
	line = chat_plain(&what);
	assert_null(strstr(strstr(line, "the migration failed") + 1, "the migration failed"));
	assert_null(strstr(line, "script failed"));
	what.is_tail_hidden = true;
	chat_says(
	    &what, "\nIts last lines may have customers' data: Log below shows them to who may");
	assert_null(strstr(chat_plain(&what), "script failed"));
}

/* Who reads no more than what rings looks at the database too. */
TEST(a_ring_says_what_became_of_the_database)
{
	static const struct {
		bool target_changed;
		const char *says;
	} rows[] = {
		{ true,
		    "\n⚠️ the migration failed (exit 1); the database may be half migrated" },
		{ false, "staging: the migration failed (exit 1); 9f8e7d6 still serves; the data" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = chat_sample(DEPLOY_FAILED);
		struct chat_deployment what = chat_about(&deployment);
		const char *line;

		(void)text_copy(deployment.migration, LIMIT_STEP, "migrate-failed 1");
		deployment.target_changed = rows[i].target_changed;
		chat_says(&what, rows[i].says);
		line = chat_plain(&what);
		assert_null(strstr(strstr(line, "the migration") + 1, "the migration")); /* once */
	}
}

/* "Changed" was said of what nobody knows, and "another machine" of what was left on this one. */
TEST(what_nobody_knows_is_not_said_as_if_it_were_known)
{
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);
	struct environment environment = *what.environment;

	what.environment = &environment;
	deployment.target_changed = true;
	deployment.why = DEPLOY_WHY_SCRIPT;
	chat_says(&what, "\nSomething was changed there, and no rollback was started.");
	deployment.why = DEPLOY_WHY_INTERRUPTED;
	chat_says(&what, "\nSomething may have been changed there, and no rollback was started.");
	deployment.ended_at = environment.unknown_since = 4711;
	chat_says(&what, "\nNo rollback was started: it may still be running, here or elsewhere.");
}

/* Of all that a script may print, only these words, in this order and before the release. */
TEST(a_migration_is_what_its_steps_say)
{
	static const struct {
		const char *before, *step;
		bool target_changed;
		enum program program;
		const char *after;
	} rows[] = {
		{ "", "migrate", false, PROGRAM_DEPLOY, "migrate" },
		{ "", "migrate", true, PROGRAM_DEPLOY, "" },
		{ "", "migrate", false, PROGRAM_ROLLBACK, "" },
		{ "", "migrated", false, PROGRAM_DEPLOY, "" },
		{ "", "migrate-failed 1", false, PROGRAM_DEPLOY, "" },
		{ "", "migrates", false, PROGRAM_DEPLOY, "" },
		{ "migrate", "migrated", false, PROGRAM_DEPLOY, "migrated" },
		{ "migrate", "migrated", true, PROGRAM_DEPLOY, "migrate" },
		{ "migrate", "migrate-stopped", false, PROGRAM_DEPLOY, "migrate-stopped" },
		{ "migrate", "migrate-not-started", false, PROGRAM_DEPLOY, "migrate-not-started" },
		{ "migrate", "migrate-failed 127", false, PROGRAM_DEPLOY, "migrate-failed 127" },
		{ "migrate", "migrate-failed x", false, PROGRAM_DEPLOY, "migrate" },
		{ "migrate", "migrate-failed", false, PROGRAM_DEPLOY, "migrate" },
		{ "migrated", "migrate", false, PROGRAM_DEPLOY, "migrated" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = chat_sample(DEPLOY_RUNNING);

		deployment.program = rows[i].program;
		deployment.target_changed = rows[i].target_changed;
		(void)text_copy(deployment.migration, LIMIT_STEP, rows[i].before);
		deployment_take_migration(&deployment, rows[i].step);
		assert_string_equal(deployment.migration, rows[i].after);
	}
}

TEST(going_back_to_the_same_commit_is_no_contradiction)
{
	/* Goal: "NOT running 1a2b3c4; it runs 1a2b3c4 again" is said by neither of the two. */
	struct deployment deployment = chat_sample(DEPLOY_ROLLED_BACK);
	struct chat_deployment what = chat_about(&deployment);

	(void)text_copy(deployment.previous, sizeof(deployment.previous), deployment.commit);
	chat_says(&what, "staging runs its earlier release of 1a2b3c4 again");
	assert_null(strstr(chat_plain(&what), "NOT running"));
}

TEST(every_end_after_a_start_says_how_long_it_took)
{
	static const enum deploy_state ends[] = { DEPLOY_LIVE, DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED, DEPLOY_DONE };

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = chat_sample(ends[i]);
		struct chat_deployment what = chat_about(&deployment);

		chat_says(&what, "took 1 min");
		assert_null(strstr(chat_plain(&what), "audit")); /* its row has that */
	}
}

/* What a failure left is told as it is known: different sentences. */
TEST(down_is_said_of_what_was_looked_at)
{
	struct deployment deployment = chat_sample(DEPLOY_ROLLBACK_FAILED);
	struct chat_deployment what = chat_about(&deployment);

	deployment.why = DEPLOY_WHY_UNHEALTHY;
	what.run_end = RUN_SUCCEEDED; /* then its health was bad */
	chat_says(&what,
	    "staging is DOWN: 9f8e7d6 is back, and is not healthy either\n1. /logs staging: why?\n2. ");
	what.run_end = RUN_FAILED;
	chat_says(&what,
	    "staging may be DOWN: the rollback from 1a2b3c4 to 9f8e7d6 failed: what runs is not known\n");
	what.rollback_not_started = true;
	chat_says(&what,
	    "staging may be DOWN: 1a2b3c4 is still there, unhealthy: rolling back to 9f8e7d6 did not begin to change anything\n");
	chat_says(&what,
	    "\n1. /logs staging: why?\n2. /rollback staging: asks first\n3. /deploy staging: with a fix");
	deployment.why = DEPLOY_WHY_SCRIPT;
	chat_says(&what, "staging may be DOWN: 1a2b3c4 failed, what it left is not known: rolling");
	deployment.why = DEPLOY_WHY_CANCELLED; /* it may have been up, and well */
	chat_says(
	    &what, "staging may be DOWN: 1a2b3c4 was stopped, what it left is not known: rolling");
}

TEST(what_ran_before_has_no_commit)
{
	struct deployment deployment = chat_sample(DEPLOY_ROLLING_BACK);
	struct chat_deployment what = chat_about(&deployment);

	(void)text_copy(deployment.previous, sizeof(deployment.previous), "target:before-7");
	chat_says(&what, ", rolling back to what ran before deploybot: \"Make it blue\"");
}

TEST(a_failure_says_what_is_known_to_run)
{
	static const struct environment empty = { .name = "staging" };
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);

	what.environment = &empty;
	chat_says(&what, "staging has no release yet");
	deployment.target_changed = true;
	chat_says(&what, "staging may be DOWN: its state is unknown");
	chat_says(&what, "Last known release: none");
	what.environment = &chat_there;
	chat_says(&what, "Last known release: 9f8e7d6");
}

/* Goal: behind a first release that was taken back whole nobody looks for what is broken there. */
TEST(a_first_release_of_which_nothing_runs_is_said_to_be_so)
{
	static const struct environment empty = { .name = "staging" };
	const struct step steps[] = { { "release", 1 }, { "switch h1", 2 }, { "nothing-runs", 3 } };
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);

	what.environment = &empty;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	what.run_end = RUN_FAILED;
	deployment.target_changed = false;
	chat_says(&what, "Failed: staging, nothing of it runs: ");
	chat_says(
	    &what, "staging has no release yet: what had been started of 1a2b3c4 was ended again");
	assert_null(strstr(chat_plain(&what), "nothing was changed"));
	assert_null(strstr(chat_plain(&what), "may be DOWN"));
	assert_null(strstr(chat_plain(&what), "nothing-runs"));
	chat_says(&what, "✗ switch h1");
	(void)text_copy(deployment.migration, sizeof(deployment.migration), "migrated");
	chat_says(&what, "Failed: staging, nothing of it runs: ");
	chat_says(
	    &what, "staging: the migration ran; nothing of 1a2b3c4 runs; the database is migrated");
	deployment.target_changed = true; /* where that was not believed */
	chat_says(&what, "staging may be DOWN: its state is unknown");
}

/* Goal: a reason is read once. */
TEST(a_failure_says_its_reason_once)
{
	static const char reason[] =
	    "10.77.0.12 shows ANOTHER key: is somebody in between? If the host's was changed: ssh-keyscan -p 22 10.77.0.12, compare, replace its line in /srv/deploybot/of-the-whole-office/secrets/runner/known_hosts_of_production";
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_deployment what = chat_about(&deployment);
	char tail[1024];
	const char *said, *first;

	deployment.target_changed = false;
	(void)snprintf(
	    deployment.detail, sizeof(deployment.detail), "exit 69: deploy.sh: %.190s…", reason);
	(void)snprintf(tail, sizeof(tail),
	    "Host key verification failed.\n%.197s…\nno\ndeploy.sh: %.186s…\ndeploy.sh: %s", reason,
	    reason, reason);
	what.tail = tail;
	said = chat_plain(&what);
	first = strstr(said, "shows ANOTHER key");
	assert_non_null(first);
	assert_null(strstr(first + 1, "shows ANOTHER key"));
	chat_says(&what, "\nHost key verification failed.\nno\n");
	what.tail = tail + strlen("Host key verification failed.\n"); /* that alone is left */
	tail[strlen("Host key verification failed.\n") + 200] = '\0';
	assert_null(
	    strstr(strstr(chat_plain(&what), "shows ANOTHER key") + 1, "shows ANOTHER key"));
}

/* Goal: why it failed stands where it is read, as much of it as a phone shows. */
TEST(a_failure_says_the_last_five_lines)
{
	static const enum deploy_state ends[] = { DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED };

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = chat_sample(ends[i]);
		struct chat_deployment what = chat_about(&deployment);

		what.tail = "1\n2\n3 <b>\n4\n5\n6";
		chat_says(&what, "\n2\n3 <b>\n4\n5\n6\n");
		assert_null(strstr(chat_plain(&what), "\n1\n"));
		(void)text_copy(deployment.detail, sizeof(deployment.detail), "exit 7: only this");
		what.tail = "only this"; /* which is the reason already */
		assert_null(strstr(strstr(chat_plain(&what), "\nonly this") + 1, "\nonly this"));
		deployment.why = DEPLOY_WHY_UNHEALTHY;
		what.tail = "http://a/: HTTP 500 (3 tries in a row)";
		chat_says(&what, "\nhttp://a/: HTTP 500 (3 tries in a row)\n");
	}
}

/* Goal: below what the health URL answered stands why, and no line of it reads as ours. */
TEST(a_failure_says_what_the_application_logged)
{
	static const enum deploy_state ends[] = { DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED };

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = chat_sample(ends[i]);
		struct chat_deployment what = chat_about(&deployment);

		deployment.why = DEPLOY_WHY_UNHEALTHY;
		what.tail = "http://a/: HTTP 500 (3 tries in a row)";
		what.application_log = "0\n1\n<b> " MARK_BOLD "x" MARK_BOLD "\n\n  at main\xff";
		what.application_log_lines = 4;
		chat_says(&what, "3 tries in a row)\nthe application logged:\n1\n<b> x\n");
		assert_null(strstr(chat_plain(&what), "\n0\n"));
		what.application_log_lines = 0;
		assert_null(strstr(chat_plain(&what), "the application logged"));
	}
}

/* Root of a host writes what it likes; nobody is notified by it, and it does not go on as ours. */
TEST(what_a_host_says_of_an_action_mentions_nobody)
{
	static const enum deploy_state ends[] = { DEPLOY_FAILED, DEPLOY_DONE };

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = chat_sample(ends[i]);
		struct chat_deployment what = chat_about(&deployment);

		deployment.program = PROGRAM_ACTION;
		deployment.why = ends[i] == DEPLOY_FAILED ? DEPLOY_WHY_SCRIPT : DEPLOY_WHY_NONE;
		(void)text_copy(deployment.action, sizeof(deployment.action), "restart-web");
		(void)text_copy(deployment.detail, sizeof(deployment.detail),
		    "nginx.service · approved by @lead");
		chat_says(&what, "nginx.service "); /* in code, where nothing can be pressed */
		assert_null(strstr(chat_plain(&what), "@lead"));
		assert_null(strstr(chat_plain(&what), "· approved"));
	}
}
