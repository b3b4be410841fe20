/* Goal: /show tells one deployment whole, to whom its history is there and to nobody else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_audit.h"

#define DEV 44 /* of one application */

static struct world w;

static int
open_world(void **state)
{
	*state = &w;
	world_open(&w, STAGING_URL, "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=history:staging", NULL);
	return 0;
}

/* What that person reads in the group. */
static const char *
shown(int64_t person, const char *typed)
{
	(void)world_text(&w, person, typed);
	return world_plain(world_last(&w));
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
step(int n, const char *name)
{
	world_run_step(&w, n, name);
	w.aid.at += 40000;
}

/* Asked at midnight, live five minutes later. */
static void
go_live(void)
{
	world_deploy_starts(&w, COMMIT_A);
	w.aid.at += 60000;
	step(0, "build");
	step(1, "stays-old worker");
	step(2, "release");
	w.aid.at += 60000;
	world_run_ends(&w, GOOD);
	w.aid.at += 12000;
	world_probed(&w, NULL);
}

TEST_WITH(a_deployment_is_told_from_who_asked_to_its_entries, open_world, world_tear_down)
{
	const char *text;

	go_live();
	w.aid.at += INT64_C(3) * 3600 * 1000;
	text = shown(WORLD_ADMIN, "/show 1");
	has(text,
	    "✅ Live: staging, 1 on the old release: \"Make it blue\" aaaaaaa\n#1, live since 00:04, release 1\n");
	has(text, "\n" COMMIT_A " \"Make it blue\"");
	has(text, "\nrequested by @ada in another group, 00:00\n");
	has(text, "\nqueued 00:00, started 00:00, ended 00:04, took 4 min 12 s\n");
	has(text, "\nhealthy at 127.0.0.1:1 after 12 s\n");
	has(text,
	    "\ndeploy script: started 00:00, ok (run 1)\n00:01 build 1 min 20 s\n00:02 release 1 min 40 s\n");
	assert_null(strstr(text, "stays-old")); /* no step */
	has(text, "\naudit entries ");
	assert_non_null(
	    strstr(world_last(&w)->text, "\n" MARK_QUOTE "deploy script: ")); /* folded */
	assert_int_equal(world_last(&w)->buttons.n, 2);
	assert_string_equal(world_last(&w)->buttons.at[0].label, "📄 Log");
	/* Nobody types forty digits; the text has seven. */
	assert_string_equal(world_copies(world_last(&w), "📋 Copy the commit"), COMMIT_A);
}

/* A rollback's script warns of another thing than that of the release which it takes back. */
TEST_WITH(a_rollback_does_not_hide_what_its_release_warned_of, open_world, world_tear_down)
{
	static const struct run_ended warned = { .gate_opened = true,
		.released = true,
		.warnings = { .said = 1, .lines = "0 replicas" } };
	static const struct run_ended back = { .gate_opened = true,
		.released = true,
		.warnings = { .said = 1, .lines = "h1 could not be tidied" } };

	world_starts_over(&w, COMMIT_A, COMMIT_B);
	world_run_ends(&w, warned);
	world_probed(&w, "HTTP 500");
	world_run_ends(&w, back);
	world_probed(&w, NULL);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "\n⚠️ bbbbbbb warned: 0 replicas\n"));
	assert_null(world_says_in(&w, WORLD_TEAM, "tidied"));
	has(shown(WORLD_ADMIN, "/show 2"), "\n⚠️ bbbbbbb warned: 0 replicas\n");
}

/* All that are kept, where the message has three; they go with the log. */
TEST_WITH(what_its_script_has_warned_of_is_told, open_world, world_tear_down)
{
	static const struct run_ended good = { .gate_opened = true,
		.released = true,
		.warnings = { .said = 6, .lines = "one\ntwo\nthree\nfour\nfive" } };

	world_deploy_starts(&w, COMMIT_A);
	world_run_ends(&w, good);
	world_probed(&w, NULL);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "\n⚠️ the script warned:\n• one\n• two\n• three\n… and 3 more: 📄 Log\n"));
	has(shown(WORLD_ADMIN, "/show 1"), "\n• four\n• five\n… and 1 more: 📄 Log\n");
}

static void
act_head_of(struct tx *tx, void *arg)
{
	row_audit_head_of(tx, 6, arg);
}

/* Its numbers are those of the audit's lines about it, and of no other. */
TEST_WITH(the_audits_entries_are_those_about_it, open_world, world_tear_down)
{
	char line[64], head[LIMIT_AUDIT_HEAD] = "";
	const char *text;

	go_live();
	world_deploy_starts(&w, COMMIT_B);
	text = strstr(shown(WORLD_ADMIN, "/show #2"), "audit entries ");
	assert_non_null(text);
	assert_int_equal(world_audited(&w, "\"deployment\":2", NULL), 2);
	world_act(&w, act_head_of, head);
	(void)snprintf(line, sizeof(line), "audit entries %d–%d; of 6: audit %s", 5, 6, head);
	assert_string_equal(text, line);
}

