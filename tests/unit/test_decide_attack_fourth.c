/* Goal: as test_decide_attack: where two capabilities meet, a fourth time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <unistd.h>

#include "factor_aid.h"
#include "people_aid.h"

#include "lib/file.h"
#include "lib/text.h"

#define ADA    WORLD_ADMIN
#define BOB    WORLD_OTHER_ADMIN
#define EVE    WORLD_STRANGER
#define DEV    77
#define ALWAYS PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY
#define QUIET  "PRODUCTION_CONFIRM=false"

static void
goes_live(struct world *w)
{
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
}

/* --- said over the machine --- */

/* What awaits approval was asked anew, and what was typed is of before: as in a chat, and as
 * `deploybot answer` refuses it.  The answer says how what it asks now is approved. */
WORLD_TEST_OF(what_was_approved_on_the_machine_before_it_was_asked_anew_is_no_yes, ALWAYS,
    "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	char body[100], shown[API_SHOWN];
	const char *how;

	approval_asks(w, COMMIT_B);
	/* Bob has read `deploybot pending`: #1 goes over nothing. */
	approval_presses(w, COMMIT_A, CAROL, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
	world_settings_read(w); /* asks anew */
	world_git_all_at(w, COMMIT_B);
	assert_string_not_equal(world_deployment(w, 1).changed, "");
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(
	    people_ask(w, BOB, API_COMMAND, "/v1/command/approve", "{\"arguments\": [\"1\"]}"),
	    409);
	assert_int_equal(world_audited(w, "deploy_approval", "telegram:22"), 0);
	assert_string_equal(world_deployment(w, 1).approvers, "");
	how = strstr(w->aid.said, "\"shown\":\"");
	assert_non_null(how);
	(void)snprintf(shown, sizeof(shown), "%s", how + strlen("\"shown\":\""));
	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"1\"], \"shown\": \"%s\"}", shown);
	assert_int_equal(people_ask(w, BOB, API_COMMAND, "/v1/command/approve", body), 200);
	assert_string_not_equal(world_deployment(w, 1).approvers, "");
}

/* --- secrets that were changed --- */

static void
see_key(struct world *w, const char *mark)
{
	struct event *event = store_aid_event(&w->aid, EVENT_SECRETS_SEEN);
	struct secrets_seen *seen = &event->u.secrets_seen;

	seen->list = calloc(1, sizeof(*seen->list));
	assert_non_null(seen->list);
	seen->count = 1;
	(void)text_copy(seen->list->name, sizeof(seen->list->name), "AUTH_TOKEN_SECRET");
	(void)text_copy(seen->list->mark, sizeof(seen->list->mark), mark);
	(void)text_copy(seen->key, sizeof(seen->key), "k1");
	(void)world_decide(w, event);
}

