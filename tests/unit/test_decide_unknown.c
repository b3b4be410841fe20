/* Goal: where nobody knows what runs, nothing starts without a person's word, who was told so.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define NOT_KNOWN "What runs in staging is not known"
#define ALARM	  "State unknown: staging"
#define ORDERS \
	"\n1. /logs staging: is something still running there?" \
	"\n2. /rollback staging or /deploy staging: asks first" \
	"\n3. ▶️ Resume queue of staging: when you know that it is fine"

/* A is live, and nobody knows what the run of B left. */
static void
begin(struct world *w)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").unknown_since > 0);
}

static void
press(struct world *w, int64_t person, const struct world_message *message, const char *label)
{
	char id[LIMIT_BUTTON_ID];

	assert_non_null(message);
	(void)text_copy(id, sizeof(id), world_button(message, label));
	assert_true(id[0] != '\0');
	(void)world_press(w, person, message->chat, id);
}

static void
looked(struct world *w)
{
	press(w, WORLD_OTHER_ADMIN, world_says_in(w, WORLD_TEAM, "Nothing is started"),
	    "Resume queue");
}

WORLD_TEST_BARE(the_team_is_told_why_and_by_which_machine)
{
	const struct world_message *message;

	begin(w);
	message = world_says_in(w, WORLD_TEAM, ALARM);
	assert_non_null(message);
	assert_true(message->is_alarm);
	assert_non_null(strstr(world_plain(message), "run 2 of bbbbbbb: its folder is not here"));
	assert_true(w->aid.settings->host[0] != '\0');
	assert_non_null(strstr(world_plain(message), w->aid.settings->host));
	assert_null(strstr(world_plain(message), NOT_KNOWN)); /* its first line says it */
	assert_non_null(strstr(world_plain(message), ORDERS));
	/* Who reads the deployment's own line is sent the same way. */
	assert_non_null(strstr(world_plain(world_says(w, "May be DOWN: staging")), ORDERS));
	assert_string_not_equal(world_button(message, "▶️ Resume queue of staging"), "");
	assert_int_equal(world_audited(w, "state_unknown", "run 2 of bbbbbbb"), 1);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "No rollback was started: it may still be running"));
}

WORLD_TEST_BARE(a_push_keeps_its_place_until_somebody_has_looked)
{
	begin(w);
	world_push_is_at(w, COMMIT_C);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(
	    w, "queued: what runs there is not known; ▶️ Resume queue of staging, in its"));
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_null(world_peek(w, EFFECT_RUN)); /* a restart is nobody's word */
	looked(w);
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
	assert_string_equal(world_environment(w, "staging").unknown_why, "");
	assert_string_equal(w->toast, "Deployments to staging go on.");
	assert_non_null(world_says_in(w, WORLD_TEAM, "✅ Over: staging, queue resumed by @bob"));
	assert_int_equal(world_audited(w, "state_known", "telegram:22"), 1);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
}

