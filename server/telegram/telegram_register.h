/* telegram_register.h - our webhook's registration at Telegram, made and kept.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_config.h"

struct telegram_register;

/* settings of the config is referenced.  Once a minute and at each failure pending() gets how many
 * updates wait at Telegram, and receiving() whether they come here: not where Telegram does not
 * say, another webhook is registered, ours was lost, or what waits could not be delivered within
 * the hour.  What has just been set is known at the next look. */
struct telegram_register *telegram_register_new(
    const struct telegram_config *config, struct telegram_api *api) MUST_USE;
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
