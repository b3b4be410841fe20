/* Goal: no more runs at once than may be, shared fairly; a rollback needs no slot.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_slot.h"

#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_queue.h"

static const char *
apps_text(const struct world *w)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	return text;
}

/* These applications, two environments each, with these bounds. */
static void
begin(struct world *w, const char *most, const char *each)
{
	world_open(w, NULL);
	for (const char *const *name = (const char *const[]){ "api", "shop", "web", NULL };
	     *name != NULL; name++)
		world_application(w, *name, "STAGING_CONFIRM=false\nPRODUCTION_CONFIRM=false\n");
	world_settings(w, apps_text(w), "GITHUB_REPOSITORY=", most, each, NULL);
}

static void
deploy(struct world *w, int64_t person, const char *environment, const char *commit)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/deploy %s", environment);
	w->aid.at += 2000;
	world_asks(w, person, text, commit);
}

static enum deploy_state
state_of(struct world *w, const char *environment)
{
	return world_newest(w, environment).state;
}

#define RUNS(environment)  assert_int_equal(state_of(w, environment), DEPLOY_RUNNING)
#define WAITS(environment) assert_int_equal(state_of(w, environment), DEPLOY_QUEUED)

/* The run of this environment ends without having touched anything. */
static void
end(struct world *w, const char *environment)
{
	struct deployment work = world_newest(w, environment);

	assert_int_equal(work.state, DEPLOY_RUNNING);
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect->kind != EFFECT_RUN || effect->subject != work.id)
			continue;
		memmove(&w->open[1], &w->open[0], i * sizeof(w->open[0])); /* now the oldest */
		w->open[0] = effect;
	}
	world_run_ends(w, FAILED_BEFORE_RELEASE);
}

WORLD_TEST_BARE(no_more_run_at_once_than_may)
{
	begin(w, "RUNS_MAX=2", "APPLICATION_RUNS_MAX=0");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "api/production", COMMIT_B);
	deploy(w, WORLD_OTHER_ADMIN, "shop/staging", COMMIT_C);
	RUNS("api/staging");
	RUNS("api/production");
	WAITS("shop/staging");
	assert_string_equal(world_newest(w, "shop/staging").waits_for, ROW_QUEUE_SLOT);
	assert_non_null(world_says(w, "waits: as many deployments are in progress as may be"));
	(void)world_text(w, WORLD_ADMIN, "/queue");
	assert_non_null(world_says(w, "waits: 2 of 2 deployments in progress ("));
	end(w, "api/staging");
	RUNS("shop/staging");
}

WORLD_TEST_BARE(one_application_has_no_more_than_its_share)
{
	begin(w, "RUNS_MAX=8", "APPLICATION_RUNS_MAX=1");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "api/production", COMMIT_B);
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_C);
	RUNS("api/staging");
	WAITS("api/production");
	RUNS("shop/staging"); /* another one's */
	(void)world_text(w, WORLD_ADMIN, "/queue api");
	assert_non_null(
	    world_says(w, "waits: 1 of 1 deployments of its application in progress ("));
	end(w, "shop/staging");
	WAITS("api/production");
	end(w, "api/staging");
	RUNS("api/production");
}

/* api has one and waited longest; shop has none. */
WORLD_TEST_BARE(a_free_slot_goes_to_who_has_the_fewest_then_to_who_waits_longest)
{
	begin(w, "RUNS_MAX=2", "APPLICATION_RUNS_MAX=0");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "web/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "api/production", COMMIT_B);
	deploy(w, WORLD_OTHER_ADMIN, "shop/staging", COMMIT_C);
	deploy(w, WORLD_OTHER_ADMIN, "shop/production", COMMIT_D);
	end(w, "web/staging");
	RUNS("shop/staging");
	WAITS("api/production");
	WAITS("shop/production");
	end(w, "api/staging"); /* now api has none */
	RUNS("api/production");
	WAITS("shop/production");
	end(w, "api/production");
	RUNS("shop/production");
}

