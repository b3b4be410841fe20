/* Goal: the loop knows each token that there is, from the commit on that made or ended it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_token.h"
#include "types/crossing.h"

#define OLD    "0123456789abcdef0123456789abcdef01234567"
#define NEW    "fedcba9876543210fedcba987654321076543210"
#define ON     "ENABLE_TOKEN_AUTH=true"
#define KEY    "AUTH_TOKEN_SECRET=" OLD
#define DEV    "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=status:staging"
#define MAKER  44
#define DAY_MS (24 * 3600 * INT64_C(1000))

static struct known_tokens known;

/* They came since the last look; the newest are in known. */
static bool
have_come(struct world *w)
{
	struct outcome *outcome;
	bool ret = false;

	while ((outcome = store_aid_take_outcome(&w->aid, OUTCOME_TOKENS)) != NULL) {
		known = *outcome->tokens;
		outcome_free(outcome);
		ret = true;
	}
	return ret;
}

/* Each number has a text of its own. */
static void
text_of(int number, char out[TOKEN_TEXT])
{
	(void)snprintf(out, TOKEN_TEXT, TOKEN_PREFIX "%0*x", 2 * TOKEN_BYTES, (unsigned)number);
}

struct made {
	int number;
	struct token token;
};

static void
act_make(struct tx *tx, void *arg)
{
	struct made *made = arg;
	struct token *token = &made->token;
	char text[TOKEN_TEXT];

	text_of(made->number, text);
	token->made_by = MAKER;
	(void)snprintf(token->name, sizeof(token->name), "t%d", made->number);
	(void)text_copy(token->role, sizeof(token->role), "dev");
	token->expires_at = tx->at + 2 * DAY_MS;
	token->id = row_token_add(tx, token, text);
}

static struct token
make(struct world *w, int number)
{
	struct made made = { .number = number };

	store_aid_act(&w->aid, act_make, &made);
	return made.token;
}

static void
act_save(struct tx *tx, void *arg)
{
	row_token_save(tx, arg);
}

static void
act_use(struct tx *tx, void *arg)
{
	row_token_use(tx, arg);
}

static void
act_find(struct tx *tx, void *arg)
{
	char text[TOKEN_TEXT];

	text_of(*(int *)arg, text);
	assert_true(row_token_find(tx, text).id != 0);
}

static void
act_nothing(UNUSED struct tx *tx, UNUSED void *arg)
{
}

/* -1: the loop would not find it; else until when it is valid. */
static int64_t
known_until(const char *key, int number)
{
	char text[TOKEN_TEXT];
	uint8_t mac[TOKEN_MAC];

	text_of(number, text);
	assert_true(crypto_hmac(key, strlen(key), text, strlen(text), mac, NULL));
	for (size_t i = 0; i < known.n; i++)
		if (memcmp(known.at[i].mac, mac, sizeof(mac)) == 0)
			return known.at[i].until;
	return -1;
}

WORLD_TEST_OF(they_come_with_the_commit_that_changes_them_and_with_no_other, ON, KEY, DEV)
{
	struct token token;

	store_aid_act(&w->aid, act_nothing, NULL);
	(void)have_come(w);
	token = make(w, 1);
	assert_true(have_come(w));
	assert_int_equal(known.n, 1);
	assert_int_equal(known_until(OLD, 1), token.expires_at);
	store_aid_act(&w->aid, act_use, &token);
	store_aid_act(&w->aid, act_nothing, NULL);
	assert_false(have_come(w));
	token.revoked_at = w->aid.at;
	store_aid_act(&w->aid, act_save, &token);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), 0);
}

static void
act_make_and_fail(struct tx *tx, void *arg)
{
	act_make(tx, arg);
	tx_fail(tx, ERR_INVALID, "planned");
}

WORLD_TEST_OF(one_that_was_not_kept_is_not_known, ON, KEY, DEV)
{
	struct made made = { .number = 7 };

	assert_false(store_aid_try(&w->aid, act_make_and_fail, &made));
	store_aid_act(&w->aid, act_nothing, NULL);
	(void)have_come(w);
	assert_int_equal(known.n, 0);
	assert_int_equal(known_until(OLD, 7), -1);
}

