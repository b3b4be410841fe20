/* Goal: as test_decide_attack: names, numbers, second accounts and what is gone open nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "factor_aid.h"
#include "people_aid.h"
#include "token_aid.h"

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_hook.h"
#include "types/hook.h"
#include "types/principal.h"

#define ADA	   WORLD_ADMIN
#define BOB	   WORLD_OTHER_ADMIN
#define EVE	   WORLD_STRANGER
#define LEAD	   501 /* of shop, and may make tokens */
#define ALWAYS	   PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY
#define ADMINS	   "ADMIN_TELEGRAM_IDS=11,22,44,55"
#define QUIET	   "PRODUCTION_CONFIRM=false"
#define DAY	   (24 * 3600 * INT64_C(1000))
#define JOINED	   "a token joins you with who asked for it"
#define OF(target) API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"" target "\"]}"

static const char *
token_of(struct world *w, int64_t maker, const char *name, const char *role)
{
	static char texts[4][TOKEN_TEXT];
	static size_t n;
	char *text = texts[n++ % COUNT(texts)];

	if (!people_token(w, maker, name, role, "300d", text))
		fail_msg("%s of %s: %s", name, role, w->aid.said);
	return text;
}

static void
is_joined(struct world *w, int64_t person)
{
	approval_press_in(w, person, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w->toast, JOINED));
	assert_null(world_peek(w, EFFECT_RUN));
}

/* --- people --- */

