/* Goal: what somebody with a valid account tries first: people, factors, ends, targets, one batch.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "people_aid.h"
#include "token_aid.h"

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_factor.h"
#include "store/row_hook.h"
#include "store/row_token.h"
#include "store/store_inside.h"
#include "types/hook.h"
#include "types/principal.h"

#define ADA    WORLD_ADMIN
#define BOB    WORLD_OTHER_ADMIN
#define EVE    WORLD_STRANGER
#define ALWAYS PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY
#define QUIET  "PRODUCTION_CONFIRM=false"
#define DAY    (24 * 3600 * INT64_C(1000))
#define JOINED "a token joins you with who asked for it"
#define DEPLOY API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"production\"]}"

static const char *
token_of(struct world *w, int64_t maker, const char *name, const char *role)
{
	static char texts[8][TOKEN_TEXT];
	static size_t n;
	char *text = texts[n++ % COUNT(texts)];

	if (!people_token(w, maker, name, role, "300d", text))
		fail_msg("%s: %s", name, w->aid.said);
	return text;
}

static bool
runs(struct world *w)
{
	return world_peek(w, EFFECT_RUN) != NULL;
}

/* --- people --- */

/* Nor who is logged in by a token of theirs. */
TEST(who_pushed_by_a_known_login_does_not_approve_it)
{
	static const char *const logins[] = { "octo", "OcTo" };
	struct world w;

	for (size_t i = 0; i < COUNT(logins); i++) {
		struct event *event;

		world_open(&w, ALWAYS, "STAGING_APPROVALS=1", "STAGING_CONFIRM=false",
		    "PERSON_22_GITHUB=octo", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
		people_login(&w, CAROL, token_of(&w, BOB, "t", "admin"));
		event = world_push(&w, "develop");
		(void)text_copy(
		    event->u.delivery.login, sizeof(event->u.delivery.login), logins[i]);
		(void)world_decide(&w, event);
		world_git_at(&w, COMMIT_A);
		approval_press_in(&w, BOB, WORLD_TEAM, "Approve");
		assert_non_null(strstr(w.toast, "you asked for it"));
		assert_false(runs(&w));
		approval_press_in(&w, CAROL, WORLD_TEAM, "Approve");
		assert_non_null(strstr(w.toast, JOINED));
		assert_false(runs(&w));
		approval_press_in(&w, ADA, WORLD_TEAM, "Approve");
		assert_true(runs(&w));
		world_close(&w);
	}
}

/* The button of what failed, pressed by the login; it then leaves. */
WORLD_TEST_OF(what_a_login_asks_for_again_is_asked_for_by_its_maker, ALWAYS,
    "PRODUCTION_APPROVALS=1", QUIET, "ADMIN_TELEGRAM_IDS=11,22,44")
{
	const char *token;

	token = token_of(w, ADA, "t", "admin");
	people_login(w, EVE, token);
	(void)world_text(w, EVE, "/deploy production");
	world_git_at(w, COMMIT_A);
	approval_press_in(w, BOB, WORLD_TEAM, "Approve");
	(void)world_run_starts(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	approval_press_in(w, EVE, WORLD_GROUP, "again");
	people_logout(w, EVE);
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git_at(w, COMMIT_A);
	approval_press_in(w, ADA, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w->toast, JOINED));
	assert_false(runs(w));
	/* Of whoever has no role any more it starts nothing. */
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_false(runs(w));
}

static int64_t n_cleared;

static void
clear(struct tx *tx, UNUSED void *arg)
{
	(void)row_token_clear(tx, 10);
	n_cleared = tx_changed(tx);
}

/* Regression: when the token's row was old enough to go, its maker was nobody who had asked. */
WORLD_TEST_OF(an_emergency_is_not_reviewed_by_its_maker_however_late, ALWAYS,
    "PRODUCTION_APPROVALS=1", QUIET, "EMERGENCY_WITHOUT_OTP=true")
{
	people_login(w, EVE, token_of(w, ADA, "t", "admin"));
	(void)world_text(w, EVE, "/deploy production emergency the shop is down");
	world_git_at(w, COMMIT_A);
	world_run_ends(w, GOOD);
	assert_int_equal(people_revoke(w, ADA, "t"), 200);
	w->aid.at += 400 * DAY;
	world_act(w, clear, NULL);
	assert_int_equal(n_cleared, 0);
	(void)world_text(w, ADA, "/review 1");
	assert_int_equal(world_newest(w, "production").exempt.reviewed_at, 0);
	assert_non_null(world_says_in(w, WORLD_GROUP, JOINED));
	(void)world_text(w, BOB, "/review 1");
	assert_int_not_equal(world_newest(w, "production").exempt.reviewed_at, 0);
	world_act(w, clear, NULL); /* it goes with the review */
	assert_int_equal(n_cleared, 1);
}

/* --- factors --- */

FACTOR_TEST_BARE(neither_a_bearer_nor_a_login_touches_a_factor)
{
	static const char *const words[] = { "add", "codes", "confirm", "reset", "recover" };
	const char *token;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*", "CONSOLE=true",
	    "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example", NULL);
	token = token_of(w, ADA, "t", "admin");
	world_act(w, factor_enrol, &bob);
	world_act(w, factor_add_recovery, &bob);
	for (size_t i = 0; i < COUNT(words); i++) {
		char path[40];

		(void)snprintf(path, sizeof(path), "/v1/2fa/%s", words[i]);
		assert_int_equal(people_call(w, token, API_FACTOR, path, "{\"person\": 22}"), 403);
		assert_null(strstr(w->aid.said, "secret"));
		assert_null(strstr(w->aid.said, "recovery\":"));
	}
	people_login(w, EVE, token);
	(void)world_text_in(w, EVE, EVE, "/2fa");
	assert_non_null(world_says_in(w, EVE, "a login by a token makes no second factor"));
	assert_int_equal(world_audited(w, "factor_made", NULL), 0);
	(void)world_text_in(w, EVE, EVE, "/2fa reset 22");
	(void)world_text_in(w, EVE, EVE, "/2fa recover " FACTOR_RECOVERY);
	assert_int_equal(world_audited(w, "factor_reset", NULL), 0);
	assert_int_equal(world_audited(w, "factor_recovered", NULL), 0);
}

