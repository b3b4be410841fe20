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

static void
act_make(struct tx *tx, void *arg)
{
	struct token *token = arg;
	char text[TOKEN_TEXT];

	text_of((int)token->made_by, text);
	(void)snprintf(token->name, sizeof(token->name), "t%d", (int)token->made_by);
	(void)text_copy(token->role, sizeof(token->role), "dev");
	token->expires_at = tx->at + DAY_MS;
	token->id = row_token_add(tx, token, text);
}

static struct token
make(struct world *w, int number)
{
	struct token token = { .made_by = number };

	store_aid_act(&w->aid, act_make, &token);
	return token;
}

static void
act_save(struct tx *tx, void *arg)
{
	row_token_save(tx, arg);
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

static void
they_come_with_the_commit_that_changes_them_and_with_no_other(void **state)
{
	struct token token;
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	store_aid_act(&w.aid, act_nothing, NULL);
	(void)have_come(&w);
	token = make(&w, 1);
	assert_true(have_come(&w));
	assert_int_equal(known.n, 1);
	assert_int_equal(known_until(OLD, 1), token.expires_at);
	token.used_at = w.aid.at;
	store_aid_act(&w.aid, act_save, &token);
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_false(have_come(&w));
	token.revoked_at = w.aid.at;
	store_aid_act(&w.aid, act_save, &token);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), 0);
	world_close(&w);
}

static void
act_make_and_fail(struct tx *tx, void *arg)
{
	act_make(tx, arg);
	tx_fail(tx, ERR_INVALID, "planned");
}

static void
one_that_was_not_kept_is_not_known(void **state)
{
	struct token token = { .made_by = 7 };
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	assert_false(store_aid_try(&w.aid, act_make_and_fail, &token));
	store_aid_act(&w.aid, act_nothing, NULL);
	(void)have_come(&w);
	assert_int_equal(known.n, 0);
	assert_int_equal(known_until(OLD, 7), -1);
	world_close(&w);
}

/* Before the first request is taken. */
static void
they_are_there_after_a_restart(void **state)
{
	struct token token;
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	token = make(&w, 1);
	store_aid_reopen(&w.aid);
	known = (struct known_tokens){ 0 };
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), token.expires_at);
	world_close(&w);
}

static void
new_settings_say_anew_which_are_valid(void **state)
{
	struct token token;
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	token = make(&w, 1);
	world_settings(&w, ON, KEY, NULL); /* its role is gone */
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), 0);
	world_settings(&w, ON, KEY, DEV, NULL);
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), token.expires_at);
	world_settings(&w, KEY, DEV, NULL); /* ENABLE_TOKEN_AUTH is false */
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, 1), 0);
	world_close(&w);
}

static void
one_that_moves_to_the_new_secret_is_known_there(void **state)
{
	int number = 1;
	struct token token;
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	token = make(&w, number);
	world_settings(
	    &w, ON, "AUTH_TOKEN_SECRET=" NEW, "AUTH_TOKEN_SECRET_PREVIOUS=" OLD, DEV, NULL);
	store_aid_act(&w.aid, act_nothing, NULL);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, number), token.expires_at);
	store_aid_act(&w.aid, act_find, &number);
	assert_true(have_come(&w));
	assert_int_equal(known_until(OLD, number), -1);
	assert_int_equal(known_until(NEW, number), token.expires_at);
	world_close(&w);
}

/* Of more that are over the newest are known: what is valid loses its place to none of them. */
static void
there_is_room_for_all_that_are_valid(void **state)
{
	struct token token;
	struct world w;

	(void)state;
	world_open(&w, ON, KEY, DEV, NULL);
	for (int i = 1; i <= TOKENS_KNOWN + 5; i++) {
		token = make(&w, i);
		token.revoked_at = ++w.aid.at;
		store_aid_act(&w.aid, act_save, &token);
	}
	for (int i = 1001; i <= 1000 + TOKENS_KNOWN; i++)
		token = make(&w, i);
	assert_true(have_come(&w));
	assert_int_equal(known.n, COUNT(known.at));
	for (int i = 1001; i <= 1000 + TOKENS_KNOWN; i++)
		assert_true(known_until(OLD, i) > w.aid.at);
	assert_int_equal(known_until(OLD, 5), -1);
	assert_int_equal(known_until(OLD, 6), 0);
	assert_int_equal(known_until(OLD, TOKENS_KNOWN + 5), 0);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_come_with_the_commit_that_changes_them_and_with_no_other),
		cmocka_unit_test(one_that_was_not_kept_is_not_known),
		cmocka_unit_test(they_are_there_after_a_restart),
		cmocka_unit_test(new_settings_say_anew_which_are_valid),
		cmocka_unit_test(one_that_moves_to_the_new_secret_is_known_there),
		cmocka_unit_test(there_is_room_for_all_that_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
