/* Goal: a branch that moved is deployed once, the latest wins, and nothing bad comes back by itself.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/store_inside.h"

#define SHARED	"DEPLOY_TRANSPORT=local", "STAGING_PORT=8001", "PRODUCTION_PORT=8001"
#define POLLING "POLL_REPOSITORY_SECONDS=60"

static void
push(struct world *w, const char *branch, const char *commit)
{
	struct event *event = world_push(w, branch);

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, commit);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git(w, (struct world_git){ .commit = commit });
}

WORLD_TEST(a_push_to_develop_deploys_staging)
{
	const struct effect *ask;

	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	ask = world_peek(w, EFFECT_GIT_QUERY);
	assert_non_null(ask);
	assert_true(ask->u.git_query.is_patient);
	assert_string_equal(ask->u.git_query.ref, "develop");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_non_null(world_says_in(w, WORLD_TEAM, "staging \"Make it blue\" aaaaaaa"));
	assert_non_null(world_says(w, "pushed by octo (GitHub)"));
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_audited(w, "deploy_requested", "github:7"), 1);
	assert_int_equal(world_audited(w, "deploy_success", "\"push\""), 1);
}

/* The server starts, the first of them ships, the second one is refused: by push, by command, and
 * in the middle of a question that was asked before the settings changed. */
WORLD_TEST(of_two_environments_that_share_a_target_the_second_is_refused)
{
	struct world_message *question;

	push(w, "main", COMMIT_B);
	question = world_says_in(w, WORLD_TEAM, "bbbbbbb");
	assert_non_null(question);
	world_settings(w, SHARED, NULL);
	push(w, "develop", COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.environment, "staging");
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);

	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, question->buttons.at[0].id);
	world_git(w, (struct world_git){ .commit = COMMIT_B }); /* is it as the question says? */
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	push(w, "main", COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "⛔ Not deployed: production \"Make it blue\" aaaaaaa"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "production shares a port of this machine"));
	world_answers(w, WORLD_ADMIN, "/deploy production",
	    "⛔ Not possible: production: deployments to it are off");
	world_answers(w, WORLD_ADMIN, "/rollback production",
	    "⛔ Not possible: production: deployments to it are off");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST(what_a_release_lacks_is_said_before_and_behind_it)
{
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .missing = "1 submodule (lib)" });
	world_run_ends(w, GOOD);
	assert_non_null(world_says(w, "Live: staging, not checked \"Make it blue\" aaaaaaa"));
	assert_non_null(world_says(w, "⚠️ without 1 submodule (lib)\n"));
	assert_string_equal(world_newest(w, "staging").missing, "1 submodule (lib)");
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .missing = "2 LFS files (a, b)" });
	assert_non_null(world_says(w, "Deploy to production?"));
	assert_non_null(world_says(w, "⚠️ without 2 LFS files (a, b)\n"));
}

WORLD_TEST(a_head_that_was_seen_is_not_deployed_again)
{
	push(w, "develop", COMMIT_A);
	world_run_ends(w, GOOD);
	push(w, "develop", COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").id, 1);
}

/* The first attempt waited in vain for CI's image; then CI has it, and says so. */
WORLD_TEST_OF(a_push_that_is_said_again_tries_again_what_came_to_nothing, POLLING)
{
	push(w, "develop", COMMIT_A);
	push(w, "develop", COMMIT_A); /* while it runs: it is in progress already */
	assert_int_equal(world_newest(w, "staging").id, 1);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_FAILED);
	world_polled(w, COMMIT_A, COMMIT_B);
	assert_int_equal(world_newest(w, "staging").id, 1); /* a poll would try for ever */
	push(w, "develop", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 2);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	push(w, "develop", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 2);
}

/* It is not well, and there was nothing to go back to: nobody wants it once more. */
WORLD_TEST(a_push_that_is_said_again_leaves_alone_what_was_released)
{
	push(w, "develop", COMMIT_A);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_FAILED);
	push(w, "develop", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 1);
}

/* Cancelled while it waited for CI's image, which says the push again a minute later. */
WORLD_TEST(a_push_that_is_said_again_leaves_alone_what_somebody_cancelled)
{
	struct world_message *running;

	push(w, "develop", COMMIT_A);
	running = world_says(w, "staging \"Make it blue\" aaaaaaa");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(running, "Stop"));
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_FAILED);
	assert_int_equal(world_deployment(w, 1).why, DEPLOY_WHY_CANCELLED);
	push(w, "develop", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 1);
	push(w, "develop", COMMIT_B);
	assert_int_equal(world_newest(w, "staging").id, 2);
}