/* Before the first request is taken. */
WORLD_TEST_OF(they_are_there_after_a_restart, ON, KEY, DEV)
{
	struct token token;

	token = make(w, 1);
	store_aid_reopen(&w->aid);
	known = (struct known_tokens){ 0 };
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), token.expires_at);
}

WORLD_TEST_OF(new_settings_say_anew_which_are_valid, ON, KEY, DEV)
{
	struct token token;

	token = make(w, 1);
	world_settings(w, ON, KEY, NULL); /* its role is gone */
	store_aid_act(&w->aid, act_nothing, NULL);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), 0);
	world_settings(w, ON, KEY, DEV, NULL);
	store_aid_act(&w->aid, act_nothing, NULL);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), token.expires_at);
	world_settings(w, KEY, DEV, NULL); /* ENABLE_TOKEN_AUTH is false */
	store_aid_act(&w->aid, act_nothing, NULL);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), 0);
}

/* As row_token_fault() says: what has ended is tried like one that nobody was given. */
TEST(what_has_ended_is_not_known_as_valid)
{
	static const char *const leaves[] = { "ROLE_DEV_IDS=45",
		"ROLE_DEV_IDS=44 until 2020-01-01" };
	struct token token;
	struct world w;

	for (size_t i = 0; i < COUNT(leaves); i++) {
		world_open(&w, ON, KEY, DEV, NULL);
		token = make(&w, 1);
		world_settings(&w, ON, KEY, leaves[i], "ROLE_DEV_MAY=status:staging", NULL);
		store_aid_act(&w.aid, act_nothing, NULL);
		assert_true(have_come(&w));
		assert_int_equal(known_until(OLD, 1), 0);
		world_close(&w);
	}
	world_open(&w, ON, KEY, DEV, NULL);
	token = make(&w, 1);
	world_settings(&w, ON, KEY, DEV, "ROLE_DEV_UNTIL=2026-01-01", NULL);
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), STORE_AID_AT + DAY_MS);
	token.fault = TOKEN_MAKER_ENDED;
	token.ended_at = w.aid.at; /* and the clock was set back since */
	store_aid_act(&w.aid, act_save, &token);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), 0);
	world_close(&w);
}

/* One of before, whose role is found by its name. */
WORLD_TEST_OF(whose_role_is_found_later_is_valid_from_then_on, ON, KEY, DEV)
{
	struct token token;

	token = make(w, 1);
	(void)text_copy(token.application, sizeof(token.application), ROLE_OF_SEVERAL);
	store_aid_act(&w->aid, act_save, &token);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), 0);
	token.application[0] = '\0';
	store_aid_act(&w->aid, act_save, &token);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, 1), token.expires_at);
}

WORLD_TEST_OF(one_that_moves_to_the_new_secret_is_known_there, ON, KEY, DEV)
{
	int number = 1;
	struct token token;

	token = make(w, number);
	world_settings(
	    w, ON, "AUTH_TOKEN_SECRET=" NEW, "AUTH_TOKEN_SECRET_PREVIOUS=" OLD, DEV, NULL);
	store_aid_act(&w->aid, act_nothing, NULL);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, number), token.expires_at);
	store_aid_act(&w->aid, act_find, &number);
	assert_true(have_come(w));
	assert_int_equal(known_until(OLD, number), -1);
	assert_int_equal(known_until(NEW, number), token.expires_at);
}

/* Of more that are over the newest are known: what is valid loses its place to none of them. */
WORLD_TEST_OF(there_is_room_for_all_that_are_valid, ON, KEY, DEV)
{
	struct token token;

	for (int i = 1; i <= TOKENS_KNOWN + 5; i++) {
		token = make(w, i);
		token.revoked_at = ++w->aid.at;
		store_aid_act(&w->aid, act_save, &token);
	}
	for (int i = 1001; i <= 1000 + TOKENS_KNOWN; i++)
		token = make(w, i);
	assert_true(have_come(w));
	assert_int_equal(known.n, 2 * TOKENS_KNOWN);
	for (int i = 1001; i <= 1000 + TOKENS_KNOWN; i++)
		assert_true(known_until(OLD, i) > w->aid.at);
	assert_int_equal(known_until(OLD, 5), -1);
	assert_int_equal(known_until(OLD, 6), 0);
	assert_int_equal(known_until(OLD, TOKENS_KNOWN + 5), 0);
}
