/* Goal: a token opens what its role may, as long as it holds; a login is one account's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"
#include "token_aid.h"

#include "lib/text.h"
#include "store/row_token.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define KEY TOKEN_AID_KEY
#define ON  TOKEN_AID_ON
#define OBSERVER \
	"ROLE_OBSERVER_IDS=77", "ROLE_OBSERVER_MAY=status:staging, approve:*/*, 2fa:*/*, token:*/*"
#define EVE    WORLD_STRANGER
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static void
open_world(struct world *w)
{
	world_open(w, ON, KEY, OBSERVER, "ROLE_RATE_LIMIT=0", "RATE_LIMIT_REQUESTS=0", NULL);
}

/* --- tokens --- */

WORLD_TEST_BARE(what_is_not_valid_opens_nothing_and_is_audited)
{
	const char *token, *revoked;
	char other[TOKEN_TEXT];

	open_world(w);
	token = token_aid_make(w, WORLD_ADMIN, "ci", "staging", "2d");
	revoked = token_aid_make(w, WORLD_ADMIN, "old", "staging", "2d");
	assert_int_equal(token_aid_status(w, token), 200);
	assert_int_equal(token_aid_revoke(w, "old"), 200);
	assert_int_equal(token_aid_status(w, revoked), 401);
	assert_int_equal(world_audited(w, "\"token_refused\"", "token:old"), 1);
	(void)text_copy(other, sizeof(other), token);
	for (size_t i = sizeof(TOKEN_PREFIX) - 1; i < TOKEN_TEXT - 1; i++) { /* each digit */
		other[i] = other[i] == '0' ? '1' : '0';
		assert_int_equal(token_aid_status(w, other), 401);
		other[i] = token[i];
	}
	assert_int_equal(token_aid_status(w, other), 200);
	/* Five in an hour one by one, then the first of what is counted. */
	assert_int_equal(world_audited(w, "\"token_refused\"", "an unknown token"), 6);
	w->aid.at += 2 * DAY;
	assert_int_equal(token_aid_status(w, token), 401);
	assert_int_equal(world_audited(w, "\"token_refused\"", "an expired token"), 1);
}

WORLD_TEST_BARE(a_token_is_worth_what_its_role_is_at_that_moment)
{
	const char *token;

	open_world(w);
	token = token_aid_make(w, WORLD_ADMIN, "ci", "observer", "2d");
	assert_int_equal(token_aid_status(w, token), 200);
	assert_int_equal(token_aid_call(w, token, API_STATUS, "/v1/status/production", NULL), 404);
	world_settings(
	    w, ON, KEY, "ROLE_OBSERVER_IDS=77", "ROLE_OBSERVER_MAY=status:production", NULL);
	assert_int_equal(token_aid_call(w, token, API_STATUS, "/v1/status/production", NULL), 200);
	world_settings(w, ON, KEY, NULL);
	assert_int_equal(token_aid_status(w, token), 401); /* its role is gone */
	world_settings(w, KEY, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, token), 401); /* ENABLE_TOKEN_AUTH is */
	world_settings(
	    w, ON, "AUTH_TOKEN_SECRET=another-key-0123456789-0123456789-01", OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, token), 401);
	world_settings(w, ON, KEY, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, token), 200);
}

/* Used once while both keys are valid, it stands under the new one; the others end with the old. */
WORLD_TEST_BARE(a_token_is_moved_to_the_new_key_by_its_first_use)
{
	static char moved[] = "AUTH_TOKEN_SECRET=another-key-0123456789-0123456789-01";
	static char before[] =
	    "AUTH_TOKEN_SECRET_PREVIOUS=0123456789abcdef0123456789abcdef0123456789";
	const char *used, *unused;

	open_world(w);
	used = token_aid_make(w, WORLD_ADMIN, "used", "observer", "2d");
	unused = token_aid_make(w, WORLD_ADMIN, "unused", "observer", "2d");
	world_settings(w, ON, moved, before, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, used), 200);
	assert_int_equal(token_aid_status(w, used), 200);
	world_settings(w, ON, moved, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, used), 200);
	assert_int_equal(token_aid_status(w, unused), 401);
}

static void
act_clear(struct tx *tx, UNUSED void *arg)
{
	assert_false(row_token_clear(tx, 100));
}

static int64_t
kept(struct world *w)
{
	int64_t n = -1;

	assert_true(db_one_i64(&n, w->aid.store->db, NULL, "SELECT COUNT(*) FROM token"));
	return n;
}

