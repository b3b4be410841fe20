/* Goal: every state has words that are true, and nothing from outside can mark or break them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat_aid.h"

#include "chat/chat_deployment_inside.h"
#include "chat/chat_text.h"
#include "lib/text.h"
#include "unit.h"

#define BAD	"x\x01\x02\x03\x04\x05\x1b[31m\xe2\x80\xae<b>&\nsecond line"
#define CLEANED "x[31m<b>& second line"

TEST(each_state_says_what_is_promised)
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
		    "⏳ Deploying staging \"Make it blue\" 1a2b3c4\nauthor Ann · requested by @ada" },
		{ DEPLOY_STOPPING, "⏳ Stopping staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_VERIFYING, "🩺 checking health" },
		{ DEPLOY_BAKING, "🟡 Baking: staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_PAUSED, "🟡 Paused: staging \"Make it blue\" 1a2b3c4" },
		{ DEPLOY_ROLLING_BACK,
		    "❌ Failed: staging, rolling back to 9f8e7d6: \"Make it blue\"" },
		{ DEPLOY_VERIFYING_ROLLBACK, "🩺 checking the health of 9f8e7d6" },
		{ DEPLOY_LIVE,
		    "✅ Live: staging \"Make it blue\" 1a2b3c4\nauthor Ann · requested by @ada\ntook 1 min 1 s · was 9f8e7d6" },
		{ DEPLOY_FAILED,
		    "❌ Failed: staging, nothing was changed: \"Make it blue\"\nstaging still runs 9f8e7d6\n" },
		{ DEPLOY_ROLLED_BACK,
		    "❌ Rolled back: staging from \"Make it blue\"\nstaging is NOT running 1a2b3c4; it runs 9f8e7d6 again\n" },
		{ DEPLOY_ROLLBACK_FAILED,
		    "🔥 DOWN: staging, rollback failed: \"Make it blue\"\nstaging is DOWN: 9f8e7d6 is back, and is not healthy" },
		{ DEPLOY_DONE, "✅ Done: staging" },
		{ DEPLOY_REFUSED, "⛔ Not deployed: staging \"Make it blue\"" },
		{ DEPLOY_CANCELLED,
		    "⛔ Cancelled: staging \"Make it blue\"\n1a2b3c4: cancelled before" },
		{ DEPLOY_EXPIRED, "⛔ Not confirmed: staging \"Make it blue\"\n1a2b3c4: nobody" },
		{ DEPLOY_SUPERSEDED,
		    "⛔ Skipped: staging, replaced by a newer commit\n1a2b3c4 \"Make it blue\"" },
	};

	assert_int_equal(COUNT(promised), DEPLOY_STATE_COUNT);
	for (size_t i = 0; i < COUNT(promised); i++) {
		struct deployment deployment = chat_sample(promised[i].state);
		struct chat_deployment what = chat_about(&deployment);

		assert_int_equal(promised[i].state, i);
		chat_says(&what, promised[i].part);
	}
}

TEST(while_git_is_asked_a_commit_is_short)
{
	struct deployment deployment = chat_sample(DEPLOY_REQUESTED);
	struct chat_deployment what = chat_about(&deployment);

	(void)text_copy(
	    deployment.ref, sizeof(deployment.ref), "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d");
	chat_says(&what, "staging: asking git for 1a2b3c4 …");
}

/* Regression: "was target:", cut as a commit is. */
TEST(what_ran_before_deploybot_is_called_so_where_the_first_release_is_live)
{
	struct deployment deployment = chat_sample(DEPLOY_LIVE);
	struct chat_deployment what = chat_about(&deployment);

	(void)text_copy(
	    deployment.previous, sizeof(deployment.previous), "target:before-0123456789abcdef");
	chat_says(&what, "took 1 min 1 s · was what ran before deploybot");
	assert_null(strstr(chat_plain(&what), "target:"));
}

