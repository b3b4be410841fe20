/* Goal: nothing begins in a lock but what may, and what waits for its end goes on.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "hold_aid.h"

#include "lib/text.h"
#include "store/row_hold.h"

WORLD_TEST(a_lock_binds_everybody_but_its_owner)
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging 2h incident 42");
	assert_string_equal(world_plain(world_says_in(w, WORLD_GROUP, "Locked: ")),
	    "🔒 Locked: staging by @ada, until Thu 2026-01-01 02:00 (UTC): incident 42\n"
	    "Only @ada deploys there now; pushes wait, rollbacks are still allowed. /unlock staging ends it.");
	assert_non_null(world_says_in(w, WORLD_TEAM, "🔒 Locked: staging by @ada"));
	assert_int_equal(world_audited(w, "lock_begun", "incident 42"), 1);
	assert_int_equal(world_audited(w, "lock_begun", "2026-01-01T02:00:00Z"), 1);

	w->aid.at += 20 * 60 * 1000;
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_string_equal(world_plain(world_last(w)),
	    "🔒 Not deployed: staging: locked by @ada, 20 min ago, until Thu 2026-01-01 02:00 "
	    "(UTC): incident 42");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_audited(w, "\"denied\"", "it is locked"), 1);

	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(a_lock_is_of_its_environment_alone_and_holds_no_rollback)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_answers(w, WORLD_OTHER_ADMIN, "/lock staging", "until unlocked");
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST(a_push_waits_for_the_lock_and_the_head_is_deployed_once)
{
	size_t said;

	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	hold_push(w, "develop", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_LIVE);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "🔒 Push waits: staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(w, "Afterwards develop's newest commit is deployed."));
	assert_true(world_last(w)->is_silent);
	said = w->n_screen;
	hold_push(w, "develop", COMMIT_C); /* said once */
	assert_int_equal(w->n_screen, said);
	world_answers(w, WORLD_ADMIN, "/status staging", "🔒 locked by @ada");
	assert_non_null(world_says(w, "⏸ push ccccccc waits for that"));

	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_string_equal(world_plain(world_says_in(w, WORLD_GROUP, "Unlocked: ")),
	    "Unlocked: staging by @ada. Queued pushes start now.");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	assert_string_equal(world_newest(w, "staging").requester, "github:octo(7)");
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_string_equal(world_environment(w, "staging").waiting_push, "");
}

/* An environment that has gates alone by then. */
WORLD_TEST(what_waited_is_asked_for_no_more_where_pushes_are_no_longer_deployed)
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	hold_push(w, "develop", COMMIT_B);
	world_settings(w, "STAGING_DEPLOY_PUSHES=false", NULL);
	world_settings_read(w);
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_string_equal(
	    world_plain(world_says_in(w, WORLD_GROUP, "Unlocked: ")), "Unlocked: staging by @ada.");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_string_equal(world_environment(w, "staging").waiting_push, "");
}

