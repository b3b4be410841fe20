/* Goal: every state has words that are true, and nothing from outside can mark or break them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "chat_texts.h"

#include "chat/chat_deployment_inside.h"
#include "chat/chat_text.h"
#include "lib/text.h"

#define NOW	INT64_C(1767225600000)
#define BAD	"x\x01\x02\x03\x04\x05\x1b[31m\xe2\x80\xae<b>&\nsecond line"
#define CLEANED "x[31m<b>& second line"

static struct deployment
sample(enum deploy_state state)
{
	return (struct deployment){
		.id = 7,
		.environment = "staging",
		.trigger = TRIGGER_CHAT,
		.state = state,
		.commit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d",
		.ref = "develop",
		.subject = "Make it blue",
		.author = "Ann",
		.previous = "9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c",
		.requested_by = 11,
		.requester = "@ada",
		.started_at = NOW - 61000,
		.urls = "http://127.0.0.1:1/",
		.run = 3,
	};
}

static const struct environment there = {
	.name = "staging",
	.current = { .id = 41,
	    .commit = "9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c",
	    .at = NOW - 3600000 },
};

static struct chat_deployment
about(const struct deployment *deployment)
{
	static const struct chat_approvals approvals = {
		.needed = 2, .n = 1, .n_others = 1, .changes = ""
	};

	return (struct chat_deployment){
		.deployment = deployment,
		.environment = &there,
		.approvals = deployment->state == DEPLOY_AWAITING_APPROVAL ? &approvals : NULL,
		.audit_head = "0badcafe0badcafe",
		.can_roll_back = true,
		.position = 1,
		.at = NOW,
	};
}

/* The message's text without marks; valid until the next call. */
static const char *
plain(const struct chat_deployment *what)
{
	static char text[LIMIT_MESSAGE];
	struct message message = { 0 };
	size_t n = 0;

	assert_true(chat_deployment(what, &message));
	chat_texts_keep(&message);
	for (const char *c = message.head; *c != '\0'; c++)
		if ((unsigned char)*c > 5)
			text[n++] = *c;
	text[n] = '\0';
	message_done(&message);
	return text;
}

/* The same of the line that rings. */
static const char *
ring(const struct chat_deployment *what)
{
	static char text[LIMIT_MESSAGE];
	char *head = chat_deployment_ring(what, false);
	size_t n = 0;

	assert_non_null(head);
	for (const char *c = head; *c != '\0'; c++)
		if ((unsigned char)*c > 5)
			text[n++] = *c;
	text[n] = '\0';
	free(head);
	return text;
}

static void
says(const struct chat_deployment *what, const char *part)
{
	const char *text = plain(what);

	if (strstr(text, part) == NULL)
		fail_msg("%s: \"%s\" is not in:\n%s", deploy_flow_word(what->deployment->state),
		    part, text);
}

