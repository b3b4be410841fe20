/* Goal: a run that we begin at GitHub is one piece of work, begun once, and its end is the work's.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_pipeline.h"

#include "lib/mem.h"
#include "pipeline_aid.h"
#include "store/row_claim.h"
#include "store/row_pipeline.h"

#define TOO_LATE "in spite of Stop by @ada: GitHub did not take it in time"

struct claim {
	const char *resource;
	bool is_held;
};

static void
act_claim(struct tx *tx, void *arg)
{
	struct claim *claim = arg;

	claim->is_held = row_claim_holder(tx, claim->resource) != 0;
}

static bool
claims(struct world *w, const char *resource)
{
	struct claim claim = { resource, false };

	world_act(w, act_claim, &claim);
	return claim.is_held;
}

static bool
is_asked_in_a_minute(struct world *w)
{
	int64_t at = world_peek(w, EFFECT_FORGE_LOOK)->u.forge.not_before;

	return at > w->aid.at + MINUTE / 2 && at <= w->aid.at + MINUTE;
}

PIPELINE_TEST(what_is_asked_about_is_what_runs_and_its_end_is_the_works)
{
	const struct effect_forge *forge;

	(void)world_text(w, WORLD_ADMIN, "/do run-pipeline production release 1.4.2-RC1");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "release.yml at main of octo/shop: channel=stable version=1.4.2-RC1"));
	assert_non_null(world_says(w, "❓ Run? production release 1.4.2-RC1\n"));
	assert_non_null(world_button(world_last(w), "🔧 Run release 1.4.2-RC1"));
	assert_null(world_peek(w, EFFECT_FORGE_START));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	forge = &world_peek(w, EFFECT_FORGE_START)->u.forge;
	assert_string_equal(forge->pipeline, "release");
	assert_string_equal(forge->words, "1.4.2-RC1");
	assert_int_equal(forge->run, 0);
	github(w, EFFECT_FORGE_START, done(RUN));
	assert_non_null(world_says(w, PAGE));
	assert_true(is_asked_in_a_minute(w));
	assert_int_equal(delivered(w, run_of(1, PIPELINE_IS_OVER, "success")), 200);
	assert_int_equal(work(w).state, DEPLOY_DONE);
	assert_int_equal(world_count(w, EFFECT_FORGE_LOOK), 0);
	assert_non_null(world_says(w, "✅ Done: production release 1.4.2-RC1\n"));
	world_answers(w, WORLD_ADMIN, "/history production", "release 1.4.2-RC1");
	world_answers(w, WORLD_ADMIN, "/show 1", "release 1.4.2-RC1");
	assert_non_null(strstr(world_last(w)->text, "/actions/runs/"));
	assert_int_equal(world_audited(w, "action_completed", "production"), 1);
}

/* Each conclusion but success is a failure, whoever says it. */
PIPELINE_TEST(only_success_is_done)
{
	static const struct {
		const char *conclusion;
		enum deploy_why why;
		const char *said;
	} rows[] = { { "failure", DEPLOY_WHY_SCRIPT, "its run failed" },
		{ "skipped", DEPLOY_WHY_SCRIPT, "its run was skipped" },
		{ "startup_failure", DEPLOY_WHY_SCRIPT, "its run could not start" },
		{ "action_required", DEPLOY_WHY_SCRIPT, "its run was not let in: action_required" },
		{ "neutral", DEPLOY_WHY_SCRIPT, "its run ended: neutral" },
		{ "timed_out", DEPLOY_WHY_TIMED_OUT, "at GitHub" },
		{ "cancelled", DEPLOY_WHY_CANCELLED, "at GitHub" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		begins(w);
		w->aid.at += MINUTE;
		github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
		assert_int_equal(work(w).state, DEPLOY_RUNNING);
		github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_IS_OVER, rows[i].conclusion));
		assert_int_equal(work(w).state, DEPLOY_FAILED);
		assert_int_equal(work(w).why, rows[i].why);
		assert_string_equal(work(w).detail, rows[i].said);
		assert_null(strstr(world_plain(world_says(w, rows[i].said)), "script failed"));
		assert_non_null(world_says(w, PAGE));
	}
}

