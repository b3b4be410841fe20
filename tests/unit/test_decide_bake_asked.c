/* Goal: people read what bakes, was wrong before it, or is paused, and end that themselves.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "bake_aid.h"

#define CONFIRMS    "STAGING_CONFIRM=true"
#define NAGS	    "STAGING_ROLLBACK_NAG_MINUTES=15"
#define EMERGENCIES "EMERGENCY_WITHOUT_OTP=true"
#define DIRE	    "/deploy staging emergency the shop is down"
#define BEFORE \
	"\n⚠️ wrong before this release, so its bake does not count it: errors 4.1 % > 1 %"

#define BAKE_TEST(name)	    WORLD_TEST_OF(name, BAKES, ASKS, EMERGENCIES)
#define NAG_TEST(name)	    WORLD_TEST_OF(name, BAKES, ASKS, NAGS)
#define QUESTION_TEST(name) WORLD_TEST_OF(name, BAKES, ASKS, CONFIRMS)

static bool
shows(struct world *w, const char *head, const char *part)
{
	const struct world_message *message = world_says(w, head);

	return message != NULL && strstr(world_plain(message), part) != NULL;
}

static void
press(struct world *w, const char *head, const char *label)
{
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says_in(w, WORLD_GROUP, head), label));
}

/* --- what was wrong before --- */

QUESTION_TEST(what_is_wrong_before_it_is_shown_in_its_question)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_false(shows(w, "Deploy to staging?", "before this release"));
	says(w, WRONG);
	assert_true(shows(w, "Deploy to staging?", "\nno new commits")); /* as git said */
	assert_true(shows(w, "Deploy to staging?", BEFORE));
	press(w, "Deploy to staging?", "Deploy to");
	world_git_same(w);
	/* At its turn it is measured once more, and that counts. */
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_true(shows(w, "Queued: ", BEFORE));
	says(w, HEALTHY);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_false(shows(w, "Deploying staging", "before this release"));
	world_run_releases(w, GOOD);
	looks(w, WRONG);
	looks(w, WRONG);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

QUESTION_TEST(what_prometheus_does_not_say_before_it_is_shown_in_its_question)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, UNKNOWN);
	assert_true(shows(w, "Deploy to staging?",
	    "\n⚠️ how it is before this release is not known: timed out"));
}

/* Its question is over: nobody waits for that answer. */
QUESTION_TEST(a_question_that_is_over_asks_prometheus_nothing)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 1);
	press(w, "Deploy to staging?", "Not now");
	assert_int_equal(world_state(w), DEPLOY_CANCELLED);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
}

WORLD_TEST_OF(
    what_is_wrong_before_it_is_shown_to_who_approves_it, BAKES, ASKS, "STAGING_APPROVALS=1")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	says(w, WRONG);
	assert_true(shows(w, "Awaiting approval: staging", BEFORE));
}

BAKE_TEST(what_was_wrong_before_it_is_shown_while_it_runs_and_bakes)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, WRONG);
	assert_null(world_says(w, "It was queued")); /* for a moment, and for nobody */
	assert_true(shows(w, "Deploying staging", BEFORE));
	world_run_releases(w, GOOD);
	assert_true(shows(
	    w, "Baking: staging", "(before 4.1 %, which was wrong already: it does not count)"));
}

/* By its name: another one counts. */
WORLD_TEST_OF(
    of_what_was_not_wrong_before_each_counts, BAKES, ASKS, "STAGING_BAKE_QUERY_2=sold: s < 1")
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says_both(w, WRONG, HEALTHY);
	world_run_releases(w, GOOD);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(world_state(w), DEPLOY_BAKING);
		world_due(w, TIMER_BAKE);
		says_both(w, WRONG, WRONG);
	}
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_true(shows(w, "staging", "sold 4.1 % > 1 %, before 0.2 %"));
}

/* What was measured is of what ran then. */
BAKE_TEST(what_was_measured_before_another_release_is_measured_anew)
{
	int64_t waits;

	world_released(w, "staging");
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waits = world_newest(w, "staging").id;
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 1);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Roll back staging?"), "Roll back"));
	says(w, WRONG); /* of what is being rolled back */
	world_run_plays(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	world_git_at(w, COMMIT_C);
	assert_int_equal(world_deployment(w, waits).state, DEPLOY_QUEUED);
	says(w, HEALTHY);
	assert_int_equal(world_deployment(w, waits).state, DEPLOY_RUNNING);
	assert_false(shows(w, "Deploying staging", "before this release"));
}

/* --- what waits for its end --- */

/* Somebody asks for one, and is asked. */
static void
asks_dire(struct world *w)
{
	world_settings(w, BAKES, ASKS, EMERGENCIES, CONFIRMS, NULL);
	world_asks(w, WORLD_ADMIN, DIRE, COMMIT_C);
}

BAKE_TEST(an_emergency_reads_what_bakes_and_ends_that)
{
	bakes(w, HEALTHY);
	looks(w, HEALTHY);
	asks_dire(w);
	assert_true(shows(w, "Emergency to staging?",
	    "#1 bakes: bbbbbbb, 0 of 2 min, errors 0.2 % (before 0.2 %); this waits for it"));
	press(w, "Emergency to staging?", "Live now bbbbbbb");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_true(shows(w, "Emergency to staging?", "#1 has ended: live"));
}