/* Found by the simulation (SEED=701010): polling took it for known. */
WORLD_TEST_OF(
    a_push_that_waited_is_found_by_polling_though_its_query_is_lost, "POLL_REPOSITORY_SECONDS=60")
{
	struct event *fault;

	world_polled(w, COMMIT_A, COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	hold_push(w, "develop", COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	fault = store_aid_event(&w->aid, EVENT_FAULT);
	fault->effect = world_peek(w, EFFECT_GIT_QUERY)->id;
	fault->u.fault.kind = EFFECT_GIT_QUERY;
	effect_free(world_take(w, EFFECT_GIT_QUERY));
	(void)world_decide(w, fault);

	world_polled(w, COMMIT_B, COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* Its owner has deployed what was pushed. */
WORLD_TEST(what_waited_and_is_live_by_the_end_is_no_news)
{
	size_t said;

	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	hold_push(w, "develop", COMMIT_B);
	world_deploy_goes_live(w, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	said = w->n_screen;
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(w->n_screen, said);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_LIVE);
}

WORLD_TEST_OF(a_push_is_dropped_where_the_settings_say_so, "STAGING_FREEZE_PUSHES=drop")
{
	world_answers(w, WORLD_ADMIN, "/lock staging",
	    "there now; pushes are dropped, rollbacks are still allowed.");
	world_answers(w, WORLD_ADMIN, "/freeze all until 06:00",
	    "pushes wait, or are dropped where that is set");
	world_answers(w, WORLD_ADMIN, "/unfreeze all",
	    "Freeze ended: all environments by @ada.\n🔒 Still locked: staging (@ada)");
	hold_push(w, "develop", COMMIT_B);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "🔒 Push dropped: staging \"Make it blue\" bbbbbbb"));
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_string_equal(world_plain(world_last(w)),
	    "Unlocked: staging by @ada.\nPushed and not deployed: bbbbbbb. /deploy staging deploys "
	    "the branch's newest.");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	hold_push(w, "develop", COMMIT_C);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

WORLD_TEST(a_push_that_is_queued_or_asked_about_ends_when_a_lock_begins)
{
	hold_push(w, "main", COMMIT_A); /* asked about */
	hold_push(w, "develop", COMMIT_A);
	hold_push(w, "develop", COMMIT_B); /* queued behind it */
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	(void)world_text(w, WORLD_ADMIN, "/freeze production until 06:00");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_SUPERSEDED);
	assert_string_equal(world_newest(w, "staging").detail, "waits for the end of the lock");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_SUPERSEDED);
	assert_string_equal(
	    world_newest(w, "production").detail, "waits for the end of the freeze");
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));
	world_asks(w, WORLD_ADMIN, "/unlock staging", COMMIT_B);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST(a_persons_place_is_kept_and_passed_over)
{
	int64_t id;

	world_deploy_starts(w, COMMIT_A);
	world_asks(w, WORLD_STAGING_USER, "/deploy staging", COMMIT_B);
	id = world_newest(w, "staging").id;
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h");
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, id).state, DEPLOY_QUEUED);
	assert_string_equal(world_deployment(w, id).waits_for, "hold");
	world_answers(w, WORLD_STAGING_USER, "/queue staging", "🔒 locked by @ada");
	assert_non_null(world_says(w, ", waits for the end of the lock"));
	/* The owner goes past it. */
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));

	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B }); /* what is live has changed */
	assert_int_equal(world_deployment(w, id).state, DEPLOY_RUNNING);
}

WORLD_TEST(a_lock_that_is_over_holds_nothing_and_is_said_to_be)
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging 90m");
	hold_push(w, "develop", COMMIT_A);
	hold_sleep_until(w, STORE_AID_AT + 90 * 60 * 1000);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "Unlocked: staging: its time is over (@ada)."));
	assert_int_equal(world_audited(w, "lock_ended", "expired"), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

/* The timer is an hour ahead at most, and what is over is over by the clock. */
WORLD_TEST(a_clock_that_is_set_back_makes_no_lock_endless)
{
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 02:00");
	w->aid.at -= DAY_MS;
	world_settings_read(w);
	assert_true(world_peek(w, EFFECT_TIMER) != NULL);
	world_answers(
	    w, WORLD_STAGING_USER, "/deploy staging", "🔒 Not deployed: staging: frozen by @ada");
	hold_sleep_until(w, STORE_AID_AT + 2 * HOUR_MS);
	w->aid.at += 60 * 1000;
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST_OF(whoever_has_unlock_ends_it_and_its_owner_is_notified, "ROLE_DEV_IDS=33",
    "ROLE_DEV_MAY=status, deploy, lock:staging")
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging");
	world_answers(w, WORLD_STAGING_USER, "/unlock staging",
	    "⛔ Denied: staging unlock: only an admin may.");
	assert_true(world_environment(w, "staging").held != 0);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");
	assert_non_null(
	    world_says_in(w, WORLD_ADMIN, "Unlocked: staging by @bob, who ended the lock of @ada"));
	assert_false(world_says_in(w, WORLD_ADMIN, "Unlocked: staging by @bob")->is_silent);
	assert_int_equal(world_environment(w, "staging").held, 0);
	assert_int_equal(world_audited(w, "lock_ended", "telegram:22"), 1);
	/* One's own lock needs no more than the right to lock. */
	(void)world_text(w, WORLD_STAGING_USER, "/lock staging");
	(void)world_text(w, WORLD_STAGING_USER, "/unlock staging");
	assert_string_equal(
	    world_plain(world_says(w, "Unlocked: staging by @cy")), "Unlocked: staging by @cy.");
}

WORLD_TEST(who_is_locked_out_asks_once_an_hour)
{
	const struct world_message *denial, *question;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	denial = world_says(w, "Not deployed: staging: locked by @ada");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
	assert_string_equal(w->toast, "@ada was asked.");
	question = world_says_in(w, WORLD_ADMIN, "@cy asks @ada to unlock it");
	assert_non_null(question);
	assert_false(question->is_silent);
	denial = world_says(w, "Not deployed: staging: locked by @ada");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
	assert_string_equal(w->toast, "@ada was asked within the last hour.");

	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(question, "Keep"));
	assert_non_null(world_says_in(w, WORLD_GROUP, "🔒 Stays locked: staging: @ada keeps it."));
	w->aid.at += HOUR_MS;
	denial = world_says(w, "Not deployed: staging: locked by @ada");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
	question = world_says_in(w, WORLD_ADMIN, "@cy asks @ada to unlock it");
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(question, "Unlock"));
	assert_non_null(world_says_in(w, WORLD_GROUP, "Unlocked: staging, as you asked."));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
	assert_string_equal(w->toast, "This button has expired or was used.");
}

