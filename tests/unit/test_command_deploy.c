/* Goal: from /deploy to a verified release, and every place where somebody may still say no.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define PRODUCTION_URL "PRODUCTION_HEALTH_URL=http://127.0.0.1:1/health"

static char *
state_file(struct world *w, const char *environment)
{
	char path[160];
	struct queue_list out = { 0 };

	assert_false(store_project(w->aid.store, &out));
	queue_list_append(&w->aid.outcomes, &out);
	(void)snprintf(path, sizeof(path), "%s/%s.json", w->aid.environments_path, environment);
	return store_aid_read(path);
}

/* Up to the question for production. */
static struct world_message *
ask_production(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", commit);
	return world_says(w, "Deploy to production?");
}

/* Before somebody presses: it is most likely so still. */
WORLD_TEST_BARE(a_question_has_what_the_script_warned_of_at_the_last_release)
{
	struct run_ended warned = GOOD;
	const char *line = "\n⚠️ warned when aaaaaaa went live: kept by Argo CD\n";
	struct world_message *question;

	warned.warnings = (struct run_warnings){ .said = 1, .lines = "kept by Argo CD" };
	world_open(w, NULL);
	question = ask_production(w, COMMIT_A);
	assert_null(strstr(world_plain(question), "warned"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git_same(w);
	world_run_ends(w, warned);
	assert_non_null(strstr(world_plain(ask_production(w, COMMIT_B)), line));
}

/* --- to live --- */

WORLD_TEST_OF(a_deploy_goes_from_chat_to_live, STAGING_URL)
{
	const struct effect *run, *probe;
	char *file;

	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	world_moment(w);
	assert_string_equal(world_plain(world_last(w)), "⏳ staging: asking git for develop …");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "develop");
	assert_null(world_peek(w, EFFECT_RUN));

	world_git(w, (struct world_git){ .commit = COMMIT_A });
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, "");
	assert_int_equal(run->u.run.program, PROGRAM_DEPLOY);
	assert_string_equal(
	    run->u.run.message.head, world_says_in(w, WORLD_GROUP, "Deploying staging ")->text);
	assert_int_equal(world_active(w, "staging").state, DEPLOY_RUNNING);

	assert_int_equal(world_run_starts(w), 200);
	world_run_step(w, 0, "build");
	world_run_step(w, 1, "release");
	assert_non_null(world_says_in(w, WORLD_GROUP, "✓ build"));
	assert_non_null(world_says_in(w, WORLD_GROUP, "▸ release"));

	world_run_ends(w, GOOD);
	probe = world_peek(w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, COMMIT_A);
	assert_string_equal(probe->u.probe.targets[0].url, "http://127.0.0.1:1/health");
	assert_int_equal(probe->u.probe.plan.successes, 2);
	assert_int_equal(world_environment(w, "staging").current.id, 0);
	file = state_file(w, "staging");
	assert_null(strstr(file, COMMIT_A)); /* nothing before the gate */
	free(file);

	world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_int_equal(world_active(w, "staging").id, 0);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "✅ Live: staging \"Make it blue\" aaaaaaa\n"));
	assert_string_equal(w->counted, "live");
	file = state_file(w, "staging");
	assert_non_null(strstr(file, "\"commit\":\"" COMMIT_A "\""));
	free(file);
}

/* The order of entries is the order of what happened. */
WORLD_TEST_OF(the_audit_tells_the_story_in_order, STAGING_URL)
{
	static const char *const story[] = { "deploy_requested", "deploy_started",
		"deploy_success" };
	const char *at;

	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(world_audited(w, "\"deployment\":1", NULL), COUNT(story));
	at = w->audit;
	for (size_t i = 0; i < COUNT(story); i++) {
		at = strstr(at, story[i]);
		assert_non_null(at);
	}
	assert_int_equal(world_audited(w, "deploy_success", "telegram:11"), 1);
	assert_int_equal(world_audited(w, "deploy_success", COMMIT_A), 1);
}

WORLD_TEST(without_a_health_url_the_script_alone_releases_and_it_is_said)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_PROBE));
	assert_non_null(world_says(w, "Live: staging, not checked \"Make it blue\" aaaaaaa"));
	assert_non_null(
	    world_says(w, "No health check configured: success means the script exited with 0."));
}

