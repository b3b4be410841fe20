/* Goal: nothing starts that OPA refuses, and what it says counts for that work as it is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "decide_aid_inside.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_opa.h"

#define URL		       "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow"
#define OPA_TEST(name)	       WORLD_TEST_OF(name, URL)
#define OPA_TEST_OF(name, ...) WORLD_TEST_OF(name, URL, __VA_ARGS__)

static void
says(struct world *w, enum opa_verdict verdict, const char *reason)
{
	struct effect *effect = world_must_take(w, EFFECT_OPA);

	effect->result->u.opa_said = (struct opa_answer){ .verdict = verdict, .decision = "d-1" };
	(void)text_copy(effect->result->u.opa_said.reason, LIMIT_LINE, reason);
	world_report(w, effect);
}

/* What is asked now: that member of the input, as it stands in it. */
static void
is_asked(struct world *w, const char *member)
{
	const struct effect *effect = world_peek(w, EFFECT_OPA);

	assert_non_null(effect);
	if (strstr(effect->u.opa.input, member) == NULL)
		fail_msg("no %s in %s", member, effect->u.opa.input);
}

static void
ask(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
}

/* Up to its turn, OPA's question about which is open. */
static void
ask_up_to_its_turn(struct world *w, const char *commit)
{
	ask(w, commit);
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	is_asked(w, "\"stage\":\"start\"");
}

static void
two_go_live(struct world *w)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B };

	for (size_t i = 0; i < COUNT(commits); i++) {
		ask_up_to_its_turn(w, commits[i]);
		says(w, OPA_YES, "");
		world_run_releases(w, GOOD);
		assert_int_equal(world_state(w), DEPLOY_LIVE);
	}
}

/* OPA is asked about a rollback at its turn, and not before. */
static void
roll_back(struct world *w)
{
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Roll back staging?"), "Roll back"));
}

/* The newest work of that commit. */
static int64_t
asked_for(struct world *w, const char *commit)
{
	int64_t id = world_newest(w, "staging").id;

	while (id > 0 && strcmp(world_deployment(w, id).commit, commit) != 0)
		id--;
	return id;
}

OPA_TEST(yes_twice_starts)
{
	ask(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_REQUESTED);
	is_asked(w, "\"stage\":\"request\"");
	is_asked(w, "\"action\":\"deploy\",\"target\":\"staging\"");
	is_asked(w, "\"principal\":{\"kind\":\"telegram\",\"id\":\"11\",\"name\":\"@ada\"}");
	is_asked(w, "\"grant\":\"*:*/*\",\"source\":\"git\",\"commit\":\"" COMMIT_A "\"");
	is_asked(w, "\"in_branch\":true,");
	is_asked(w,
	    "\"promoted_from\":\"\",\"live\":\"\",\"approvals\":[],\"emergency\":false,\"freeze\":false");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	is_asked(w, "\"stage\":\"start\"");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_audited(w, "deploy_started", "\"decision_id\":\"d-1\""), 1);
}

WORLD_TEST(without_opa_url_nothing_is_asked)
{
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
}

OPA_TEST_OF(no_at_the_request_asks_nobody, "STAGING_CONFIRM=true")
{
	ask(w, COMMIT_A);
	says(w, OPA_NO, "no deployments on Fridays");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "OPA: no deployments on Fridays"));
	assert_null(world_says(w, "❓ Deploy to staging?"));
	assert_int_equal(world_audited(w, "deploy_not_done", "\"decision_id\":\"d-1\""), 1);
}

OPA_TEST_OF(no_at_the_request_asks_no_approver, "STAGING_APPROVALS=1")
{
	ask(w, COMMIT_A);
	assert_null(world_says(w, "Awaiting approval"));
	says(w, OPA_NO, "no");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_null(world_says(w, "Awaiting approval"));
}

OPA_TEST_OF(the_question_has_what_git_said, "STAGING_CONFIRM=true")
{
	world_released(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 3 });
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(world_says(w, "\n3 new commits:\n• ccccccc"));
	assert_null(world_says(w, "OPA has not answered"));
}

OPA_TEST_OF(without_an_answer_the_question_is_asked_and_says_so, "STAGING_CONFIRM=true")
{
	ask(w, COMMIT_A);
	says(w, OPA_SILENT, "timed out");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "OPA has not answered"), "Deploy"));
	world_git_same(w);
	is_asked(w, "\"stage\":\"start\"");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