/* A name says nothing: the row of work has the token's number. */
WORLD_TEST_OF(the_name_of_a_token_that_is_given_again_makes_nobody_of_its_maker, ALWAYS,
    "PRODUCTION_APPROVALS=1", QUIET, ADMINS, "ROLE_DEV_IDS=99",
    "ROLE_DEV_MAY=deploy:production, status")
{
	people_login(w, EVE, token_of(w, ADA, "ci", "admin"));
	(void)world_text(w, EVE, "/deploy production");
	world_git_at(w, COMMIT_A);
	assert_int_equal(people_revoke(w, ADA, "ci"), 200);
	people_login(w, EVE, token_of(w, BOB, "ci", "admin"));
	store_aid_reopen(&w->aid);
	world_restart(w);
	is_joined(w, ADA);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* It asks with the one, and confirms with the other. */
WORLD_TEST_OF(
    a_second_account_with_two_tokens_joins_both_makers, ALWAYS, "PRODUCTION_APPROVALS=1", ADMINS)
{
	people_login(w, EVE, token_of(w, ADA, "a", "admin"));
	(void)world_text(w, EVE, "/deploy production");
	world_git_at(w, COMMIT_A);
	people_login(w, EVE, token_of(w, BOB, "b", "admin"));
	approval_press_in(w, EVE, WORLD_GROUP, "Deploy to");
	world_git_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	is_joined(w, BOB);
	is_joined(w, ADA);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Over the network: it answers another's question, and approves its own. */
WORLD_TEST_OF(
    a_bearer_that_answers_has_asked_and_approves_nothing, ALWAYS, "PRODUCTION_APPROVALS=1", ADMINS)
{
	const char *token;

	token = token_of(w, ADA, "t", "admin");
	(void)world_text(w, BOB, "/deploy production");
	world_git_at(w, COMMIT_A);
	assert_int_equal(
	    people_call(w, token, API_ANSWER, "/v1/answer/1", "{\"answer\": \"yes\"}"), 200);
	world_git_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_int_not_equal(
	    people_call(w, token, API_COMMAND, "/v1/command/approve", "{\"arguments\": [\"1\"]}"),
	    200);
	is_joined(w, ADA);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* --- roles, and what is the server's --- */

static void
write_both(struct world *w, const char *shop, const char *cider)
{
	char apps[128];

	world_application(w, "shop", shop);
	world_application(w, "cider", cider);
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, ALWAYS, "GITHUB_REPOSITORY=", "ROLE_MAKERS_IDS=501",
	    "ROLE_MAKERS_MAY=token:*/*", NULL);
}

static void
open_both(struct world *w, const char *shop, const char *cider)
{
	world_open(w, NULL);
	write_both(w, shop, cider);
	world_restart(w);
}

static bool
sees(struct world *w, const char *token, const char *environment)
{
	char part[60];

	(void)snprintf(part, sizeof(part), "\"%s\"", environment);
	return token_aid_status(w, token) == 200 && strstr(w->aid.said, part) != NULL;
}

#define OF_SHOP	 "ROLE_LEAD_IDS=501\nROLE_LEAD_MAY=\"deploy:*, status\"\n"
#define OF_CIDER "ROLE_LEAD_IDS=601\nROLE_LEAD_MAY=\"deploy:*, status\"\n"

WORLD_TEST_BARE(a_name_that_folds_to_that_of_another_role_is_none)
{
	static const char *const names[] = { "CIDER:LEAD", "Cider:lead", "cider:LEAD",
		"cider: lead", " cider:lead", "cider:lead ", "cider::lead", ":lead",
		"cider:", "*:lead", "/:lead", "cider/lead", "cider/production:lead",
		"shop:cider:lead", "shop:lead,cider:lead", "../cider:lead", "\\u0441ider:lead",
		"c\\u200bider:lead", "lead", "role cider:lead", "shop:../cider:lead" };

	open_both(w, OF_SHOP, OF_CIDER);
	for (size_t i = 0; i < COUNT(names); i++) {
		char name[8], text[TOKEN_TEXT];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		if (people_token(w, LEAD, name, names[i], "9d", text))
			fail_msg("%s is a role: %s", names[i], w->aid.said);
		assert_null(strstr(w->aid.said, "\"token\""));
	}
	assert_int_equal(world_audited(w, "\"token_made\"", NULL), 0);
}

/* Of roles, of grants, of kinds of principals and of fields. */
TEST(a_role_whose_name_is_a_word_of_ours_is_that_of_its_file)
{
	static const char *const words[] = { "all", "root", "role", "person", "token", "hook",
		"local", "system", "telegram", "github", "server", "main", "approver", "stranger",
		"deploybot", "none", "shop", "cider", "client", "production", "is", "may" };
	char text[300], role[40];
	struct world w;

	for (size_t i = 0; i < COUNT(words); i++) {
		char upper[20] = "";
		const char *token;

		for (size_t k = 0; words[i][k] != '\0'; k++)
			upper[k] = (char)(words[i][k] - 'a' + 'A');
		(void)snprintf(text, sizeof(text),
		    "ROLE_%s_IDS=501\nROLE_%s_MAY=\"*:*, deploy:*/*, deploy:cider/production\"\n",
		    upper, upper);
		open_both(&w, text, "");
		(void)snprintf(role, sizeof(role), "shop:%s", words[i]);
		token = token_of(&w, LEAD, "t", role);
		assert_true(sees(&w, token, "shop/staging"));
		assert_false(sees(&w, token, "cider/staging"));
		assert_int_equal(token_aid_call(&w, token, OF("cider/staging")), 409);
		people_login(&w, EVE, token);
		for (int64_t who = LEAD;; who = EVE) {
			assert_false(token_aid_may(&w, who, POLICY_DEPLOY, "cider/production"));
			assert_false(token_aid_may(&w, who, POLICY_STATUS, "cider/staging"));
			assert_false(token_aid_may(&w, who, POLICY_ADMIN, POLICY_ALL));
			if (who == EVE)
				break;
		}
		assert_null(world_peek(&w, EFFECT_GIT_QUERY));
		world_close(&w);
	}
}

static int
call_hook(struct world *w, const char *id)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HOOK);
	struct hook_call *call = calloc(1, sizeof(*call));
	struct hook_line line;
	struct hook hook;
	struct err err;

	assert_non_null(call);
	event->u.hook = call;
	if (!hook_find(w->aid.settings, id, &hook)) {
		event_free(event);
		return 404;
	}
	hook_line_read(hook.starts, hook.application, &line);
	assert_true(hook_line_request(&line, "{}", 2, &call->request, &err));
	assert_true(crypto_sha256(id, strlen(id), call->digest, &err));
	(void)snprintf(call->id, sizeof(call->id), "%s", id);
	(void)snprintf(call->key, sizeof(call->key), "%s", id);
	call->from = (struct update){ .kind = UPDATE_TEXT };
	(void)snprintf(call->from.name, sizeof(call->from.name), "hook %s", id);
	return world_decide(w, event).status;
}