static int
post(struct world *w, int64_t who, const char *word, const char *body)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/v1/2fa/%s", word);
	return people_ask(w, who, API_FACTOR, path, body);
}

/* Until then a code is asked for as ever; the clock jumps by a day, and back. */
TEST(a_reset_whose_wait_is_over_after_a_restart_gives_nothing_to_who_asked_for_it)
{
	static const char *const words[] = { "add", "codes", "confirm" };
	char body[96];
	struct world w;

	for (int is_jump = 0; is_jump < 2; is_jump++) {
		factor_write_key(FACTOR_KEY);
		world_open(&w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*", NULL);
		world_act(&w, factor_enrol, &ada);
		world_act(&w, factor_enrol, &bob);
		w.is_telegram_away = true; /* the notice is not sent: the wait is ten minutes */
		(void)snprintf(body, sizeof(body), "{\"person\": 22, \"code\": \"%s\"}",
		    factor_code(&w, &bob, 0));
		assert_int_equal(post(&w, bob.id, "reset", body), 200);
		/* While it waits a code is asked for as ever. */
		assert_int_equal(people_ask(&w, bob.id, API_COMMAND, "/v1/command/deploy",
				     "{\"arguments\": [\"staging\"]}"),
		    428);
		assert_int_equal(factor_begun(&w), 0);
		if (is_jump)
			w.aid.at += DAY;
		else
			w.aid.at += 11 * MINUTE_MS;
		store_aid_reopen(&w.aid);
		world_restart(&w);
		for (size_t i = 0; i < COUNT(words); i++) {
			assert_int_equal(post(&w, bob.id, words[i], "{\"person\": 22}"), 403);
			assert_null(strstr(w.aid.said, "secret"));
		}
		assert_int_equal(people_ask(&w, bob.id, API_COMMAND, "/v1/command/deploy",
				     "{\"arguments\": [\"staging\"]}"),
		    403);
		assert_int_equal(factor_begun(&w), 0);
		if (is_jump) /* back: what is over is over, and the old one is not back */
			w.aid.at -= DAY;
		(void)snprintf(body, sizeof(body),
		    "{\"arguments\": [\"staging\"], \"code\": \"%s\"}", factor_code(&w, &bob, 5));
		w.aid.at += 5 * 30000;
		assert_int_equal(
		    people_ask(&w, bob.id, API_COMMAND, "/v1/command/deploy", body), 403);
		assert_int_equal(factor_begun(&w), 0);
		factor_close(&w);
	}
}

FACTOR_TEST_BARE(a_code_opens_one_of_all_doors)
{
	char code[8], body[96];

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*,approve:*,token,2fa",
	    "PRODUCTION_APPROVALS=1", QUIET, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
	(void)text_copy(code, sizeof(code), factor_code(w, &ada, 0));
	(void)world_text(w, ada.id, "/deploy production");
	factor_type(w, &ada, code);
	world_git_at(w, COMMIT_A);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(body, sizeof(body), "{\"person\": 22, \"code\": \"%s\"}", code);
		assert_int_equal(post(w, ada.id, "reset", body), 403);
		(void)snprintf(body, sizeof(body), "{\"person\": 11, \"code\": \"%s\"}", code);
		assert_int_equal(post(w, ada.id, "codes", body), 403);
		(void)snprintf(body, sizeof(body),
		    "{\"name\":\"x\",\"role\":\"admin\",\"expires\":\"1d\",\"code\":\"%s\"}", code);
		assert_int_equal(people_ask(w, ada.id, API_TOKEN, "/v1/token/add", body), 403);
		(void)snprintf(
		    body, sizeof(body), "{\"arguments\": [\"staging\"], \"code\": \"%s\"}", code);
		assert_int_not_equal(
		    people_ask(w, ada.id, API_COMMAND, "/v1/command/deploy", body), 200);
		if (i == 0)
			store_aid_reopen(&w->aid);
		if (i == 1)
			w->aid.at -= 25000;
	}
	assert_int_equal(factor_begun(w), 0);
}

