/* Goal: who pushed what is deployed has asked for it, whichever push or poll git was asked for.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "decide/who/decide_principal.h"
#include "lib/text.h"

#define PUSHERS \
	"PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", "ADMIN_TELEGRAM_IDS=11,22,44", \
	    "PERSON_22_GITHUB=octo", "PERSON_44_GITHUB=carol", "APPROVE_UNKNOWN_PUSHER=false"

static void
push_by(struct world *w, const char *login, const char *after)
{
	struct event *event = world_push(w, "main");

	(void)text_copy(event->u.delivery.login, sizeof(event->u.delivery.login), login);
	(void)text_copy(event->u.delivery.after, sizeof(event->u.delivery.after), after);
	assert_int_equal(world_decide(w, event).status, 200);
}

/* B is at the head, and Bob, whose login is octo, has pushed it; Carol may say yes to it. */
static void
is_bobs(struct world *w)
{
	assert_non_null(world_says_in(w, WORLD_TEAM, "pushed by octo (GitHub)"));
	assert_null(world_says_in(w, WORLD_TEAM, "pushed by carol (GitHub)"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

static void
approved_by_bob(struct world *w)
{
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2: @bob"));
}

/* Carol's push is looked up, and Bob's commit is at the head by then; his delivery comes before
 * git has answered, or behind. */
TEST(a_push_on_top_of_what_is_looked_up_is_of_who_pushed_it)
{
	for (int comes_first = 0; comes_first < 2; comes_first++) {
		struct world w;

		world_open(&w, PUSHERS, NULL);
		push_by(&w, "carol", COMMIT_A);
		if (comes_first)
			push_by(&w, "octo", COMMIT_B);
		world_git_all_at(&w, COMMIT_B);
		if (!comes_first) {
			assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
			push_by(&w, "octo", COMMIT_B);
		}
		assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 1"));
		is_bobs(&w);
		world_close(&w);
	}
}

/* Everybody knows when a freeze ends.  His push is on top before that, and git has shown it or has
 * not; or behind. */
TEST(a_push_on_top_of_what_waits_for_a_freeze_is_of_who_pushed_it)
{
	for (int k = 0; k < 3; k++) {
		struct world w;

		world_open(&w, PUSHERS, NULL);
		(void)world_text(&w, WORLD_ADMIN, "/freeze production 3d a sale");
		push_by(&w, "carol", COMMIT_A);
		world_git_all_at(&w, k == 0 ? COMMIT_B : COMMIT_A);
		if (k == 0)
			push_by(&w, "octo", COMMIT_B);
		world_git_all_at(&w, COMMIT_B);
		(void)world_text(&w, WORLD_ADMIN, "/unfreeze production");
		if (k == 1)
			push_by(&w, "octo", COMMIT_B);
		world_git_all_at(&w, COMMIT_B);
		if (k == 2)
			push_by(&w, "octo", COMMIT_B);
		world_git_all_at(&w, COMMIT_B);
		is_bobs(&w);
		world_close(&w);
	}
}

/* Carol's was approved by one, so Bob's waits behind it; then a freeze holds both. */
WORLD_TEST_OF(what_waits_for_a_freeze_behind_another_push_is_of_who_pushed_it,
    "PRODUCTION_APPROVALS=2", "PRODUCTION_CONFIRM=false", "ADMIN_TELEGRAM_IDS=11,22,44,55",
    "PERSON_22_GITHUB=octo")
{
	push_by(w, "carol", COMMIT_A);
	world_git_all_at(w, COMMIT_A);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	push_by(w, "octo", COMMIT_B);
	world_git_all_at(w, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/freeze production 3d a sale");
	approval_press_in(w, DAN, WORLD_TEAM, "Approve");
	(void)world_text(w, WORLD_ADMIN, "/unfreeze production");
	world_git_all_at(w, COMMIT_B);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
	assert_string_equal(world_newest(w, "production").requester, "github:octo(7)");
}

/* What nobody pushed to meanwhile is of who pushed it before. */
WORLD_TEST_OF(what_waited_for_a_freeze_alone_is_still_of_who_pushed_it, PUSHERS)
{
	(void)world_text(w, WORLD_ADMIN, "/freeze production 3d a sale");
	push_by(w, "octo", COMMIT_B);
	world_git_all_at(w, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/unfreeze production");
	world_git_all_at(w, COMMIT_B);
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1"));
	is_bobs(w);
}

/* Before his delivery came he was one whom nobody knew to have pushed it. */
WORLD_TEST_OF(an_approval_by_who_is_named_as_its_pusher_later_is_void, PUSHERS)
{
	push_by(w, "carol", COMMIT_A);
	world_git_all_at(w, COMMIT_B);
	approved_by_bob(w);
	push_by(w, "octo", COMMIT_B);
	assert_int_equal(world_audited(w, "approval_void", "asked for it too"), 1);
	world_git_all_at(w, COMMIT_B);
	is_bobs(w);
}

WORLD_TEST_OF(an_approval_in_the_queue_by_who_is_named_as_its_pusher_starts_nothing,
    "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", "ADMIN_TELEGRAM_IDS=11,22,44",
    "PERSON_22_GITHUB=octo")
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git_all_at(w, COMMIT_A);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve production aaaaaaa");
	push_by(w, "carol", COMMIT_C);
	world_git_all_at(w, COMMIT_B);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	push_by(w, "octo", COMMIT_B);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	world_git_all_at(w, COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

WORLD_TEST_OF(what_a_poll_found_first_is_of_who_pushed_it, PUSHERS, "POLL_REPOSITORY_SECONDS=60",
    "REPOSITORY_URL=https://github.com/acme/shop")
{
	for (int i = 0; i < 2; i++) {
		world_polled(w, COMMIT_A, i == 0 ? COMMIT_A : COMMIT_B);
	}
	world_git_all_at(w, COMMIT_B);
	assert_null(world_says_in(w, WORLD_TEAM, "pushed by"));
	push_by(w, "octo", COMMIT_B);
	is_bobs(w);
}

/* B was looked up for C's delivery, and failed before its own was answered: one push is one
 * deployment.  Said again behind that, as by CI, it is tried again. */
WORLD_TEST_OF(a_delivery_from_before_its_end_deploys_nothing_again, "PRODUCTION_CONFIRM=false")
{
	push_by(w, "carol", COMMIT_A);
	push_by(w, "octo", COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	world_run_plays(w, FAILED_BEFORE_RELEASE);
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
	world_git_all_at(w, COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	push_by(w, "octo", COMMIT_B);
	world_git_all_at(w, COMMIT_B);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Two forges have two people of one login, and others have none here. */
TEST(who_pushed_is_known_by_their_login_at_that_forge)
{
	static const struct {
		const char *requester;
		int64_t person;
	} rows[] = { { "github:octo(7)", 22 }, { "gitlab:octo(7)", 44 }, { "gitlab:carol(7)", 0 },
		{ "gitea:octo(7)", 0 }, { "gitea:gitlab:octo(7)", 0 }, { "octo", 0 },
		{ "workflow:shop(gitlab:octo)", 0 } };
	struct world w;

	world_open(&w, PUSHERS, "PERSON_44_GITLAB=Octo", NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
		    decide_principal_pusher(w.aid.settings, rows[i].requester), rows[i].person);
	world_close(&w);
}