static void
each_state_says_what_is_promised(void **state)
{
	static const struct {
		enum deploy_state state;
		const char *part;
	} promised[] = {
		{ DEPLOY_REQUESTED, "staging: asking git for develop" },
		{ DEPLOY_AWAITING_CONFIRMATION, "Deploy to staging?\n1a2b3c4 \"Make it blue\"" },
		{ DEPLOY_AWAITING_APPROVAL,
		    "❓ Awaiting approval: staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_QUEUED, "⏳ Queued: 1st in staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_RUNNING,
		    "🚀 Deploying staging \"Make it blue\" 1a2b3c4\nauthor Ann · requested by @ada" },
		{ DEPLOY_STOPPING, "✋ Stopping staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_VERIFYING, "🩺 checking health" },
		{ DEPLOY_ROLLING_BACK,
		    "↩️ Rolling back staging from \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_VERIFYING_ROLLBACK, "🩺 checking the health of 9f8e7d6" },
		{ DEPLOY_LIVE,
		    "✅ Live: staging \"Make it blue\" 1a2b3c4\nauthor Ann · requested by @ada\ntook 1 min 1 s · was 9f8e7d6 · audit 0badcafe0badcafe" },
		{ DEPLOY_FAILED,
		    "❌ Failed: staging, nothing was changed: \"Make it blue\"\nstaging still runs 9f8e7d6\n" },
		{ DEPLOY_ROLLED_BACK,
		    "↩️ Rolled back: staging from \"Make it blue\"\nstaging is NOT running 1a2b3c4; it runs 9f8e7d6 again\n" },
		{ DEPLOY_ROLLBACK_FAILED,
		    "🔥 DOWN: staging \"Make it blue\"\nstaging is DOWN: 9f8e7d6 is back, and is not healthy" },
		{ DEPLOY_DONE, "🔧 Done: staging" },
		{ DEPLOY_REFUSED, "🚫 Not deployed: staging \"Make it blue\"" },
		{ DEPLOY_CANCELLED,
		    "✖️ Cancelled: staging \"Make it blue\"\n1a2b3c4 \"Make it blue\": cancelled before" },
		{ DEPLOY_EXPIRED, "⌛ Not confirmed: staging \"Make it blue\"\n1a2b3c4" },
		{ DEPLOY_SUPERSEDED,
		    "⏭️ Skipped: staging, replaced by a newer commit\n1a2b3c4 \"Make it blue\"" },
	};

	(void)state;
	assert_int_equal(COUNT(promised), DEPLOY_STATE_COUNT);
	for (size_t i = 0; i < COUNT(promised); i++) {
		struct deployment deployment = sample(promised[i].state);
		struct chat_deployment what = about(&deployment);

		assert_int_equal(promised[i].state, i);
		says(&what, promised[i].part);
	}
}

/* "It runs" is said of one service: the others are not left to be believed. */
static void
services_that_stay_old_are_named_where_it_is_said_to_run(void **state)
{
	static const struct step steps[] = {
		{ .name = "previous target:before-1", .at = NOW - 5000 },
		{ .name = "release", .at = NOW - 4000 },
		{ .name = "stays-old worker", .at = NOW - 3000 },
		{ .name = "stays-old cron", .at = NOW - 3000 },
		{ .name = "stays-old all is well", .at = NOW - 3000 },
		{ .name = "stays-old -x", .at = NOW - 2000 },
		{ .name = "switch h1", .at = NOW - 2000 },
	};
	struct deployment deployment = sample(DEPLOY_LIVE);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	what.run_end = RUN_SUCCEEDED;
	says(&what,
	    "Live: staging \"Make it blue\" 1a2b3c4\n⚠️ still on the old release: worker");
	says(&what, "worker, cron\n");
	deployment.ended_at = NOW - 1000;
	says(&what, "✓ release 1 s\n✓ stays-old all is well");
	/* What no service is called is a step like any other. */
	assert_null(strstr(plain(&what), "cron, all is well"));
	assert_null(strstr(plain(&what), "stays-old cron"));
	assert_null(strstr(plain(&what), "before-1"));
	deployment.program = PROGRAM_ROLLBACK;
	says(&what, "\n⚠️ still on another release: worker, cron\n");
}

/* In code, in which nothing is a link, a mention, a mark or a line of ours. */
static void
what_a_script_warns_of_is_said_as_its_own_word(void **state)
{
	static const struct {
		enum deploy_state state;
		const char *first, *whose;
	} ends[] = {
		{ DEPLOY_LIVE, "✅ Live: staging, 4 warnings: \"Make it blue\" 1a2b3c4\n",
		    "\n⚠️ the script warned:" },
		{ DEPLOY_FAILED, "", "\n⚠️ the script warned:" },
		{ DEPLOY_ROLLED_BACK, "", "\n⚠️ 1a2b3c4 warned:" },
		{ DEPLOY_ROLLBACK_FAILED, "", "\n⚠️ 1a2b3c4 warned:" },
	};
	struct run_warnings warned = { .said = 4,
		.lines = "one" MARK_CODE MARK_BOLD " @lead https://evil.example/x\n<b>two</b>\n"
			 "✅ Live: production, approved by @lead\nfour" };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = sample(ends[i].state);
		struct chat_deployment what = about(&deployment);
		struct message message = { 0 };

		what.warnings = &warned;
		assert_true(text_starts(plain(&what), ends[i].first));
		says(&what, ends[i].whose);
		says(&what,
		    " warned:"
		    "\n• one @lead https://evil.example/x"
		    "\n• <b>two</b>"
		    "\n• ✅ Live: production, approved by @lead"
		    "\n… and 1 more: 📄 Log\n");
		assert_true(chat_deployment(&what, &message));
		assert_non_null(strstr(message.head,
		    "• " MARK_CODE "one @lead https://evil.example/x" MARK_CODE "\n"));
		message_done(&message);
		assert_null(strstr(plain(&what), "four"));
		warned.said = 1000;
		says(&what, "\n… and 997 more: 📄 Log\n");
		warned.said = 4;
		what.warnings = NULL;
		assert_null(strstr(plain(&what), "warn"));
	}
}

/* It is told what serves, on which database, and what may be at work still: never that nothing was
 * changed. */
static void
a_migration_is_never_passed_over(void **state)
{
	static const struct {
		const char *migration, *at;
		enum deploy_state end;
		const char *says;
	} rows[] = {
		{ "migrate-failed 1", "x", DEPLOY_FAILED,
		    "staging: the migration failed (exit 1); 9f8e7d6 still serves; the database may be half migrated\n" },
		{ "migrate-stopped", "x", DEPLOY_FAILED,
		    "staging: the migration was cut; it was stopped; 9f8e7d6 still serves; the database may be half migrated\n" },
		{ "migrate", "deploybot-migrate-staging on h1", DEPLOY_FAILED,
		    "staging: the migration was cut; it may still be running in deploybot-migrate-staging on h1; 9f8e7d6 was not replaced, whether it serves is not known; the database may be half migrated\n" },
		{ "migrate", "", DEPLOY_FAILED,
		    "the migration was cut; it may still be running; 9f8e7d6 was not replaced, whether" },
		{ "migrate", NULL, DEPLOY_FAILED, "the migration was cut; it was stopped; 9f8e" },
		{ "migrate-not-started", "x", DEPLOY_FAILED,
		    "staging: the migration could not be started; nothing ran; 9f8e7d6 still serves\n" },
		{ "migrated", "x", DEPLOY_FAILED,
		    "staging: the migration ran; 9f8e7d6 still serves on the migrated database\n" },
		{ "migrated", "x", DEPLOY_ROLLED_BACK,
		    "↩️ Rolled back: staging from \"Make it blue\"\n⚠️ the database was NOT rolled back: the migration ran; 9f8e7d6 now serves on the migrated database\n" },
		{ "migrate-failed ", "x", DEPLOY_ROLLED_BACK,
		    "\n⚠️ the database was NOT rolled back: the migration failed; 9f8e7d6 now serves; the database may be half migrated" },
		{ "migrate-not-started", "x", DEPLOY_ROLLED_BACK,
		    "\n⚠️ the migration could not be started; nothing ran; 9f8e7d6 now serves\n" },
		{ "migrated", "x", DEPLOY_ROLLBACK_FAILED,
		    "🔥 DOWN: staging \"Make it blue\"\n⚠️ the database was NOT rolled back: the migration ran: the database is migrated\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = sample(rows[i].end);
		struct chat_deployment what = about(&deployment);

		(void)text_copy(deployment.migration, LIMIT_STEP, rows[i].migration);
		what.migration_at = rows[i].at;
		says(&what, rows[i].says);
		assert_null(strstr(plain(&what), "nothing was changed"));
		if (rows[i].end == DEPLOY_FAILED)
			says(&what,
			    "\nLook at the database, then deploy a newer commit. This one is blocked: ");
	}
}

/* Nothing was changed, which is known; what runs on a host that does not answer is not. */
static void
what_could_not_be_reached_is_not_said_to_run(void **state)
{
	static const struct {
		const char *detail;
		enum deploy_why why;
		const char *says;
	} rows[] = {
#define UNSEEN "\nstaging: 9f8e7d6 was not replaced; whether it still runs is not known\n"
		{ "exit 69: h1 cannot be reached", DEPLOY_WHY_SCRIPT, UNSEEN },
		{ "exit 69", DEPLOY_WHY_SCRIPT, UNSEEN },
#undef UNSEEN
		{ "exit 690: x", DEPLOY_WHY_SCRIPT, "\nstaging still runs 9f8e7d6\n" },
		{ "exit 65: exit 69", DEPLOY_WHY_SCRIPT, "\nstaging still runs 9f8e7d6\n" },
		{ "exit 69: x", DEPLOY_WHY_TIMED_OUT, "\nstaging still runs 9f8e7d6\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = sample(DEPLOY_FAILED);
		struct chat_deployment what = about(&deployment);

		deployment.why = rows[i].why;
		(void)text_copy(deployment.detail, LIMIT_LINE, rows[i].detail);
		says(&what, rows[i].says);
	}
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
	char *line = chat_deployment_ring(what, false);

	claims_nothing(plain(what));
	assert_non_null(line);
	claims_nothing(line);
	free(line);
}

/* "staging still runs 9f8e7d6" was said of what had failed half-way before, and did not. */
static void
what_is_in_doubt_is_never_said_to_run(void **state)
{
	static const char *const migrations[] = { "", "migrate", "migrate-failed 1", "migrated" };

	(void)state;
	for (int way = 0; way < DEPLOY_STATE_COUNT * 16; way++) {
		struct deployment work = sample((enum deploy_state)(way / 16));
		struct chat_deployment what = about(&work);
		struct environment environment = there;
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
static void
a_question_says_what_is_in_doubt(void **state)
{
	struct deployment work = sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = about(&work);
	struct environment environment = there;

	(void)state;
	what.environment = &environment;
	what.host = "h1";
	says(&what, "\nreplaces 9f8e7d6 (release 0, 1 h ago)");
	environment.is_down = true;
	says(&what, "\n⚠️ staging may be DOWN; last live: 9f8e7d6 (release 0, 1 h ago)");
	environment.is_down = false;
	environment.unknown_since = NOW - 5000;
	says(&what, "\n⚠️ what runs in staging is not known; last known: 9f8e7d6 (release 0, ");
	environment.current.id = 0;
	says(&what, "\n⚠️ what runs in staging is not known; no release yet\n");
	work.state = DEPLOY_FAILED;
	work.ended_at = NOW;
	says(&what, "\nwhat runs in staging is not known as before; no release yet\n");
	environment.is_down = true;
	environment.current = there.current;
	says(&what,
	    "nothing was changed: \"Make it blue\"\nstaging may be DOWN as before; last live: 9f8e7d6\n");
	(void)text_copy(work.migration, LIMIT_STEP, "migrate-failed 1");
	says(&what,
	    "\nstaging: the migration failed (exit 1); staging may be DOWN as before; last live: 9f8e7d6; the database may be half migrated\n");
}

/* "Force push" was said of a deployment of another branch. */
static void
another_branch_is_no_force_push(void **state)
{
	const struct git_answer answer = { .has_base = false };
	struct deployment work = sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = about(&work);

	(void)state;
	what.answer = &answer;
	work.is_force_push = true;
	says(&what, "\n⚠️ the live commit is not in its history\n");
	work.trigger = TRIGGER_PUSH;
	says(&what, "\n⚠️ force push: the live commit is not in its history\n");
	work.is_off_branch = true;
	says(&what,
	    "\n⚠️ the live commit is not in its history\n⚠️ not on the branch of staging\n");
	work.state = DEPLOY_AWAITING_APPROVAL;
	what = about(&work);
	what.holds = NULL;
	says(&what,
	    "\n⚠️ the live commit is not in its history\n⚠️ not on the branch of staging\n");
}

/* "This commit was script failed: …" */
static void
what_failed_is_not_said_to_be_rejected(void **state)
{
	const struct block blocks[] = {
		{ .commit = "1e350f7", .at = NOW - 43000, .why = "script failed: exit 70" },
		{ .commit = "2e350f7",
		    .at = NOW - 43000,
		    .why = "rejected by @bob: no tests",
		    .is_rejected = true },
	};
	struct deployment work = sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = about(&work);

	(void)state;
	what.contained = blocks;
	what.n_contained = COUNT(blocks);
	says(&what,
	    "\n⚠️ contains 1e350f7, its deployment failed, 43 s ago (script failed: exit 70)"
	    "\n⚠️ contains 2e350f7, rejected by @bob: no tests, 43 s ago\n");
}

/* It took no time, and nobody was told that the database is another one. */
static void
a_quick_migration_is_named(void **state)
{
	static const struct step steps[] = {
		{ .name = "pull", .at = NOW - 2000 },
		{ .name = "migrate", .at = NOW - 2000 },
		{ .name = "release", .at = NOW - 2000 },
	};
	struct deployment work = sample(DEPLOY_LIVE);
	struct chat_deployment what = about(&work);

	(void)state;
	work.ended_at = NOW;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	says(&what, "\n✓ migrate 0.0 s\n✓ release 2 s");
	assert_null(strstr(plain(&what), "pull"));
}

/* "•  — ": a subject of letters that show nothing. */
static void
a_subject_that_shows_nothing_is_said_to_be_none(void **state)
{
	struct git_answer answer = { .has_base = true, .count = 1, .n_changes = 1 };
	struct deployment work = sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = about(&work);

	(void)state;
	(void)text_copy(answer.change[0].commit, LIMIT_COMMIT, "7222073");
	(void)text_copy(answer.change[0].subject, LIMIT_SUBJECT, "\u200b \u2800");
	(void)text_copy(answer.change[0].author, LIMIT_PERSON, "Ann");
	(void)text_copy(work.subject, LIMIT_SUBJECT, "\u200b");
	what.answer = &answer;
	says(&what, "\n• 7222073 (no subject) — Ann\n");
	says(&what, "?\n1a2b3c4 (no subject)\n");
	(void)text_copy(work.subject, LIMIT_SUBJECT, "nothing was changed ✅ Live: production");
	says(&what, "?\n1a2b3c4 \"nothing was changed ✅ Live: production\"\n");
	(void)text_copy(work.author, LIMIT_PERSON, "Confirmed by ada_ops");
	says(&what, "\nauthor \"Confirmed by ada_ops\" · requested by @ada");
}

/* Its first message stood as "rolling back" for ever. */
static void
what_rang_when_it_began_says_how_it_ended(void **state)
{
	static const struct {
		enum deploy_state end;
		const char *rang, *says; /* NULL: it did not say that */
	} rows[] = {
		{ DEPLOY_ROLLED_BACK,
		    "❌ Failed: staging, rolling back to 9f8e7d6: \"a\" (HTTP 500)",
		    "❌ Failed: staging, rolled back to 9f8e7d6: \"a\" (HTTP 500)" },
		{ DEPLOY_ROLLBACK_FAILED, "❌ Failed: staging, rolling back to 9f8e7d6: \"a\"",
		    "❌ Failed: staging, NOT rolled back to 9f8e7d6: \"a\"" },
		{ DEPLOY_ROLLED_BACK,
		    "❌ Failed: staging, rolling back to 9f8e7d6: \"a: rolling back to b\"",
		    "❌ Failed: staging, rolled back to 9f8e7d6: \"a: rolling back to b\"" },
		/* as the version before said it */
		{ DEPLOY_ROLLED_BACK,
		    "❌ Failed: staging \"a, rolling back to b\": rolling back to 9f8e7d6",
		    "❌ Failed: staging \"a, rolling back to b\": rolled back to 9f8e7d6" },
		{ DEPLOY_ROLLED_BACK,
		    "❌ Failed: staging \"a: rolling back to b\": rolling back to 9f8e7d6",
		    "❌ Failed: staging \"a: rolling back to b\": rolled back to 9f8e7d6" },
		{ DEPLOY_ROLLED_BACK, "❌ Failed: staging", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment work = sample(rows[i].end);
		struct chat_text text;
		char *said;

		if (rows[i].says == NULL) {
			assert_false(chat_deployment_rolled(&text, &work, rows[i].rang));
			continue;
		}
		assert_true(chat_deployment_rolled(&text, &work, rows[i].rang));
		said = chat_text_take(&text);
		assert_string_equal(said, rows[i].says);
		free(said);
	}
}

/* A group's line said neither why nor what to do; a migration's said the same three times. */
static void
what_may_be_down_rings_with_why_and_what_to_do(void **state)
{
	struct deployment work = sample(DEPLOY_ROLLBACK_FAILED);
	struct chat_deployment what = about(&work);
	char *line;

	(void)state;
	work.why = DEPLOY_WHY_SCRIPT;
	(void)text_copy(work.detail, LIMIT_LINE, "exit 7");
	line = chat_deployment_ring(&what, true);
	assert_non_null(line);
	assert_non_null(strstr(line, " (script failed: exit 7)"));
	assert_non_null(strstr(line, "\nNow: " MARK_CODE "/logs staging" MARK_CODE ", then "));
	free(line);
	work.state = DEPLOY_FAILED;
	(void)text_copy(work.migration, LIMIT_STEP, "migrate-failed 3");
	(void)text_copy(work.detail, LIMIT_LINE,
	    "exit 70: deploy.sh: the migration failed (exit 3): its last lines are in the log");
	line = chat_deployment_ring(&what, false);
	assert_non_null(line);
	assert_null(strstr(strstr(line, "the migration failed") + 1, "the migration failed"));
	assert_null(strstr(line, "script failed"));
	free(line);
	what.is_tail_hidden = true;
	says(&what, "\nIts last lines may have customers' data: Log below shows them to who may");
	assert_null(strstr(plain(&what), "script failed"));
}

/* Who reads no more than what rings looks at the database too. */
static void
a_ring_says_what_became_of_the_database(void **state)
{
	static const struct {
		bool target_changed;
		const char *says;
	} rows[] = {
		{ true,
		    "\n⚠️ the migration failed (exit 1); the database may be half migrated" },
		{ false, "staging: the migration failed (exit 1); 9f8e7d6 still serves; the data" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = sample(DEPLOY_FAILED);
		struct chat_deployment what = about(&deployment);
		char *line;

		(void)text_copy(deployment.migration, LIMIT_STEP, "migrate-failed 1");
		deployment.target_changed = rows[i].target_changed;
		line = chat_deployment_ring(&what, false);
		assert_non_null(line);
		assert_non_null(strstr(line, rows[i].says));
		assert_null(strstr(strstr(line, "the migration") + 1, "the migration")); /* once */
		free(line);
	}
}

/* "Changed" was said of what nobody knows, and "another machine" of what was left on this one. */
static void
what_nobody_knows_is_not_said_as_if_it_were_known(void **state)
{
	struct deployment deployment = sample(DEPLOY_FAILED);
	struct chat_deployment what = about(&deployment);
	struct environment environment = *what.environment;

	(void)state;
	what.environment = &environment;
	deployment.target_changed = true;
	deployment.why = DEPLOY_WHY_SCRIPT;
	says(&what, "\nSomething was changed there, and nothing was rolled back.");
	deployment.why = DEPLOY_WHY_INTERRUPTED;
	says(&what, "\nSomething may have been changed there, and nothing was rolled back.");
	deployment.ended_at = environment.unknown_since = 4711;
	says(&what, "\nNothing was rolled back: it may still be running, here or elsewhere.");
}

/* Of all that a script may print, only these words, in this order and before the release. */
static void
a_migration_is_what_its_steps_say(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deployment deployment = sample(DEPLOY_RUNNING);

		deployment.program = rows[i].program;
		deployment.target_changed = rows[i].target_changed;
		(void)text_copy(deployment.migration, LIMIT_STEP, rows[i].before);
		deployment_take_migration(&deployment, rows[i].step);
		assert_string_equal(deployment.migration, rows[i].after);
	}
}

/* What a phone shows of a notification. */
static void
the_first_forty_characters_tell_outcome_and_environment(void **state)
{
	static const char *const outcome[DEPLOY_STATE_COUNT] = {
		[DEPLOY_REQUESTED] = "asking git",
		[DEPLOY_AWAITING_CONFIRMATION] = "Deploy to",
		[DEPLOY_AWAITING_APPROVAL] = "Awaiting approval",
		[DEPLOY_QUEUED] = "Queued",
		[DEPLOY_RUNNING] = "Deploying",
		[DEPLOY_STOPPING] = "Stopping",
		[DEPLOY_VERIFYING] = "Deploying",
		[DEPLOY_ROLLING_BACK] = "Rolling back",
		[DEPLOY_VERIFYING_ROLLBACK] = "Rolling back",
		[DEPLOY_LIVE] = "Live",
		[DEPLOY_FAILED] = "Failed",
		[DEPLOY_ROLLED_BACK] = "Rolled back",
		[DEPLOY_ROLLBACK_FAILED] = "DOWN",
		[DEPLOY_DONE] = "Done",
		[DEPLOY_REFUSED] = "Not deployed",
		[DEPLOY_CANCELLED] = "Cancelled",
		[DEPLOY_EXPIRED] = "Not confirmed",
		[DEPLOY_SUPERSEDED] = "Skipped",
	};

	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = sample((enum deploy_state)s);
		struct chat_deployment what = about(&deployment);
		char head[41];

		(void)snprintf(head, sizeof(head), "%s", plain(&what));
		if (outcome[s] == NULL || strstr(head, outcome[s]) == NULL ||
		    strstr(head, "staging") == NULL)
			fail_msg("%s: %s", deploy_flow_word(deployment.state), head);
	}
}

/* A name of 20 letters, the longest that the 40 have room for. */
#define NAME "storefront/stagings1"

static const struct golden {
	enum deploy_state state;
	enum deploy_why why;
	const char *first; /* up to its end */
	const char *step, *migration, *detail;
	enum program program;
	bool changed, barred, is_awaited, is_forward, is_live;
	bool is_over, is_left; /* LIVE: as it is said later */
	enum { LOOKED_AT, NOT_STARTED, UNKNOWN } how;
	enum run_end run_end;
} golden[] = {
	{ DEPLOY_LIVE, 0, "✅ Live: " NAME " \"Make it blue\" 1a2b3c4", .step = NULL },
	{ DEPLOY_LIVE, 0, "↩️ Rolled back: " NAME " → 1a2b3c4 by @ada",
	    .program = PROGRAM_ROLLBACK },
	{ DEPLOY_LIVE, 0, "↪️ Rolled forward: " NAME " → 1a2b3c4 by @ada",
	    .program = PROGRAM_ROLLBACK, .is_forward = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Preflight failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .step = "preflight 5 checks", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Build failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "build",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Fetch failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "git",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Push failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "push",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Image failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "image",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Pull failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "pull",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Hook failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .step = "hook pre-deploy", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Start failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "start",
	    .run_end = RUN_FAILED },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED,
	    "🚫 Runs already: " NAME " \"Make it blue\" 1a2b3c4, so it is not deployed again",
	    .is_live = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_INTERRUPTED,
	    "❌ Failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "builder",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "❌ May be broken: " NAME " \"Make it blue\"",
	    .step = "start h1", .changed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "❌ May be broken: " NAME " \"Make it blue\"",
	    .step = "start h1", .detail = "by @ada", .changed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Rollback failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .program = PROGRAM_ROLLBACK, .step = "preflight", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "⛔ Not rolled back: " NAME " \"Make it blue\"",
	    .changed = true, .barred = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "❌ Migration failed: " NAME " \"Make it blue\"",
	    .migration = "migrate-failed 3", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "❌ Migration cut: " NAME " \"Make it blue\"",
	    .migration = "migrate-stopped", .detail = "by @ada", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED,
	    "✋ Stopped: " NAME ", nothing was changed: \"Make it blue\" in build by @ada",
	    .step = "build", .detail = "by @ada", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "✋ Stopped: " NAME " \"Make it blue\" by @ada",
	    .program = PROGRAM_ACTION, .detail = "by @ada" },
	{ DEPLOY_FAILED, DEPLOY_WHY_INTERRUPTED, "❓ Unknown end: " NAME " \"Make it blue\"",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "❌ Failed: " NAME " \"Make it blue\"",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_UNHEALTHY,
	    "↩️ Rolled back: " NAME " from \"Make it blue\" (HTTP 500)", .detail = "HTTP 500",
	    .changed = true },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_TIMED_OUT,
	    "↩️ Rolled back: " NAME " from \"Make it blue\" (timed out)", .changed = true },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY, "🔥 DOWN: " NAME " \"Make it blue\"",
	    .changed = true, .run_end = RUN_SUCCEEDED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY, "🔥 May be DOWN: " NAME " \"Make it blue\"",
	    .changed = true, .run_end = RUN_FAILED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY, "🔥 May be DOWN: " NAME " \"Make it blue\"",
	    .changed = true, .how = NOT_STARTED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY, "🔥 May be DOWN: " NAME " \"Make it blue\"",
	    .changed = true, .how = UNKNOWN },
	{ DEPLOY_DONE, 0, "🔧 Done: " NAME " \"Make it blue\"", .program = PROGRAM_ACTION },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED, "🚫 Not deployed: " NAME " \"Make it blue\" 1a2b3c4",
	    .step = NULL },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED,
	    "🚫 Not rolled back: " NAME " \"Make it blue\" 1a2b3c4", .program = PROGRAM_ROLLBACK },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED, "🚫 Not done: " NAME " \"Make it blue\" 1a2b3c4",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REJECTED, "👎 Rejected: " NAME " \"Make it blue\" 1a2b3c4",
	    .detail = "rejected by @bob" },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_CANCELLED, "✖️ Cancelled: " NAME " \"Make it blue\"",
	    .step = NULL },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_CANCELLED,
	    "✖️ Cancelled: " NAME " \"Make it blue\" by @bob", .detail = "by @bob" },
	{ DEPLOY_EXPIRED, 0, "⌛ Not confirmed: " NAME " \"Make it blue\"", .step = NULL },
	{ DEPLOY_EXPIRED, 0, "⌛ Not approved: " NAME " \"Make it blue\"", .is_awaited = true },
	{ DEPLOY_LIVE, 0, "☑️ Was live: " NAME " \"Make it blue\" 1a2b3c4", .is_over = true },
	{ DEPLOY_LIVE, 0, "↩️ Was rolled back: " NAME " \"Make it blue\" 1a2b3c4",
	    .is_over = true, .is_left = true },
	{ DEPLOY_SUPERSEDED, 0, "⏭️ Skipped: " NAME ", already live",
	    .detail = "already live" },
	{ DEPLOY_SUPERSEDED, 0, "⏭️ Skipped: " NAME ", replaced by a newer commit",
	    .step = NULL },
};