/* It would ring twice, as CI of whoever pushed last. */
PIPELINE_TEST(its_failure_is_said_once_with_what_failed)
{
	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	assert_null(world_says(w, "CI failed"));
	assert_int_equal(world_peek(w, EFFECT_GITHUB_FAILURE)->u.github_failure.attempt, 1);
	world_github_failure(w, "@ada /approve_1 › Publish\nsrc/cart.c:12: expected 3");
	assert_non_null(world_says(w, "❌ Failed: production release"));
	assert_non_null(world_says(w, "› Publish; src/cart.c:12: expected 3\n"));
	assert_null(world_says(w, "its run failed: @ada /approve_1")); /* it notifies nobody */
	assert_int_equal(world_count(w, EFFECT_GITHUB_FAILURE), 0);
}

/* What has no answer may have been done. */
PIPELINE_TEST(what_has_no_answer_is_never_sent_again)
{
	ask(w, "/do run-pipeline production release 1.4.2");
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NOTHING, "timed out"));
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_non_null(world_says(w, "GitHub: timed out"));
	w->aid.at += 2 * MINUTE;
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_GONE, "it lists no such run"));
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_int_equal(work(w).why, DEPLOY_WHY_INTERRUPTED);
	assert_string_equal(work(w).detail, "whether it was started is not known");
	assert_non_null(world_says(w, "look at its forge before you do"));
	assert_null(world_says(w, "🔁"));
}

/* By the word that its workflow shows in its title. */
PIPELINE_TEST(a_run_that_was_not_named_is_looked_for_for_two_minutes)
{
	for (size_t i = 0; i < 2; i++) {
		ask(w, "/do run-pipeline production nightly");
		github(w, EFFECT_FORGE_START,
		    i == 0 ? says(FORGE_SAYS_NOTHING, "timed out") : done(0));
		assert_int_equal(world_peek(w, EFFECT_FORGE_LOOK)->u.forge.run, 0);
		w->aid.at += MINUTE;
		github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_GONE, "it lists no such run"));
		if (i == 0) {
			github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
			assert_int_equal(world_peek(w, EFFECT_FORGE_LOOK)->u.forge.run, RUN);
			assert_non_null(world_says(w, PAGE));
			github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_IS_OVER, "success"));
			assert_int_equal(work(w).state, DEPLOY_DONE);
			continue;
		}
		w->aid.at += MINUTE;
		github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_GONE, "it lists no such run"));
		assert_int_equal(work(w).state, DEPLOY_FAILED);
		assert_int_equal(world_count(w, EFFECT_FORGE_LOOK), 0);
		assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	}
}

/* Nobody has looked yet, though two minutes are over. */
PIPELINE_TEST(who_could_not_look_does_not_know_that_it_is_lost)
{
	ask(w, "/do run-pipeline production nightly");
	w->aid.at += 40 * MINUTE;
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NOTHING, "deploybot was restarted"));
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	assert_true(is_asked_in_a_minute(w));
	(void)world_text(w, WORLD_ADMIN, "/cancel production");
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	assert_int_equal(work(w).state, DEPLOY_FAILED); /* somebody does not wait for that */
}

/* GitHub cannot be looked at either: nobody waits longer than for a run, and what it held is
 * free. */