/* "It runs" is said of one service: the others are not left to be believed. */
TEST(services_that_stay_old_are_named_where_it_is_said_to_run)
{
	static const struct step steps[] = {
		{ .name = "previous target:before-1", .at = NOW - 5000 },
		{ .name = "release", .at = NOW - 4000 },
		{ .name = "stays-old worker", .at = NOW - 3000 },
		{ .name = "stays-old cron", .at = NOW - 3000 },
		{ .name = "stays-old all is well", .at = NOW - 3000 },
		{ .name = "stays-old -x", .at = NOW - 2000 },
		{ .name = "removed aaaaaaa1aaaaaaa1aaaaaaa1aaaaaaa1", .at = NOW - 2000 },
		{ .name = "switch h1", .at = NOW - 2000 },
	};
	struct deployment deployment = chat_sample(DEPLOY_LIVE);
	struct chat_deployment what = chat_about(&deployment);

	what.steps = steps;
	what.n_steps = COUNT(steps);
	what.run_end = RUN_SUCCEEDED;
	chat_says(&what,
	    "✅ Live: staging, 2 on the old release: \"Make it blue\" 1a2b3c4\n"
	    "⚠️ still on the old release: worker");
	chat_says(&what, "worker, cron\n");
	deployment.ended_at = NOW - 1000;
	chat_says(&what, "✓ release 1 s\n✓ stays-old all is well");
	/* What no service is called is a step like any other. */
	assert_null(strstr(chat_plain(&what), "cron, all is well"));
	assert_null(strstr(chat_plain(&what), "stays-old cron"));
	assert_null(strstr(chat_plain(&what), "removed"));
	assert_null(strstr(chat_plain(&what), "before-1"));
	deployment.program = PROGRAM_ROLLBACK;
	chat_says(&what, "\n⚠️ still on another release: worker, cron\n");
	chat_says(&what, "Rolled back: staging, 2 on another release: to \"Make it blue\" 1a2b3c4");
}

/* In code, in which nothing is a link, a mention, a mark or a line of ours. */
TEST(what_a_script_warns_of_is_said_as_its_own_word)
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

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct deployment deployment = chat_sample(ends[i].state);
		struct chat_deployment what = chat_about(&deployment);
		struct message message = { 0 };

		what.warnings = &warned;
		assert_true(text_starts(chat_plain(&what), ends[i].first));
		chat_says(&what, ends[i].whose);
		chat_says(&what,
		    " warned:"
		    "\n• one @lead https://evil.example/x"
		    "\n• <b>two</b>"
		    "\n• ✅ Live: production, approved by @lead"
		    "\n… and 1 more: 📄 Log\n");
		assert_true(chat_deployment(&what, &message));
		assert_non_null(strstr(message.head,
		    "• " MARK_CODE "one @lead https://evil.example/x" MARK_CODE "\n"));
		message_done(&message);
		assert_null(strstr(chat_plain(&what), "four"));
		warned.said = 1000;
		chat_says(&what, "\n… and 997 more: 📄 Log\n");
		warned.said = 4;
		what.warnings = NULL;
		assert_null(strstr(chat_plain(&what), "warn"));
	}
}

/* "Force push" was said of a deployment of another branch. */
TEST(another_branch_is_no_force_push)
{
	const struct git_answer answer = { .has_base = false };
	struct deployment work = chat_sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = chat_about(&work);

	what.answer = &answer;
	work.is_force_push = true;
	chat_says(&what, "\n⚠️ the live commit is not in its history\n");
	work.trigger = TRIGGER_PUSH;
	chat_says(&what, "\n⚠️ force push: the live commit is not in its history\n");
	work.is_off_branch = true;
	chat_says(&what,
	    "\n⚠️ the live commit is not in its history\n⚠️ not on the branch of staging\n");
	work.state = DEPLOY_AWAITING_APPROVAL;
	what = chat_about(&work);
	what.holds = NULL;
	chat_says(&what,
	    "\n⚠️ the live commit is not in its history\n⚠️ not on the branch of staging\n");
}