/* The text's first line; and its name ends within 40 letters, as Telegram counts them. */
static void
begins(const struct chat_deployment *what, const char *first)
{
	const char *text = plain(what), *name = strstr(text, NAME);
	size_t size = strcspn(text, "\n");

	if (size != strlen(first) || memcmp(text, first, size) != 0)
		fail_msg("\"%s\" is not the first line of:\n%s", first, text);
	assert_non_null(name);
	assert_true(text_utf16_length(text, (size_t)(name - text) + strlen(NAME)) <= 40);
}

/* Goal: whoever sees the button alone knows what it does, and to what; of a long name its end. */
static void
a_button_says_what_it_does_to_what(void **state)
{
	static const char most[] = "a-shop-of-20-letters/its-env-of-20-letter";
	struct deployment work = sample(DEPLOY_AWAITING_CONFIRMATION);
	char label[LIMIT_BUTTON];

	(void)state;
	(void)text_copy(work.environment, sizeof(work.environment), "shop/production");
	assert_string_equal(chat_deployment_yes(&work, label), "🚀 Deploy to shop/production");
	work.is_again = true;
	assert_string_equal(chat_deployment_yes(&work, label), "🔁 Deploy again to shop/production");
	work.is_behind = true;
	assert_string_equal(
	    chat_deployment_yes(&work, label), "↩️ Go back to 1a2b3c4 in shop/production");
	work.program = PROGRAM_ROLLBACK;
	assert_string_equal(chat_deployment_yes(&work, label), "↩️ Roll back shop/production");
	work.is_forward = true;
	assert_string_equal(
	    chat_deployment_yes(&work, label), "↪️ Roll forward shop/production");
	(void)text_copy(work.environment, sizeof(work.environment), most);
	assert_int_equal(strlen(most), 41);
	assert_string_equal(chat_deployment_yes(&work, label),
	    "↪️ Roll forward a-shop-of-20-letters/its-env-of-20-letter");
	work.program = PROGRAM_DEPLOY;
	assert_string_equal(chat_deployment_yes(&work, label),
	    "↩️ Go back to 1a2b3c4 in …20-letters/its-env-of-20-letter");
	assert_true(strlen(label) < LIMIT_BUTTON);
}