TEST(a_hook_of_an_application_starts_nothing_of_another)
{
	static const char *const starts[] = { "deploy:cider/staging", "deploy:/staging",
		"deploy:*/staging", "deploy:../cider/staging", "deploy:cider", "deploy:all",
		"rollback:cider/staging", "deploy:shop/../cider/staging", "deploy:staging" };
	char text[200];
	struct world w;

	for (size_t i = 0; i < COUNT(starts); i++) {
		int status;

		(void)snprintf(text, sizeof(text),
		    "WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef\nHOOK_CI_STARTS=%s\n",
		    starts[i]);
		open_both(&w, text, "");
		status = call_hook(&w, "shop/ci");
		if (i + 1 == COUNT(starts)) /* one's own */
			assert_int_equal(status, 202);
		else if (status == 202 && strstr(starts[i], "cider") != NULL)
			fail_msg("%s: %d %s", starts[i], status, w.aid.said);
		assert_int_equal(call_hook(&w, "cider/ci"), 404);
		assert_int_equal(call_hook(&w, "ci"), 404);
		assert_int_equal(world_newest(&w, "cider/staging").id, 0);
		world_close(&w);
	}
}

/* Nor more than one's own environment of one's own application. */
TEST(who_may_freeze_one_environment_freezes_no_other)
{
	static const char *const targets[] = { "shop", "all", "shop/production", "production",
		"cider", "*", "shop/*", "shop/staging/", "client/acme" };
	struct world w;

	for (size_t i = 0; i < COUNT(targets); i++) {
		char text[80];

		open_both(&w,
		    "ROLE_LEAD_IDS=501\nROLE_LEAD_MAY=\"freeze:staging, lock:staging, status\"\n",
		    "");
		(void)snprintf(text, sizeof(text), "/freeze %s until tomorrow mine", targets[i]);
		(void)world_text_in(&w, LEAD, LEAD, text);
		(void)snprintf(text, sizeof(text), "/lock %s 2h mine", targets[i]);
		(void)world_text_in(&w, LEAD, LEAD, text);
		if (world_audited(&w, "freeze_begun", NULL) +
			world_audited(&w, "lock_begun", NULL) !=
		    0)
			fail_msg("%s", text);
		(void)world_text_in(&w, LEAD, LEAD, "/freeze shop/staging until tomorrow mine");
		assert_int_equal(world_audited(&w, "freeze_begun", NULL), 1);
		world_close(&w);
	}
}

/* Shop is store now; another shop comes, with a role of that name. */
WORLD_TEST_BARE(a_name_that_is_free_again_has_nothing_of_who_had_it)
{
	const char *token;
	char path[160];

	open_both(w, OF_SHOP, "");
	token = token_of(w, LEAD, "t", "shop:lead");
	people_login(w, EVE, token);
	assert_true(token_aid_may(w, EVE, POLICY_DEPLOY, "shop/staging"));
	world_application(w, "store", OF_SHOP "RENAMED_FROM=shop\n");
	(void)snprintf(path, sizeof(path), "%s/apps/shop.env", w->aid.folder);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, path, ALWAYS, "GITHUB_REPOSITORY=", "ROLE_MAKERS_IDS=501",
	    "ROLE_MAKERS_MAY=token:*/*", NULL);
	world_settings_read(w);
	assert_true(sees(w, token, "store/staging"));
	write_both(w, OF_CIDER, "");
	world_settings_read(w);
	assert_true(sees(w, token, "store/staging"));
	assert_false(sees(w, token, "shop/staging"));
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "shop/staging"));
}

/* --- factors --- */