PIPELINE_TEST(a_run_that_never_has_a_number_ends_as_one_that_may_have_begun)
{
	ask(w, "/do run-pipeline production nightly");
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NOTHING, "timed out"));
	for (int hour = 1; hour < 6; hour++) {
		w->aid.at += 60 * MINUTE;
		github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
		assert_int_equal(work(w).state, DEPLOY_RUNNING);
		assert_non_null(world_says(w, "GitHub: HTTP 502")); /* which is said meanwhile */
	}
	assert_true(claims(w, "pipeline:nightly:production"));
	w->aid.at += 60 * MINUTE;
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_int_equal(work(w).why, DEPLOY_WHY_INTERRUPTED);
	assert_string_equal(work(w).detail, "whether it was started is not known");
	assert_non_null(world_says(w, "whether it was started is not known"));
	assert_non_null(world_says(w, "look at its forge before you do"));
	assert_false(claims(w, "pipeline:nightly:production"));
	assert_int_equal(world_count(w, EFFECT_FORGE_LOOK), 0);
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	ask(w, "/do run-pipeline production nightly");
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
}

PIPELINE_TEST(an_older_server_is_asked_without_the_key_that_it_does_not_know)
{
	ask(w, "/do run-pipeline production release 1.4.2");
	assert_false(world_peek(w, EFFECT_FORGE_START)->u.forge.is_plain);
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_UNFIT, "HTTP 422"));
	assert_true(world_peek(w, EFFECT_FORGE_START)->u.forge.is_plain);
	github(w, EFFECT_FORGE_START, done(0));
	w->aid.at += 2 * MINUTE;
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_GONE, "it lists no such run"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_string_equal(work(w).detail, "started; which run it is is not known");
}

PIPELINE_TEST(what_github_refuses_has_not_begun)
{
	ask(w, "/do run-pipeline production release 1.4.2");
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NO, "HTTP 404: Not Found"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_int_equal(work(w).why, DEPLOY_WHY_NOT_STARTED);
	assert_non_null(world_says(w, "GitHub: HTTP 404: Not Found"));
	assert_int_equal(world_count(w, EFFECT_FORGE_LOOK), 0);
}

/* The environment is free for the gate that the run asks for. */
PIPELINE_TEST(it_holds_its_own_name_alone)
{
	begins(w);
	assert_true(claims(w, "pipeline:release:production"));
	assert_false(claims(w, "env:production"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_RUNNING);
	ask(w, "/do run-pipeline production nightly");
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	ask(w, "/do run-pipeline production release 1.4.3");
	assert_int_equal(work(w).state, DEPLOY_QUEUED);
	assert_string_equal(work(w).waits_for, "pipeline:release:production");
	assert_non_null(world_says(w, "⏳ Queued: production release"));
	world_answers(w, WORLD_ADMIN, "/queue production",
	    "▶️ #1 @ada runs release 1.4.2-RC1, just now\n"
	    "▶️ #3 @ada runs nightly, just now\n"
	    "1. #4 @ada runs release 1.4.3, just now, waits for #1 of production");
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "success"));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
}

PIPELINE_TEST_OF(one_begins_while_its_environment_is_busy, "PRODUCTION_CONFIRM=false")
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	ask(w, "/do run-pipeline production release 1.4.2");
	assert_string_equal(work(w).action, "run-pipeline");
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
}

PIPELINE_TEST(a_cancel_asks_github_until_it_has_ended)
{
	size_t rings;

	begins(w);
	rings = world_rings(w);
	world_answers(w, WORLD_ADMIN, "/status production", "\n⏳ release 1.4.2-RC1, started ");
	world_answers(w, WORLD_ADMIN, "/cancel production", "Stopping");
	assert_int_equal(world_peek(w, EFFECT_FORGE_STOP)->u.forge.run, RUN);
	assert_int_equal(world_count(w, EFFECT_FORGE_LOOK), 0);
	github(w, EFFECT_FORGE_STOP, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
	github(w, EFFECT_FORGE_STOP, done(0));
	assert_int_equal(work(w).state, DEPLOY_STOPPING);
	assert_int_equal(delivered(w, run_of(1, PIPELINE_IS_OVER, "cancelled")), 200);
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_string_equal(work(w).detail, "by @ada");
	assert_int_equal(world_rings(w), rings); /* nobody rings for what they do */
	begins(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/cancel production");
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "cancelled"));
	assert_true(world_rings(w) > rings);
}