/* An owner who is away for days: rows are cleared daily, and there was another question since. */
WORLD_TEST(a_question_to_the_owner_is_there_as_long_as_the_lock)
{
	const struct world_message *denial, *first, *second;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 30d");
	for (int i = 0; i < 2; i++) {
		(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
		denial = world_says(w, "Not deployed: staging: locked by @ada");
		(void)world_press(
		    w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
		w->aid.at += HOUR_MS;
	}
	second = world_says_in(w, WORLD_ADMIN, "@cy asks @ada to unlock it");
	for (int i = 0; i < 6; i++)
		world_due(w, TIMER_DAILY);
	assert_true(w->aid.at > STORE_AID_AT + 6 * DAY_MS);
	for (first = w->screen; strstr(world_plain(first), "@cy asks @ada") == NULL; first++)
		;
	assert_ptr_not_equal(first, second);
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(first, "Keep"));
	assert_string_equal(w->toast, "staging stays locked.");
	assert_non_null(world_says_in(w, WORLD_GROUP, "Stays locked: staging: @ada keeps it."));
	assert_string_equal(world_plain(first), "🔒 Stays locked: staging, kept by @ada.");
	assert_string_equal(world_plain(second), "🔒 Stays locked: staging, kept by @ada.");
	assert_int_equal(second->buttons.n, 0);
}

/* By whoever and whatever; a message says what it was, and has no button that does nothing. */
TEST(a_question_to_the_owner_is_edited_when_the_lock_ends_or_changes)
{
	static const struct {
		int64_t person; /* 0: its time is over */
		const char *text, *says;
	} rows[] = {
		{ WORLD_ADMIN, "/unlock staging", "Unlocked: staging by @ada." },
		{ WORLD_OTHER_ADMIN, "/unlock staging", "Unlocked: staging by @bob." },
		{ WORLD_ADMIN, "/lock staging 2h",
		    "🔒 Stays locked: staging, locked anew by @ada." },
		{ 0, "", "Unlocked: staging: end of the lock of @ada." },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct world_message *question;
		struct world w;

		world_open(&w, NULL);
		(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 1h");
		(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging");
		(void)world_press(&w, WORLD_STAGING_USER, WORLD_GROUP,
		    world_button(
			world_says(&w, "Not deployed: staging: locked by @ada"), "Ask @ada"));
		question = world_says_in(&w, WORLD_ADMIN, "@cy asks @ada to unlock it");
		if (rows[i].person != 0)
			(void)world_text(&w, rows[i].person, rows[i].text);
		else
			hold_sleep_until(&w, STORE_AID_AT + HOUR_MS);
		assert_string_equal(world_plain(question), rows[i].says);
		assert_int_equal(question->buttons.n, 0);
		world_close(&w);
	}
}

/* The question is in a group: whoever may end the lock may do so there as well. */
WORLD_TEST(a_question_to_the_owner_is_answered_by_who_may_unlock)
{
	const struct world_message *question;

	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP,
	    world_button(world_says(w, "Not deployed: staging: locked by @ada"), "Ask @ada"));
	question = world_says(w, "@cy asks @ada to unlock it");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(question, "Unlock"));
	assert_string_equal(w->toast, "⛔ Only @ada may press this.");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(question, "Keep"));
	assert_string_equal(w->toast, "⛔ Only @ada may press this.");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(question, "Unlock"));
	assert_non_null(world_says(w, "Unlocked: staging by @bob, who ended the lock of @ada."));
	assert_int_equal(world_environment(w, "staging").held, 0);
}