/* Without a previous value no text of before opens anything, and no login by one goes on. */
WORLD_TEST_OF(a_login_ends_with_the_secret_of_its_token, ALWAYS)
{
	static const char key[] = "AUTH_TOKEN_SECRET=9876543210abcdef9876543210abcdef9876543210";
	static const char before[] =
	    "AUTH_TOKEN_SECRET_PREVIOUS=abcdef9876543210abcdef9876543210abcdef98";
	static char token[TOKEN_TEXT];

	see_key(w, "11aa");
	assert_true(people_token(w, ADA, "t", "admin", "300d", token));
	people_login(w, EVE, token);
	world_settings(w, PEOPLE_ON, PEOPLE_MANY, key, before, NULL);
	see_key(w, "22bb"); /* as it is rotated */
	assert_null(world_says_in(w, EVE, "Logged out"));
	world_settings(w, PEOPLE_ON, PEOPLE_MANY, key, NULL);
	see_key(w, "33cc");
	assert_int_equal(people_call(w, token, API_STATUS, "/v1/status", NULL), 401); /* control */
	assert_non_null(world_says_in(w, EVE, "🔐 Logged out: your login by token t has ended"));
	(void)world_text(w, EVE, "/deploy staging");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* --- settings between a question and its answer --- */

/* Asked when no code was needed; answered when one is. */
TEST(an_emergency_that_was_asked_without_a_code_does_not_start_without_one)
{
	struct world w;
	bool ran;

	factor_write_key(FACTOR_KEY);
	world_open(&w, factor_key_setting, ALWAYS, "PRODUCTION_APPROVALS=1",
	    "EMERGENCY_WITHOUT_OTP=true", NULL);
	(void)world_text(&w, ADA, "/deploy production emergency the shop is down");
	world_git_at(&w, COMMIT_A);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
	world_act(&w, factor_enrol, &ada);
	world_settings(&w, factor_key_setting, ALWAYS, "PRODUCTION_APPROVALS=1",
	    "REQUIRE_OTP=emergency:*, deploy:*", NULL);
	world_settings_read(&w);
	approval_press_in(&w, ADA, WORLD_GROUP, "Deploy to");
	world_git_all_at(&w, COMMIT_A);
	ran = world_peek(&w, EFFECT_RUN) != NULL;
	factor_close(&w);
	assert_false(ran);
}

/* An account without its telephone answers no question for which it would need a code: that of who
 * asked was theirs. */
TEST(nobody_confirms_the_emergency_of_another_without_a_code_of_their_own)
{
	static const char *const texts[] = { "/deploy production", /* the control */
		"/deploy production emergency the shop is down" };
	bool ran[COUNT(texts)];

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct world w;

		factor_write_key(FACTOR_KEY);
		world_open(
		    &w, factor_key_setting, ALWAYS, "REQUIRE_OTP=emergency:*, deploy:*", NULL);
		world_act(&w, factor_enrol, &ada);
		world_act(&w, factor_enrol, &bob);
		(void)world_text(&w, ADA, texts[i]);
		if (i == 1)
			factor_type(&w, &ada, factor_code(&w, &ada, 0));
		world_git_at(&w, COMMIT_A);
		assert_int_equal(
		    world_newest(&w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
		approval_press_in(&w, BOB, WORLD_GROUP, "Deploy to");
		world_git_all_at(&w, COMMIT_A);
		ran[i] = world_peek(&w, EFFECT_RUN) != NULL;
		factor_close(&w);
	}
	assert_false(ran[0]);
	assert_false(ran[1]);
}

/* Approvals that are needed since the question are needed at its answer. */
WORLD_TEST_OF(what_was_asked_before_approvals_were_needed_awaits_them, ALWAYS)
{
	(void)world_text(w, ADA, "/deploy production");
	world_git_at(w, COMMIT_A);
	world_settings(w, ALWAYS, "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", NULL);
	world_settings_read(w);
	approval_press_in(w, ADA, WORLD_GROUP, "Deploy to");
	world_git_all_at(w, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, ADA, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

/* --- names that applications say they had --- */

static void
read_anew(struct world *w)
{
	char directory[256];

	(void)snprintf(directory, sizeof(directory), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, "GITHUB_REPOSITORY=", directory, NULL);
	world_settings_read(w);
}

#define HOST   "REPOSITORY_URL=/repo\nDEPLOY_TRANSPORT=local\n"
#define SHOP   HOST "STAGING_PORT=1\nPRODUCTION_PORT=2\n"
#define CIDER  "REPOSITORY_URL=/other\nDEPLOY_TRANSPORT=local\nSTAGING_PORT=3\nPRODUCTION_PORT=4\n"
#define THEIRS "ROLE_LEAD_IDS=77\nROLE_LEAD_MAY=*:*\n"

static void
shop_has_history(struct world *w)
{
	world_application_file(w, "shop", SHOP);
	read_anew(w);
	(void)world_text(w, ADA, "/deploy shop/staging");
	world_git_at(w, COMMIT_A);
	goes_live(w);
	assert_string_equal(world_environment(w, "shop/staging").current.commit, COMMIT_A);
}

/* Their own file says it of an application that is there. */
WORLD_TEST(an_application_takes_nothing_of_one_that_is_there)
{
	shop_has_history(w);
	world_application_file(w, "cider", CIDER THEIRS "RENAMED_FROM=shop\n");
	read_anew(w);
	assert_string_equal(world_environment(w, "cider/staging").current.commit, ""); /* control */
	world_application_file(
	    w, "shop", HOST "ENVIRONMENTS=production\nPRODUCTION_PORT=2\n"); /* for a while */
	read_anew(w);
	assert_string_equal(world_environment(w, "cider/staging").current.commit, "");
	(void)world_text_in(w, DEV, DEV, "/history cider/staging");
	assert_null(world_says_in(w, DEV, "aaaaaaa"));
}

/* ... nor of one whose file cannot be read at this start. */
WORLD_TEST(an_application_takes_nothing_of_one_whose_file_is_not_read)
{
	char path[256];

	shop_has_history(w);
	world_application_file(w, "cider", CIDER THEIRS "RENAMED_FROM=shop\n");
	(void)snprintf(path, sizeof(path), "%s/apps/shop.env", w->aid.folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0); /* no file */
	read_anew(w);
	store_aid_reopen(&w->aid);
	world_restart(w);
	assert_string_equal(world_environment(w, "cider/staging").current.commit, "");
	assert_int_equal(rmdir(path), 0);
}

/* What is in progress there is not theirs to stop, either, where both have a history. */
WORLD_TEST(an_application_stops_nothing_of_another)
{
	world_application_file(w, "cider", CIDER THEIRS);
	shop_has_history(w);
	(void)world_text(w, ADA, "/deploy cider/staging");
	world_git_at(w, COMMIT_B);
	goes_live(w);
	(void)world_text(w, ADA, "/deploy shop/staging " COMMIT_C);
	world_git_at(w, COMMIT_C);
	(void)world_run_starts(w);
	world_application_file(w, "cider", CIDER THEIRS "RENAMED_FROM=shop\n");
	read_anew(w);
	(void)world_text_in(w, DEV, DEV, "/cancel shop/staging");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0); /* control */
	world_application_file(w, "shop", HOST "ENVIRONMENTS=production\nPRODUCTION_PORT=2\n");
	read_anew(w);
	(void)world_text_in(w, DEV, DEV, "/cancel shop/staging");
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0);
	(void)world_text_in(w, DEV, DEV, "/show 3");
	assert_null(world_says_in(w, DEV, "ccccccc"));
}

/* A file whose name is a word of ours gives no right to clients. */
WORLD_TEST(no_application_is_called_as_clients_are)
{
	static const char *const names[] = { "client", "all", "server", "root" };

	for (size_t i = 0; i < COUNT(names); i++) {
		char path[256];

		world_application_file(w, names[i], CIDER THEIRS);
		shop_has_history(w);
		(void)world_text_in(w, DEV, DEV, "/freeze all until tomorrow x");
		(void)world_text_in(w, DEV, DEV, "/deploy shop/staging");
		assert_null(world_peek(w, EFFECT_GIT_QUERY));
		(void)world_text(w, ADA, "/deploy shop/staging " COMMIT_B); /* control */
		assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
		world_git_at(w, COMMIT_B);
		goes_live(w);
		(void)snprintf(path, sizeof(path), "%s/apps/%s.env", w->aid.folder, names[i]);
		assert_int_equal(unlink(path), 0);
	}
}

/* --- rollbacks --- */

static void
deploys(struct world *w, const char *commit)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "/deploy staging %s", commit);
	(void)world_text(w, ADA, text);
	world_git_all_at(w, commit);
	goes_live(w);
}