/* It stops the same, whatever else runs or waits there, and says so. */
PIPELINE_TEST(a_second_cancel_of_one_stops_nothing_else)
{
	begins(w);
	ask(w, "/do run-pipeline production release 1.4.3");
	assert_int_equal(work(w).state, DEPLOY_QUEUED);
	(void)world_text(w, WORLD_ADMIN, "/cancel production");
	assert_null(world_says(w, "cancels it too"));
	world_answers(w, WORLD_OTHER_ADMIN, "/cancel production",
	    "⛔ Not cancelled: production release is being stopped already: its forge was asked");
	assert_int_equal(work(w).state, DEPLOY_QUEUED);
	assert_int_equal(world_count(w, EFFECT_FORGE_STOP), 1);
}

/* What is stopped is what its button names. */
PIPELINE_TEST(of_two_that_run_cancel_asks_which)
{
	struct world_message *which;

	ask(w, "/do run-pipeline production nightly");
	begins(w);
	world_answers(w, WORLD_ADMIN, "/cancel production", "❓ /cancel: which?");
	which = world_last(w);
	assert_int_equal(world_count(w, EFFECT_FORGE_STOP), 0);
	assert_int_equal(which->buttons.n, 2);
	assert_non_null(world_button(which, "✋ Stop production nightly"));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(which, "✋ Stop production release"));
	assert_int_equal(work(w).state, DEPLOY_STOPPING);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_RUNNING);
	world_answers(w, WORLD_ADMIN, "/cancel production", "❓ /cancel: which?");
	assert_int_equal(world_last(w)->buttons.n, 1); /* of what is being stopped there is none */
}

/* Nobody is to think that it was stopped. */
PIPELINE_TEST(what_github_did_not_stop_says_so)
{
	const char *said;

	begins(w);
	(void)world_text(w, WORLD_ADMIN, "/cancel production");
	github(w, EFFECT_FORGE_STOP, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	said = world_plain(world_says(w, "⏳ Stopping production release"));
	assert_null(strstr(strstr(said, "HTTP 502") + 1, "HTTP 502"));
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "success"));
	assert_non_null(world_says(w, "✅ Done anyway: production release"));
	assert_null(world_says(w, TOO_LATE));
	assert_non_null(world_says(w, "\nin spite of Stop by @ada: GitHub: HTTP 502\n"));
	assert_null(world_says(w, "ℹ️ GitHub: HTTP 502")); /* said once */
}

/* Before it is known which run it is, there is none that could be ended. */
PIPELINE_TEST(what_is_stopped_before_its_answer_is_stopped_with_it)
{
	ask(w, "/do run-pipeline production release 1.4.2");
	world_answers(w, WORLD_ADMIN, "/cancel production", "Stopping");
	assert_int_equal(world_count(w, EFFECT_FORGE_STOP), 0);
	github(w, EFFECT_FORGE_START, done(RUN));
	assert_int_equal(world_peek(w, EFFECT_FORGE_STOP)->u.forge.run, RUN);
	github(w, EFFECT_FORGE_STOP, done(0));
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_IS_OVER, "success"));
	assert_int_equal(work(w).state, DEPLOY_DONE); /* it was faster */
	assert_string_equal(work(w).detail, TOO_LATE);
}

static void
act_seen(struct tx *tx, void *arg)
{
	decide_pipeline_seen(tx, tx->settings, arg);
}

/* Whoever has another application's webhook says nothing of this one's runs, whatever numbers it
 * gives its own repository. */
PIPELINE_TEST(what_another_repository_says_is_not_of_it)
{
	struct pipeline_run run = run_of(1, PIPELINE_IS_OVER, "success");

	begins(w);
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
	(void)text_copy(run.repository, sizeof(run.repository), "mallory/shop");
	world_act(w, act_seen, &run);
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	run = run_of(1, PIPELINE_IS_OVER, "success");
	(void)text_copy(run.repository_id, sizeof(run.repository_id), "1");
	(void)delivered(w, run);
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	run = run_of(1, PIPELINE_IS_OVER, "success");
	run.run++;
	(void)delivered(w, run);
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
}