/* Found by the simulation (SEED=218574858): nobody can look at what the settings do not name. */
WORLD_TEST_BARE(a_push_that_waits_ends_where_its_environment_leaves_the_settings)
{
	struct event *event;

	begin(w);
	world_push_is_at(w, COMMIT_C);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	world_settings(w, "ENVIRONMENTS=production", "STAGING_TELEGRAM_IDS=", NULL);
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Found by the simulation (SEED=597): nobody was notified, and git was polled for it no more. */
WORLD_TEST_BARE(an_unknown_environment_that_comes_into_the_settings_is_told_of)
{
	struct event *event;

	begin(w);
	looked(w);
	world_settings(w, "ENVIRONMENTS=production", "STAGING_TELEGRAM_IDS=", NULL);
	event = store_aid_event(&w->aid, EVENT_STARTED);
	event->u.started.is_restored = true;
	(void)world_decide(w, event);
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	world_settings(w, STAGING_URL, NULL);
	for (int i = 0; i < 2; i++) {
		event = store_aid_event(&w->aid, EVENT_SETTINGS);
		event->u.settings_read.accepted = true;
		(void)world_decide(w, event);
	}
	looked(w); /* by the button that came with it */
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

WORLD_TEST_OF(
    a_push_that_an_admin_confirms_keeps_its_place_too, STAGING_URL, "STAGING_CONFIRM=true")
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	press(w, WORLD_ADMIN, world_says_in(w, WORLD_GROUP, "Deploy to staging?"), "Deploy to");
	world_git_same(w);
	world_run_plays(w, FOLDER_GONE);
	world_push_is_at(w, COMMIT_C);
	assert_non_null(
	    strstr(world_plain(world_says_in(w, WORLD_TEAM, "Deploy to staging?")), NOT_KNOWN));
	press(w, WORLD_ADMIN, world_says_in(w, WORLD_TEAM, "Deploy to staging?"), "Deploy to");
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(
    git_is_not_polled_for_it_and_is_again_afterwards, STAGING_URL, "POLL_REPOSITORY_SECONDS=60")
{
	const struct effect *ask;

	world_polled(w, COMMIT_A, COMMIT_A);
	world_deploy_starts(w, COMMIT_B);
	world_due(w, TIMER_POLL); /* asked before: its answer comes after */
	assert_int_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.n_branches, 2);
	world_run_ends(w, FOLDER_GONE);
	world_git_heads(w, COMMIT_C, COMMIT_A);
	assert_null(
	    world_peek(w, EFFECT_GIT_QUERY)); /* staging's head has moved, and is not looked at */
	world_due(w, TIMER_POLL);
	ask = world_peek(w, EFFECT_GIT_QUERY);
	assert_int_equal(ask->u.git_query.n_branches, 1);
	assert_string_equal(ask->u.git_query.branches[0], "main");
	world_git_heads(w, COMMIT_C, COMMIT_A);
	looked(w);
	world_polled(w, COMMIT_C, COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.environment, "staging");
}

WORLD_TEST_BARE(a_person_is_asked_with_the_reason_on_top_and_then_it_goes)
{
	const struct world_message *question;
	const char *plain;

	begin(w); /* without STAGING_CONFIRM nobody is asked otherwise */
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_CONFIRMATION);
	assert_null(world_peek(w, EFFECT_RUN));
	question = world_says_in(w, WORLD_GROUP, "Deploy to staging?");
	plain = world_plain(question);
	assert_true(text_starts(plain, "❓ Deploy to staging?\n⚠️ " NOT_KNOWN)); /* on top */
	assert_non_null(strstr(plain, "its folder is not here"));
	assert_non_null(strstr(plain, w->aid.settings->host));
	press(w, WORLD_ADMIN, question, "Deploy to");
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(world_run_starts(w), 200);
	assert_true(world_environment(w, "staging").unknown_since > 0); /* until it is live */
	world_run_is_probed(w, NULL);
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

WORLD_TEST_BARE(a_person_goes_past_a_push_which_keeps_its_place)
{
	begin(w);
	world_push_is_at(w, COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_non_null(
	    strstr(world_plain(world_says_in(w, WORLD_GROUP, "Roll back staging?")), NOT_KNOWN));
	press(w, WORLD_ADMIN, world_says_in(w, WORLD_GROUP, "Roll back staging?"), "Roll back");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A); /* the last known */
	assert_int_equal(world_run_starts(w), 200);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN)); /* B is blocked by now: does C contain it? */
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

/* The place was taken at a later time of the clock than that of the doubt. */
WORLD_TEST_BARE(a_place_from_before_the_clock_was_set_back_is_asked_anew)
{
	world_b_over_a(w, STAGING_URL);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_C);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	w->aid.at -= INT64_C(707000);
	world_run_ends(w, FOLDER_GONE);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_GROUP, "not known any more"));
}

/* C awaits approval behind B; then the clock is set back, and B leaves nobody knows what. */
static void
asked_before_the_clock_was_set_back(struct world *w)
{
	world_b_over_a(w, STAGING_URL);
	world_settings(w, STAGING_URL, "STAGING_APPROVALS=1", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	w->aid.at -= INT64_C(707000);
	world_run_ends(w, FOLDER_GONE);
	assert_true(world_environment(w, "staging").unknown_since > 0);
}

WORLD_TEST_BARE(an_approval_asked_for_before_the_clock_was_set_back_is_asked_for_anew)
{
	asked_before_the_clock_was_set_back(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 3");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "asked again: what staging runs is not known"));
}

WORLD_TEST_BARE(whose_approvals_fell_away_after_the_doubt_is_asked)
{
	asked_before_the_clock_was_set_back(w);
	world_settings(w, STAGING_URL, NULL);
	world_writes_entries(w, 1);
	assert_null(world_peek(w, EFFECT_RUN));
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_GROUP, "staging runs is not known any more"));
}

/* Approvers alone were shown the doubt, and none of them has said yes. */
WORLD_TEST_BARE(who_confirmed_before_the_doubt_is_asked_when_its_approvals_fall_away)
{
	world_b_over_a(w, STAGING_URL);
	world_settings(w, STAGING_URL, "STAGING_CONFIRM=true", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	press(w, WORLD_ADMIN, world_says_in(w, WORLD_GROUP, "Deploy to staging?"), "Deploy to");
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	world_settings(w, STAGING_URL, "STAGING_CONFIRM=true", "STAGING_APPROVALS=1", NULL);
	w->aid.at += 60 * INT64_C(1000);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	w->aid.at += 60 * INT64_C(1000);
	world_settings(w, STAGING_URL, "STAGING_CONFIRM=true", NULL);
	world_settings_read(w);
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_GROUP, "staging runs is not known any more"));
}