/* Asked as one step back, it is forward when it is answered: by the grant rollback alone, in a
 * freeze. */
TEST(a_rollback_that_became_one_forward_is_a_deployment)
{
	static const char *const may[] = { "ROLE_DEV_MAY=rollback:*, status, history",
		"ROLE_DEV_MAY=rollback:*, deploy:*, status, history",
		"ROLE_DEV_MAY=rollback:*, deploy:*, status, history" }; /* the last: the control */

	for (size_t i = 0; i < COUNT(may); i++) {
		struct world w;

		world_open(&w, ALWAYS, "STAGING_CONFIRM=false", "ROLE_DEV_IDS=77", may[i],
		    "ADMIN_TELEGRAM_IDS=11,22", NULL);
		deploys(&w, COMMIT_A);
		deploys(&w, COMMIT_B);
		deploys(&w, COMMIT_C);
		(void)world_text(&w, DEV, "/rollback staging 2");
		world_git_all_at(&w, COMMIT_B);
		(void)world_text(&w, ADA, "/rollback staging 1");
		world_git_all_at(&w, COMMIT_A);
		approval_press_in(&w, ADA, WORLD_GROUP, "Roll back");
		goes_live(&w);
		assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
		if (i < 2)
			(void)world_text(&w, BOB, "/freeze staging until tomorrow a sale");
		for (int k = 0; k < 3; k++) {
			for (size_t m = 0; m < w.n_screen; m++)
				for (size_t b = 0; b < w.screen[m].buttons.n; b++)
					(void)world_press(&w, DEV, w.screen[m].chat,
					    w.screen[m].buttons.at[b].id);
			world_git_all_at(&w, COMMIT_B);
		}
		assert_int_equal(world_peek(&w, EFFECT_RUN) != NULL, i == 2);
		world_close(&w);
	}
}