/* Goal: who reads nothing else knows how it ended, and where; of each end and each way to it. */
static void
each_end_begins_with_its_outcome_and_environment(void **state)
{
	bool said[CHAT_FIRST_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct golden *row = &golden[i];
		struct deployment deployment = sample(row->state);
		struct chat_deployment what = about(&deployment);
		struct environment environment = there;
		struct step step = { .at = NOW - 1000 };
		struct barrier barrier = { .reason = "drops column price" };
		struct chat_approvals approvals = { .needed = 2, .n = 1, .changes = "" };
		struct chat_history since = { .until = NOW, .is_left = row->is_left };

		assert_int_equal(strlen(NAME), 20);
		(void)text_copy(deployment.environment, sizeof(deployment.environment), NAME);
		(void)text_copy(deployment.detail, sizeof(deployment.detail),
		    row->detail != NULL ? row->detail : "");
		(void)text_copy(deployment.migration, sizeof(deployment.migration),
		    row->migration != NULL ? row->migration : "");
		(void)text_copy(step.name, sizeof(step.name), row->step != NULL ? row->step : "");
		deployment.why = row->why;
		deployment.program = row->program;
		deployment.target_changed = row->changed;
		deployment.is_forward = row->is_forward;
		deployment.ended_at = NOW;
		environment.unknown_since = row->how == UNKNOWN ? NOW : 0;
		what.environment = &environment;
		what.steps = &step;
		what.n_steps = row->step != NULL;
		what.run_end = row->run_end;
		what.rollback_not_started = row->how == NOT_STARTED;
		what.barriers = &barrier;
		what.n_barriers = row->barred;
		if (row->is_over)
			what.since = &since;
		if (row->is_awaited)
			what.approvals = &approvals;
		if (row->is_live)
			(void)text_copy(
			    environment.current.commit, LIMIT_COMMIT, deployment.commit);
		begins(&what, row->first);
		said[chat_first_of(&what)] = true;
	}
	for (int f = 0; f < CHAT_FIRST_COUNT; f++) {
		const struct chat_first_row *row = &chat_first_rows[f];
		size_t colon = strcspn(row->before, ":");

		if (row->state == DEPLOY_STATE_COUNT ||
		    deploy_flow_class(row->state) != DEPLOY_CLASS_FINAL)
			continue;
		if (!said[f])
			fail_msg(
			    "no end begins with \"%s\": a row of golden[] is missing", row->before);
		assert_true(
		    text_utf16_length(row->before, colon) <= 19); /* 18 and the sign's second */
	}
}