WORLD_TEST_BARE(what_ended_long_ago_is_forgotten_and_what_is_valid_is_not)
{
	open_world(w);
	(void)token_aid_make(w, WORLD_ADMIN, "long", "observer", "200d");
	(void)token_aid_make(w, WORLD_ADMIN, "short", "observer", "2d");
	(void)token_aid_make(w, WORLD_ADMIN, "revoked", "observer", "366d");
	assert_int_equal(token_aid_revoke(w, "revoked"), 200);
	w->aid.at += ROW_TOKEN_KEPT_MS - DAY;
	store_aid_act(&w->aid, act_clear, NULL);
	assert_int_equal(kept(w), 3);
	w->aid.at += 2 * DAY;
	store_aid_act(&w->aid, act_clear, NULL);
	assert_int_equal(kept(w), 2); /* without the revoked one */
	w->aid.at += 2 * DAY;
	store_aid_act(&w->aid, act_clear, NULL);
	assert_int_equal(kept(w), 1);
}

WORLD_TEST_BARE(work_of_a_token_ends_in_the_queue_with_it)
{
	const char *token;

	open_world(w);
	token = token_aid_make(w, WORLD_ADMIN, "ci", "staging", "2d");
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(token_aid_call(w, token, API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"staging\"]}"),
	    200);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_int_equal(world_audited(w, "\"deploy_requested\"", "token:ci"), 1);
	assert_int_equal(token_aid_revoke(w, "ci"), 200);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}

WORLD_TEST_BARE(nobody_makes_a_token_of_a_role_that_they_have_not)
{
	static const char body[] = "{\"name\": \"a\", \"role\": \"admin\", \"expires\": \"1d\"}";
	const char *token;

	open_world(w);
	assert_int_equal(token_aid_ask(w, EVE, API_TOKEN, "/v1/token/add", body), 403);
	assert_int_equal(
	    token_aid_ask(w, WORLD_STAGING_USER, API_TOKEN, "/v1/token/add", body), 403);
	assert_int_equal(
	    token_aid_ask(w, 77, API_TOKEN, "/v1/token/add", body), 403); /* has the grant */
	assert_int_equal(token_aid_ask(w, 77, API_TOKEN, "/v1/token/add",
			     "{\"name\": \"mine\", \"role\": \"observer\", \"expires\": \"1d\"}"),
	    200);
	token = token_aid_make(w, WORLD_ADMIN, "root", "admin", "1d");
	assert_int_equal(token_aid_call(w, token, API_TOKEN, "/v1/token/add", body), 403);
	assert_int_equal(token_aid_call(w, token, API_TOKENS, "/v1/tokens", NULL), 403);
	assert_int_equal(
	    token_aid_call(w, token, API_FACTOR, "/v1/2fa/add", "{\"person\": 11}"), 403);
	assert_int_equal(world_audited(w, "\"token_made\"", NULL), 2);
}

WORLD_TEST_BARE(a_code_comes_first_where_it_is_asked_for)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, ON, KEY, factor_key_setting, "REQUIRE_OTP=token", NULL);
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_TOKEN, "/v1/token/add",
			     "{\"name\": \"a\", \"role\": \"staging\", \"expires\": \"1d\"}"),
	    403); /* she has no second factor */
	assert_non_null(strstr(w->aid.said, "second factor"));
	assert_int_equal(world_audited(w, "\"token_made\"", NULL), 0);
}

/* --- logins --- */

TEST(a_login_lends_a_role_until_it_ends)
{
	static const enum {
		IDLE,
		EXPIRED,
		REVOKED,
		ROLE_GONE,
		LEFT
	} ends[] = { IDLE, EXPIRED, REVOKED, ROLE_GONE, LEFT };
	struct world w;

	for (size_t i = 0; i < COUNT(ends); i++) {
		open_world(&w);
		token_aid_login(&w, EVE,
		    token_aid_make(
			&w, WORLD_ADMIN, "t", "staging", ends[i] == EXPIRED ? "12h" : "9d"));
		assert_non_null(world_says_in(&w, EVE, "🔐 Logged in as staging until "));
		assert_true(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "production"));
		if (ends[i] == IDLE) { /* each command moves its end */
			w.aid.at += 23 * HOUR;
			(void)world_text_in(&w, EVE, EVE, "/status staging");
			w.aid.at += 23 * HOUR;
			assert_true(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
			w.aid.at += HOUR;
		} else if (ends[i] == EXPIRED) {
			w.aid.at += 12 * HOUR;
		} else if (ends[i] == REVOKED) {
			assert_int_equal(token_aid_revoke(&w, "t"), 200);
		} else if (ends[i] == ROLE_GONE) {
			world_settings(&w, ON, KEY, "ENVIRONMENTS=production", NULL);
		} else {
			(void)world_text_in(&w, EVE, EVE, "/logout");
			assert_non_null(world_says_in(&w, EVE, "Logged out"));
		}
		if (ends[i] != ROLE_GONE)
			assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		if (ends[i] == IDLE || ends[i] == EXPIRED)
			world_due(&w, TIMER_SESSIONS);
		if (ends[i] != ROLE_GONE)
			assert_int_equal(world_audited(&w, "\"logout\"", "telegram:99"), 1);
		assert_int_equal(world_audited(&w, "\"login\"", "telegram:99"), 1);
		world_close(&w);
	}
}