PIPELINE_TEST(a_run_that_was_deleted_is_not_waited_for)
{
	begins(w);
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_GONE, "HTTP 404: Not Found"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_int_equal(work(w).why, DEPLOY_WHY_INTERRUPTED);
	assert_string_equal(
	    work(w).detail, "how it ended is not known: it is not shown there any more");
}

PIPELINE_TEST(github_that_is_away_is_asked_until_the_deadline)
{
	begins(w);
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	assert_non_null(world_says(w, "GitHub: HTTP 502"));
	assert_true(is_asked_in_a_minute(w));
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
	assert_null(world_says(w, "GitHub: HTTP 502"));
	w->aid.at += 6 * 60 * MINUTE;
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_RUNS, ""));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_string_equal(work(w).detail, "not over after 6 hours: it may go on there");
}

/* Settings may change while somebody reads the question, or while it waits for another run. */
PIPELINE_TEST(what_was_not_shown_does_not_run)
{
	begins(w);
	ask(w, "/do run-pipeline production release 1.4.3");
	assert_int_equal(work(w).state, DEPLOY_QUEUED);
	world_settings(
	    w, GITHUB, "PIPELINE_RELEASE=release.yml ref=next channel=stable version=?", NULL);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "success"));
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_non_null(strstr(world_plain(world_last(w)), "release.yml at next of octo/shop"));
	world_settings(w, GITHUB, "PIPELINE_RELEASE=release.yml ref=next a=? b=?", NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	assert_int_equal(work(w).state, DEPLOY_REFUSED);
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
}

PIPELINE_TEST_OF(
    only_whoever_may_begins_one, "ROLE_OPS_IDS=33", "ROLE_OPS_MAY=do.run-job:production")
{
	world_answers(w, WORLD_STAGING_USER, "/do run-pipeline production run-pipeline 1.4.2",
	    "⛔ Denied: production run-pipeline");
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_int_equal(work(w).id, 0);
	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP,
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	assert_non_null(strstr(w->toast, "⛔ Denied"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
}

/* Neither has a client. */
PIPELINE_TEST_OF(who_names_nothing_reads_what_they_may, "ROLE_OPS_IDS=33",
    "ROLE_OPS_MAY=do.run-job:production", "ROLE_RELEASE_IDS=44",
    "ROLE_RELEASE_MAY=do.run-pipeline:production")
{
	(void)world_text(w, WORLD_STAGING_USER, "/do");
	assert_string_equal(world_plain(world_last(w)),
	    "You may not run actions here: ask an admin. /whoami says what you may.");
	(void)world_text(w, 44, "/do");
	assert_string_equal(world_plain(world_last(w)), "You may: run-pipeline");
	world_answers(w, 44, "/request", "[argument]. You may: run-pipeline");
	world_answers(w, 44, "/request run-pipeline production",
	    "\n/request run-pipeline production release <version>");
	(void)world_press(w, 44, WORLD_GROUP, world_button(world_last(w), "nightly"));
	assert_int_equal(work(w).state, DEPLOY_AWAITING_APPROVAL);
}

PIPELINE_TEST(words_are_those_that_the_line_asks_for)
{
	static const struct {
		const char *typed, *said;
	} rows[] = { { "release", "release: version is missing" },
		{ "release 1.4.2 now", "release: now is one word too many" },
		{ "release 1;id", "release: version is a word of 1 to 64 of" },
		{ "release $(id)", "release: version is a word of 1 to 64 of" },
		{ "", "which pipeline: " }, { "nothing", "which pipeline: " } };
	char text[96];

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), "/do run-pipeline production %s", rows[i].typed);
		world_answers(w, WORLD_ADMIN, text, rows[i].said);
	}
	assert_int_equal(work(w).id, 0);
}