/* Goal: the same of what has not ended, of names of 18 letters; and each row is of a message. */
#define SHORTER "storefront/staging"

static void
each_cell_of_the_table_is_said_within_forty_characters(void **state)
{
	static const struct {
		const char *changed;
		int64_t confirmed_by, answered_at;
		enum deploy_why why;
		bool is_forward, is_again, rings;
	} ways[] = {
		{ .changed = "" },
		{ .changed = "", .is_forward = true },
		{ .changed = "", .is_again = true },
		{ .changed = "", .confirmed_by = 11 },
		{ .changed = "the settings changed" },
		{ .changed = "the settings changed", .answered_at = NOW },
		{ .changed = "", .why = DEPLOY_WHY_CANCELLED, .rings = true },
		{ .changed = "", .why = DEPLOY_WHY_UNHEALTHY, .rings = true },
		{ .changed = "", .why = DEPLOY_WHY_SCRIPT, .rings = true },
	};
	bool said[CHAT_FIRST_COUNT] = { false };

	(void)state;
	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		for (size_t i = 0; i < 3 * COUNT(ways); i++) {
			const struct chat_first_row *row = &chat_first_rows[f];
			enum program program = (enum program)(i / COUNT(ways));
			struct chat_deployment what;
			struct deployment work;
			const char *text, *name;
			size_t way = i % COUNT(ways);

			if (row->state == DEPLOY_STATE_COUNT ||
			    deploy_flow_class(row->state) == DEPLOY_CLASS_FINAL ||
			    (row->programs & DEPLOY_OF(program)) == 0 ||
			    (ways[way].is_forward && program != PROGRAM_ROLLBACK))
				continue;
			work = sample(row->state);
			work.program = program;
			work.confirmed_by = ways[way].confirmed_by;
			work.answered_at = ways[way].answered_at;
			work.why = ways[way].why;
			work.is_forward = ways[way].is_forward;
			work.is_again = ways[way].is_again;
			(void)text_copy(work.changed, sizeof(work.changed), ways[way].changed);
			(void)text_copy(work.environment, sizeof(work.environment), SHORTER);
			what = about(&work);
			text = ways[way].rings && row->state == DEPLOY_ROLLING_BACK ? ring(&what) :
										      plain(&what);
			if (!text_starts(text, row->before))
				continue; /* another row's */
			name = strstr(text, SHORTER);
			if (name == NULL ||
			    text_utf16_length(text, (size_t)(name - text) + strlen(SHORTER)) > 40)
				fail_msg("where it is stands too late: %.80s", text);
			said[f] = true;
		}
	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		if (!said[f] && chat_first_rows[f].state != DEPLOY_STATE_COUNT &&
		    deploy_flow_class(chat_first_rows[f].state) != DEPLOY_CLASS_FINAL)
			fail_msg("no message begins with \"%s\"", chat_first_rows[f].before);
}

/* Goal: messages of no state, pushes, locks, freezes, Cloudflare, answers: the same, of the longest
 * name that the 40 have room for.  All rows, for no test can say each. */