/* Whoever comes while others wait for the same slot does not overtake them. */
WORLD_TEST_BARE(whoever_comes_later_waits_behind)
{
	begin(w, "RUNS_MAX=1", "APPLICATION_RUNS_MAX=0");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_B);
	deploy(w, WORLD_ADMIN, "web/staging", COMMIT_C);
	end(w, "api/staging");
	RUNS("shop/staging");
	WAITS("web/staging");
}

/* shop/staging went live, and then something worse. */
WORLD_TEST_BARE(a_persons_rollback_needs_no_slot_and_takes_none)
{
	begin(w, "RUNS_MAX=1", "APPLICATION_RUNS_MAX=1");
	for (int i = 0; i < 2; i++) {
		deploy(w, WORLD_ADMIN, "shop/staging", i == 0 ? COMMIT_A : COMMIT_B);
		world_run_starts(w);
		world_run_ends(w, GOOD);
		assert_int_equal(state_of(w, "shop/staging"), DEPLOY_LIVE);
	}
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_C);
	RUNS("api/staging");
	(void)world_text(w, WORLD_ADMIN, "/rollback shop/staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll"));
	RUNS("shop/staging");
	end(w, "api/staging");
	deploy(w, WORLD_ADMIN, "web/staging", COMMIT_D);
	RUNS("web/staging"); /* beside the rollback */
}

WORLD_TEST_BARE(an_automatic_rollback_keeps_the_slot_of_its_deployment)
{
	begin(w, "RUNS_MAX=1", "APPLICATION_RUNS_MAX=1");
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_A);
	world_run_starts(w);
	world_run_ends(w, GOOD);
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_B);
	deploy(w, WORLD_ADMIN, "web/staging", COMMIT_C);
	world_run_starts(w);
	world_run_ends(w, TOUCHED);
	assert_int_equal(state_of(w, "shop/staging"), DEPLOY_ROLLING_BACK);
	WAITS("web/staging");
	world_run_starts(w);
	world_run_ends(w, GOOD);
	assert_int_equal(state_of(w, "shop/staging"), DEPLOY_ROLLED_BACK);
	RUNS("web/staging");
}

WORLD_TEST_BARE(more_may_run_as_soon_as_the_settings_say_so)
{
	begin(w, "RUNS_MAX=1", "APPLICATION_RUNS_MAX=1");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "api/production", COMMIT_A);
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_B);
	world_settings(
	    w, apps_text(w), "GITHUB_REPOSITORY=", "RUNS_MAX=2", "APPLICATION_RUNS_MAX=2", NULL);
	struct event *event = store_aid_event(&w->aid, EVENT_SETTINGS);

	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	RUNS("shop/staging"); /* has none, though it came later */
	WAITS("api/production");
	/* Fewer than run: they go on, and nobody is started. */
	world_settings(
	    w, apps_text(w), "GITHUB_REPOSITORY=", "RUNS_MAX=1", "APPLICATION_RUNS_MAX=1", NULL);
	end(w, "shop/staging");
	WAITS("api/production");
	/* 0: any number. */
	world_settings(
	    w, apps_text(w), "GITHUB_REPOSITORY=", "RUNS_MAX=0", "APPLICATION_RUNS_MAX=0", NULL);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	RUNS("api/production");
}

/* It takes its place, and is shared out again: nothing is left that nobody looks at. */
WORLD_TEST_BARE(who_leaves_while_waiting_for_a_slot_gives_way)
{
	begin(w, "RUNS_MAX=1", "APPLICATION_RUNS_MAX=1");
	deploy(w, WORLD_ADMIN, "api/staging", COMMIT_A);
	deploy(w, WORLD_ADMIN, "shop/staging", COMMIT_B);
	deploy(w, WORLD_ADMIN, "web/staging", COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/cancel shop/staging");
	assert_int_equal(state_of(w, "shop/staging"), DEPLOY_CANCELLED);
	end(w, "api/staging");
	RUNS("web/staging");
}