WORLD_TEST(a_redelivery_is_one_delivery)
{
	struct event *first, *same_id, *same_body;

	first = world_push(w, "develop");
	same_id = world_push(w, "develop");
	same_body = world_push(w, "develop");
	(void)text_copy(same_id->u.delivery.id, LIMIT_DELIVERY, first->u.delivery.id);
	memcpy(same_body->u.delivery.digest, first->u.delivery.digest, 32);
	assert_false(world_decide(w, first).is_duplicate);
	assert_true(world_decide(w, same_id).is_duplicate);
	assert_true(world_decide(w, same_body).is_duplicate);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

WORLD_TEST(what_is_no_push_of_ours_to_a_branch_of_ours_does_nothing)
{
	static const char *const branches[] = { "", "Develop", "develop2", "feature/develop",
		"refs/heads/develop" };
	struct event *event;

	for (size_t i = 0; i < COUNT(branches); i++) /* "": a tag */
		assert_int_equal(world_decide(w, world_push(w, branches[i])).status, 200);
	event = world_push(w, "develop");
	event->u.delivery.deleted = true;
	assert_int_equal(world_decide(w, event).status, 200);
	event = world_push(w, "develop");
	(void)text_copy(event->u.delivery.repository, LIMIT_REF, "evil/shop");
	assert_int_equal(world_decide(w, event).status, 202);
	event = world_push(w, "develop");
	event->u.delivery.kind = DELIVERY_OTHER;
	assert_int_equal(world_decide(w, event).status, 202);
	event = world_push(w, "develop");
	event->u.delivery.kind = DELIVERY_PING;
	assert_int_equal(world_decide(w, event).status, 200);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(w->n_screen, 0);
}

/* An environment that has gates alone. */
WORLD_TEST_OF(where_pushes_are_not_deployed_none_asks_for_a_deployment, POLLING,
    "STAGING_DEPLOY_PUSHES=false")
{
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	world_polled(w, COMMIT_A, COMMIT_A);
	world_polled(w, COMMIT_B, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.environment, "production");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_not_equal(world_newest(w, "staging").id, 0);
}

WORLD_TEST_OF(any_signed_repository_is_ours_where_only_a_url_is_set,
    "GITHUB_REPOSITORY=", "REPOSITORY_URL=/srv/shop.git")
{
	struct event *event;

	event = world_push(w, "develop");
	(void)text_copy(event->u.delivery.repository, LIMIT_REF, "other/name");
	assert_int_equal(world_decide(w, event).status, 200);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* --- latest wins --- */

WORLD_TEST(the_latest_push_waits_and_the_one_before_says_so)
{
	push(w, "develop", COMMIT_A);
	push(w, "develop", COMMIT_B);
	assert_non_null(world_says(w,
	    "⏳ Queued: 1st in staging \"Make it blue\" bbbbbbb\nauthor Ann Example · "
	    "pushed by octo (GitHub)\nstarts after #1: octo (GitHub) deploys aaaaaaa"));
	push(w, "develop", COMMIT_C);
	assert_non_null(
	    world_says(w, "⛔ Skipped: staging, replaced by ccccccc\nbbbbbbb \"Make it blue\""));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_SUPERSEDED);
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_QUEUED);

	assert_int_equal(world_deployment(w, 3).place, world_deployment(w, 2).place);

	world_run_ends(w, GOOD); /* A is live: is C newer? */
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_LIVE);
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_QUEUED);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 1 });
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_RUNNING);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.previous, COMMIT_A);
}

WORLD_TEST(what_waits_can_be_cancelled)
{
	struct world_message *waiting;

	push(w, "develop", COMMIT_A);
	push(w, "develop", COMMIT_B);
	waiting = world_says(w, "⏳ Queued: 1st in staging");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(waiting, "Cancel"));
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_CANCELLED);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_RUNNING);
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* --- held --- */

WORLD_TEST(a_push_of_what_was_rolled_back_is_told_and_not_deployed)
{
	push(w, "develop", COMMIT_A);
	world_run_ends(w, GOOD);
	push(w, "develop", COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);

	/* Another head comes and goes: then B is news again, and still held. */
	push(w, "develop", COMMIT_C);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 65 });
	push(w, "develop", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "Push blocked: staging \"Make it blue\" bbbbbbb was rolled back by"));
}