static void
each_message_of_its_own_has_room_for_its_target(void **state)
{
	(void)state;
	for (int f = 0; f < CHAT_FIRST_COUNT; f++) {
		const struct chat_first_row *row = &chat_first_rows[f];
		struct chat_text text;
		const char *said, *name;

		if (row->state != DEPLOY_STATE_COUNT)
			continue;
		chat_text_init(&text);
		chat_first(&text, (enum chat_first)f, NAME);
		chat_first_commit(&text, "Make it blue", "1a2b3c4d5e6f7a8b");
		said = buf_text(&text.buf);
		name = strstr(said, NAME);
		assert_non_null(name);
		/* the mark in front of it is no letter */
		if (text_utf16_length(said, (size_t)(name - said) - 1) + strlen(NAME) > 40)
			fail_msg("where it is stands too late: %s", said);
		assert_true(strstr(said, "\"Make it blue\"") < strstr(said, "1a2b3c4"));
		buf_done(&text.buf);
	}
}

/* Goal: a new rule that brings a program to a state asks for how that is said. */
static void
each_state_that_a_program_comes_to_has_a_row(void **state)
{
	unsigned rows[DEPLOY_STATE_COUNT] = { 0 };

	(void)state;
	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		if (chat_first_rows[f].state != DEPLOY_STATE_COUNT)
			rows[chat_first_rows[f].state] |= chat_first_rows[f].programs;
	for (size_t i = 0; i < deploy_rule_count; i++)
		if ((deploy_rules[i].programs & ~rows[deploy_rules[i].to]) != 0)
			fail_msg("%s of programs %x: no row in first.def",
			    deploy_flow_name(deploy_rules[i].to), deploy_rules[i].programs);
}

static void
going_back_to_the_same_commit_is_no_contradiction(void **state)
{
	/* Goal: "NOT running 1a2b3c4; it runs 1a2b3c4 again" is said by neither of the two. */
	struct deployment deployment = sample(DEPLOY_ROLLED_BACK);
	struct chat_deployment what = about(&deployment);
	char *alarm;

	(void)state;
	(void)text_copy(deployment.previous, sizeof(deployment.previous), deployment.commit);
	says(&what, "staging runs its earlier release of 1a2b3c4 again");
	assert_null(strstr(plain(&what), "NOT running"));
	alarm = chat_deployment_ring(&what, false);
	assert_non_null(alarm);
	assert_non_null(strstr(alarm, "staging runs its earlier release of 1a2b3c4 again"));
	assert_null(strstr(alarm, "NOT running"));
	free(alarm);
}

static void
every_end_after_a_start_carries_the_audits_head(void **state)
{
	static const enum deploy_state ends[] = { DEPLOY_LIVE, DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED, DEPLOY_DONE };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = sample(ends[i]);
		struct chat_deployment what = about(&deployment);

		says(&what, "audit 0badcafe0badcafe");
		says(&what, "took 1 min");
	}
}

/* A mark is a control character: from outside there is none, or a subject could end ours. */
static void
nothing_from_outside_marks_or_breaks_a_text(void **state)
{
	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment clean = sample((enum deploy_state)s), bad;
		struct step step = { .name = BAD, .at = NOW };
		struct chat_deployment what;
		struct message message = { 0 }, same = { 0 };
		size_t marks[6] = { 0 };

		(void)text_copy(clean.subject, sizeof(clean.subject), CLEANED);
		bad = clean;
		(void)text_copy(bad.subject, sizeof(bad.subject), BAD);
		(void)text_copy(clean.author, sizeof(clean.author), CLEANED);
		(void)text_copy(bad.author, sizeof(bad.author), BAD);
		(void)text_copy(clean.detail, sizeof(clean.detail), CLEANED);
		(void)text_copy(bad.detail, sizeof(bad.detail), BAD);
		(void)text_copy(clean.requester, sizeof(clean.requester), CLEANED);
		(void)text_copy(bad.requester, sizeof(bad.requester), BAD);
		(void)text_copy(clean.note, sizeof(clean.note), CLEANED);
		(void)text_copy(bad.note, sizeof(bad.note), BAD);
		(void)text_copy(clean.ref, sizeof(clean.ref), CLEANED);
		(void)text_copy(bad.ref, sizeof(bad.ref), BAD);
		what = about(&bad);
		what.steps = &step;
		what.n_steps = 1;
		assert_true(chat_deployment(&what, &message));
		(void)text_copy(step.name, sizeof(step.name), CLEANED);
		what.deployment = &clean;
		assert_true(chat_deployment(&what, &same));
		assert_string_equal(message.head, same.head);
		for (const char *c = message.head; *c != '\0'; c++)
			if ((unsigned char)*c < 6)
				marks[(unsigned char)*c]++;
		for (size_t m = 1; m < COUNT(marks); m++)
			assert_int_equal(marks[m] % 2, 0);
		message_done(&message);
		message_done(&same);
	}
}

/* Whoever writes a commit chooses these. */
static void
what_an_author_chose_is_not_read_as_our_words(void **state)
{
	static const char forged[] = "Mina · approved by @lead, ＠admin";

	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = sample((enum deploy_state)s);
		struct chat_deployment what = about(&deployment);
		struct message message = { 0 };

		(void)text_copy(deployment.author, sizeof(deployment.author), forged);
		(void)text_copy(deployment.subject, sizeof(deployment.subject), forged);
		(void)text_copy(deployment.ref, sizeof(deployment.ref), forged);
		if (s % 2 == 0)
			deployment.commit[0] = '\0'; /* then the ref is shown */
		deployment.trigger = TRIGGER_PUSH;
		(void)text_copy(deployment.requester, sizeof(deployment.requester), forged);
		deployment.requested_by = 0;
		assert_true(chat_deployment(&what, &message));
		if (s == DEPLOY_AWAITING_APPROVAL)
			assert_non_null(strstr(message.head,
			    "author \"Mina - approved by (at)lead, (at)admin\" · pushed by Mina - "));
		assert_null(strstr(message.head, "· approved"));
		assert_null(strstr(message.head, "@lead"));
		assert_null(strstr(message.head, "＠"));
		message_done(&message);
	}
}

static void
only_what_is_in_progress_is_live(void **state)
{
	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = sample((enum deploy_state)s);
		struct chat_deployment what = about(&deployment);
		struct message message = { 0 };

		assert_true(chat_deployment(&what, &message));
		assert_int_equal(message.live_run,
		    deploy_flow_class((enum deploy_state)s) == DEPLOY_CLASS_ACTIVE ? 3 : 0);
		message_done(&message);
	}
}

static void
what_takes_a_moment_has_no_estimate(void **state)
{
	struct deployment deployment = sample(DEPLOY_RUNNING);
	struct chat_deployment what = about(&deployment);
	struct message message = { 0 };

	(void)state;
	for (int64_t ms = 4999; ms <= 5000; ms++) {
		what.estimate_ms = ms;
		assert_true(chat_deployment(&what, &message));
		assert_int_equal(message.live_estimate_ms, ms == 5000 ? 5000 : 0);
		message_done(&message);
	}
}

/* Each state with: a failure, the same cancelled by somebody, short and long or confirmed. */
static void
what_rings_and_what_does_not(void **state)
{
	static const enum deploy_state bad[] = { DEPLOY_ROLLED_BACK, DEPLOY_ROLLBACK_FAILED,
		DEPLOY_AWAITING_CONFIRMATION, DEPLOY_AWAITING_APPROVAL };

	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		for (int how = 0; how < 8; how++) {
			struct deployment deployment = sample((enum deploy_state)s);
			bool is_cancelled = how & 1, is_long = how & 2, is_confirmed = how & 4;
			bool ends = is_long || is_confirmed, rings = false;

			deployment.why = is_cancelled ? DEPLOY_WHY_CANCELLED : DEPLOY_WHY_SCRIPT;
			deployment.started_at = NOW - (is_long ? 61000 : 60000);
			deployment.confirmed_by = is_confirmed ? 11 : 0;
			for (size_t i = 0; i < COUNT(bad); i++)
				rings |= s == (int)bad[i];
			rings |= s == DEPLOY_ROLLING_BACK && !is_cancelled;
			rings |= s == DEPLOY_FAILED && (!is_cancelled || ends);
			rings |= (s == DEPLOY_LIVE || s == DEPLOY_DONE) && ends;
			assert_int_equal(chat_deployment_rings(&deployment, 60000, NOW), rings);
		}
	}
}