/* On a phone nothing is typed twice. */
PIPELINE_TEST(what_was_mistyped_is_one_press_or_one_copy_away)
{
	struct world_message *said;

	(void)world_text(w, WORLD_ADMIN, "/do run-pipeline production");
	said = world_says(w, "\n/do run-pipeline production release <version>");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "nightly"));
	assert_non_null(strstr(world_plain(world_last(w)), "nightly.yml at main of octo/shop"));
	(void)world_text(w, WORLD_ADMIN, "/do run-pipeline production relase 1.4.2");
	said = world_says(w, "\nthere is no relase, did you mean release?");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "release 1.4.2"));
	assert_non_null(strstr(world_plain(world_last(w)), "channel=stable version=1.4.2"));
	world_answers(w, WORLD_ADMIN, "/do run-pipeline production release",
	    "version is missing\n/do run-pipeline production release <version>");
	world_answers(w, WORLD_ADMIN, "/do run-pipelines production release 1.4.2",
	    "There is no action run-pipelines. Did you mean run-pipeline?");
	(void)world_text(w, WORLD_ADMIN, "/do run-pipeline");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "production"));
	assert_non_null(world_button(world_last(w), "nightly"));
}

/* Nothing that would end it was open when the program ended, by a fault or by hand. */
PIPELINE_TEST(a_start_looks_at_those_that_nothing_would_end)
{
	begins(w);
	world_rewrite(w, "DELETE FROM effect WHERE kind = 'forge_look'");
	world_restart(w);
	assert_int_equal(world_peek(w, EFFECT_FORGE_LOOK)->u.forge.run, RUN);
	assert_true(claims(w, "pipeline:release:production"));
	world_rewrite(w,
	    "DELETE FROM effect WHERE kind = 'forge_look';"
	    "UPDATE work_pipeline SET run = 0");
	world_restart(w);
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_false(claims(w, "pipeline:release:production"));
}

PIPELINE_TEST(somebody_else_may_be_asked_to_approve_it)
{
	(void)world_text(w, WORLD_ADMIN, "/request run-pipeline production release 1.4.2");
	assert_int_equal(work(w).state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_non_null(world_button(world_last(w), "✅ Approve release 1.4.2 production"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 1");
	assert_string_equal(world_peek(w, EFFECT_FORGE_START)->u.forge.words, "1.4.2");
}

/* --- GitLab --- */

/* Its webhook's word of them is none of a branch, so no row of what is watched has them. */
WORLD_TEST_OF(what_was_begun_at_gitlab_is_listed, "REPOSITORY_PATH=group/shop",
    "REPOSITORY_URL=https://gitlab.example.org/group/shop.git",
    "GITLAB_URL=https://gitlab.example.org", "GITLAB_API_TOKEN=glpat-0123456789abcdef0123",
    "PIPELINE_RELEASE=.gitlab-ci.yml ref=main version=?")
{
	struct pipeline_run run = run_of(379, PIPELINE_IS_OVER, "failure");

	begins(w);
	(void)text_copy(run.repository, sizeof(run.repository), "group/shop");
	(void)text_copy(run.repository_id, sizeof(run.repository_id), "gitlab:22");
	(void)text_copy(run.file, sizeof(run.file), ".gitlab-ci.yml");
	(void)text_copy(run.failed, sizeof(run.failed), "test › unit");
	w->aid.at += 5 * MINUTE;
	assert_int_equal(delivered(w, run), 200);
	assert_non_null(world_says(w, "\nits pipeline failed: test › unit\n"));
	world_answers(w, WORLD_ADMIN, "/pipelines",
	    "❌ release 1.4.2-RC1 production by ada, failure 00:05\n"
	    "https://gitlab.example.org/group/shop/-/pipelines/4711\n");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "its pipeline failed"), "🔁 Run failed jobs again"));
	assert_non_null(world_says(w, "\nfailed jobs of pipeline 4711 of group/shop again · "));
}
