/* Goal: a call of a hook starts its one thing once, as a principal that may do nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "blocked_aid.h"

#include "factor_aid.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "store/row_hook.h"
#include "store/store_inside.h"
#include "types/principal.h"
#include "types/roles.h"

#define TEAM	"TELEGRAM_CHAT_ID=-1001"
#define SECRET	"WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef"
#define STAGING "HOOK_BUILD_DONE_STARTS=deploy:staging ref=$.ref"
#define RELEASE "HOOK_RELEASE_STARTS=deploy:production ref=$.ref"
#define MIGRATE "HOOK_MIGRATE_STARTS=do.run-job:staging argument=$.ref"
#define MINUTE	INT64_C(60000)
#define DAY	(24 * 60 * MINUTE)

static struct answer
call_with(struct world *w, const char *id, const char *key, const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HOOK);
	struct hook_call *call = calloc(1, sizeof(*call));
	struct hook_line line;
	struct hook hook;
	struct err err;

	assert_non_null(call);
	event->u.hook = call;
	assert_true(hook_find(w->aid.settings, id, &hook));
	hook_line_read(hook.starts, hook.application, &line);
	assert_true(hook_line_request(&line, body, strlen(body), &call->request, &err));
	assert_true(crypto_sha256(body, strlen(body), call->digest, &err));
	(void)snprintf(call->id, sizeof(call->id), "%s", id);
	(void)snprintf(call->key, sizeof(call->key), "%s", key);
	call->from = (struct update){ .kind = UPDATE_TEXT };
	(void)snprintf(call->from.name, sizeof(call->from.name), "hook %s", id);
	return world_decide(w, event);
}

/* Its status; the work stands in *ret_work. */
static int
call(struct world *w, const char *id, const char *key, const char *body, int64_t *ret_work)
{
	struct answer answer = call_with(w, id, key, body);

	*ret_work = answer.work;
	return answer.status;
}

#define SAID(w, part) \
	do { \
		if (strstr((w)->aid.said, part) == NULL) \
			fail_msg("not said: %s, but %s", part, (w)->aid.said); \
	} while (0)

static void
open_world(struct world *w, const char *more, const char *other)
{
	world_open(w, TEAM, SECRET, STAGING, RELEASE, more, more == NULL ? NULL : other, NULL);
}

WORLD_TEST_BARE(a_call_is_a_deployment_of_that_hook)
{
	int64_t work;

	open_world(w, NULL, NULL);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"develop\"}", &work), 202);
	assert_int_equal(
	    world_deployment(w, work).requested_by, principal_of_row(PRINCIPAL_HOOK, 1));
	assert_string_equal(world_deployment(w, work).ref, "develop");
	SAID(w, "{\"id\":1,\"state\":\"requested\",\"said\":\"\"}");
	assert_int_equal(world_audited(w, "deploy_requested", "hook:build-done"), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_run_plays(w, GOOD);
	assert_non_null(world_says_in(w, WORLD_TEAM, "hook build-done"));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_BARE(what_the_policy_needs_is_said_and_asked_in_the_chat)
{
	int64_t work;

	open_world(w, "STAGING_APPROVALS=1", NULL);
	assert_int_equal(call(w, "release", "a", "{\"ref\":\"main\"}", &work), 202);
	SAID(w, "\"state\":\"awaiting_confirmation\"");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(w, WORLD_TEAM, "Deploy to"));
	assert_int_equal(call(w, "release", "a", "{\"ref\":\"main\"}", &work), 202);
	SAID(w, "\"state\":\"awaiting_confirmation\"");
	assert_int_equal(call(w, "build-done", "a", "{\"ref\":\"develop\"}", &work), 202);
	SAID(w, "\"state\":\"awaiting_approval\"");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_deployment(w, work).state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "\n⚠️ asked for by a hook, whose secret one of you may have\n"));
}

WORLD_TEST_BARE(the_same_key_is_one_call_for_a_day)
{
	int64_t first, work;

	open_world(w, NULL, NULL);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"a\"}", &first), 202);
	w->aid.at += DAY - 100; /* each event is a moment later */
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"a\"}", &work), 202);
	assert_int_equal(work, first);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"b\"}", &work), 422);
	assert_int_equal(work, 0);
	SAID(w, "{\"id\":null,\"state\":null");
	assert_int_equal(call(w, "release", "k", "{\"ref\":\"b\"}", &work), 202); /* its own keys */
	assert_int_not_equal(work, first);
	assert_int_equal(call(w, "build-done", "K", "{\"ref\":\"b\"}", &work), 202);
	assert_int_not_equal(work, first);
	w->aid.at += 200;
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"b\"}", &work), 202);
	assert_int_not_equal(work, first);
}

