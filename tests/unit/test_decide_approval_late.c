/* Goal: what comes when nothing awaits it any more approves, withdraws, reminds and lists nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "decide/approval/decide_approval.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/store_inside.h"

#define HOUR_MS (3600 * INT64_C(1000))

/* --- yes --- */

WORLD_TEST_OF(what_was_live_is_said_to_have_been_and_is_not_approved, "PRODUCTION_APPROVALS=1")
{
	for (int i = 0; i < 2; i++) {
		approval_presses(
		    w, i == 0 ? COMMIT_A : COMMIT_B, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		world_run_ends(w, GOOD);
		(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 1");
		assert_non_null(strstr(world_plain(world_last(w)),
		    i == 0 ? "#1 is live (approved by @bob): nothing is left" :
			     "#1 was live (approved by @bob): nothing is left"));
	}
	assert_int_equal(world_audited(w, "deploy_approval", "\"approved\""), 2);
}

/* Nothing that it does depends on what is live there. */
WORLD_TEST_OF(an_action_is_approved_where_what_is_live_is_not_known, "CLIENTS=acme",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1",
    "CLIENT_ACME_ENVIRONMENT=staging")
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	world_restored(w);
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* By night it needs one; it is day when they say yes to what was to replace another release. */
WORLD_TEST_OF(what_changed_and_needs_nobody_by_the_hour_is_approved_by_nobody,
    "PRODUCTION_APPROVALS_IF=outside Mon-Sun 01:00-23:59=1")
{
	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
	w->aid.at += 2 * HOUR_MS;
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_non_null(strstr(w->toast, "has changed; nobody has to approve it any more."));
	assert_string_equal(world_deployment(w, 1).approvers, "");
	assert_null(world_peek(w, EFFECT_RUN)); /* who confirmed it is asked first */
}

/* --- back --- */

static void
act_withdraw(struct tx *tx, void *arg)
{
	struct update update = {
		.kind = UPDATE_PRESS, .person = WORLD_OTHER_ADMIN, .name = "@bob"
	};
	struct deployment work;

	row_deployment_get(tx, *(int64_t *)arg, &work);
	decide_approval_withdraw(tx, &update, &work);
	assert_int_equal(tx->answer.status, 409);
	tx->answer.status = 200;
}

WORLD_TEST_OF(what_has_started_goes_on_though_a_yes_is_taken_back, "PRODUCTION_APPROVALS=1")
{
	int64_t id;

	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	id = world_newest(w, "production").id;
	assert_int_equal(world_deployment(w, id).state, DEPLOY_RUNNING);
	world_act(w, act_withdraw, &id);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_RUNNING);
	assert_string_equal(world_deployment(w, id).approvers, "@bob");
	assert_int_equal(world_audited(w, "deploy_approval", "withdrawn"), 0);
}

static void
act_look(struct tx *tx, void *arg)
{
	struct update update = { .kind = UPDATE_PRESS, .person = CAROL, .name = "@eve" };
	struct deployment work;

	row_deployment_get(tx, *(int64_t *)arg, &work);
	decide_approval_seen(tx, &update, &work);
}

WORLD_TEST_OF(who_looks_at_what_has_started_is_not_listed, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	int64_t id;

	approval_asks(w, COMMIT_A);
	id = world_newest(w, "production").id;
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_act(w, act_look, &id);
	assert_string_equal(world_question(w, "production").seen_by, "");
	assert_null(world_says(w, "seen by"));
}

/* --- time --- */

static void
act_due(struct tx *tx, void *arg)
{
	decide_approval_due(tx, *(int64_t *)arg);
}

WORLD_TEST_OF(a_deadline_of_what_has_started_ends_nothing, "PRODUCTION_APPROVALS=1")
{
	int64_t id;

	approval_asks(w, COMMIT_A);
	id = world_newest(w, "production").id;
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	w->aid.at += 48 * HOUR_MS;
	world_act(w, act_due, &id);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_RUNNING);
}

/* A deadline comes at the hours of its conditions as well. */
WORLD_TEST_OF(a_deadline_behind_the_reminder_reminds_nobody_again, "PRODUCTION_APPROVALS=1",
    "APPROVAL_TIMEOUT=8h")
{
	int64_t id;
	size_t rings;

	approval_asks(w, COMMIT_A);
	id = world_newest(w, "production").id;
	world_due(w, TIMER_APPROVAL);
	rings = world_rings(w);
	w->aid.at += HOUR_MS;
	world_act(w, act_due, &id);
	assert_int_equal(world_rings(w), rings);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_AWAITING_APPROVAL);
	world_due(w, TIMER_APPROVAL);
	assert_int_equal(world_deployment(w, id).state, DEPLOY_EXPIRED);
}

/* --- what git lists --- */

struct listing {
	const char *base; /* what the commits were listed over */
	const char *subject;
	int64_t id;
	char changes[LIMIT_MESSAGE];
};

static void
act_list(struct tx *tx, void *arg)
{
	struct listing *listing = arg;
	struct deployment work;
	struct effect_git_query query = { 0 };
	struct git_answer *answer = calloc(1, sizeof(*answer));

	row_deployment_get(tx, listing->id, &work);
	assert_non_null(answer);
	answer->count = 1;
	answer->n_changes = 1;
	(void)text_copy(answer->change[0].commit, LIMIT_COMMIT, COMMIT_B);
	(void)text_copy(answer->change[0].subject, LIMIT_SUBJECT, listing->subject);
	(void)text_copy(query.base, sizeof(query.base), listing->base);
	decide_approval_listed(tx, &work, &query, answer);
	free(answer);
	(void)text_copy(listing->changes, sizeof(listing->changes),
	    row_approval_request(tx, listing->id, &(struct approval_request){ 0 })->changes);
}

/* B was confirmed over nothing, and A is live: git is asked what B brings over it. */
WORLD_TEST_OF(commits_over_what_is_not_live_any_more_are_not_shown, "PRODUCTION_APPROVALS=1")
{
	struct listing listing = { .base = COMMIT_D, .subject = "Over D", .id = 1 };

	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	effect_free(world_take(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	world_act(w, act_list, &listing);
	assert_string_equal(listing.changes, "");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_A);
	listing.base = COMMIT_A;
	listing.subject = "Over A";
	world_act(w, act_list, &listing);
	assert_non_null(strstr(listing.changes, "Over A"));
	listing.subject = "Once more"; /* what they have read stays */
	world_act(w, act_list, &listing);
	assert_non_null(strstr(listing.changes, "Over A"));
	assert_null(world_says_in(w, WORLD_TEAM, "Once more"));
}