BAKE_TEST(an_emergency_rolls_back_what_bakes)
{
	bakes(w, HEALTHY);
	asks_dire(w);
	press(w, "Emergency to staging?", "Roll back bbbbbbb");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_ROLLING_BACK);
}

/* It has its yes, and waits: what keeps it is ended from there. */
BAKE_TEST(an_emergency_that_waits_ends_what_is_paused)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	world_asks(w, WORLD_ADMIN, DIRE, COMMIT_C);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	assert_true(shows(w, "Queued: ",
	    "starts after #1: @ada deploys bbbbbbb; it is paused, 0 of 2 min, errors not known yet"));
	press(w, "Queued: ", "Go on bbbbbbb");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_BAKING);
}

/* A push ends no bake, and its question offers none. */
QUESTION_TEST(the_question_about_a_push_ends_no_bake)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, HEALTHY);
	press(w, "Deploy to staging?", "Deploy to");
	world_git_same(w);
	says(w, HEALTHY);
	world_run_releases(w, GOOD);
	world_push_is_at(w, COMMIT_C);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
	assert_null(
	    strstr(world_labels(world_says_in(w, WORLD_TEAM, "Deploy to staging?")), "Live now"));
}

/* --- paused --- */

static size_t
timers(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_NAG;
	return n;
}

NAG_TEST(what_is_paused_rings_once_and_is_reminded_of_until_somebody_has_seen_it)
{
	static const char head[] = "🟡 Still paused: staging";
	size_t rings, team;

	bakes(w, HEALTHY);
	w->aid.at += 3600 * INT64_C(1000); /* counted is from the pause on */
	rings = world_rings(w);
	team = world_rings_in(w, WORLD_TEAM);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	assert_int_equal(world_rings_in(w, WORLD_TEAM), team + 1);
	assert_true(world_rings(w) > rings);
	rings = world_rings_in(w, WORLD_TEAM);
	world_due(w, TIMER_NAG);
	assert_int_equal(world_rings_in(w, WORLD_TEAM), rings + 1);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, head)),
	    "🟡 Still paused: staging, for 15 min, nobody has seen it\n"
	    "bbbbbbb \"Make it blue\", paused: by @ada\nIt serves, and is not live");
	assert_string_equal(world_labels(world_says_in(w, WORLD_TEAM, head)),
	    "👀 Seen | ▶️ Go on | ↩️ Roll back | 🖐 Leave it");
	world_answers(w, WORLD_ADMIN, "/status staging",
	    "nobody has seen yet that it is paused with bbbbbbb");
	world_due(w, TIMER_NAG);
	assert_true(shows(w, head, "for 30 min"));
	world_restart(w);
	assert_int_equal(timers(w), 1);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, head), "Seen"));
	assert_string_equal(w->toast, "Seen: nobody is reminded any more.");
	assert_int_equal(world_environment(w, "staging").unseen_work, 0);
	world_due(w, TIMER_NAG);
	assert_false(shows(w, head, "for 1 h"));
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
}

NAG_TEST(nobody_is_reminded_of_what_is_paused_no_more)
{
	static const char *const words[] = { "/resume staging", "/cancel staging" };

	bakes(w, HEALTHY);
	for (size_t i = 0; i < COUNT(words); i++) {
		(void)world_text(w, WORLD_ADMIN, "/pause staging");
		assert_int_equal(world_environment(w, "staging").unseen_work, 1);
		world_due(w, TIMER_NAG);
		(void)world_text(w, WORLD_ADMIN, words[i]);
		assert_int_equal(world_environment(w, "staging").unseen_work, 0);
		assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "✅ Over: staging")),
		    "✅ Over: staging, it is paused no more");
		assert_string_equal(
		    world_labels(world_says_in(w, WORLD_TEAM, "✅ Over: staging")), "");
	}
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

/* By Prometheus, for want of an answer: nobody need have been there. */
NAG_TEST(what_pauses_by_itself_is_reminded_of)
{
	bakes(w, HEALTHY);
	for (int i = 0; i < 8; i++)
		looks(w, UNKNOWN);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	world_due(w, TIMER_NAG);
	assert_true(shows(w, "🟡 Still paused: staging", "for 15 min, nobody has seen it"));
	assert_true(shows(w, "🟡 Still paused: staging", ": timed out"));
}

/* --- /live, /rollback --- */

BAKE_TEST(live_is_typed_as_it_is_pressed)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_STRANGER, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	world_answers(w, WORLD_ADMIN, "/live staging",
	    "⛔ Not baking: staging: it is paused, and goes on with /resume.");
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	world_answers(w, WORLD_ADMIN, "/live staging", "Bake ended: staging: it is live.");
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	world_answers(w, WORLD_ADMIN, "/live staging",
	    "⛔ Not baking: staging: nothing is watched there before it is live.");
	assert_int_equal(world_audited(w, "bake_answered", "\"outcome\":\"live\""), 1);
}