/* Nor has one of a group, of a token, of a user of the machine, of nobody. */
FACTOR_TEST_BARE(a_number_that_is_no_person_gets_no_factor)
{
	static const char *const words[] = { "add", "codes", "confirm", "reset", "recover" };
	const int64_t nobody[] = { 0, -1, WORLD_TEAM, INT64_MIN, INT64_MAX, principal_of_token(1),
		principal_of_user(33), principal_of_row(PRINCIPAL_HOOK, 1),
		principal_of_row(PRINCIPAL_USER, 1) };
	char body[120];

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*", NULL);
	world_act(w, factor_enrol, &ada);
	(void)token_of(w, ADA, "t", "admin");
	for (size_t i = 0; i < COUNT(nobody) * COUNT(words); i++) {
		struct event *event = store_aid_event(&w->aid, EVENT_API);
		struct api_request *api = calloc(1, sizeof(*api));
		char path[32];
		struct err err;

		(void)snprintf(path, sizeof(path), "/v1/2fa/%s", words[i % COUNT(words)]);
		(void)snprintf(body, sizeof(body), "{\"person\": %" PRId64 ", \"code\": \"%s\"}",
		    nobody[i / COUNT(words)], factor_code(w, &ada, 0));
		assert_non_null(api);
		event->u.api = api;
		api->from = (struct update){ .is_private = true, .person = ADA };
		if (!api_read(API_FACTOR, path, body, strlen(body), api, &err))
			event_free(event); /* it is no person by its form */
		else if (world_decide(w, event).status == 200)
			fail_msg("%s %s: %s", path, body, w->aid.said);
		assert_null(strstr(w->aid.said, "secret\""));
		w->aid.at += 30000;
	}
	(void)snprintf(
	    body, sizeof(body), "{\"person\": 22, \"code\": \"%s\"}", factor_code(w, &ada, 0));
	assert_int_equal(people_ask(w, ADA, API_FACTOR, "/v1/2fa/add", body), 200);
}

/* Nor does it show that there is one. */
FACTOR_TEST_BARE(wrong_codes_of_who_may_not_close_nobodys_factor)
{
	char body[120];

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*", "ROLE_LEAD_IDS=501",
	    "ROLE_LEAD_MAY=deploy:*, status, log:*, confirm:*", NULL);
	world_act(w, factor_enrol, &bob);
	world_act(w, factor_add_recovery, &bob);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(body, sizeof(body),
		    "{\"person\": 22, \"recovery\": \"AAAA-BBBB-CCCC-%04d\"}", i);
		assert_int_equal(people_ask(w, LEAD, API_FACTOR, "/v1/2fa/recover", body), 403);
		(void)snprintf(body, sizeof(body), "{\"person\": 22, \"code\": \"%06d\"}", i);
		assert_int_equal(people_ask(w, LEAD, API_FACTOR, "/v1/2fa/codes", body), 403);
		w->aid.at += 5000;
	}
	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"staging\"], \"code\": \"%s\"}",
	    factor_code(w, &bob, 0));
	assert_int_equal(people_ask(w, bob.id, API_COMMAND, "/v1/command/deploy", body), 200);
}

/* Where a code is asked for, neither a bearer nor who is logged in has one by that. */
FACTOR_TEST_BARE(a_token_of_who_has_a_factor_passes_no_code)
{
	const char *token;
	char body[96];

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*", NULL);
	token = token_of(w, ADA, "t", "admin");
	world_act(w, factor_enrol, &ada);
	people_login(w, EVE, token);
	(void)world_text(w, EVE, "/deploy staging");
	(void)world_text_in(w, EVE, EVE, "/deploy staging");
	assert_int_equal(people_call(w, token, OF("staging")), 403);
	/* Their maker's code is nothing in another's mouth. */
	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"staging\"], \"code\": \"%s\"}",
	    factor_code(w, &ada, 0));
	assert_int_not_equal(people_call(w, token, API_COMMAND, "/v1/command/deploy", body), 200);
	assert_int_not_equal(people_ask(w, EVE, API_COMMAND, "/v1/command/deploy", body), 200);
	assert_int_equal(factor_begun(w), 0);
	assert_int_equal(world_newest(w, "staging").id, 0);
}

/* --- ends --- */

#define HOOK "WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef", "HOOK_CI_STARTS=deploy:staging"

#define GAMES  principal_of_user(5)
#define GRANTS "ROLE_DEPLOYER_MAY=deploy:staging, status:staging"
#define MAY    "ROLE_DEPLOYER_IDS=78", GRANTS

/* A hook whose line is gone; a user of the machine whose line is; one whose line is another's; and
 * both where nothing is. */