/* --- buttons that somebody else may press --- */

/* What they have misspelt or may not do is no button of an admin's that passes approvals. */
WORLD_TEST_OF(what_one_may_not_becomes_no_emergency_by_an_admins_thumb, ALWAYS,
    "PRODUCTION_APPROVALS=1", QUIET, "EMERGENCY_WITHOUT_OTP=true", "ROLE_DEV_IDS=77",
    "ROLE_DEV_MAY=deploy:staging, status, history")
{
	static const char *const texts[] = { "/deploy production emergency it burns",
		"/depoly production emergency it burns",
		"/deploy production main emergency it burns", "/ship production emergency it burns",
		"/release production main emergency now now",
		"/deploy emergency production it burns",
		"/deploy production main main emergency x" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		(void)world_text(w, DEV, texts[i]);
		for (int k = 0; k < 2; k++)
			for (size_t m = 0; m < w->n_screen; m++)
				for (size_t b = 0; b < w->screen[m].buttons.n; b++)
					(void)world_press(w, k == 0 ? DEV : ADA, w->screen[m].chat,
					    w->screen[m].buttons.at[b].id);
		world_git_all_at(w, COMMIT_A);
		w->aid.at += 3700 * INT64_C(1000);
		assert_null(world_peek(w, EFFECT_RUN));
	}
	for (int64_t id = 1; world_deployment(w, id).id != 0; id++)
		assert_string_equal(world_deployment(w, id).exempt.emergency, "");
}

/* --- clocks, forwards, names, pads, lines --- */

#define HOURS (3600 * INT64_C(1000))

/* The clock jumps by a day, and back: what was over is over. */
WORLD_TEST_OF(neither_a_login_nor_a_question_comes_back_with_the_clock, ALWAYS)
{
	static char token[TOKEN_TEXT];
	char question[LIMIT_BUTTON_ID];

	(void)world_text(w, ADA, "/deploy production");
	world_git_at(w, COMMIT_A);
	(void)text_copy(
	    question, sizeof(question), world_button(world_says(w, "production"), "Deploy to"));
	assert_string_not_equal(question, "");
	assert_true(people_token(w, ADA, "t", "admin", "300d", token));
	people_login(w, EVE, token);
	w->aid.at += 24 * HOURS;
	world_due(w, TIMER_QUESTION);
	(void)world_text(w, EVE, "/deploy staging");
	w->aid.at -= 24 * HOURS;
	(void)world_text(w, EVE, "/deploy staging");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	(void)world_press(w, ADA, WORLD_GROUP, question);
	world_git_all_at(w, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(what_was_forwarded_or_pressed_elsewhere_approves_nothing, ALWAYS,
    "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	static const enum update_refusal refusals[] = { UPDATE_REFUSED_FORWARDED,
		UPDATE_REFUSED_EDITED, UPDATE_REFUSED_CAPTION };
	char button[LIMIT_BUTTON_ID];

	approval_asks(w, COMMIT_A);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct event *event = world_update(w, UPDATE_TEXT, BOB, WORLD_TEAM);

		event->u.update->refusal = refusals[i];
		(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "/approve 1");
		(void)world_decide(w, event);
	}
	(void)text_copy(button, sizeof(button), approval_label_in(w, WORLD_TEAM, "Approve"));
	(void)world_press(w, BOB, WORLD_GROUP, button);
	(void)world_press(w, BOB, BOB, button);
	(void)world_press(w, EVE, WORLD_TEAM, button);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_APPROVAL);
}

