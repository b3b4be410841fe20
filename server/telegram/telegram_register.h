/* telegram_register.h - our webhook's registration at Telegram, made and kept.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "telegram/telegram_api.h"

struct telegram_register;

/* Who is notified of what is found, once a minute and at each failure.  Each may be NULL. */
struct telegram_register_hooks {
	void (*pending)(void *ctx, int64_t updates); /* so many updates wait at Telegram */
	/* Do updates come here?  Not where Telegram does not say, another webhook is registered,
	 * ours is yet to be seen standing, or what waits could not be delivered within the hour. */
	void (*receiving)(void *ctx, bool is_receiving);
	void *ctx;
};

struct telegram_register *telegram_register_new(struct loop *loop, struct telegram_api *api,
    struct settings *settings, const struct telegram_register_hooks *hooks) MUST_USE;
void telegram_register_free(struct telegram_register *reg); /* takes NULL */

/* Asks what is registered; sets ours where it is none, another, for other updates or with another
 * secret; again until it is.  From then on it looks once a minute: sets it again when Telegram was
 * refused since, but another one's is left.  Never drops an update. */
void telegram_register_start(struct telegram_register *reg);

/* Other settings hold from now on; with another secret it is set again, as it is at the start. */
void telegram_register_settings(struct telegram_register *reg, struct settings *settings);

/* One call of setWebhook. */
struct telegram_call *telegram_register_set(struct telegram_api *api,
    const struct settings *settings, telegram_done_fn *on_done, void *ctx, struct err *err)
    MUST_USE;