static void
steps_are_ticked_with_their_time(void **state)
{
	static const struct step steps[] = { { "build", NOW - 60000 }, { "ship", NOW - 20000 } };
	static const struct step ours[] = { { "preflight", NOW - 60000 },
		{ "clean", NOW - 40000 } };
	static const struct step migrated[] = { { "build", NOW - 60000 },
		{ "migrate", NOW - 20000 }, { "migrate-failed 3", NOW - 10000 } };
	struct deployment deployment = sample(DEPLOY_RUNNING);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_STOPPING;
	says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_LIVE;
	deployment.ended_at = NOW - 19950;
	what.run_end = RUN_SUCCEEDED;
	says(&what, "audit 0badcafe0badcafe\n✓ build 40 s");
	assert_null(strstr(plain(&what), "ship")); /* it took no time */
	what.steps = ours;
	assert_null(strstr(plain(&what), "✓")); /* 40 s of a busy machine's, and no news */
	what.steps = steps;
	deployment.state = DEPLOY_FAILED; /* its health check did */
	says(&what, "✓ build 40 s\n✓ ship");
	what.run_end = RUN_FAILED;
	says(&what, "✓ build 40 s\n✗ ship");
	what.steps = migrated; /* a note is not what it failed in */
	what.n_steps = COUNT(migrated);
	says(&what, "✓ build 40 s\n✗ migrate");
}

/* One sign means one thing, in /history as in the chat. */
static void
the_history_has_the_sign_of_each_message(void **state)
{
	(void)state;
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		for (int why = 0; why < 2; why++) {
			struct deployment deployment = sample((enum deploy_state)s);
			struct chat_deployment what = about(&deployment);
			struct chat_history is = { .at = NOW };
			struct chat_text line;
			char sign[16];

			deployment.why = why == 0 ? DEPLOY_WHY_NONE : DEPLOY_WHY_CANCELLED;
			(void)snprintf(sign, sizeof(sign), "%.*s #7 ",
			    (int)strcspn(plain(&what), " "), plain(&what));
			chat_text_init(&line);
			chat_deployment_line(&line, &deployment, &is);
			assert_ptr_equal(strstr(buf_text(&line.buf), sign), buf_text(&line.buf));
			buf_done(&line.buf);
		}
}

/* Goal: what happens now is on the screen of a phone, however many steps came before. */
static void
of_many_steps_the_last_are_shown(void **state)
{
	struct step steps[40] = { { .name = "" } };
	struct deployment deployment = sample(DEPLOY_RUNNING);
	struct chat_deployment what = about(&deployment);

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		(void)snprintf(steps[i].name, LIMIT_STEP, "step%zu", i);
		steps[i].at = NOW - 60000 + (int64_t)i * 1000;
	}
	what.steps = steps;
	what.n_steps = 11;
	says(&what, "\n✓ step0 1 s\n✓ step1 1 s\n");
	what.n_steps = 12;
	says(&what, "\n✓ 4 steps before, 4 s\n✓ step4 1 s\n");
	what.n_steps = 40;
	says(&what, "\n✓ 32 steps before, 32 s\n✓ step32 1 s\n");
	says(&what, "\n✓ step38 1 s\n▸ step39");
	deployment.state = DEPLOY_FAILED;
	what.run_end = RUN_FAILED;
	says(&what, "\n✓ 39 steps, 39 s\n✗ step39");
}

/* What a failure left is told as it is known: different sentences. */
static void
down_is_said_of_what_was_looked_at(void **state)
{
	struct deployment deployment = sample(DEPLOY_ROLLBACK_FAILED);
	struct chat_deployment what = about(&deployment);

	(void)state;
	deployment.why = DEPLOY_WHY_UNHEALTHY;
	what.run_end = RUN_SUCCEEDED; /* then its health was bad */
	says(&what, "staging is DOWN: 9f8e7d6 is back, and is not healthy either\n");
	what.run_end = RUN_FAILED;
	says(&what,
	    "staging may be DOWN: the rollback from 1a2b3c4 to 9f8e7d6 failed: what runs is not known\n");
	what.rollback_not_started = true;
	says(&what,
	    "staging may be DOWN: 1a2b3c4 is still there, unhealthy: rolling back to 9f8e7d6 did not begin to change anything\n");
	says(&what, "\nNow: /logs staging, then /rollback staging, or /deploy staging with a fix.");
	deployment.why = DEPLOY_WHY_SCRIPT;
	says(&what, "staging may be DOWN: what came up of 1a2b3c4 is still there: rolling");
}

static void
what_ran_before_has_no_commit(void **state)
{
	struct deployment deployment = sample(DEPLOY_ROLLING_BACK);
	struct chat_deployment what = about(&deployment);
	char *line;

	(void)state;
	(void)text_copy(deployment.previous, sizeof(deployment.previous), "target:before-7");
	line = chat_deployment_ring(&what, false);
	assert_non_null(line);
	assert_non_null(
	    strstr(line, ", rolling back to what ran before deploybot: \"Make it blue\""));
	free(line);
}

static void
a_failure_says_what_is_known_to_run(void **state)
{
	static const struct environment empty = { .name = "staging" };
	struct deployment deployment = sample(DEPLOY_FAILED);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.environment = &empty;
	says(&what, "staging has no release yet");
	deployment.target_changed = true;
	says(&what, "staging may be broken: its state is unknown");
	says(&what, "Last known release: none");
	what.environment = &there;
	says(&what, "Last known release: 9f8e7d6");
}

/* Goal: why it failed stands where it is read, as much of it as a phone shows. */
static void
a_failure_says_the_last_five_lines(void **state)
{
	static const enum deploy_state ends[] = { DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = sample(ends[i]);
		struct chat_deployment what = about(&deployment);

		what.tail = "1\n2\n3 <b>\n4\n5\n6";
		says(&what, "\n2\n3 <b>\n4\n5\n6\n");
		assert_null(strstr(plain(&what), "\n1\n"));
		(void)text_copy(deployment.detail, sizeof(deployment.detail), "exit 7: only this");
		what.tail = "only this"; /* which is the reason already */
		assert_null(strstr(plain(&what), "\nonly this"));
		deployment.why = DEPLOY_WHY_UNHEALTHY;
		what.tail = "http://a/: HTTP 500 (3 tries in a row)";
		says(&what, "\nhttp://a/: HTTP 500 (3 tries in a row)\n");
	}
}

/* Goal: below what the health URL answered stands why, and no line of it reads as ours. */
static void
a_failure_says_what_the_application_logged(void **state)
{
	static const enum deploy_state ends[] = { DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = sample(ends[i]);
		struct chat_deployment what = about(&deployment);

		deployment.why = DEPLOY_WHY_UNHEALTHY;
		what.tail = "http://a/: HTTP 500 (3 tries in a row)";
		what.application_log = "0\n1\n<b> " MARK_BOLD "x" MARK_BOLD "\n\n  at main\xff";
		what.application_log_lines = 4;
		says(&what, "3 tries in a row)\nthe application logged:\n1\n<b> x\n");
		assert_null(strstr(plain(&what), "\n0\n"));
		what.application_log_lines = 0;
		assert_null(strstr(plain(&what), "the application logged"));
	}
}