WORLD_TEST_BARE(without_a_key_the_same_body_is_one_call_for_a_minute)
{
	int64_t first, work;

	open_world(w, NULL, NULL);
	assert_int_equal(call(w, "build-done", "", "{\"ref\":\"a\"}", &first), 202);
	w->aid.at += MINUTE - 100;
	assert_int_equal(call(w, "build-done", "", "{\"ref\":\"a\"}", &work), 202);
	assert_int_equal(work, first);
	w->aid.at += 200;
	assert_int_equal(call(w, "build-done", "", "{\"ref\":\"a\"}", &work), 202);
	assert_int_not_equal(work, first);
	/* A key that looks like what a body is noted by is another's. */
	assert_int_equal(call(w, "build-done", "body x", "{\"ref\":\"a\"}", &work), 202);
}

WORLD_TEST_BARE(a_clock_that_was_set_back_keeps_nothing_back_for_longer)
{
	int64_t first, work;

	open_world(w, "ROLE_RATE_LIMIT=0", NULL);
	w->aid.at += DAY;
	assert_int_equal(call(w, "build-done", "", "{\"ref\":\"a\"}", &first), 202);
	w->aid.at -= 2 * MINUTE;
	assert_int_equal(call(w, "build-done", "", "{\"ref\":\"a\"}", &work), 202);
	assert_int_not_equal(work, first);
}

WORLD_TEST_BARE(a_refusal_is_answered_alike_when_it_comes_again)
{
	int64_t work;

	open_world(w, NULL, NULL);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"-x\"}", &work), 409);
	assert_int_equal(work, 0);
	SAID(w, "cannot begin with");
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"-x\"}", &work), 409);
	SAID(w, "cannot begin with");
}

FACTOR_TEST_BARE(what_needs_a_code_is_denied_and_nothing_is_done)
{
	int64_t work;

	factor_write_key(FACTOR_KEY);
	open_world(w, "REQUIRE_OTP=deploy:staging", factor_key_setting);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"develop\"}", &work), 403);
	assert_int_equal(work, 0);
	SAID(w, "which no hook has");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_audited(w, "denied", "hook:build-done"), 1);
}

WORLD_TEST_BARE(a_hook_may_do_nothing_else)
{
	const struct roles *roles;
	const struct role *role;
	size_t found;

	open_world(w, NULL, NULL);
	roles = w->aid.settings->roles;
	assert_true(roles_find_own(roles, PRINCIPAL_HOOK, "", "build-done") > 0);
	role = &roles->role[roles_find_own(roles, PRINCIPAL_HOOK, "", "build-done") - 1];
	assert_int_equal(role->grant_count, 1);
	assert_string_equal(roles->grant[role->first_grant].text, "deploy:staging");
	/* Nor has anybody else its role, root neither. */
	assert_int_equal(roles_named(roles, "build-done", &found), ROLES_NONE);
	assert_int_equal(roles_named(roles, "hook", &found), ROLES_NONE);
	for (size_t i = 0; i < roles->member_count; i++)
		assert_int_equal(roles->role[roles->member[i].role].of, PRINCIPAL_SYSTEM);
}

WORLD_TEST_BARE(a_hook_that_left_the_settings_starts_nothing_that_waits)
{
	int64_t work;

	open_world(w, NULL, NULL);
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"develop\"}", &work), 202);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_deployment(w, work).state, DEPLOY_QUEUED);
	world_settings(w, TEAM, NULL);
	world_run_ends(w, GOOD);
	assert_int_not_equal(world_deployment(w, work).ended_at, 0);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_BARE(too_many_calls_are_429_and_may_come_again)
{
	char key[16], body[32];
	int64_t work;
	int status = 0;

	open_world(w, NULL, NULL);
	for (int i = 0; i < 40 && status != 429; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)snprintf(body, sizeof(body), "{\"ref\":\"-%d\"}", i);
		status = call(w, "build-done", key, body, &work);
	}
	assert_int_equal(status, 429);
	w->aid.at += MINUTE;
	assert_int_equal(call(w, "build-done", key, body, &work), 409); /* it was not noted */
}

WORLD_TEST_BARE(an_action_is_started_by_its_words)
{
	int64_t work;

	open_world(w, MIGRATE, "JOB_MIGRATE=rake db:migrate");
	assert_int_equal(call(w, "migrate", "k", "{\"ref\":\"migrate\"}", &work), 409);
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(call(w, "migrate", "l", "{\"ref\":\"migrate\"}", &work), 202);
	assert_string_equal(world_deployment(w, work).action, "run-job");
	assert_string_equal(world_deployment(w, work).argument, "migrate");
	assert_int_equal(call(w, "migrate", "m", "{\"ref\":\"drop-all\"}", &work), 409);
}

static void
count_calls(struct tx *tx, void *arg)
{
	*(int64_t *)arg = tx_number(tx, "SELECT COUNT(*) FROM hook_call");
}