WORLD_TEST(a_deploy_asked_for_elsewhere_is_told_to_the_team_too)
{
	world_deploy_goes_live(w, COMMIT_A);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "Live: staging, not checked \"Make it blue\" aaaaaaa"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Live: staging, not checked \"Make it blue\" aaaaaaa"));
	assert_int_equal(w->n_screen, 2);
	world_asks_in(w, WORLD_ADMIN, WORLD_TEAM, "/deploy staging", COMMIT_B);
	assert_int_equal(w->n_screen, 3);
}

WORLD_TEST(the_gate_opens_only_for_what_was_recorded)
{
	struct event *stray;

	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	stray = store_aid_event(&w->aid, EVENT_RUN_STARTED);
	stray->u.run_started.run = 77;
	assert_int_equal(world_decide(w, stray).status, 409);
	assert_int_equal(world_run_starts(w), 200);
	assert_int_equal(world_run_starts(w), 200); /* adopted after a restart */
}

WORLD_TEST(a_step_reported_twice_is_one)
{
	int64_t sends;

	world_deploy_starts(w, COMMIT_A);
	world_run_step(w, 0, "build");
	sends = world_says(w, "▸ build")->sends;
	world_run_step(w, 0, "build");
	assert_int_equal(world_says(w, "▸ build")->sends, sends);
}

WORLD_TEST(a_deploy_of_what_is_live_rolls_back_to_what_was_before_it)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_B);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.previous, COMMIT_A);
}

/* --- what git says --- */

WORLD_TEST(a_ref_that_is_none_is_answered_with_what_is_possible)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging devlop");
	world_git(
	    w, (struct world_git){ .error = "no branch, tag or commit of the repository: devlop" });
	assert_non_null(world_says(w, "⛔ Not deployed: staging"));
	assert_non_null(world_says(w, "Possible:\n• develop\n• v1.2"));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_audited(w, "deploy_not_done", "refused"), 1);
}

/* Each of what was meant, in full: that is what is typed next. */
WORLD_TEST(digits_of_several_are_refused_with_each_in_full)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging aaaaaaa");
	world_git(w,
	    (struct world_git){ .error =
				    "aaaaaaa is ambiguous: type all digits of the one you mean\n"
				    "possible commit " COMMIT_B "\tbranch aaaaaaa: Fix it\n"
				    "possible commit " COMMIT_A "\tMake it blue" });
	assert_non_null(world_says(w,
	    "⛔ Not deployed: staging\naaaaaaa is ambiguous: type all digits of the one you mean"));
	assert_non_null(world_says(
	    w, "Possible:\n• " COMMIT_B " branch aaaaaaa: Fix it\n• " COMMIT_A " Make it blue"));
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(a_git_that_does_not_answer_is_told_a_person_once)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_false(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.is_patient);
	world_git(w, (struct world_git){ .is_unreachable = true });
	assert_non_null(world_says(w, "could not read from remote"));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

TEST(an_answer_after_the_environment_became_busy_takes_a_place)
{
	struct world w;

	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_asks(&w, WORLD_STAGING_USER, "/deploy staging", COMMIT_A);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_non_null(world_says(&w, "it is being deployed already"));
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	world_close(&w);

	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_asks(&w, WORLD_STAGING_USER, "/deploy staging", COMMIT_A);
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_non_null(world_says(&w,
	    "⏳ Queued: 1st in staging \"Make it blue\" bbbbbbb\nauthor Ann Example · requested by @cy\n"
	    "starts after #1: @ada deploys aaaaaaa"));
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
	world_close(&w);
}

/* --- the question --- */