WORLD_TEST_OF(a_login_never_approves_enrols_or_makes_a_token, ON, KEY, "ROLE_RATE_LIMIT=0",
    "RATE_LIMIT_REQUESTS=0", "CONSOLE=true", "ENABLE_API_SERVER=true",
    "PUBLIC_URL=https://bot.example")
{
	token_aid_login(w, EVE, token_aid_make(w, WORLD_ADMIN, "t", "admin", "9d"));
	assert_true(token_aid_may(w, EVE, POLICY_DEPLOY, "production"));
	assert_false(token_aid_may(w, EVE, POLICY_APPROVE, "production"));
	assert_false(token_aid_may(w, EVE, POLICY_TWO_FA, ""));
	assert_false(token_aid_may(w, EVE, POLICY_TOKEN, ""));
	(void)world_text_in(w, EVE, EVE, "/2fa");
	assert_non_null(
	    world_says_in(w, EVE, "🔐 Not done: /2fa: a login by a token makes no second factor"));
	assert_int_equal(world_audited(w, "\"factor_made\"", NULL), 0);
	(void)world_text_in(w, EVE, EVE, "/2fa reset 11");
	assert_int_equal(world_audited(w, "\"factor_reset\"", NULL), 0);
}

WORLD_TEST_BARE(a_token_is_whose_who_logs_in_first_and_anothers_try_blocks_it)
{
	const char *token;

	open_world(w);
	token = token_aid_make(w, WORLD_ADMIN, "t", "staging", "9d");
	token_aid_login(w, EVE, token);
	token_aid_login(w, EVE, token); /* the same account may again */
	assert_true(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
	token_aid_login(w, 98, token);
	assert_false(token_aid_may(w, 98, POLICY_DEPLOY, "staging"));
	assert_false(token_aid_may(w, EVE, POLICY_DEPLOY, "staging"));
	assert_int_equal(token_aid_status(w, token), 401);
	assert_int_equal(world_audited(w, "\"token_revoked\"", "another account tried"), 1);
	assert_int_equal(world_audited(w, "\"token_revoked\"", "\"high\""), 1);
	assert_int_equal(world_audited(w, "\"login_failed\"", "telegram:98"), 1);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "Token blocked: t"));
	assert_non_null(world_says_in(w, EVE, "Token blocked: t"));
}

WORLD_TEST_BARE(after_five_wrong_ones_in_an_hour_login_is_not_answered_for_a_day)
{
	static const char wrong[] =
	    "deploybot_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const char *token;
	size_t said;

	open_world(w);
	token = token_aid_make(w, WORLD_ADMIN, "t", "staging", "9d");
	for (int i = 0; i < 4; i++)
		token_aid_login(w, WORLD_STAGING_USER, i % 2 == 0 ? wrong : "hunter2");
	w->aid.at += HOUR; /* these are over */
	for (int i = 0; i < 5; i++)
		token_aid_login(w, WORLD_STAGING_USER, wrong);
	assert_int_equal(world_audited(w, "\"login_failed\"", "telegram:33"), 9);
	assert_int_equal(world_audited(w, "\"login_locked\"", "telegram:33"), 1);
	said = w->n_screen;
	token_aid_login(w, WORLD_STAGING_USER, token);
	token_aid_login(w, WORLD_STAGING_USER, wrong);
	assert_int_equal(w->n_screen, said);
	assert_int_equal(world_audited(w, "\"login_failed\"", "locked out"), 1);
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/status staging");
	assert_int_equal(w->n_screen, said + 1); /* all else goes on */
	token_aid_login(w, EVE, token);
	assert_non_null(world_says_in(w, EVE, "Logged in")); /* and all others */
	w->aid.at += DAY;
	token_aid_login(w, WORLD_STAGING_USER, wrong);
	assert_non_null(world_says_in(w, WORLD_STAGING_USER, "Not logged in"));
}

