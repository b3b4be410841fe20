/* Goal: /status and /history tell the truth, of what is unhealthy first.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

WORLD_TEST_OF(status_asks_all_health_urls_at_once_and_tells_the_truth,
    "STAGING_HEALTH_URL=http://127.0.0.1:1/a,http://127.0.0.1:1/b",
    "PRODUCTION_HEALTH_URL=http://127.0.0.1:1/c")
{
	const struct effect *probe;

	world_deploy_goes_live(w, COMMIT_A);
	world_released(w, "production");
	world_answers_last(w, WORLD_STAGING_USER, "/status", "checking health …");
	probe = world_peek(w, EFFECT_PROBE);
	assert_int_equal(probe->u.probe.n, 3);
	assert_int_equal(probe->u.probe.plan.failures, 3);
	assert_int_equal(probe->u.probe.plan.successes, 1); /* so "3 of 3 tries" are all of them */
	world_probed(w, "HTTP 500");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "🔴 staging: 2 of 2 health URLs unhealthy; last live: aaaaaaa \"Make it blue\""));
	assert_non_null(
	    strstr(world_plain(world_last(w)), "DOWN at 127.0.0.1:1: HTTP 500, 3 of 3 tries"));
	assert_non_null(strstr(world_plain(world_last(w)), "🔴 production: unhealthy; last live"));
	(void)world_text(w, WORLD_STAGING_USER, "/status staging");
	assert_int_equal(world_peek(w, EFFECT_PROBE)->u.probe.n, 2);
	world_probed(w, NULL);
	assert_non_null(strstr(world_plain(world_last(w)), "🟢 staging runs aaaaaaa"));
	assert_null(strstr(world_plain(world_last(w)), "production"));
}

/* A phone shows the first line: it said that all is quiet in staging. */
WORLD_TEST_OF(status_begins_with_what_is_unhealthy, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_released(w, "production");
	(void)world_text(w, WORLD_ADMIN, "/status");
	assert_true(text_starts(world_plain(world_last(w)), "⚪ production"));
	world_probed(w, "HTTP 500");
	assert_true(text_starts(world_plain(world_last(w)), "🔴 staging"));
	assert_non_null(strstr(world_plain(world_last(w)), "\n⚪ production"));
}

/* "🔴 staging runs aaaaaaa" was said of aaaaaaa while bbbbbbb answered. */
WORLD_TEST_BARE(status_says_first_what_is_being_verified)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .released = true });
	world_answers_last(
	    w, WORLD_ADMIN, "/status staging", "⏳ staging: verifying bbbbbbb; last live: aaaaaaa");
}

WORLD_TEST(status_without_health_urls_asks_nobody)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_step(w, 0, "build");
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_int_equal(world_count(w, EFFECT_PROBE), 0);
	assert_non_null(strstr(world_plain(world_last(w)), "no health check configured"));
	assert_non_null(strstr(world_plain(world_last(w)), "in progress aaaaaaa (build)"));
	assert_non_null(strstr(world_plain(world_last(w)), "requested by @ada"));
}

WORLD_TEST(history_lists_the_latest_first)
{
	const char *text;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 1 });
	(void)world_text(w, WORLD_STAGING_USER, "/history staging");
	text = world_plain(world_last(w));
	assert_non_null(strstr(text, "❌ #2 bbbbbbb"));
	assert_non_null(strstr(text, "failed (script failed)"));
	assert_true(strstr(text, "✅ #1 aaaaaaa") > strstr(text, "❌ #2 bbbbbbb"));
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .error = "no such host" });
	world_answers_last(w, WORLD_ADMIN, "/history staging", "refused: no such host");
}

/* "next: bbbbbbb" was said of what starts nothing without a yes, and that the push failed stood in
 * /history alone. */
WORLD_TEST_OF(status_names_a_question_as_one, "PRODUCTION_CONFIRM=true")
{
	world_released(w, "production");
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	world_answers_last(
	    w, WORLD_ADMIN, "/status production", "\n❓ asks: bbbbbbb, nobody has said yes\n");
	assert_null(strstr(world_plain(world_last(w)), "next: "));
}

WORLD_TEST(status_says_that_the_newest_push_failed)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 2 });
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	world_answers_last(w, WORLD_ADMIN, "/status staging", "\nbbbbbbb failed there, #2, ");
}