WORLD_TEST(the_question_shows_what_would_change)
{
	struct world_message *button;

	button = ask_production(w, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(strstr(world_plain(button), "aaaaaaa \"Make it blue\""));
	assert_non_null(strstr(world_plain(button), "author Ann Example · requested by @ada"));
	assert_non_null(strstr(world_plain(button), "Nothing was released to production yet."));
	assert_non_null(strstr(world_plain(button), "no release to roll back to"));
	assert_int_equal(button->buttons.n, 2);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(button, "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_A);
	world_git(w,
	    (struct world_git){
		.commit = COMMIT_B, .count = 12, .is_off_branch = true, .is_force_push = true });
	button = world_says(w, "Deploy to production?");
	assert_non_null(strstr(world_plain(button), "replaces aaaaaaa (release 1, "));
	assert_non_null(
	    strstr(world_plain(button), "12 new commits:\n• bbbbbbb \"Change 1\" — Ann Example"));
	assert_non_null(strstr(world_plain(button), "… and 2 more"));
	assert_non_null(
	    strstr(button->text, MARK_BOLD "the live commit is not in its history" MARK_BOLD));
	assert_non_null(
	    strstr(button->text, MARK_BOLD "not on the branch of production" MARK_BOLD));
	assert_null(strstr(world_plain(button), "no release to roll back to"));
}

/* Git calls both forced: a branch that was rewritten, and a commit that is in what is live. */
WORLD_TEST(an_older_commit_is_called_older_and_no_force_push)
{
	const struct world_git older = { .commit = COMMIT_A, .is_force_push = true };
	struct world_message *question;

	question = ask_production(w, COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/deploy production " COMMIT_A);
	world_git(w, older);
	question = world_says(w, "Deploy to production?");
	assert_non_null(strstr(question->text, MARK_BOLD "older than what is live" MARK_BOLD));
	assert_null(strstr(question->text, "force push"));
	assert_null(strstr(question->text, "no new commits"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Not now"));
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, older);
	assert_non_null(strstr(world_last(w)->text, "force push"));
}

WORLD_TEST(confirm_runs_the_commit_that_was_shown)
{
	struct world_message *button;

	button = ask_production(w, COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "Confirmed.");
	assert_null(world_peek(w, EFFECT_RUN));
	world_moment(w); /* git mostly answers sooner */
	assert_non_null(world_says(w, "production: confirmed by @ada, asking git once more"));
	world_git(w, (struct world_git){ .commit = COMMIT_A, .branch_commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_TIMER), 1); /* only the daily one */
	assert_int_equal(world_audited(w, "deploy_requested", "confirmed"), 1);

	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(world_says(w, "main has moved on to bbbbbbb"));
	world_run_step(w, 0, "release");
	assert_non_null(world_says(w, "main has moved on to bbbbbbb"));
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "production").current.commit, COMMIT_A);
}

WORLD_TEST(a_second_confirm_starts_nothing)
{
	struct world_message *button;
	char id[LIMIT_BUTTON_ID];

	button = ask_production(w, COMMIT_A);
	(void)text_copy(id, sizeof(id), world_button(button, "Deploy to"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_string_equal(w->toast, "@ada has confirmed it already.");
	world_git_same(w);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_string_equal(w->toast, "@ada has confirmed it already.");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	world_run_ends(w, GOOD);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST_OF(
    only_who_asked_or_may_confirm_answers, "ROLE_X_IDS=44", "ROLE_X_MAY=deploy:production")
{
	struct world_message *button;

	button = ask_production(w, COMMIT_A);
	(void)world_press(w, 44, WORLD_GROUP, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Only @ada or who may confirm may answer this.");
	(void)world_press(w, 44, WORLD_GROUP, world_button(button, "Not now"));
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, world_button(button, "Deploy to"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:44"), 1);
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:99"), 1);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
}

WORLD_TEST(a_question_that_is_declined_starts_nothing)
{
	struct world_message *button;
	char confirm[LIMIT_BUTTON_ID];

	button = ask_production(w, COMMIT_A);
	(void)text_copy(confirm, sizeof(confirm), world_button(button, "Deploy to"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(button, "Not now"));
	assert_non_null(world_says(w, "cancelled before it began"));
	assert_int_equal(world_says(w, "cancelled before it began")->buttons.n, 0);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, confirm);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
}

WORLD_TEST(a_question_expires_after_two_minutes)
{
	struct world_message *button;
	char confirm[LIMIT_BUTTON_ID];
	int64_t asked;

	asked = w->aid.at;
	button = ask_production(w, COMMIT_A);
	(void)text_copy(confirm, sizeof(confirm), world_button(button, "Deploy to"));
	world_due(w, TIMER_QUESTION);
	assert_in_range(w->aid.at - asked, 120000, 121000);
	assert_non_null(world_says(w, "nobody confirmed it in time"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, confirm);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
}

WORLD_TEST(who_lost_the_role_between_question_and_press_is_denied)
{
	struct world_message *button;

	button = ask_production(w, COMMIT_A);
	world_settings(w, "ADMIN_TELEGRAM_IDS=22", NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Denied: deploy: you have no role here.");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:11"), 1);
}

WORLD_TEST(a_press_in_another_chat_is_not_ours)
{
	struct world_message *button;

	button = ask_production(w, COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, world_button(button, "Deploy to"));
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, "00000000000000000000000000000000");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, "");
	assert_int_equal(w->n_toasts, 3);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST(busy_at_the_press_takes_a_place)
{
	struct world_message *first;
	char later[LIMIT_BUTTON_ID];

	first = ask_production(w, COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_B);
	(void)text_copy(later, sizeof(later), world_button(world_last(w), "Deploy to"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(first, "Deploy to"));
	world_git_same(w);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, later);
	world_git_same(w);
	assert_non_null(world_says(w, "⏳ Queued: 1st in production \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(w, "starts after #1: @ada deploys aaaaaaa"));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_string_equal(world_active(w, "production").commit, COMMIT_A);
}

/* Held after an automatic rollback: asked about even where nothing is asked. */
WORLD_TEST(a_blocked_commit_is_asked_about_with_a_warning)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 });
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(strstr(world_plain(world_says(w, "Deploy to staging?")),
	    "⚠️ this commit is blocked: rolled back by deploybot, just now (script failed: exit "
	    "1). A yes allows it; once live it is not blocked any more."));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to staging?"), "Deploy to"));
	world_git_same(w);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), "");
}

WORLD_TEST(a_request_is_cancelled_while_git_is_asked)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_answers(w, WORLD_ADMIN, "/cancel staging", "Cancelling: staging develop.");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_CANCELLED);
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_CANCELLED);
}

