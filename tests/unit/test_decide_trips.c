/* Goal: a decision waits for a database over a network no more often than it may.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/decide_aid.h"

/* With what is handed out behind it and its COMMIT; the leader's row is one more. */
#define STATUS_MOST 34 /* of one environment that is shown whole */
#define BOTH_MOST   40 /* of two, of which one runs */
#define GIT_MOST    65
#define CHATS_MOST  76 /* that starts a run which two chats show */
#define PRESS_MOST  55
#define PROBED_MOST 45
#define ENDED_MOST  65

/* The most of one decision of that kind since the last call, within what it may be. */
static void
is_within(struct world *w, enum event_kind kind, int64_t most)
{
	if (w->aid.trips[kind] > most)
		fail_msg("%s: %lld round trips of %lld", event_name(kind),
		    (long long)w->aid.trips[kind], (long long)most);
	if (database_aid_is_server())
		assert_in_range(w->aid.trips[kind], 3, most);
	w->aid.trips[kind] = 0;
}

static void
status_is_within(struct world *w, int64_t most)
{
	w->aid.trips[EVENT_UPDATE] = 0;
	(void)world_text(w, WORLD_ADMIN, "/status");
	is_within(w, EVENT_UPDATE, most);
}

/* What is pushed goes live at once, beside what was there before. */
static void
goes_live(struct world *w, const char *commit, int64_t status_most)
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = commit });
	is_within(w, EVENT_GIT_ANSWERED, GIT_MOST);
	world_run_starts(w);
	status_is_within(w, status_most);
	world_run_ends(w, GOOD);
	while (world_peek(w, EFFECT_PROBE) != NULL) /* also of those who look */
		world_probed(w, NULL);
	is_within(w, EVENT_RUN_ENDED, ENDED_MOST);
	is_within(w, EVENT_PROBED, PROBED_MOST);
	status_is_within(w, status_most);
}

/* Production asks, and starts when it is confirmed. */
static void
is_confirmed(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", commit);
	is_within(w, EVENT_GIT_ANSWERED, GIT_MOST);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
	is_within(w, EVENT_UPDATE, PRESS_MOST);
	world_git_same(w);
	is_within(w, EVENT_GIT_ANSWERED, CHATS_MOST);
	world_run_starts(w);
	status_is_within(w, BOTH_MOST);
	world_run_ends(w, GOOD);
}

WORLD_TEST_OF(a_decision_is_few_round_trips, STAGING_URL)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C };

	for (size_t i = 0; i < COUNT(commits); i++) {
		goes_live(w, commits[i], i == 0 ? STATUS_MOST : BOTH_MOST);
		is_confirmed(w, commits[i]);
	}
	assert_true(database_aid_is_server() || database_aid_again());
}
