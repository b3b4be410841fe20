/* Goal: what runs is what was shown and approved; what nobody approved is decided on again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_claim.h"

#define SHOWN	"KEEP_RELEASES=4e07408562bedb8b pre-deploy/10-migrate=6588117f7b516232"
#define HOOK	"KEEP_RELEASES=4e07408562bedb8b pre-deploy/10-migrate=aaaaaaaaaaaaaaaa"
#define SETTING "KEEP_RELEASES=bbbbbbbbbbbbbbbb pre-deploy/10-migrate=6588117f7b516232"
#define CONFIRM "STAGING_CONFIRM=true"
#define CHANGED "the settings changed since it was approved: "

/* Staging is asked about A; its number. */
static int64_t
ask(struct world *w)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	return world_newest(w, "staging").id;
}

static void
press(struct world *w, const char *part, const char *label)
{
	struct world_message *message = world_says(w, part);

	assert_non_null(message);
	(void)world_press(w, WORLD_ADMIN, message->chat, world_button(message, label));
}

static void
approve(struct world *w)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/approve %" PRId64, world_newest(w, "staging").id);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, text);
}

WORLD_TEST_OF(the_list_is_stored_with_the_question_and_goes_with_the_order, CONFIRM)
{
	const struct effect_run *run;
	char digest[FINGERPRINT_DIGEST];

	(void)ask(w);
	assert_string_equal(world_newest(w, "staging").binding, fingerprint_digest(SHOWN, digest));
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	run = &world_peek(w, EFFECT_RUN)->u.run;
	assert_string_equal(run->binding, digest);
	assert_string_equal(run->commit, COMMIT_A);
	assert_string_equal(run->environment, "staging");
	assert_int_equal(run->program, PROGRAM_DEPLOY);
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST_OF(what_differs_at_the_press_is_named_and_asked_anew, CONFIRM)
{
	(void)ask(w);
	w->settings = HOOK;
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, CHANGED "pre-deploy/10-migrate"));
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	press(w, CHANGED, "Deploy to");
	world_git_same(w);
	assert_int_equal(world_run_starts(w), 200);
}

/* The runner found it when it had the order: nothing has begun. */
WORLD_TEST_OF(what_differs_at_the_order_is_asked_anew, CONFIRM)
{
	struct deployment work;

	(void)ask(w);
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	w->settings = SETTING;
	world_run_refused(w);
	work = world_newest(w, "staging");
	assert_int_equal(work.state, DEPLOY_QUEUED);
	assert_int_equal(work.confirmed_by, 0);
	assert_int_equal(work.started_at, 0);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_active(w, "staging").id, 0);
	assert_non_null(world_says(w, CHANGED "KEEP_RELEASES"));
	assert_int_equal(world_audited(w, "\"settings changed\"", "KEEP_RELEASES"), 1);
	press(w, CHANGED, "Deploy to");
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_OF(a_person_answers_each_change_and_is_never_overruled, CONFIRM)
{
	(void)ask(w);
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	for (int i = 0; i < 5; i++) {
		w->settings = i % 2 == 0 ? SETTING : HOOK;
		world_run_refused(w);
		assert_null(world_peek(w, EFFECT_RUN));
		press(w, CHANGED, "Deploy to");
	}
	assert_int_equal(world_run_starts(w), 200);
}

static void
push(struct world *w)
{
	world_push_is_at(w, COMMIT_A);
}