/* Asked for by a person while its push is still on its way: taken back, it does not start again. */
WORLD_TEST(what_is_held_while_it_waits_is_not_started)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	push(w, "develop", COMMIT_B);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
	assert_non_null(world_says_in(w, WORLD_TEAM, "it was blocked while this was queued"));
}

/* It used to end with whatever went live next. */
WORLD_TEST(a_block_outlives_a_release_that_does_not_contain_it)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	push(w, "develop", COMMIT_C);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_false(world_environment(w, "staging").is_unacknowledged);
	push(w, "develop", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(a_newer_release_that_contains_it_ends_the_block)
{
	struct event *announced;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	announced = world_push(w, "develop");
	(void)text_copy(announced->u.delivery.after, LIMIT_COMMIT, COMMIT_C);
	(void)world_decide(w, announced);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B); /* not before it is live */
	assert_int_equal(world_contained(w), 1);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), "");
	assert_int_equal(world_contained(w), 0);
	push(w, "develop", COMMIT_B);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Who is asked about it reads so, and when it is asked for: of the branch or not. */
WORLD_TEST_OF(
    a_question_names_what_it_contains_that_was_rolled_back, STAGING_URL, "STAGING_CONFIRM=true")
{
	for (int i = 0; i < 2; i++) {
		(void)world_text(w, WORLD_ADMIN, "/deploy staging");
		world_git(w, (struct world_git){ .commit = i == 0 ? COMMIT_A : COMMIT_B });
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
		world_git_same(w);
		world_run_is_probed(w, i == 0 ? NULL : "HTTP 500");
	}
	world_run_is_probed(w, NULL);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	w->aid.at += 12 * 60000;
	for (int is_off = 0; is_off < 2; is_off++) {
		(void)world_text(w, WORLD_ADMIN, "/deploy staging feature");
		world_git(w,
		    (struct world_git){ .commit = is_off ? COMMIT_D : COMMIT_C,
			.contains = COMMIT_B,
			.is_off_branch = is_off });
		assert_non_null(strstr(world_plain(world_last(w)),
		    "\n⚠️ contains bbbbbbb, rolled back by deploybot, 12 min ago (HTTP "));
		assert_null(strstr(world_plain(world_last(w)), "blocked"));
	}
}

/* Nor does one that fails, or one that is not of the branch. */
/* "A person's rollback blocks the commit": its push and its poll came and deployed it again. */
WORLD_TEST_OF(
    a_push_of_what_a_person_rolled_back_is_reported_and_not_deployed, "POLL_REPOSITORY_SECONDS=60")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	push(w, "develop", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Push blocked: staging \"Make it blue\" bbbbbbb was rolled back by @ada, just now (to release 1, "
	    "aaaaaaa). A newer commit is deployed as ever; /deploy staging bbbbbbb asks first.");
	push(w, "develop", COMMIT_C);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 65 });
	world_polled(w, COMMIT_B, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
}

/* --- production --- */

WORLD_TEST(a_push_to_main_asks_the_team_and_any_admin_may_confirm)
{
	struct world_message *button;

	push(w, "main", COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	button = world_says_in(w, WORLD_TEAM, "Deploy to production?");
	assert_non_null(button);
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Denied: deploy: only an admin may.");
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(button, "Deploy to"));
	world_git_same(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_audited(w, "\"confirmed\"", "\"user_id\":\"telegram:22\""), 1);
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:33"), 1);
	/* Who confirmed it stands wherever it is shown. */
	assert_non_null(world_says(w, "pushed by octo (GitHub) · confirmed by @bob"));
	world_answers(
	    w, WORLD_ADMIN, "/status production", "requested by octo (GitHub), confirmed by @bob");
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	world_answers(w, WORLD_ADMIN, "/history production", "· octo (GitHub), confirmed by @bob");
	world_answers(
	    w, WORLD_ADMIN, "/status production", "just now, by octo (GitHub), confirmed by @bob");
}

/* The question after a push needs the grant confirm, in staging too. */
WORLD_TEST_OF(a_staging_user_may_not_answer_the_question_after_a_push, "STAGING_CONFIRM=true")
{
	struct world_message *button;

	push(w, "develop", COMMIT_A);
	button = world_says_in(w, WORLD_TEAM, "Deploy to staging?");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Only who may confirm may answer this.");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(button, "Not now"));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
}