/* Goal: who is sent the file alone knows what it is, of whom, from when, and how it ended. */
static void
a_log_begins_with_what_who_when_and_how(void **state)
{
	static const struct step steps[] = { { .name = "build", .at = NOW - 60000 },
		{ .name = "previous target:before-1", .at = NOW - 50000 },
		{ .name = "push", .at = NOW - 20000 } };
	struct deployment deployment = sample(DEPLOY_FAILED);
	struct chat_log log = { .work = &deployment,
		.run = 3,
		.times = { NOW - 61000, NOW, 65, 0 },
		.steps = steps,
		.n_steps = COUNT(steps) };
	char head[LIMIT_LOG_HEAD], small[8];

	(void)state;
	assert_true(chat_log_head(&log, head, sizeof(head)));
	assert_string_equal(head,
	    "staging #7 1a2b3c4 \"Make it blue\", run 3\nauthor Ann · requested by @ada\n"
	    "started 2025-12-31T23:58:59Z, took 1 min 1 s, exit 65\n"
	    "2025-12-31T23:59:00Z build\n2025-12-31T23:59:40Z push");
	log.times = (struct run_times){ NOW - 61000, NOW, 0, 0 };
	log.health = "http://a/health: HTTP 500 (3 tries in a row)\nanswered: no table users";
	assert_true(chat_log_head(&log, head, sizeof(head)));
	assert_non_null(strstr(head,
	    ", exit 0\nhttp://a/health: HTTP 500 (3 tries in a row)\nanswered: no table users\n2025"));
	log.health = "";
	log.times = (struct run_times){ NOW, NOW, -1, 9 };
	log.is_back = true;
	assert_true(chat_log_head(&log, head, sizeof(head)));
	assert_non_null(strstr(head, "#7 rolled back from 1a2b3c4"));
	assert_non_null(strstr(head, ", killed by signal 9\n"));
	log.times = (struct run_times){ 0 };
	assert_true(chat_log_head(&log, head, sizeof(head)));
	assert_non_null(strstr(head, "\nit was not started\n"));
	assert_true(chat_log_head(&log, small, sizeof(small)));
	assert_string_equal(small, "staging");
}

/* --- in the queue --- */

static void
a_place_says_which_one_it_is_and_behind_what(void **state)
{
	struct deployment deployment = sample(DEPLOY_QUEUED), ahead = sample(DEPLOY_RUNNING);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.position = 2;
	what.ahead = &ahead;
	ahead.id = 7;
	(void)text_copy(ahead.commit, sizeof(ahead.commit), "5f5f5f5aaa");
	says(&what, "⏳ Queued: 2nd in staging \"Make it blue\" 1a2b3c4");
	says(&what, "\nstarts after #7: @ada deploys 5f5f5f5, since 1 min");
	assert_null(strstr(plain(&what), "/cancel"));
	(void)text_copy(deployment.emergency, sizeof(deployment.emergency), "the shop is down");
	says(&what, "\n/cancel staging stops #7");
	ahead.state = DEPLOY_ROLLING_BACK; /* which nobody stops */
	assert_null(strstr(plain(&what), "/cancel"));
	ahead.state = DEPLOY_RUNNING;
	deployment.emergency[0] = '\0';
	ahead.program = PROGRAM_ROLLBACK;
	says(&what, "\nstarts after #7: @ada rolls back to 5f5f5f5");
	ahead.program = PROGRAM_ACTION; /* no commit is its object */
	(void)text_copy(ahead.action, sizeof(ahead.action), "restart-web");
	says(&what, "\nstarts after #7: @ada does restart-web, since 1 min");
	/* It would touch what another environment's work holds. */
	ahead.id = 12;
	(void)text_copy(ahead.environment, sizeof(ahead.environment), "shop/staging");
	(void)text_copy(deployment.waits_for, sizeof(deployment.waits_for), "host:a:22/srv/app");
	says(&what, "\nwaits for #12 of shop/staging, which holds host:a:22/srv/app");
}

static void
places_are_counted_as_people_count(void **state)
{
	static const struct {
		size_t n;
		const char *want;
	} cases[] = { { 1, "1st" }, { 2, "2nd" }, { 3, "3rd" }, { 4, "4th" }, { 11, "11th" },
		{ 12, "12th" } };
	char ordinal[24];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(chat_ordinal(cases[i].n, ordinal), cases[i].want);
}

static void
a_turn_says_that_nobody_has_to_begin_it(void **state)
{
	struct deployment deployment = sample(DEPLOY_QUEUED);
	struct chat_text text;
	char *line;

	(void)state;
	chat_deployment_turn(&text, &deployment, true);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "⏳ You are next in " MARK_BOLD "staging" MARK_BOLD ": "));
	assert_non_null(strstr(line, "\nIt starts by itself."));
	free(line);
	chat_deployment_turn(&text, &deployment, false);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "🚀 Begun: " MARK_BOLD "staging" MARK_BOLD " \""));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_says_what_is_promised),
		cmocka_unit_test(services_that_stay_old_are_named_where_it_is_said_to_run),
		cmocka_unit_test(what_a_script_warns_of_is_said_as_its_own_word),
		cmocka_unit_test(a_migration_is_never_passed_over),
		cmocka_unit_test(what_could_not_be_reached_is_not_said_to_run),
		cmocka_unit_test(what_is_in_doubt_is_never_said_to_run),
		cmocka_unit_test(a_question_says_what_is_in_doubt),
		cmocka_unit_test(another_branch_is_no_force_push),
		cmocka_unit_test(what_failed_is_not_said_to_be_rejected),
		cmocka_unit_test(a_quick_migration_is_named),
		cmocka_unit_test(a_subject_that_shows_nothing_is_said_to_be_none),
		cmocka_unit_test(what_rang_when_it_began_says_how_it_ended),
		cmocka_unit_test(what_may_be_down_rings_with_why_and_what_to_do),
		cmocka_unit_test(a_ring_says_what_became_of_the_database),
		cmocka_unit_test(a_migration_is_what_its_steps_say),
		cmocka_unit_test(what_nobody_knows_is_not_said_as_if_it_were_known),
		cmocka_unit_test(the_first_forty_characters_tell_outcome_and_environment),
		cmocka_unit_test(a_button_says_what_it_does_to_what),
		cmocka_unit_test(each_end_begins_with_its_outcome_and_environment),
		cmocka_unit_test(each_cell_of_the_table_is_said_within_forty_characters),
		cmocka_unit_test(each_message_of_its_own_has_room_for_its_target),
		cmocka_unit_test(each_state_that_a_program_comes_to_has_a_row),
		cmocka_unit_test(going_back_to_the_same_commit_is_no_contradiction),
		cmocka_unit_test(every_end_after_a_start_carries_the_audits_head),
		cmocka_unit_test(nothing_from_outside_marks_or_breaks_a_text),
		cmocka_unit_test(what_an_author_chose_is_not_read_as_our_words),
		cmocka_unit_test(only_what_is_in_progress_is_live),
		cmocka_unit_test(what_takes_a_moment_has_no_estimate),
		cmocka_unit_test(what_rings_and_what_does_not),
		cmocka_unit_test(steps_are_ticked_with_their_time),
		cmocka_unit_test(a_failure_says_what_is_known_to_run),
		cmocka_unit_test(the_history_has_the_sign_of_each_message),
		cmocka_unit_test(of_many_steps_the_last_are_shown),
		cmocka_unit_test(down_is_said_of_what_was_looked_at),
		cmocka_unit_test(what_ran_before_has_no_commit),
		cmocka_unit_test(a_failure_says_the_last_five_lines),
		cmocka_unit_test(a_failure_says_what_the_application_logged),
		cmocka_unit_test(a_log_begins_with_what_who_when_and_how),
		cmocka_unit_test(a_place_says_which_one_it_is_and_behind_what),
		cmocka_unit_test(places_are_counted_as_people_count),
		cmocka_unit_test(a_turn_says_that_nobody_has_to_begin_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