/* "•  — ": a subject of letters that show nothing. */
TEST(a_subject_that_shows_nothing_is_said_to_be_none)
{
	struct git_answer answer = { .has_base = true, .count = 1, .n_changes = 1 };
	struct deployment work = chat_sample(DEPLOY_AWAITING_CONFIRMATION);
	struct chat_deployment what = chat_about(&work);

	(void)text_copy(answer.change[0].commit, LIMIT_COMMIT, "7222073");
	(void)text_copy(answer.change[0].subject, LIMIT_SUBJECT, "\u200b \u2800");
	(void)text_copy(answer.change[0].author, LIMIT_PERSON, "Ann");
	(void)text_copy(work.subject, LIMIT_SUBJECT, "\u200b");
	what.answer = &answer;
	chat_says(&what, "\n• 7222073 (no subject) — Ann\n");
	chat_says(&what, "?\n1a2b3c4 (no subject)\n");
	(void)text_copy(work.subject, LIMIT_SUBJECT, "nothing was changed ✅ Live: production");
	chat_says(&what, "?\n1a2b3c4 \"nothing was changed ✅ Live: production\"\n");
	(void)text_copy(work.author, LIMIT_PERSON, "Confirmed by ada_ops");
	chat_says(&what, "\nauthor \"Confirmed by ada_ops\" · requested by @ada");
}