WORLD_TEST(who_asked_is_told_when_the_lock_ends_by_itself)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 1h incident");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP,
	    world_button(world_says(w, "Not deployed: staging: locked by @ada"), "Ask @ada"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 30m nearly done");
	assert_non_null(world_says_in(
	    w, WORLD_ADMIN, "(UTC): nearly done; was until Thu 2026-01-01 01:00 (UTC): incident"));
	hold_sleep_until(w, STORE_AID_AT + HOUR_MS / 2);
	assert_non_null(world_says_in(
	    w, WORLD_GROUP, "Unlocked: staging: the lock that you asked about has ended."));
}

WORLD_TEST(what_is_in_progress_is_named_where_a_lock_or_freeze_begins)
{
	world_deploy_starts(w, COMMIT_A);
	world_asks(w, WORLD_STAGING_USER, "/deploy staging", COMMIT_B);
	world_answers(w, WORLD_ADMIN, "/lock staging",
	    "\n⏳ In progress: aaaaaaa by @ada. /cancel staging ends it. Queued: 1.");
	world_answers(w, WORLD_ADMIN, "/freeze all until 06:00",
	    "\n⏳ In progress in staging: aaaaaaa by @ada.");
	(void)world_text(w, WORLD_ADMIN, "/freeze production until 06:00");
	assert_null(strstr(world_last(w)->text, "⏳"));
}

/* The question stands in a chat for as long as nobody answers it. */
WORLD_TEST(an_old_question_ends_no_later_lock)
{
	const struct world_message *denial, *question;
	char unlock[LIMIT_BUTTON_ID], keep[LIMIT_BUTTON_ID];

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 1h");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	denial = world_says(w, "Not deployed: staging: locked by @ada");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(denial, "Ask @ada"));
	question = world_says_in(w, WORLD_ADMIN, "@cy asks @ada to unlock it");
	(void)text_copy(unlock, sizeof(unlock), world_button(question, "Unlock"));
	(void)text_copy(keep, sizeof(keep), world_button(question, "Keep"));

	(void)world_text(w, WORLD_ADMIN, "/lock staging 3h"); /* in the place of the first */
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, unlock);
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));

	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging");
	w->toast[0] = '\0';
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, unlock);
	assert_string_equal(w->toast, "This button has expired or was used.");
	w->toast[0] = '\0';
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, keep);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_audited(w, "lock_ended", ""), 1);
}