TEST(a_token_in_a_group_is_revoked_at_once)
{
	static const char *const texts[] = { "/login %s", "%s", "is it this one?\n%s?",
		"/deploy %s" };
	struct world w;
	char text[LIMIT_REF];

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *token;

		open_world(&w);
		token = token_aid_make(&w, WORLD_ADMIN, "t", "staging", "9d");
		(void)snprintf(text, sizeof(text), texts[i], token);
		(void)world_text(&w, EVE, text);
		assert_int_equal(token_aid_status(&w, token), 401);
		assert_int_equal(world_audited(&w, "\"token_revoked\"", "typed in a group"), 1);
		assert_non_null(world_says_in(&w, WORLD_GROUP, "Token revoked: t"));
		world_close(&w);
	}
}

/* Without its word, or with another: it does not stay in the chat, and opens nothing. */
TEST(a_token_that_is_typed_alone_in_private_is_deleted_and_logs_nobody_in)
{
	static const char *const texts[] = { "%s", "is it this one?\n%s?", "/deploy %s" };
	struct world w;
	char text[LIMIT_REF];

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *token;

		open_world(&w);
		token = token_aid_make(&w, WORLD_ADMIN, "t", "staging", "9d");
		(void)snprintf(text, sizeof(text), texts[i], token);
		(void)world_text_in(&w, EVE, EVE, text);
		assert_int_equal(world_count(&w, EFFECT_DELETE_MESSAGE), 1);
		assert_non_null(world_says_in(&w, EVE, "your message is deleted. /login <token>"));
		assert_false(token_aid_may(&w, EVE, POLICY_DEPLOY, "staging"));
		assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
		assert_int_equal(token_aid_status(&w, token), 200); /* nobody else has seen it */
		world_close(&w);
	}
}

WORLD_TEST_BARE(a_message_with_a_token_is_deleted_or_that_is_said)
{
	struct effect *effect;

	open_world(w);
	token_aid_login(w, EVE, token_aid_make(w, WORLD_ADMIN, "t", "staging", "9d"));
	effect = world_take(w, EFFECT_DELETE_MESSAGE);
	assert_non_null(effect);
	assert_int_equal(effect->u.delete_message.chat, EVE);
	assert_true(effect->u.delete_message.remote_id > WORLD_WRITTEN);
	(void)snprintf(effect->result->u.message_sent.failure,
	    sizeof(effect->result->u.message_sent.failure), "message can't be deleted");
	(void)store_aid_report(&w->aid, effect);
	(void)token_aid_may(w, EVE, POLICY_DEPLOY, "staging"); /* delivers what was said */
	assert_non_null(world_says_in(w, EVE, "Delete it yourself"));
}

/* --- what is taken out of a text --- */

#define WHOLE "deploybot_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(a_token_is_taken_out_before_anything_else_sees_the_text)
{
	static const struct {
		const char *text, *left, *token;
	} cases[] = {
		{ "/login " WHOLE, "/login ***", WHOLE },
		{ "/login@our_bot " WHOLE, "/login@our_bot ***", WHOLE },
		{ "/LOGIN\n" WHOLE, "/LOGIN\n***", WHOLE },
		{ "/login hunter2 and more", "/login ***", "hunter2" },
		{ "/login", "/login", "" },
		{ "/login   ", "/login ", "" },
		{ "/logins x", "/logins x", "" },
		{ WHOLE, "***", WHOLE },
		{ "a " WHOLE " b " WHOLE, "a *** b ***", WHOLE },
		{ "DEPLOYBOT_0123456789", "***", "DEPLOYBOT_0123456789" }, /* cut */
		{ WHOLE "00", "***", NULL },
		{ "deploybot_0123456", "deploybot_0123456", "" },
		{ "/deploy staging main", "/deploy staging main", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct update update = { .kind = UPDATE_TEXT };

		update_set_text(&update, cases[i].text);
		update_take_token(&update);
		if (strcmp(update.text, cases[i].left) != 0)
			fail_msg("%s: left %s", cases[i].text, update.text);
		assert_memory_equal(update.raw, update.text, strlen(update.text));
		assert_int_equal(update.raw_size, strlen(update.text));
		if (cases[i].token != NULL)
			assert_string_equal(update.token, cases[i].token);
	}
}
