/* Goal: nothing takes an action for a deployment: all that looks at work looks at its program.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_tell.h"
#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_run.h"

#define CLIENT \
	"CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=clear-cache", \
	    "CLIENT_ACME_CACHE_COMMAND=bin/clear", "CLIENT_ACME_ENVIRONMENT=staging"

/* Else the runner is asked to carry out what it knows nothing of. */
TEST(each_executor_that_is_not_the_runners_has_registered)
{
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		enum action_executor by = action_table[i].executor;
		bool is_runners =
		    by == ACTION_BY_HOST || by == ACTION_BY_RELEASE || by == ACTION_BY_ANSIBLE;

		if ((decide_executor_of(action_table[i].name) == NULL) != is_runners)
			fail_msg("%s", action_table[i].name);
	}
}

/* Asked for, confirmed, looked at: each time by the grant of its row. */
TEST(an_action_asks_for_the_grant_of_its_row)
{
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		struct deployment action = { .program = PROGRAM_ACTION };

		(void)text_copy(action.action, sizeof(action.action), action_table[i].name);
		assert_int_equal(deployment_grant(&action), action_table[i].grant);
	}
}

/* By its row: test_command_do asks for one. */
static struct deployment
action_of(int64_t person, enum deploy_state state)
{
	return (struct deployment){ .environment = "staging",
		.program = PROGRAM_ACTION,
		.action = "clear-cache",
		.client = "acme",
		.trigger = TRIGGER_CHAT,
		.state = state,
		.requested_by = person,
		.requester = "@ada",
		.address = { .chat = WORLD_GROUP },
		.requested_at = STORE_AID_AT,
		.answered_at = STORE_AID_AT };
}

static void
act_queue(struct tx *tx, void *arg)
{
	struct deployment *action = arg;

	row_deployment_add(tx, action);
	decide_queue(tx, action->environment);
}

/* A is live, with a health URL, and an action has begun: its row's number. */
static int64_t
begin(struct world *w, int64_t person)
{
	struct deployment action = action_of(person, DEPLOY_QUEUED);

	world_open(w, STAGING_URL, CLIENT, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	w->counted[0] = '\0';
	world_act(w, act_queue, &action);
	return action.id;
}

WORLD_TEST_BARE(an_action_has_no_urls_no_rollback_and_no_word_to_the_team)
{
	struct deployment action;
	struct effect *run;

	action = world_deployment(w, begin(w, WORLD_ADMIN));
	assert_int_equal(action.state, DEPLOY_RUNNING);
	assert_string_equal(action.urls, "");
	assert_string_equal(action.previous, "");
	assert_int_equal(action.also_message, 0);
	assert_int_equal(world_last(w)->chat, WORLD_GROUP);
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ACTION);
	assert_int_equal(world_audited(w, "action_started", NULL), 1);
	assert_int_equal(world_audited(w, "deploy_started", NULL), 1); /* that of A */
}

WORLD_TEST_BARE(what_it_did_it_did_and_no_release_comes_of_it)
{
	int64_t id;

	id = begin(w, WORLD_ADMIN);
	world_run_plays(w, GOOD);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_DONE);
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_string_equal(w->counted, ""); /* no deployment was counted */
	assert_int_equal(world_audited(w, "action_completed", NULL), 1);
	assert_int_equal(world_audited(w, "deploy_success", NULL), 1);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_BARE(a_failed_action_is_no_failed_deployment)
{
	struct environment staging;
	int64_t id;

	id = begin(w, WORLD_ADMIN);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_FAILED);
	assert_null(world_peek(w, EFFECT_RUN)); /* neither again nor rolled back */
	assert_string_equal(w->counted, "");
	assert_int_equal(world_audited(w, "action_failed", NULL), 1);
	assert_int_equal(world_audited(w, "deploy_failed", NULL), 0);
	staging = world_environment(w, "staging");
	assert_false(staging.is_down || staging.is_unacknowledged);
	assert_string_equal(world_blocked(w, "staging"), "");
}

/* Given up without an exit record it ends as well: nobody would free its environment. */
static void
act_give_up(struct tx *tx, void *arg)
{
	struct deployment action;

	row_deployment_get(tx, *(int64_t *)arg, &action);
	decide_give_up(tx, &action, "nobody answers");
}

WORLD_TEST_BARE(an_action_that_is_given_up_ends)
{
	int64_t id;

	id = begin(w, WORLD_ADMIN);
	world_act(w, act_give_up, &id);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_FAILED);
}

WORLD_TEST_BARE(an_action_can_be_cancelled)
{
	int64_t id;

	id = begin(w, WORLD_ADMIN);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_deployment(w, id).state, DEPLOY_STOPPING);
	assert_non_null(world_peek(w, EFFECT_STOP_RUN));
}

/* Who may deploy there may not do everything there: asked when it starts ... */
WORLD_TEST_BARE(who_may_deploy_does_not_start_an_action_by_that)
{
	int64_t id;

	id = begin(w, WORLD_STAGING_USER);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_REFUSED);
	assert_null(world_peek(w, EFFECT_RUN));
}

static void
act_question(struct tx *tx, void *arg)
{
	struct deployment *action = arg;
	struct button_row row = { .chat = WORLD_GROUP, .is_once = true };

	row_deployment_add(tx, action);
	row.request = request_about("confirm", "work", action->id);
	request_add(&row.request, "answer", "yes");
	row_button_add(tx, &row);
	(void)text_copy(action->detail, sizeof(action->detail), row.id);
}

/* ... and at each press. */
WORLD_TEST_OF(who_may_deploy_confirms_no_action_by_that, CLIENT)
{
	struct deployment action = action_of(WORLD_STAGING_USER, DEPLOY_AWAITING_CONFIRMATION);

	world_act(w, act_question, &action);
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, action.detail);
	assert_int_equal(world_audited(w, "\"denied\"", "\"do"), 1);
	assert_int_equal(world_deployment(w, action.id).state, DEPLOY_AWAITING_CONFIRMATION);
}

static void
act_tell(struct tx *tx, void *arg)
{
	struct deployment *action = arg;

	row_deployment_add(tx, action);
	(void)row_run_add(tx, action->id, PROGRAM_ACTION, RUNNER_LOCAL);
	(void)row_run_add(tx, action->id, PROGRAM_ROLLBACK, RUNNER_LOCAL);
	decide_tell(tx, action, NULL);
}

WORLD_TEST_BARE(its_buttons_are_its_own)
{
	struct deployment action = action_of(WORLD_ADMIN, DEPLOY_AWAITING_CONFIRMATION);

	action.is_again = action.is_forward = action.wait.is_behind = true;
	world_open(w, CLIENT, NULL);
	world_act(w, act_tell, &action);
	assert_string_not_equal(world_button(world_last(w), "🔧 clear-cache client/acme"), "");
	assert_string_equal(world_button(world_last(w), "Deploy again"), "");
	assert_string_equal(world_button(world_last(w), "Roll forward"), "");
	assert_string_not_equal(world_button(world_last(w), "📄 Log"), "");
	assert_string_equal(world_button(world_last(w), "Rollback log"), "");
}

/* CI says a push again when its image is there: an action between the two hid the first. */
WORLD_TEST_BARE(an_action_does_not_hide_what_came_to_nothing)
{
	struct deployment action = action_of(WORLD_ADMIN, DEPLOY_DONE);

	action.started_at = STORE_AID_AT;
	world_open(w, CLIENT, NULL);
	world_push_is_at(w, COMMIT_A);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_FAILED);
	world_act(w, act_question, &action);
	assert_int_equal(action.id, 2);
	world_push_is_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 3);
}