WORLD_TEST(a_push_goes_by_the_settings_of_now_at_once)
{
	push(w);
	w->settings = HOOK;
	world_run_refused(w);
	assert_int_equal(world_run_starts(w), 200);
	assert_non_null(world_says(w, "the settings changed (pre-deploy/10-migrate)"));
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* One push waits in a queue: the newer one, which has what the other has. */
WORLD_TEST(a_push_that_the_settings_put_back_makes_way_for_a_newer_one)
{
	struct deployment older, newer;

	push(w);
	older = world_newest(w, "staging");
	world_push_is_at(w, COMMIT_B);
	w->settings = HOOK;
	world_run_refused(w);
	newer = world_newest(w, "staging");
	assert_int_equal(newer.place, older.place);
	older = world_deployment(w, older.id);
	assert_int_equal(older.state, DEPLOY_SUPERSEDED);
	assert_string_equal(older.detail, "replaced by bbbbbbb");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* Who asked without being asked back is no approval. */
WORLD_TEST(an_unconfirmed_request_goes_by_the_settings_of_now)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	w->settings = HOOK;
	world_run_refused(w);
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST(after_the_third_time_a_push_waits_a_minute_and_is_not_dropped)
{
	int64_t before;

	push(w);
	for (int i = 0; i < 3; i++) {
		assert_non_null(world_peek(w, EFFECT_RUN));
		w->settings = i % 2 == 0 ? SETTING : HOOK;
		world_run_refused(w);
	}
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	before = w->aid.at;
	w->settings = SHOWN;
	world_due(w, TIMER_CHANGED);
	assert_in_range(w->aid.at - before, 59000, 61000);
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST(a_runner_that_does_not_list_is_asked_again_each_minute)
{
	push(w);
	for (int i = 0; i < 3; i++) {
		w->settings = i % 2 == 0 ? SETTING : HOOK;
		world_run_refused(w);
	}
	w->settings = NULL;
	for (int i = 0; i < 3; i++) {
		world_due(w, TIMER_CHANGED);
		assert_null(world_peek(w, EFFECT_RUN));
		assert_int_equal(world_state(w), DEPLOY_QUEUED);
	}
	w->settings = SETTING;
	world_due(w, TIMER_CHANGED);
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST(a_rollback_is_asked_about_when_the_runner_has_listed)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	w->is_runner_slow = true;
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_null(world_says(w, "Roll back staging?"));
	world_settings_listed(w);
	press(w, "Roll back staging?", "Roll back");
	w->settings = HOOK;
	world_run_refused(w);
	press(w, CHANGED "pre-deploy/10-migrate", "Roll back");
	world_run_plays(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

/* It may be what is left to do; and it starts with a list that somebody has answered for. */
WORLD_TEST(a_rollback_is_asked_about_also_where_nothing_can_be_listed)
{
	char digest[FINGERPRINT_DIGEST];
	int64_t before;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	w->settings = NULL;
	world_answers(
	    w, WORLD_ADMIN, "/rollback staging", "its settings could not be looked at (no file)");
	press(w, "Roll back staging?", "Roll back");
	for (int i = 0; i < 3; i++) {
		assert_null(world_peek(w, EFFECT_RUN));
		assert_int_equal(world_state(w), DEPLOY_QUEUED);
		assert_non_null(world_says(w, "the runner does not say what would ship it"));
		before = w->aid.at;
		world_due(w, TIMER_CHANGED);
		assert_in_range(w->aid.at - before, 9000, 11000);
	}
	w->settings = SHOWN;
	world_due(w, TIMER_CHANGED);
	assert_null(world_peek(w, EFFECT_RUN));
	press(w, CHANGED "they could not be looked at then", "Roll back");
	assert_string_equal(
	    world_peek(w, EFFECT_RUN)->u.run.binding, fingerprint_digest(SHOWN, digest));
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST_BARE(what_was_live_comes_back_whatever_has_changed)
{
	world_b_over_a(w, NULL);
	w->settings = HOOK;
	world_run_ends(w, TOUCHED);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.binding, "");
	assert_int_equal(world_run_starts(w), 200);
}

#define UNREAD "GITHUB_REPOSITORY=1111111111111111 STAGING_HOST=2222222222222222 pre-build/a=0"

/* What a work claims and probes is read off the server's settings, what it ships by off the
 * runner's. */
WORLD_TEST(settings_that_the_server_has_not_read_start_nothing)
{
	struct event *event;
	const char *read;

	world_application(w, "shop", "");
	read = w->settings;
	w->settings = UNREAD;
	world_asks(w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_QUEUED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "the settings are not read yet (GITHUB_REPOSITORY, "));
	world_due(w, TIMER_CHANGED);
	assert_null(world_peek(w, EFFECT_RUN));
	w->settings = read;
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_int_equal(world_run_starts(w), 200);
}

static size_t
count_listings(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_GIT_QUERY &&
		    w->open[i]->u.git_query.kind == GIT_QUERY_SETTINGS;
	return n;
}

/* What awaited approvals takes its place by the same event by which places are looked at. */
WORLD_TEST(settings_that_change_ask_the_runner_once_about_one_work)
{
	struct event *event;

	world_application(w, "shop", "STAGING_APPROVALS=1\n");
	w->settings = UNREAD;
	world_asks(w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_AWAITING_APPROVAL);
	world_application(w, "shop", "STAGING_APPROVALS=0\n");
	w->is_runner_slow = true;
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_int_equal(world_newest(w, "shop/staging").state, DEPLOY_QUEUED);
	assert_int_equal(count_listings(w), 1);
}

/* The other way round: a place waited, and the server has read them meanwhile. */
WORLD_TEST_OF(a_place_is_decided_on_with_the_list_of_its_turn, "STAGING_CONFIRM=true")
{
	world_application(w, "shop", "STAGING_CONFIRM=true\n");
	world_asks(w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	world_application(w, "shop", "STAGING_CONFIRM=true\nKEEP_RELEASES=7\n");
	press(w, "Deploy", "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_unreachable = true });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, CHANGED "KEEP_RELEASES"));
	press(w, CHANGED, "Deploy to");
	assert_int_equal(world_run_starts(w), 200);
}

/* Whoever approved it saw the other list. */
WORLD_TEST_OF(an_approval_is_of_the_list_that_was_shown, "STAGING_APPROVALS=1")
{
	struct deployment work;

	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	approve(w);
	w->settings = HOOK;
	world_run_refused(w);
	work = world_newest(w, "staging");
	assert_int_equal(work.state, DEPLOY_AWAITING_APPROVAL);
	assert_string_equal(work.changed, CHANGED "pre-deploy/10-migrate");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "approval_void", "what was approved has changed"), 1);
	approve(w);
	assert_int_equal(world_run_starts(w), 200);
}

/* Nobody has said yes to the new list when the settings ask for no approvals any more. */
WORLD_TEST_OF(what_was_confirmed_and_has_changed_is_asked_anew_when_no_approval_is_needed, CONFIRM,
    "STAGING_APPROVALS=1")
{
	(void)ask(w);
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	approve(w);
	w->settings = HOOK;
	world_run_refused(w);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	world_settings(w, CONFIRM, NULL);
	world_settings_read(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").confirmed_by, 0);
	press(w, CHANGED "pre-deploy/10-migrate", "Deploy to");
	assert_int_equal(world_run_starts(w), 200);
}

static void
approve_as(struct world *w, int64_t person, int64_t work)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/approve %" PRId64, work);
	(void)world_text_in(w, person, WORLD_TEAM, text);
}

static int64_t
ask_as_cy(struct world *w, const char *commit)
{
	world_asks(w, WORLD_STAGING_USER, "/deploy staging", commit);
	return world_newest(w, "staging").id;
}

/* What it said is live is part of what was approved. */
WORLD_TEST_OF(an_approval_is_over_the_release_that_was_live, "STAGING_APPROVALS=2")
{
	int64_t first, second;

	first = ask_as_cy(w, COMMIT_A);
	approve_as(w, WORLD_ADMIN, first);
	second = ask_as_cy(w, COMMIT_B);
	approve_as(w, WORLD_ADMIN, second);
	approve_as(w, WORLD_OTHER_ADMIN, second);
	world_run_plays(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	approve_as(w, WORLD_OTHER_ADMIN, first); /* it has changed: look again */
	approve_as(w, WORLD_OTHER_ADMIN, first);
	assert_int_equal(world_deployment(w, first).state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
	approve_as(w, WORLD_ADMIN, first);
	assert_int_not_equal(world_deployment(w, first).state, DEPLOY_AWAITING_APPROVAL);
}

/* The server makes the list: no hook and no script of theirs is run. */
WORLD_TEST(a_job_is_bound_to_its_words_and_its_environments_settings)
{
	char list[FINGERPRINT_LIST_MAX], digest[FINGERPRINT_DIGEST];
	const struct effect_run *run;

	world_application(w, "shop", "JOB_MIGRATE=bin/migrate\n");
	world_asks(w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	world_run_plays(w, GOOD);
	world_answers(w, WORLD_ADMIN, "/do run-job shop/staging migrate",
	    "\nrun: bin/migrate\nin the live release");
	press(w, "❓ Run this? shop/staging", "run-job");
	run = &world_peek(w, EFFECT_RUN)->u.run;
	(void)text_copy(
	    list, sizeof(list), settings_environment(w->aid.settings, "shop/staging")->fingerprint);
	assert_true(fingerprint_add_line(list, "JOB_<NAME>", "migrate", "bin/migrate", NULL));
	assert_non_null(strstr(list, "GITHUB_REPOSITORY="));
	assert_string_equal(run->binding, fingerprint_digest(list, digest));
	memset(strstr(list, "JOB_MIGRATE=") + strlen("JOB_MIGRATE="), 'a', 16);
	w->settings = list;
	world_run_refused(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, CHANGED "JOB_MIGRATE"));
	press(w, CHANGED, "run-job");
	assert_string_equal(
	    world_peek(w, EFFECT_RUN)->u.run.binding, fingerprint_digest(list, digest));
}

#define IMAGE_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define IMAGE_2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static struct world *
ask_with_image(struct world *w, const char *image)
{
	world_open(w, CONFIRM, NULL);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .image = image });
	return w;
}

static void
answer_with_image(struct world *w, const char *part, const char *image)
{
	press(w, part, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .image = image });
}

WORLD_TEST_BARE(the_image_that_was_shown_is_ordered_and_another_is_asked_about)
{
	(void)ask_with_image(w, IMAGE_1);
	assert_non_null(world_says(w, "image 1111111…"));
	answer_with_image(w, "Deploy", IMAGE_2);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(
	    w, "the registry has sha256:222222222222 of this commit now, not sha256:111111111111"));
	answer_with_image(w, "the registry has", IMAGE_2);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, IMAGE_2);
}

TEST(what_is_known_of_its_image_is_said)
{
	static const struct {
		const char *image, *says;
	} cases[] = {
		{ "build", "the image will be built from this commit" },
		{ "none", "CI has pushed no image of this commit yet" },
		{ "unknown", "the registry does not say which image it has of this commit" },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)ask_with_image(&w, cases[i].image);
		assert_non_null(world_says(&w, cases[i].says));
		answer_with_image(&w, "Deploy", cases[i].image);
		assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.image, "");
		world_close(&w);
	}
	(void)ask_with_image(&w, "none"); /* CI was done before the press */
	answer_with_image(&w, "Deploy", IMAGE_1);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.image, IMAGE_1);
	world_close(&w);
	(void)ask_with_image(&w, IMAGE_1);
	answer_with_image(&w, "Deploy", "none");
	assert_non_null(world_says(&w, "the registry no longer has sha256:111111111111"));
	world_close(&w);
}

/* Nobody has answered for it: CI may push again while it waits. */
WORLD_TEST(a_push_takes_the_image_that_there_is)
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_A, .image = IMAGE_1 });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, "");
}

WORLD_TEST_OF(an_approval_is_of_the_image_that_was_shown, "STAGING_APPROVALS=1")
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .image = IMAGE_1 });
	assert_non_null(world_says(w, "image 1111111…"));
	approve(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, IMAGE_1);
}

WORLD_TEST_OF(one_that_is_cancelled_meanwhile_ends, CONFIRM)
{
	struct deployment work;

	(void)ask(w);
	press(w, "Deploy", "Deploy to");
	world_git_same(w);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	w->settings = HOOK;
	world_run_refused(w);
	work = world_newest(w, "staging");
	assert_int_equal(work.state, DEPLOY_FAILED);
	assert_int_equal(work.why, DEPLOY_WHY_CANCELLED);
}