TEST(what_is_queued_by_a_line_that_is_gone_does_not_start)
{
	struct world w;

	for (int i = 0; i < 5; i++) {
		world_open(&w, ALWAYS, HOOK, "LOCAL_GAMES_IS=role deployer", MAY, NULL);
		(void)world_text(&w, ADA, "/deploy staging");
		world_git_at(&w, COMMIT_A);
		if (i == 0 || i == 3)
			assert_int_equal(call_hook(&w, "ci"), 202);
		else
			assert_int_equal(people_ask(&w, GAMES, OF("staging")), 200);
		world_git_at(&w, COMMIT_B);
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
		if (i == 0)
			world_settings(&w, ALWAYS, "LOCAL_GAMES_IS=role deployer", MAY, NULL);
		else if (i < 3)
			world_settings(&w, ALWAYS, HOOK, MAY,
			    i == 1 ? "TIMEZONE=UTC" : "LOCAL_MAN_IS=role deployer", NULL);
		world_settings_read(&w);
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
		while (i >= 3 && world_peek(&w, EFFECT_GIT_QUERY) != NULL)
			world_git_at(&w, COMMIT_B);
		assert_int_equal(world_peek(&w, EFFECT_RUN) != NULL, i >= 3);
		if (i < 3)
			assert_int_equal(world_newest(&w, "staging").state, DEPLOY_REFUSED);
		world_close(&w);
	}
}

/* Their last day ends in it; the clock then jumps a day back. */
TEST(what_waits_in_a_freeze_of_who_left_does_not_start)
{
	struct world w;

	for (int is_back = 0; is_back < 3; is_back++) {
		world_open(&w, ALWAYS,
		    is_back == 2 ? "ROLE_DEPLOYER_IDS=77" : "ROLE_DEPLOYER_IDS=77 until 2026-01-01",
		    GRANTS, NULL);
		(void)world_text(&w, ADA, "/deploy staging");
		world_git_at(&w, COMMIT_A);
		(void)world_text(&w, 77, "/deploy staging");
		world_git_at(&w, COMMIT_B);
		(void)world_text(&w, ADA, "/freeze staging 3d a move");
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
		while (is_back < 2 && w.aid.at < STORE_AID_AT + DAY)
			world_due(&w, TIMER_ACCESS);
		if (is_back == 1)
			w.aid.at -= DAY;
		(void)world_text(&w, ADA, "/unfreeze staging");
		while (world_peek(&w, EFFECT_GIT_QUERY) != NULL)
			world_git_at(&w, COMMIT_B);
		assert_int_equal(world_peek(&w, EFFECT_RUN) != NULL, is_back == 2);
		if (is_back < 2)
			assert_int_equal(world_newest(&w, "staging").state, DEPLOY_REFUSED);
		world_close(&w);
	}
}

/* Whatever they were shown: of what runs, of what has ended, in their own chat and in the group. */
TEST(no_button_below_ones_own_work_outlives_the_role)
{
	size_t n = 0;
	struct world w;

	for (int is_over = 0; is_over < 2; is_over++) {
		size_t n_open;

		world_open(&w, ALWAYS, "ROLE_DEPLOYER_IDS=77 until 2026-01-01",
		    "ROLE_DEPLOYER_MAY=deploy:staging, rollback:staging, cancel:staging, log:staging, status:staging",
		    NULL);
		(void)world_text_in(&w, 77, 77, "/deploy staging");
		world_git_at(&w, COMMIT_A);
		(void)world_run_starts(&w);
		if (is_over)
			world_run_ends(&w, TOUCHED);
		(void)world_text(&w, 77, "/status staging");
		(void)world_text(&w, 77, "/history staging");
		w.aid.at = STORE_AID_AT + DAY + 1000;
		n_open = w.n_open;
		for (size_t k = 0; k < w.n_screen; k++)
			for (size_t i = 0; i < w.screen[k].buttons.n; i++) {
				char id[sizeof(w.screen[k].buttons.at[i].id)];

				(void)text_copy(id, sizeof(id), w.screen[k].buttons.at[i].id);
				if (id[0] == '\0' || w.screen[k].is_gone)
					continue;
				w.toast[0] = '\0';
				(void)world_press(&w, 77, w.screen[k].chat, id);
				if (strstr(w.toast, "no role here") == NULL &&
				    strstr(w.toast, "has expired or was used") == NULL)
					fail_msg(
					    "%s: %s", w.screen[k].buttons.at[i].label, w.toast);
				n += strstr(w.toast, "no role here") != NULL;
			}
		assert_int_equal(world_count(&w, EFFECT_STOP_RUN), 0);
		assert_true(w.n_open <= n_open);
		world_close(&w);
	}
	assert_true(n > 4);
}