WORLD_TEST(a_newer_push_replaces_the_question_and_says_so)
{
	char old[LIMIT_BUTTON_ID];

	push(w, "main", COMMIT_A);
	(void)text_copy(old, sizeof(old), world_button(world_last(w), "Deploy to"));
	push(w, "main", COMMIT_B);
	assert_non_null(
	    world_says(w, "⛔ Skipped: production, replaced by bbbbbbb\naaaaaaa \"Make it blue\""));
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, old);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(
	    world_count(w, EFFECT_TIMER), 3); /* the newer question's, daily one, audit's line */
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, world_button(world_last(w), "Deploy to"));
	world_git_same(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST(the_question_after_a_push_stands_for_a_day)
{
	int64_t asked;

	asked = w->aid.at;
	push(w, "main", COMMIT_A);
	world_due(w, TIMER_QUESTION);
	assert_in_range(w->aid.at - asked, 86400000, 86401000);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
}

WORLD_TEST(a_confirmed_push_waits_while_the_environment_is_busy)
{
	push(w, "main", COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, world_button(world_last(w), "Deploy to"));
	world_git_same(w);
	push(w, "main", COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	world_git_same(w);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_QUEUED);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	world_run_ends(w, GOOD);
	/* Its question showed that nothing was live there: asked anew, in its place. */
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says(w, "Not started: production runs aaaaaaa now"), "Deploy to"));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST(a_confirmed_push_takes_the_place_of_the_one_that_waits)
{
	static const char *const heads[] = { COMMIT_A, COMMIT_B, COMMIT_C };

	for (size_t i = 0; i < COUNT(heads); i++) {
		push(w, "main", heads[i]);
		(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
		    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
		world_git_same(w);
	}
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_SUPERSEDED);
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_QUEUED);
	assert_int_equal(world_deployment(w, 3).place, world_deployment(w, 2).place);
	world_run_ends(w, GOOD);
	world_git_same(w); /* asked anew: its question showed that nothing was live */
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says(w, "Not started: production runs aaaaaaa now"), "Deploy to"));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

/* Nothing polls: who pushed reads of it, and the same delivery may come again. */
TEST(a_push_whose_answer_cannot_be_handled_is_said_and_may_come_again)
{
	static const char *const polls[] = { "POLL_REPOSITORY_SECONDS=0",
		"POLL_REPOSITORY_SECONDS=60" };

	for (size_t i = 0; i < COUNT(polls); i++) {
		struct event *fault;
		struct world w;

		world_open(&w, polls[i], NULL);
		assert_int_equal(world_decide(&w, world_push(&w, "develop")).status, 200);
		fault = store_aid_event(&w.aid, EVENT_FAULT);
		fault->effect = world_peek(&w, EFFECT_GIT_QUERY)->id;
		fault->u.fault.kind = EFFECT_GIT_QUERY;
		(void)snprintf(fault->u.fault.reason, sizeof(fault->u.fault.reason), "a bug");
		effect_free(world_take(&w, EFFECT_GIT_QUERY));
		(void)world_decide(&w, fault);
		if (i > 0) { /* polling finds it */
			assert_null(world_says(&w, "Push not handled"));
		} else {
			assert_string_equal(
			    world_plain(world_says_in(&w, WORLD_TEAM, "Push not handled")),
			    "❌ Push not handled: staging: git's answer could not be handled: a "
			    "bug\nNothing asks again by itself: /deploy staging deploys the branch's "
			    "newest commit; or redeliver it at GitHub.");
			assert_true(world_last(&w)->is_silent);
			w.next_update--; /* GitHub's Redeliver: the same once more */
			assert_int_equal(world_decide(&w, world_push(&w, "develop")).status, 200);
			assert_non_null(world_peek(&w, EFFECT_GIT_QUERY));
		}
		world_close(&w);
	}
}

/* Goal: what somebody ships already is not asked about once more. */
WORLD_TEST_OF(a_push_of_what_is_being_deployed_asks_nothing, "STAGING_CONFIRM=true")
{
	int64_t id;

	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to staging"));
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	id = world_newest(w, "staging").id;
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_A, .count = 1 });
	assert_int_equal(world_newest(w, "staging").id, id);
	assert_null(world_says(w, "waits for an answer"));
	/* A newer one does. */
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
}