WORLD_TEST_BARE(a_question_that_did_not_say_so_is_refused)
{
	const char *confirm;
	struct world_message *question;
	char id[LIMIT_BUTTON_ID];

	world_b_over_a(w, STAGING_URL);
	world_settings(w, STAGING_URL, "STAGING_CONFIRM=true", NULL);
	world_run_is_probed(w, NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	question = world_says_in(w, WORLD_GROUP, "Deploy to staging?");
	confirm = world_button(question, "Deploy to");
	(void)text_copy(id, sizeof(id), confirm);
	world_asks_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_D);
	press(w, WORLD_OTHER_ADMIN, world_says_in(w, WORLD_OTHER_ADMIN, "Deploy to staging?"),
	    "Deploy to");
	world_git_same(w);
	world_run_plays(w, FOLDER_GONE);
	assert_non_null(world_says_in(w, WORLD_GROUP, "not known any more: ask again"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_BARE(only_who_may_roll_back_there_may_say_that_it_is_known)
{
	struct world_message *message;

	begin(w);
	message = world_says_in(w, WORLD_TEAM, "Nothing is started");
	press(w, WORLD_STAGING_USER, message, "Resume queue");
	assert_true(w->is_alert);
	assert_string_equal(w->toast, "⛔ Denied: start queue: only an admin may. Ask @ada.");
	assert_true(world_environment(w, "staging").unknown_since > 0);
	assert_int_equal(world_audited(w, "denied", "\"request\":\"start queue\""), 1);
	press(w, WORLD_ADMIN, message, "Resume queue");
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
	press(w, WORLD_ADMIN, message, "Resume queue"); /* once more */
	assert_string_equal(w->toast, "This button has expired or was used.");
}

/* Whoever is on call, and no admin. */
WORLD_TEST_BARE(a_role_that_rolls_back_there_starts_the_queue)
{
	struct world_message *message;

	begin(w);
	world_settings(w, "ROLE_ONCALL_IDS=44", "ROLE_ONCALL_MAY=rollback:staging", NULL);
	message = world_says_in(w, WORLD_TEAM, "Nothing is started");
	press(w, 44, message, "Resume queue");
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

WORLD_TEST_BARE(the_status_shows_it_with_its_button)
{
	struct world_message *message;

	begin(w);
	(void)world_text(w, WORLD_ADMIN, "/status");
	message = world_last(w);
	assert_non_null(strstr(world_plain(message), NOT_KNOWN));
	assert_non_null(strstr(
	    world_plain(message), "⚠️ staging: not known what runs; last known: aaaaaaa"));
	assert_string_not_equal(world_button(message, "Resume queue of staging"), "");
	assert_string_equal(world_button(message, "Resume queue of production"), "");
	world_probed(w, NULL);
	assert_non_null(strstr(world_plain(message), "healthy, HTTP 200"));
	press(w, WORLD_ADMIN, message, "Resume queue of staging");
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_null(strstr(world_plain(world_last(w)), NOT_KNOWN));
}

/* A button that answers "only an admin may" is a promise that is not kept. */
WORLD_TEST_BARE(who_may_not_press_it_is_shown_no_button)
{
	begin(w);
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/status");
	assert_non_null(strstr(world_plain(world_last(w)), NOT_KNOWN));
	assert_string_equal(world_button(world_last(w), "Resume queue of staging"), "");
	(void)world_text(w, WORLD_STAGING_USER, "/status"); /* where an admin reads it too */
	assert_string_not_equal(world_button(world_last(w), "Resume queue of staging"), "");
}

/* --- serve --restored --- */

WORLD_TEST_OF(
    after_a_restore_nothing_is_known_and_nothing_starts, STAGING_URL, "POLL_REPOSITORY_SECONDS=60")
{
	char name[LIMIT_ENVIRONMENT];

	world_restored(w);
	for (size_t i = 0; i < w->aid.settings->environment_count; i++) {
		(void)text_copy(name, sizeof(name), w->aid.settings->environments[i].name);
		assert_true(world_environment(w, name).unknown_since > 0);
	}
	assert_int_equal(
	    world_audited(w, "state_unknown", "from a backup"), w->aid.settings->environment_count);
	for (int i = 0; i < 2; i++) { /* it goes on waiting, for when something is known again */
		world_due(w, TIMER_POLL);
		assert_null(world_peek(w, EFFECT_GIT_QUERY));
	}
	world_push_is_at(w, COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	looked(w); /* the newest of them */
}

/* Who was rung by its beginning reads first whether it is over. */
WORLD_TEST_BARE(a_queue_that_is_resumed_where_it_may_be_down_is_not_called_over)
{
	world_b_over_a(w, NULL);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_true(world_environment(w, "staging").is_down);
	world_restored(w);
	looked(w);
	assert_true(world_environment(w, "staging").is_down);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "🔥 May be DOWN: staging still, queue resumed by @bob"));
	assert_null(world_says_in(w, WORLD_TEAM, "✅ Over: staging, queue"));
}

/* Found by the simulation (SEED=21099): the alarm's button was closed with the keyboard of a status
 * that showed it too, and nobody could say any more that somebody had looked. */
WORLD_TEST_BARE(a_status_has_a_button_of_its_own)
{
	struct world_message *status;
	char id[LIMIT_BUTTON_ID];

	begin(w);
	world_push_is_at(w, COMMIT_C);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "/status");
	status = world_last(w);
	assert_string_not_equal(world_button(status, "▶️ Resume queue of staging"), "");
	assert_string_equal(status->buttons.at[1].label, "staging"); /* its keyboard is another */
	(void)text_copy(id, sizeof(id), status->buttons.at[1].id);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, id);
	press(w, WORLD_OTHER_ADMIN, status, "◀ all");
	assert_string_not_equal(world_button(status, "▶️ Resume queue of staging"), "");
	looked(w);
	assert_true(world_environment(w, "staging").unknown_since == 0);
}

/* What it waits for may be another release's health by now. */
WORLD_TEST_BARE(after_a_restore_what_was_verified_ends_and_is_not_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING);
	world_restored(w);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_BARE(after_a_restore_a_rollback_that_was_verified_is_down)
{
	world_b_over_a(w, STAGING_URL);
	world_run_releases(w, TOUCHED);
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING_ROLLBACK);
	world_restored(w);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_true(world_environment(w, "staging").is_down);
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Rows of it are there all the same, and what they say would be begun. */
WORLD_TEST_BARE(after_a_restore_an_environment_without_settings_is_not_known_either)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, GOOD);
	world_settings(w, "ENVIRONMENTS=production", "STAGING_TELEGRAM_IDS=", NULL);
	world_restored(w);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_true(world_environment(w, "staging").unknown_since > 0);
	assert_null(world_says_in(w, WORLD_TEAM, ALARM)); /* nothing can start there */
	assert_non_null(world_says_in(w, WORLD_TEAM, "State unknown: production"));
}

