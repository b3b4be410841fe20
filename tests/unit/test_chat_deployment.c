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

#include "chat/chat_text.h"
#include "lib/text.h"

#define NOW	INT64_C(1767225600000)
#define BAD	"x\x01\x02\x03\x04\x1b[31m\xe2\x80\xae<b>&\nsecond line"
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
	return (struct chat_deployment){
		.deployment = deployment,
		.environment = &there,
		.audit_head = "0badcafe0badcafe",
		.can_roll_back = true,
		.release = 42,
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
	for (const char *c = message.head; *c != '\0'; c++)
		if ((unsigned char)*c > 4)
			text[n++] = *c;
	text[n] = '\0';
	message_done(&message);
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
		{ DEPLOY_AWAITING_CONFIRMATION, "Deploy to staging?\n1a2b3c4 Make it blue" },
		{ DEPLOY_AWAITING_APPROVAL, "✋ Awaiting approval: staging ← 1a2b3c4 Make it blue" },
		{ DEPLOY_QUEUED, "⏳ Queued: 1st in staging ← 1a2b3c4 Make it blue" },
		{ DEPLOY_RUNNING,
		    "🚀 Deploying staging ← 1a2b3c4 Make it blue\nby Ann · requested by @ada" },
		{ DEPLOY_STOPPING, "✋ Stopping staging ← 1a2b3c4" },
		{ DEPLOY_VERIFYING, "🩺 checking health" },
		{ DEPLOY_ROLLING_BACK, "↩️ Rolling back staging from 1a2b3c4" },
		{ DEPLOY_VERIFYING_ROLLBACK, "🩺 checking the health of 9f8e7d6" },
		{ DEPLOY_LIVE, "staging runs 1a2b3c4 Make it blue\nrelease 42" },
		{ DEPLOY_FAILED, "❌ Failed: staging still runs 9f8e7d6; nothing was changed" },
		{ DEPLOY_ROLLED_BACK,
		    "↩️ Rolled back: staging is NOT running 1a2b3c4; it runs 9f8e7d6 again" },
		{ DEPLOY_ROLLBACK_FAILED,
		    "staging is DOWN: neither 1a2b3c4 nor 9f8e7d6 is healthy" },
		{ DEPLOY_DONE, "🔧 Done: staging" },
		{ DEPLOY_REFUSED, "staging: not deployed 1a2b3c4" },
		{ DEPLOY_CANCELLED, "✖️ staging: cancelled before it began — 1a2b3c4 Make" },
		{ DEPLOY_EXPIRED, "⌛ staging: nobody confirmed it in time — 1a2b3c4" },
		{ DEPLOY_SUPERSEDED, "⏭️ staging: replaced by a newer commit — 1a2b3c4" },
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
		{ .name = "stays-old all is well", .at = NOW - 2000 },
		{ .name = "stays-old -x", .at = NOW - 2000 },
		{ .name = "switch h1", .at = NOW - 2000 },
	};
	struct deployment deployment = sample(DEPLOY_LIVE);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	what.run_end = RUN_SUCCEEDED;
	says(&what, "staging runs 1a2b3c4 Make it blue\n⚠️ still on the old release: worker");
	says(&what, "worker, cron\n");
	says(&what, "✓ release 1 s\n✓ stays-old all is well");
	/* What no service is called is a step like any other. */
	assert_null(strstr(plain(&what), "cron, all is well"));
	assert_null(strstr(plain(&what), "stays-old cron"));
	assert_null(strstr(plain(&what), "before-1"));
	deployment.program = PROGRAM_ROLLBACK;
	says(&what, "\n⚠️ still on another release: worker, cron\n");
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
		[DEPLOY_LIVE] = "runs",
		[DEPLOY_FAILED] = "Failed",
		[DEPLOY_ROLLED_BACK] = "Rolled back",
		[DEPLOY_ROLLBACK_FAILED] = "DOWN",
		[DEPLOY_DONE] = "Done",
		[DEPLOY_REFUSED] = "not deployed",
		[DEPLOY_CANCELLED] = "cancelled",
		[DEPLOY_EXPIRED] = "nobody confirmed",
		[DEPLOY_SUPERSEDED] = "replaced",
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
	alarm = chat_deployment_ring(&what);
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
		size_t marks[5] = { 0 };

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
			if ((unsigned char)*c < 5)
				marks[(unsigned char)*c]++;
		for (size_t m = 1; m < COUNT(marks); m++)
			assert_int_equal(marks[m] % 2, 0);
		message_done(&message);
		message_done(&same);
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
	struct deployment deployment = sample(DEPLOY_RUNNING);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.steps = steps;
	what.n_steps = COUNT(steps);
	says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_STOPPING;
	says(&what, "✓ build 40 s\n▸ ship");
	deployment.state = DEPLOY_LIVE;
	what.run_end = RUN_SUCCEEDED;
	says(&what, "✓ build 40 s\n✓ ship");
	deployment.state = DEPLOY_FAILED; /* its health check did */
	says(&what, "✓ build 40 s\n✓ ship");
	what.run_end = RUN_FAILED;
	says(&what, "✓ build 40 s\n✗ ship");
}

/* What a failure left is told as it is known: three different sentences. */
static void
a_failure_says_what_is_known_to_run(void **state)
{
	static const struct environment empty = { .name = "staging" };
	struct deployment deployment = sample(DEPLOY_FAILED);
	struct chat_deployment what = about(&deployment);

	(void)state;
	what.environment = &empty;
	says(&what, "staging has no release yet; nothing was changed");
	deployment.target_changed = true;
	says(&what, "staging may be broken: its state is unknown");
	says(&what, "Last known release: none");
	what.environment = &there;
	says(&what, "Last known release: 9f8e7d6");
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
	says(&what, "⏳ Queued: 2nd in staging ← 1a2b3c4");
	says(&what, "\nbehind #7: @ada deploys 5f5f5f5, since 1 min");
	ahead.program = PROGRAM_ROLLBACK;
	says(&what, "\nbehind #7: @ada rolls back to 5f5f5f5");
	ahead.program = PROGRAM_ACTION; /* no commit is its object */
	says(&what, "\nbehind #7: @ada runs an action, since 1 min");
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
a_turn_is_said_in_one_line(void **state)
{
	struct deployment deployment = sample(DEPLOY_QUEUED);
	struct chat_text text;
	char *line;

	(void)state;
	chat_deployment_turn(&text, &deployment, true);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "⏳ You are next in " MARK_BOLD "staging" MARK_BOLD ": "));
	free(line);
	chat_deployment_turn(&text, &deployment, false);
	line = chat_text_take(&text);
	assert_non_null(strstr(line, "🚀 It is your turn: " MARK_BOLD "staging" MARK_BOLD " ← "));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_says_what_is_promised),
		cmocka_unit_test(services_that_stay_old_are_named_where_it_is_said_to_run),
		cmocka_unit_test(the_first_forty_characters_tell_outcome_and_environment),
		cmocka_unit_test(going_back_to_the_same_commit_is_no_contradiction),
		cmocka_unit_test(every_end_after_a_start_carries_the_audits_head),
		cmocka_unit_test(nothing_from_outside_marks_or_breaks_a_text),
		cmocka_unit_test(only_what_is_in_progress_is_live),
		cmocka_unit_test(what_rings_and_what_does_not),
		cmocka_unit_test(steps_are_ticked_with_their_time),
		cmocka_unit_test(a_failure_says_what_is_known_to_run),
		cmocka_unit_test(a_place_says_which_one_it_is_and_behind_what),
		cmocka_unit_test(places_are_counted_as_people_count),
		cmocka_unit_test(a_turn_is_said_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