/* The end of the first has come, and its timer has not: no button of it was closed. */
WORLD_TEST(a_question_of_a_lock_that_just_ended_ends_no_other)
{
	char unlock[LIMIT_BUTTON_ID];
	int64_t ends = w->aid.at + 3600 * INT64_C(1000);

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock staging 1h");
	w->aid.at = ends - 60 * INT64_C(1000);
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP,
	    world_button(world_says(w, "Not deployed: staging: locked by @ada"), "Ask @ada"));
	(void)text_copy(unlock, sizeof(unlock),
	    world_button(world_says_in(w, WORLD_ADMIN, "@cy asks @ada to unlock it"), "Unlock"));
	w->aid.at = ends;
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging 3h");
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, unlock);
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST(a_second_lock_is_denied_and_ones_own_is_prolonged)
{
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h");
	world_answers(w, WORLD_OTHER_ADMIN, "/lock staging 3h",
	    "🔒 Locked already: staging by @ada, just now, until");
	(void)world_text(w, WORLD_ADMIN, "/lock staging 3h");
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "🔒 Lock changed: staging by @ada, until Thu 2026-01-01 03:00 (UTC); was until Thu "
	    "2026-01-01 01:00 (UTC)"));
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* Who left has no grant any more: nobody else could deploy. */
WORLD_TEST_OF(a_lock_of_who_left_ends, "ROLE_DEV_IDS=99", "ROLE_DEV_MAY=status:staging, lock")
{
	(void)world_text(w, WORLD_STRANGER, "/lock staging");
	world_answers(
	    w, WORLD_STAGING_USER, "/deploy staging", "Not deployed: staging: locked by @eve");
	hold_push(w, "develop", COMMIT_A);
	world_settings(w, NULL);
	world_settings_read(w);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Unlocked: staging: no role lets @eve lock it"));
	assert_int_equal(world_audited(w, "lock_ended", "no grant"), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
}

static int64_t
next_look(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i] != NULL && w->open[i]->kind == EFFECT_TIMER &&
		    w->open[i]->u.timer.kind == TIMER_HOLDS)
			return w->open[i]->due;
	return 0;
}

/* The role ends at 01:00 UTC; the sweep was due at 01:30 at the latest. */
WORLD_TEST_OF(a_lock_ends_with_the_role_of_its_owner, "TIMEZONE=Etc/GMT+1",
    "ROLE_DEV_IDS=99 until 2025-12-31", "ROLE_DEV_MAY=status:staging, lock")
{
	w->aid.at += HOUR_MS / 2;
	(void)world_text(w, WORLD_STRANGER, "/lock staging");
	world_due(w, TIMER_HOLDS); /* what is repeated is counted for a minute */
	assert_int_equal(next_look(w), STORE_AID_AT + HOUR_MS);
	hold_sleep_until(w, STORE_AID_AT + HOUR_MS);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Unlocked: staging: no role lets @eve lock it"));
}

/* Between the end of a role and the sweep. */
WORLD_TEST_OF(a_dead_lock_binds_nobody_beside_another_and_is_ended_by_it, "TIMEZONE=Etc/GMT+1",
    "ROLE_DEV_IDS=99 until 2025-12-31", "ROLE_DEV_MAY=status:staging, lock")
{
	(void)world_text(w, WORLD_STRANGER, "/lock staging");
	w->aid.at = STORE_AID_AT + HOUR_MS;
	world_answers(w, WORLD_ADMIN, "/unlock staging", "Not locked: staging.");
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	assert_int_equal(world_audited(w, "lock_ended", "no grant"), 1);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging"); /* its owner may */
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_int_equal(world_environment(w, "staging").held, 0);
	assert_int_equal(world_audited(w, "lock_ended", "telegram:11"), 1);
}

static void
add_lock(struct tx *tx, void *arg)
{
	struct hold lock = { .kind = HOLD_LOCK, .person = *(const int64_t *)arg, .at = tx->at };

	(void)text_copy(lock.target, sizeof(lock.target), "staging");
	row_hold_add(tx, &lock);
}

/* Rows of before: a dead lock on each side of the one that binds. */
WORLD_TEST(unlock_ends_the_lock_that_binds)
{
	static const int64_t people[] = { WORLD_STRANGER, WORLD_ADMIN, WORLD_STRANGER + 1 };

	for (size_t i = 0; i < COUNT(people); i++)
		world_act(w, add_lock, (void *)(uintptr_t)&people[i]);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_answers(w, WORLD_OTHER_ADMIN, "/deploy staging", "Not deployed: staging: locked by");
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/deploy staging");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
}
