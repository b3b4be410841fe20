/* telegram_init_data.c - who has opened a Mini App: initData, which Telegram has signed.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_init_data.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram_update.h"

#define PAIRS_MAX 32
#define HASH	  (2 * CRYPTO_SHA256_SIZE)
#define SECOND_MS 1000

struct pair {
	char *key, *value; /* into the text that is read */
};

struct pairs {
	char *text; /* owned, decoded in place */
	size_t n;
	struct pair at[PAIRS_MAX];
};

/* In place, and no second time: "%2541" is "%41".  A '+' is one.  False: it is no such text. */
static bool
decode(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; to++) {
		if (*at != '%') {
			*to = *at++;
			continue;
		}
		if (at[1] == '\0' || !text_unhex(to, 1, at + 1, 2) || *to == '\0' || *to == '\n')
			return false;
		at += 3;
	}
	*to = '\0';
	return true;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Sorted by their keys, none of which is there twice. */
static bool
read_pairs(struct pairs *pairs)
{
	char *rest = pairs->text, *one;

	while ((one = strsep(&rest, "&")) != NULL) {
		char *value = strchr(one, '=');

		if (value == NULL || value == one || pairs->n == PAIRS_MAX)
			return false;
		*value++ = '\0';
		if (!decode(one) || !decode(value))
			return false;
		pairs->at[pairs->n++] = (struct pair){ one, value };
	}
	qsort(pairs->at, pairs->n, sizeof(pairs->at[0]), compare);
	for (size_t i = 1; i < pairs->n; i++)
		if (strcmp(pairs->at[i - 1].key, pairs->at[i].key) == 0)
			return false;
	return true;
}

static const char *
value_of(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->at[i].key, key) == 0)
			return pairs->at[i].value;
	return "";
}

static bool
is_signed(const struct pairs *pairs, const uint8_t key[CRYPTO_SHA256_SIZE], struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = buf_make(TELEGRAM_INIT_DATA_MAX + 1);
	const char *hash = value_of(pairs, "hash");
	uint8_t given[CRYPTO_SHA256_SIZE], mac[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->at[i].key, "hash") != 0)
			buf_addf(&text, "%s%s=%s", text.size > 0 ? "\n" : "", pairs->at[i].key,
			    pairs->at[i].value);
	if (buf_failed(&text) ||
	    !crypto_hmac(key, CRYPTO_SHA256_SIZE, buf_text(&text), text.size, mac, NULL))
		return err_set(err, ERR_IO, "no memory to check it: try again");
	/* In small letters, as Telegram has it: one that is said otherwise would be another one. */
	return (strspn(hash, "0123456789abcdef") == HASH &&
		   text_unhex(given, sizeof(given), hash, strlen(hash)) &&
		   crypto_same(given, mac, sizeof(mac))) ||
	    err_set(err, ERR_INVALID, "initData: its hash is not of this bot");
}

static bool
is_of_now(const struct pairs *pairs, int64_t at, struct err *err)
{
	int64_t made = 0, age;

	if (!text_to_i64(value_of(pairs, "auth_date"), 1, INT64_C(1) << 40, &made, NULL))
		return err_set(err, ERR_INVALID, "initData: no auth_date");
	age = at / SECOND_MS - made;
	return (age <= TELEGRAM_INIT_DATA_OLD_S && age >= -TELEGRAM_INIT_DATA_NEW_S) ||
	    err_set(err, ERR_INVALID,
		"initData: older than 5 minutes, or ahead of our clock; open the page anew");
}

static bool
read_user(const struct pairs *pairs, struct telegram_init_data *ret, struct err *err)
{
	const char *text = value_of(pairs, "user");
	CLEANUP(json_freep) struct json *user = json_decode(text, strlen(text), NULL);

	ret->person = telegram_update_person(user, ret->name);
	return ret->person > 0 || err_set(err, ERR_INVALID, "initData: no user");
}

bool
telegram_init_data_check_key(const uint8_t key[CRYPTO_SHA256_SIZE], const char *text, int64_t at,
    struct telegram_init_data *ret, struct err *err)
{
	CLEANUP(freep) char *copy = mem_text(text);
	struct pairs pairs = { .text = copy };
	bool is_right;

	*ret = (struct telegram_init_data){ 0 };
	is_right = (strlen(text) <= TELEGRAM_INIT_DATA_MAX && read_pairs(&pairs)) ||
	    err_set(err, ERR_INVALID, "initData: not the text that Telegram gives");
	is_right = is_right && is_signed(&pairs, key, err) && is_of_now(&pairs, at, err) &&
	    read_user(&pairs, ret, err);
	if (is_right)
		text_set(ret->hash, value_of(&pairs, "hash"));
	crypto_wipe(copy, strlen(text));
	return is_right;
}

bool
telegram_init_data_check(const char *bot_token, const char *text, int64_t at,
    struct telegram_init_data *ret, struct err *err)
{
	static const char word[] = "WebAppData";
	uint8_t key[CRYPTO_SHA256_SIZE];
	bool is_right;

	if (!crypto_hmac(word, strlen(word), bot_token, strlen(bot_token), key, NULL))
		return err_set(err, ERR_IO, "no memory to check it: try again");
	is_right = telegram_init_data_check_key(key, text, at, ret, err);
	crypto_wipe(key, sizeof(key));
	return is_right;
}