WORLD_TEST_BARE(calls_go_after_a_day)
{
	int64_t work, n = -1;

	open_world(w, NULL, NULL);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"a\"}", &work), 202);
	w->aid.at += 2 * DAY;
	world_due(w, TIMER_DAILY);
	world_act(w, count_calls, &n);
	assert_int_equal(n, 0);
}

/* As a push of then: the repair contains what was rolled back, and nobody is there to be asked.
 * What is rolled back while it waits is asked about. */
WORLD_TEST_BARE(what_it_asks_for_behind_a_rollback_starts_as_a_push_does)
{
	int64_t work;

	open_world(w, NULL, NULL);
	world_starts_over(w, COMMIT_A, COMMIT_B);
	assert_int_equal(call(w, "build-done", "k", "{\"ref\":\"develop\"}", &work), 202);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_int_equal(world_deployment(w, work).state, DEPLOY_QUEUED);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, GOOD);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "contains bbbbbbb, rolled back meanwhile"));
	assert_int_equal(call(w, "build-done", "l", "{\"ref\":\"develop\"}", &work), 202);
	world_git(w, (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_D);
}

/* --- behind a rename --- */

#define OF_CI SECRET "\nHOOK_CI_STARTS=deploy:staging\n"

/* shop is store by now, where the same call starts nothing, and another shop has a hook of that
 * name, where it is another call. */
WORLD_TEST(calls_go_with_their_application_to_its_new_name)
{
	int64_t first, second, other;
	char path[160];

	world_application(w, "shop", OF_CI);
	assert_int_equal(call(w, "shop/ci", "k", "{}", &first), 202);
	(void)snprintf(path, sizeof(path), "%s/apps/shop.env", w->aid.folder);
	assert_int_equal(unlink(path), 0);
	world_application(w, "store", OF_CI "RENAMED_FROM=shop\n");
	world_settings_read(w);
	world_application(w, "shop", OF_CI);
	world_settings_read(w);
	assert_int_equal(call(w, "store/ci", "k", "{}", &second), 202);
	assert_int_equal(second, first);
	assert_int_equal(call(w, "shop/ci", "k", "{}", &other), 202);
	assert_int_not_equal(other, first);
}

/* --- behind what was rolled back --- */

static int64_t
build_done(struct world *w, const char *key, struct world_git git)
{
	int64_t work;

	assert_int_equal(call(w, "build-done", key, "{\"ref\":\"develop\"}", &work), 202);
	world_git(w, git);
	return work;
}

/* develop came to what contains it since: as behind a push of that, a repair goes on. */
WORLD_TEST_OF(
    what_a_branch_came_to_since_is_started, TEAM, SECRET, STAGING, "POLL_REPOSITORY_SECONDS=60")
{
	world_deploy_goes_live(w, COMMIT_A);
	world_polled(w, COMMIT_A, COMMIT_A);
	(void)build_done(w, "b", (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
	world_polled(w, COMMIT_B, COMMIT_A);
	(void)build_done(w, "c", OVER_B);
	blocked_goes_live(w, COMMIT_C);
}

/* One build took longer than the trouble: its commit was pushed before, on top of what failed. */
WORLD_TEST_OF(what_was_pushed_before_a_block_is_asked_about, TEAM, SECRET, STAGING)
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)build_done(w, "b", (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/cancel staging"); /* the push itself */
	assert_int_equal(build_done(w, "c", OVER_B), 4);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 4).state, DEPLOY_AWAITING_CONFIRMATION);
}

/* Nor did anybody look at the branch in between: it may have been merged before the rollback. */
WORLD_TEST_OF(what_nobody_saw_pushed_since_a_block_is_asked_about, TEAM, SECRET, STAGING)
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)build_done(w, "b", (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
	assert_int_equal(build_done(w, "c", OVER_B), 3);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_AWAITING_CONFIRMATION);
}

/* Nobody announced it: a poll saw it. */
WORLD_TEST_OF(what_a_poll_saw_before_a_block_is_asked_about, TEAM, SECRET, STAGING,
    "POLL_REPOSITORY_SECONDS=60")
{
	world_deploy_goes_live(w, COMMIT_A);
	world_polled(w, COMMIT_A, COMMIT_A);
	(void)build_done(w, "b", (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	world_polled(w, COMMIT_C, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/cancel staging"); /* the push itself */
	assert_int_equal(build_done(w, "c", OVER_B), 4);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 4).state, DEPLOY_AWAITING_CONFIRMATION);
}

/* Nor is an older commit of the branch a repair of what it contains. */
WORLD_TEST_OF(what_is_not_the_newest_of_its_branch_is_asked_about, TEAM, SECRET, STAGING)
{
	int64_t work;

	world_deploy_goes_live(w, COMMIT_A);
	(void)build_done(w, "b", (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
	work = build_done(w, "c",
	    (struct world_git){
		.commit = COMMIT_C, .contains = COMMIT_B, .branch_commit = COMMIT_D });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, work).state, DEPLOY_AWAITING_CONFIRMATION);
}
