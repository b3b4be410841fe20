/* fake_telegram.h - a Bot API of a test's own: says what it is told to say, keeps what it heard. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"
#include "lib/loop.h"

#define FAKE_TOKEN	"123456:abcdefghijklmnopqrstuvwxyzABCDEF"
#define FAKE_SECRET	"0123456789abcdef0123456789abcdef"

struct fake_telegram;
struct settings;

struct fake_heard {
	char method[32];
	char *body;
	size_t size;
	int64_t at;	/* loop_now_ms() */
};

struct fake_telegram *fake_telegram_new(struct loop *loop);
void fake_telegram_free(struct fake_telegram *fake);

/* Its base URL, and settings that point at it: webhook_url NULL is polling. */
const char *fake_telegram_base(const struct fake_telegram *fake);
struct settings *fake_telegram_settings(const struct fake_telegram *fake, const char *webhook_url);

/* The next call of method is answered so; without, {"ok":true,"result":{"message_id":N}}, and
 * getUpdates not at all.  status 0: the call is never answered (until the fake is freed). */
void fake_telegram_script(struct fake_telegram *fake, const char *method, int status,
    const char *body);

/* What was heard, in order; NULL: no more.  `n` counts from 0, method NULL: of any. */
const struct fake_heard *fake_telegram_heard(const struct fake_telegram *fake, const char *method,
    size_t n);
size_t fake_telegram_count(const struct fake_telegram *fake, const char *method);

/* Runs the loop until *done or for `ms`; false: the time is over. */
bool fake_run_until(struct loop *loop, const bool *done, int64_t ms);
void fake_run_for(struct loop *loop, int64_t ms);
/* Until as many calls of method were heard. */
bool fake_run_until_heard(struct loop *loop, const struct fake_telegram *fake, const char *method,
    size_t count, int64_t ms);