/* It would end as DOWN, and nothing would have been rolled back. */
BAKE_TEST(a_first_release_that_bakes_is_not_rolled_back)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	says(w, HEALTHY);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_null(
	    strstr(world_labels(world_says_in(w, WORLD_GROUP, "Baking: staging")), "Roll back"));
	world_answers(w, WORLD_ADMIN, "/rollback staging",
	    "⛔ Not rolled back: staging: what bakes has no release that it could be rolled back to.");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_false(world_environment(w, "staging").is_down);
}

/* What stands under what is live is about that, not about what bakes over it. */
BAKE_TEST(the_button_of_the_live_release_rolls_back_nothing_that_bakes)
{
	char button[LIMIT_BUTTON_ID];

	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, HEALTHY);
	world_run_releases(w, GOOD);
	press(w, "Baking: staging", "Live now");
	text_set(button, world_button(world_says_in(w, WORLD_GROUP, "Live: staging"), "Roll back"));
	assert_string_not_equal(button, "");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	says(w, HEALTHY);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	assert_string_equal(
	    w->toast, "ccccccc is baking in staging: /rollback staging rolls that back");
}

/* --- who may --- */

#define ROLES \
	"ROLE_LOOK_IDS=44", "ROLE_LOOK_MAY=status:*", "ROLE_BACK_IDS=55", \
	    "ROLE_BACK_MAY=status:*,rollback:staging", "ROLE_ELSE_IDS=66", \
	    "ROLE_ELSE_MAY=status:*,deploy:production,rollback:production"

/* Typed, and pressed below what an admin was sent in the group. */
static void
tries_all(struct world *w, int64_t person)
{
	static const char *const words[] = { "live", "pause", "resume", "rollback", "cancel" };
	static const char *const labels[] = { "Live now", "Pause", "Roll back", "Go on",
		"Leave it" };
	const enum deploy_state state = world_state(w);
	const struct world_message *message = world_says_in(w, WORLD_GROUP,
	    state == DEPLOY_BAKING ? "🟡 Baking: staging" : "🟡 Paused: staging, ");
	char text[64];

	for (size_t i = 0; i < COUNT(words); i++) {
		(void)snprintf(text, sizeof(text), "/%s staging", words[i]);
		(void)world_text(w, person, text);
		assert_int_equal(world_state(w), state);
	}
	for (size_t i = 0; i < COUNT(labels); i++) {
		const char *button = world_button(message, labels[i]);

		if (button[0] == '\0')
			continue;
		w->toast[0] = '\0';
		(void)world_press(w, person, WORLD_GROUP, button);
		assert_int_equal(world_state(w), state);
		assert_string_not_equal(w->toast, "");
	}
}

WORLD_TEST_OF(nobody_ends_a_bake_without_the_grant_for_it, BAKES, ASKS, ROLES)
{
	bakes(w, HEALTHY);
	tries_all(w, 44);
	tries_all(w, 66);
	(void)world_text(w, 55, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, 55, "/pause staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	tries_all(w, 44);
	tries_all(w, 66);
	(void)world_text(w, 55, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, 55, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

/* In private nobody is offered what they are denied. */
WORLD_TEST_OF(a_reminder_offers_what_its_reader_may, BAKES, ASKS, ROLES, NAGS, "TELEGRAM_CHAT_ID=")
{
	const struct world_message *said;

	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	says(w, HEALTHY);
	world_run_releases(w, GOOD);
	(void)world_text_in(w, 55, 55, "/pause staging");
	world_due(w, TIMER_NAG);
	said = world_says_in(w, 55, "🟡 Still paused: staging");
	if (said != NULL)
		assert_string_equal(world_labels(said), "👀 Seen | ▶️ Go on | 🖐 Leave it");
	assert_null(world_says_in(w, 66, "🟡 Still paused: staging"));
}

/* A lock or freeze keeps no release from being watched, paused, rolled back or called live. */
BAKE_TEST(what_bakes_under_a_freeze_is_ended_all_the_same)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging 2h incident");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging until 2027-01-01 sale");
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
}

/* --- the settings change under it --- */

BAKE_TEST(what_bakes_goes_on_without_its_setting)
{
	bakes(w, HEALTHY);
	looks(w, HEALTHY);
	world_settings(w, NULL);
	world_settings_read(w);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_state(w), DEPLOY_BAKING);
		world_due(w, TIMER_BAKE);
	}
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_int_equal(world_count(w, EFFECT_PROM_QUERY), 0);
}

/* Nobody looks where nobody knows what to look at: it is paused, and can be ended. */
BAKE_TEST(what_bakes_where_its_environment_has_left_the_settings_is_ended_by_a_person)
{
	bakes(w, HEALTHY);
	(void)world_text(w, WORLD_ADMIN, "/pause staging");
	world_settings(w, "ENVIRONMENTS=production", NULL);
	world_settings_read(w);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "🟡 Paused: staging, "), "Leave it"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_active(w, "staging").id, 0);
}
