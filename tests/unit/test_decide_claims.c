/* Goal: no two works touch one target, also after a start.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "queue_aid.h"

#include "store/row_claim.h"
#include "store/row_queue.h"
#include "store/store_inside.h"

/* --- claims --- */

struct held {
	const char *resource;
	int64_t work;
};

static void
hold(struct tx *tx, void *arg)
{
	const struct held *held = arg;

	assert_true(row_claim_take_one(tx, held->work, held->resource));
}

/* Whose queue is looked at first. */
static void
give_back_and_look(struct tx *tx, void *arg)
{
	static char environment[LIMIT_ENVIRONMENT];
	struct held *held = arg;

	row_claim_give_back(tx, held->work);
	assert_true(row_queue_next(tx, environment));
	held->resource = environment;
}

static void
count(struct tx *tx, void *arg)
{
	struct held *held = arg;

	held->work = row_claim_count(tx, held->work);
}

static int64_t
claims_of(struct world *w, int64_t work)
{
	struct held held = { .work = work };

	store_aid_act(&w->aid, count, &held);
	return held.work;
}

#define HOST "host:app.example.org:22/srv/app"

WORLD_TEST_OF(work_holds_what_it_touches_from_its_start_to_its_end, "STAGING_HOST=App.example.org")
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	assert_int_equal(claims_of(w, 1), 2); /* itself, a folder */
	assert_int_equal(claims_of(w, 2), 0);
	queue_aid_go_live(w);
	assert_int_equal(claims_of(w, 1), 0);
	queue_aid_is_ahead(w, 1);
	assert_int_equal(claims_of(w, 2), 2);
}

/* Renamed, or edited while something runs: settings do not show it, the claim does. */
WORLD_TEST_OF(two_names_never_touch_one_target, "ENVIRONMENTS=staging,production",
    "PRODUCTION_HOST=app.example.org", "PRODUCTION_CONFIRM=false", "STAGING_HOST=other.example.org")
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_RUNNING);
	world_settings(w, "ENVIRONMENTS=staging", "STAGING_HOST=app.example.org:22", NULL);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	assert_string_equal(world_deployment(w, 2).waits_for, HOST);
	assert_non_null(world_says(w, "waits for #1 of production, which holds " HOST));
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING); /* its queue was looked at */
	assert_string_equal(world_deployment(w, 2).waits_for, "");
}

#define ACME \
	"ENVIRONMENTS=staging,production", "PRODUCTION_CONFIRM=false", "CLIENTS=acme", \
	    "CLIENT_ACME_HOST=acme.example", "CLIENT_ACME_ACTIONS=clear-cache", \
	    "CLIENT_ACME_CACHE_COMMAND=bin/clear"

/* What it is called now, and what it was called when the action began. */
TEST(a_client_that_became_an_environment_is_one_target)
{
	static const char *const before[] = { NULL, "CLIENT_ACME_ENVIRONMENT=production" };
	struct world w;

	for (size_t i = 0; i < COUNT(before); i++) {
		world_open(&w, ACME, before[i], NULL);
		(void)world_text(&w, WORLD_ADMIN, "/do clear-cache acme");
		if (world_peek(&w, EFFECT_RUN) == NULL)
			(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
			    world_button(world_last(&w), "clear-cache"));
		assert_int_equal(queue_aid_state(&w, 1), DEPLOY_RUNNING);
		world_settings(&w, ACME, "CLIENT_ACME_ENVIRONMENT=staging", NULL);
		(void)queue_aid_ask(&w, WORLD_ADMIN, COMMIT_B);
		assert_int_equal(queue_aid_state(&w, 2), DEPLOY_QUEUED);
		assert_string_equal(world_deployment(&w, 2).waits_for, "client:acme");
		world_run_ends(&w, (struct run_ended){ .gate_opened = true });
		assert_int_equal(queue_aid_state(&w, 2), DEPLOY_RUNNING);
		/* And it is that client from then on, whatever that is called next. */
		world_settings(&w, ACME, NULL);
		(void)world_text(&w, WORLD_ADMIN, "/do clear-cache acme");
		if (world_newest(&w, "client/acme").state != DEPLOY_QUEUED)
			(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
			    world_button(world_last(&w), "clear-cache"));
		assert_int_equal(queue_aid_state(&w, 3), DEPLOY_QUEUED);
		assert_string_equal(world_deployment(&w, 3).waits_for, "client:acme");
		world_close(&w);
	}
}