/* --- the other buttons --- */

WORLD_TEST(the_log_is_sent_as_often_as_somebody_asks)
{
	const struct effect *document;
	char id[LIMIT_BUTTON_ID];

	world_deploy_starts(w, COMMIT_A);
	(void)text_copy(id, sizeof(id),
	    world_button(world_says_in(w, WORLD_GROUP, "Deploying staging "), "Log"));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, id);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_string_equal(w->toast, "Sending the log.");
	document = world_peek(w, EFFECT_DOCUMENT);
	assert_non_null(document);
	assert_string_equal(document->u.document.file_name, "staging-aaaaaaa-1.log");
	assert_int_equal(document->u.document.address.chat, WORLD_GROUP);
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, id);
	assert_int_equal(world_audited(w, "\"denied\"", "\"log\""), 1);
	world_run_ends(w, GOOD);
	assert_string_equal(
	    world_button(world_says_in(w, WORLD_GROUP, "Live: staging"), "Log"), id);
}

WORLD_TEST(anyone_who_may_cancel_there_may_press_cancel)
{
	struct world_message *message;

	world_deploy_starts(w, COMMIT_A);
	message = world_says_in(w, WORLD_GROUP, "Deploying staging ");
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, world_button(message, "Stop"));
	assert_null(world_peek(w, EFFECT_STOP_RUN));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(message, "Stop"));
	assert_non_null(world_peek(w, EFFECT_STOP_RUN));
	assert_int_equal(world_active(w, "staging").state, DEPLOY_STOPPING);
}

WORLD_TEST_OF(a_role_lost_while_git_is_asked_starts_nothing, STAGING_URL)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	world_settings(w, STAGING_URL, "STAGING_TELEGRAM_IDS=", NULL);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
	assert_non_null(
	    world_says(w, "who asked for it may no longer do this: somebody who may has to ask"));

	/* A role that is still there starts it: nobody else's is looked at. */
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_settings(w, STAGING_URL, "ADMIN_TELEGRAM_IDS=22", "STAGING_TELEGRAM_IDS=11", NULL);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
}