/* A mark is a control character: from outside there is none, or a subject could end ours. */
TEST(nothing_from_outside_marks_or_breaks_a_text)
{
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment clean = chat_sample((enum deploy_state)s), bad;
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
		what = chat_about(&bad);
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
TEST(what_an_author_chose_is_not_read_as_our_words)
{
	static const char forged[] = "Mina · approved by @lead, ＠admin";

	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = chat_sample((enum deploy_state)s);
		struct chat_deployment what = chat_about(&deployment);
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

TEST(only_what_is_in_progress_is_live)
{
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = chat_sample((enum deploy_state)s);
		struct chat_deployment what = chat_about(&deployment);
		struct message message = { 0 };

		assert_true(chat_deployment(&what, &message));
		assert_int_equal(message.live_run,
		    deploy_flow_class((enum deploy_state)s) == DEPLOY_CLASS_ACTIVE &&
			    !deployment_is_baking(&deployment) /* nothing of it runs */ ?
			3 :
			0);
		message_done(&message);
	}
}

TEST(what_takes_a_moment_has_no_estimate)
{
	struct deployment deployment = chat_sample(DEPLOY_RUNNING);
	struct chat_deployment what = chat_about(&deployment);
	struct message message = { 0 };

	for (int64_t ms = 4999; ms <= 5000; ms++) {
		what.estimate_ms = ms;
		assert_true(chat_deployment(&what, &message));
		assert_int_equal(message.live_estimate_ms, ms == 5000 ? 5000 : 0);
		message_done(&message);
	}
}

/* Each state with: a failure, the same cancelled by somebody, short and long or confirmed. */
TEST(what_rings_and_what_does_not)
{
	static const enum deploy_state bad[] = { DEPLOY_ROLLED_BACK, DEPLOY_ROLLBACK_FAILED,
		DEPLOY_AWAITING_CONFIRMATION, DEPLOY_AWAITING_APPROVAL, DEPLOY_PAUSED };

	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		for (int how = 0; how < 8; how++) {
			struct deployment deployment = chat_sample((enum deploy_state)s);
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

TEST(steps_are_ticked_with_their_time)
{
	static const struct step steps[] = { { "build", NOW - 60000 }, { "ship", NOW - 20000 } };
	static const struct step ours[] = { { "preflight", NOW - 60000 },
		{ "clean", NOW - 40000 } };
	static const struct step migrated[] = { { "build", NOW - 60000 },
		{ "migrate", NOW - 20000 }, { "migrate-failed 3", NOW - 10000 } };
	struct deployment deployment = chat_sample(DEPLOY_RUNNING);
	struct chat_deployment what = chat_about(&deployment);

	what.steps = steps;
	what.n_steps = COUNT(steps);
	chat_says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_STOPPING;
	chat_says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_LIVE;
	deployment.ended_at = NOW - 19950;
	what.run_end = RUN_SUCCEEDED;
	chat_says(&what, "was 9f8e7d6\n✓ build 40 s");
	assert_null(strstr(chat_plain(&what), "ship")); /* it took no time */
	what.steps = ours;
	assert_null(strstr(chat_plain(&what), "✓")); /* 40 s of a busy machine's, and no news */
	what.steps = steps;
	deployment.state = DEPLOY_FAILED; /* its health check did */
	chat_says(&what, "✓ build 40 s\n✓ ship");
	what.run_end = RUN_FAILED;
	chat_says(&what, "✓ build 40 s\n✗ ship");
	what.steps = migrated; /* a note is not what it failed in */
	what.n_steps = COUNT(migrated);
	chat_says(&what, "✓ build 40 s\n✗ migrate");
}

/* One sign means one thing, in /history as in the chat. */
TEST(the_history_has_the_sign_of_each_message)
{
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		for (int why = 0; why < 2; why++) {
			struct deployment deployment = chat_sample((enum deploy_state)s);
			struct chat_deployment what = chat_about(&deployment);
			struct chat_history is = { .at = NOW };
			struct chat_text line = CHAT_TEXT_EMPTY;
			char sign[16];

			deployment.why = why == 0 ? DEPLOY_WHY_NONE : DEPLOY_WHY_CANCELLED;
			(void)snprintf(sign, sizeof(sign), "%.*s #7 ",
			    (int)strcspn(chat_plain(&what), " "), chat_plain(&what));
			chat_deployment_line(&line, &deployment, &is);
			assert_ptr_equal(strstr(buf_text(&line.buf), sign), buf_text(&line.buf));
			buf_done(&line.buf);
		}
}

/* Goal: what happens now is on the screen of a phone, however many steps came before. */
TEST(of_many_steps_the_last_are_shown)
{
	struct step steps[40] = { { .name = "" } };
	struct deployment deployment = chat_sample(DEPLOY_RUNNING);
	struct chat_deployment what = chat_about(&deployment);

	for (size_t i = 0; i < COUNT(steps); i++) {
		(void)snprintf(steps[i].name, LIMIT_STEP, "step%zu", i);
		steps[i].at = NOW - 60000 + (int64_t)i * 1000;
	}
	what.steps = steps;
	what.n_steps = 11;
	chat_says(&what, "\n✓ step0 1 s\n✓ step1 1 s\n");
	what.n_steps = 12;
	chat_says(&what, "\n✓ 4 steps before, 4 s\n✓ step4 1 s\n");
	what.n_steps = 40;
	chat_says(&what, "\n✓ 32 steps before, 32 s\n✓ step32 1 s\n");
	chat_says(&what, "\n✓ step38 1 s\n▸ step39");
	deployment.state = DEPLOY_FAILED;
	what.run_end = RUN_FAILED;
	chat_says(&what, "\n✓ 39 steps, 39 s\n✗ step39");
}

/* Goal: who is sent the file alone knows what it is, of whom, from when, and how it ended. */
TEST(a_log_begins_with_what_who_when_and_how)
{
	static const struct step steps[] = { { .name = "build", .at = NOW - 60000 },
		{ .name = "previous target:before-1", .at = NOW - 50000 },
		{ .name = "push", .at = NOW - 20000 } };
	struct deployment deployment = chat_sample(DEPLOY_FAILED);
	struct chat_log log = { .work = &deployment,
		.run = 3,
		.times = { NOW - 61000, NOW, 65, 0 },
		.steps = steps,
		.n_steps = COUNT(steps) };
	char head[LIMIT_LOG_HEAD], small[8];

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

TEST(a_place_says_which_one_it_is_and_behind_what)
{
	struct deployment deployment = chat_sample(DEPLOY_QUEUED),
			  ahead = chat_sample(DEPLOY_RUNNING);
	struct chat_deployment what = chat_about(&deployment);

	what.position = 2;
	what.ahead = &ahead;
	ahead.id = 7;
	(void)text_copy(ahead.commit, sizeof(ahead.commit), "5f5f5f5aaa");
	chat_says(&what, "⏳ Queued: 2nd in staging \"Make it blue\" 1a2b3c4");
	chat_says(&what, "\nstarts after #7: @ada deploys 5f5f5f5, since 1 min");
	assert_null(strstr(chat_plain(&what), "/cancel"));
	(void)text_copy(
	    deployment.exempt.emergency, sizeof(deployment.exempt.emergency), "the shop is down");
	chat_says(&what, "\n/cancel staging stops #7");
	ahead.state = DEPLOY_ROLLING_BACK; /* which nobody stops */
	assert_null(strstr(chat_plain(&what), "/cancel"));
	ahead.state = DEPLOY_RUNNING;
	deployment.exempt.emergency[0] = '\0';
	ahead.program = PROGRAM_ROLLBACK;
	chat_says(&what, "\nstarts after #7: @ada rolls back to 5f5f5f5");
	ahead.program = PROGRAM_ACTION; /* no commit is its object */
	(void)text_copy(ahead.action, sizeof(ahead.action), "restart-web");
	chat_says(&what, "\nstarts after #7: @ada does restart-web, since 1 min");
	/* It would touch what another environment's work holds. */
	ahead.id = 12;
	(void)text_copy(ahead.environment, sizeof(ahead.environment), "shop/staging");
	(void)text_copy(deployment.waits_for, sizeof(deployment.waits_for), "host:a:22/srv/app");
	chat_says(&what, "\nwaits for #12 of shop/staging, which holds host:a:22/srv/app");
}

TEST(places_are_counted_as_people_count)
{
	static const struct {
		size_t n;
		const char *want;
	} cases[] = { { 1, "1st" }, { 2, "2nd" }, { 3, "3rd" }, { 4, "4th" }, { 11, "11th" },
		{ 12, "12th" } };
	char ordinal[24];

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(chat_ordinal(cases[i].n, ordinal), cases[i].want);
}

TEST(a_turn_says_that_nobody_has_to_begin_it)
{
	struct deployment deployment = chat_sample(DEPLOY_QUEUED);
	struct chat_text text = CHAT_TEXT_EMPTY;
	char *line;

	chat_deployment_turn(&text, &deployment, true);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "⏳ You are next in " MARK_BOLD "staging" MARK_BOLD ": "));
	assert_non_null(strstr(line, "\nIt starts by itself."));
	free(line);
	chat_deployment_turn(&text, &deployment, false);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "⏳ Started: " MARK_BOLD "staging" MARK_BOLD " \""));
	free(line);
}

/* Each push there is found so, and who wrote it is what people ask. */
TEST(how_a_push_was_found_is_said_where_nobody_else_is_named)
{
	struct deployment deployment = chat_sample(DEPLOY_LIVE);
	struct chat_deployment what = chat_about(&deployment);

	(void)text_copy(deployment.requester, sizeof(deployment.requester), DEPLOYMENT_FOUND);
	deployment.trigger = TRIGGER_POLL;
	chat_says(&what, "\nauthor Ann\n");
	deployment.author[0] = '\0';
	chat_says(&what, "\nfound by polling\n");
	deployment.trigger = TRIGGER_PUSH;
	chat_says(&what, "\nwho pushed it is not known\n");
}