/* It is killed before the performer's word was handled, and started without --restored. */
WORLD_TEST_OF(after_a_restore_an_open_run_counts_as_started_for_good, STAGING_URL)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.started_at, 0);
	world_restored(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING); /* its performer ends it */
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	store_aid_reopen(&w->aid);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_true(world_peek(w, EFFECT_RUN)->u.run.started_at > 0);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
}

/* Its end comes behind the start: one warning, whose button still works. */
WORLD_TEST_BARE(a_restore_repeats_no_warning_of_the_run_that_it_ended)
{
	const struct world_message *warning;

	world_b_over_a(w, STAGING_URL);
	world_restored(w);
	warning = world_says_in(w, WORLD_TEAM, ALARM);
	assert_non_null(warning);
	world_run_ends(w, FOLDER_GONE);
	assert_ptr_equal(world_says_in(w, WORLD_TEAM, ALARM), warning);
	assert_non_null(world_says_in(w, WORLD_TEAM, "State unknown: production"));
	assert_int_equal(world_audited(w, "state_unknown", "from a backup"), 2);
	press(w, WORLD_ADMIN, warning, "Resume queue");
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

/* The machine that it was copied from had warned of it: this one does so itself. */
WORLD_TEST_BARE(a_restore_warns_of_what_was_not_known_before_the_copy_too)
{
	const struct world_message *warning;

	begin(w);
	warning = world_says_in(w, WORLD_TEAM, ALARM);
	w->aid.at += 1000;
	world_restored(w);
	assert_ptr_not_equal(world_says_in(w, WORLD_TEAM, ALARM), warning);
	assert_non_null(strstr(world_environment(w, "staging").unknown_why, "from a backup"));
}

static void
fails(struct tx *tx, UNUSED const struct event *event)
{
	tx_fail(tx, ERR_INVALID, "planned");
}

/* The handler of such an end failed: what it would have said holds all the same. */
WORLD_TEST_BARE(a_fault_of_such_an_end_rolls_nothing_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "release");
	w->aid.handlers[EVENT_RUN_ENDED] = fails;
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").unknown_since > 0);
	assert_null(world_peek(w, EFFECT_RUN)); /* no rollback */
}