TEST_WITH(what_was_rolled_back_says_why_and_to_what, open_world, world_tear_down)
{
	const char *text;

	go_live();
	world_deploy_starts(&w, COMMIT_B);
	world_run_is_probed(&w, "HTTP 500");
	(void)world_run_starts(&w);
	world_run_is_probed(&w, NULL);
	text = shown(WORLD_ADMIN, "/show 2");
	has(text, "❌ Rolled back: staging from \"Make it blue\" (HTTP 500)\n#2\n");
	has(text, ", took 0.0 s\nunhealthy: HTTP 500\n↩️ rolled back to aaaaaaa\nblocked: ");
	has(text,
	    "\ndeploy script: started 00:04, ok (run 2)\nrollback script: started 00:04, ok (run 3)");
	assert_null(strstr(text, "live since"));
	assert_int_equal(world_last(&w)->buttons.n, 3);
	assert_string_equal(world_last(&w)->buttons.at[1].label, "📄 Rollback log");
}

TEST_WITH(who_confirmed_and_who_approved_is_named, open_world, world_tear_down)
{
	const char *text;

	world_settings(&w, "PRODUCTION_APPROVALS=1", NULL);
	world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(&w, "Deploy to production?"), "Deploy"));
	world_git_same(&w);
	has(shown(WORLD_ADMIN, "/show 1"),
	    "⏳ awaiting approval: production \"Make it blue\" aaaaaaa");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/approve 1");
	text = shown(WORLD_ADMIN, "/show 1");
	has(text, "\nconfirmed by @ada\napproved by @bob as admin, 00:00\n");
	has(text, "⏳ in progress: production \"Make it blue\" aaaaaaa");
}

/* What is not there and what they may not see are one answer; a stranger's is that of all. */
TEST_WITH(what_somebody_may_not_see_is_not_there, open_world, world_tear_down)
{
	char missing[200];

	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .subject = "Secret plan" });
	go_live();
	(void)text_copy(missing, sizeof(missing), shown(DEV, "/show 999"));
	assert_string_equal(
	    missing, "There is no deployment of that number: /history lists the latest.");
	assert_string_equal(shown(DEV, "/show 1"), missing);
	has(shown(DEV, "/show 2"), "✅ Live: staging");
	assert_string_equal(world_button(world_last(&w), "Log"), ""); /* it is not theirs */
	has(shown(WORLD_ADMIN, "/show 1"), "Secret plan");
	(void)world_text_in(&w, WORLD_STRANGER, WORLD_STRANGER, "/show 2");
	assert_null(strstr(world_plain(world_last(&w)), "Live"));
}

TEST_WITH(without_a_number_it_asks_for_one, open_world, world_tear_down)
{
	static const char *const wrong[] = { "/show", "/show staging", "/show #", "/show -1",
		"/show 99999999999999999999" };

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(shown(WORLD_ADMIN, wrong[i]),
		    "Which one? /show needs a number: /history lists the latest.");
}

/* Sixty-four steps with names as long as they may be fit one message. */
TEST_WITH(of_many_steps_the_first_are_told, open_world, world_tear_down)
{
	char name[LIMIT_STEP];

	world_deploy_starts(&w, COMMIT_A);
	for (int i = 0; i < LIMIT_STEPS - 1; i++) {
		(void)snprintf(name, sizeof(name), "step%02d-%035d", i % 100, 0);
		world_run_step(&w, i, name);
	}
	has(shown(WORLD_ADMIN, "/show 1"), "\n… and 39 more: the log has them");
	assert_null(strstr(world_plain(world_last(&w)), "step24"));
	assert_true(strlen(world_last(&w)->text) < 4096);
}

/* From a list to one and back, in the same message. */
TEST_WITH(a_button_of_the_history_leads_to_it_and_back, open_world, world_tear_down)
{
	struct world_message *message;
	size_t toasts;

	go_live();
	(void)shown(WORLD_ADMIN, "/history staging");
	message = world_last(&w);
	toasts = w.n_toasts;
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "#1"));
	assert_ptr_equal(world_last(&w), message);
	has(world_plain(message), "✅ Live: staging");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "◀ history"));
	assert_ptr_equal(world_last(&w), message);
	has(world_plain(message), "staging\n✅ #1 aaaaaaa");
	assert_int_equal(w.n_toasts, toasts + 2); /* a press without an answer turns for a minute */
}