/* --- ends --- */

#define MAKER	   77
#define MAY	   "ROLE_DEPLOYER_MAY=deploy:staging, status:staging, token:*/*"
#define OF_STAGING API_COMMAND, "/v1/command/deploy", "{\"arguments\": [\"staging\"]}"

/* By a bearer, by a login, by a person who leave; by a login that is over. */
TEST(what_is_queued_by_who_left_does_not_start)
{
	struct world w;

	for (int i = 0; i < 4; i++) {
		const char *token;

		world_open(&w, ALWAYS, "ROLE_DEPLOYER_IDS=77", MAY, NULL);
		token = token_of(&w, MAKER, "t", "deployer");
		(void)world_text(&w, ADA, "/deploy staging");
		world_git_at(&w, COMMIT_A);
		if (i == 0)
			assert_int_equal(people_call(&w, token, OF_STAGING), 200);
		else if (i == 1)
			(void)world_text(&w, MAKER, "/deploy staging");
		else
			people_login(&w, EVE, token);
		if (i > 1)
			(void)world_text(&w, EVE, "/deploy staging");
		world_git_at(&w, COMMIT_B);
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
		if (i == 3)
			people_logout(&w, EVE);
		else
			world_settings(&w, ALWAYS, "ROLE_DEPLOYER_IDS=78", MAY, NULL);
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_REFUSED);
		assert_false(runs(&w));
		world_close(&w);
	}
}

