/* telegram_webhook.h - Telegram calls us: the route, its secret, and our registration there.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The secret is checked before a byte of the body is read: 401 otherwise.  Answers have empty
 * bodies always: Telegram takes one with a "method" in it for a call.  Never 410, for which it
 * would remove the webhook.
 */
#pragma once

#include "lib/err.h"
#include "telegram/telegram_config.h"

struct http_route;
struct telegram_api;
struct telegram_webhook;

#define TELEGRAM_WEBHOOK_PATH		"/telegram/webhook"
#define TELEGRAM_WEBHOOK_BODY_MAX	(1 << 20)

/* settings of the config is referenced: telegram_webhook_url and _secret.  own_name is read with
 * each update: "" until it is known. */
struct telegram_webhook *telegram_webhook_new(const struct telegram_config *config,
    struct telegram_api *api, const char *own_name) MUST_USE;

/* Not while the store may still answer.  NULL is fine. */
void telegram_webhook_free(struct telegram_webhook *webhook);

void telegram_webhook_route(struct telegram_webhook *webhook, struct http_route *ret);

/* Registers when none or another URL is registered, tries again until it is, and asks once a
 * minute how many updates wait. */
void telegram_webhook_start(struct telegram_webhook *webhook);

/* Other settings hold from now on.  Another secret: the old one opens nothing any more at once, for
 * it may be known to somebody, and the webhook is registered again with the new one.  What Telegram
 * sends in between is answered 401, which it repeats: nothing is lost. */
void telegram_webhook_settings(struct telegram_webhook *webhook, struct settings *settings);

/* From now on requests are answered 503. */
void telegram_webhook_quiesce(struct telegram_webhook *webhook);

/* --- for `deploybot webhook set|info|delete` --- */

enum telegram_webhook_command {
	TELEGRAM_WEBHOOK_SET,
	TELEGRAM_WEBHOOK_INFO,
	TELEGRAM_WEBHOOK_DELETE,
};

/* One try; at a 429 it waits and tries again, up to 30 s.  on_done gets whether it worked and
 * lines for people, and comes exactly once, from the loop; until then api and settings must last.
 * False: it could not be started, *err says why.  SET needs TELEGRAM_WEBHOOK_URL. */
bool telegram_webhook_order(struct loop *loop, struct telegram_api *api,
    const struct settings *settings, enum telegram_webhook_command command,
    void (*on_done)(void *ctx, bool ok, const char *text), void *ctx, struct err *err) MUST_USE;