/* Production has another host by now; what runs there was begun on this one. */
WORLD_TEST_OF(who_waits_longer_for_a_resource_has_it_first, "STAGING_HOST=app.example.org",
    "PRODUCTION_HOST=b.example.org", "PRODUCTION_CONFIRM=false")
{
	struct held first = { HOST, 999 };

	store_aid_act(&w->aid, hold, &first);
	assert_int_equal(queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_A), 1); /* the older place */
	world_settings(w, "STAGING_HOST=c.example.org", "PRODUCTION_HOST=app.example.org",
	    "PRODUCTION_CONFIRM=false", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	assert_string_equal(world_deployment(w, 2).waits_for, HOST);
	store_aid_act(&w->aid, give_back_and_look, &first);
	assert_string_equal(first.resource, "staging");
}

static void
drop_claims(struct tx *tx, UNUSED void *arg)
{
	assert_true(tx_run(tx, "DELETE FROM claim"));
}

WORLD_TEST_OF(what_an_older_place_waits_for_is_not_taken, "STAGING_HOST=app.example.org",
    "PRODUCTION_HOST=b.example.org", "PRODUCTION_CONFIRM=false")
{
	struct held held = { HOST, 999 };

	store_aid_act(&w->aid, hold, &held);
	assert_int_equal(queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_A), 1);
	assert_string_equal(world_deployment(w, 1).waits_for, HOST);
	store_aid_act(&w->aid, drop_claims, NULL); /* it is free, and nobody has looked yet */
	world_settings(w, "STAGING_HOST=c.example.org", "PRODUCTION_HOST=app.example.org",
	    "PRODUCTION_CONFIRM=false", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	assert_string_equal(world_deployment(w, 2).waits_for, HOST);
}

/* --- at start --- */

static void
forget_claims(struct tx *tx, UNUSED void *arg)
{
	assert_true(tx_run(tx, "DELETE FROM claim"));
	assert_true(tx_run(tx, "INSERT INTO claim (resource, work) VALUES ('env:old', 999)"));
}

static int64_t
all_claims(struct world *w)
{
	return claims_of(w, 1) + claims_of(w, 999);
}

WORLD_TEST_OF(at_start_what_is_active_has_claims_and_nothing_else, "STAGING_HOST=app.example.org")
{
	world_deploy_starts(w, COMMIT_A);
	store_aid_act(&w->aid, forget_claims, NULL);
	assert_int_equal(claims_of(w, 1), 0);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(claims_of(w, 1), 2);
	assert_int_equal(all_claims(w), 2);
}

WORLD_TEST(at_start_the_queue_goes_on)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_string_equal(queue_aid_list(w), "#2 #3");
}

WORLD_TEST_OF(at_start_what_has_left_the_settings_ends, "ENVIRONMENTS=staging,production")
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	world_settings(w, "ENVIRONMENTS=production", NULL);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(
	    queue_aid_state(w, 2), DEPLOY_QUEUED); /* behind what ends as it would have */
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_REFUSED);
}

static void
forget_ends(struct tx *tx, UNUSED void *arg)
{
	assert_true(tx_run(tx, "UPDATE work SET state = 'FAILED', ended_at = 1 WHERE id = 1"));
}

WORLD_TEST_OF(a_place_where_nothing_is_left_ends_at_start, "ENVIRONMENTS=staging,production")
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	store_aid_act(&w->aid, forget_ends, NULL);
	world_settings(w, "ENVIRONMENTS=production", NULL);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "this environment is no longer in the settings"));
}

/* Found by the simulation (SEED=20002): what the runner refused had been reviewed while it was in
 * progress, and was nothing to review once it was queued again.  They are asked to once more. */
WORLD_TEST_OF(what_comes_back_to_the_queue_has_not_been_reviewed, "STAGING_CONFIRM=false")
{
	const struct world_message *rung;

	world_asks(w, WORLD_ADMIN, "/deploy staging emergency it is down", COMMIT_A);
	rung = world_says_in(w, WORLD_TEAM, "\n#1 asks for no approval");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(rung, "Review done"));
	assert_int_not_equal(world_deployment(w, 1).exempt.reviewed_at, 0);
	assert_non_null(strstr(world_plain(rung), "reviewed by @bob"));
	assert_int_equal(rung->buttons.n, 0);
	w->settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb";
	world_run_refused(w);
	assert_int_equal(world_deployment(w, 1).exempt.reviewed_at, 0);
	assert_string_equal(world_deployment(w, 1).exempt.reviewer, "");
	assert_null(strstr(world_plain(rung), "reviewed by"));
	world_run_ends(w, GOOD);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(rung, "Review done"));
	assert_int_not_equal(world_deployment(w, 1).exempt.reviewed_at, 0);
}