TEST(a_question_outlives_no_role)
{
	const char *button;
	struct world w;

	for (int i = 0; i < 2; i++) {
		world_open(&w, ALWAYS, "ROLE_DEPLOYER_IDS=77 until 2026-01-01",
		    "ROLE_DEPLOYER_MAY=deploy:*, confirm:*, status", NULL);
		(void)world_text(&w, MAKER, "/deploy production");
		world_git_at(&w, COMMIT_A);
		button = world_button(world_says_in(&w, WORLD_GROUP, "Deploy to"), "Deploy to");
		w.aid.at = STORE_AID_AT + DAY + 1000;
		if (i == 1) {
			world_settings_read(&w);
			w.aid.at -= DAY;
		}
		(void)world_press(&w, MAKER, WORLD_GROUP, button);
		assert_non_null(strstr(w.toast, "you have no role here"));
		assert_int_not_equal(world_newest(&w, "production").confirmed_by, MAKER);
		world_close(&w);
	}
}

/* --- targets, a batch, hooks --- */

static const char *const targets[] = { "shop/staging", "", " ", "/", "*", "*/*", "shop/",
	"/staging", "all", "cider", "cider/production", "shop/*", "client/", "." };

WORLD_TEST(a_target_that_is_none_names_nothing_of_another_application)
{
	static const char *const words[] = { "deploy", "rollback", "freeze", "unfreeze", "lock",
		"unlock", "status", "history", "audit", "cancel", "logs", "show", "queue" };
	char apps[128], path[60], body[100];

	world_application(w, "shop", "ROLE_LEAD_IDS=501\nROLE_LEAD_MAY=*:*\n");
	world_application(w, "cider", "");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, ALWAYS, "GITHUB_REPOSITORY=", NULL);
	world_restart(w);
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < COUNT(targets); k++) {
			struct event *event;
			int status;

			(void)snprintf(path, sizeof(path), "/v1/command/%s", words[i]);
			(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%s\"]}", targets[k]);
			event = store_aid_event(&w->aid, EVENT_API);
			{
				struct api_request *api = calloc(1, sizeof(*api));
				struct err err;

				event->u.api = api;
				api->from = (struct update){
					.kind = UPDATE_TEXT, .is_private = true, .person = 501
				};
				if (!api_read(API_COMMAND, path, body, strlen(body), api, &err)) {
					event_free(event);
					continue;
				}
			}
			status = world_decide(w, event).status;
			if (strstr(w->aid.said, "cider") != NULL &&
			    strstr(targets[k], "cider") == NULL)
				fail_msg("%s %s: %d %s", words[i], body, status, w->aid.said);
			if (world_newest(w, "cider/production").id != 0 ||
			    world_newest(w, "cider/staging").id != 0)
				fail_msg("%s %s began", words[i], body);
		}
	assert_int_equal(world_audited(w, "\"frozen\"", NULL), 0);
}