OPA_TEST(no_at_its_turn_refuses)
{
	ask_up_to_its_turn(w, COMMIT_A);
	says(w, OPA_NO, "no deployments on Fridays");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "OPA: no deployments on Fridays"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

/* It is refused as any no is; whoever looks at the metric sees that no policy has said so. */
OPA_TEST_OF(no_decision_refuses_and_is_counted_as_none_of_a_policys, "STAGING_CONFIRM=true")
{
	struct effect *effect;

	ask(w, COMMIT_A);
	effect = world_must_take(w, EFFECT_OPA);
	effect->result->u.opa_said = (struct opa_answer){
		.verdict = OPA_NO, .is_undefined = true, .reason = "no decision", .decision = "none"
	};
	world_report(w, effect);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "OPA: no decision"));
	assert_string_equal(w->judged, "undefined");
	ask(w, COMMIT_B);
	says(w, OPA_NO, "not on Fridays");
	assert_string_equal(w->judged, "no");
}

OPA_TEST(its_place_is_kept_and_it_is_asked_again_later_and_later)
{
	static const int pauses_s[] = { 2, 5, 10, 20, 40, 60, 60 };
	int64_t since;

	ask_up_to_its_turn(w, COMMIT_A);
	since = w->aid.at;
	world_answers(w, WORLD_ADMIN, "/status staging", "next: aaaaaaa, waits for OPA");
	assert_true(world_peek(w, EFFECT_OPA)->u.opa.not_before <= w->aid.at);
	for (size_t i = 0; i < COUNT(pauses_s); i++) {
		says(w, OPA_SILENT, "timed out");
		assert_int_equal(world_state(w), DEPLOY_QUEUED);
		assert_string_equal(world_newest(w, "staging").waits_for, "opa");
		assert_in_range(world_peek(w, EFFECT_OPA)->u.opa.not_before - w->aid.at,
		    pauses_s[i] * 1000 - 100, pauses_s[i] * 1000);
		w->aid.at = world_peek(w, EFFECT_OPA)->u.opa.not_before;
	}
	assert_true(w->aid.at - since > 60000);
	assert_non_null(world_says(w, "waits for OPA since "));
	world_answers(w, WORLD_ADMIN, "/queue staging", "waits for OPA since ");
	world_answers(w, WORLD_ADMIN, "/status staging", "next: aaaaaaa, waits for OPA since ");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* Nothing is asked over and over while CI runs: such an answer would be too old at its end. */
OPA_TEST_OF(it_is_asked_at_the_turn_of_what_waits_for_ci_once_that_has_passed,
    "GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
    "STAGING_REQUIRE_CI=ci.yml")
{
	const struct pipeline_run run = { .repository = "Acme/Shop",
		.repository_id = "456789",
		.file = "ci.yml",
		.branch = "develop",
		.commit = COMMIT_A,
		.conclusion = "success",
		.run = 100,
		.number = 10,
		.attempt = 1,
		.rank = PIPELINE_IS_OVER,
		.is_own = true,
		.counts = true };

	ask(w, COMMIT_A);
	says(w, OPA_YES, "");
	assert_string_equal(world_newest(w, "staging").waits_for, "ci");
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
	assert_int_equal(world_workflow_says(w, &run), 200);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	is_asked(w, "\"stage\":\"start\"");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* The queue was held behind the answer. */
OPA_TEST(an_answer_counts_for_a_minute)
{
	ask_up_to_its_turn(w, COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging not now");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	w->aid.at += 61000;
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	is_asked(w, "\"stage\":\"start\"");
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

OPA_TEST(an_answer_counts_within_a_minute)
{
	ask_up_to_its_turn(w, COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging not now");
	says(w, OPA_YES, "");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
}

/* Something else is live by then: OPA has looked at what is not so any more. */
OPA_TEST(an_answer_about_another_input_counts_for_nothing)
{
	struct effect *asked;

	two_go_live(w);
	ask_up_to_its_turn(w, COMMIT_C);
	is_asked(w, "\"live\":\"" COMMIT_B "\"");
	asked = world_take(w, EFFECT_OPA);
	roll_back(w);
	says(w, OPA_YES, "");
	world_run_releases(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	asked->result->u.opa_said = (struct opa_answer){ .verdict = OPA_YES, .decision = "none" };
	world_report(w, asked);
	world_git_all_at(w, COMMIT_C);
	assert_int_equal(world_deployment(w, asked_for(w, COMMIT_C)).state, DEPLOY_QUEUED);
	is_asked(w, "\"live\":\"" COMMIT_A "\"");
}

OPA_TEST(a_rollback_by_hand_is_asked_once_and_goes_on_without_an_answer)
{
	two_go_live(w);
	roll_back(w);
	is_asked(w, "\"stage\":\"start\",\"action\":\"rollback\"");
	says(w, OPA_SILENT, "timed out");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
	assert_int_equal(world_audited(w, "\"opa_missing\"", "\"severity\":\"high\""), 1);
	assert_int_equal(world_audited(w, "\"opa_missing\"", "\"need\":\"opa_missing\""), 1);
}

OPA_TEST(a_rollback_by_hand_that_opa_refuses_is_refused)
{
	two_go_live(w);
	roll_back(w);
	says(w, OPA_NO, "only forward");
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "OPA: only forward"));
	assert_int_equal(world_audited(w, "\"opa_missing\"", NULL), 0);
}

OPA_TEST_OF(an_emergency_goes_on_without_an_answer, "STAGING_CONFIRM=false")
{
	world_asks(w, WORLD_ADMIN, "/deploy staging emergency it is down", COMMIT_A);
	if (world_state(w) == DEPLOY_AWAITING_CONFIRMATION)
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
		    world_button(world_says(w, "Emergency to staging?"), "Deploy"));
	if (world_count(w, EFFECT_GIT_QUERY) > 0)
		world_git_same(w);
	is_asked(w, "\"stage\":\"start\",\"action\":\"deploy\"");
	is_asked(w, "\"emergency\":true");
	says(w, OPA_SILENT, "timed out");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_audited(w, "\"opa_missing\"", "\"severity\":\"high\""), 1);
}

OPA_TEST_OF(an_automatic_rollback_is_not_asked_about, STAGING_URL)
{
	world_released(w, "staging");
	ask_up_to_its_turn(w, COMMIT_C);
	says(w, OPA_YES, "");
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

OPA_TEST(who_is_behind_does_not_pass_who_is_being_asked_about)
{
	ask_up_to_its_turn(w, COMMIT_A);
	ask(w, COMMIT_B);
	says(w, OPA_YES, ""); /* to A */
	assert_int_equal(world_active(w, "staging").id, 1);
}

OPA_TEST(a_newer_push_replaces_one_that_opa_is_asked_about)
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	is_asked(w, COMMIT_A);
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
	assert_int_equal(world_count(w, EFFECT_OPA), 1);
	is_asked(w, COMMIT_B);
	says(w, OPA_YES, "");
	says(w, OPA_YES, "");
	assert_string_equal(world_active(w, "staging").commit, COMMIT_B);
}

/* A person asked for its commit, and their question came while OPA was asked about the push. */
OPA_TEST_OF(a_push_joins_the_question_that_opened_while_opa_was_asked, "STAGING_CONFIRM=true")
{
	ask(w, COMMIT_A);
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	says(w, OPA_YES, "");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_CONFIRMATION);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_REQUESTED);
	says(w, OPA_YES, "");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_CONFIRMATION);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_SUPERSEDED);
}

OPA_TEST(what_is_cancelled_is_not_asked_about)
{
	ask_up_to_its_turn(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_CANCELLED);
	assert_int_equal(world_count(w, EFFECT_OPA), 0);
}

OPA_TEST(a_restart_in_between_asks_again)
{
	ask(w, COMMIT_A);
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_REQUESTED);
	says(w, OPA_YES, "");
	world_restart(w);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	says(w, OPA_YES, "");
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

/* OPA_URL has left the settings, and what was asked is answered behind the end. */
OPA_TEST(an_answer_behind_the_end_changes_nothing)
{
	struct deployment ended;

	ask_up_to_its_turn(w, COMMIT_A);
	world_settings(w, NULL);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_CANCELLED);
	says(w, OPA_SILENT, "timed out");
	ended = world_newest(w, "staging");
	assert_int_equal(ended.state, DEPLOY_CANCELLED);
	assert_string_equal(ended.note, "");
}
