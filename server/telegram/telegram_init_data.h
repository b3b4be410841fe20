/* telegram_init_data.h - who has opened a Mini App: initData, which Telegram has signed.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * core.telegram.org/bots/webapps, "Validating data received via the Mini App".  The HMAC covers
 * `signature` too: the public vector of Telegram-Mini-Apps/init-data-golang issue 11 says so.
 */
#pragma once

#include "types/limits.h"

#define TELEGRAM_INIT_DATA_MAX	 8192 /* bytes */
#define TELEGRAM_INIT_DATA_OLD_S 300
#define TELEGRAM_INIT_DATA_NEW_S 20 /* ahead of our clock */

struct telegram_init_data {
	int64_t person;
	char name[LIMIT_PERSON];
	char hash[65]; /* hex: what makes it one of a kind */
};

/* Its pairs are decoded once, sorted, and compared with its hash.  False, *err, which has nothing
 * of it: it proves nothing (ERR_INVALID), or OpenSSL had no memory (ERR_IO). */
bool telegram_init_data_check(const char *bot_token, const char *text, int64_t at,
    struct telegram_init_data *ret, struct err *err) MUST_USE;

/* The same with the key that is derived from the bot's token. */
bool telegram_init_data_check_key(const uint8_t key[32], const char *text, int64_t at,
    struct telegram_init_data *ret, struct err *err) MUST_USE;