/* In either order. */
TEST(an_approval_and_the_rollback_of_its_commit_in_one_batch_start_nothing)
{
	struct world w;

	for (int order = 0; order < 2; order++) {
		struct queue_list events = { 0 };
		struct event *press, *end, *moment;
		struct effect *run;
		const char *button;

		world_open(&w, "PRODUCTION_APPROVALS=1", QUIET, NULL);
		for (int i = 0; i < 2; i++) {
			(void)world_text(&w, ADA, "/deploy production");
			world_git_at(&w, i == 0 ? COMMIT_A : COMMIT_B);
			approval_press_in(&w, BOB, WORLD_TEAM, "Approve");
			(void)world_run_starts(&w);
			if (i == 0)
				world_run_ends(&w, GOOD);
		}
		(void)world_text(&w, ADA, "/deploy production");
		world_git_at(&w, COMMIT_C);
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
		button = approval_label_in(&w, WORLD_TEAM, "Approve");
		world_run_releases(&w, TOUCHED);
		run = world_take(&w, EFFECT_RUN);
		assert_non_null(run);
		press = world_update(&w, UPDATE_PRESS, BOB, WORLD_TEAM);
		(void)text_copy(press->u.update->button, sizeof(press->u.update->button), button);
		end = run->result;
		run->result = NULL;
		end->u.run_ended = GOOD;
		end->u.run_ended.run = run->u.run.run;
		moment = store_aid_event(&w.aid, EVENT_SETTINGS); /* has chance of its own */
		event_set_context(end, moment);
		event_free(moment);
		queue_list_add(&events, order == 0 ? &press->link : &end->link);
		queue_list_add(&events, order == 0 ? &end->link : &press->link);
		assert_true(store_batch(w.aid.store, &events, &w.aid.outcomes, &w.aid.err));
		effect_free(run);
		w.aid.at += 1000;
		world_settings_read(&w);
		assert_string_equal(world_blocked(&w, "production"), COMMIT_B);
		assert_false(runs(&w));
		while (world_peek(&w, EFFECT_GIT_QUERY) != NULL)
			world_git(
			    &w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
		assert_false(runs(&w));
		world_close(&w);
	}
}

static struct answer
call_hook(struct world *w, const char *id)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HOOK);
	struct hook_call *call = calloc(1, sizeof(*call));
	struct hook_line line;
	struct hook hook;
	struct err err;

	event->u.hook = call;
	assert_true(hook_find(w->aid.settings, id, &hook));
	hook_line_read(hook.starts, hook.application, &line);
	assert_true(hook_line_request(&line, "{}", 2, &call->request, &err));
	assert_true(crypto_sha256(id, strlen(id), call->digest, &err));
	(void)snprintf(call->id, sizeof(call->id), "%s", id);
	(void)snprintf(call->key, sizeof(call->key), "%s", id);
	call->from = (struct update){ .kind = UPDATE_TEXT };
	(void)snprintf(call->from.name, sizeof(call->from.name), "hook %s", id);
	return world_decide(w, event);
}

/* shop has chosen a name whose FNV-1a is that of a hook of cider. */
TEST(hooks_of_one_number_of_before_are_two)
{
	char apps[128], sql[128];
	struct world w;

	assert_int_equal(principal_of_hook_before("shop/wmqnlqplftu"),
	    principal_of_hook_before("cider/yluyjseoduk"));
	for (int i = 0; i < 2; i++) {
		world_open(&w, NULL);
		world_application(&w, "shop",
		    "WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef\nHOOK_WMQNLQPLFTU_STARTS=deploy:staging\n");
		world_application(&w, "cider",
		    "WEBHOOK_API_SECRET=1123456789abcdef0123456789abcdef\nHOOK_YLUYJSEODUK_STARTS=deploy:staging\n");
		(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
		world_settings(&w, apps, ALWAYS, "GITHUB_REPOSITORY=", NULL);
		world_restart(&w);
		assert_int_equal(call_hook(&w, "shop/wmqnlqplftu").status, 202);
		assert_int_equal(call_hook(&w, "cider/yluyjseoduk").status, 202);
		assert_int_not_equal(world_newest(&w, "shop/staging").requested_by,
		    world_newest(&w, "cider/staging").requested_by);
		assert_false(token_aid_may(&w, world_newest(&w, "shop/staging").requested_by,
		    POLICY_DEPLOY, "cider/staging"));
		if (i == 1) { /* open work of before, of cider, under the number that both have */
			(void)snprintf(sql, sizeof(sql), "UPDATE work SET requested_by = %" PRId64,
			    principal_of_hook_before("cider/yluyjseoduk"));
			world_rewrite(&w, sql);
			world_restart(&w);
			while (world_peek(&w, EFFECT_GIT_QUERY) != NULL)
				world_git_at(&w, COMMIT_A);
			assert_false(runs(&w));
		}
		world_close(&w);
	}
}