WORLD_TEST_OF(no_spelling_of_a_role_is_another, ALWAYS, "ROLE_DEV_IDS=77",
    "ROLE_DEV_MAY=token:*/*, status:*/*, deploy:*/staging")
{
	static const char *const roles[] = { "ADMIN", "Admin", "admin ", " admin", ":admin",
		"*:admin", "client:admin", "/:admin", ".:admin", "?:admin", "admin:dev",
		"dev:admin",
		("\xd0\xb0"
		 "dmin"),
		"staging", "allowed user" };
	static char token[TOKEN_TEXT];

	for (size_t i = 0; i < COUNT(roles); i++)
		if (people_token(w, DEV, "t", roles[i], "30d", token))
			fail_msg("%s", roles[i]);
	assert_true(people_token(w, DEV, "t", "dev", "30d", token)); /* the control */
}

/* Nor is a code that was typed for one work of another. */
FACTOR_TEST_BARE(nobody_presses_the_pad_of_another)
{
	const struct world_message *pad;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, QUIET, "PRODUCTION_APPROVALS=1",
	    "REQUIRE_OTP=approve:*", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
	(void)world_text_in(w, BOB, BOB, "/whoami");
	(void)world_text(w, CAROL, "/deploy production");
	world_git_at(w, COMMIT_A);
	approval_press_in(w, BOB, WORLD_TEAM, "Approve");
	pad = factor_pad(w, &bob);
	for (const char *key = factor_code(w, &bob, 0); *key != '\0'; key++)
		for (int64_t who = 11; who <= 44; who += 33) {
			char name[2] = { *key, '\0' };

			(void)world_press(w, who, pad->chat, world_button(pad, name));
		}
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_APPROVAL);
}

/* By the line of their own request, by one of their own making, and by a number. */
WORLD_TEST_OF(a_contractor_approves_no_action_of_their_own, ALWAYS, "CLIENTS=shop",
    "CLIENT_SHOP_HOST=local", "CLIENT_SHOP_ACTIONS=restart-web", "CLIENT_SHOP_APPROVALS=1",
    "CLIENT_SHOP_WEB_UNIT=web.service", "ROLE_CONTRACTOR_IDS=501",
    "ROLE_CONTRACTOR_MAY=do.restart-web:client/shop, approve:client/shop, confirm:client/shop")
{
	char line[160];

	(void)world_text_in(w, 501, 501, "/request restart-web shop");
	(void)world_press(w, 501, 501, approval_label_in(w, 501, "line"));
	assert_non_null(world_says_in(w, 501, "nonce="));
	for (int i = 0; i < 4; i++) {
		struct event *event = world_update(w, UPDATE_TEXT, 501, 501);
		struct update *update = event->u.update;

		if (i % 2 == 0)
			(void)snprintf(line, sizeof(line),
			    "APPROVE: restart-web shop nonce=%016x ts=%lld", i,
			    (long long)(w->aid.at / 1000));
		else
			(void)snprintf(line, sizeof(line), "%s",
			    world_copies(world_says_in(w, 501, "nonce="), "Copy the line"));
		(void)text_copy(update->text, sizeof(update->text), line);
		(void)text_copy(update->raw, sizeof(update->raw), line);
		update->raw_size = strlen(line);
		(void)world_decide(w, event);
		(void)world_text_in(w, 501, 501, i % 2 == 0 ? "/approve 1" : "/approve 2");
		w->aid.at += 2000;
	}
	for (size_t m = 0; m < w->n_screen; m++)
		for (size_t b = 0; b < w->screen[m].buttons.n; b++)
			(void)world_press(w, 501, w->screen[m].chat, w->screen[m].buttons.at[b].id);
	assert_null(world_peek(w, EFFECT_RUN));
	for (int64_t id = 1; world_deployment(w, id).id != 0; id++)
		assert_string_equal(world_deployment(w, id).approvers, "");
}
