/* Goal: as test_decide_attack: where two capabilities meet, a third time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "people_aid.h"
#include "token_aid.h"

#include "lib/text.h"
#include "types/principal.h"

#define ADA    WORLD_ADMIN
#define BOB    WORLD_OTHER_ADMIN
#define EVE    WORLD_STRANGER
#define DEV    77
#define ALWAYS PEOPLE_ON, PEOPLE_KEY, PEOPLE_MANY
#define QUIET  "PRODUCTION_CONFIRM=false"
/* One who may not approve, and may go past approvals. */
#define CAN \
	"ROLE_DEV_IDS=77", "ROLE_DEV_MAY=deploy:production, emergency:production, status, history"

static void
goes_live(struct world *w)
{
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
}

/* Its number; it is live. */
static int64_t
emergency(struct world *w, int64_t who)
{
	int64_t id;

	(void)world_text(w, who, "/deploy production emergency the shop is down");
	world_git_at(w, COMMIT_A);
	id = world_newest(w, "production").id;
	if (world_newest(w, "production").state == DEPLOY_AWAITING_CONFIRMATION) {
		approval_press_in(w, who, WORLD_GROUP, "Deploy to");
		world_git_at(w, COMMIT_A);
	}
	goes_live(w);
	return id;
}

/* Is it reviewed when that person has tried to? */
static bool
reviews(struct world *w, int64_t who, int64_t id)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "/review %d", (int)id);
	(void)world_text(w, who, text);
	return world_deployment(w, id).exempt.reviewed_at != 0;
}

static void
ada_types(struct world *w, const char *word, const char *environment, const char *commit)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "/%s %s", word, environment);
	(void)world_text(w, ADA, text);
	world_git_all_at(w, commit);
}

/* A and B were live, and Ada has rolled B back. */
static void
b_is_left(struct world *w, const char *environment, bool is_approved)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B };

	for (size_t i = 0; i < COUNT(commits); i++) {
		ada_types(w, "deploy", environment, commits[i]);
		if (is_approved)
			approval_press_in(w, BOB, WORLD_TEAM, "Approve");
		world_git_all_at(w, commits[i]);
		goes_live(w);
	}
	ada_types(w, "rollback", environment, COMMIT_A);
	approval_press_in(w, ADA, WORLD_GROUP, "Roll back");
	goes_live(w);
	assert_string_equal(world_environment(w, environment).current.commit, COMMIT_A);
}

/* Whoever may not approve reviews no emergency of theirs, as the one approver asked for it, too. */
WORLD_TEST_OF(an_emergency_is_not_reviewed_by_who_may_not_approve, ALWAYS, "ADMIN_TELEGRAM_IDS=11",
    CAN, "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	(void)world_text(w, ADA, "/deploy production"); /* her question of the same */
	world_git_at(w, COMMIT_A);
	assert_false(reviews(w, DEV, emergency(w, DEV)));
}

/* Forward again, by the grant rollback alone, to what was blocked, without the approvals. */
WORLD_TEST_OF(who_may_only_roll_back_goes_not_forward_to_what_is_blocked, ALWAYS,
    "PRODUCTION_APPROVALS=1", QUIET, "ROLE_DEV_IDS=77",
    "ROLE_DEV_MAY=rollback:production, status, history", "ADMIN_TELEGRAM_IDS=11,22")
{
	b_is_left(w, "production", true);
	(void)world_text(w, DEV, "/rollback production 2");
	world_git_all_at(w, COMMIT_B);
	assert_non_null(world_says(w, "⛔ Denied: production deploy: "));
	assert_null(world_peek(w, EFFECT_RUN));
	/* Who may deploy there goes forward as a deployment does: behind somebody else's yes. */
	ada_types(w, "rollback", "production 2", COMMIT_B);
	approval_press_in(w, ADA, WORLD_GROUP, "Roll forward");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

/* Over the machine and the network what only a button says is said by nobody. */
WORLD_TEST_OF(a_row_of_v1_has_no_more_words_than_are_typed, ALWAYS, QUIET, "PRODUCTION_APPROVALS=1",
    "ROLE_DEV_IDS=77", "ROLE_DEV_MAY=rollback:*, deploy:*, status, confirm:*")
{
	static const char *const more[] = { "\"past\": \"barrier\"", "\"without\": \"web1\"",
		"\"instead\": 1", "\"from\": 1", "\"older\": 1", "\"work\": 1",
		"\"emergency\": \"x\"", "\"answer\": \"yes\"", "\"blocked\": \"yes\"",
		"\"target\": \"production\"", "\"person\": 11", "\"name\": \"@ada\"",
		"\"arguments\": [\"staging\"]" };
	static const char *const words[] = { "rollback", "deploy", "seen", "override", "newest",
		"looked", "confirm", "keep", "appeal", "give", "leave", "line", "log",
		"unapprove" };

	(void)world_text(w, ADA, "/deploy production");
	world_git_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < COUNT(more); k++) {
			char path[48], body[128];
			struct event *event = store_aid_event(&w->aid, EVENT_API);
			struct api_request *api = calloc(1, sizeof(*api));
			struct err err;

			assert_non_null(api);
			event->u.api = api;
			api->from = (struct update){ .is_private = true, .person = DEV };
			(void)snprintf(path, sizeof(path), "/v1/command/%s", words[i]);
			(void)snprintf(
			    body, sizeof(body), "{\"arguments\": [\"production\"], %s}", more[k]);
			if (!api_read(API_COMMAND, path, body, strlen(body), api, &err)) {
				event_free(event);
				continue;
			}
			(void)world_decide(w, event);
			w->aid.at += 1000;
		}
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* A contractor's clients: words and targets that fold to what they may. */
WORLD_TEST_OF(one_right_is_one_right, ALWAYS, "CLIENTS=shop,other", "CLIENT_SHOP_HOST=local",
    "CLIENT_SHOP_ACTIONS=restart-web,service-status,disk-free,reload-nginx",
    "CLIENT_SHOP_WEB_UNIT=web.service", "CLIENT_OTHER_HOST=local",
    "CLIENT_OTHER_ACTIONS=restart-web,disk-free", "CLIENT_OTHER_WEB_UNIT=web.service",
    "ROLE_CONTRACTOR_IDS=501", "ROLE_CONTRACTOR_MAY=do.restart-web:client/shop")
{
	static const char *const texts[] = { "/do restart-web other",
		"/do restart-web client/other", "/do RESTART-WEB OTHER", "/do disk-free shop",
		"/do restart-web shop web", "/do reload-nginx client/shop",
		"/do service-status shop", "/request disk-free shop", "/request restart-web other",
		"/do restart-web staging", "/do restart-web *", "/do restart-web client/",
		"/do restart-web client/client/shop", "/do job staging",
		"/request reload-nginx shop", "/do restart-web shop; disk-free",
		"/deploy client/shop", "/rollback client/shop", "/lock client/shop",
		"/freeze client/shop until tomorrow x", "/logs client/shop", "/cancel client/shop",
		"/approve 1", "/reject 1", "/show 1", "/pending", "/queue", "/audit client/shop",
		"/logs staging", "/lock staging", "/cancel staging", "/cancel production",
		"/review 1", "/sessions", "/status staging", "/show #1", "/show 01",
		"/history staging" };

	(void)world_text(w, ADA, "/deploy staging");
	world_git_at(w, COMMIT_A);
	(void)world_run_starts(w);
	for (size_t i = 0; i < COUNT(texts); i++) {
		w->aid.at += 5000;
		(void)world_text_in(w, 501, 501, texts[i]);
		if (world_count(w, EFFECT_RUN) > 1 || world_count(w, EFFECT_STOP_RUN) > 0)
			fail_msg("%s", texts[i]);
	}
}

/* What the settings say when it runs counts: a code that was not asked for as it was only asked. */
TEST(a_question_that_falls_away_takes_no_code_with_it)
{
	struct world w;

	for (int i = 0; i < 3; i++) {
		factor_write_key(FACTOR_KEY);
		world_open(&w, factor_key_setting, ALWAYS, "REQUIRE_OTP=deploy:*, rollback:*",
		    "STAGING_CONFIRM=true", "ROLE_DEV_IDS=77",
		    "ROLE_DEV_MAY=deploy:*, rollback:*, status", NULL);
		(void)world_text(&w, DEV, "/deploy staging");
		if (i > 0)
			world_settings(&w, factor_key_setting, ALWAYS,
			    "REQUIRE_OTP=deploy:*, rollback:*", "STAGING_CONFIRM=false",
			    "ROLE_DEV_IDS=77", "ROLE_DEV_MAY=deploy:*, rollback:*, status", NULL);
		if (i == 2)
			world_restart(&w);
		world_git_at(&w, COMMIT_A);
		world_git_all_at(&w, COMMIT_A);
		assert_null(world_peek(&w, EFFECT_RUN));
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
		factor_close(&w);
	}
}

/* The control: nobody else has asked, so the admin can. */
WORLD_TEST_OF(who_may_not_approve_does_not_review_where_an_admin_can, ALWAYS, CAN,
    "ADMIN_TELEGRAM_IDS=11", "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	assert_false(reviews(w, DEV, emergency(w, DEV)));
}

/* Two approvers, both of whom had merely asked for that commit. */
WORLD_TEST_OF(who_may_not_approve_does_not_review_where_both_admins_had_asked, ALWAYS, CAN,
    "ADMIN_TELEGRAM_IDS=11,22", "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	int64_t id;

	(void)world_text(w, ADA, "/deploy production");
	world_git_at(w, COMMIT_A);
	(void)world_text(w, BOB, "/deploy production");
	world_git_at(w, COMMIT_A);
	id = emergency(w, DEV);
	assert_false(reviews(w, DEV, id));
	assert_true(reviews(w, BOB, id)); /* who may approve there, and did not ask for this one */
}

/* Who asked for it is not alone beside somebody who merely asked for that commit. */
WORLD_TEST_OF(who_asked_for_it_leaves_the_review_to_who_asked_for_the_commit, ALWAYS,
    "ADMIN_TELEGRAM_IDS=11,22", "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	int64_t id;

	(void)world_text(w, BOB, "/deploy production");
	world_git_at(w, COMMIT_A);
	id = emergency(w, ADA);
	assert_false(reviews(w, ADA, id));
	assert_true(reviews(w, BOB, id));
}

/* A token approves nothing; it does not review either. */
WORLD_TEST_OF(a_bearer_reviews_nothing, ALWAYS, "ADMIN_TELEGRAM_IDS=11",
    "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1", QUIET)
{
	static char token[TOKEN_TEXT];

	assert_true(people_token(w, ADA, "t", "admin", "300d", token));
	(void)people_call(w, token, API_COMMAND, "/v1/command/deploy",
	    "{\"arguments\": [\"production\", \"emergency\", \"the\", \"shop\"]}");
	world_git_at(w, COMMIT_A);
	goes_live(w);
	assert_int_equal(
	    people_call(w, token, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"),
	    403);
	assert_int_equal(world_deployment(w, 1).exempt.reviewed_at, 0);
}

/* A login: the token's account, with nothing of its own. */
WORLD_TEST_OF(a_login_reviews_nothing, ALWAYS, "ADMIN_TELEGRAM_IDS=11",
    "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1", QUIET)
{
	static char token[TOKEN_TEXT];

	assert_true(people_token(w, ADA, "t", "admin", "300d", token));
	people_login(w, EVE, token);
	assert_false(reviews(w, EVE, emergency(w, EVE)));
}

/* Forward in a freeze, or where somebody else has locked it. */
TEST(forward_by_a_rollback_goes_past_no_freeze_and_no_lock)
{
	static const char *const holds[] = { "/freeze production 3d a sale",
		"/lock production mine" };
	struct world w;
	int n = 0;

	for (int h = 0; h < 2; h++) {
		world_open(&w, ALWAYS, "PRODUCTION_APPROVALS=1", QUIET, "ROLE_DEV_IDS=77",
		    "ROLE_DEV_MAY=rollback:production, deploy:production, status",
		    "ADMIN_TELEGRAM_IDS=11,22", NULL);
		b_is_left(&w, "production", true);
		(void)world_text(&w, BOB, holds[h]);
		(void)world_text(&w, DEV, "/rollback production 2");
		world_git_all_at(&w, COMMIT_B);
		assert_non_null(world_says(&w, "🔒 Not deployed: production: "));
		n += strstr(world_labels(world_last(&w)), "Roll forward") != NULL;
		world_close(&w);
	}
	assert_int_equal(n, 0);
}

/* Closing it is an approval's kin: where approvals need a code, the code is asked for. */
TEST(a_review_by_who_is_alone_passes_no_code_of_approvals)
{
	struct world w;
	bool is_reviewed;

	factor_write_key(FACTOR_KEY);
	world_open(&w, factor_key_setting, ALWAYS, CAN, "REQUIRE_OTP=approve:*", QUIET,
	    "ADMIN_TELEGRAM_IDS=11", "PRODUCTION_APPROVALS=1", "EMERGENCY_WITHOUT_OTP=true", NULL);
	is_reviewed = reviews(&w, ADA, emergency(&w, ADA));
	factor_close(&w);
	assert_false(is_reviewed);
}

/* A code for deployments: forward by a rollback is one. */
TEST(forward_by_a_rollback_asks_for_the_code_of_a_deployment)
{
	bool ran;
	struct world w;

	factor_write_key(FACTOR_KEY);
	world_open(&w, factor_key_setting, ALWAYS, "ROLE_DEV_IDS=77", "STAGING_CONFIRM=false",
	    "ROLE_DEV_MAY=rollback:*, deploy:*, status", NULL);
	b_is_left(&w, "staging", false);
	world_settings(&w, factor_key_setting, ALWAYS, "ROLE_DEV_IDS=77", "STAGING_CONFIRM=false",
	    "REQUIRE_OTP=deploy:*", "ROLE_DEV_MAY=rollback:*, deploy:*, status", NULL);
	(void)world_text(&w, DEV, "/rollback staging 2");
	world_git_all_at(&w, COMMIT_B);
	ran = strstr(world_labels(world_last(&w)), "Roll forward") != NULL;
	factor_close(&w);
	assert_false(ran);
}

/* Whoever holds one token of each admin makes all of them ask. */
WORLD_TEST_OF(who_holds_the_tokens_of_all_approvers_is_not_alone, ALWAYS, CAN,
    "ADMIN_TELEGRAM_IDS=11,22", "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	static char tokens[2][TOKEN_TEXT];

	for (int i = 0; i < 2; i++) {
		assert_true(people_token(
		    w, i == 0 ? ADA : BOB, i == 0 ? "a" : "b", "dev", "300d", tokens[i]));
		assert_int_equal(people_call(w, tokens[i], API_COMMAND, "/v1/command/deploy",
				     "{\"arguments\": [\"production\"]}"),
		    200);
		world_git_at(w, COMMIT_A);
	}
	assert_false(reviews(w, DEV, emergency(w, DEV)));
}

/* A user of the machine is no person, and reviews nothing, alone or not. */
WORLD_TEST_OF(a_user_of_the_machine_reviews_nothing, ALWAYS, CAN, "ADMIN_TELEGRAM_IDS=11",
    "LOCAL_GAMES_IS=role dev", "EMERGENCY_WITHOUT_OTP=true", "PRODUCTION_APPROVALS=1")
{
	int64_t id, user = principal_of_user(5);
	char body[48];

	(void)world_text(w, ADA, "/deploy production");
	world_git_at(w, COMMIT_A);
	assert_int_equal(people_ask(w, user, API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"production\", \"emergency\", \"the\", \"shop\"]}"),
	    200);
	world_git_at(w, COMMIT_A);
	id = world_newest(w, "production").id;
	if (world_peek(w, EFFECT_RUN) == NULL) {
		char path[40];

		(void)snprintf(path, sizeof(path), "/v1/answer/%d", (int)id);
		(void)people_ask(w, user, API_ANSWER, path, "{\"answer\": \"yes\"}");
		world_git_at(w, COMMIT_A);
	}
	goes_live(w);
	(void)snprintf(body, sizeof(body), "{\"arguments\": [\"%d\"]}", (int)id);
	(void)people_ask(w, user, API_COMMAND, "/v1/command/review", body);
	assert_int_equal(world_deployment(w, id).exempt.reviewed_at, 0);
}
